//! The form that makes an API token where a browser runs no scripts.
//!
//! It names the token that the page showed. If that is not the live one any more, no token
//! is made: so neither a second click nor a reload of the answer replaces the token that
//! somebody has just stored.

use askama::Template;
use axum::{body::Body, response::Response};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    access::{Access, access_tokens::Replaces, actor::Actor},
    domain::{
        access_token::{AccessToken, ExpirationPolicy, InvalidExpiration},
        policy::UserAction,
    },
    error::{Error, Result},
    http::form::Form,
    web::{assets, pages},
};

/// How long a token lasts if the date is left as it is, in hours.
const USUAL_HOURS: i64 = 90 * 24;

/// What the page says where the form would replace another token than the page showed.
const SENT_BEFORE: &str = "No token was made: this form was sent before, or your token has changed since \
                           the page was opened.";

/// The form on the page.
pub(super) struct TokenForm {
    /// The date in the field, as `2027-04-15`, or whatever was typed.
    pub(super) date: String,
    /// The first date that is allowed.
    pub(super) min: String,
    /// The last date that is allowed.
    pub(super) max: String,
    /// What is wrong with what was sent.
    pub(super) error: Option<String>,
}

/// The page that shows a new token, this once.
#[derive(Template)]
#[template(path = "token-created.html")]
struct Created<'a> {
    token: &'a str,
    api: &'a str,
}

/// Why no token was made, where the visitor can do something about it.
pub(super) enum Fault {
    /// What the form sent is wrong, in words.
    Sent(&'static str),
    /// The token was refused, as the API refuses it.
    Refused(Error),
}

/// What the form sends.
pub(super) struct SentForm {
    date: String,
    replaces: String,
}

impl TokenForm {
    /// The form as it is at first.
    pub(super) fn at(now: Timestamp) -> Self {
        let policy = ExpirationPolicy::at(now);
        let usual = now.checked_add(SignedDuration::from_hours(USUAL_HOURS)).unwrap_or(policy.max);
        Self {
            date: date_of(usual).to_string(),
            min: date_of(policy.min).to_string(),
            max: date_of(policy.max).to_string(),
            error: None,
        }
    }

    /// The form as it was sent, with what was wrong.
    pub(super) fn failed(sent: SentForm, fault: &Fault, now: Timestamp) -> Self {
        Self { date: sent.date, error: Some(fault.in_words()), ..Self::at(now) }
    }
}

impl SentForm {
    /// Reads the form from the body of a request.
    ///
    /// # Errors
    ///
    /// As [`Form::read`].
    pub(super) async fn read(body: Body) -> Result<Self> {
        let form = Form::read(body).await?;
        let field = |name| form.get(name).unwrap_or_default().trim().to_owned();
        Ok(Self { date: field("date"), replaces: field("replaces") })
    }

    /// When the token is to end: at the end of the date in UTC, and on the last date that is
    /// allowed, as late as is allowed. Everything else is judged by the server's one rule.
    ///
    /// # Errors
    ///
    /// What to write beside the field.
    fn expiration_time(&self, now: Timestamp) -> Result<i64, Fault> {
        if self.date.is_empty() {
            return Err(Fault::Sent("Required field"));
        }
        let date: Date = self.date.parse().map_err(|_| Fault::Sent("Invalid date"))?;
        let latest = ExpirationPolicy::at(now).max;
        if date == date_of(latest) {
            return Ok(latest.as_second());
        }
        let end = TimeZone::UTC.to_timestamp(date.at(23, 59, 59, 0));
        Ok(end.unwrap_or(Timestamp::MAX).as_second())
    }

    /// Makes the token, and the page that shows it.
    ///
    /// # Errors
    ///
    /// What to write beside the field, where the visitor can do something about it; else the
    /// error itself.
    pub(super) async fn submit(
        &self,
        access: &Access,
        (actor, current): (&Actor, Option<&AccessToken>),
        (api, now): (&str, Timestamp),
    ) -> Result<Result<Response, Fault>> {
        if current.map_or("", |it| it.id.as_str()) != self.replaces {
            return Ok(Err(Fault::Sent(SENT_BEFORE)));
        }
        actor.permit(UserAction::UpdateAccessToken)?;
        let expiration_time = match self.expiration_time(now) {
            Ok(time) => time,
            Err(fault) => return Ok(Err(fault)),
        };
        let replaces = Replaces::Only(current.map(|it| &it.id));
        match access.update_access_token(actor, replaces, expiration_time, now).await {
            Ok((token, _)) => pages::html(&Created { token: token.reveal(), api }).map(Ok),
            Err(Error::Conflict) => Ok(Err(Fault::Sent(SENT_BEFORE))),
            Err(error) if error.status().is_client_error() => Ok(Err(Fault::Refused(error))),
            Err(error) => Err(error),
        }
    }
}

impl Fault {
    /// What the page says beside the field.
    fn in_words(&self) -> String {
        match self {
            Self::Sent(words) => (*words).to_owned(),
            Self::Refused(Error::InvalidExpiration(InvalidExpiration { policy, received }))
                if *received > policy.max.as_second() =>
            {
                "The date must be below six months".to_owned()
            }
            Self::Refused(Error::InvalidExpiration(_)) => "Invalid date".to_owned(),
            Self::Refused(error) => format!("{error}. {}", error.hint().unwrap_or_default()),
        }
    }

    /// The page with the form as the answer: with the status and the headers of the error.
    pub(super) fn answer(&self, mut page: Response) -> Response {
        match self {
            Self::Sent(_) => {
                *page.status_mut() = StatusCode::BAD_REQUEST;
                page
            }
            Self::Refused(error) => pages::refused(page, error),
        }
    }
}

fn date_of(instant: Timestamp) -> Date {
    instant.to_zoned_datetime(TimeZone::UTC).date()
}
