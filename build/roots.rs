//! Writes the root certificates of Amazon Trust Services, from Mozilla's list, as PEM.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::Result;

/// The SHA-256 fingerprints that Amazon Trust Services publishes
/// (`amazontrust.com/repository`): Amazon Root CA 1 to 4, and the older Starfield Services Root
/// Certificate Authority - G2, which cross-signs them.
const FINGERPRINTS: [&str; 5] = [
    "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
];

/// Writes the certificates to `file`.
pub(crate) fn prepare(file: &Path) -> Result<()> {
    let pems = FINGERPRINTS.into_iter().map(pem).collect::<Result<Vec<_>>>()?;
    crate::write(file, pems.concat().as_bytes())
}

fn pem(fingerprint: &str) -> Result<String> {
    let is_wanted = |der: &&[u8]| format!("{:x}", Sha256::digest(der)) == fingerprint;
    let der = TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref).find(is_wanted);
    let body = STANDARD.encode(der.ok_or_else(|| {
        format!("Mozilla's list has no certificate with the fingerprint {fingerprint}")
    })?);
    Ok(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
}
