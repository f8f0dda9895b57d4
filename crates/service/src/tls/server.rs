//! The server's side: what it shows, and whose certificates it accepts.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::{certified_key, revoked, roots};
use super::names::not_after;
use super::{CertificateNames, H2, VERSIONS, provider};
use crate::config::Section;
use crate::reloaded::{FileFault, Reloaded};

/// What the first byte of TLS is: a record that carries a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Whether callers need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// No connection without one.
    Required,
    /// A caller may have a token instead. A certificate that is shown must be a right one.
    Optional,
}

/// The files of a server.
#[derive(Debug, Clone)]
pub struct ServerTlsFiles {
    /// The server's certificate, and those that lead to its CA, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// The CAs of callers' certificates; without them no certificate is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether callers need one.
    pub client_certificates: ClientCertificates,
    /// The certificates of callers that were revoked, in PEM.
    pub crl: Option<PathBuf>,
}

/// TLS of a server.
#[derive(Debug, Clone)]
pub struct ServerTls(Arc<Reloaded<ServerSide>>);

struct ServerSide {
    config: Arc<ServerConfig>,
    not_after: Option<DateTime<Utc>>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn new(files: ServerTlsFiles) -> Result<Self, FileFault> {
        let watched = [&files.certificate, &files.key].into_iter();
        let watched = watched.chain(&files.client_ca).chain(&files.crl).cloned();
        let reloaded = Reloaded::new(watched.collect(), move || side(&files))?;
        Ok(Self(Arc::new(reloaded)))
    }

    /// Reads the section `[server.tls]`, if there is one: `certificate_file`, `key_file`,
    /// `client_ca_file`, `client_certificates` and `crl_file`.
    pub fn read(server: &Section<'_>, default: ClientCertificates) -> Option<Self> {
        if !server.has("tls") {
            return None;
        }
        let section = server.section("tls");
        let choices = [
            ("required", ClientCertificates::Required),
            ("optional", ClientCertificates::Optional),
        ];
        let files = ServerTlsFiles {
            certificate: section.string("certificate_file").into(),
            key: section.string("key_file").into(),
            client_ca: section.optional_string("client_ca_file").map(PathBuf::from),
            client_certificates: section.one_of("client_certificates", &choices, Some(default)),
            crl: section.optional_string("crl_file").map(PathBuf::from),
        };
        let required = files.client_certificates == ClientCertificates::Required;
        if files.client_ca.is_none() && (required || files.crl.is_some()) {
            let what = "is required: the CA whose certificates callers may show";
            section.fault("client_ca_file", what);
            return None;
        }
        if files.certificate.as_os_str().is_empty() || files.key.as_os_str().is_empty() {
            return None;
        }
        let read = Self::new(files);
        read.map_err(|fault| section.fault("certificate_file", fault.to_string()))
            .ok()
    }

    /// When the server's certificate ends to be valid.
    pub fn not_after(&self) -> Option<DateTime<Utc>> {
        self.0.now().not_after
    }

    /// Begins TLS on a connection.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<ServerStream, HandshakeFault> {
        let mut first = [0];
        if stream
            .peek(&mut first)
            .await
            .map_err(HandshakeFault::Lost)?
            > 0
            && first != [TLS_HANDSHAKE]
        {
            return Err(HandshakeFault::PlainText(stream));
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0.now().config));
        let accepted = acceptor.accept(stream).into_fallible().await;
        let stream = accepted.map_err(|(error, stream)| HandshakeFault::Failed(error, stream))?;
        match stream.get_ref().1.alpn_protocol() {
            Some(H2) => Ok(ServerStream::Tls(Box::new(stream))),
            Some(_) | None => Err(HandshakeFault::NotHttp2),
        }
    }
}

fn side(files: &ServerTlsFiles) -> Result<ServerSide, FileFault> {
    let key = certified_key(&files.certificate, &files.key)?;
    let not_after = key.cert.first().and_then(not_after);
    let unusable = |what: &dyn std::fmt::Display| FileFault(format!("TLS cannot be used: {what}"));
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(|error| unusable(&error))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let roots = Arc::new(roots(ca)?);
            let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            if let Some(crl) = &files.crl {
                let lists = revoked(crl)?;
                verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
            }
            if files.client_certificates == ClientCertificates::Optional {
                verifier = verifier.allow_unauthenticated();
            }
            let verifier = verifier.build().map_err(|error| unusable(&error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![H2.to_vec()];
    // A session that is resumed would not show its certificate again, which may be revoked since.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(ServerSide {
        config: Arc::new(config),
        not_after,
    })
}

/// Why a connection did not come to TLS.
#[derive(Debug)]
pub(crate) enum HandshakeFault {
    /// The caller does not speak TLS.
    PlainText(TcpStream),
    /// The caller speaks another protocol inside TLS.
    NotHttp2,
    /// TLS failed, which the caller was told; or the connection did.
    Failed(io::Error, TcpStream),
    /// The connection is gone.
    Lost(io::Error),
}

impl HandshakeFault {
    /// A word for it, of a closed list.
    pub(crate) fn word(&self) -> &'static str {
        let error = match self {
            Self::PlainText(_) => return "plain_text",
            Self::NotHttp2 => return "not_http2",
            Self::Failed(error, _) | Self::Lost(error) => error,
        };
        let held = error.get_ref().and_then(|held| held.downcast_ref());
        match held {
            Some(rustls::Error::NoCertificatesPresented) => "certificate_missing",
            Some(rustls::Error::InvalidCertificate(fault)) => match fault {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "certificate_expired"
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "certificate_not_valid_yet"
                }
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "certificate_of_unknown_ca"
                }
                CertificateError::Revoked => "certificate_revoked",
                _ => "certificate_not_accepted",
            },
            Some(rustls::Error::AlertReceived(_)) => "caller_refused",
            Some(rustls::Error::PeerIncompatible(_)) => "no_common_version",
            Some(_) => "tls_failed",
            None => "connection_lost",
        }
    }
}

impl std::fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PlainText(_) => f.write_str("the caller does not speak TLS"),
            Self::NotHttp2 => f.write_str("the caller does not ask for HTTP/2 (ALPN h2)"),
            Self::Failed(error, _) | Self::Lost(error) => error.fmt(f),
        }
    }
}

/// A connection with or without TLS.
pub(crate) enum ServerStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl ServerStream {
    /// Who the caller's certificate names, if there is one.
    pub(crate) fn certificate(&self) -> Option<CertificateNames> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => {
                let chain = stream.get_ref().1.peer_certificates()?;
                CertificateNames::of_chain(chain)
            }
        }
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
