//! What every HTTP client of ours has in common.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};

/// Why certificates cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The text is not PEM.
    #[error("{0}")]
    Unreadable(#[source] reqwest::Error),
    /// There is no certificate in it.
    #[error("it has no certificate")]
    Empty,
}

/// Installs the TLS provider of the process. HTTP clients need it before they are built.
pub fn install_tls_provider() {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for servers of other people, which also trusts the certificates of `ca_pem`.
///
/// # Errors
/// When there is no certificate in `ca_pem`.
pub fn client_builder(
    ca_pem: Option<&[u8]>,
    connect_timeout: Duration,
) -> Result<ClientBuilder, CaError> {
    install_tls_provider();
    let builder = Client::builder()
        // A redirect would carry the message to another server.
        .redirect(Policy::none())
        // The log at level trace shows the frames of HTTP/2 with their paths, which are secrets.
        .http1_only()
        .connect_timeout(connect_timeout)
        .user_agent(concat!("echeck-returns/", env!("CARGO_PKG_VERSION")));
    let Some(pem) = ca_pem else {
        return Ok(builder);
    };
    let certificates = Certificate::from_pem_bundle(pem).map_err(CaError::Unreadable)?;
    if certificates.is_empty() {
        return Err(CaError::Empty);
    }
    Ok(builder.tls_certs_merge(certificates))
}

/// The first bytes of an answer's body, at most `most_bytes`, as far as they come within
/// `patience`. A server may send without end. Reading a short body to its end lets the connection
/// be used again; what is longer or slower is cut off with its connection.
pub async fn read_start(mut answer: Response, most_bytes: usize, patience: Duration) -> String {
    let mut start = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = most_bytes.saturating_sub(start.len());
            start.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
    };
    // What came until then is enough.
    let _ = tokio::time::timeout(patience, reading).await;
    String::from_utf8_lossy(&start).into_owned()
}

/// Whether what is sent to a host does not leave this machine.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_are_none_are_refused() {
        let refused = |pem: &[u8]| client_builder(Some(pem), Duration::from_secs(1)).is_err();
        assert!(refused(b""));
        assert!(refused(
            b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
        ));
        assert!(client_builder(None, Duration::from_secs(1)).is_ok());
    }
}
