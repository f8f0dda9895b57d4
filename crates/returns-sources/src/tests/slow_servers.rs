//! A server that is slow, silent, or sends a list without end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use returns_model::incident::Cause;

use super::*;
use crate::archive_remote::RemoteArchival;

/// Each call of a run that a server may be slow to answer, and what its alert names.
const CALLS: [(&str, &str); 6] = [
    ("opendir", "the list of"),
    ("readdir", "the list of"),
    ("open", "the request to read \"r.csv\""),
    ("read", "the request for more of \"r.csv\", at 0 of 4 bytes"),
    ("lstat", "the request for the size of \"r.csv\""),
    ("rename", "r.csv"),
];

/// A misbehaving server with one file, and the source that takes and archives it.
fn server(behavior: &str, more: &str) -> (Sshd, Bank) {
    let sshd = Sshd::options().misbehaving().start();
    sshd.put("r.csv", "a,b\n");
    std::fs::create_dir(sshd.data().join("done")).unwrap();
    sshd.behave(behavior);
    let keys = keys(
        &sshd,
        "complete = \"rename\"\npattern = \"*.csv\"\nafter = \"move\"\nmove_to = \"done\"\n",
    );
    let mut keys = with(&keys, "slow_after_ms", "30000");
    for (key, value) in more.lines().filter_map(|line| line.split_once(" = ")) {
        keys = with(&keys, key, value);
    }
    let bank = source("sftp", &keys);
    (sshd, bank)
}

/// Lists, takes and archives the file, as a run does.
async fn take(bank: &Bank) -> Result<RemoteArchival, SourceError> {
    let incidents = IncidentReporter::new();
    let mut session = bank.location.open().await?;
    let file = only(&session.list_complete().await?);
    let new = incidents.fetch(&mut session, &file, bank).await?;
    assert_eq!(incidents.content(&new), b"a,b\n");
    session.archive_remote(&file).await
}

#[tokio::test]
async fn a_server_that_takes_three_seconds_for_any_one_call_is_waited_for() {
    let servers = CALLS.map(|(call, _)| {
        let more = "read_timeout_ms = 15000\n";
        (call, server(&format!("{{\"slow\": [{call:?}]}}"), more))
    });
    let slow = servers.map(|(call, (sshd, bank))| async move {
        let started = Instant::now();
        let moved = take(&bank)
            .await
            .unwrap_or_else(|error| panic!("{call}: {error}"));
        assert!(
            started.elapsed() >= Duration::from_secs(3),
            "{call} was not slow"
        );
        assert_eq!(
            moved,
            RemoteArchival::Moved(RemoteName::new("r.csv")),
            "{call}"
        );
        assert_eq!(sshd.names("done"), ["r.csv"], "{call}");
    });
    join_all(slow).await;
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up_after_the_read_time_out_which_the_alert_names() {
    let servers = CALLS.map(|(call, what)| {
        // Longer than the start of the server takes on a busy machine.
        let more = "read_timeout_ms = 8000\n";
        let server = server(&format!("{{\"silent\": [{call:?}]}}"), more);
        (call, what, server)
    });
    let silent = servers.map(|(call, what, (sshd, bank))| async move {
        let started = Instant::now();
        let cause = take(&bank).await.unwrap_err().cause();
        let took = started.elapsed();
        assert!(took < Duration::from_secs(30), "{call}: {took:?}");
        let waited = match cause {
            Cause::ServerSilent {
                host,
                what: named,
                after_ms,
            } => {
                assert_eq!(host, "127.0.0.1");
                assert!(named.starts_with(what), "{call}: {named}");
                after_ms
            }
            Cause::NotArchivedRemotely { name, why } if call == "rename" => {
                assert_eq!(name, what);
                let waited = why.strip_prefix("no answer within ").unwrap();
                waited.strip_suffix(" ms").unwrap().parse().unwrap()
            }
            other => panic!("{call}: {other:?}"),
        };
        // Whole milliseconds are counted from the last byte, and the system's timer may be early by one.
        assert!((7_990..16_000).contains(&waited), "{call}: {waited} ms");
        drop(sshd);
    });
    join_all(silent).await;
}

#[tokio::test]
async fn a_list_without_end_is_given_up_with_its_reason() {
    for (list, why) in [
        ("endless", "its list has more than 200000 entries"),
        ("dots", "its list has more than 200000 entries"),
        ("long", "the names in its list have more than 16 MiB"),
    ] {
        let (_sshd, bank) = server(&format!("{{\"list\": {list:?}}}"), "");
        let mut session = bank.location.open().await.unwrap();
        let started = Instant::now();
        let cause = session.list().await.unwrap_err().cause();
        assert!(started.elapsed() < Duration::from_secs(30), "{list}");
        let Cause::DirectoryUnreadable { why: named, .. } = cause else {
            panic!("{list}: {cause:?}")
        };
        assert_eq!(named, why, "{list}");
    }
}

#[tokio::test]
async fn a_list_that_takes_longer_than_a_file_may_is_given_up() {
    let (_sshd, bank) = server("{\"list\": \"endless\"}", "longest_download_ms = 10\n");
    let mut session = bank.location.open().await.unwrap();
    let cause = session.list().await.unwrap_err().cause();
    let Cause::DirectoryUnreadable { why, .. } = cause else {
        panic!("{cause:?}")
    };
    assert!(why.starts_with("its list had no end after "), "{why}");
}
