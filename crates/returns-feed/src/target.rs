//! The databases behind adapters.

use std::time::Duration;

use async_trait::async_trait;
use echeck_proto::adapter::v1::CheckTargetResponse;
use echeck_service::ErrorChain;
use echeck_service::machine::is_in_url;
use returns_alerts::diagnosis::{PATIENCE, Probe};
use returns_alerts::{ClockReading, ClockReference};
use returns_import::adapter::Adapter;
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;

use super::Role;

/// Checks an adapter and its target.
pub struct AdapterProbe {
    /// The adapter.
    pub adapter: Adapter,
    /// What its database is to the others.
    pub role: Role,
}

#[async_trait]
impl Probe for AdapterProbe {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        check(&self.adapter, self.role, PATIENCE).await.into()
    }
}

/// The clocks of an adapter and of its database, as its last check showed them.
pub struct AdapterClock(pub Adapter);

#[async_trait]
impl ClockReference for AdapterClock {
    async fn read(&self) -> Vec<ClockReading> {
        let database = &self.0.database;
        let names = [
            format!("the database {database:?}"),
            format!("the adapter of {database:?}"),
        ];
        let clocks = names.into_iter().zip(self.0.clocks());
        clocks
            .filter_map(|(name, told)| {
                Some(ClockReading {
                    name,
                    at: told.now()?,
                    is_this_machine: is_in_url(self.0.address()),
                })
            })
            .collect()
    }
}

/// Asks an adapter whether it and its target are available, and waits for it so long.
pub(super) async fn check(adapter: &Adapter, role: Role, within: Duration) -> [Check; 2] {
    let leads = role == Role::SystemOfRecord;
    let began = tokio::time::Instant::now();
    let answer = tokio::time::timeout(within, adapter.check(within)).await;
    let took = began.elapsed();
    let unreachable = |why: String| {
        let unreachable = Cause::AdapterUnreachable {
            database: adapter.database.clone(),
            leads,
            why,
        };
        let unknown = CheckResult::Skipped("its adapter does not answer".to_owned());
        (CheckResult::Failed(unreachable), unknown)
    };
    let (of_adapter, of_target) = match answer {
        Ok(Ok(answer)) => (answers(&answer), target(adapter, leads, &answer)),
        Ok(Err(error)) => unreachable(ErrorChain(&error).to_string()),
        Err(_) => unreachable(format!("no answer within {} ms", within.as_millis())),
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
    ]
}

fn answers(answer: &CheckTargetResponse) -> CheckResult {
    let (theirs, ours) = (&answer.adapter_version, env!("CARGO_PKG_VERSION"));
    CheckResult::Passed(match theirs.as_str() {
        "" => "answers, and does not say its version".to_owned(),
        same if same == ours => "answers".to_owned(),
        other => format!("answers; it is version {other}, and this service is {ours}"),
    })
}

fn target(adapter: &Adapter, leads: bool, answer: &CheckTargetResponse) -> CheckResult {
    let database = adapter.database.clone();
    if answer.ok {
        let seen = format!("{} ({})", answer.target, answer.database_version);
        return CheckResult::Passed(seen);
    }
    CheckResult::Failed(match answer.read_only {
        true => Cause::TargetReadOnly { database, leads },
        false => Cause::TargetFailed {
            database,
            leads,
            why: answer.faults.join("; "),
        },
    })
}
