//! HTML forms: `application/x-www-form-urlencoded`, in the body or in the query string.

use axum::body::Body;
use http::Uri;
use http_body_util::{BodyExt, Limited};
use url::form_urlencoded;

use crate::error::{RequestFault, Result};

/// The maximum length of a form, in bytes.
const MAX_FORM: usize = 4096;

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads and parses the body of a request.
    ///
    /// # Errors
    ///
    /// `TooLarge` if the body has more than 4,096 bytes.
    pub async fn read(body: Body) -> Result<Self> {
        let too_large = RequestFault::TooLarge { limit: MAX_FORM, part: "a form" };
        let bytes = Limited::new(body, MAX_FORM).collect().await.map_err(|_| too_large)?.to_bytes();
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// Parses the query string of an address.
    #[must_use]
    pub fn in_query(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Returns the first value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
