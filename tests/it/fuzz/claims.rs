//! Claims under a good signature: what we would never sign is no token, even if signed.

use arm_api::{
    access::keys::{KeyEntry, KeyState},
    domain::secret::Secret,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{prelude::*, test_runner::TestCaseResult};
use ring::signature::Ed25519KeyPair;
use serde_json::{Map, Value};

use super::{Target, fuzz, runtime};
use crate::given::{URL, World, signing_keys};

const SEED: [u8; 32] = [7; 32];
/// Six calendar months are 184 days at most; 26 weeks are 182.
const LONGEST_LIFE: i64 = 184 * 86_400;

/// A header and claims, a line each, that somebody signs who has our key.
struct Claims {
    world: World,
    header: String,
    token: String,
}

impl Target for Claims {
    const NAME: &'static str = "claims";
    const WORDS: &'static [&'static str] = &[
        "\"exp\":",
        "\"iat\":",
        "\"iss\":",
        "\"aud\":",
        "\"sub\":",
        "\"tid\":",
        "\"jti\":",
        "\"crit\":[\"exp\"],",
        "\"alg\":\"none\",",
        "1795435200",
        "1795435260",
        "9223372036854775807",
        "-1",
        "1e9",
        ".0",
        "null",
        "true",
        "[]",
        "{}",
        ",",
        ":",
        "\"",
        "\\u0000",
        "\\\"",
        "/",
        " ",
        "\n",
    ];

    fn new() -> Self {
        let key = KeyEntry { state: KeyState::Active, ..KeyEntry::from_entropy(SEED).unwrap() };
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, key.kid());
        let keys = signing_keys(&[key]);
        let runtime = runtime();
        let world = runtime.block_on(World::with(|config| config.signing_keys = keys));
        let token = runtime.block_on(world.program_of("ana@acme.test")).token;
        Self { world, header, token }
    }

    fn filled(&self, seed: &str) -> String {
        let claims = URL_SAFE_NO_PAD.decode(self.token.split('.').nth(1).unwrap()).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        seed.replace("${HEADER}", &self.header).replace("${CLAIMS}", &claims)
    }

    fn bears(&self, input: &[u8]) -> TestCaseResult {
        let (header, claims) = halves(input);
        let verified =
            self.world.app.access.jwt.verify(&signed(header, claims), self.world.app.clock.now());
        if let Ok(verified) = verified {
            let members: Map<String, Value> = serde_json::from_slice(claims).unwrap_or_default();
            prop_assert_eq!(header, self.header.as_bytes());
            prop_assert!(self.is_ours(&members), "{} are taken", Value::from(members));
            prop_assert_eq!(members["sub"].as_str(), Some(verified.user.as_str()));
            prop_assert_eq!(members["tid"].as_str(), Some(verified.token.as_str()));
        }
        Ok(())
    }
}

impl Claims {
    /// Whether these are all the claims that we write, and of values that we write.
    fn is_ours(&self, members: &Map<String, Value>) -> bool {
        let number = |name: &str| members.get(name).and_then(Value::as_i64).unwrap_or(i64::MIN);
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
        let (now, iat, exp) = (self.world.now(), number("iat"), number("exp"));
        let is_in_time =
            iat <= now + 60 && now < exp && iat < exp && exp.saturating_sub(iat) <= LONGEST_LIFE;
        let is_for_us = text("iss") == URL && text("aud") == format!("{URL}/api");
        members.len() == 7
            && is_in_time
            && is_for_us
            && text("sub").len() == 22
            && text("tid").len() == 22
    }
}

/// The first line, and the rest.
fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|it| *it == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// A token of these parts, rightly signed.
fn signed(header: &[u8], claims: &[u8]) -> Secret {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    Secret::from(format!("{message}.{signature}"))
}

#[test]
fn any_signed_claims_are_a_token_only_if_we_would_sign_them() {
    fuzz::<Claims>();
}
