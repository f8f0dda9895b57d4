//! TLS, by rustls with ring: which certificate a program shows, whose it accepts, and who a
//! certificate names. Only TLS 1.2 and 1.3 with HTTP/2 (ALPN `h2`) are spoken. Files are read again
//! when they change, without dropping a connection.

mod client;
mod explain;
mod files;
mod names;
mod server;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedProtocolVersion, crypto};

pub use client::{ClientTls, ClientTlsFiles, Connection};
pub use explain::explain;
pub use names::CertificateNames;
pub use server::{ClientCertificates, ServerTls, ServerTlsFiles};
pub(crate) use server::{HandshakeFault, ServerStream};

/// The only protocol that is spoken inside TLS.
const H2: &[u8] = b"h2";

/// The versions that are spoken.
const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// The one provider of cryptography.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| Arc::new(crypto::ring::default_provider()));
    Arc::clone(provider)
}
