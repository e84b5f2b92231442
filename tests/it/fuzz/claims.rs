//! Claims with a valid signature: they are accepted only if the service could have signed them.

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
const MAX_LIFETIME: i64 = 184 * 86_400;

/// A header and claims, each on its own line, signed with the key of the service.
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
        let token = runtime.block_on(world.program_for("ana@acme.test")).token;
        Self { world, header, token }
    }

    fn fill_in(&self, seed: &str) -> String {
        let claims = URL_SAFE_NO_PAD.decode(self.token.split('.').nth(1).unwrap()).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        seed.replace("${HEADER}", &self.header).replace("${CLAIMS}", &claims)
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let (header, claims) = split_line(input);
        let verified =
            self.world.app.access.jwt.verify(&sign(header, claims), self.world.app.clock.now());
        if let Ok(verified) = verified {
            let members: Map<String, Value> = serde_json::from_slice(claims).unwrap_or_default();
            prop_assert_eq!(header, self.header.as_bytes());
            prop_assert!(self.is_plausible(&members), "{} was accepted", Value::from(members));
            prop_assert_eq!(members["sub"].as_str(), Some(verified.user.as_str()));
            prop_assert_eq!(members["tid"].as_str(), Some(verified.token.as_str()));
        }
        Ok(())
    }
}

impl Claims {
    /// Returns whether the service could have written these claims.
    fn is_plausible(&self, members: &Map<String, Value>) -> bool {
        let number = |name: &str| members.get(name).and_then(Value::as_i64).unwrap_or(i64::MIN);
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
        let now = self.world.now();
        let iat = number("iat");
        let exp = number("exp");
        let is_current =
            iat <= now + 60 && now < exp && iat < exp && exp.saturating_sub(iat) <= MAX_LIFETIME;
        let is_for_this_service = text("iss") == URL && text("aud") == format!("{URL}/api");
        members.len() == 7
            && is_current
            && is_for_this_service
            && text("sub").len() == 22
            && text("tid").len() == 22
    }
}

/// Splits the input after its first line.
fn split_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|it| *it == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// Returns a token with these parts and a valid signature.
fn sign(header: &[u8], claims: &[u8]) -> Secret {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    Secret::from(format!("{message}.{signature}"))
}

#[test]
fn signed_claims_are_accepted_only_if_we_would_sign_them() {
    fuzz::<Claims>();
}
