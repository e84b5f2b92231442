//! OAuth 2.0's authorization code with PKCE: the way there and back, for any provider.

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
    identity::{fetch::Fetch, provider::Provider},
};

/// Where a provider does what.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    /// Who it is, in OpenID Connect.
    pub(super) issuer: Option<String>,
    /// Whether it promises to say so with each answer (RFC 9207).
    pub(super) tells_issuer: bool,
    /// Where people log in.
    pub(super) authorize: AuthUrl,
    /// Where codes become tokens.
    pub(super) token: TokenUrl,
}

/// What makes an attempt unique.
pub(super) struct Secrets {
    /// Names the attempt; comes back with the browser.
    pub(super) state: Secret,
    /// Comes back in the ID token.
    pub(super) nonce: Secret,
    /// The PKCE verifier (RFC 7636); stays with the browser.
    pub(super) verifier: Secret,
}

/// What else a token answer may have.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Extra {
    /// The ID token, in OpenID Connect.
    pub(super) id_token: Option<String>,
}

impl ExtraTokenFields for Extra {}

/// What a code becomes.
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

impl Secrets {
    /// The PKCE verifier, as the protocol has it.
    fn pkce(verifier: &Secret) -> PkceCodeVerifier {
        PkceCodeVerifier::new(verifier.reveal().to_owned())
    }

    /// Draws all three, of 256 bits each.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the operating system gives none.
    pub(super) fn draw(entropy: &Entropy) -> Result<Self, NoEntropy> {
        let secret = || Ok(Secret::from_entropy(entropy.bytes()?));
        Ok(Self { state: secret()?, nonce: secret()?, verifier: secret()? })
    }
}

/// Where the browser is sent to.
///
/// # Errors
///
/// `Internal` where our own address is none.
pub(super) fn authorize_url(
    provider: &Provider,
    place: &Endpoints,
    callback: &str,
    secrets: &Secrets,
) -> Result<Url> {
    let verifier = Secrets::pkce(&secrets.verifier);
    let client = client(provider, place, callback)?;
    let mut request = client
        .authorize_url(|| CsrfToken::new(secrets.state.reveal().to_owned()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    for scope in provider.scopes() {
        request = request.add_scope(Scope::new((*scope).to_owned()));
    }
    if place.issuer.is_some() {
        request = request.add_extra_param("nonce", secrets.nonce.reveal().to_owned());
    }
    Ok(request.url().0)
}

/// Exchanges a code for tokens.
///
/// # Errors
///
/// `InvalidIdToken` where the provider refuses; `ProviderDown` where it does not answer.
pub(super) async fn exchange(
    provider: &Provider,
    place: &Endpoints,
    callback: &str,
    code: Secret,
    verifier: &Secret,
    fetch: &Fetch,
) -> Result<Tokens> {
    let client = client(provider, place, callback)?;
    let asked = client
        .exchange_code(AuthorizationCode::new(code.reveal().to_owned()))
        .set_pkce_verifier(Secrets::pkce(verifier))
        .request_async(fetch)
        .await;
    asked.map_err(|fault| match fault {
        RequestTokenError::Request(no_answer) => Error::provider_down(no_answer),
        RequestTokenError::ServerResponse(refused) => {
            Error::invalid_id_token(format!("the provider refuses the code: {}", refused.error()))
        }
        other => {
            Error::invalid_id_token(format!("the provider's answer to the code is none: {other}"))
        }
    })
}

fn client(provider: &Provider, place: &Endpoints, callback: &str) -> Result<OauthClient> {
    let callback = RedirectUrl::new(callback.to_owned()).map_err(Error::internal)?;
    let (id, secret) = (ClientId::new(provider.client_id.clone()), provider.client_secret.reveal());
    Ok(Client::new(id)
        .set_client_secret(ClientSecret::new(secret.to_owned()))
        .set_auth_type(AuthType::BasicAuth)
        .set_auth_uri(place.authorize.clone())
        .set_token_uri(place.token.clone())
        .set_redirect_uri(callback))
}
