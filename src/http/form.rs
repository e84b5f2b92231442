//! Forms as browsers send them: `application/x-www-form-urlencoded`.

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use url::form_urlencoded;

use crate::error::{RequestFault, Result};

/// The longest form that is read, in bytes.
const LONGEST: usize = 4096;

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request as a form.
    ///
    /// # Errors
    ///
    /// `TooLarge` beyond 4,096 bytes.
    pub async fn read(body: Body) -> Result<Self> {
        let too_large = RequestFault::TooLarge { limit: LONGEST, part: "a form" };
        let bytes = Limited::new(body, LONGEST).collect().await.map_err(|_| too_large)?.to_bytes();
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// The value of a field; the first one where there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
