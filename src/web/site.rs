//! The web application behind HTTP: which page answers what.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Redirect, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE},
    request::Parts,
};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    access::{
        Access, RawCredential,
        actor::{Actor, Credential, Visitor},
    },
    config::PublicUrl,
    domain::{access_token::AccessToken, own_path::OwnPath},
    error::{Error, RequestFault, Result},
    http::{RequestContext, cookies::CookieName, csrf::OwnOrigins, visit},
    web::{
        assets, ide,
        pages::{self, Banner},
        token_form::{SentForm, TokenForm},
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

    /// `GET /`: the login page. Who is signed in goes home, unless they ask to log in
    /// `again`. That a session has ended is said here, once.
    pub async fn login(&self, request: &Parts, context: &RequestContext) -> Response {
        match self.visitor(&request.headers, context).await {
            Ok(Visitor::Somebody(_)) if !has_parameter(&request.uri, "again") => {
                Redirect::to(next(&request.uri).as_str()).into_response()
            }
            Ok(Visitor::Somebody(_)) => self.login_page(request, None),
            Ok(Visitor::Nobody) => {
                let ended = visit::is_remembered(&request.headers).then(Banner::of_expiry);
                self.login_page(request, logout_banner(&request.uri).or(ended))
            }
            Err(Error::Refused(refusal)) => {
                let page = self.login_page(request, Banner::of(&refusal));
                ([(SET_COOKIE, self.access.cookies.delete(CookieName::Session))], page)
                    .into_response()
            }
            Err(error) => pages::problem(&error),
        }
    }

    fn login_page(&self, request: &Parts, notice: Option<Banner>) -> Response {
        let next = next(&request.uri);
        let page = pages::Login { sign_ins: &self.sign_ins, next: next.as_str(), notice };
        let mut response = respond(pages::html(&page));
        if visit::is_remembered(&request.headers) {
            response.headers_mut().append(SET_COOKIE, visit::forget(self.public_url.is_https()));
        }
        response
    }

    /// `GET /home`: the application; who is not signed in goes to log in first.
    pub async fn home(&self, request: &Parts, context: &RequestContext) -> Response {
        respond(self.home_of(&request.headers, context).await)
    }

    async fn home_of(&self, headers: &HeaderMap, context: &RequestContext) -> Result<Response> {
        let Some(actor) = self.signed_in(headers, context).await? else { return Ok(to_login()) };
        let token = self.access.access_token(&actor, context.now).await?;
        let page = self.home_page(&actor, token.as_ref(), &TokenForm::at(context.now), context)?;
        let remembered = [(SET_COOKIE, visit::remember(self.public_url.is_https()))];
        Ok((remembered, page).into_response())
    }

    fn home_page(
        &self,
        actor: &Actor,
        token: Option<&AccessToken>,
        form: &TokenForm,
        context: &RequestContext,
    ) -> Result<Response> {
        let api = self.public_url.api();
        pages::html(&pages::Home { actor, token, form, api: &api, now: context.now })
    }

    /// `POST /home/token`: makes an API token, for browsers without scripts.
    pub async fn create_token(&self, request: Request<Body>, context: &RequestContext) -> Response {
        let (parts, body) = request.into_parts();
        respond(self.token_page(&parts, body, context).await)
    }

    async fn token_page(
        &self,
        parts: &Parts,
        body: Body,
        context: &RequestContext,
    ) -> Result<Response> {
        self.own_origins.check(&parts.method, &parts.headers)?;
        let Some(actor) = self.signed_in(&parts.headers, context).await? else {
            return Ok(to_login());
        };
        let sent = SentForm::read(body).await?;
        let token = self.access.access_token(&actor, context.now).await?;
        let (who, api) = ((&*actor, token.as_ref()), self.public_url.api());
        match sent.submit(&self.access, who, (&api, context.now)).await? {
            Ok(page) => Ok(page),
            Err(fault) => {
                let form = TokenForm::failed(sent, &fault, context.now);
                let page = self.home_page(&actor, token.as_ref(), &form, context)?;
                Ok(fault.answer(page))
            }
        }
    }

    /// Who is signed in; nobody, too, where the session does not hold.
    async fn signed_in(
        &self,
        headers: &HeaderMap,
        context: &RequestContext,
    ) -> Result<Option<Box<Actor>>> {
        match self.visitor(headers, context).await {
            Ok(Visitor::Somebody(actor)) => Ok(Some(actor)),
            Ok(Visitor::Nobody) | Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `POST /logout`: ends the session, and takes it from the browser also where it could not
    /// be ended. A request of another site changes nothing, and neither does one with two
    /// session cookies: without the genuine one, the planted one would count.
    pub async fn logout(&self, request: &Parts, context: &RequestContext) -> Response {
        let own = self.own_origins.check(&request.method, &request.headers);
        let cookie = own
            .and_then(|()| Ok(self.access.cookies.get(CookieName::Session, &request.headers)?));
        if let Err(error) = cookie {
            return pages::problem(&error);
        }
        let mut response = match self.end_session(request, context).await {
            Ok(()) => Redirect::to("/?logged-out").into_response(),
            Err(error @ (Error::Unavailable(_) | Error::Conflict)) => {
                pages::problem(&Error::logout_incomplete(error))
            }
            Err(error) => pages::problem(&error),
        };
        response.headers_mut().append(SET_COOKIE, self.access.cookies.delete(CookieName::Session));
        let (name, value) = CLEAR_SITE_DATA;
        response.headers_mut().insert(name, value);
        response
    }

    async fn end_session(&self, request: &Parts, context: &RequestContext) -> Result<()> {
        match self.visitor(&request.headers, context).await {
            Ok(Visitor::Somebody(actor)) => match actor.credential {
                Credential::Session(session) => {
                    self.access.end_session(&session, context.now).await
                }
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
    async fn visitor(&self, headers: &HeaderMap, context: &RequestContext) -> Result<Visitor> {
        let raw_credential = self
            .access
            .cookies
            .get(CookieName::Session, headers)?
            .map_or(RawCredential::Nothing, RawCredential::Cookie);
        let claims = self.access.verify(&raw_credential, context.now)?;
        self.access.authenticate(&claims, context.now).await
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
pub fn ide(context: &RequestContext) -> Response {
    let page = ide::page(context.now.as_second());
    let page = page.map_err(Error::internal);
    let policy = [(CONTENT_SECURITY_POLICY, ide::CSP)];
    respond(page.map(|html| (policy, axum::response::Html(html)).into_response()))
}

/// `GET /static/{name}`.
#[must_use]
pub fn asset(name: &str, headers: &HeaderMap) -> Response {
    assets::response(name, headers).unwrap_or_else(not_found)
}

/// The page that tells of an error.
#[must_use]
pub fn problem(error: &Error) -> Response {
    pages::problem(error)
}

/// There is no page here.
#[must_use]
pub fn not_found() -> Response {
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
fn logout_banner(uri: &Uri) -> Option<Banner> {
    (uri.query() == Some("logged-out")).then(Banner::of_logout)
}

/// Whether the address has a parameter.
fn has_parameter(uri: &Uri, wanted: &str) -> bool {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .any(|(name, _)| name == wanted)
}

/// Sends somebody who is not signed in to log in first.
fn to_login() -> Response {
    Redirect::to("/?next=%2Fhome").into_response()
}

fn respond(page: Result<Response>) -> Response {
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
