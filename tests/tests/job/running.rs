//! A job that runs, with a clock that the test moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use echeck::database::Address;
use echeck::stack::{Ports, Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock, SystemClock};
use echeck_tests::{address, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::setup::Setup;

/// The system's clock, moved by some span.
pub struct MovedClock(Mutex<TimeDelta>);

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

impl MovedClock {
    /// A clock that is ahead of the system's.
    pub fn ahead(by: TimeDelta) -> Self {
        Self(Mutex::new(by))
    }

    /// A clock that shows `at` now, and goes on from there.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(Mutex::new(at - SystemClock.now()))
    }

    /// From now on it shows `at`, and goes on from there.
    pub fn set(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap() = at - SystemClock.now();
    }
}

/// The time by the system's clock.
pub fn right_now() -> DateTime<Utc> {
    SystemClock.now()
}

/// Noon of a day, so many days from today.
pub fn noon(days: i64) -> DateTime<Utc> {
    let day = SystemClock.now().date_naive() + TimeDelta::days(days);
    day.and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// A job that runs.
pub struct Job {
    pub setup: Setup,
    pub clock: Arc<MovedClock>,
    pub stack: Stack,
    pub operations: OperationsServiceClient<Channel>,
    pub returns: ReturnsServiceClient<Channel>,
}

impl Job {
    /// Starts it at noon of yesterday: nothing is due until the clock is moved to today.
    pub async fn start(setup: Setup) -> Self {
        Self::start_at(setup, noon(-1)).await
    }

    pub async fn start_at(setup: Setup, at: DateTime<Utc>) -> Self {
        std::fs::create_dir_all(setup.beat()).unwrap();
        let clock = Arc::new(MovedClock::at(at));
        let mut options = StackOptions::new(setup.folder.path(), Ports::ANY);
        options.databases = setup.databases.clone();
        options.clocks.work = clock.clone();
        options.clocks.machine = Arc::new(MovedClock::ahead(setup.machine_ahead));
        if let Some((port, at)) = setup.rallypay_line {
            options.ports.rallypay = port;
            options.rallypay_at = Some(at);
        }
        options.returns = setup.toml();
        let stack = Stack::start(&options)
            .await
            .unwrap_or_else(|error| panic!("{error:#}"));
        let mut operations = OperationsServiceClient::connect(stack.url()).await.unwrap();
        // From now on every source is known, so what falls due later is missed if it is.
        operations
            .list_sources(proto::ListSourcesRequest {})
            .await
            .unwrap();
        Self {
            operations,
            returns: ReturnsServiceClient::connect(stack.url()).await.unwrap(),
            setup,
            clock,
            stack,
        }
    }

    /// Debits of 50.00 that succeeded, in both databases.
    pub async fn add_debits(&self, ids: &[&str]) {
        echeck_tests::add_debits(&self.setup.databases, ids).await;
    }

    pub fn gateway(&self) -> Address {
        address(&self.setup.databases.gateway_db)
    }

    pub fn rallypay(&self) -> Address {
        address(&self.setup.databases.rallypay_db)
    }

    /// Lets the source be due at 10:00 on banking days, by a cron line in a time zone.
    pub async fn due_on_banking_days(&self, cron: &str, time_zone: &str) {
        let schedule = proto::Schedule {
            cron: cron.to_owned(),
            time_zone: time_zone.to_owned(),
            days: proto::ScheduleDays::BankingDays.into(),
            due: "10:00".to_owned(),
            grace_minutes: 30,
        };
        let ask = proto::SetScheduleRequest {
            source: "worldpay".to_owned(),
            schedule: Some(schedule),
            request_id: String::new(),
            reason: "they work on banking days".to_owned(),
        };
        self.operations.clone().set_schedule(ask).await.unwrap();
    }

    /// Runs the source to its end.
    pub async fn run(&self) -> proto::JobRun {
        let ask = proto::RunJobRequest {
            source: "worldpay".to_owned(),
            request_id: String::new(),
            wait: true,
        };
        let answer = self.operations.clone().run_job(ask).await.unwrap();
        answer.into_inner().run.unwrap()
    }

    /// Waits until the scheduler has looked at every source with the clock as it is now.
    pub async fn wait_for_a_look(&self) {
        // A look may have begun before the clock was moved, so the second one counts.
        for _ in 0..2 {
            let at = self.clock.now() + TimeDelta::minutes(1);
            self.clock.set(at);
            eventually("the scheduler looks", async || {
                let runs = self.runs_of("beat").await;
                runs.first().is_some_and(|run| {
                    let began = run.started_at.map(|began| began.seconds);
                    began.is_some_and(|began| began >= at.timestamp())
                })
            })
            .await;
        }
    }

    /// Runs of the source, newest first.
    pub async fn runs(&self) -> Vec<proto::JobRun> {
        self.runs_of("worldpay").await
    }

    pub async fn runs_of(&self, source: &str) -> Vec<proto::JobRun> {
        let ask = proto::ListJobRunsRequest {
            source: source.to_owned(),
            ..proto::ListJobRunsRequest::default()
        };
        let answer = self.operations.clone().list_job_runs(ask).await.unwrap();
        answer.into_inner().runs
    }

    /// An import.
    pub async fn import(&self, import_id: &str) -> proto::Import {
        let ask = proto::GetImportRequest {
            import_id: import_id.to_owned(),
        };
        let answer = self.returns.clone().get_import(ask).await.unwrap();
        answer.into_inner().file_import.unwrap()
    }

    /// Waits until the run for a due time has ended, and gives it.
    pub async fn due_run(&self) -> proto::JobRun {
        let found: Mutex<Option<proto::JobRun>> = Mutex::default();
        eventually("the run for the due time ends", async || {
            let runs = self.runs().await;
            let due = runs
                .into_iter()
                .find(|run| run.trigger() == proto::JobTrigger::Due && run.ended_at.is_some());
            *found.lock().unwrap() = due;
            found.lock().unwrap().is_some()
        })
        .await;
        found.into_inner().unwrap().unwrap()
    }

    /// Waits for an alert whose first line says `what`; gives its text.
    pub async fn alert(&self, what: &str, within: Duration) -> String {
        let began = Instant::now();
        loop {
            let mails = self.setup.mail.mails();
            if let Some(mail) = mails.iter().find(|mail| {
                let line = first_line(&mail.body);
                // That something is over repeats what it was.
                let over = "Recovered after";
                line.contains(what) && line.starts_with(over) == what.starts_with(over)
            }) {
                return mail.body.clone();
            }
            assert!(
                began.elapsed() < within,
                "no alert says {what:?} in its first line within {within:?}; there are: {:#?}",
                mails
                    .iter()
                    .map(|mail| first_line(&mail.body).to_owned())
                    .collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The first line of an alert.
pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
