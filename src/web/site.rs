//! The web application behind HTTP: which page answers what.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Redirect, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE},
    request::Parts,
};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    access::{
        Access, Presented,
        actor::{Credential, Visitor},
    },
    config::PublicUrl,
    domain::own_path::OwnPath,
    error::{Error, RequestFault, Result},
    http::{Moment, csrf::OwnOrigins},
    web::{
        assets, ide,
        pages::{self, Notice},
    },
};

pub use crate::web::pages::SignIn;

/// What logging out wipes in the browser: what our own pages stored. `"cookies"` would wipe the
/// cookies of the whole registered domain, so other sites of the company as well.
const CLEAR_SITE_DATA: (HeaderName, HeaderValue) =
    (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"storage\""));

/// The web application.
pub struct Site {
    access: Arc<Access>,
    own_origins: OwnOrigins,
    public_url: PublicUrl,
    sign_ins: Vec<SignIn>,
}

impl Site {
    /// The web application, for the users of `access`.
    #[must_use]
    pub fn new(
        access: Arc<Access>,
        own_origins: OwnOrigins,
        public_url: PublicUrl,
        sign_ins: Vec<SignIn>,
    ) -> Self {
        Self { access, own_origins, public_url, sign_ins }
    }

    /// `GET /`: the login page; who is signed in goes home. A session that does not
    /// hold is told of here, once, and taken from the browser that sent it.
    pub async fn login(&self, request: &Parts, moment: Moment) -> Response {
        match self.visitor(&request.headers, moment).await {
            Ok(Visitor::Somebody(_)) => Redirect::to(next(&request.uri).as_str()).into_response(),
            Ok(Visitor::Nobody) => self.login_page(&request.uri, farewell(&request.uri)),
            Err(Error::Refused(refusal)) => {
                let page = self.login_page(&request.uri, Notice::of(&refusal));
                ([(SET_COOKIE, self.access.cookies.clear_session())], page).into_response()
            }
            Err(error) => pages::problem(&error),
        }
    }

    fn login_page(&self, uri: &Uri, notice: Option<Notice>) -> Response {
        answered(pages::html(&pages::Login { sign_ins: &self.sign_ins, next: next(uri).as_str(), notice }))
    }

    /// `GET /home`: the application; who is not signed in goes to log in first.
    pub async fn home(&self, request: &Parts, moment: Moment) -> Response {
        match self.visitor(&request.headers, moment).await {
            Ok(Visitor::Somebody(actor)) => {
                let page = pages::Home { actor: &actor, api: &self.public_url.api(), now: moment.now };
                answered(pages::html(&page))
            }
            Ok(Visitor::Nobody) | Err(Error::Refused(_)) => Redirect::to("/?next=%2Fhome").into_response(),
            Err(error) => pages::problem(&error),
        }
    }

    /// `POST /logout`: ends the session, and takes it from the browser also where it could not
    /// be ended. A request of another site changes nothing, and neither does one with two
    /// session cookies: without the genuine one, the planted one would count.
    pub async fn logout(&self, request: &Parts, moment: Moment) -> Response {
        let own = self.own_origins.admit(&request.method, &request.headers);
        let cookie = own.and_then(|()| Ok(self.access.cookies.session(&request.headers)?));
        if let Err(error) = cookie {
            return pages::problem(&error);
        }
        let mut response = match self.end_session(request, moment).await {
            Ok(()) => Redirect::to("/?logged-out").into_response(),
            Err(error) => pages::problem(&Error::logout_incomplete(error)),
        };
        response.headers_mut().append(SET_COOKIE, self.access.cookies.clear_session());
        let (name, value) = CLEAR_SITE_DATA;
        response.headers_mut().insert(name, value);
        response
    }

    async fn end_session(&self, request: &Parts, moment: Moment) -> Result<()> {
        match self.visitor(&request.headers, moment).await {
            Ok(Visitor::Somebody(actor)) => match actor.credential {
                Credential::Session(session) => self.access.end_session(&session, moment.now).await,
                Credential::AccessToken(_) => Ok(()),
            },
            Ok(Visitor::Nobody) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whoever the session cookie says. A page takes no tokens: they are for programs.
    ///
    /// # Errors
    ///
    /// `Refused` where the session does not hold; `Request` where there are two of its cookies.
    async fn visitor(&self, headers: &HeaderMap, moment: Moment) -> Result<Visitor> {
        let presented = self.access.cookies.session(headers)?.map_or(Presented::Nothing, Presented::Cookie);
        let claimed = self.access.claimed(&presented, moment.now)?;
        self.access.authenticate(&claimed, moment.now).await
    }

    /// `GET /.well-known/jwks.json`: the public keys, with which anyone can check that
    /// a token is ours.
    #[must_use]
    pub fn jwks(&self) -> Response {
        let keys: Vec<_> = self.access.jwt.keys().public().collect();
        ([(CACHE_CONTROL, "public, max-age=3600")], Json(json!({ "keys": keys }))).into_response()
    }
}

/// The IDE: a page for everybody, which works with the session of who has one.
#[must_use]
pub fn ide(public_url: &PublicUrl, moment: Moment) -> Response {
    let page = ide::page(public_url.as_str(), moment.now.as_second());
    let page = page.map_err(Error::internal);
    let policy = [(CONTENT_SECURITY_POLICY, ide::CSP)];
    answered(page.map(|html| (policy, axum::response::Html(html)).into_response()))
}

/// `GET /static/{name}`.
#[must_use]
pub fn asset(name: &str, headers: &HeaderMap) -> Response {
    assets::response(name, headers).unwrap_or_else(nowhere)
}

/// The page that tells of an error.
#[must_use]
pub fn problem(error: &Error) -> Response {
    pages::problem(error)
}

/// There is no page here.
#[must_use]
pub fn nowhere() -> Response {
    pages::problem(&RequestFault::UnknownPath.into())
}

/// The page that somebody asked for before they logged in: only one of ours.
#[must_use]
pub fn next(uri: &Uri) -> OwnPath {
    let mut parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = parameters.find(|(name, _)| name == "next").map(|(_, value)| value.into_owned());
    asked.and_then(|path| OwnPath::try_from(path).ok()).unwrap_or_default()
}

/// What the login page says to who has just logged out.
fn farewell(uri: &Uri) -> Option<Notice> {
    (uri.query() == Some("logged-out")).then(Notice::of_logout)
}

fn answered(page: Result<Response>) -> Response {
    page.unwrap_or_else(|error| pages::problem(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/?next=/api", "/api")]
    #[case("/?next=%2Fhome%3Fa%3D1", "/home?a=1")]
    #[case("/", "/home")]
    #[case("/?next=//evil.test", "/home")]
    #[case("/?next=/%5Cevil.test", "/home")]
    #[case("/?next=https://evil.test", "/home")]
    #[case("/?next=/%0d%0aSet-Cookie:a", "/home")]
    #[case("/?next=javascript:alert(1)", "/home")]
    fn one_gets_back_to_our_own_pages_alone(#[case] uri: &str, #[case] path: &str) {
        assert_eq!(next(&uri.parse().unwrap()).as_str(), path);
    }
}
