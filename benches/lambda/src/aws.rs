//! DynamoDB, KMS and Secrets Manager, as canned answers over TLS 1.3 on loopback.

use std::{
    fs, io,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use serde_json::json;

use crate::{
    account::{Account, KEY_ARN},
    http::{self, Request},
};

/// The roots that a function finds in Lambda as well.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// How many roots Amazon has.
const AMAZON_ROOTS: usize = 5;
const JSON: &str = "content-type: application/x-amz-json-1.0\r\nx-amzn-requestid: BENCH\r\n";
const SORT_KEY: &str = r#""SK":{"S":""#;

/// Where AWS is, and whom to trust for it.
#[derive(Clone)]
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    /// The system's roots, and the bench's own.
    pub(crate) system_roots: PathBuf,
    /// The bench's own among as many as Amazon has: the product reads no others for AWS.
    pub(crate) amazon_roots: PathBuf,
}

impl Aws {
    /// Serves `account` until the bench ends; writes the certificates into `folder`.
    pub(crate) fn serving(account: Arc<Account>, folder: &Path) -> io::Result<Self> {
        let (config, root) = certified(0);
        let (system_roots, amazon_roots) = (folder.join("system.pem"), folder.join("amazon.pem"));
        let others = (1..AMAZON_ROOTS).map(|it| certified(it).1).collect::<String>();
        fs::write(&amazon_roots, others + &root)?;
        fs::write(&system_roots, fs::read_to_string(SYSTEM_ROOTS).unwrap_or_default() + &root)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (account, config) = (Arc::clone(&account), Arc::clone(&config));
                thread::spawn(move || serve(stream, config, &account));
            }
        });
        Ok(Self { endpoint, system_roots, amazon_roots })
    }
}

/// A certificate for localhost, and the root that it is of, one of several.
fn certified(number: usize) -> (Arc<ServerConfig>, String) {
    let key = || KeyPair::generate().expect("the system has randomness");
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(DnType::CommonName, format!("Bench Root CA {number}"));
    let (root_key, leaf_key) = (key(), key());
    let root_pem = root.self_signed(&root_key).expect("a root").pem();
    let leaf = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&leaf_key, &Issuer::new(root, root_key)).expect("a certificate");

    let chain = vec![CertificateDer::from(leaf)];
    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config =
        config.with_protocol_versions(&[&TLS13]).expect("ring knows TLS 1.3").with_no_client_auth();
    let mut config =
        config.with_single_cert(chain, key.into()).expect("the key is the certificate's");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (Arc::new(config), root_pem)
}

/// Answers a connection until it is closed. However it ends, the next one is served.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, account: &Account) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut stream = io::BufReader::new(stream);
    while let Some(request) = http::read(&mut stream).ok()? {
        let body = answer(&request, account);
        http::answer(stream.get_mut(), "200 OK", JSON, body.as_bytes()).ok()?;
    }
    Some(())
}

fn answer(request: &Request, account: &Account) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let mut records =
        body.split(SORT_KEY).skip(1).filter_map(|it| account.records.get(it.split('"').next()?));
    match request.operation.as_str() {
        "GetItem" => records.next().map_or("{}".to_owned(), |it| format!(r#"{{"Item":{it}}}"#)),
        "BatchGetItem" => {
            let items: Vec<_> = records.map(String::as_str).collect();
            format!(r#"{{"Responses":{{"arm":[{}]}},"UnprocessedKeys":{{}}}}"#, items.join(","))
        }
        "GetPublicKey" => {
            json!({ "KeyId": KEY_ARN, "PublicKey": account.public_key() }).to_string()
        }
        "Sign" => {
            let message = body.split(r#""Message":""#).nth(1).and_then(|it| it.split('"').next());
            let signature = account.kms_signature(message.unwrap_or_default());
            json!({ "KeyId": KEY_ARN, "Signature": signature }).to_string()
        }
        "GetSecretValue" => json!({ "Name": "providers", "SecretString": "" }).to_string(),
        _ => "{}".to_owned(),
    }
}
