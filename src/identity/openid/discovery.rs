//! A provider's metadata and public keys (OpenID Connect Discovery 1.0), cached for an hour.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use oauth2::{AuthUrl, TokenUrl};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    domain::issuer::ANY_TENANT,
    error::{Error, Result},
    identity::{http_client::HttpClient, oauth::Endpoints, openid::keys::KeySet},
};

/// How long metadata and keys are cached.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);
/// The minimum age of cached keys before an unknown key causes a new request. Without it, each
/// forged token would cause one.
pub(super) const MIN_AGE: SignedDuration = SignedDuration::from_mins(1);

/// The metadata of one provider, which is fetched on first use.
#[derive(Debug)]
pub(in crate::identity) struct Discovery {
    /// The base URL of the metadata, without a trailing slash.
    pub(in crate::identity) base_url: String,
    /// Whether the provider has many tenants, each of which is an issuer.
    is_multi_tenant: bool,
    cached: Mutex<Option<Arc<Metadata>>>,
}

/// A provider's metadata and keys.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) document: Document,
    pub(super) keys: KeySet,
    fetched_at: Timestamp,
}

/// The metadata document (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    /// Contains [`ANY_TENANT`] if the provider has many tenants.
    pub(super) issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    pub(super) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Discovery {
    pub(super) fn new(base_url: String, is_multi_tenant: bool) -> Self {
        Self { base_url, is_multi_tenant, cached: Mutex::new(None) }
    }

    /// Returns the issuer. If the provider has many tenants, [`ANY_TENANT`] takes the place of the
    /// tenant.
    pub(super) fn issuer(&self) -> String {
        match self.base_url.rsplit('/').nth(1) {
            Some(tenants) if self.is_multi_tenant => self.base_url.replacen(tenants, ANY_TENANT, 1),
            _ => self.base_url.clone(),
        }
    }

    /// Returns the metadata from the cache if it is younger than `max_age`. Otherwise fetches it.
    ///
    /// # Errors
    ///
    /// `ProviderDown` when the provider does not respond, or responds with the metadata of another
    /// issuer.
    pub(super) async fn metadata(
        &self,
        http: &HttpClient,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Result<Arc<Metadata>> {
        let mut cached = self.cached.lock().await;
        let is_fresh = |it: &&Arc<Metadata>| now.duration_since(it.fetched_at).abs() < max_age;
        if let Some(metadata) = cached.as_ref().filter(is_fresh) {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(self.fetch_metadata(http, now).await?);
        *cached = Some(Arc::clone(&metadata));
        Ok(metadata)
    }

    async fn fetch_metadata(&self, http: &HttpClient, now: Timestamp) -> Result<Metadata> {
        let url = format!("{}/.well-known/openid-configuration", self.base_url);
        let document: Document = http.get_json(&url, None).await?;
        if !self.is_issuer_of(&document) {
            let fault = format!("{url} has the metadata of the issuer {}", document.issuer);
            return Err(Error::provider_down(fault));
        }
        let keys = http.get_json(&document.jwks_uri, None).await?;
        Ok(Metadata { document, keys, fetched_at: now })
    }

    /// Whether a document describes this provider (OpenID Connect Discovery 1.0, section 4.3).
    fn is_issuer_of(&self, document: &Document) -> bool {
        document.issuer.trim_end_matches('/') == self.base_url
            || (self.is_multi_tenant && document.issuer.contains(ANY_TENANT))
    }
}

impl Metadata {
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            issuer: Some(self.document.issuer.clone()),
            sends_issuer: self.document.authorization_response_iss_parameter_supported,
            authorization: self.document.authorization_endpoint.clone(),
            token: self.document.token_endpoint.clone(),
        }
    }
}
