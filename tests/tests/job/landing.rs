//! A file lands at the acquirer, and its report in the bucket.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Worldpay, eventually};
use proto::JobOutcome;
use proto::incident_service_client::IncidentServiceClient;

use super::running::{Job, right_now};
use super::setup::Setup;

const FILE: &str = "ECheckReturnReport_1_20261120.csv";

fn returns(ids: &[&str]) -> String {
    let file = ids
        .iter()
        .fold(Worldpay::new(), |file, id| file.returned(id, "R01"));
    file.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lands_is_applied_everywhere_archived_and_reported() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1", "TR2"]).await;
    job.setup.publish(FILE, returns(&["TR1", "TR2"]));

    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::Completed, "{run:?}");
    assert_eq!(run.files.len(), 1);
    assert_eq!(run.files[0].name, FILE);

    let sql = "SELECT COUNT(*) FROM transfers WHERE type = 'REVERSAL'";
    assert_eq!(value(&job.gateway(), sql).await, "2");
    let sql = "SELECT COUNT(*) FROM transactions WHERE failure_code = 'R01'";
    assert_eq!(value(&job.rallypay(), sql).await, "2");

    let import = job.import(&run.files[0].import_id).await;
    let raw = job.setup.bucket.read(&import.archive_key).await;
    assert!(
        raw.starts_with("age-encryption.org"),
        "the archive is encrypted"
    );
    assert!(!raw.contains("8399TR1"));
    let report = job.setup.bucket.read(&import.report_key).await;
    assert_eq!(report.lines().count(), 3, "a header and two rows: {report}");

    assert!(!job.setup.outgoing().join(FILE).exists());
    assert!(job.setup.sshd.data().join("taken").join(FILE).exists());
    assert!(job.setup.mail.mails().is_empty(), "all is well");

    // Looking again finds nothing; the same bytes under another name are known.
    assert_eq!(job.run().await.outcome(), JobOutcome::NoActivity);
    job.setup
        .publish("ECheckReturnReport_again.csv", returns(&["TR1", "TR2"]));
    assert_eq!(job.run().await.outcome(), JobOutcome::DuplicateFile);
    let sql = "SELECT COUNT(*) FROM transfers WHERE type = 'REVERSAL'";
    assert_eq!(value(&job.gateway(), sql).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_an_archive_is_an_import_and_the_archive_is_moved_once() {
    const ARCHIVE: &str = "ECheckReturnReport_1.zip";
    let bytes = include_bytes!("../../../crates/returns-sources/src/tests/files/zip_of_two.zip");
    let mut setup = Setup::new().await;
    setup.format = "nacha";
    let job = Job::start(setup).await;
    job.setup.publish(ARCHIVE, bytes);
    let run = job.run().await;
    // Nobody knows the payments of its entries.
    assert_eq!(
        run.outcome(),
        JobOutcome::CompletedWithExceptions,
        "{run:?}"
    );
    let names = ["a", "b"].map(|name| format!("{ARCHIVE}/{name}.ach"));
    let found: Vec<&str> = run.files.iter().map(|file| &*file.name).collect();
    assert_eq!(found, names);
    for file in &run.files {
        let import = job.import(&file.import_id).await;
        assert_eq!(import.entries_total, 1, "{import:?}");
    }
    assert_eq!(job.setup.sshd.names("taken"), [ARCHIVE]);
    assert_eq!(job.run().await.outcome(), JobOutcome::NoActivity);
    // The same bytes under another name are known, file by file.
    job.setup.publish("ECheckReturnReport_2.zip", bytes);
    let again = job.run().await;
    assert_eq!(again.outcome(), JobOutcome::DuplicateFile, "{again:?}");
    assert_eq!(again.files.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_of_the_name_size_and_time_of_one_that_was_put_away_is_imported() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1", "TR2"]).await;
    job.setup.publish(FILE, returns(&["TR1"]));
    assert_eq!(job.run().await.outcome(), JobOutcome::Completed);

    let away = job.setup.sshd.data().join("taken").join(FILE);
    let time = std::fs::metadata(away).unwrap().modified().unwrap();
    let (hidden, path) = (".next", job.setup.outgoing().join(FILE));
    job.setup.publish(hidden, returns(&["TR2"]));
    let hidden = job.setup.outgoing().join(hidden);
    let file = std::fs::File::options().write(true).open(&hidden).unwrap();
    file.set_modified(time).unwrap();
    std::fs::rename(hidden, path).unwrap();

    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::Completed, "{run:?}");
    let sql = "SELECT COUNT(*) FROM transfers WHERE type = 'REVERSAL'";
    assert_eq!(value(&job.gateway(), sql).await, "2");
    assert_eq!(job.run().await.outcome(), JobOutcome::NoActivity);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_for_while_one_goes_on_joins_it() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1"]).await;
    job.setup.publish(FILE, returns(&["TR1"]));
    let (first, second) = tokio::join!(job.run(), job.run());
    let ran = [&first, &second].map(|run| run.outcome());
    assert!(ran.contains(&JobOutcome::Completed), "{ran:?}");
    if first.run_id != second.run_id {
        assert!(
            ran.contains(&JobOutcome::NoActivity),
            "one came after the other: {ran:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_wait_for_a_person_are_exceptions_and_no_outage() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1"]).await;
    job.setup.publish(FILE, returns(&["TR1", "UNKNOWN"]));
    let run = job.run().await;
    assert_eq!(
        run.outcome(),
        JobOutcome::CompletedWithExceptions,
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_job_is_diagnosed_as_healthy_with_every_check() {
    // By the right clock, since the databases' clocks are compared with it.
    let job = Job::start_at(Setup::new().await, right_now()).await;
    let ask = proto::DiagnoseRequest::default();
    let answer = job
        .operations
        .clone()
        .diagnose(ask)
        .await
        .unwrap()
        .into_inner();
    let failed: Vec<_> = answer
        .checks
        .iter()
        .filter(|check| check.state() == proto::CheckState::Failed)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let names: Vec<_> = answer
        .checks
        .iter()
        .map(|check| check.name.as_str())
        .collect();
    for name in [
        "host name",
        "host key",
        "log-in",
        "directory",
        "disk space",
        "returns database",
        "adapter",
        "target",
        "clock",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diagnosis_names_the_cause_and_answers_in_time() {
    let mut setup = Setup::new().await;
    setup.host = "sftp.gone.invalid".to_owned();
    let job = Job::start(setup).await;
    let began = tokio::time::Instant::now();
    let ask = proto::DiagnoseRequest {
        source: "worldpay".to_owned(),
    };
    let answer = job
        .operations
        .clone()
        .diagnose(ask)
        .await
        .unwrap()
        .into_inner();
    assert!(began.elapsed() < Duration::from_secs(9));
    assert_eq!(answer.cause, "HOST_NOT_FOUND", "{answer:#?}");
    assert!(!answer.healthy && !answer.to_do.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_is_reported_while_another_is_still_applied() {
    use sqlx::Connection as _;
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1"]).await;
    let url = job.setup.databases.gateway_db.clone().unwrap();
    let mut owner = sqlx::MySqlConnection::connect(&url).await.unwrap();
    let mut lock = owner.begin().await.unwrap();
    let held = sqlx::query("SELECT id FROM transfers FOR UPDATE");
    assert_eq!(held.fetch_all(&mut *lock).await.unwrap().len(), 1);
    job.setup.publish(FILE, returns(&["TR1"]));
    job.setup.publish("ECheckReturnReport_2.csv.gz", "no gzip");
    let incidents = IncidentServiceClient::connect(job.stack.url()).await;
    let incidents = incidents.unwrap();
    let (run, ()) = tokio::join!(job.run(), async {
        eventually("the incident is open", || async {
            let ask = proto::ListIncidentsRequest::default();
            let listed = incidents.clone().list_incidents(ask).await.unwrap();
            let mut listed = listed.into_inner().incidents.into_iter();
            listed.any(|one| one.cause == "FILE_UNOPENABLE")
        })
        .await;
        let runs = job.runs().await;
        assert!(runs[0].ended_at.is_none(), "{runs:?}");
        lock.rollback().await.unwrap();
    });
    assert_eq!(run.files.len(), 2, "{run:?}");
    job.alert("could not be unpacked", Duration::from_secs(30))
        .await;
}

async fn value(address: &echeck::database::Address, sql: &str) -> String {
    let mut connection = address.connect().await.unwrap();
    connection.value(sql).await.unwrap().unwrap_or_default()
}
