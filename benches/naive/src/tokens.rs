//! API tokens: verified and signed by `jsonwebtoken`, their records in DynamoDB.

use std::{collections::HashMap, env, time::SystemTime};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use lambda_http::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What stands before the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

pub(crate) struct Tokens {
    client: Client,
    table: String,
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    url: String,
}

pub(crate) struct Person {
    user: String,
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) issued_at: i64,
}

#[derive(Deserialize)]
struct Key {
    x: String,
    d: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    tid: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl Tokens {
    pub(crate) fn from_environment(config: &SdkConfig) -> Result<Self, Error> {
        let url = env::var("PUBLIC_URL")?;
        let [key]: [Key; 1] = serde_json::from_str(&env::var("SIGNING_KEYS")?)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[format!("{url}/api")]);
        validation.set_issuer(&[&url]);
        Ok(Self {
            client: Client::new(config),
            table: env::var("TABLE_NAME")?,
            decoding: DecodingKey::from_ed_components(&key.x)?,
            encoding: EncodingKey::from_ed_der(
                &[&PKCS8_PREFIX[..], &URL_SAFE_NO_PAD.decode(key.d)?].concat(),
            ),
            validation,
            url,
        })
    }

    pub(crate) async fn authenticate(&self, token: &str) -> Result<Person, Error> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)?.claims;
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.set_key(Some(key(&claims.sub, &claims.tid)));
        let item = get.send().await?.item.ok_or("no such token")?;
        let text = |name: &str| {
            item.get(name).and_then(|it| it.as_s().ok()).cloned().ok_or("no such text")
        };
        if text("h")? != digest(&claims.jti) {
            return Err("another token".into());
        }
        Ok(Person {
            user: claims.sub,
            email: text("email")?,
            role: text("role")?,
            issued_at: claims.iat,
        })
    }

    pub(crate) async fn issue(&self, person: &Person, exp: i64) -> async_graphql::Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let claims = Claims {
            iss: self.url.clone(),
            aud: format!("{}/api", self.url),
            sub: person.user.clone(),
            tid: format!("{now}"),
            jti: digest(&format!("{now}{exp}")),
            iat: i64::try_from(now)?,
            exp,
        };
        let token = encode(&Header::new(Algorithm::EdDSA), &claims, &self.encoding)?;
        let mut item = key(&claims.sub, &claims.tid);
        item.insert("h".to_owned(), AttributeValue::S(digest(&claims.jti)));
        item.insert("exp".to_owned(), AttributeValue::N(exp.to_string()));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(token)
    }
}

fn key(user: &str, token: &str) -> HashMap<String, AttributeValue> {
    let pair = |name: &str, text: String| (name.to_owned(), AttributeValue::S(text));
    HashMap::from([pair("PK", format!("U#{user}")), pair("SK", format!("NAIVE#{token}"))])
}

fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
