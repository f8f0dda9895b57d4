//! The diagnosis of a source: the same steps that a run takes, one by one, each timed, with
//! what was seen. All of it takes five seconds at most.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use returns_model::check::{Check, CheckResult, counted};
use returns_model::incident::Cause;
use ssh2::Session;

use super::awaited::{Answer, Awaited};
use super::error::SourceError;
use super::folder::Folder;
use super::listing::{Completeness, RemoteEntry, sort_out};
use super::location::{LocationKind, RemoteLocation, SftpLocation};

/// How long all steps together may take.
const WHOLE: Duration = Duration::from_millis(4_500);
/// What a step may still take when nothing is left, so that it can fail by itself.
const LEAST: Duration = Duration::from_millis(50);
/// After this a step that does not end is left alone.
const PATIENCE: Duration = Duration::from_millis(4_900);

const HOST_NAME: &str = "host name";
const CONNECTION: &str = "connection";
const HANDSHAKE: &str = "SSH handshake";
const HOST_KEY: &str = "host key";
const LOG_IN: &str = "log-in";
const DIRECTORY: &str = "directory";
const FILE: &str = "file";

/// The checks of an SFTP server, in their order. A folder has the last two.
const CHECKS: [&str; 7] = [
    HOST_NAME, CONNECTION, HANDSHAKE, HOST_KEY, LOG_IN, DIRECTORY, FILE,
];

/// Checks a source from the outside in. It changes nothing there.
pub(crate) async fn probe(location: &RemoteLocation, now: DateTime<Utc>) -> Vec<Check> {
    let at_work = location.clone();
    let checks = Arc::<Mutex<Vec<Check>>>::default();
    let steps = Steps {
        checks: checks.clone(),
        started: Instant::now(),
        failed: None,
    };
    let work = tokio::task::spawn_blocking(move || match &at_work.kind {
        LocationKind::Sftp(server) => probe_sftp(steps, &at_work, server, now),
        LocationKind::Folder => probe_folder(steps, &at_work, now),
    });
    // Whether it ended or not, what it found is in the list.
    let _ = tokio::time::timeout(PATIENCE, work).await;
    let mut checks = std::mem::take(&mut *locked(&checks));
    fill_up(&mut checks, location);
    checks
}

/// Adds the checks that did not come to an end: the first did not answer.
fn fill_up(checks: &mut Vec<Check>, location: &RemoteLocation) {
    let (names, silent): (&[&'static str], Cause) = match &location.kind {
        LocationKind::Sftp(server) => {
            let error = match CHECKS.get(checks.len()) {
                Some(&HOST_NAME) => server.unanswered(&Answer::HostName, PATIENCE),
                None | Some(&CONNECTION) => server.unreachable(PATIENCE),
                Some(&HANDSHAKE) => server.unanswered(&Answer::Handshake, PATIENCE),
                Some(&LOG_IN) => server.unanswered(&Answer::LogIn, PATIENCE),
                Some(step) => server.silent(format!("the {step}"), PATIENCE),
            };
            (&CHECKS, error.cause())
        }
        LocationKind::Folder => {
            let silent = Cause::DirectoryUnreadable {
                directory: location.directory.clone(),
                why: format!("no answer within {} ms", PATIENCE.as_millis()),
            };
            (&CHECKS[CHECKS.len() - 2..], silent)
        }
    };
    let skipped = || CheckResult::Skipped("because the time was over".to_owned());
    let results =
        std::iter::once(CheckResult::Failed(silent)).chain(std::iter::repeat_with(skipped));
    for (name, result) in names[checks.len()..].iter().zip(results) {
        checks.push(Check {
            name,
            of: location.shown(),
            result,
            took: Duration::ZERO,
        });
    }
}

fn locked(checks: &Mutex<Vec<Check>>) -> MutexGuard<'_, Vec<Check>> {
    checks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The checks so far, and the time that is left.
struct Steps {
    checks: Arc<Mutex<Vec<Check>>>,
    started: Instant,
    failed: Option<&'static str>,
}

impl Steps {
    /// What is left for a step that may take `usual` in a run.
    fn time(&self, usual: Duration) -> Duration {
        let left = WHOLE.saturating_sub(self.started.elapsed());
        // No step takes all: those after it are to be seen too.
        usual.min(left * 2 / 3).max(LEAST)
    }

    /// Takes a step on what the step before gave, and notes what came of it. `work` is given how long
    /// it may take; in a run it may take `usual`.
    fn step<I, O>(
        &mut self,
        (name, of): (&'static str, &str),
        usual: Duration,
        input: Option<I>,
        work: impl FnOnce(I, Duration) -> Result<(O, String), Cause>,
    ) -> Option<O> {
        let (time, started) = (self.time(usual), Instant::now());
        let (result, output) = match input.map(|input| work(input, time)) {
            Some(Ok((output, seen))) => (CheckResult::Passed(seen), Some(output)),
            Some(Err(cause)) => {
                self.failed = self.failed.or(Some(name));
                (CheckResult::Failed(cause), None)
            }
            None => {
                let before = self.failed.unwrap_or("an earlier check");
                let why = format!("because of the {before}");
                (CheckResult::Skipped(why), None)
            }
        };
        locked(&self.checks).push(Check {
            name,
            of: of.to_owned(),
            result,
            took: started.elapsed(),
        });
        output
    }
}

impl From<SourceError> for Cause {
    fn from(error: SourceError) -> Self {
        error.cause()
    }
}

fn probe_sftp(
    mut steps: Steps,
    location: &RemoteLocation,
    server: &SftpLocation,
    now: DateTime<Utc>,
) {
    let at = format!("{}:{}", server.host, server.port);
    let session = trusted_session(&mut steps, server, &at);
    let read = server.pace.read;
    let of = format!("{}@{at}", server.user);
    let logged_in = steps.step((LOG_IN, &of), read, session, |session, time| {
        let by = server.log_in(&session, time)?;
        let sftp = server.open_sftp(&session, by, time)?;
        Ok(((session, sftp), "logged in; SFTP is available".to_owned()))
    });
    let check = (DIRECTORY, location.directory.as_str());
    let entries = steps.step(check, read, logged_in, |(session, sftp), time| {
        let directory = Path::new(&location.directory);
        let awaited = Awaited::default();
        let entries = server.list(&session, &sftp, directory, (time, time), &awaited)?;
        let seen = counted(entries.len() as u64, "entry", "entries");
        Ok((entries, seen))
    });
    look_for_file(&mut steps, location, entries, now);
}

/// Connects as far as to a server that has shown a pinned key.
fn trusted_session(steps: &mut Steps, server: &SftpLocation, at: &str) -> Option<Session> {
    let usual = server.pace.connect;
    let check = (HOST_NAME, server.host.as_str());
    let addresses = steps.step(check, usual, Some(()), |(), time| {
        let addresses = server.resolve(time)?;
        let shown: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
        Ok((addresses, shown.join(", ")))
    });
    let connected = steps.step((CONNECTION, at), usual, addresses, |addresses, time| {
        let stream = server.connect(&addresses, time)?;
        let peer = stream.peer_addr().map(|peer| peer.to_string());
        Ok(((addresses, stream), peer.unwrap_or_default()))
    });
    let shaken = steps.step(
        (HANDSHAKE, at),
        usual,
        connected,
        |(addresses, stream), time| {
            let pinned = server.pinned_keys()?;
            let session = server.handshake(stream, pinned.algorithms().as_deref(), time)?;
            let banner = session.banner().unwrap_or("no banner").escape_debug();
            let banner = banner.to_string();
            Ok(((addresses, session, pinned), banner))
        },
    );
    steps.step(
        (HOST_KEY, at),
        usual,
        shaken,
        |(addresses, session, pinned), time| {
            let again = |algorithms: &str| {
                let stream = server.connect(&addresses, time)?;
                server.handshake(stream, Some(algorithms), time)
            };
            let (session, seen) = server.check_host_key(session, &pinned, again)?;
            Ok((session, format!("{seen}, as pinned")))
        },
    )
}

fn probe_folder(mut steps: Steps, location: &RemoteLocation, now: DateTime<Utc>) {
    let check = (DIRECTORY, location.directory.as_str());
    let entries = steps.step(check, WHOLE, Some(()), |(), _| {
        let entries = Folder::open(PathBuf::from(&location.directory))?.list()?;
        let seen = counted(entries.len() as u64, "entry", "entries");
        Ok((entries, seen))
    });
    look_for_file(&mut steps, location, entries, now);
}

/// The newest file that matches, and what else is there.
fn look_for_file(
    steps: &mut Steps,
    location: &RemoteLocation,
    entries: Option<Vec<RemoteEntry>>,
    now: DateTime<Utc>,
) {
    let of = location.pattern.as_str();
    steps.step((FILE, of), WHOLE, entries, |entries, _| {
        let sorted = sort_out(entries, &location.pattern, &location.completeness);
        let others = sorted.left_alone.len();
        let Some(newest) = sorted.newest() else {
            return Err(Cause::FileMissing {
                directory: location.directory.clone(),
                pattern: of.to_owned(),
                due: None,
                others: Some(others as u64),
            });
        };
        if newest.size_bytes == 0 && !sorted.unmarked.contains(newest) {
            let name = newest.name.text();
            return Err(Cause::FileEmpty { name });
        }
        let age = match newest.modified_at {
            Some(at) => format!(
                "{} old ({})",
                age(now - at),
                at.format("%Y-%m-%d %H:%M UTC")
            ),
            None => "of unknown age".to_owned(),
        };
        let waits = match (&location.completeness, sorted.unmarked.contains(newest)) {
            (Completeness::Marker { suffix }, true) => {
                format!(", which waits for its marker {suffix:?}")
            }
            _ => String::new(),
        };
        let seen = format!(
            "newest is {:?} with {} bytes, {age}{waits}; {} more that match, {others} others",
            newest.name,
            newest.size_bytes,
            sorted.matches() - 1,
        );
        Ok(((), seen))
    });
}

/// An age for people.
fn age(age: chrono::TimeDelta) -> String {
    match (age.num_days(), age.num_hours(), age.num_minutes()) {
        (days @ 2.., _, _) => format!("{days} days"),
        (_, hours @ 2.., _) => format!("{hours} hours"),
        (_, _, minutes) => format!("{} minutes", minutes.max(0)),
    }
}
