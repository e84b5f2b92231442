//! The body of a request, read up to a limit.

use axum::body::Body;
use bytes::BytesMut;
use http_body_util::BodyExt;

use crate::error::RequestFault;

/// A body that is read in steps: further only when the caller may send more.
pub struct BodyReader {
    body: Body,
    bytes: BytesMut,
}

impl BodyReader {
    /// A body of which nothing is read yet.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, bytes: BytesMut::new() }
    }

    /// Reads the whole body if it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`RequestFault::TooLarge`] when it has more; it can be read on with a higher limit.
    /// [`RequestFault::Malformed`] when the connection breaks.
    pub async fn read(&mut self, limit: usize) -> Result<&[u8], RequestFault> {
        while self.bytes.len() <= limit {
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.bytes.extend_from_slice(frame.data_ref().map_or(&[], |it| it));
                }
                Some(Err(fault)) => {
                    return Err(RequestFault::Malformed(format!("The body broke off: {fault}")));
                }
                None => return Ok(&self.bytes),
            }
        }
        Err(RequestFault::TooLarge { limit, part: "a body" })
    }
}
