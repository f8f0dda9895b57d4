//! A gRPC server as every service needs it: it listens, says how it is, keeps deadlines and
//! limits, logs its calls, and stops in an orderly way within a bound.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::ServiceBuilder;
use tracing::{info, warn};

mod call;
mod connections;
mod deadline;
mod farewell;
mod gate;
mod health;
mod in_flight;
mod pace;
mod record;
mod reflection;
mod refusal;
mod refused;
mod request_body;
mod seats;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod trailers;

pub use deadline::{Deadline, deadline_of};
pub use health::Health;
pub use refused::{Refusals, Refused};
pub use settings::{Protection, ServerConfig, ServerDefaults};

use call::CallLayer;
use connections::{Admitted, Connection, Connections};
use deadline::DeadlineLayer;
use farewell::{Farewell, Farewells};
use gate::Gate;
use in_flight::InFlight;
use pace::Paces;

use crate::access::{ANONYMOUS, Access};
use crate::clock::SharedClock;
use crate::metrics::CERTIFICATE_LEFT;
use crate::telemetry;
use crate::tls::{HandshakeFault, ServerTls};

/// How long answers may take to leave after the remaining calls were cut.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// Why a server could not start or had to stop.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} (server.listen): {source}")]
    Bind {
        /// The address as configured.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The descriptors that were built into this program are broken.
    #[error("reflection cannot be offered: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// A listener that does not answer yet. Connections wait until it serves, so "listening on" is
/// true from here, and a port of 0 has become a real one.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    config: ServerConfig,
}

/// What a server serves, and to whom.
pub struct Served {
    /// The services.
    pub routes: RoutesBuilder,
    /// How they are.
    pub health: Health,
    /// Who may call them.
    pub access: Access,
    /// Where it is noted who was refused.
    pub refusals: Refusals,
    /// By which tokens expire.
    pub clock: SharedClock,
    /// Where numbers and health can be asked for without a call, if anywhere.
    pub metrics: Option<SocketAddr>,
}

impl ServerConfig {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the address is taken or is not one of this machine's.
    pub async fn bind(&self) -> Result<Bound, ServeError> {
        let address = self.listen;
        let refuse = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        Ok(Bound {
            listener,
            address,
            config: self.clone(),
        })
    }
}

impl Bound {
    /// The address that is listened on, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves the services, health and reflection until `shutdown` is cancelled. Then health says
    /// NOT_SERVING, no more connections or calls are taken, and those in flight may end within
    /// `drain_timeout`; what is left after that is answered `UNAVAILABLE` and counted in the log.
    ///
    /// # Errors
    /// When reflection cannot be built or the transport fails.
    pub async fn serve(
        self,
        served: Served,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let Served {
            mut routes,
            health,
            access,
            refusals,
            clock,
            metrics,
        } = served;
        if let Some(address) = metrics {
            tokio::spawn(telemetry::serve_port(
                address,
                health.clone(),
                shutdown.clone(),
            ));
        }
        if let Some(tls) = self.config.protection.tls() {
            let watching = watch_certificate(tls.clone(), clock.clone());
            tokio::spawn(shutdown.clone().run_until_cancelled_owned(watching));
        }
        let in_flight = InFlight::new(&self.config);
        self.config.say_how_protected();
        routes.add_service(health.server());
        reflection::add(&mut routes, health.services())?;
        let gate = Gate {
            access,
            refusals: refusals.clone(),
            in_flight: in_flight.clone(),
            paces: Paces::new(&self.config),
            clock,
        };
        let layers = ServiceBuilder::new()
            .layer(CallLayer {
                gate,
                message_timeout: self.config.message_timeout,
            })
            .layer(self.config.deadlines())
            .into_inner();
        let stop = async {
            shutdown.cancelled().await;
            health.drain();
            info!(in_flight = in_flight.count(), "draining");
        };
        let router = self
            .config
            .transport()
            .layer(layers)
            .add_routes(routes.routes());
        let incoming = incoming(self.listener, &self.config, refusals);
        let mut server = pin!(router.serve_with_incoming_shutdown(incoming, stop));
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(self.config.drain_timeout).await;
        };
        tokio::select! {
            outcome = &mut server => outcome?,
            () = overdue => {
                let calls = in_flight.count();
                warn!(calls, drain_timeout = ?self.config.drain_timeout, "the drain took too long; cutting the calls that are left");
                in_flight.cut.cancel();
                // A connection that does not even take its answers ends with the process.
                if let Ok(outcome) = tokio::time::timeout(FLUSH_TIME, server).await {
                    outcome?;
                }
            }
        }
        info!("stopped serving");
        Ok(())
    }
}

/// Says how long the server's certificate is still valid.
async fn watch_certificate(tls: ServerTls, clock: SharedClock) {
    const BETWEEN_LOOKS: Duration = Duration::from_secs(30);
    loop {
        if let Some(end) = tls.not_after() {
            let left = (end - clock.now()).num_seconds();
            CERTIFICATE_LEFT.set(u64::try_from(left).unwrap_or(0), &[]);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

impl ServerConfig {
    fn deadlines(&self) -> DeadlineLayer {
        DeadlineLayer {
            default_timeout: self.default_timeout,
            max_timeout: self.max_timeout,
        }
    }

    /// The limits of the transport.
    fn transport(&self) -> Server {
        /// Streams that a peer opened and reset before they were taken: more than a few are an
        /// attack (rapid reset), which ends the connection.
        const MAX_PENDING_RESETS: usize = 20;
        Server::builder()
            .max_concurrent_streams(self.max_concurrent_streams)
            .max_connection_age(self.max_connection_age)
            .http2_max_header_list_size(self.max_header_bytes)
            .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
            .http2_keepalive_interval(Some(self.keepalive_interval))
            .http2_keepalive_timeout(Some(self.keepalive_timeout))
    }
}

/// The connections. tonic would ask again at once after a failed accept; out of file
/// descriptors, that would take a whole core. TLS begins on each beside the others, so that a slow
/// one holds nobody up.
fn incoming(
    listener: TcpListener,
    config: &ServerConfig,
    refusals: Refusals,
) -> impl futures_util::Stream<Item = Result<Connection, std::io::Error>> + use<> {
    const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);
    /// Handshakes beside the connections that have a place: none of them may keep the door shut.
    const SPARE: usize = 64;
    let mut connections = Connections::new(config);
    let handshakes = connections.most() + SPARE;
    let tls = config.protection.tls().cloned();
    let beginning = Beginning {
        tls,
        refusals,
        farewells: connections.farewells.clone(),
    };
    TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .filter_map(move |accepted| {
            let admitted = accepted.map(|stream| connections.admit(stream)).transpose();
            async move {
                if let Some(Err(fault)) = &admitted {
                    warn!(%fault, "cannot accept a connection");
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                }
                admitted
            }
        })
        .map(move |admitted| beginning.clone().begin(admitted))
        .buffer_unordered(handshakes)
        .filter_map(std::future::ready)
}

/// How a connection begins.
#[derive(Clone)]
struct Beginning {
    tls: Option<ServerTls>,
    refusals: Refusals,
    farewells: Farewells,
}

impl Beginning {
    async fn begin(
        self,
        admitted: Result<Admitted, std::io::Error>,
    ) -> Option<Result<Connection, std::io::Error>> {
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(fault) => return Some(Err(fault)),
        };
        let Some(tls) = self.tls else {
            return admitted.begin(None).await.ok().map(Ok);
        };
        let address = admitted.address;
        // On a task of its own: the work of many handshakes is for all cores.
        let begun = tokio::spawn(async move { admitted.begin(Some(&tls)).await });
        let fault = match begun.await.ok()? {
            Ok(connection) => return Some(Ok(connection)),
            Err(fault) => fault,
        };
        self.refusals.note(Refused {
            word: fault.word(),
            method: "",
            identity: ANONYMOUS.to_owned(),
            address: Some(address),
            what: fault.to_string(),
            unrecorded: 0,
        });
        match fault {
            HandshakeFault::PlainText(stream) => {
                let why = "this port is with TLS: connect with https://, or without -plaintext";
                self.farewells.say(stream, Farewell::WithoutTls, why);
            }
            HandshakeFault::Failed(_, stream) => self.farewells.linger(stream),
            HandshakeFault::NotHttp2 | HandshakeFault::Lost(_) => {}
        }
        None
    }
}
