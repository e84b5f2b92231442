//! API tokens: only unchanged tokens are accepted.

use arm_api::domain::{refusal::Refusal, secret::Secret};
use proptest::{prelude::*, test_runner::TestCaseResult};

use super::{Target, fuzz, runtime};
use crate::given::World;

/// The tokens of two users.
struct Tokens {
    world: World,
    valid: [String; 2],
}

impl Target for Tokens {
    const NAME: &'static str = "token";
    const WORDS: &'static [&'static str] = &[
        ".",
        "..",
        "=",
        "==",
        "A",
        "AAAA",
        "_",
        "-",
        "+",
        "/",
        " ",
        "\n",
        "e30",
        "bnVsbA",
        "eyJhbGciOiJub25lIn0",
    ];

    fn new() -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::new());
        let token = |email| runtime.block_on(world.program_for(email)).token;
        let valid = ["ana@acme.test", "bob@acme.test"].map(token);
        Self { world, valid }
    }

    fn fill_in(&self, seed: &str) -> String {
        let [ana, bob] = &self.valid;
        let part = |token: &str, number: usize| token.split('.').nth(number).unwrap().to_owned();
        seed.replace("${TOKEN}", ana)
            .replace("${HEADER}", &part(ana, 0))
            .replace("${CLAIMS}", &part(ana, 1))
            .replace("${SIGNATURE}", &part(ana, 2))
            .replace("${CLAIMS_OF_ANOTHER}", &part(bob, 1))
            .replace("${SIGNATURE_OF_ANOTHER}", &part(bob, 2))
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let text = String::from_utf8_lossy(input).into_owned();
        let verified = self
            .world
            .app
            .access
            .jwt
            .verify(&Secret::from(text.clone()), self.world.app.clock.now());
        match verified {
            Ok(_) => prop_assert!(self.valid.contains(&text), "a changed token was accepted"),
            Err(Refusal::Malformed(_)) => {
                prop_assert!(
                    text.split('.').count() != 3,
                    "a token with three segments was called malformed"
                );
            }
            Err(Refusal::Invalid) => {
                prop_assert!(!self.valid.contains(&text), "a valid token was rejected");
            }
            Err(other) => {
                return Err(TestCaseError::fail(format!("the error reveals too much: {other:?}")));
            }
        }
        Ok(())
    }
}

#[test]
fn a_changed_token_is_rejected() {
    fuzz::<Tokens>();
}
