//! Fakes of the servers that the product calls, such as identity providers. Tests set their
//! responses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Fake servers, with their responses and the received requests. A URL without a response is
/// unreachable.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeWeb(Arc<Mutex<Traffic>>);

#[derive(Debug, Default)]
struct Traffic {
    responses: BTreeMap<String, (u16, String)>,
    requests: Vec<(String, String)>,
}

impl FakeWeb {
    /// Sets the response of a URL.
    pub(crate) fn set_response(&self, url: &str, status: u16, body: &Value) {
        let response = (status, body.to_string());
        self.0.lock().unwrap().responses.insert(url.to_owned(), response);
    }

    /// Makes a host unreachable.
    pub(crate) fn make_unreachable(&self, host: &str) {
        self.0.lock().unwrap().responses.retain(|url, _| !url.starts_with(host));
    }

    /// Returns the URLs and bodies of the requests since the last time.
    pub(crate) fn take_requests(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }
}

impl HttpConnector for FakeWeb {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut traffic = self.0.lock().unwrap();
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        traffic.requests.push((request.uri().to_owned(), body.into_owned()));
        let Some((status, body)) = traffic.responses.get(request.uri()).cloned() else {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("unreachable".into())));
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("content-type", "application/json");
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// A signing key of an identity provider.
pub(crate) struct ProviderKey(Ed25519KeyPair);

impl ProviderKey {
    pub(crate) fn from_seed(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    /// Returns the key set that the provider publishes.
    pub(crate) fn key_set(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": x, "x": x,
        }] })
    }

    /// Returns an ID token with these claims.
    pub(crate) fn id_token(&self, claims: &Value) -> String {
        let kid = URL_SAFE_NO_PAD.encode(self.0.public_key());
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid });
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes())))
    }
}
