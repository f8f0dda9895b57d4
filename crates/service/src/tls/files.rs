//! PEM files: certificates, private keys, lists of revoked certificates.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::ExposeSecret as _;

use super::provider;
use crate::privacy;
use crate::reloaded::FileFault;

/// The items of one kind in a PEM file; at least one.
fn items<T: PemObject>(file: &Path, kind: &str) -> Result<Vec<T>, FileFault> {
    let text = std::fs::read(file).map_err(|error| FileFault::of(file, error))?;
    let items: Result<Vec<T>, _> = T::pem_slice_iter(&text).collect();
    let items = items.map_err(|error| FileFault::of(file, format!("is not PEM: {error}")))?;
    if items.is_empty() {
        return Err(FileFault::of(file, format!("has no {kind}")));
    }
    Ok(items)
}

/// A certificate with those that lead to its CA, and its private key. The two must belong together:
/// while files are exchanged one by one, they do not.
pub(super) fn certified_key(certificate: &Path, key: &Path) -> Result<CertifiedKey, FileFault> {
    let chain: Vec<CertificateDer<'static>> = items(certificate, "certificate")?;
    let secret = privacy::read_secret(key).map_err(FileFault)?;
    let key_der = PrivateKeyDer::from_pem_slice(secret.expose_secret().as_bytes())
        .map_err(|_| FileFault::of(key, "has no private key in PEM"))?;
    CertifiedKey::from_der(chain, key_der, &provider()).map_err(|error| {
        let what = format!("does not go with the key {}: {error}", key.display());
        FileFault::of(certificate, what)
    })
}

/// The certificates of CAs.
pub(super) fn roots(file: &Path) -> Result<RootCertStore, FileFault> {
    let mut roots = RootCertStore::empty();
    for certificate in items::<CertificateDer<'static>>(file, "certificate")? {
        let added = roots.add(certificate);
        added.map_err(|error| {
            FileFault::of(file, format!("has an unusable certificate: {error}"))
        })?;
    }
    Ok(roots)
}

/// Lists of revoked certificates.
pub(super) fn revoked(
    file: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, FileFault> {
    items(file, "list of revoked certificates (X509 CRL)")
}
