//! What the layout of pages with a login shows, on every page: `app.html` and `panel.html`.

use jiff::{Timestamp, tz::TimeZone};

use crate::{access::actor::Actor, domain::own_path::OwnPath};

/// What the layout shows.
pub(super) struct Layout {
    pub(super) email: String,
    /// The name of the user's role.
    pub(super) role: &'static str,
    /// The first letter of the user's name, shown as their picture.
    pub(super) initial: String,
    pub(super) session_end: Timestamp,
    /// The seconds until the session ends.
    pub(super) session_seconds: i64,
    /// The address of the API.
    pub(super) api: String,
    /// The page.
    pub(super) path: OwnPath,
}

impl Layout {
    pub(super) fn new(actor: &Actor, api: String, path: OwnPath, now: Timestamp) -> Self {
        let (user, session_end) = (&actor.stakeholder, actor.credential.ends_at());
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

    /// Whether the page is the one that an item of the left panel leads to.
    pub(super) fn is_current(&self, path: &str) -> bool {
        self.path.as_str().split('?').next() == Some(path)
    }
}

/// Formats a time in UTC.
pub(super) fn format_time(time: &Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::UTC).strftime("%-d %B %Y at %H:%M UTC").to_string()
}
