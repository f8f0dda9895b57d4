//! The databases: our own, and those behind adapters.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use echeck_proto::adapter::v1::CheckTargetResponse;
use echeck_proto::timestamp::from_proto;
use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::diagnosis::{PATIENCE, Probe};
use returns_import::adapter::Adapter;
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;

use super::Role;

/// Clocks that differ by more than this judge due times differently.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);

/// Checks an adapter, its target, and the clock there.
pub struct AdapterProbe {
    /// The adapter.
    pub adapter: Adapter,
    /// What its database is to the others.
    pub role: Role,
    /// Our own clock.
    pub clock: SharedClock,
}

#[async_trait]
impl Probe for AdapterProbe {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        check(&self.adapter, self.role, self.clock.now())
            .await
            .into()
    }
}

/// Asks an adapter whether it and its target are available, and what time it is there.
async fn check(adapter: &Adapter, role: Role, now: DateTime<Utc>) -> [Check; 3] {
    let leads = role == Role::SystemOfRecord;
    let began = tokio::time::Instant::now();
    let answer = tokio::time::timeout(PATIENCE, adapter.check()).await;
    let took = began.elapsed();
    let (of_adapter, of_target, of_clock) = match answer {
        Ok(Ok(answer)) => (
            CheckResult::Passed("answers".to_owned()),
            target(adapter, leads, &answer),
            clock(adapter, &answer, now),
        ),
        Ok(Err(error)) => unreachable(adapter, leads, ErrorChain(&error).to_string()),
        Err(_) => unreachable(
            adapter,
            leads,
            format!("no answer within {} s", PATIENCE.as_secs()),
        ),
    };
    let check = |name, of: String, result| Check {
        name,
        of,
        result,
        took,
    };
    let database = &adapter.database;
    let address = format!("{database} at {}", adapter.address());
    [
        check("adapter", address, of_adapter),
        check("target", database.clone(), of_target),
        check("clock", format!("here and at {database}"), of_clock),
    ]
}

/// The results for adapter, target and clock when the adapter does not answer.
fn unreachable(
    adapter: &Adapter,
    leads: bool,
    why: String,
) -> (CheckResult, CheckResult, CheckResult) {
    let unreachable = Cause::AdapterUnreachable {
        database: adapter.database.clone(),
        leads,
        why,
    };
    let unknown = || CheckResult::Skipped("its adapter does not answer".to_owned());
    (CheckResult::Failed(unreachable), unknown(), unknown())
}

fn target(adapter: &Adapter, leads: bool, answer: &CheckTargetResponse) -> CheckResult {
    if answer.ok {
        let seen = format!("{} ({})", answer.target, answer.database_version);
        return CheckResult::Passed(seen);
    }
    CheckResult::Failed(Cause::TargetFailed {
        database: adapter.database.clone(),
        leads,
        why: answer.faults.join("; "),
    })
}

fn clock(adapter: &Adapter, answer: &CheckTargetResponse, now: DateTime<Utc>) -> CheckResult {
    match answer.database_time.and_then(from_proto) {
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
        None => CheckResult::Skipped("the database does not report its time".to_owned()),
    }
}
