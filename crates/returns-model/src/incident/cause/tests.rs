//! Every cause has a sample here, and a runbook in `docs/runbooks/`, whose first part is made of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use strum::IntoEnumIterator as _;

use super::*;

/// How the table of `docs/alerts.md` that is generated begins.
const HEADING: &str = "\n## Causes\n";

const HOST: &str = "sftp.acquirer.example";
const FILE: &str = "returns-20261120.csv";
const ENDPOINT: &str = "whe_0f3a";

fn text(text: &str) -> String {
    text.to_owned()
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

/// One of each cause, in the order of the enum.
fn samples() -> Vec<Cause> {
    [source_samples(), file_samples(), our_samples()].concat()
}

fn source_samples() -> Vec<Cause> {
    let (user, host) = (text("rallypay"), text(HOST));
    let directory = text("/outgoing");
    vec![
        Cause::HostNotFound { host: host.clone() },
        Cause::NameServerFailed {
            host: host.clone(),
            why: text("the name server does not answer (waited 3000 ms)"),
        },
        Cause::PortClosed {
            host: host.clone(),
            port: 22,
        },
        Cause::HostSilent {
            host: host.clone(),
            port: 22,
            after_ms: 10_000,
        },
        Cause::ServerSilent {
            host: host.clone(),
            what: text("the list of \"/outgoing\""),
            after_ms: 30_000,
        },
        Cause::LogInSilent {
            host: host.clone(),
            after_ms: 30_000,
        },
        Cause::HandshakeFailed {
            host: host.clone(),
            why: text("no common cipher"),
        },
        Cause::HostUnreachable {
            host: host.clone(),
            port: 22,
            why: text("No route to host"),
        },
        Cause::HandshakeSilent {
            host: host.clone(),
            after_ms: 3_000,
        },
        Cause::HostKeyChanged {
            host: host.clone(),
            expected: text("SHA256:n4bQ…"),
            seen: text("SHA256:9f86…"),
        },
        Cause::KeyRefused {
            user: user.clone(),
            host: host.clone(),
        },
        Cause::PasswordRefused {
            user: user.clone(),
            host: host.clone(),
        },
        Cause::PasswordExpired {
            user: user.clone(),
            host: host.clone(),
        },
        Cause::NoFileService {
            user,
            host,
            why: text("the server says \"This account is currently not available.\""),
        },
        Cause::CredentialUnusable {
            key: text("private_key_file"),
            why: text("its passphrase is wrong"),
        },
        Cause::DirectoryMissing {
            directory: directory.clone(),
        },
        Cause::DirectoryUnreadable {
            directory,
            why: text("permission denied"),
        },
    ]
}

fn file_samples() -> Vec<Cause> {
    let name = || text(FILE);
    let zone = chrono_tz::America::New_York;
    let local = |at| LocalTime { at, zone };
    let due = local(at("2026-11-20T14:00:00Z"));
    vec![
        Cause::FileMissing {
            directory: text("/outgoing"),
            pattern: text("returns-*.csv"),
            due: Some(due),
            others: Some(2),
        },
        Cause::FileStale {
            name: text("returns-20261119.csv"),
            age_hours: 26,
            due: Some(due),
        },
        Cause::FileGrowing {
            name: name(),
            from_bytes: 40_960,
            to_bytes: 81_920,
        },
        Cause::FileUnmarked {
            name: name(),
            marker: text("returns-20261120.csv.done"),
        },
        Cause::RunStillGoing {
            run_id: text("run_71c2"),
            since: local(at("2026-11-20T13:30:00Z")),
            due,
        },
        Cause::FileEmpty { name: name() },
        Cause::FileRejected {
            name: name(),
            why: text("the control total is 1,200.00 and the entries add up to 1,180.00"),
        },
        Cause::WrongProfile {
            name: name(),
            configured: text("worldpay"),
            looks_like: text("nacha"),
        },
        Cause::FileUnopenable {
            name: name(),
            why: text("it is encrypted for another key"),
        },
        Cause::DownloadCut {
            name: name(),
            at_bytes: 40_960,
            of_bytes: 81_920,
        },
        Cause::DownloadSlow {
            name: name(),
            bytes_per_second: 512,
            least: 10_000,
        },
        Cause::NotArchivedRemotely {
            name: name(),
            why: text("permission denied"),
        },
        Cause::SourceFailed {
            what: text("to open the directory"),
            why: text("failure (4)"),
        },
    ]
}

fn our_samples() -> Vec<Cause> {
    let why = || text("connection refused");
    let (bucket, database) = (|| text("ach-returns"), || text("gateway"));
    let (endpoint, host) = (|| text(ENDPOINT), || text("platform.example"));
    vec![
        Cause::DiskFull {
            path: text("/var/spool/echeck"),
        },
        Cause::DiskLow {
            path: text("/var/spool/echeck"),
            room: text("12 MiB of 20480 MiB free"),
        },
        Cause::SpoolFailed {
            path: text("/var/spool/echeck"),
            why: text("permission denied"),
        },
        Cause::BucketKeyIdUnknown { bucket: bucket() },
        Cause::BucketSecretWrong { bucket: bucket() },
        Cause::BucketTokenExpired { bucket: bucket() },
        Cause::BucketMissing { bucket: bucket() },
        Cause::BucketForbidden {
            bucket: bucket(),
            action: text("put objects"),
        },
        Cause::BucketUnreachable {
            endpoint: text("https://s3.example"),
            why: why(),
        },
        Cause::BucketFailed {
            bucket: bucket(),
            action: text("put an object"),
            why: text("reduce your request rate (SlowDown)"),
        },
        Cause::ReportWrong {
            key: text("reports/2026/11/20/imp_4d1e.csv"),
            what: text("it has 99 lines, and 100 were written"),
        },
        Cause::StoreUnreachable { why: why() },
        Cause::NotStarted {
            why: text("the returns database cannot be used: connection refused"),
        },
        Cause::ServiceCrashed {
            how: text("it was killed, or the machine stopped (process 4711)"),
        },
        Cause::AdapterUnreachable {
            database: database(),
            leads: true,
            why: why(),
        },
        Cause::TargetReadOnly {
            database: text("rallypay"),
            leads: false,
        },
        Cause::TargetForeign {
            database: text("rallypay"),
            leads: false,
            target: text("postgres://db.example/rallypay_staging"),
            why: text("it has applied nothing, and 51 rows were applied to \"rallypay\""),
        },
        Cause::TargetFailed {
            database: text("rallypay"),
            leads: false,
            why: text("permission denied for table transactions"),
        },
        Cause::RowsRefused {
            database: database(),
            count: 3,
            why: text(
                "gateway did not take journal row 17: \"RETURNED\" is not a value of the enum",
            ),
        },
        Cause::ImportStuck {
            why: text("the gateway's adapter does not answer"),
        },
        Cause::ImportParked {
            import_id: text("imp_4d1e0f6a2b3c4d5e6f708192"),
        },
        Cause::EntriesHeld {
            name: text(FILE),
            held: 50,
            of: 50,
            amount: text("USD 12345.00"),
            reason: text("unknown transfer"),
            with_reason: 50,
        },
        Cause::HoldsWaiting {
            count: 12,
            amount: text("USD 5210.00"),
            oldest: at("2026-11-17T14:05:00Z"),
            reason: text("amount differs"),
            with_reason: 7,
        },
        Cause::DoesNotTieOut {
            what: text("100 entries were read, and 99 are accounted for"),
        },
        Cause::ChannelFailed {
            channel: text("slack"),
            why: text("hooks.slack.com answered 404"),
        },
        Cause::WebhookUndeliverable {
            endpoint: endpoint(),
            host: host(),
            why: text("it answered 500"),
            count: 3,
        },
        Cause::WebhookDisabled {
            endpoint: endpoint(),
            host: host(),
            why: text("answered 410 Gone: it wants no more messages"),
            owner: text("Its owner was notified."),
        },
        Cause::WebhookStuck {
            endpoint: endpoint(),
            why: text("its signing key cannot be decrypted"),
        },
        Cause::StreamUnreachable {
            servers: text("nats-0:4222, nats-1:4222, nats-2:4222"),
            why: text("authorization violation"),
        },
        Cause::StreamFailed {
            stream: text("ECHECK_JOURNAL"),
            why: text("it did not take position 4711: no response from its leader"),
        },
        Cause::StreamForeign {
            stream: text("ECHECK_JOURNAL"),
            why: text("it has rows up to position 4711, and the journal ends at 4000"),
        },
        Cause::ClockWrong {
            whose: WrongClock::Ours,
            by_seconds: 95,
            against: text("those of the bucket and the database \"gateway\""),
        },
        Cause::JournalNotSound {
            what: text("position 7: the row does not fit its hash"),
            count: 1,
        },
        Cause::ReturnsNotShown {
            database: database(),
            what: text("transfer TR1 is SUCCEEDED, not RETURNED"),
            count: 3,
        },
    ]
}

#[test]
fn every_cause_has_a_sample_and_a_kind_of_its_own() {
    let kinds: Vec<&str> = samples().iter().map(Cause::kind).collect();
    let all: Vec<&str> = Cause::iter().map(|cause| cause.kind()).collect();
    assert_eq!(kinds, all);
    let distinct: BTreeSet<&str> = kinds.iter().copied().collect();
    assert_eq!(distinct.len(), kinds.len());
}

#[test]
fn every_description_is_made_of_sentences() {
    for cause in samples() {
        let Description {
            headline,
            meaning,
            to_do,
            ..
        } = cause.describe();
        for sentence in [&headline[..], meaning].iter().chain(to_do) {
            let end = sentence.trim_end_matches(')');
            assert!(
                end.ends_with(['.', '?']) && !sentence.contains('\n'),
                "{sentence}"
            );
            assert!(!sentence.contains("  "), "{sentence}");
        }
        assert!(!to_do.is_empty(), "{headline}");
    }
}

/// What stands between the generated part of a runbook and what people added.
const BY_PEOPLE: &str = "<!-- Above: generated, see docs/alerts.md. Below: what people add. -->\n";

/// The generated part of a cause's runbook.
fn runbook(cause: &Cause) -> String {
    let described = cause.describe();
    let mut text = format!(
        "# {}\n\n> {}\n\n{}. {}\n\n",
        cause.kind(),
        described.headline,
        severity(cause),
        described.meaning,
    );
    for (number, step) in (1..).zip(described.to_do) {
        writeln!(text, "{number}. {step}").unwrap();
    }
    text + "\n" + BY_PEOPLE
}

fn severity(cause: &Cause) -> &'static str {
    match cause.describe().severity() {
        Severity::Warning => "Warning",
        Severity::Critical => "Critical",
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn rewrites() -> bool {
    std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some()
}

#[test]
fn every_cause_has_a_runbook() {
    let folder = docs().join("runbooks");
    std::fs::create_dir_all(&folder).unwrap();
    let mut wanted = BTreeSet::new();
    for cause in samples() {
        let name = format!("{}.md", cause.kind());
        let path = folder.join(&name);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let added = there.split_once(BY_PEOPLE).map_or("", |(_, added)| added);
        let whole = runbook(&cause) + added;
        if rewrites() {
            std::fs::write(&path, whole).unwrap();
        } else {
            assert!(there == whole, "docs/runbooks/{name} {NOT_UP_TO_DATE}");
        }
        wanted.insert(name);
    }
    let there = std::fs::read_dir(folder).unwrap();
    let there: BTreeSet<String> = there
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, wanted, "a runbook without a cause");
}

const NOT_UP_TO_DATE: &str =
    "is not up to date: run ECHECK_REWRITE_GOLDEN=1 cargo test -p returns-model";

#[test]
fn the_document_lists_every_cause() {
    let path = docs().join("alerts.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (by_hand, shown) = document.split_once(HEADING).unwrap();
    let mut wanted = text(
        "\nWhat each kind of incident says, with an example of its first line. Its runbook has what follows\n\
         from it and what to do; `echeck explain CAUSE` prints it. The texts stand in\n\
         `crates/returns-model/src/incident/cause/`; this table, and the upper part of each runbook, are\n\
         written by `ECHECK_REWRITE_GOLDEN=1 cargo test -p returns-model`.\n\n\
         | cause | severity | first line |\n|---|---|---|\n",
    );
    for cause in samples() {
        let (kind, severity) = (cause.kind(), severity(&cause));
        let headline = cause.describe().headline.replace('|', "\\|");
        writeln!(
            wanted,
            "| [{kind}](runbooks/{kind}.md) | {severity} | {headline} |"
        )
        .unwrap();
    }
    if rewrites() {
        std::fs::write(path, format!("{by_hand}{HEADING}{wanted}")).unwrap();
    } else {
        assert!(shown == wanted, "docs/alerts.md {NOT_UP_TO_DATE}");
    }
}

#[test]
fn a_system_of_record_that_is_away_is_not_told_as_a_mirror_that_is_behind() {
    let away = |leads| Cause::AdapterUnreachable {
        database: text("gateway"),
        leads,
        why: text("connection refused"),
    };
    let (leading, mirror) = (away(true).describe(), away(false).describe());
    assert_eq!(leading.headline, mirror.headline);
    assert!(leading.meaning.contains("system of record"));
    assert!(!leading.meaning.contains("not reaching this database"));
    assert!(mirror.meaning.contains("not reaching this database"));
}
