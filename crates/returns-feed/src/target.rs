//! The databases: our own, and those behind adapters.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use echeck_proto::adapter::v1 as contract;
use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::diagnosis::{PATIENCE, Probe};
use returns_import::adapter::{Adapter, AdapterError};
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;

/// Clocks that differ by more than this judge due times differently.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);

/// Checks an adapter, its target, and the clock there.
pub struct AdapterProbe {
    /// The adapter.
    pub adapter: Adapter,
    /// Our own clock.
    pub clock: SharedClock,
}

#[async_trait]
impl Probe for AdapterProbe {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        check(&self.adapter, self.clock.now()).await.into()
    }
}

/// Asks an adapter whether it and its target work, and what time it is there.
async fn check(adapter: &Adapter, now: DateTime<Utc>) -> [Check; 3] {
    let began = tokio::time::Instant::now();
    let answer = tokio::time::timeout(PATIENCE, adapter.check()).await;
    let took = began.elapsed();
    let (of_adapter, of_target, of_clock) = match answer {
        Ok(Ok(answer)) => (
            CheckResult::Passed("answers".to_owned()),
            target(adapter, &answer),
            clock(adapter, &answer, now),
        ),
        Ok(Err(error)) => (
            unreachable(adapter, error_chain(&error)),
            unknown(),
            unknown(),
        ),
        Err(_) => {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            (unreachable(adapter, why), unknown(), unknown())
        }
    };
    let check = |name, of: String, result| Check {
        name,
        of,
        result,
        took,
    };
    let database = &adapter.database;
    [
        check(
            "adapter",
            format!("{database} at {}", adapter.address()),
            of_adapter,
        ),
        check("target", database.clone(), of_target),
        check("clock", format!("here and at {database}"), of_clock),
    ]
}

fn error_chain(error: &AdapterError) -> String {
    ErrorChain(error).to_string()
}

fn unreachable(adapter: &Adapter, why: String) -> CheckResult {
    CheckResult::Failed(Cause::AdapterUnreachable {
        database: adapter.database.clone(),
        why,
    })
}

fn unknown() -> CheckResult {
    CheckResult::Skipped("its adapter does not answer".to_owned())
}

fn target(adapter: &Adapter, answer: &contract::CheckTargetResponse) -> CheckResult {
    if answer.ok {
        let seen = format!("{} ({})", answer.target, answer.database_version);
        return CheckResult::Passed(seen);
    }
    CheckResult::Failed(Cause::TargetFailed {
        database: adapter.database.clone(),
        why: answer.faults.join("; "),
    })
}

fn clock(
    adapter: &Adapter,
    answer: &contract::CheckTargetResponse,
    now: DateTime<Utc>,
) -> CheckResult {
    let there = answer
        .database_time
        .as_ref()
        .and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    match there {
        Some(there) if (now - there).abs() > CLOCKS_DIFFER => {
            CheckResult::Failed(Cause::ClockWrong {
                by_seconds: (now - there).num_seconds(),
                against: format!("the database {:?}", adapter.database),
            })
        }
        Some(there) => {
            let seconds = (now - there).abs().num_seconds();
            CheckResult::Passed(format!("{seconds} s apart"))
        }
        None => CheckResult::Skipped("the database tells no time".to_owned()),
    }
}
