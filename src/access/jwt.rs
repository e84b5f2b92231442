//! Signing and verification of API tokens, which are JSON Web Tokens.
//!
//! This module uses `jsonwebtoken` only to verify signatures, because its validation of claims has
//! a default leeway of 60 seconds, accepts `exp == now` and fractional times, and checks neither
//! `typ` nor `crit`. Instead, this module compares the whole header and parses the claims strictly.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    access::keys::{Keys, SigningError},
    config::PublicUrl,
    domain::{
        CLOCK_SKEW,
        access_token::{AccessToken, ExpirationPolicy},
        id::{TokenId, UserId},
        refusal::{MalformedToken, Refusal},
        secret::{Digest, Secret},
    },
};

/// The domain separation label for deriving renewal keys.
const RENEWAL_KEY_LABEL: &[u8] = b"arm-api: renewal key of a token";
/// The maximum number of tokens in the cache. Each takes about 400 bytes.
const CACHE_SIZE: usize = 2_000;

/// Signs and verifies the API tokens of one public URL.
pub struct Jwt {
    keys: Keys,
    public_url: PublicUrl,
    audience: String,
    /// The tokens whose signatures were verified, by their SHA-256 digests. Each request still
    /// reads the record of its token.
    verified: Cache<[u8; 32], TokenClaims>,
}

/// The claims as they are serialized, in this order. Tokens that are signed with the same key begin
/// with the same characters, so secret scanners can find them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    tid: TokenId,
    /// The token's secret (256 bits). The public id is `tid`.
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// The claims of an API token, with the digest of its secret instead of the secret itself.
#[derive(Clone, Debug)]
pub struct TokenClaims {
    pub user: UserId,
    pub token: TokenId,
    /// The digest of the token's secret.
    pub digest: Digest,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The key that derives the secret of the token's successor. `None` if the claims were read
    /// from the token's record.
    pub renewal_key: Option<Arc<Secret>>,
}

impl From<&AccessToken> for TokenClaims {
    fn from(token: &AccessToken) -> Self {
        Self {
            user: token.user.clone(),
            token: token.id.clone(),
            digest: token.digest.clone(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            renewal_key: None,
        }
    }
}

impl Jwt {
    /// Creates a signer and verifier for the tokens of `public_url`.
    #[must_use]
    pub fn new(keys: Keys, public_url: PublicUrl) -> Self {
        Self { audience: public_url.api(), keys, public_url, verified: new_cache() }
    }

    /// Returns the signing keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Signs a token with the active key.
    ///
    /// # Errors
    ///
    /// [`SigningError`] if the active key cannot sign.
    pub async fn sign(
        &self,
        claims: &TokenClaims,
        secret: &Secret,
    ) -> Result<Secret, SigningError> {
        let key = self.keys.active()?;
        let payload = secret.inspect(|jti| serde_json::to_vec(&self.jwt_claims(claims, jti)));
        let payload = payload.map_err(|_| SigningError::default())?;
        let message = format!("{}.{}", key.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = key.sign(&message).await?;
        Ok(Secret::from(format!("{message}.{signature}")))
    }

    fn jwt_claims<'a>(&'a self, claims: &TokenClaims, jti: &'a str) -> JwtClaims<'a> {
        JwtClaims {
            iss: self.public_url.as_str(),
            aud: &self.audience,
            sub: claims.user.clone(),
            tid: claims.token.clone(),
            jti,
            iat: claims.issued_at.as_second(),
            exp: claims.expires_at.as_second(),
        }
    }

    /// Verifies a token, without any I/O.
    ///
    /// `exp` has no leeway. Rejects a token whose `iat` is more than `CLOCK_SKEW` in the future:
    /// this server's clock would be slow, and it would accept expired tokens.
    ///
    /// # Errors
    ///
    /// - [`Refusal::Malformed`] if the token does not have three parts.
    /// - [`Refusal::Invalid`] if it was not issued by this server for this public URL.
    /// - [`Refusal::NotYetValid`] or [`Refusal::TokenExpired`] if its signature is valid, but not
    ///   its times.
    pub fn verify(&self, token: &Secret, now: Timestamp) -> Result<TokenClaims, Refusal> {
        let fingerprint: [u8; 32] = token.inspect(|text| Sha256::digest(text)).into();
        let verify = || token.inspect(|text| self.verify_uncached(text));
        let claims = self.verified.get_or_insert_with(&fingerprint, verify)?;
        if claims.issued_at > now + CLOCK_SKEW {
            return Err(Refusal::NotYetValid { issued_at: claims.issued_at });
        }
        if now >= claims.expires_at {
            return Err(Refusal::TokenExpired { at: claims.expires_at });
        }
        Ok(claims)
    }

    /// Performs the checks that do not depend on the time.
    fn verify_uncached(&self, token: &str) -> Result<TokenClaims, Refusal> {
        let (message, signature) =
            token.rsplit_once('.').ok_or(Refusal::Malformed(MalformedToken::NotThreeParts))?;
        let (header, claims) =
            message.split_once('.').ok_or(Refusal::Malformed(MalformedToken::NotThreeParts))?;
        if claims.contains('.') {
            return Err(Refusal::Malformed(MalformedToken::NotThreeParts));
        }
        let key = self.keys.find_by_header(header).ok_or(Refusal::Invalid)?;
        if !key.verifies(signature, message) {
            return Err(Refusal::Invalid);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Refusal::Invalid)?;
        let claims = serde_json::from_slice(&claims).map_err(|_| Refusal::Invalid)?;
        self.check_claims(claims).ok_or(Refusal::Invalid)
    }

    fn check_claims(&self, claims: JwtClaims<'_>) -> Option<TokenClaims> {
        let is_ours = claims.iss == self.public_url.as_str() && claims.aud == self.audience;
        let issued_at = Timestamp::from_second(claims.iat).ok()?;
        let is_allowed = ExpirationPolicy::at(issued_at).allows(claims.exp);
        let expires_at =
            Timestamp::from_second(claims.exp).ok().filter(|_| is_ours && is_allowed)?;
        let secret = Secret::from(claims.jti.to_owned());
        let renewal_key = Some(Arc::new(secret.derive(&[RENEWAL_KEY_LABEL])));
        let digest = secret.digest();
        Some(TokenClaims {
            user: claims.sub,
            token: claims.tid,
            digest,
            issued_at,
            expires_at,
            renewal_key,
        })
    }
}

/// Creates the cache with a single shard. The Lambda functions are single-threaded, and the default
/// number of shards depends on the number of processors, which takes twenty system calls to
/// determine.
fn new_cache() -> Cache<[u8; 32], TokenClaims> {
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(CACHE_SIZE)
        .weight_capacity(CACHE_SIZE as u64)
        .build();
    options.map_or_else(
        |_| Cache::new(CACHE_SIZE),
        |it| {
            Cache::with_options(
                it,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            )
        },
    )
}
