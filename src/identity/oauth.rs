//! The authorization code flow of OAuth 2.0 with PKCE, for any provider.

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
        BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    domain::secret::Secret,
    entropy::{Entropy, NoEntropy},
    error::{Error, Result},
    identity::http_client::HttpClient,
};

/// A provider's endpoints, and how its authorization responses identify it.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    /// The issuer; `None` without OpenID Connect.
    pub(super) issuer: Option<String>,
    /// Whether every authorization response has the parameter `iss` (RFC 9207).
    pub(super) sends_issuer: bool,
    pub(super) authorization: AuthUrl,
    pub(super) token: TokenUrl,
}

/// The client credentials that a provider issued to the operator (RFC 6749, section 2.3).
#[derive(Debug)]
pub(super) struct ClientCredentials {
    pub(super) id: String,
    pub(super) secret: Secret,
}

/// This application as a client of one provider.
pub(super) struct ProviderClient<'a> {
    pub(super) credentials: &'a ClientCredentials,
    pub(super) endpoints: &'a Endpoints,
    pub(super) redirect_uri: String,
}

/// The random values of one login attempt.
pub(super) struct LoginSecrets {
    /// Identifies the attempt. The provider returns it in the callback.
    pub(super) state: Secret,
    /// The provider includes it in the ID token.
    pub(super) nonce: Secret,
    /// The PKCE verifier (RFC 7636), which stays in the browser.
    pub(super) verifier: Secret,
}

/// The members of a token response that OpenID Connect adds to OAuth 2.0.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Extra {
    pub(super) id_token: Option<String>,
}

impl ExtraTokenFields for Extra {}

/// A token response.
pub(super) type Tokens = StandardTokenResponse<Extra, BasicTokenType>;

type OauthClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl LoginSecrets {
    /// Generates three secrets of 256 bits each.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the operating system provides no randomness.
    pub(super) fn generate(entropy: &Entropy) -> Result<Self, NoEntropy> {
        let secret = || Ok(Secret::from_entropy(entropy.bytes()?));
        Ok(Self { state: secret()?, nonce: secret()?, verifier: secret()? })
    }
}

impl ProviderClient<'_> {
    /// Builds the URL of the provider's login page.
    ///
    /// # Errors
    ///
    /// `Internal` when the redirect URI is not a URL.
    pub(super) fn authorization_url(&self, scopes: &[&str], secrets: &LoginSecrets) -> Result<Url> {
        let client = self.oauth_client()?;
        let verifier = pkce_verifier(&secrets.verifier);
        let mut request = client
            .authorize_url(|| CsrfToken::new(secrets.state.reveal().to_owned()))
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if self.endpoints.issuer.is_some() {
            request = request.add_extra_param("nonce", secrets.nonce.reveal().to_owned());
        }
        Ok(request.url().0)
    }

    /// Exchanges an authorization code for tokens.
    ///
    /// # Errors
    ///
    /// `InvalidIdToken` when the provider rejects the code; `ProviderDown` when it does not
    /// respond.
    pub(super) async fn exchange_code(
        &self,
        code: Secret,
        verifier: &Secret,
        http: &HttpClient,
    ) -> Result<Tokens> {
        let response = self
            .oauth_client()?
            .exchange_code(AuthorizationCode::new(code.reveal().to_owned()))
            .set_pkce_verifier(pkce_verifier(verifier))
            .request_async(http)
            .await;
        response.map_err(|fault| match fault {
            RequestTokenError::Request(unavailable) => Error::provider_down(unavailable),
            RequestTokenError::ServerResponse(refusal) => Error::invalid_id_token(format!(
                "the provider rejected the authorization code: {}",
                refusal.error()
            )),
            other => Error::invalid_id_token(format!("the token response is invalid: {other}")),
        })
    }

    fn oauth_client(&self) -> Result<OauthClient> {
        let redirect_uri = RedirectUrl::new(self.redirect_uri.clone()).map_err(Error::internal)?;
        let secret = ClientSecret::new(self.credentials.secret.reveal().to_owned());
        Ok(Client::new(ClientId::new(self.credentials.id.clone()))
            .set_client_secret(secret)
            .set_auth_type(AuthType::BasicAuth)
            .set_auth_uri(self.endpoints.authorization.clone())
            .set_token_uri(self.endpoints.token.clone())
            .set_redirect_uri(redirect_uri))
    }
}

fn pkce_verifier(verifier: &Secret) -> PkceCodeVerifier {
    PkceCodeVerifier::new(verifier.reveal().to_owned())
}
