//! The caller's side: which server it trusts, what it shows, and how it connects.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use super::files::{certified_key, roots};
use super::{H2, VERSIONS, explain, provider};
use crate::config::Section;
use crate::reloaded::{FileFault, Reloaded};

/// The files of a caller.
#[derive(Debug, Clone)]
pub struct ClientTlsFiles {
    /// The CAs of the servers that are trusted, in PEM. Those of the system are not.
    pub ca: PathBuf,
    /// The caller's own certificate and private key, in PEM, where the server wants one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// TLS of a caller.
#[derive(Debug, Clone)]
pub struct ClientTls(Arc<Reloaded<ClientConfig>>);

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn new(files: ClientTlsFiles) -> Result<Self, FileFault> {
        let mut watched = vec![files.ca.clone()];
        if let Some((certificate, key)) = &files.certificate {
            watched.extend([certificate.clone(), key.clone()]);
        }
        let reloaded = Reloaded::new(watched, move || client_config(&files))?;
        Ok(Self(Arc::new(reloaded)))
    }

    /// The settings as they are on disk now, for a protocol other than HTTP/2.
    pub fn config(&self) -> ClientConfig {
        let mut config = (*self.0.now()).clone();
        config.alpn_protocols.clear();
        config
    }

    /// Reads a section with `ca_file`, `certificate_file` and `key_file`, if there is one under
    /// `key`.
    pub fn read(parent: &Section<'_>, key: &str) -> Option<Self> {
        if !parent.has(key) {
            return None;
        }
        let section = parent.section(key);
        let ca = PathBuf::from(section.string("ca_file"));
        let certificate = section.optional_string("certificate_file");
        let own_key = section.optional_string("key_file");
        let certificate = match (certificate, own_key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let what = "and certificate_file go together; one of them is missing";
                section.fault("key_file", what);
                return None;
            }
        };
        if ca.as_os_str().is_empty() {
            return None;
        }
        let read = Self::new(ClientTlsFiles { ca, certificate });
        read.map_err(|fault| section.fault("ca_file", fault.to_string()))
            .ok()
    }
}

fn client_config(files: &ClientTlsFiles) -> Result<ClientConfig, FileFault> {
    let unusable = |error: rustls::Error| FileFault(format!("TLS cannot be used: {error}"));
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(unusable)?
        .with_root_certificates(roots(&files.ca)?);
    let mut config = match &files.certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = certified_key(certificate, key)?;
            let resolver = rustls::sign::SingleCertAndKey::from(key);
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
    };
    config.alpn_protocols = vec![H2.to_vec()];
    // What was exchanged on disk is shown with the next connection.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// How a server is reached: its address, and TLS where that begins with `https://`.
#[derive(Debug, Clone)]
pub struct Connection {
    endpoint: Endpoint,
    connector: Option<Connector>,
    told: Told,
}

impl Connection {
    /// The way to `address`, such as `https://adapter:50052`.
    ///
    /// # Errors
    /// When `address` is not a valid one, or is `https://` and `tls` is not there.
    pub fn new(address: &str, tls: Option<&ClientTls>) -> Result<Self, String> {
        let invalid = |error: &dyn Error| format!("{address:?} is not a valid address: {error}");
        let uri: Uri = address.parse().map_err(|error| invalid(&error))?;
        let told = Told::default();
        let plain = || Endpoint::from_shared(address.to_owned()).map_err(|error| invalid(&error));
        let (endpoint, connector) = match (uri.scheme_str(), tls) {
            (Some("https"), None) => {
                return Err(format!(
                    "{address} is with TLS; name the file of the CA that its certificate is from"
                ));
            }
            (Some("https"), Some(tls)) => {
                // The connector brings TLS with it: the library must not begin its own.
                let inner = address.replacen("https://", "http://", 1);
                let endpoint = Endpoint::from_shared(inner).map_err(|error| invalid(&error))?;
                let connector = Connector::new(&uri, tls.clone(), told.clone())?;
                (endpoint.origin(uri), Some(connector))
            }
            (Some("http"), _) => (plain()?, None),
            (Some(_) | None, _) => {
                return Err(format!(
                    "{address:?} is not a valid address: it begins with neither http:// nor https://"
                ));
            }
        };
        Ok(Self {
            endpoint,
            connector,
            told,
        })
    }

    /// With other settings of the connection.
    #[must_use]
    pub fn with(mut self, settings: impl FnOnce(Endpoint) -> Endpoint) -> Self {
        self.endpoint = settings(self.endpoint);
        self
    }

    /// A channel that connects when it is first used, and again whenever it has to.
    pub fn lazy(&self) -> Channel {
        match &self.connector {
            None => self.endpoint.connect_lazy(),
            Some(connector) => {
                let connector = connector.clone();
                self.endpoint
                    .connect_with_connector_lazy(tower::service_fn(move |_| {
                        connector.clone().connect()
                    }))
            }
        }
    }

    /// A channel that is connected.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub async fn connect(&self) -> Result<Channel, String> {
        let connected = match &self.connector {
            None => self.endpoint.connect().await,
            Some(connector) => {
                let connector = connector.clone();
                let connect = tower::service_fn(move |_| connector.clone().connect());
                self.endpoint.connect_with_connector(connect).await
            }
        };
        connected.map_err(|error| {
            explain(&error).unwrap_or_else(|| crate::innermost(&error).to_string())
        })
    }

    /// Why TLS ended on the last connection that it ended on: what the server told when it did not
    /// accept our certificate, which comes after the connection is made (RFC 8446, section 4.4.2.4),
    /// so that a call only sees that it was lost.
    pub fn told(&self) -> Option<String> {
        self.told
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What the server told last.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Option<String>>>);

impl Told {
    fn note(&self, what: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

/// Connects with TLS.
#[derive(Debug, Clone)]
struct Connector {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: ClientTls,
    told: Told,
}

impl Connector {
    fn new(uri: &Uri, tls: ClientTls, told: Told) -> Result<Self, String> {
        let host = uri.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| format!("{host:?} is not the name of a server"))?;
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(443),
            name,
            tls,
            told,
        })
    }

    async fn connect(self) -> io::Result<TokioIo<ClientStream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(self.tls.0.now());
        let stream = connector.connect(self.name, stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(H2) {
            return Err(io::Error::other(rustls::Error::NoApplicationProtocol));
        }
        self.told.note(None);
        Ok(TokioIo::new(ClientStream {
            stream,
            told: self.told,
        }))
    }
}

/// A connection that notes why TLS ended on it.
struct ClientStream {
    stream: TlsStream<TcpStream>,
    told: Told,
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = ready!(Pin::new(&mut this.stream).poll_read(context, buffer));
        if let Err(error) = &read
            && let Some(why) = explain(error)
        {
            this.told.note(Some(why));
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
