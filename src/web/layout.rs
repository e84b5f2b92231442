//! The data of the layout of pages that require a login: `app.html` and `panel.html`.

use jiff::{Timestamp, tz::TimeZone};

use crate::{access::actor::Actor, domain::own_path::OwnPath};

/// The data that the layout shows.
pub(super) struct Layout {
    pub(super) email: String,
    /// The name of the user's role.
    pub(super) role: &'static str,
    /// The first letter of the user's name, shown as their picture.
    pub(super) initial: String,
    pub(super) session_end: Timestamp,
    /// The time until the session ends, in seconds.
    pub(super) session_seconds: i64,
    /// The address of the API.
    pub(super) api: String,
    /// The path of the page.
    pub(super) path: OwnPath,
}

impl Layout {
    pub(super) fn new(actor: &Actor, api: String, path: OwnPath, now: Timestamp) -> Self {
        let user = &actor.stakeholder;
        let session_end = actor.credential.expires_at();
        let initial = user.name.chars().next();
        Self {
            email: user.email.as_str().to_owned(),
            role: user.role.name(),
            initial: initial.map(|it| it.to_uppercase().collect()).unwrap_or_default(),
            session_end,
            session_seconds: session_end.duration_since(now).as_secs(),
            api,
            path,
        }
    }

    /// Whether the page has this path. The left panel highlights its item.
    pub(super) fn is_current(&self, path: &str) -> bool {
        self.path.as_str().split('?').next() == Some(path)
    }
}

/// Formats a time in UTC.
pub(super) fn format_time(time: &Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::UTC).strftime("%-d %B %Y at %H:%M UTC").to_string()
}
