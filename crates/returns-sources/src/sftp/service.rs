//! The file service of a session that is logged in, and why there may be none.
//!
//! OpenSSH lets an expired password in, answers every request with the word that it has expired,
//! and ends it. It drops what SFTP says on standard error, so the word is asked for by other
//! requests. Where the server allows SFTP alone, it says nothing: then both likely reasons are told.

use std::io::Read;
use std::time::{Duration, Instant};

use super::connect::limit;
use super::log_in::LogInMethod;
use super::{TIMEOUT, code};
use crate::error::SourceError;
use crate::location::SftpLocation;

/// How much of what a server says beside the protocol is read, and for how long.
const MOST_WORDS_BYTES: usize = 4_096;
const WORDS_TIME: Duration = Duration::from_secs(1);

/// How a server ended a request of ours, and what it said.
struct End {
    words: String,
    status: Option<i32>,
}

impl SftpLocation {
    /// Opens the file service.
    pub(crate) fn open_sftp(
        &self,
        session: &ssh2::Session,
        by: LogInMethod,
        time: Duration,
    ) -> Result<ssh2::Sftp, SourceError> {
        limit(session, time);
        let started = Instant::now();
        let error = match session.sftp() {
            Ok(sftp) => return Ok(sftp),
            Err(error) if code(&error) == TIMEOUT => {
                return Err(self.silent("the request for the SFTP service", started.elapsed()));
            }
            Err(error) => error,
        };
        limit(session, time.min(WORDS_TIME));
        let plain = run_nothing(session, false).ok();
        let on_terminal = run_nothing(session, true).ok();
        let ends = || plain.iter().chain(&on_terminal);
        if ends().any(|end| speaks_of_expiry(&end.words)) {
            return Err(self.password_expired());
        }
        let mute = ends().all(|end| end.words.trim().is_empty() && end.status == Some(1));
        let said = ends().find_map(|end| end.words.lines().find(|line| !line.trim().is_empty()));
        let why = match (said, by) {
            (Some(line), _) => format!("the server says {:?}", line.trim()),
            (None, LogInMethod::Password) if plain.is_some() && mute => {
                "it ends every request without a word, as for a password that has expired, or a \
                 user whose shell is /bin/false"
                    .to_owned()
            }
            (None, LogInMethod::Key) if plain.is_some() && mute => {
                "it ends every request without a word, as for a user whose shell is /bin/false"
                    .to_owned()
            }
            (None, _) => error.message().to_owned(),
        };
        Err(SourceError::NoFileService {
            user: self.user.clone(),
            host: self.host.clone(),
            why,
        })
    }
}

fn speaks_of_expiry(words: &str) -> bool {
    let words = words.to_lowercase();
    ["password has expired", "password change required"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// Asks the server to run a program that does nothing, and listens to what comes instead. On a
/// terminal it might ask for a new password; it is given none.
fn run_nothing(session: &ssh2::Session, on_terminal: bool) -> Result<End, ssh2::Error> {
    let mut channel = session.channel_session()?;
    if on_terminal {
        channel.request_pty("dumb", None, None)?;
    }
    channel.exec("true")?;
    // A server that runs SFTP whatever it is asked for ends at this.
    channel.send_eof()?;
    let words = if on_terminal {
        listen(&mut channel)
    } else {
        listen(&mut channel.stderr())
    };
    if !channel.eof() {
        return Ok(End {
            words,
            status: None,
        });
    }
    // The status comes after the end of what is said.
    channel.wait_close()?;
    Ok(End {
        words,
        status: Some(channel.exit_status()?),
    })
}

/// What comes until the end, a time-out, or the word that is listened for.
fn listen(stream: &mut impl Read) -> String {
    let mut heard = Vec::new();
    let mut buffer = [0; 512];
    while heard.len() < MOST_WORDS_BYTES {
        match stream.read(&mut buffer) {
            Ok(bytes @ 1..) => heard.extend_from_slice(buffer.get(..bytes).unwrap_or_default()),
            Ok(0) | Err(_) => break,
        }
        if speaks_of_expiry(&String::from_utf8_lossy(&heard)) {
            break;
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}
