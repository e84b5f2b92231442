//! Bitbucket, which supports OAuth 2.0 but not OpenID Connect: its own API identifies the user.

use oauth2::{AuthUrl, TokenResponse, TokenUrl};
use serde::Deserialize;

use crate::{
    access::stakeholders::VerifiedIdentity,
    domain::{email::Email, login::LoginFault, subject::Subject},
    error::{Error, Result},
    identity::{
        http_client::HttpClient,
        oauth::{Endpoints, Tokens},
    },
};

/// Takes the place of an issuer, which OAuth 2.0 does not have.
pub(super) const ISSUER: &str = "https://bitbucket.org";
const AUTHORIZATION: &str = "https://bitbucket.org/site/oauth2/authorize";
const TOKEN: &str = "https://bitbucket.org/site/oauth2/access_token";
const USER: &str = "https://api.bitbucket.org/2.0/user";
const EMAILS: &str = "https://api.bitbucket.org/2.0/user/emails";

#[derive(Deserialize)]
struct User {
    account_id: String,
    #[serde(default)]
    display_name: String,
}

#[derive(Deserialize)]
struct Emails {
    values: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    is_primary: bool,
    is_confirmed: bool,
}

/// Returns Bitbucket's endpoints.
///
/// # Errors
///
/// `Internal` if a URL is invalid, which these constants are not.
pub(super) fn endpoints() -> Result<Endpoints> {
    Ok(Endpoints {
        issuer: None,
        sends_issuer: false,
        authorization: AuthUrl::new(AUTHORIZATION.to_owned()).map_err(Error::internal)?,
        token: TokenUrl::new(TOKEN.to_owned()).map_err(Error::internal)?,
    })
}

/// Identifies the user by their account id and their primary address.
///
/// # Errors
///
/// `UnverifiedAddress` unless the primary address is confirmed; `ProviderDown` when Bitbucket does
/// not respond.
pub(super) async fn identify(tokens: &Tokens, http: &HttpClient) -> Result<VerifiedIdentity> {
    let token = Some(tokens.access_token().secret().as_str());
    let emails: Emails = http.get_json(EMAILS, token).await?;
    let primary = emails.values.into_iter().find(|it| it.is_primary && it.is_confirmed);
    let email = Email::try_from(primary.ok_or(LoginFault::UnverifiedAddress)?.email);
    let user: User = http.get_json(USER, token).await?;
    let subject = Subject::new(ISSUER.to_owned(), user.account_id);
    Ok(VerifiedIdentity {
        subject: subject.map_err(Error::invalid_id_token)?,
        email: email.map_err(Error::invalid_id_token)?,
        name: user.display_name,
        hosted_domain: None,
    })
}
