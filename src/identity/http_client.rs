//! HTTP requests to identity providers, with a time limit and a size limit, and without redirects.

use std::{pin::Pin, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use http::{
    Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use http_body_util::{BodyExt, Limited};
use oauth2::AsyncHttpClient;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The time limit of one request. A login makes up to four requests within its ten seconds.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum size of a response body, in bytes.
const MAX_BODY: usize = 256 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An HTTP client for requests to identity providers.
pub(super) struct HttpClient(pub(super) SharedHttpConnector);

/// A server does not respond, or responds that it is unavailable.
#[derive(Debug, thiserror::Error)]
#[error("{host} does not respond")]
pub(super) struct Unavailable {
    host: String,
    #[source]
    cause: BoxError,
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = Unavailable;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Unavailable>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl HttpClient {
    /// Sends a request and reads the response.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the response is late, too large, or has the status 429 or 5xx.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Unavailable> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let result =
            tokio::time::timeout(RESPONSE_TIMEOUT, self.send_without_timeout(request)).await;
        let cause = match result {
            Ok(Ok(response)) if is_unavailable(response.status()) => {
                format!("it responds with the status {}", response.status()).into()
            }
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(fault)) => fault,
            Err(timeout) => timeout.into(),
        };
        Err(Unavailable { host, cause })
    }

    /// Sends a request without a time limit.
    async fn send_without_timeout(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, BoxError> {
        let response = self.0.call(HttpRequest::try_from(request.map(SdkBody::from))?).await?;
        let (parts, body) = response.try_into_http1x()?.into_parts();
        let bytes = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, bytes.to_vec()))
    }

    /// Fetches a JSON document. If there is a `bearer` token, sends it.
    ///
    /// # Errors
    ///
    /// `ProviderDown` when the server does not respond with such a document.
    pub(super) async fn get_json<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T> {
        let mut request = Request::get(url).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Vec::new()).map_err(Error::provider_down)?;
        let response = self.send(request).await.map_err(Error::provider_down)?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            return Err(Error::provider_down(format!("{url} responds with the status {status}")));
        }
        serde_json::from_slice(response.body()).map_err(Error::provider_down)
    }
}

fn is_unavailable(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
