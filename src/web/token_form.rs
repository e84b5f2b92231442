//! The form that creates an API token in browsers without JavaScript.
//!
//! The form contains the id of the token that the page showed. If a different token has become
//! active since, no token is created. So a double click or a reload does not replace a token that
//! the user has just copied.

use askama::Template;
use axum::{body::Body, response::Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use crate::{
    access::access_tokens::ExpectedToken,
    domain::{
        access_token::{AccessToken, ExpirationPolicy},
        expiration::INVALID_EXPIRATION_TIME,
        policy::on_platform,
    },
    error::{Error, Result},
    http::form::Form,
    web::{assets, error_page, logged_in::LoggedIn},
};

/// The time from now to the preset date, in hours.
const PRESET_HOURS: i64 = 90 * 24;

/// The message if the form was submitted twice, or the token changed after the page was opened.
const TOKEN_CHANGED: &str = "No token was created: this form was already submitted, or your token \
                             has changed since the page was opened.";

/// The message for a date that is too late. The wording is that of the product that this one stays
/// compatible with.
const TOO_LATE: &str = "The date must be below six months";

/// The form that the page shows.
pub(super) struct TokenForm {
    /// The date in the field, such as `2027-04-15`, or what the user typed.
    pub(super) date: String,
    /// The earliest date that is allowed.
    pub(super) min: String,
    /// The latest date that is allowed.
    pub(super) max: String,
    /// The error message next to the field.
    pub(super) error: Option<String>,
}

/// The page that shows a new token.
#[derive(Template)]
#[template(path = "token-created.html")]
struct CreatedPage<'a> {
    token: &'a str,
    api: &'a str,
}

/// Why no token was created. The user can correct the form.
pub(super) enum Fault {
    /// The form is not valid. Contains the message.
    Form(&'static str),
    /// The API refused to create the token.
    Refused(Error),
}

/// The form that the user submitted.
pub(super) struct SubmittedForm {
    date: String,
    replaces: String,
}

impl TokenForm {
    /// Creates the form with the preset date.
    pub(super) fn new(now: Timestamp) -> Self {
        let policy = ExpirationPolicy::at(now);
        let preset =
            now.checked_add(SignedDuration::from_hours(PRESET_HOURS)).unwrap_or(policy.max);
        Self {
            date: date_of(preset).to_string(),
            min: date_of(policy.min).to_string(),
            max: date_of(policy.max).to_string(),
            error: None,
        }
    }

    /// Creates the form with the submitted date and a message.
    pub(super) fn with_fault(submitted: SubmittedForm, fault: &Fault, now: Timestamp) -> Self {
        Self { date: submitted.date, error: Some(fault.message()), ..Self::new(now) }
    }
}

impl SubmittedForm {
    pub(super) async fn read(body: Body) -> Result<Self> {
        let form = Form::read(body).await?;
        let field = |name| form.get(name).unwrap_or_default().trim().to_owned();
        Ok(Self { date: field("date"), replaces: field("replaces") })
    }

    /// Creates the token, and returns the page that shows it.
    pub(super) async fn create_token(
        &self,
        logged_in: &LoggedIn,
        current: Option<&AccessToken>,
    ) -> Result<Result<Response, Fault>> {
        let LoggedIn { site, actor, context, .. } = logged_in;
        if current.map_or("", |it| it.id.as_str()) != self.replaces {
            return Ok(Err(Fault::Form(TOKEN_CHANGED)));
        }
        actor.permit(on_platform::UpdateAccessToken)?;
        let time = match self.expiration_time(context.now) {
            Ok(time) => time,
            Err(fault) => return Ok(Err(fault)),
        };
        let expected = ExpectedToken::Exactly(current.map(|it| &it.id));
        match site.access.update_access_token(actor, expected, time, context).await {
            Ok((token, _)) => {
                let api = &site.public_url.api();
                super::render(&CreatedPage { token: token.reveal(), api }).map(Ok)
            }
            Err(Error::Conflict) => Ok(Err(Fault::Form(TOKEN_CHANGED))),
            Err(error) if error.status().is_client_error() => Ok(Err(Fault::Refused(error))),
            Err(error) => Err(error),
        }
    }

    /// Returns the expiration time, in Unix seconds. It is the end of the date in UTC, or the
    /// latest allowed time if the date is the latest allowed date. The API checks the limits.
    fn expiration_time(&self, now: Timestamp) -> Result<i64, Fault> {
        if self.date.is_empty() {
            return Err(Fault::Form("Required field"));
        }
        let date: Date = self.date.parse().map_err(|_| Fault::Form("Invalid date"))?;
        let latest = ExpirationPolicy::at(now).max;
        if date == date_of(latest) {
            return Ok(latest.as_second());
        }
        let end = TimeZone::UTC.to_timestamp(date.at(23, 59, 59, 0));
        Ok(end.unwrap_or(Timestamp::MAX).as_second())
    }
}

impl Fault {
    /// Returns the error message next to the field.
    fn message(&self) -> String {
        match self {
            Self::Form(message) => (*message).to_owned(),
            Self::Refused(Error::Rule(broken)) if *broken.rule == INVALID_EXPIRATION_TIME => {
                let number = |name| broken.members.get(name).and_then(Value::as_i64);
                let is_late = number("received") > number("max");
                let text = if is_late { TOO_LATE } else { "Invalid date" };
                text.to_owned()
            }
            Self::Refused(error) => {
                format!("{error}. {}", error.describe().hint.unwrap_or_default())
            }
        }
    }

    /// Sets the status and the headers of the page with the form to those of the fault.
    pub(super) fn respond(&self, mut page: Response) -> Response {
        match self {
            Self::Form(_) => {
                *page.status_mut() = StatusCode::BAD_REQUEST;
                page
            }
            Self::Refused(error) => error_page::with_error(page, error),
        }
    }
}

fn date_of(instant: Timestamp) -> Date {
    instant.to_zoned_datetime(TimeZone::UTC).date()
}
