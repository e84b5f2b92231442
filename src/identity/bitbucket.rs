//! Bitbucket: OAuth 2.0 without OpenID Connect, so its own API tells who has come.

use oauth2::{AuthUrl, TokenResponse, TokenUrl};
use serde::Deserialize;

use crate::{
    access::stakeholders::Person,
    domain::{email::Email, login::LoginFault, subject::Subject},
    error::{Error, Result},
    identity::{
        fetch::Fetch,
        oauth::{Endpoints, Tokens},
    },
};

/// What stands for an issuer, which OAuth 2.0 does not have.
pub(super) const ISSUER: &str = "https://bitbucket.org";
const AUTHORIZE: &str = "https://bitbucket.org/site/oauth2/authorize";
const TOKEN: &str = "https://bitbucket.org/site/oauth2/access_token";
const USER: &str = "https://api.bitbucket.org/2.0/user";
const ADDRESSES: &str = "https://api.bitbucket.org/2.0/user/emails";

#[derive(Deserialize)]
struct User {
    account_id: String,
    #[serde(default)]
    display_name: String,
}

#[derive(Deserialize)]
struct Addresses {
    values: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    is_primary: bool,
    is_confirmed: bool,
}

/// Where Bitbucket does what.
pub(super) fn endpoints() -> Result<Endpoints> {
    Ok(Endpoints {
        issuer: None,
        tells_issuer: false,
        authorize: AuthUrl::new(AUTHORIZE.to_owned()).map_err(Error::internal)?,
        token: TokenUrl::new(TOKEN.to_owned()).map_err(Error::internal)?,
    })
}

/// Who has come: the primary address, if its owner confirmed it.
///
/// # Errors
///
/// `UnverifiedAddress`; `ProviderDown` where Bitbucket does not answer.
pub(super) async fn person(tokens: &Tokens, fetch: &Fetch) -> Result<Person> {
    let token = Some(tokens.access_token().secret().as_str());
    let addresses: Addresses = fetch.json(ADDRESSES, token).await?;
    let primary = addresses.values.into_iter().find(|it| it.is_primary && it.is_confirmed);
    let email = Email::try_from(primary.ok_or(LoginFault::UnverifiedAddress)?.email);
    let user: User = fetch.json(USER, token).await?;
    let subject =
        Subject::new(ISSUER.to_owned(), user.account_id).map_err(Error::invalid_id_token)?;
    let email = email.map_err(Error::invalid_id_token)?;
    Ok(Person { subject, email, name: user.display_name, hosted_domain: None })
}
