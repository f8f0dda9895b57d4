//! Days: when a file is missed, when it is late, and when nobody is to be woken.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::sshd::{Account, Sshd};
use echeck_tests::{Worldpay, eventually};
use proto::{JobOutcome, JobTrigger};

use super::running::{Job, noon};
use super::setup::{Credentials, Setup};

const FILE: &str = "ECheckReturnReport_1.csv";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A source whose file is due at 10:00 in New York on banking days.
async fn on_banking_days(start: &str, cron: &str) -> Job {
    let setup = Setup::new().await;
    let job = Job::start_at(setup, at(start)).await;
    job.due_on_banking_days(cron, "America/New_York").await;
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_alerted_on_thanksgiving_and_somebody_is_on_the_day_after() {
    // Wednesday evening; Thanksgiving of 2026 is on 26 November.
    let job = on_banking_days("2026-11-25T20:30:00Z", "0 9 * * *").await;
    let before = job.runs().await.len();
    for hour in [
        "2026-11-26T14:30:00Z",
        "2026-11-26T16:30:00Z",
        "2026-11-26T23:30:00Z",
    ] {
        job.clock.set(at(hour));
        job.wait_for_a_look().await;
    }
    assert_eq!(
        job.runs().await.len(),
        before,
        "no slot and no due time on a holiday"
    );
    assert!(job.setup.mail.mails().is_empty());

    job.clock.set(at("2026-11-27T15:31:00Z"));
    let run = job.due_run().await;
    assert_eq!(run.outcome(), JobOutcome::FileMissing);
    job.alert("No new file matching", Duration::from_secs(10))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_after_its_due_time_is_late_and_ends_the_alarm() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1"]).await;
    job.clock.set(noon(0));
    assert_eq!(job.due_run().await.outcome(), JobOutcome::FileMissing);
    job.alert("No new file matching", Duration::from_secs(10))
        .await;

    let text = Worldpay::new().returned("TR1", "R01").text();
    job.setup.publish_at(FILE, text, noon(0));
    assert_eq!(job.run().await.outcome(), JobOutcome::FileLate);
    job.alert("Recovered after", Duration::from_secs(10)).await;
    assert_eq!(job.run().await.outcome(), JobOutcome::NoActivity);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_archived_is_reported_and_hides_none_that_is_missing() {
    let sshd = Sshd::options().denying(&["rename", "posix-rename"]).start();
    let job = Job::start(Setup::with_server(sshd).await).await;
    job.add_debits(&["TR1"]).await;
    job.setup
        .publish(FILE, Worldpay::new().returned("TR1", "R01").text());
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::Completed, "{run:?}");
    assert_eq!(run.cause, "NOT_ARCHIVED_REMOTELY");
    job.alert("could not be archived", Duration::from_secs(10))
        .await;
    // The next day brings no file, and what lies there is the old one.
    job.clock.set(noon(0));
    assert_eq!(job.due_run().await.outcome(), JobOutcome::FileMissing);
    job.alert("There is only an old file", Duration::from_secs(10))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_holds_up_no_other() {
    let mut setup = Setup::with_server(Sshd::options().with_passwords().start()).await;
    // A user who may not read everything, as root may.
    let account = Account::create();
    setup.after = "after = \"leave\"";
    setup.publish("ECheckReturnReport_0.csv", "not for everybody");
    let closed = setup.outgoing().join("ECheckReturnReport_0.csv");
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o600)).unwrap();
    setup.publish(FILE, Worldpay::new().returned("TR1", "R01").text());
    setup.credentials = Credentials::Password(account);
    let job = Job::start(setup).await;
    job.add_debits(&["TR1"]).await;
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::SourceUnreachable, "{run:?}");
    let taken: Vec<_> = run.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(taken, [FILE], "the other one is imported");
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_passed_while_nobody_was_there_run_once() {
    let job = on_banking_days("2026-11-24T13:30:00Z", "0 * * * *").await;
    job.setup.publish(FILE, "");
    // Nobody looks for six hours: six slots and a due time.
    job.clock.set(at("2026-11-24T19:40:00Z"));
    job.due_run().await;
    eventually("the last slot was caught up with", async || {
        let runs = job.runs().await;
        runs.iter()
            .any(|run| run.trigger() == JobTrigger::CatchUp && run.ended_at.is_some())
    })
    .await;
    job.wait_for_a_look().await;
    let runs = job.runs().await;
    let caught_up = runs
        .iter()
        .filter(|run| run.trigger() == JobTrigger::CatchUp);
    assert_eq!(caught_up.count(), 1, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_source_is_left_alone_until_it_is_resumed_and_both_are_kept() {
    let job = Job::start(Setup::new().await).await;
    let pause = proto::PauseSourceRequest {
        source: "worldpay".to_owned(),
        request_id: String::new(),
        reason: "their maintenance".to_owned(),
    };
    job.operations.clone().pause_source(pause).await.unwrap();
    job.clock.set(noon(0));
    job.wait_for_a_look().await;
    assert!(
        job.runs().await.is_empty(),
        "no due time while it is paused"
    );

    let resume = proto::ResumeSourceRequest {
        source: "worldpay".to_owned(),
        request_id: String::new(),
        reason: "it is over".to_owned(),
    };
    let source = job.operations.clone().resume_source(resume).await.unwrap();
    let source = source.into_inner().source.unwrap();
    assert!(source.paused_at.is_none() && source.next_run_at.is_some());
    job.wait_for_a_look().await;
    assert!(
        job.runs().await.is_empty(),
        "what it was paused over is not made up for"
    );

    let ask = proto::ListAuditRequest::default();
    let kept = job.operations.clone().list_audit(ask).await.unwrap();
    let kept = kept.into_inner().records;
    let actions: Vec<_> = kept.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(actions, ["resume_source", "pause_source"]);
    assert_eq!((kept[0].position, &*kept[0].identity), (2, "anonymous"));
    assert_eq!(kept[1].before, "runs");
    assert_eq!(kept[1].reason, "their maintenance");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_wrong_names_every_field() {
    let job = Job::start(Setup::new().await).await;
    let ask = proto::SetScheduleRequest {
        source: "worldpay".to_owned(),
        schedule: Some(proto::Schedule {
            cron: "now and then".to_owned(),
            time_zone: "Mars/Base".to_owned(),
            due: "25:00".to_owned(),
            ..proto::Schedule::default()
        }),
        request_id: String::new(),
        reason: "a try".to_owned(),
    };
    let refused = job.operations.clone().set_schedule(ask).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    for field in ["schedule.cron", "schedule.time_zone", "schedule.due"] {
        assert!(refused.message().contains(field), "{}", refused.message());
    }
}
