//! One account of the product: its signing key, its one stakeholder, their session and
//! tokens, and the records of these, as DynamoDB has them.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

/// Where the product thinks that it is.
pub(crate) const URL: &str = "https://arm.test";
/// The key that signs, where KMS does.
pub(crate) const KEY_ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/bench";

const SEED: [u8; 32] = [7; 32];
const DAY: u64 = 86_400;
/// What stands before the 32 bytes of an Ed25519 public key in its DER form (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// The variables that hold keys.
#[derive(Clone)]
pub(crate) struct Keys {
    /// `SIGNING_KEYS`.
    pub(crate) signing: String,
    /// `SIGNING_PUBLIC_KEYS`.
    pub(crate) public: String,
}

pub(crate) struct Account {
    pair: Ed25519KeyPair,
    user: String,
    now: u64,
    /// The records by their sort key.
    pub(crate) records: HashMap<String, String>,
    /// The value of the session's cookie.
    pub(crate) session: String,
    /// Tokens, each of a record of its own.
    pub(crate) tokens: Vec<String>,
}

impl Account {
    /// Makes one with so many tokens.
    pub(crate) fn with_tokens(count: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("any 32 bytes are a key");
        let user = id(&[0; 16]);
        let mut account = Self {
            pair,
            user,
            now,
            records: HashMap::new(),
            session: String::new(),
            tokens: Vec::new(),
        };
        account.enrol();
        account.open_session();
        for number in 0..count {
            account.issue(number);
        }
        account
    }

    fn put(&mut self, sort_key: &str, record: &Value) {
        let mut item = attributes(record);
        item["PK"] = json!({ "S": format!("U#{}", self.user) });
        item["SK"] = json!({ "S": sort_key });
        self.records.insert(sort_key.to_owned(), item.to_string());
    }

    fn enrol(&mut self) {
        let record = json!({
            "id": self.user, "email": "ana@acme.test", "name": "Ana Torres", "role": "user",
            "status": { "state": "active" }, "epoch": 0, "organizations": {}, "version": 0,
            "enrolledAt": self.now,
        });
        self.put("P", &record);
    }

    fn open_session(&mut self) {
        let secret = sha256("the session");
        let key = sha256(&secret);
        let record = json!({
            "user": self.user, "digest": key, "epoch": 0, "iat": self.now, "lastSeenAt": self.now,
            "agent": null, "address": null, "state": { "name": "open" },
        });
        self.put(&format!("S#{key}"), &record);
        self.session = format!("{}.{secret}", self.user);
    }

    /// Makes a token, its record and its slot.
    fn issue(&mut self, number: usize) {
        let secret = sha256(&format!("token {number}"));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let (token, ends) = (id(&bytes), self.now + DAY);
        let record = json!({
            "user": self.user, "id": token, "name": "default", "h": sha256(&secret), "epoch": 0,
            "iat": self.now, "exp": ends, "state": { "name": "active" },
            "firstUsedAt": self.now, "lastUsedAt": self.now,
        });
        self.put(&format!("T#{token}"), &record);
        let slot =
            json!({ "user": self.user, "name": "default", "tid": token, "exp": ends, "epoch": 0 });
        self.put("N#default", &slot);
        self.tokens.push(self.signed(&format!(
            r#"{{"iss":"{URL}","aud":"{URL}/api","sub":"{}","tid":"{token}","jti":"{secret}","iat":{},"exp":{ends}}}"#,
            self.user, self.now
        )));
    }

    fn signed(&self, claims: &str) -> String {
        let x = self.x();
        let kid = &sha256(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#))[..8];
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{kid}"}}"#);
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    /// Keys with which the function signs by itself.
    pub(crate) fn local_keys(&self) -> Keys {
        let key = json!([{ "x": self.x(), "d": URL_SAFE_NO_PAD.encode(SEED), "state": "active" }]);
        Keys { signing: key.to_string(), public: String::new() }
    }

    /// A key in KMS that is asked for its public half at start.
    pub(crate) fn kms_keys() -> Keys {
        Keys {
            signing: json!([{ "arn": KEY_ARN, "state": "active" }]).to_string(),
            public: String::new(),
        }
    }

    /// The same key with its public half given, as a stack is deployed.
    pub(crate) fn deployed_keys(&self) -> Keys {
        Keys { public: format!("{KEY_ARN}={}", self.public_key()), ..Self::kms_keys() }
    }

    /// The public key, as KMS gives it.
    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode([&SPKI_PREFIX[..], self.pair.public_key().as_ref()].concat())
    }

    /// What KMS signs; both sides in base64.
    pub(crate) fn kms_signature(&self, message: &str) -> String {
        STANDARD.encode(self.pair.sign(&STANDARD.decode(message).expect("the SDK sends base64")))
    }

    /// When a token made now may end.
    pub(crate) fn tomorrow(&self) -> u64 {
        self.now + DAY
    }
}

fn id(bytes: &[u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// The members of a JSON object as DynamoDB's attributes.
fn attributes(record: &Value) -> Value {
    let members = record.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Object(_) => json!({ "M": attributes(value) }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        other => json!({ "S": other }),
    }
}
