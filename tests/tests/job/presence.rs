//! Which day a file counts for, and what is said while it is not there.

use std::io::Write as _;
use std::time::Duration;

use chrono::TimeDelta;
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::proxy::Proxy;
use echeck_tests::{Worldpay, eventually};
use proto::incident_service_client::IncidentServiceClient;
use proto::{CheckState, JobOutcome, JobTrigger};

use tonic::transport::Channel;

use super::running::{Job, first_line, noon};
use super::setup::Setup;

const FILE: &str = "ECheckReturnReport_1.csv";
const WITHIN: Duration = Duration::from_secs(10);

fn file() -> String {
    Worldpay::new().returned("TR1", "R01").text()
}

impl Job {
    /// Whether any alert said this in its first line.
    fn was_notified(&self, what: &str) -> bool {
        let mails = self.setup.mail.mails();
        mails
            .iter()
            .any(|mail| first_line(&mail.body).contains(what))
    }

    async fn incident_service(&self) -> IncidentServiceClient<Channel> {
        IncidentServiceClient::connect(self.stack.url())
            .await
            .unwrap()
    }

    async fn incidents(&self) -> Vec<proto::Incident> {
        let ask = proto::ListIncidentsRequest::default();
        let answer = self
            .incident_service()
            .await
            .list_incidents(ask)
            .await
            .unwrap();
        answer.into_inner().incidents
    }

    /// The id of the incident about a subject.
    async fn incident_about(&self, subject: &str) -> String {
        let incidents = self.incidents().await;
        let about = incidents
            .into_iter()
            .find(|incident| incident.subject == subject);
        about.unwrap().incident_id
    }

    /// The subjects of the open incidents of a cause.
    async fn open(&self, cause: &str) -> Vec<String> {
        let incidents = self.incidents().await;
        incidents
            .into_iter()
            .filter(|incident| incident.closed_at.is_none() && incident.cause == cause)
            .map(|incident| incident.subject)
            .collect()
    }

    /// Today's file is due, and is not there.
    async fn missing(setup: Setup) -> Self {
        let job = Self::start(setup).await;
        job.add_debits(&["TR1"]).await;
        job.clock.set(noon(0));
        assert_eq!(job.due_run().await.outcome(), JobOutcome::FileMissing);
        job.alert("No new file matching", WITHIN).await;
        job
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_days_file_ends_no_alarm_of_the_day_before_and_is_not_late() {
    let job = Job::missing(Setup::new().await).await;
    let missed = format!("source:worldpay:{}", noon(0).date_naive());
    assert_eq!(
        job.open("FILE_MISSING").await,
        std::slice::from_ref(&missed)
    );

    // The next morning, an hour before anything is due.
    job.clock.set(noon(1) - TimeDelta::hours(3));
    job.setup
        .publish_at(FILE, file(), noon(1) - TimeDelta::hours(4));
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::Completed, "{run:?}");
    assert_eq!(
        job.open("FILE_MISSING").await,
        std::slice::from_ref(&missed)
    );
    assert!(!job.was_notified("Recovered after"));

    // Somebody has looked into it, and no run brings it back.
    let ask = proto::CloseIncidentRequest {
        incident_id: job.incident_about(&missed).await,
        request_id: String::new(),
        note: "there were no returns".to_owned(),
    };
    let mut incidents = job.incident_service().await;
    incidents.close_incident(ask).await.unwrap();
    job.run().await;
    job.clock.set(noon(1));
    job.wait_for_a_look().await;
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::NoActivity, "{run:?}");
    assert!(job.open("FILE_MISSING").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_that_says_there_is_nothing_counts_for_every_day_on_which_it_comes() {
    let job = Job::start(Setup::new().await).await;
    let nothing = Worldpay::new().text();
    for day in [-1, 0] {
        job.clock.set(noon(day) - TimeDelta::hours(3));
        let written = noon(day) - TimeDelta::hours(4);
        job.setup.publish_at(FILE, &nothing, written);
        let run = job.run().await;
        assert_eq!(run.files.len(), 1, "{run:?}");
    }
    job.clock.set(noon(0));
    let run = job.due_run().await;
    assert_eq!(run.outcome(), JobOutcome::NoActivity, "{run:?}");
    assert!(job.setup.mail.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_stays_missing_when_the_plan_is_changed_or_paused() {
    let job = Job::missing(Setup::new().await).await;
    let mut operations = job.operations.clone();
    let (source, reason) = ("worldpay", "we look more often");
    let ask = proto::SetScheduleRequest {
        source: source.to_owned(),
        schedule: Some(proto::Schedule {
            cron: "0 0 1 2 *".to_owned(),
            time_zone: "UTC".to_owned(),
            days: proto::ScheduleDays::All.into(),
            due: "10:00".to_owned(),
            grace_minutes: 30,
        }),
        request_id: String::new(),
        reason: reason.to_owned(),
    };
    operations.set_schedule(ask).await.unwrap();
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::FileMissing, "{run:?}");

    let ask = proto::PauseSourceRequest {
        source: source.to_owned(),
        request_id: String::new(),
        reason: reason.to_owned(),
    };
    operations.pause_source(ask).await.unwrap();
    let ask = proto::ResumeSourceRequest {
        source: source.to_owned(),
        request_id: String::new(),
        reason: reason.to_owned(),
    };
    operations.resume_source(ask).await.unwrap();
    let run = job.run().await;
    assert_eq!(run.outcome(), JobOutcome::FileMissing, "{run:?}");
    let ask = proto::DiagnoseRequest {
        source: source.to_owned(),
    };
    let checks = operations.diagnose(ask).await.unwrap().into_inner().checks;
    let file_check = checks.iter().find(|check| check.name == "file").unwrap();
    assert_eq!(file_check.state(), CheckState::Failed, "{file_check:?}");
    assert!(!job.was_notified("Recovered after"));

    job.setup.publish(FILE, file());
    job.run().await;
    job.alert("Recovered after", WITHIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_there_in_time_is_not_late_because_we_looked_late() {
    let job = Job::start(Setup::new().await).await;
    job.add_debits(&["TR1"]).await;
    let before_it_is_due = noon(0) - TimeDelta::minutes(140);
    job.setup.publish_at(FILE, file(), before_it_is_due);
    job.clock.set(noon(0));
    let run = job.due_run().await;
    assert_eq!(run.outcome(), JobOutcome::Completed, "{run:?}");
    assert!(job.setup.mail.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_is_reported_once_and_not_as_an_old_one() {
    let job = Job::start(Setup::new().await).await;
    let written = noon(0) - TimeDelta::hours(3);
    let name = "ECheckReturnReport_1.csv.gz";
    job.setup.publish_at(name, "this is no gzip", written);
    job.clock.set(noon(0));
    let run = job.due_run().await;
    assert_eq!(run.outcome(), JobOutcome::FileRejected, "{run:?}");
    job.alert("could not be unpacked", WITHIN).await;
    for cause in ["FILE_STALE", "FILE_MISSING"] {
        assert!(job.open(cause).await.is_empty(), "{cause}");
    }
    // It lies there still on the next day, on which nothing comes.
    job.clock.set(noon(1));
    job.alert("No new file matching", Duration::from_secs(20))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_marker_is_reported_as_such() {
    let mut setup = Setup::new().await;
    setup.more_sftp = "complete = \"marker\"\nmarker_suffix = \".done\"";
    setup.publish_at(FILE, file(), noon(0) - TimeDelta::hours(3));
    let job = Job::start(setup).await;
    job.clock.set(noon(0));
    assert_eq!(job.due_run().await.outcome(), JobOutcome::FileMissing);
    job.alert("ECheckReturnReport_1.csv.done", WITHIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_downloads_past_the_due_time_is_reported() {
    let mut setup = Setup::new().await;
    let mut large = std::fs::File::create(setup.outgoing().join(FILE)).unwrap();
    large.write_all(&vec![b'x'; 4 << 20]).unwrap();
    let proxy = Proxy::start(setup.sshd.port());
    proxy.throttle(40_000);
    setup.port = proxy.port();
    let job = Job::start(setup).await;
    let mut operations = job.operations.clone();
    let ask = proto::RunJobRequest {
        source: "worldpay".to_owned(),
        request_id: String::new(),
        wait: false,
    };
    operations.run_job(ask).await.unwrap();
    job.clock.set(noon(0));
    let alert = job.alert("is not imported yet", WITHIN).await;
    assert!(alert.contains("has not finished"), "{alert}");
    let missed = format!("source:worldpay:{}", noon(0).date_naive());
    assert_eq!(job.open("RUN_STILL_GOING").await, [missed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_after_the_alarm_is_taken_without_waiting_for_the_next_slot() {
    let mut setup = Setup::new().await;
    setup.retry_missing_ms = 1_000;
    let job = Job::missing(setup).await;
    let alert = job.alert("No new file matching", WITHIN).await;
    assert!(alert.contains("Next try"), "{alert}");
    job.setup.publish_at(FILE, file(), noon(0));
    eventually("a retry takes the file", async || {
        let runs = job.runs().await;
        runs.iter()
            .any(|run| run.trigger() == JobTrigger::Retry && run.outcome() == JobOutcome::FileLate)
    })
    .await;
    job.alert("Recovered after", WITHIN).await;
}
