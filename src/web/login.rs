//! The login page.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{Uri, header::SET_COOKIE, request::Parts};

use crate::{
    access::actor::Principal,
    domain::{own_path::OwnPath, refusal::Refusal},
    error::{Error, Result},
    http::{RequestContext, cookies::CookieName, form::Form, session_marker},
    web::{
        assets,
        error_page::PageError,
        site::{LoginMethod, Site},
    },
};

#[derive(Template)]
#[template(path = "login.html")]
struct Page<'a> {
    login_methods: &'a [LoginMethod],
    next: &'a str,
    banner: Option<Banner>,
}

/// Tells the visitor why they see the login page.
struct Banner {
    title: &'static str,
    text: &'static str,
}

impl Banner {
    const SESSION_ENDED: Self =
        Self { title: "Your session has ended", text: "Log in again to continue." };

    const LOGGED_OUT: Self = Self {
        title: "You are logged out",
        text: "Your session has been removed from this browser.",
    };

    const DISABLED: Self =
        Self { title: "Your account is disabled", text: "Ask your administrator to enable it." };

    /// Returns the banner for a session that is refused. There is none if the cookie does not
    /// belong to a known session, because anybody could have made it.
    fn for_refusal(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::SessionExpired { .. }
            | Refusal::SessionEnded
            | Refusal::SessionReplaced { .. } => Some(Self::SESSION_ENDED),
            Refusal::UserDisabled => Some(Self::DISABLED),
            Refusal::Malformed(_)
            | Refusal::Invalid
            | Refusal::UnknownSession
            | Refusal::NotYetValid { .. }
            | Refusal::TokenExpired { .. }
            | Refusal::TokenRevoked { .. }
            | Refusal::TokenReplaced { .. } => None,
        }
    }
}

/// `GET /`: shows the login page. Redirects logged-in users to `next`, unless the parameter `again`
/// is present. Shows once that the session has ended.
///
/// # Errors
///
/// As `Site::authenticate`, except `Refused`.
pub async fn show(
    State(site): State<Arc<Site>>,
    Extension(context): Extension<RequestContext>,
    request: Parts,
) -> Result<Response, PageError> {
    match site.authenticate(&request.headers, &context).await {
        Ok(Principal::Authenticated(_)) if !has_parameter(&request.uri, "again") => {
            Ok(Redirect::to(next(&request.uri).as_str()).into_response())
        }
        Ok(Principal::Authenticated(_)) => Ok(render(&site, &request, None)?),
        Ok(Principal::Anonymous) => {
            let had_session = session_marker::is_set(&request.headers);
            let is_logged_out = request.uri.query() == Some("logged-out");
            let banner = is_logged_out.then_some(Banner::LOGGED_OUT);
            let banner = banner.or_else(|| had_session.then_some(Banner::SESSION_ENDED));
            Ok(render(&site, &request, banner)?)
        }
        Err(Error::Refused(refusal)) => {
            let page = render(&site, &request, Banner::for_refusal(&refusal))?;
            Ok(([(SET_COOKIE, site.access.cookies.delete(CookieName::Session))], page)
                .into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn render(site: &Site, request: &Parts, banner: Option<Banner>) -> Result<Response> {
    let next = next(&request.uri);
    let page = Page { login_methods: &site.login_methods, next: next.as_str(), banner };
    let mut response = super::render(&page)?;
    if session_marker::is_set(&request.headers) {
        let marker = session_marker::clear(site.public_url.is_https());
        response.headers_mut().append(SET_COOKIE, marker);
    }
    Ok(response)
}

/// Returns the page that the visitor requested before the login: the parameter `next` if it is a
/// path of this site, and the home page otherwise.
#[must_use]
pub fn next(uri: &Uri) -> OwnPath {
    let query = Form::in_query(uri);
    query.get("next").and_then(|it| OwnPath::try_from(it.to_owned()).ok()).unwrap_or_default()
}

fn has_parameter(uri: &Uri, wanted: &str) -> bool {
    Form::in_query(uri).get(wanted).is_some()
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
    fn a_login_leads_only_to_pages_of_this_site(#[case] uri: &str, #[case] path: &str) {
        assert_eq!(next(&uri.parse().unwrap()).as_str(), path);
    }

    #[test]
    fn a_button_leads_to_its_provider_and_then_to_the_page() {
        let login_method = |brand, label: &str| LoginMethod {
            label: label.to_owned(),
            path: format!("/login/{brand}"),
            brand,
        };
        let login_methods = [
            login_method("google", "Continue with Google"),
            login_method("oidc", "Continue with <Acme>"),
        ];

        let html = Page { login_methods: &login_methods, next: "/api?a=1&b", banner: None }
            .render()
            .unwrap();

        assert!(html.contains("href=\"/login/google?next=/api%3Fa%3D1%26b\""), "{html}");
        assert!(html.contains("Continue with Google</a>"));
        assert!(!html.contains("<Acme>"));
    }

    #[test]
    fn the_page_says_that_no_login_method_is_configured() {
        let html = Page { login_methods: &[], next: "/home", banner: None }.render().unwrap();

        assert!(html.contains("No login method is configured"), "{html}");
    }
}
