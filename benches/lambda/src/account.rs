//! A user of the product with a session and tokens, their records in DynamoDB, and the signing key.

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

/// The public URL of the product.
pub(crate) const URL: &str = "https://arm.test";
/// The ARN of the signing key in KMS.
pub(crate) const KEY_ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/bench";

const SEED: [u8; 32] = [7; 32];
const DAY: u64 = 86_400;
/// The prefix of an Ed25519 public key in DER (RFC 8410), before its 32 bytes.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// The environment variables with the keys.
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
    /// The records, by sort key.
    pub(crate) records: HashMap<String, String>,
    /// The value of the session cookie.
    pub(crate) session: String,
    /// API tokens. Each has its own record.
    pub(crate) tokens: Vec<String>,
}

impl Account {
    /// Creates an account with this number of tokens.
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
            account.create_token(number);
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

    /// Creates a token, its record and its slot.
    fn create_token(&mut self, number: usize) {
        let secret = sha256(&format!("token {number}"));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let token = id(&bytes);
        let expires = self.now + DAY;
        let record = json!({
            "user": self.user, "id": token, "name": "default", "h": sha256(&secret), "epoch": 0,
            "iat": self.now, "exp": expires, "state": { "name": "active" },
            "firstUsedAt": self.now, "lastUsedAt": self.now,
        });
        self.put(&format!("T#{token}"), &record);
        let slot = json!({ "user": self.user, "name": "default", "tid": token, "exp": expires, "epoch": 0 });
        self.put("N#default", &slot);
        self.tokens.push(self.sign(&format!(
            r#"{{"iss":"{URL}","aud":"{URL}/api","sub":"{}","tid":"{token}","jti":"{secret}","iat":{},"exp":{expires}}}"#,
            self.user, self.now
        )));
    }

    fn sign(&self, claims: &str) -> String {
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

    /// Returns a key that the function itself signs with.
    pub(crate) fn local_keys(&self) -> Keys {
        let key = json!([{ "x": self.x(), "d": URL_SAFE_NO_PAD.encode(SEED), "state": "active" }]);
        Keys { signing: key.to_string(), public: String::new() }
    }

    /// Returns a key in KMS. The function reads the public key from KMS when it starts.
    pub(crate) fn kms_keys() -> Keys {
        Keys {
            signing: json!([{ "arn": KEY_ARN, "state": "active" }]).to_string(),
            public: String::new(),
        }
    }

    /// Returns a key in KMS and its public key, as in a deployed stack.
    pub(crate) fn deployed_keys(&self) -> Keys {
        Keys { public: format!("{KEY_ARN}={}", self.public_key()), ..Self::kms_keys() }
    }

    /// Returns the public key, as KMS does.
    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode([&SPKI_PREFIX[..], self.pair.public_key().as_ref()].concat())
    }

    /// Signs a message, as KMS does. The message and the signature are in base64.
    pub(crate) fn kms_signature(&self, message: &str) -> String {
        STANDARD.encode(self.pair.sign(&STANDARD.decode(message).expect("the SDK sends base64")))
    }

    /// Returns a valid expiration time for a new token.
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

/// Converts the members of a JSON object to attributes of DynamoDB.
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
