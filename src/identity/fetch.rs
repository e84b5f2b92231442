//! How other servers are asked: within a time, for a bounded answer, without redirects.

use std::{pin::Pin, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use http::{Request, Response, header::ACCEPT};
use http_body_util::{BodyExt, Limited};
use oauth2::AsyncHttpClient;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// How long one answer may take. A login needs up to four of them, in ten seconds.
const LONGEST_ANSWER: Duration = Duration::from_secs(3);
/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Asks other servers.
pub(super) struct Fetch(pub(super) SharedHttpConnector);

/// A server does not answer, or says that it cannot.
#[derive(Debug, thiserror::Error)]
#[error("{host} does not answer")]
pub(super) struct Unavailable {
    host: String,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = Unavailable;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Unavailable>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Fetch {
    /// Sends a request, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] where none comes in time, or it is too large, or says that the server
    /// cannot answer: a status of 429 or from 500.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Unavailable> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answered = tokio::time::timeout(LONGEST_ANSWER, self.answered(request)).await;
        let cause = match answered {
            Ok(Ok(response)) if response.status() == 429 || response.status().is_server_error() => {
                format!("it answers with the status {}", response.status()).into()
            }
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(fault)) => fault,
            Err(too_late) => too_late.into(),
        };
        Err(Unavailable { host, cause })
    }

    async fn answered(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
        let response = self.0.call(HttpRequest::try_from(request.map(SdkBody::from))?).await?;
        let (parts, body) = response.try_into_http1x()?.into_parts();
        let bytes = Limited::new(body, LARGEST_ANSWER).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, bytes.to_vec()))
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    ///
    /// `ProviderDown` where there is none of this form.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T> {
        let mut request = Request::get(url).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Vec::new()).map_err(Error::provider_down)?;
        let response = self.send(request).await.map_err(Error::provider_down)?;
        if response.status() != 200 {
            return Err(Error::provider_down(format!(
                "{url} answers with the status {}",
                response.status()
            )));
        }
        serde_json::from_slice(response.body()).map_err(Error::provider_down)
    }
}
