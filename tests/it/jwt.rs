//! API tokens as JWT: only tokens that the service signed are accepted.
//!
//! The tests know the key pair. They can forge tokens whose signature is valid and whose header or
//! claims are not.

use arm_api::{
    access::keys::{KeyEntry, KeyState},
    config::SigningKeys,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use ring::{hmac, signature::Ed25519KeyPair};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::given::{ME, START, URL, World};

const SEED: u8 = 7;
const EXPIRED: &str = "401 UNAUTHENTICATED TOKEN_EXPIRED";
const INVALID: &str = "401 UNAUTHENTICATED TOKEN_INVALID";
const MALFORMED: &str = "401 UNAUTHENTICATED TOKEN_MALFORMED";
const FOUND: &str = "200";

/// Starts a world that signs with the key of `SEED`, and creates a token in it.
async fn world_with_token() -> (World, String) {
    let keys = SigningKeys(keys(&[(SEED, KeyState::Active)]));
    let world = World::with(|config| config.signing_keys = keys).await;
    let token = world.program_for("ana@acme.test").await.token;
    world.take_operations();
    (world, token)
}

fn keys(keys: &[(u8, KeyState)]) -> String {
    let entries: Vec<_> =
        keys.iter().map(|(seed, state)| KeyEntry { state: *state, ..key(*seed) }).collect();
    serde_json::to_string(&entries).unwrap()
}

fn key(seed: u8) -> KeyEntry {
    KeyEntry::from_entropy([seed; 32]).unwrap()
}

fn header() -> String {
    format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, key(SEED).kid())
}

/// Returns the claims of a token as text.
fn claims(token: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Changes the claims of a token and keeps their order.
fn changed(token: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut members: Map<String, Value> = serde_json::from_str(&claims(token)).unwrap();
    change(&mut members);
    let order = ["iss", "aud", "sub", "tid", "jti", "iat", "exp"];
    let rank = |name: &str| order.iter().position(|it| *it == name).unwrap_or(order.len());
    let mut sorted: Vec<_> = members.into_iter().collect();
    sorted.sort_by_key(|(name, _)| rank(name));
    let members: Vec<_> =
        sorted.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns a token of this header and these claims with a valid signature of the key of `SEED`.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&[SEED; 32]).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
}

/// Sends a request with a token. Returns the verdict and the number of calls of DynamoDB.
async fn check(world: &World, token: &str) -> (String, usize) {
    let response = world.program(token).query(ME).await;
    (response.verdict(), world.take_operations().len())
}

fn verdict(text: &str, calls: usize) -> (String, usize) {
    (text.to_owned(), calls)
}

#[tokio::test]
async fn a_token_that_the_test_signs_itself_is_accepted() {
    let (world, token) = world_with_token().await;

    assert_eq!(signed(&header(), &claims(&token)), token);
    assert_eq!(signed(&header(), &changed(&token, |_| ())), token);
    assert_eq!(check(&world, &token).await.0, FOUND);
}

#[rstest]
#[case::lower_case("none")]
#[case::capitalized("None")]
#[case::mixed_case("nOnE")]
#[case::upper_case("NONE")]
#[tokio::test]
async fn a_token_with_the_algorithm_none_is_rejected(#[case] algorithm: &str) {
    let (world, token) = world_with_token().await;
    let header = header().replace("EdDSA", algorithm);

    let real = signed(&header, &claims(&token));
    let bare = format!("{}.", real.rsplit_once('.').unwrap().0);

    assert_eq!(check(&world, &bare).await, verdict(INVALID, 0));
    assert_eq!(check(&world, &real).await, verdict(INVALID, 0));
}

#[rstest]
#[case::hs256("HS256", hmac::HMAC_SHA256, false)]
#[case::hs384("HS384", hmac::HMAC_SHA384, false)]
#[case::hs512("HS512", hmac::HMAC_SHA512, false)]
#[case::with_an_unchanged_header("HS512", hmac::HMAC_SHA512, true)]
#[tokio::test]
async fn a_token_signed_with_the_public_key_as_an_hmac_secret_is_rejected(
    #[case] name: &str,
    #[case] algorithm: hmac::Algorithm,
    #[case] keeps_header: bool,
) {
    let (world, token) = world_with_token().await;
    let public = URL_SAFE_NO_PAD.decode(key(SEED).x).unwrap();
    let info =
        [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &public];
    let der = STANDARD.encode(info.concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");

    let header = if keeps_header { header() } else { header().replace("EdDSA", name) };
    let claims = URL_SAFE_NO_PAD.encode(claims(&token));
    let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
    for secret in
        [&public[..], key(SEED).x.as_bytes(), pem.as_bytes(), pem.trim().as_bytes(), &info.concat()]
    {
        let signature = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(check(&world, &forged).await, verdict(INVALID, 0));
    }
}

#[tokio::test]
async fn a_token_with_one_changed_character_or_bit_is_rejected() {
    let (world, token) = world_with_token().await;

    for (segment, length) in token.split('.').map(str::len).enumerate() {
        for position in [0, length / 2, length - 2] {
            let mut segments: Vec<_> = token.split('.').map(|it| it.as_bytes().to_vec()).collect();
            segments[segment][position] =
                if segments[segment][position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(segments.join(&b'.')).unwrap();
            assert_eq!(
                check(&world, &changed).await,
                verdict(INVALID, 0),
                "segment {segment}, {position}"
            );
        }
    }
    for bit in 0..8 {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[63] ^= 1 << bit;
        let changed = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(check(&world, &changed).await, verdict(INVALID, 0), "bit {bit}");
    }
}

#[tokio::test]
async fn a_token_without_exactly_three_segments_is_malformed() {
    let (world, token) = world_with_token().await;
    let segments: Vec<_> = token.split('.').collect();

    let two = segments[..2].join(".");
    for wrong in [
        segments[0].to_owned(),
        two,
        format!("{token}.a"),
        format!("{token}.a.b"),
        format!("{token}."),
    ] {
        assert_eq!(check(&world, &wrong).await, verdict(MALFORMED, 0), "{wrong}");
    }
}

#[tokio::test]
async fn a_segment_that_is_not_base64url_without_padding_is_rejected() {
    let (world, token) = world_with_token().await;
    let segments: Vec<_> = token.split('.').map(|it| URL_SAFE_NO_PAD.decode(it).unwrap()).collect();
    let encode_all =
        |engine: &dyn Fn(&[u8]) -> String| segments.iter().map(|it| engine(it)).collect::<Vec<_>>();
    let padded = encode_all(&|it| URL_SAFE.encode(it));
    let standard = encode_all(&|it| STANDARD.encode(it));

    assert_eq!(check(&world, &padded.join(".")).await.0.split(' ').next(), Some("401"));
    assert_eq!(check(&world, &standard.join(".")).await.0.split(' ').next(), Some("401"));
    assert_eq!(check(&world, &format!("{token}==")).await, verdict(INVALID, 0));
}

#[rstest]
#[case::no_kid(&[(r#","kid":"KID""#, "")])]
#[case::another_kid(&[("KID", "AAAAAAAA")])]
#[case::an_empty_kid(&[("KID", "")])]
#[case::no_typ(&[(r#""typ":"arm-pat+jwt","#, "")])]
#[case::jwt(&[("arm-pat+jwt", "JWT")])]
#[case::at_jwt(&[("arm-pat+jwt", "at+jwt")])]
#[case::pat_jwt(&[("arm-pat+jwt", "PAT+JWT")])]
#[case::upper_case(&[("arm-pat+jwt", "ARM-PAT+JWT")])]
#[case::a_media_type(&[("arm-pat+jwt", "application/arm-pat+jwt")])]
#[case::another_algorithm(&[("EdDSA", "Ed25519")])]
#[case::critical(&[("}", r#","crit":["exp"]}"#)])]
#[case::a_key_of_its_own(&[("}", r#","jwk":{"kty":"OKP","crv":"Ed25519"}}"#)])]
#[case::a_key_elsewhere(&[("}", r#","jku":"https://evil.test/jwks.json"}"#)])]
#[case::a_certificate_elsewhere(&[("}", r#","x5u":"https://evil.test/x.pem"}"#)])]
#[case::an_unknown_member(&[("}", r#","x":1}"#)])]
#[case::twice(&[("}", r#","alg":"EdDSA"}"#)])]
#[case::in_another_order(&[(r#""typ":"arm-pat+jwt","#, ""), ("}", r#","typ":"arm-pat+jwt"}"#)])]
#[case::with_blanks(&[(":", ": ")])]
#[tokio::test]
async fn a_header_that_differs_in_one_byte_is_rejected(#[case] replaced: &[(&str, &str)]) {
    let (world, token) = world_with_token().await;
    let kid = key(SEED).kid();

    let header =
        replaced.iter().fold(header(), |it, (from, to)| it.replace(&from.replace("KID", &kid), to));
    let forged = signed(&header, &claims(&token));

    assert_eq!(check(&world, &forged).await, verdict(INVALID, 0), "{header}");
}

#[rstest]
#[case::now(0, EXPIRED, 0)]
#[case::a_second_ago(-1, EXPIRED, 0)]
#[case::a_minute_ago(-60, EXPIRED, 0)]
#[case::the_next_second(1, FOUND, 1)]
#[tokio::test]
async fn a_token_expires_at_its_expiration_time_without_leeway(
    #[case] left: i64,
    #[case] expected: &str,
    #[case] reads: usize,
) {
    let (world, token) = world_with_token().await;
    assert_eq!(check(&world, &token).await.0, FOUND);

    world.clock.advance(7 * 86_400 - left);
    let response = world.program(&token).query("{ __typename }").await;

    assert_eq!(response.verdict(), expected);
    assert_eq!(world.take_operations().iter().filter(|it| *it == "BatchGetItem").count(), reads);
    if reads == 0 {
        assert_eq!(response.extension("expiredAt"), "2026-11-30T12:00:00Z");
    }
}

#[rstest]
#[case::nbf("nbf", json!(START + 10))]
#[case::nbf_of_the_past("nbf", json!(0))]
#[case::an_unknown_claim("admin", json!(true))]
#[case::iss_of_another("iss", json!("https://evil.test"))]
#[case::iss_with_a_slash("iss", json!("https://arm.test/"))]
#[case::no_iss("iss", Value::Null)]
#[case::aud_of_another("aud", json!("https://evil.test/api"))]
#[case::aud_as_the_origin("aud", json!(URL))]
#[case::aud_as_a_list("aud", json!(["https://arm.test/api"]))]
#[case::no_aud("aud", Value::Null)]
#[case::sub_as_an_address("sub", json!("ana@acme.test"))]
#[case::no_sub("sub", Value::Null)]
#[case::tid_as_a_path("tid", json!("../../../../../../../.."))]
#[case::no_tid("tid", Value::Null)]
#[case::jti_as_a_number("jti", json!(7))]
#[case::no_jti("jti", Value::Null)]
#[case::iat_as_a_float("iat", json!(1_795_435_200.0))]
#[case::iat_as_a_text("iat", json!("1795435200"))]
#[case::iat_beyond_the_skew("iat", json!(START + 61))]
#[case::iat_beyond_all_times("iat", json!(i64::MAX))]
#[case::no_iat("iat", Value::Null)]
#[case::exp_as_a_float("exp", json!(1_795_435_300.5))]
#[case::exp_beyond_the_policy("exp", json!(START + 200 * 86_400))]
#[case::exp_before_iat("exp", json!(START - 1))]
#[case::exp_too_large("exp", json!(u64::MAX))]
#[case::no_exp("exp", Value::Null)]
#[tokio::test]
async fn invalid_claims_are_rejected_although_their_signature_is_valid(
    #[case] name: &str,
    #[case] value: Value,
) {
    let (world, token) = world_with_token().await;

    let forged = changed(&token, |it| {
        it.remove(name);
        it.extend(Some((name.to_owned(), value)).filter(|(_, value)| !value.is_null()));
    });

    assert_eq!(check(&world, &signed(&header(), &forged)).await, verdict(INVALID, 0), "{forged}");
}

#[rstest]
#[case::not_json("nonsense")]
#[case::a_list("[]")]
#[case::empty("{}")]
#[case::no_bytes("")]
#[case::deep("[[[[[[[[")]
#[tokio::test]
async fn claims_that_are_not_a_json_object_of_claims_are_rejected(#[case] claims: &str) {
    let (world, _) = world_with_token().await;
    let deep = "[".repeat(2000);

    let claims = if claims.starts_with("[[") { &deep } else { claims };

    assert_eq!(check(&world, &signed(&header(), claims)).await, verdict(INVALID, 0));
}

#[tokio::test]
async fn a_claim_that_occurs_twice_is_rejected() {
    let (world, token) = world_with_token().await;

    let twice = claims(&token).replace("{\"iss\"", "{\"exp\":1,\"iss\"");

    assert_eq!(check(&world, &signed(&header(), &twice)).await, verdict(INVALID, 0));
}
