//! A fake of DynamoDB, KMS and Secrets Manager over TLS 1.3 on loopback.

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

/// The root certificates of the system, which exist in Lambda too.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The number of root certificates of Amazon.
const AMAZON_ROOTS: usize = 5;
const JSON: &str = "content-type: application/x-amz-json-1.0\r\nx-amzn-requestid: BENCH\r\n";
const SORT_KEY: &str = r#""SK":{"S":""#;

/// The endpoint of the fake AWS, and its root certificates.
#[derive(Clone)]
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    /// The root certificates of the system and of the fake.
    pub(crate) system_roots: PathBuf,
    /// The root certificate of the fake and others, as many as Amazon has. The product trusts only
    /// Amazon's for AWS.
    pub(crate) amazon_roots: PathBuf,
}

impl Aws {
    /// Serves `account` until the process ends. Writes the certificates to `folder`.
    pub(crate) fn start(account: Arc<Account>, folder: &Path) -> io::Result<Self> {
        let (config, root) = create_certificate(0);
        let system_roots = folder.join("system.pem");
        let amazon_roots = folder.join("amazon.pem");
        let others = (1..AMAZON_ROOTS).map(|it| create_certificate(it).1).collect::<String>();
        fs::write(&amazon_roots, others + &root)?;
        fs::write(&system_roots, fs::read_to_string(SYSTEM_ROOTS).unwrap_or_default() + &root)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let account = Arc::clone(&account);
                let config = Arc::clone(&config);
                thread::spawn(move || serve(stream, config, &account));
            }
        });
        Ok(Self { endpoint, system_roots, amazon_roots })
    }
}

/// Creates a certificate for localhost. Returns the server configuration and the root certificate.
fn create_certificate(number: usize) -> (Arc<ServerConfig>, String) {
    let key = || KeyPair::generate().expect("the system has randomness");
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(DnType::CommonName, format!("Bench Root CA {number}"));
    let root_key = key();
    let leaf_key = key();
    let root_pem = root.self_signed(&root_key).expect("the parameters are valid").pem();
    let leaf = CertificateParams::new(["localhost".to_owned()]).expect("localhost is a valid name");
    let leaf =
        leaf.signed_by(&leaf_key, &Issuer::new(root, root_key)).expect("the parameters are valid");

    let chain = vec![CertificateDer::from(leaf)];
    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config
        .with_protocol_versions(&[&TLS13])
        .expect("ring supports TLS 1.3")
        .with_no_client_auth();
    let mut config =
        config.with_single_cert(chain, key.into()).expect("the key belongs to the certificate");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (Arc::new(config), root_pem)
}

/// Serves a connection until it is closed or fails.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, account: &Account) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut stream = io::BufReader::new(stream);
    while let Some(request) = http::read(&mut stream).ok()? {
        let body = respond(&request, account);
        http::respond(stream.get_mut(), "200 OK", JSON, body.as_bytes()).ok()?;
    }
    Some(())
}

fn respond(request: &Request, account: &Account) -> String {
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
