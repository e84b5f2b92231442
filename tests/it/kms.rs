//! Keys in KMS: it signs, we verify. The KMS of these stories has two keys, and can be
//! made to fail, or to sign with the wrong one.

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

/// A KMS.
#[derive(Clone, Debug, Default)]
struct Keeper {
    fails: Arc<AtomicBool>,
    /// The code of the error that it answers.
    rejects: Arc<Mutex<Option<&'static str>>>,
    confuses_keys: Arc<AtomicBool>,
}

impl Keeper {
    fn pair(&self, arn: &str, signs: bool) -> Ed25519KeyPair {
        let is_old = (arn == OLD) != (signs && self.confuses_keys.load(Ordering::SeqCst));
        Ed25519KeyPair::from_seed_unchecked(&[if is_old { 1 } else { 2 }; 32]).unwrap()
    }

    fn answer(&self, operation: &str, asked: &Value) -> Value {
        let arn = asked["KeyId"].as_str().unwrap();
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        match operation {
            "TrentService.GetPublicKey" => {
                let pair = self.pair(arn, false);
                let spki = [&hex(b"302a300506032b6570032100")[..], pair.public_key().as_ref()];
                json!({ "KeyId": arn, "PublicKey": STANDARD.encode(spki.concat()) })
            }
            "TrentService.Sign" => {
                assert_eq!(
                    (text("SigningAlgorithm"), text("MessageType")),
                    ("ED25519_SHA_512".into(), "RAW".into())
                );
                let signature =
                    self.pair(arn, true).sign(&STANDARD.decode(text("Message")).unwrap());
                json!({ "KeyId": arn, "Signature": STANDARD.encode(signature) })
            }
            other => panic!("KMS is asked for {other}"),
        }
    }
}

impl HttpConnector for Keeper {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.fails.load(Ordering::SeqCst) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("out of reach".into())));
        }
        if let Some(code) = *self.rejects.lock().unwrap() {
            let body = SdkBody::from(json!({ "__type": code, "message": "injected" }).to_string());
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(
                400.try_into().unwrap(),
                body,
            )));
        }
        let asked = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let answer = self.answer(request.headers().get("x-amz-target").unwrap(), &asked);
        let response =
            HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}

/// A pair of `SIGNING_PUBLIC_KEYS`, as the runbook makes it.
fn public_key(arn: &str) -> String {
    let answer = Keeper::default().answer("TrentService.GetPublicKey", &json!({ "KeyId": arn }));
    format!("{arn}={}", answer["PublicKey"].as_str().unwrap())
}

/// A world whose keys are in this KMS.
async fn world(keeper: &Keeper, keys: Value) -> World {
    let keys = SigningKeys(keys.to_string());
    let kms = http_client(keeper.clone());
    World::with_kms(kms, |config| config.signing_keys = keys).await.unwrap()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn kms_signs_and_its_public_key_verifies() {
    let world = world(&Keeper::default(), json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.signed_in("ana@acme.test").await;

    let program = ana.makes_token(START + DAY).await;

    assert_eq!(program.asks(ME).await.status, 200);
    assert_eq!(kid(&program.token), KeyEntry::from_entropy([2; 32]).unwrap().kid());
}

#[rstest]
#[case::still_listed(
    json!([{ "arn": NEW, "state": "active" }, { "arn": OLD, "state": "verify-only" }]),
    "200"
)]
#[case::no_longer(json!([{ "arn": NEW, "state": "active" }]), "401 UNAUTHENTICATED TOKEN_INVALID")]
#[tokio::test]
async fn a_rotated_key_holds_as_long_as_it_is_listed(#[case] keys: Value, #[case] verdict: &str) {
    let keeper = Keeper::default();
    let mut world = world(&keeper, json!([{ "arn": OLD, "state": "active" }])).await;
    let ana = world.signed_in("ana@acme.test").await;
    let old = ana.makes_token(START + DAY).await.token;
    world.redeploy(|config| config.signing_keys = SigningKeys(keys.to_string())).await;

    assert_eq!(world.program(&old).asks(ME).await.verdict(), verdict);
}

#[rstest]
#[case::out_of_reach(|it: &Keeper| it.fails.store(true, Ordering::SeqCst))]
#[case::signing_with_another_key(|it: &Keeper| it.confuses_keys.store(true, Ordering::SeqCst))]
#[tokio::test]
async fn when_kms_fails_nothing_is_changed(#[case] break_it: impl Fn(&Keeper)) {
    let keeper = Keeper::default();
    let world = world(&keeper, json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.signed_in("ana@acme.test").await;
    let old = ana.makes_token(START + DAY).await;
    let before = world.stored();
    break_it(&keeper);

    let answer = ana.asks(&update_access_token(START + 2 * DAY)).await;

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(world.stored(), before);
    assert_eq!(old.asks(ME).await.status, 200, "and verifying needs no KMS");
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
async fn what_kms_rejects_is_our_fault_and_what_passes_is_not(
    #[case] code: &'static str,
    #[case] verdict: &str,
) {
    let keeper = Keeper::default();
    let world = world(&keeper, json!([{ "arn": NEW, "state": "active" }])).await;
    let ana = world.signed_in("ana@acme.test").await;
    let before = world.stored();
    *keeper.rejects.lock().unwrap() = Some(code);

    let answer = ana.asks(&update_access_token(START + DAY)).await;

    assert_eq!(answer.verdict(), verdict);
    assert_eq!(world.stored(), before);
    let told = |line: &Value| line["cause"].as_str().is_some_and(|it| it.contains(code));
    assert!(world.log().iter().any(told), "{:?}", world.log());
    assert!(!answer.text().contains(code), "{}", answer.text());
}

#[tokio::test]
async fn a_key_of_another_kind_is_named_at_start() {
    let keeper = Keeper::default();
    keeper.fails.store(true, Ordering::SeqCst);
    let keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());

    let started = World::with_kms(http_client(keeper), |config| config.signing_keys = keys).await;

    let fault = started.err().unwrap().to_string();
    assert_eq!(
        fault,
        format!(
            "SIGNING_KEYS: KMS did not give the public key of {NEW}, which SIGNING_PUBLIC_KEYS does not list"
        )
    );
}

#[tokio::test]
async fn an_instance_with_public_keys_starts_and_verifies_while_kms_does_not_answer() {
    let keeper = Keeper::default();
    let keys = json!([{ "arn": NEW, "state": "active" }, { "arn": OLD, "state": "verify-only" }]);
    let world = world(&keeper, json!([{ "arn": OLD, "state": "active" }])).await;
    let old = world.signed_in("ana@acme.test").await.makes_token(START + DAY).await.token;
    keeper.fails.store(true, Ordering::SeqCst);

    let mut world = world;
    world
        .redeploy(|config| {
            config.signing_keys = SigningKeys(keys.to_string());
            config.signing_public_keys = [public_key(NEW), public_key(OLD)].join(",");
        })
        .await;

    assert_eq!(world.program(&old).asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_key_whose_public_half_is_listed_signs_without_being_asked_for_it() {
    let keeper = Keeper::default();
    keeper.fails.store(true, Ordering::SeqCst);
    let world = World::with_kms(http_client(keeper.clone()), |config| {
        config.signing_keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());
        config.signing_public_keys = public_key(NEW);
    })
    .await
    .unwrap();
    let ana = world.signed_in("ana@acme.test").await;

    keeper.fails.store(false, Ordering::SeqCst);
    let program = ana.makes_token(START + DAY).await;

    assert_eq!(program.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_public_key_of_another_key_makes_no_tokens() {
    let world = World::with_kms(http_client(Keeper::default()), |config| {
        config.signing_keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());
        config.signing_public_keys = public_key(OLD).replace(OLD, NEW);
    })
    .await
    .unwrap();
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.asks(&update_access_token(START + DAY)).await;

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
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
async fn a_public_key_that_cannot_be_read_is_named_at_start(
    #[case] listed: String,
    #[case] fault: &str,
) {
    let keys = SigningKeys(json!([{ "arn": NEW, "state": "active" }]).to_string());

    let started = World::with_kms(http_client(Keeper::default()), |config| {
        config.signing_keys = keys;
        config.signing_public_keys = listed;
    })
    .await;

    let told = started.err().unwrap().to_string();
    assert!(told.starts_with("SIGNING_PUBLIC_KEYS: ") && told.ends_with(fault), "{told}");
}
