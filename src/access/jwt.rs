//! API tokens as JWT: how one is written, and steps 2 to 5 of its authentication.
//!
//! `jsonwebtoken`'s defaults are not relied on: it has a leeway of 60 s, accepts
//! `exp == now`, checks neither `typ` nor `crit`, and takes floats. So the header is
//! compared whole, the claims are a strict struct, and only its signatures are used.

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
    access::keys::{Keys, NotSigned},
    config::PublicUrl,
    domain::{
        CLOCK_SKEW,
        access_token::ExpirationPolicy,
        id::{TokenId, UserId},
        refusal::{MalformedToken, Refusal},
        secret::{Digest, Secret},
    },
};

/// What the key is derived for that derives the secret of a successor.
const RENEWAL_KEY: &[u8] = b"arm-api: renewal key of a token";
/// How many verified tokens a process remembers: about 400 bytes each.
const REMEMBERED: usize = 2_000;

/// Writes and verifies API tokens for one public URL.
pub struct Jwt {
    keys: Keys,
    public_url: PublicUrl,
    audience: String,
    /// Tokens whose signature this process has verified, by their SHA-256: a valid
    /// signature over the same bytes stays valid. Their records are read each time.
    verified: Cache<[u8; 32], Verified>,
}

/// The claims, in the order in which they are written, so that all tokens of a key
/// begin alike and a secret scanner can find them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    tid: TokenId,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// What a token says, once its signature is known to be ours.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whose token it is.
    pub user: UserId,
    /// Which one.
    pub token: TokenId,
    /// The digest of its secret.
    pub digest: Digest,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    /// From what the secret of its successor is derived, where the token itself was presented.
    pub renewal_key: Option<Arc<Secret>>,
}

impl Jwt {
    /// Writes and verifies with `keys`, for `public_url`.
    #[must_use]
    pub fn new(keys: Keys, public_url: PublicUrl) -> Self {
        Self { audience: public_url.api(), keys, public_url, verified: unshared_cache() }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Writes a token, itself a secret until it is shown.
    ///
    /// # Errors
    ///
    /// [`NotSigned`] when no key here can sign.
    pub async fn write(&self, verified: &Verified, secret: &Secret) -> Result<Secret, NotSigned> {
        let key = self.keys.active()?;
        let claims = secret.inspect(|jti| serde_json::to_vec(&self.claims(verified, jti)));
        let claims = claims.map_err(|_| NotSigned::default())?;
        let message = format!("{}.{}", key.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = key.sign(&message).await?;
        Ok(Secret::from(format!("{message}.{signature}")))
    }

    fn claims<'a>(&'a self, verified: &Verified, jti: &'a str) -> Claims<'a> {
        Claims {
            iss: self.public_url.as_str(),
            aud: &self.audience,
            sub: verified.user.clone(),
            tid: verified.token.clone(),
            jti,
            iat: verified.issued_at.as_second(),
            exp: verified.expires_at.as_second(),
        }
    }

    /// Finds out what a token says, without any I/O.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] unless it has three segments, [`Refusal::Invalid`]
    /// unless it is ours and for this address; then, proven by the signature, that it is from the
    /// future or over. There is no leeway: at `exp` a token is over. A token from the future is
    /// refused although it is ours: one of the two clocks is wrong, and if it is this one, then
    /// tokens that are over would seem to last.
    pub fn verify(&self, token: &Secret, now: Timestamp) -> Result<Verified, Refusal> {
        let fingerprint: [u8; 32] = token.inspect(|text| Sha256::digest(text)).into();
        let anew = || token.inspect(|text| self.verify_anew(text));
        let verified = self.verified.get_or_insert_with(&fingerprint, anew)?;
        if verified.issued_at > now + CLOCK_SKEW {
            return Err(Refusal::NotYetValid { issued_at: verified.issued_at });
        }
        if now >= verified.expires_at {
            return Err(Refusal::TokenExpired { at: verified.expires_at });
        }
        Ok(verified)
    }

    /// Everything about a token that does not depend on the time.
    fn verify_anew(&self, token: &str) -> Result<Verified, Refusal> {
        let (message, signature) =
            token.rsplit_once('.').ok_or(Refusal::Malformed(MalformedToken::NotThreeParts))?;
        let (header, claims) =
            message.split_once('.').ok_or(Refusal::Malformed(MalformedToken::NotThreeParts))?;
        if claims.contains('.') {
            return Err(Refusal::Malformed(MalformedToken::NotThreeParts));
        }
        let key = self.keys.of_header(header).ok_or(Refusal::Invalid)?;
        if !key.verifies(signature, message) {
            return Err(Refusal::Invalid);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Refusal::Invalid)?;
        let claims = serde_json::from_slice(&claims).map_err(|_| Refusal::Invalid)?;
        self.understood(claims).ok_or(Refusal::Invalid)
    }

    fn understood(&self, claims: Claims<'_>) -> Option<Verified> {
        let is_ours = claims.iss == self.public_url.as_str() && claims.aud == self.audience;
        let issued_at = Timestamp::from_second(claims.iat).ok()?;
        let is_allowed = ExpirationPolicy::at(issued_at).allows(claims.exp);
        let expires_at =
            Timestamp::from_second(claims.exp).ok().filter(|_| is_ours && is_allowed)?;
        let secret = Secret::from(claims.jti.to_owned());
        let renewal_key = Some(Arc::new(secret.derive(&[RENEWAL_KEY])));
        let digest = secret.digest();
        Some(Verified {
            user: claims.sub,
            token: claims.tid,
            digest,
            issued_at,
            expires_at,
            renewal_key,
        })
    }
}

/// One shard: a function runs on one thread, and to find out how many processors there are
/// takes some twenty system calls.
fn unshared_cache() -> Cache<[u8; 32], Verified> {
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(REMEMBERED)
        .weight_capacity(REMEMBERED as u64)
        .build();
    options.map_or_else(
        |_| Cache::new(REMEMBERED),
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
