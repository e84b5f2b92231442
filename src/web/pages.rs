//! The pages as HTML: one template each, escaped by askama.

use std::borrow::Cow;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    access::actor::Actor,
    domain::{access_token::AccessToken, refusal::Refusal},
    error::{Error, Result},
    http::answer,
    telemetry,
    web::{assets, token_form::TokenForm},
};

/// A way to log in, as a button of the login page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// What the button says.
    pub label: String,
    /// Where it leads.
    pub path: String,
    /// Whose look it has: `google`, `microsoft`, `bitbucket`, `oidc` or `development`.
    pub brand: &'static str,
}

/// The login page.
#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct Login<'a> {
    pub(super) sign_ins: &'a [SignIn],
    pub(super) next: &'a str,
    pub(super) notice: Option<Banner>,
}

/// Why somebody finds themselves at the login page.
pub(super) struct Banner {
    title: &'static str,
    text: &'static str,
}

/// The application.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home<'a> {
    pub(super) actor: &'a Actor,
    /// The live API token, if there is one.
    pub(super) token: Option<&'a AccessToken>,
    pub(super) form: &'a TokenForm,
    pub(super) api: &'a str,
    pub(super) now: Timestamp,
}

/// A page that says what went wrong, and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    status: u16,
    advice: &'a ErrorPage,
    request_id: &'a str,
}

/// What a page says of an error to a person.
struct ErrorPage {
    title: Cow<'static, str>,
    text: String,
    next_link: NextLink,
}

/// Where one goes on from an error, as a link.
struct NextLink {
    label: &'static str,
    path: &'static str,
}

impl Banner {
    /// What somebody should know whose session does not hold. A cookie that is none of
    /// ours says nothing about anybody.
    pub(super) fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::SessionExpired { .. }
            | Refusal::SessionEnded
            | Refusal::SessionReplaced { .. } => Some(Self::of_expiry()),
            Refusal::UserDisabled => Some(Self {
                title: "Your account is disabled",
                text: "Ask your administrator to enable it.",
            }),
            Refusal::Malformed(_)
            | Refusal::Invalid
            | Refusal::UnknownSession
            | Refusal::NotYetValid { .. }
            | Refusal::TokenExpired { .. }
            | Refusal::TokenRevoked { .. }
            | Refusal::TokenReplaced { .. } => None,
        }
    }

    /// What somebody should know whose session is over.
    pub(super) fn of_expiry() -> Self {
        Self { title: "Your session has ended", text: "Log in again to go on where you were." }
    }

    /// What somebody should know who has just logged out.
    pub(super) fn of_logout() -> Self {
        Self { title: "You are logged out", text: "This browser keeps nothing of your session." }
    }
}

impl Home<'_> {
    /// The first letter of the name, as a picture of whom there is none.
    fn initial(&self) -> String {
        self.actor
            .stakeholder
            .name
            .chars()
            .next()
            .map(|it| it.to_uppercase().collect())
            .unwrap_or_default()
    }

    /// How many seconds the session still lasts.
    fn seconds_left(&self) -> i64 {
        self.actor.credential.ends_at().duration_since(self.now).as_secs()
    }

    /// When the session ends, in words.
    fn ends_in_words(&self) -> String {
        in_words(self.actor.credential.ends_at())
    }

    /// The id of the live token, which the form sends back.
    fn token_id(&self) -> &str {
        self.token.map_or("", |it| it.id.as_str())
    }

    /// When the live token expires, in words.
    fn token_in_words(&self) -> String {
        self.token.map(|it| in_words(it.expires_at)).unwrap_or_default()
    }

    /// When the live token expires, for programs.
    fn token_datetime(&self) -> String {
        self.token.map(|it| it.expires_at.to_string()).unwrap_or_default()
    }
}

/// An instant in words, in UTC.
fn in_words(instant: Timestamp) -> String {
    instant.to_zoned_datetime(TimeZone::UTC).strftime("%-d %B %Y at %H:%M UTC").to_string()
}

impl ErrorPage {
    /// What a person is told. Of a login the error says it itself; else the status decides: a
    /// page has fewer stories than the API has codes, and an API's hint helps nobody at the
    /// handler.
    fn on(error: &Error) -> Self {
        let hint = error.hint();
        if matches!(
            error,
            Error::Login(_)
                | Error::InvalidIdToken(_)
                | Error::ProviderDown(_)
                | Error::LogoutIncomplete(_)
        ) {
            let (title, text) = (error.to_string().into(), hint.unwrap_or_default());
            return Self { title, text, next_link: NextLink { label: "Log in again", path: "/" } };
        }
        let told = |text: &str| hint.clone().unwrap_or_else(|| text.to_owned());
        match error.status() {
            StatusCode::NOT_FOUND => Self {
                title: "Page not found".into(),
                text: "There is nothing at this address. It may be misspelt, or the page has moved.".to_owned(),
                next_link: NextLink::HOME,
            },
            StatusCode::UNAUTHORIZED => Self {
                title: "Login required".into(),
                text: told("Only those who are logged in find something here."),
                next_link: NextLink { label: "Log in", path: "/" },
            },
            StatusCode::FORBIDDEN => Self {
                title: "Access denied".into(),
                text: told("You may not do this. Ask whoever invited you, if you should."),
                next_link: NextLink::HOME,
            },
            StatusCode::TOO_MANY_REQUESTS => Self {
                title: "Too many requests".into(),
                text: told("Wait a minute, then try again."),
                next_link: NextLink::AGAIN,
            },
            StatusCode::SERVICE_UNAVAILABLE => Self {
                title: "We are not available for a moment".into(),
                text: "Something that this page needs does not answer. Nothing is lost: wait a few seconds and try again."
                    .to_owned(),
                next_link: NextLink::AGAIN,
            },
            StatusCode::INTERNAL_SERVER_ERROR => Self {
                title: "Something went wrong on our side".into(),
                text: "We have noted it. Try again; if it happens again, send us the number of the request."
                    .to_owned(),
                next_link: NextLink::AGAIN,
            },
            _ => Self {
                title: "This did not work".into(),
                text: [Some(format!("{error}.")), hint].into_iter().flatten().collect::<Vec<_>>().join(" "),
                next_link: NextLink { label: "Start again", path: "/" },
            },
        }
    }
}

impl NextLink {
    const AGAIN: Self = Self { label: "Try again", path: "/" };
    const HOME: Self = Self { label: "Go to Home", path: "/home" };
}

/// Renders a page.
///
/// # Errors
///
/// `Internal` when the template fails.
pub(super) fn html(page: &impl Template) -> Result<Response> {
    Ok(Html(page.render().map_err(Error::internal)?).into_response())
}

/// The page that tells of an error, with its status. The error is beside it, for whoever
/// works with JSON.
pub(super) fn problem(error: &Error) -> Response {
    let (status, request_id) = (error.status(), telemetry::request_id());
    let page =
        Problem { status: status.as_u16(), advice: &ErrorPage::on(error), request_id: &request_id };
    let response =
        html(&page).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    refused(response, error)
}

/// A page that tells of an error: with its status and headers, and noted for the log.
pub(super) fn refused(mut page: Response, error: &Error) -> Response {
    error.log();
    answer::note(error);
    *page.status_mut() = error.status();
    answer::set_headers(&mut page, error);
    page.extensions_mut().insert(error.clone());
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RequestFault;
    use rstest::rstest;

    #[rstest]
    #[case::of_a_page(RequestFault::UnknownPath.into(), "Page not found", "Go to Home")]
    #[case::of_a_form(RequestFault::Malformed("No e-mail".to_owned()).into(), "This did not work", "Start again")]
    #[case::of_another_site(Error::CrossSite, "Access denied", "Go to Home")]
    #[case::of_a_service(Error::unavailable("x"), "We are not available for a moment", "Try again")]
    #[case::of_ours(Error::internal("x"), "Something went wrong on our side", "Try again")]
    fn every_error_says_what_happened_and_has_a_way_on(
        #[case] error: Error,
        #[case] title: &str,
        #[case] next_link: &str,
    ) {
        let advice = ErrorPage::on(&error);

        assert_eq!((advice.title.as_ref(), advice.next_link.label), (title, next_link));
        assert!(!advice.text.is_empty());
    }

    #[test]
    fn a_button_leads_to_its_provider_and_then_back() {
        let sign_in = |brand, label: &str| SignIn {
            label: label.to_owned(),
            path: format!("/login/{brand}"),
            brand,
        };
        let sign_ins =
            [sign_in("google", "Continue with Google"), sign_in("oidc", "Continue with <Acme>")];

        let html =
            Login { sign_ins: &sign_ins, next: "/api?a=1&b", notice: None }.render().unwrap();

        assert!(html.contains("href=\"/login/google?next=/api%3Fa%3D1%26b\""), "{html}");
        assert!(html.contains("Continue with Google</a>") && !html.contains("<Acme>"));
    }

    #[test]
    fn without_a_way_to_log_in_the_page_says_so() {
        let html = Login { sign_ins: &[], next: "/home", notice: None }.render().unwrap();

        assert!(html.contains("No way to log in is configured"), "{html}");
    }
}
