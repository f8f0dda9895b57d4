use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::clock::Clock as _;
use echeck_test_servers::proxy::{BlackHole, Proxy};
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;

use super::*;
use crate::probe::probe;

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// The check that failed, and that everything after it was passed over.
fn failure(checks: &[Check]) -> (&'static str, Cause) {
    let at = checks
        .iter()
        .position(|check| matches!(check.result, CheckResult::Failed(_)))
        .unwrap_or_else(|| panic!("nothing failed: {checks:?}"));
    for later in &checks[at + 1..] {
        assert!(matches!(later.result, CheckResult::Skipped(_)), "{later:?}");
    }
    match &checks[at].result {
        CheckResult::Failed(cause) => (checks[at].name, cause.clone()),
        other => panic!("{other:?}"),
    }
}

/// Opening fails in time, for the right cause, and a diagnosis finds the same at `check`.
async fn fails(keys: &str, check: &str, cause: Cause) {
    let location = location("sftp", keys);
    let started = Instant::now();
    let error = no_session(&location).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{error}");
    assert_eq!(
        without_time(error.cause()),
        without_time(cause.clone()),
        "{error}"
    );

    let started = Instant::now();
    let checks = probe(&location, now()).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{checks:?}");
    let (failed, found) = failure(&checks);
    assert_eq!((failed, without_time(found)), (check, without_time(cause)));
    assert_eq!(checks.len(), 7, "{checks:?}");
}

/// How long was waited for, and what exactly the other side said, is not the point.
fn without_time(cause: Cause) -> Cause {
    match cause {
        Cause::HostSilent { host, port, .. } => Cause::HostSilent {
            host,
            port,
            after_ms: 0,
        },
        Cause::HostUnreachable { host, port, .. } => Cause::HostUnreachable {
            host,
            port,
            why: String::new(),
        },
        Cause::HandshakeSilent { host, .. } => Cause::HandshakeSilent { host, after_ms: 0 },
        Cause::HandshakeFailed { host, .. } => Cause::HandshakeFailed {
            host,
            why: String::new(),
        },
        other => other,
    }
}

const HOST: &str = "127.0.0.1";

#[tokio::test]
async fn a_host_name_that_is_gone_is_reported() {
    let sshd = Sshd::start();
    let host = "sftp.bank.invalid".to_owned();
    let keys = with(&keys(&sshd, ""), "host", &format!("{host:?}"));
    fails(&keys, "host name", Cause::HostNotFound { host }).await;
}

#[tokio::test]
async fn a_closed_port_is_reported() {
    let mut sshd = Sshd::start();
    sshd.stop();
    let cause = Cause::PortClosed {
        host: HOST.to_owned(),
        port: sshd.port(),
    };
    fails(&keys(&sshd, ""), "connection", cause).await;
}

#[tokio::test]
async fn a_host_that_drops_us_is_reported_after_the_time_out() {
    let (sshd, hole) = (Sshd::start(), BlackHole::open());
    let keys = with(&keys(&sshd, ""), "port", &hole.port().to_string());
    let cause = Cause::HostSilent {
        host: HOST.to_owned(),
        port: hole.port(),
        after_ms: 3000,
    };
    fails(&keys, "connection", cause).await;
}

#[tokio::test]
async fn a_host_to_which_our_system_does_not_connect_is_reported_with_its_reason() {
    let sshd = Sshd::start();
    let keys = with(&keys(&sshd, ""), "host", "\"255.255.255.255\"");
    let cause = Cause::HostUnreachable {
        host: "255.255.255.255".to_owned(),
        port: sshd.port(),
        why: String::new(),
    };
    fails(&keys, "connection", cause).await;
}

#[tokio::test]
async fn something_that_takes_connections_and_says_nothing_is_reported() {
    let sshd = Sshd::start();
    let proxy = Proxy::start(sshd.port());
    proxy.hold_up();
    let keys = with(&keys(&sshd, ""), "port", &proxy.port().to_string());
    let cause = Cause::HandshakeSilent {
        host: HOST.to_owned(),
        after_ms: 3000,
    };
    fails(&keys, "SSH handshake", cause).await;
}

#[tokio::test]
async fn something_that_is_no_ssh_server_is_reported() {
    let web = std::net::TcpListener::bind((HOST, 0)).unwrap();
    let port = web.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::Write as _;
        while let Ok((mut stream, _)) = web.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let sshd = Sshd::start();
    let keys = with(&keys(&sshd, ""), "port", &port.to_string());
    let cause = Cause::HandshakeFailed {
        host: HOST.to_owned(),
        why: String::new(),
    };
    fails(&keys, "SSH handshake", cause).await;
}

#[tokio::test]
async fn a_wrong_host_key_and_a_refused_key_are_found_by_a_diagnosis() {
    let sshd = Sshd::options().refusing_the_key().start();
    let pin = "SHA256:2yRS3GhFOHJFVKcdmtwDjtJ5y0O95c4hL14yhyAJ9W4".to_owned();
    let wrong = with(&keys(&sshd, ""), "host_key", &format!("{pin:?}"));
    let host = HOST.to_owned();
    let cause = Cause::HostKeyChanged {
        host: host.clone(),
        expected: pin,
        seen: sshd.fingerprint(),
    };
    fails(&wrong, "host key", cause).await;
    let user = sshd.user();
    fails(&keys(&sshd, ""), "log-in", Cause::KeyRefused { user, host }).await;
}

/// A directory fails when it is listed, not when the session opens.
async fn cannot_list(keys: &str, cause: Cause) {
    let location = location("sftp", keys);
    let mut session = location.open().await.unwrap();
    let error = session.list_complete().await.unwrap_err();
    assert_eq!(error.cause(), cause);
    session.close().await;
    let (check, found) = failure(&probe(&location, now()).await);
    assert_eq!((check, found), ("directory", cause));
}

#[tokio::test]
async fn a_missing_directory_is_reported() {
    let sshd = Sshd::start();
    let directory = format!("{}/gone", sshd.data().display());
    let keys = with(&keys(&sshd, ""), "directory", &format!("{directory:?}"));
    cannot_list(&keys, Cause::DirectoryMissing { directory }).await;
}

#[tokio::test]
async fn a_directory_that_may_not_be_read_is_reported() {
    let sshd = Sshd::options().denying(&["opendir"]).start();
    let cause = Cause::DirectoryUnreadable {
        directory: sshd.data().display().to_string(),
        why: "permission denied".to_owned(),
    };
    cannot_list(&keys(&sshd, ""), cause).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_between_two_orders_is_reported() {
    let sshd = Sshd::start();
    let proxy = Proxy::start(sshd.port());
    let keys = with(&keys(&sshd, ""), "port", &proxy.port().to_string());
    let mut session = location("sftp", &keys).open().await.unwrap();
    session.list().await.unwrap();
    proxy.hold_up();
    let started = Instant::now();
    let error = session.list().await.unwrap_err();
    assert!(matches!(error, SourceError::ServerSilent { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_diagnosis_shows_what_it_saw_and_the_newest_file() {
    let sshd = Sshd::start();
    sshd.put("old.csv", "1");
    let path = sshd.put("new\u{202e}.csv", "12345");
    sshd.put("readme.txt", "");
    let modified = std::time::SystemTime::from(now() - TimeDelta::hours(3));
    let old = std::fs::File::options()
        .write(true)
        .open(sshd.data().join("old.csv"))
        .unwrap();
    old.set_modified(modified - Duration::from_secs(86_400))
        .unwrap();
    let new = std::fs::File::options().write(true).open(path).unwrap();
    new.set_modified(modified).unwrap();

    let location = location("sftp", &keys(&sshd, "pattern = \"*.csv\"\n"));
    let checks = probe(&location, now()).await;
    let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "host name",
            "connection",
            "SSH handshake",
            "host key",
            "log-in",
            "directory",
            "file"
        ]
    );
    let seen = |at: usize| match &checks[at].result {
        CheckResult::Passed(seen) => seen.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen(0), HOST);
    assert!(seen(2).contains("OpenSSH"), "{}", seen(2));
    assert_eq!(seen(3), format!("{}, as pinned", sshd.fingerprint()));
    assert_eq!(seen(5), "3 entries");
    let file = seen(6);
    assert!(
        file.starts_with("newest is \"new\\u{202e}.csv\" with 5 bytes, 3 hours old"),
        "{file}"
    );
    assert!(file.ends_with("1 more that match, 1 others"), "{file}");
}

#[tokio::test]
async fn a_diagnosis_of_an_empty_folder_and_of_an_empty_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display().to_string();
    let location = location(
        "folder",
        &format!("directory = {directory:?}\npattern = \"*.csv\"\n"),
    );
    std::fs::write(folder.path().join("other.txt"), "x").unwrap();
    let (check, cause) = failure(&probe(&location, now()).await);
    let missing = Cause::FileMissing {
        directory: directory.clone(),
        pattern: "*.csv".to_owned(),
        due: None,
        others: Some(1),
    };
    assert_eq!((check, cause), ("file", missing));

    std::fs::write(folder.path().join("r.csv"), "").unwrap();
    let (_, cause) = failure(&probe(&location, now()).await);
    let name = "r.csv".to_owned();
    assert_eq!(cause, Cause::FileEmpty { name });

    drop(folder);
    let (_, cause) = failure(&probe(&location, now()).await);
    assert_eq!(cause, Cause::DirectoryMissing { directory });
}

#[tokio::test]
async fn a_check_that_never_ends_is_not_waited_for() {
    let sshd = Sshd::start();
    let proxy = Proxy::start(sshd.port());
    let keys = with(&keys(&sshd, ""), "port", &proxy.port().to_string());
    let keys = with(
        &with(&keys, "read_timeout_ms", "60000"),
        "connect_timeout_ms",
        "60000",
    );
    let location = location("sftp", &keys);
    // The handshake alone takes seconds at this speed.
    proxy.throttle(600);
    let started = Instant::now();
    let checks = probe(&location, now()).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{checks:?}");
    assert_eq!(checks.len(), 7, "{checks:?}");
    failure(&checks);
}
