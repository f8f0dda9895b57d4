//! A file lands at the acquirer, and its report in the bucket.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_tests::Worldpay;
use proto::JobOutcome;

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
async fn a_file_that_lands_is_applied_everywhere_archived_reported_and_put_away() {
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
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(answer.cause, "HOST_NOT_FOUND", "{answer:#?}");
    assert!(!answer.healthy && !answer.to_do.is_empty());
}

async fn value(address: &echeck::database::Address, sql: &str) -> String {
    let mut connection = address.connect().await.unwrap();
    connection.value(sql).await.unwrap().unwrap_or_default()
}
