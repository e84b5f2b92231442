//! The body of a request, read up to a limit.

use axum::body::Body;
use bytes::BytesMut;
use http_body_util::BodyExt;

use crate::error::RequestFault;

/// Reads a body up to a limit. Reading can continue with a higher limit.
pub struct BodyReader {
    body: Body,
    bytes: BytesMut,
}

impl BodyReader {
    /// Creates a reader that has read nothing yet.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, bytes: BytesMut::new() }
    }

    /// Reads the body to its end, if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`RequestFault::TooLarge`] if the body has more, after which it can be read with a higher
    /// limit; [`RequestFault::Malformed`] if the connection breaks.
    pub async fn read(&mut self, limit: usize) -> Result<&[u8], RequestFault> {
        while self.bytes.len() <= limit {
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.bytes.extend_from_slice(frame.data_ref().map_or(&[], |it| it));
                }
                Some(Err(fault)) => {
                    return Err(RequestFault::Malformed(format!("The body ended early: {fault}")));
                }
                None => return Ok(&self.bytes),
            }
        }
        Err(RequestFault::TooLarge { limit, part: "a body" })
    }
}
