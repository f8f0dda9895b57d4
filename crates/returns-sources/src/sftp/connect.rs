//! Getting in, step by step, each bounded in time: name, connection, handshake, host key,
//! log-in. A diagnosis takes the same steps one by one.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use ssh2::MethodType;

use super::code;
use super::pin::{Fingerprint, Pin, PinnedKeys, algorithms_of, join};
use crate::awaited::Answer;
use crate::error::SourceError;
use crate::location::SftpLocation;

/// The types of host keys that are asked for one after another where any may be pinned.
const KEY_TYPES: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// What a time-out is in milliseconds.
pub(super) fn in_ms(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

/// A time-out for libssh2, to which 0 means for ever.
pub(super) fn limit(session: &ssh2::Session, limit: Duration) {
    session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).max(1));
}

impl SftpLocation {
    /// Nothing takes our connection.
    pub(crate) fn unreachable(&self, after: Duration) -> SourceError {
        SourceError::HostSilent {
            host: self.host.clone(),
            port: self.port,
            after_ms: in_ms(after),
        }
    }

    /// The server took our connection, and did not answer this.
    pub(crate) fn silent(&self, what: impl Into<String>, waited: Duration) -> SourceError {
        SourceError::ServerSilent {
            host: self.host.clone(),
            what: what.into(),
            after_ms: in_ms(waited),
        }
    }

    /// The answer did not come until now.
    pub(crate) fn unanswered(&self, answer: &Answer, waited: Duration) -> SourceError {
        match answer {
            Answer::HostName => self.name_server_failed(format!(
                "the name server does not answer (waited {} ms)",
                in_ms(waited)
            )),
            Answer::Connection => self.unreachable(waited),
            Answer::Handshake => SourceError::HandshakeSilent {
                host: self.host.clone(),
                after_ms: in_ms(waited),
            },
            Answer::LogIn => SourceError::LogInSilent {
                host: self.host.clone(),
                after_ms: in_ms(waited),
            },
            Answer::To(request) => self.silent(&**request, waited),
        }
    }

    fn name_server_failed(&self, why: String) -> SourceError {
        SourceError::NameServer {
            host: self.host.clone(),
            why,
        }
    }

    fn no_handshake(&self, why: impl Into<String>) -> SourceError {
        SourceError::Handshake {
            host: self.host.clone(),
            why: why.into(),
        }
    }

    /// The addresses of the host. The system's look-up knows no time-out, so it is waited for
    /// from outside.
    pub(crate) fn resolve(&self, limit: Duration) -> Result<Vec<SocketAddr>, SourceError> {
        let not_found = |why: String| SourceError::HostNotFound {
            host: self.host.clone(),
            why,
        };
        let (found, finding) = mpsc::channel();
        let (host, port) = (self.host.clone(), self.port);
        std::thread::spawn(move || {
            // Nobody waits any more when it took too long.
            let _ = found.send(look_up(&host, port));
        });
        let error = match finding.recv_timeout(limit) {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                return Err(not_found("it has no address".to_owned()));
            }
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(error)) => error,
            Err(_) => return Err(self.unanswered(&Answer::HostName, limit)),
        };
        let kind = error.kind();
        let said = std::io::Error::from(error).to_string();
        Err(match kind {
            LookupErrorKind::NoName | LookupErrorKind::NoData => not_found(said),
            LookupErrorKind::Again | LookupErrorKind::Fail => self.name_server_failed(format!(
                "the name server answers with a failure, or not at all ({said})"
            )),
            _ => self.name_server_failed(format!("this machine cannot ask for it ({said})")),
        })
    }

    /// A connection to the first address that takes one.
    pub(crate) fn connect(
        &self,
        addresses: &[SocketAddr],
        limit: Duration,
    ) -> Result<TcpStream, SourceError> {
        let started = Instant::now();
        let mut refused = false;
        let mut observed = None;
        for (tried, address) in addresses.iter().enumerate() {
            let left = limit.saturating_sub(started.elapsed());
            let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    // Requests are small, and each is waited for.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => match error.kind() {
                    ErrorKind::ConnectionRefused => refused = true,
                    ErrorKind::TimedOut => {}
                    _ => observed = Some(error),
                },
            }
        }
        if refused {
            return Err(SourceError::PortClosed {
                host: self.host.clone(),
                port: self.port,
            });
        }
        let silent = || self.unreachable(started.elapsed());
        Err(
            observed.map_or_else(silent, |error| SourceError::Unreachable {
                host: self.host.clone(),
                port: self.port,
                why: words(&error),
            }),
        )
    }

    /// An SSH session over the connection. Nobody is trusted yet.
    pub(crate) fn handshake(
        &self,
        stream: TcpStream,
        algorithms: Option<&str>,
        time: Duration,
    ) -> Result<ssh2::Session, SourceError> {
        let started = Instant::now();
        let failed = |error: ssh2::Error| match code(&error) {
            super::TIMEOUT => self.unanswered(&Answer::Handshake, started.elapsed()),
            _ => self.no_handshake(error.message()),
        };
        let mut session = ssh2::Session::new().map_err(failed)?;
        if let Some(algorithms) = algorithms {
            session
                .method_pref(MethodType::HostKey, algorithms)
                .map_err(failed)?;
        }
        session.set_tcp_stream(stream);
        limit(&session, time);
        session.handshake().map_err(failed)?;
        Ok(session)
    }

    /// The host keys that are right.
    pub(crate) fn pinned_keys(&self) -> Result<PinnedKeys, SourceError> {
        let keys = self.pin.keys_of(&self.host, self.port);
        keys.map_err(|why| SourceError::Credential {
            key: "known_hosts_file",
            why,
        })
    }

    /// Checks the host key of `session`. A server has several keys and shows one: where it is
    /// not a pinned one, it is asked for its others, over connections that `again` makes for
    /// the algorithms it is given.
    pub(crate) fn check_host_key(
        &self,
        mut session: ssh2::Session,
        pinned: &PinnedKeys,
        mut again: impl FnMut(&str) -> Result<ssh2::Session, SourceError>,
    ) -> Result<(ssh2::Session, Fingerprint), SourceError> {
        let mut seen = Vec::new();
        let mut untried: Vec<&str> = KEY_TYPES.to_vec();
        loop {
            let Some((key, _)) = session.host_key() else {
                return Err(self.no_handshake("the server showed no host key"));
            };
            let fingerprint = Fingerprint::of(key);
            if pinned.accepts(fingerprint) {
                return Ok((session, fingerprint));
            }
            let shown = key_type(key).unwrap_or_default();
            untried.retain(|other| *other != shown);
            if !seen.contains(&fingerprint) {
                seen.push(fingerprint);
            }
            let other_types_may_be_pinned = matches!(self.pin, Pin::Fingerprints(_));
            let algorithms = algorithms_of(&untried).filter(|_| other_types_may_be_pinned);
            // A server that has no other key ends the handshake.
            let next = algorithms.and_then(|algorithms| again(&algorithms).ok());
            match next {
                Some(next) if seen.len() < KEY_TYPES.len() => session = next,
                Some(_) | None => {
                    return Err(SourceError::HostKey {
                        host: self.host.clone(),
                        expected: pinned.shown(),
                        seen: join(&seen),
                    });
                }
            }
        }
    }
}

/// What the system says, without the number that it ends with.
fn words(error: &std::io::Error) -> String {
    let said = error.to_string();
    let end = said.find(" (os error").unwrap_or(said.len());
    said[..end].to_owned()
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, LookupError> {
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let found = getaddrinfo(Some(host), None, Some(hints))?;
    let addresses = found.filter_map(Result::ok);
    Ok(addresses
        .map(|one| SocketAddr::new(one.sockaddr.ip(), port))
        .collect())
}

/// The type that a key names at its start.
fn key_type(key: &[u8]) -> Option<String> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    String::from_utf8(rest.get(..length)?.to_vec()).ok()
}
