//! Signing keys in KMS. KMS signs, and the service verifies. The fake KMS of these tests has two
//! keys and can fail or sign with the wrong key.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use arm_api::{access::keys::KeyEntry, config::SigningKeys, local::dynamodb::http_client};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{ME, START, World, update_access_token};

const DAY: i64 = 86_400;
const OLD: &str = "arn:aws:kms:eu-west-1:111122223333:key/old";
const NEW: &str = "arn:aws:kms:eu-west-1:111122223333:key/new";

/// A KMS with the keys `OLD` and `NEW`.
#[derive(Clone, Debug, Default)]
struct FakeKms {
    fails: Arc<AtomicBool>,
    /// The error code of its responses.
    rejects: Arc<Mutex<Option<&'static str>>>,
    confuses_keys: Arc<AtomicBool>,
}

impl FakeKms {
    fn pair(&self, arn: &str, signs: bool) -> Ed25519KeyPair {
        let is_old = (arn == OLD) != (signs && self.confuses_keys.load(Ordering::SeqCst));
        Ed25519KeyPair::from_seed_unchecked(&[if is_old { 1 } else { 2 }; 32]).unwrap()
    }

    fn respond(&self, operation: &str, request_body: &Value) -> Value {
        let arn = request_body["KeyId"].as_str().unwrap();
        let text = |name: &str| request_body[name].as_str().unwrap_or_default().to_owned();
        match operation {
            "TrentService.GetPublicKey" => {
                let pair = self.pair(arn, false);
                let spki = [&hex(b"302a300506032b6570032100")[..], pair.public_key().as_ref()];
                json!({ "KeyId": arn, "PublicKey": STANDARD.encode(spki.concat()) })
            }
            "TrentService.Sign" => {
                assert_eq!(text("SigningAlgorithm"), "ED25519_SHA_512");
                assert_eq!(text("MessageType"), "RAW");
                let signature =
                    self.pair(arn, true).sign(&STANDARD.decode(text("Message")).unwrap());
                json!({ "KeyId": arn, "Signature": STANDARD.encode(signature) })
            }
            other => panic!("unexpected operation of KMS: {other}"),
        }
    }
}

impl HttpConnector for FakeKms {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.fails.load(Ordering::SeqCst) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("unreachable".into())));
        }
        if let Some(code) = *self.rejects.lock().unwrap() {
            let body = SdkBody::from(json!({ "__type": code, "message": "injected" }).to_string());
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(
                400.try_into().unwrap(),
                body,
            )));
        }
        let request_body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let response = self.respond(request.headers().get("x-amz-target").unwrap(), &request_body);
        let response =
            HttpResponse::new(200.try_into().unwrap(), SdkBody::from(response.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}

/// A pair of `SIGNING_PUBLIC_KEYS`, as the runbook makes it.
fn public_key(arn: &str) -> String {
    let response =
        FakeKms::default().respond("TrentService.GetPublicKey", &json!({ "KeyId": arn }));
    format!("{arn}={}", response["PublicKey"].as_str().unwrap())
}

/// A world whose keys are in this KMS.
async fn world(fake_kms: &FakeKms, keys: Value) -> World {
    let keys = SigningKeys(keys.to_string());
    let kms = http_client(fake_kms.clone());
    World::with_kms(kms, |config| config.signing_keys = keys).await.unwrap()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn kms_signs_and_its_public_key_verifies() {
    let world = world(&FakeKms::default(), json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.log_in("ana@acme.test").await;

    let program = ana.create_token(START + DAY).await;

    assert_eq!(program.query(ME).await.status, 200);
    assert_eq!(kid(&program.token), KeyEntry::from_entropy([2; 32]).unwrap().kid());
}

#[rstest]
#[case::still_listed(
    json!([{ "arn": NEW, "state": "active" }, { "arn": OLD, "state": "verify-only" }]),
    "200"
)]
#[case::no_longer(json!([{ "arn": NEW, "state": "active" }]), "401 UNAUTHENTICATED TOKEN_INVALID")]
#[tokio::test]
async fn tokens_of_a_rotated_key_are_accepted_while_the_key_is_listed(
    #[case] keys: Value,
    #[case] verdict: &str,
) {
    let fake_kms = FakeKms::default();
    let mut world = world(&fake_kms, json!([{ "arn": OLD, "state": "active" }])).await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(START + DAY).await.token;
    world.redeploy(|config| config.signing_keys = SigningKeys(keys.to_string())).await;

    assert_eq!(world.program(&old).query(ME).await.verdict(), verdict);
}

#[rstest]
#[case::unreachable(|it: &FakeKms| it.fails.store(true, Ordering::SeqCst))]
#[case::signing_with_another_key(|it: &FakeKms| it.confuses_keys.store(true, Ordering::SeqCst))]
#[tokio::test]
async fn no_record_changes_when_kms_fails_to_sign(#[case] break_kms: impl Fn(&FakeKms)) {
    let fake_kms = FakeKms::default();
    let world = world(&fake_kms, json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(START + DAY).await;
    let before = world.stored_items();
    break_kms(&fake_kms);

    let response = ana.query(&update_access_token(START + 2 * DAY)).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(world.stored_items(), before);
    assert_eq!(old.query(ME).await.status, 200, "verifying does not call KMS");
}

#[rstest]
#[case::not_permitted("AccessDeniedException", "500 INTERNAL_SERVER_ERROR")]
#[case::disabled("DisabledException", "500 INTERNAL_SERVER_ERROR")]
#[case::to_be_deleted("KMSInvalidStateException", "500 INTERNAL_SERVER_ERROR")]
#[case::of_another_usage("InvalidKeyUsageException", "500 INTERNAL_SERVER_ERROR")]
#[case::gone("NotFoundException", "500 INTERNAL_SERVER_ERROR")]
#[case::throttled("ThrottlingException", "503 SERVICE_UNAVAILABLE")]
#[case::not_ready("KeyUnavailableException", "503 SERVICE_UNAVAILABLE")]
#[tokio::test]
async fn a_permanent_error_of_kms_is_an_internal_error_and_a_temporary_one_is_unavailability(
    #[case] code: &'static str,
    #[case] verdict: &str,
) {
    let fake_kms = FakeKms::default();
    let world = world(&fake_kms, json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.log_in("ana@acme.test").await;
    let before = world.stored_items();
    *fake_kms.rejects.lock().unwrap() = Some(code);

    let response = ana.query(&update_access_token(START + DAY)).await;

    assert_eq!(response.verdict(), verdict);
    assert_eq!(world.stored_items(), before);
    let has_code = |line: &Value| line["cause"].as_str().is_some_and(|it| it.contains(code));
    assert!(world.log().iter().any(has_code), "{:?}", world.log());
    assert!(!response.text().contains(code), "{}", response.text());
}

#[tokio::test]
async fn the_start_fails_when_kms_does_not_return_an_unlisted_public_key() {
    let fake_kms = FakeKms::default();
    fake_kms.fails.store(true, Ordering::SeqCst);
    let keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());

    let started = World::with_kms(http_client(fake_kms), |config| config.signing_keys = keys).await;

    let fault = started.err().unwrap().to_string();
    assert_eq!(
        fault,
        format!(
            "SIGNING_KEYS: KMS did not give the public key of {NEW}, \
             which SIGNING_PUBLIC_KEYS does not list"
        )
    );
}

#[tokio::test]
async fn an_instance_with_listed_public_keys_starts_and_verifies_while_kms_is_unreachable() {
    let fake_kms = FakeKms::default();
    let keys = json!([{ "arn": NEW, "state": "active" }, { "arn": OLD, "state": "verify-only" }]);
    let world = world(&fake_kms, json!([{ "arn": OLD, "state": "active" }])).await;
    let old = world.log_in("ana@acme.test").await.create_token(START + DAY).await.token;
    fake_kms.fails.store(true, Ordering::SeqCst);

    let mut world = world;
    world
        .redeploy(|config| {
            config.signing_keys = SigningKeys(keys.to_string());
            config.signing_public_keys = [public_key(NEW), public_key(OLD)].join(",");
        })
        .await;

    assert_eq!(world.program(&old).query(ME).await.status, 200);
}

#[tokio::test]
async fn a_key_whose_public_key_is_listed_signs_although_kms_was_unreachable_at_start() {
    let fake_kms = FakeKms::default();
    fake_kms.fails.store(true, Ordering::SeqCst);
    let world = World::with_kms(http_client(fake_kms.clone()), |config| {
        config.signing_keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());
        config.signing_public_keys = public_key(NEW);
    })
    .await
    .unwrap();
    let ana = world.log_in("ana@acme.test").await;

    fake_kms.fails.store(false, Ordering::SeqCst);
    let program = ana.create_token(START + DAY).await;

    assert_eq!(program.query(ME).await.status, 200);
}

#[tokio::test]
async fn no_token_is_created_when_the_listed_public_key_belongs_to_another_key() {
    let world = World::with_kms(http_client(FakeKms::default()), |config| {
        config.signing_keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());
        config.signing_public_keys = public_key(OLD).replace(OLD, NEW);
    })
    .await
    .unwrap();
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query(&update_access_token(START + DAY)).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
}

#[rstest]
#[case::without_arn(
    "MCowBQYDK2VwAyEA".to_owned(),
    "`MCowBQYDK2VwAyEA` is not of the form ARN=PUBLIC_KEY"
)]
#[case::not_base64(format!("{NEW}=!"), "the public key is not base64")]
#[case::of_another_kind(
    format!("{NEW}=MCowBQYDK2VwAyEA"),
    "the key is not of the kind ECC_NIST_EDWARDS25519"
)]
#[tokio::test]
async fn the_start_fails_when_a_listed_public_key_is_invalid(
    #[case] listed: String,
    #[case] fault: &str,
) {
    let keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());

    let started = World::with_kms(http_client(FakeKms::default()), |config| {
        config.signing_keys = keys;
        config.signing_public_keys = listed;
    })
    .await;

    let message = started.err().unwrap().to_string();
    assert!(message.starts_with("SIGNING_PUBLIC_KEYS: "), "{message}");
    assert!(message.ends_with(fault), "{message}");
}
