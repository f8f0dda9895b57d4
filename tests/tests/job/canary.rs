//! Canaries: account numbers and secrets that are like no others go in at every door, and must
//! come out nowhere: in no log, error, answer, database, report, alert or object of the bucket;
//! neither in clear, nor in hexadecimal, nor in base64.

use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_test_servers::sshd::{Account, Sshd};
use echeck_tests::{Nacha, Worldpay, eventually, funding_rejects};
use proto::import_file_request::Part;
use tracing_subscriber::EnvFilter;

use super::running::{Job, noon};
use super::setup::{Credentials, Setup};

/// Account numbers, one for each door. No two share their last digits.
const OF_AN_ENTRY: &str = "904172630";
const OF_A_PAYOUT: &str = "904172635811";
const IN_FREE_TEXT: &str = "90417263592213";
const CORRECTED: &str = "904172636034";
const IN_AN_UNREADABLE_LINE: &str = "904172637145";
const IN_A_REJECTED_FILE: &str = "904172638256";

/// Secrets, one for each door.
const OF_THE_DATABASE: &str = "canary-database-4qk9zr";
const OF_THE_BUCKET: &str = "canary-bucket-7xw2mn";
const OF_THE_WEBHOOK: &str = "canary-webhook-path-9pl3vt";
const OF_THE_HEADER: &str = "canary-webhook-header-2hj8ys";
const OF_THE_MAIL: &str = "canary-mail-password-6bd1qf";

/// What the process logs, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything that our own code logs, and what others tell of importance.
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let ours = "info,returns_service=trace,echeck_adapter=trace,echeck_service=trace,\
                    gateway_adapter=trace,rallypay_adapter=trace,ach=trace,echeck=trace";
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(ours))
            .with_writer(move || writer.clone())
            .init();
        log
    }
}

/// Where a canary was looked for.
struct Places(Vec<(String, Vec<u8>)>);

impl Places {
    fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.into(), bytes.into()));
    }

    /// That what is no secret is found shows that the places were really looked through.
    fn is_somewhere(&self, text: &str) {
        let needle = text.as_bytes();
        let found = |bytes: &Vec<u8>| bytes.windows(needle.len()).any(|window| window == needle);
        let places = self.0.iter().filter(|(_, bytes)| found(bytes)).count();
        assert!(places >= 5, "{text} is in {places} places only");
    }

    fn is_nowhere(&self, canary: &str) {
        for (form, needle) in forms(canary) {
            for (place, bytes) in &self.0 {
                let at = bytes
                    .windows(needle.len())
                    .position(|window| window == needle);
                if let Some(at) = at {
                    let around = &bytes[at.saturating_sub(80)..(at + 80).min(bytes.len())];
                    panic!(
                        "{canary} is in {place} ({form}): …{}…",
                        String::from_utf8_lossy(around)
                    );
                }
            }
        }
        // A shorter number could be there by chance.
        if canary.len() >= 12 && canary.bytes().all(|byte| byte.is_ascii_digit()) {
            for (place, bytes) in &self.0 {
                let joined = without_separators(bytes);
                let found = joined
                    .windows(canary.len())
                    .any(|window| window == canary.as_bytes());
                assert!(!found, "{canary} is in {place} with separators");
            }
        }
    }
}

/// An account number in all the ways in which people write one.
fn written(account: &str) -> String {
    let (first, rest) = account.split_at(4);
    let (second, third) = rest.split_at(4);
    let ways = [
        account.to_owned(),
        format!("{first}-{second}-{third}"),
        format!("{first}.{second}.{third}"),
        format!("{first}    {second} {third}"),
        format!("{first} -- {second} -- {third}"),
        format!("{first}; {second}; {third}"),
        format!("{first}A{second}B{third}"),
    ];
    ways.join(" or ")
}

/// What is left of a text without what people put between the digits of a number.
fn without_separators(bytes: &[u8]) -> Vec<u8> {
    let is_kept = |byte: &u8| !b" -._;,/AB".contains(byte);
    bytes.iter().copied().filter(is_kept).collect()
}

/// The forms in which a canary could come out.
fn forms(canary: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = canary.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("in clear".to_owned(), bytes.to_vec()),
        ("in hexadecimal".to_owned(), hex.to_uppercase().into_bytes()),
        ("in hexadecimal".to_owned(), hex.into_bytes()),
    ];
    // Inside something longer it may begin at any of three places of a group.
    for before in 0..3 {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        for text in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            // What shares a character with its neighbors is cut off.
            let from = [0, 2, 3][before];
            let whole = padded.len() * 8 / 6;
            forms.push((
                "in base64".to_owned(),
                text.as_bytes()[from..whole].to_vec(),
            ));
        }
    }
    forms
}

#[test]
fn the_forms_of_a_canary_find_it_wherever_it_begins() {
    for before in ["", "a", "ab", "abc", "abcd"] {
        let hidden = STANDARD.encode(format!("{before}{OF_AN_ENTRY} and more"));
        let found = forms(OF_AN_ENTRY).iter().any(|(_, needle)| {
            hidden
                .as_bytes()
                .windows(needle.len())
                .any(|window| window == needle)
        });
        assert!(found, "{hidden}");
    }
}

/// Files with an account number at each of their doors.
async fn send_files(job: &Job, places: &mut Places) {
    let entry = Nacha::new().returned("091000010000001", "R01").text();
    let corrected = Nacha::corrections()
        .corrected("091000010000002", "C01", CORRECTED)
        .text();
    let unreadable = format!(
        "{}'70002,'8399TR1,FNXTR1,789,R01,NSF,11/16/2026,11/17/2026,USD,not {IN_AN_UNREADABLE_LINE}\n",
        Worldpay::new().returned("TR1", "R01").text().replace(
            "Insufficient Funds",
            &format!("NSF account {}", written(IN_FREE_TEXT))
        )
    );
    for (source, name, text) in [
        ("bank", "entry.ach", entry.replace("556677889", OF_AN_ENTRY)),
        (
            "bank",
            "corrected.ach",
            corrected.replace("556677889", OF_AN_ENTRY),
        ),
        (
            "funding",
            "payouts.csv",
            funding_rejects(&["TR2", "UNKNOWN"]).replace("123456789012", OF_A_PAYOUT),
        ),
        ("worldpay", "lines.csv", unreadable),
        (
            "bank",
            "rejected.ach",
            format!("dear sirs, account {IN_A_REJECTED_FILE}\n"),
        ),
        (
            "worldpay",
            "rejected.csv",
            format!("account,{IN_A_REJECTED_FILE}\n{IN_A_REJECTED_FILE},1\n"),
        ),
    ] {
        let header = proto::ImportFileHeader {
            source: source.to_owned(),
            file_name: name.to_owned(),
            wait: proto::WaitLevel::Applied.into(),
            ..proto::ImportFileHeader::default()
        };
        let parts = [Part::Header(header), Part::Chunk(text.into_bytes())]
            .map(|part| proto::ImportFileRequest { part: Some(part) });
        let answer = job
            .returns
            .clone()
            .import_file(tokio_stream::iter(parts))
            .await;
        places.add(
            format!("the answer to ImportFile({name})"),
            format!("{answer:?}"),
        );
    }
}

/// Everything that the API answers.
async fn ask_everything(job: &Job, places: &mut Places) {
    let (mut returns, mut operations) = (job.returns.clone(), job.operations.clone());
    let imports = returns
        .list_imports(proto::ListImportsRequest::default())
        .await
        .unwrap();
    let imports = imports.into_inner().imports;
    for import in &imports {
        let whole = job.import(&import.import_id).await;
        for key in [&whole.archive_key, &whole.report_key] {
            if !key.is_empty() {
                places.add(
                    format!("the object {key}"),
                    job.setup.bucket.read(key).await,
                );
            }
        }
        places.add("GetImport", format!("{whole:?}"));
    }
    assert!(imports.len() >= 6, "{imports:?}");
    places.add(
        "ListHolds",
        format!(
            "{:?}",
            returns.list_holds(proto::ListHoldsRequest::default()).await
        ),
    );
    places.add(
        "ListReturns",
        format!(
            "{:?}",
            returns
                .list_returns(proto::ListReturnsRequest::default())
                .await
        ),
    );
    places.add(
        "ListJournal",
        format!(
            "{:?}",
            operations
                .list_journal(proto::ListJournalRequest::default())
                .await
        ),
    );
    places.add(
        "GetStatus",
        format!(
            "{:?}",
            operations.get_status(proto::GetStatusRequest {}).await
        ),
    );
    places.add(
        "ListSources",
        format!(
            "{:?}",
            operations.list_sources(proto::ListSourcesRequest {}).await
        ),
    );
    places.add("ListJobRuns", format!("{:?}", job.runs().await));
    places.add(
        "Diagnose",
        format!(
            "{:?}",
            operations.diagnose(proto::DiagnoseRequest::default()).await
        ),
    );
}

fn dump(program: &str, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(
        done.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    done.stdout
}

fn databases(job: &Job, places: &mut Places) {
    let databases = &job.setup.databases;
    for url in [&databases.returns_db, &databases.rallypay_db] {
        let url = url.as_deref().unwrap();
        places.add("a PostgreSQL database", dump("pg_dump", &["--dbname", url]));
    }
    let url = databases.gateway_db.as_deref().unwrap();
    let (server, name) = url.rsplit_once('/').unwrap();
    let (_, port) = server.rsplit_once(':').unwrap();
    let dumped = dump(
        "mariadb-dump",
        &[
            "--no-defaults",
            "--hex-blob",
            "-h127.0.0.1",
            "-uecheck",
            "-pecheck",
            &format!("-P{port}"),
            name,
        ],
    );
    places.add("the MariaDB database", dumped);
}

/// Everything below the data folder but the key's own file.
fn disk(job: &Job, places: &mut Places) {
    let mut folders = vec![job.setup.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_none_or(|name| name != "spool.key") {
                places.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn account_numbers_and_secrets_come_out_nowhere() {
    let log = Log::start();
    let hook = HttpReceiver::start().await;
    let mut setup = Setup::with_server(Sshd::options().with_passwords().start()).await;
    let account = Account::create();
    let password = account.password.clone();
    setup.credentials = Credentials::Password(account);
    let url = setup.databases.returns_db.as_mut().unwrap();
    *url = url.replace("postgres@", &format!("postgres:{OF_THE_DATABASE}@"));
    setup.more = format!(
        "[sources.bank]\nformat = \"nacha\"\n[sources.funding]\nformat = \"worldpay_funding_reject\"\n\
         [alerts.channels.hook]\nkind = \"webhook\"\nurl = \"{}\"\n\
         authorization = \"Bearer {OF_THE_HEADER}\"\n\
         [alerts.channels.dead]\nkind = \"email\"\nhost = \"127.0.0.1\"\nport = 1\n\
         tls = \"starttls\"\nuser = \"staff\"\npassword = \"{OF_THE_MAIL}\"\n\
         from = \"echeck@rallypay.example\"\nto = [\"staff@rallypay.example\"]\n",
        hook.url(&format!("/{OF_THE_WEBHOOK}"))
    );
    let good_secret = setup.key.secret.clone();
    let mut places = Places(Vec::new());

    // First all is well: files come in by every door.
    let job = Job::start(setup).await;
    job.add_debits(&["TR1", "TR2"]).await;
    send_files(&job, &mut places).await;
    let run = job.run().await;
    places.add("RunJob", format!("{run:?}"));
    eventually("everything is archived", async || {
        let imports = job
            .returns
            .clone()
            .list_imports(proto::ListImportsRequest::default())
            .await;
        imports
            .unwrap()
            .into_inner()
            .imports
            .iter()
            .all(|import| !import.archive_key.is_empty())
    })
    .await;

    // Then much goes wrong, and people are told.
    if let Credentials::Password(account) = &job.setup.credentials {
        account.set_password("another, so that ours is refused");
    }
    job.clock.set(noon(0));
    job.alert("refuses our password", Duration::from_secs(15))
        .await;
    ask_everything(&job, &mut places).await;
    databases(&job, &mut places);
    disk(&job, &mut places);
    eventually("the webhook is called", async || {
        !hook.received().is_empty()
    })
    .await;
    for mail in job.setup.mail.mails() {
        places.add("a mail", format!("{mail:?}"));
    }
    for call in hook.received() {
        places.add("a webhook's body", call.body);
    }

    // A bucket that refuses our secret, on a stack of its own.
    let mut setup = Setup::new().await;
    setup.key.secret = OF_THE_BUCKET.to_owned();
    setup.publish(
        "ECheckReturnReport_1.csv",
        Worldpay::new().returned("TR1", "R01").text(),
    );
    let other = Job::start(setup).await;
    places.add(
        "RunJob without a bucket",
        format!("{:?}", other.run().await),
    );
    let alert = other
        .alert("The secret access key", Duration::from_secs(10))
        .await;
    places.add("an alert", alert);
    databases(&other, &mut places);

    let logged = log.0.lock().unwrap().clone();
    assert!(logged.len() > 10_000, "the log was taken down");
    places.add("the log", logged);
    for canary in [
        OF_AN_ENTRY,
        OF_A_PAYOUT,
        IN_FREE_TEXT,
        CORRECTED,
        IN_AN_UNREADABLE_LINE,
        IN_A_REJECTED_FILE,
        OF_THE_DATABASE,
        OF_THE_BUCKET,
        OF_THE_WEBHOOK,
        OF_THE_HEADER,
        OF_THE_MAIL,
        &password,
        &good_secret,
    ] {
        places.is_nowhere(canary);
    }
    places.is_somewhere("FNXTR1");
    let key = std::fs::read_to_string(job.setup.folder.path().join("spool.key")).unwrap();
    places.is_nowhere(key.trim());
}
