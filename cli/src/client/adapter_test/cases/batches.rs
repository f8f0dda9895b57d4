//! Cases that need no payment: whose target it is, where it is, and what it refuses.

use echeck_proto::adapter::v1 as proto;
use proto::StepExceptionKind;
use uuid::Uuid;

use super::Outcome;
use super::compare::{expect, look_up, refused, stays};
use crate::client::adapter_test::changes::returns;
use crate::client::adapter_test::journal::{Journal, position, row_hash, said};

/// A payment that no target has.
const MISSING: &str = "TRmissing_of_the_contract_test";

pub(super) fn introduction(journal: &Journal) -> Outcome {
    let first = &journal.first;
    expect(first.contract_version == 1, || {
        format!("contract_version is {}, not 1", first.contract_version)
    })?;
    expect(!first.target.is_empty(), || "target is empty".to_owned())
}

pub(super) async fn claimed_once(journal: &mut Journal) -> Outcome {
    let other = proto::TargetIdentity {
        journal_id: Uuid::new_v4().to_string(),
        database: "another".to_owned(),
    };
    let known = journal.claim(other).await.map_err(|status| said(&status))?;
    expect(known == Some(journal.identity()), || {
        format!("a second claim was answered with {known:?}")
    })
}

pub(super) async fn empty_step(journal: &mut Journal) -> Outcome {
    let batch = journal.batch(journal.steps([None, None]));
    let exceptions = journal.send(batch).await?;
    expect(exceptions.is_empty(), || format!("{exceptions:?}"))?;
    stays(journal).await
}

pub(super) async fn gap(journal: &mut Journal) -> Outcome {
    let steps = journal.steps([None, None]).split_off(1);
    refused(journal, journal.batch(steps), "CURSOR_MISMATCH").await
}

pub(super) async fn other_journal(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        journal_id: Uuid::new_v4().to_string(),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "JOURNAL_MISMATCH").await
}

pub(super) async fn other_past(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        previous_hash: row_hash(&journal.id, position(journal.cursor.as_ref()), "another"),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "HASH_MISMATCH").await
}

pub(super) async fn other_database(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        database: "another".to_owned(),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "TARGET_MISMATCH").await
}

pub(super) async fn other_version(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        contract_version: 1_000,
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "INVALID_REQUEST").await
}

pub(super) async fn scattered(journal: &mut Journal) -> Outcome {
    let mut steps = journal.steps([None, None, None]);
    steps.remove(1);
    refused(journal, journal.batch(steps), "INVALID_REQUEST").await
}

pub(super) async fn missing(journal: &mut Journal) -> Outcome {
    let batch = journal.batch(journal.steps([None, Some(returns(MISSING)), None]));
    let exceptions = journal.send(batch).await?;
    let kinds: Vec<StepExceptionKind> = exceptions.iter().map(proto::StepException::kind).collect();
    expect(kinds == [StepExceptionKind::NotFound], || {
        format!("the exceptions are {kinds:?}, not NOT_FOUND alone")
    })?;
    expect(exceptions[0].message.contains(MISSING), || {
        format!(
            "the exception does not name the payment: {:?}",
            exceptions[0].message
        )
    })
}

pub(super) async fn blocked(journal: &mut Journal) -> Outcome {
    let why = "it undoes a step without effect";
    let mut steps = journal.steps([Some(returns(MISSING)), None]);
    why.clone_into(&mut steps[0].blocked_reason);
    let exceptions = journal.send(journal.batch(steps)).await?;
    let seen: Vec<(StepExceptionKind, &str)> = exceptions
        .iter()
        .map(|one| (one.kind(), one.message.as_str()))
        .collect();
    expect(seen == [(StepExceptionKind::MovedOn, why)], || {
        format!("the exceptions are {seen:?}, not MOVED_ON with {why:?}")
    })
}

pub(super) async fn no_match(journal: &mut Journal) -> Outcome {
    let found = look_up(journal, MISSING).await?;
    expect(found.is_none_or(|found| found.is_empty()), || {
        "something was found".to_owned()
    })
}
