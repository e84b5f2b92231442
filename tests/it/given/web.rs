//! Other servers that the product calls, such as identity providers. The test sets their responses.

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

/// Other servers, with their responses and the requests that they got. A URL without a response
/// cannot be reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Web(Arc<Mutex<Sites>>);

#[derive(Debug, Default)]
struct Sites {
    answers: BTreeMap<String, (u16, String)>,
    asked: Vec<(String, String)>,
}

impl Web {
    /// Sets the response of a URL.
    pub(crate) fn answers(&self, url: &str, status: u16, body: &Value) {
        let answer = (status, body.to_string());
        self.0.lock().unwrap().answers.insert(url.to_owned(), answer);
    }

    /// Makes a host unreachable.
    pub(crate) fn is_down(&self, host: &str) {
        self.0.lock().unwrap().answers.retain(|url, _| !url.starts_with(host));
    }

    /// Takes the requests since the last time: URL and body.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl HttpConnector for Web {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut sites = self.0.lock().unwrap();
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        sites.asked.push((request.uri().to_owned(), body.into_owned()));
        let Some((status, body)) = sites.answers.get(request.uri()).cloned() else {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("out of reach".into())));
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("content-type", "application/json");
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The key of an identity provider.
pub(crate) struct ProviderKey(Ed25519KeyPair);

impl ProviderKey {
    pub(crate) fn of(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    /// Returns the key set that the provider publishes.
    pub(crate) fn published(&self) -> Value {
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
