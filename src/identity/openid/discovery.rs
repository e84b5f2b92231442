//! A provider's metadata and public keys (OpenID Connect Discovery 1.0), kept for an hour.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use oauth2::{AuthUrl, TokenUrl};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    domain::issuer::ANY_TENANT,
    error::{Error, Result},
    identity::{fetch::Fetch, oauth::Endpoints, openid::keys::KeySet},
};

/// How long metadata and keys are used before they are fetched again.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);
/// How old the keys must be before an unknown key makes us fetch them again. Otherwise forged
/// tokens could make us fetch them each time.
pub(super) const MIN_AGE: SignedDuration = SignedDuration::from_mins(1);

/// The discovery of one provider.
#[derive(Debug)]
pub(in crate::identity) struct Discovery {
    /// The base of the URL of the metadata, without a slash at its end.
    pub(in crate::identity) address: String,
    /// Whether the provider has many tenants, each of which is an issuer.
    has_tenants: bool,
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
    pub(super) fn new(address: String, has_tenants: bool) -> Self {
        Self { address, has_tenants, cached: Mutex::new(None) }
    }

    /// Returns the issuer, with [`ANY_TENANT`] instead of the tenant if there are many.
    pub(super) fn issuer(&self) -> String {
        match self.address.rsplit('/').nth(1) {
            Some(tenants) if self.has_tenants => self.address.replacen(tenants, ANY_TENANT, 1),
            _ => self.address.clone(),
        }
    }

    /// Returns the metadata. Fetches it if it is as old as `max_age`.
    ///
    /// # Errors
    ///
    /// `ProviderDown` when the provider does not answer, or answers with the metadata of another
    /// issuer.
    pub(super) async fn metadata(
        &self,
        fetch: &Fetch,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Result<Arc<Metadata>> {
        let mut cached = self.cached.lock().await;
        let is_fresh = |it: &&Arc<Metadata>| now.duration_since(it.fetched_at).abs() < max_age;
        if let Some(metadata) = cached.as_ref().filter(is_fresh) {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(self.fetch_metadata(fetch, now).await?);
        *cached = Some(Arc::clone(&metadata));
        Ok(metadata)
    }

    async fn fetch_metadata(&self, fetch: &Fetch, now: Timestamp) -> Result<Metadata> {
        let url = format!("{}/.well-known/openid-configuration", self.address);
        let document: Document = fetch.json(&url, None).await?;
        if !self.is_issuer_of(&document) {
            let fault = format!("{url} has the metadata of the issuer {}", document.issuer);
            return Err(Error::provider_down(fault));
        }
        let keys = fetch.json(&document.jwks_uri, None).await?;
        Ok(Metadata { document, keys, fetched_at: now })
    }

    /// Whether a document is this provider's (OpenID Connect Discovery 1.0, section 4.3).
    fn is_issuer_of(&self, document: &Document) -> bool {
        document.issuer.trim_end_matches('/') == self.address
            || (self.has_tenants && document.issuer.contains(ANY_TENANT))
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
