//! The cases. Each is a promise of docs/adapter.md, and leaves the target at the end of the journal.

use std::time::Duration;

use echeck_proto::adapter::v1 as proto;
use proto::{StepExceptionKind, TransferKeyKind};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::changes::{Stages, fails, returns};
use super::journal::{Journal, position, row_hash, said};
use super::{Payments, Verdict};

/// A payment that no target has.
const MISSING: &str = "TRmissing_of_the_contract_test";

/// How soon a caller goes away in the case of a lost answer.
const GONE_AFTER: Duration = Duration::from_millis(2);

type Outcome = Result<(), String>;

/// Tries every case, in an order in which the cheap ones come first.
pub(super) async fn try_all(
    mut journal: Journal,
    Payments {
        pending,
        funded,
        funded_amount_minor,
    }: Payments,
) -> Vec<(&'static str, Verdict)> {
    let mut pending = pending.into_iter();
    let mut verdicts = Vec::new();
    let journal = &mut journal;
    let mut add = |case, outcome: Outcome| {
        verdicts.push((
            case,
            outcome.map_or_else(Verdict::Fails, |()| Verdict::Holds),
        ));
    };
    add(
        "it says its target and the version of the contract",
        introduction(journal),
    );
    add("it is claimed once", claimed_once(journal).await);
    add(
        "an empty step moves the cursor alone",
        empty_step(journal).await,
    );
    add("a gap is refused", gap(journal).await);
    add("another journal is refused", other_journal(journal).await);
    add(
        "the same journal with another past is refused",
        other_past(journal).await,
    );
    add(
        "a batch for another database is refused",
        other_database(journal).await,
    );
    add(
        "another version of the contract is refused",
        other_version(journal).await,
    );
    add("positions follow one another", scattered(journal).await);
    add(
        "a payment that is missing is an exception",
        missing(journal).await,
    );
    add(
        "a blocked step is an exception with the reason that it came with",
        blocked(journal).await,
    );
    add(
        "a key without a match finds nothing",
        no_match(journal).await,
    );
    for (with_payment, payment) in [
        (WithPayment::Returned, pending.next()),
        (WithPayment::Repeated, pending.next()),
        (WithPayment::LostAnswer, pending.next()),
        (WithPayment::Failed, pending.next()),
        (WithPayment::Reversed, funded),
    ] {
        let verdict = match payment {
            None => Verdict::LeftOut(with_payment.needs()),
            Some(payment) => match with_payment
                .outcome(journal, &payment, funded_amount_minor)
                .await
            {
                Ok(()) => Verdict::Holds,
                Err(why) => Verdict::Fails(why),
            },
        };
        verdicts.push((with_payment.promise(), verdict));
    }
    verdicts
}

/// A case that changes a payment.
#[derive(Debug, Clone, Copy)]
enum WithPayment {
    Returned,
    Repeated,
    LostAnswer,
    Failed,
    Reversed,
}

impl WithPayment {
    const fn promise(self) -> &'static str {
        match self {
            Self::Returned => {
                "a payment is returned, and shows it; as another one it is an exception"
            }
            Self::Repeated => "a batch that comes again is refused",
            Self::LostAnswer => "a lost answer neither loses nor repeats anything",
            Self::Failed => "a payment fails, and shows it",
            Self::Reversed => {
                "a funded payment is reversed, restored and reversed again; the money is released"
            }
        }
    }

    const fn needs(self) -> &'static str {
        match self {
            Self::Returned | Self::Repeated | Self::LostAnswer | Self::Failed => {
                "needs another --payment"
            }
            Self::Reversed => "needs --funded",
        }
    }

    async fn outcome(
        self,
        journal: &mut Journal,
        payment: &str,
        funded_amount_minor: i64,
    ) -> Outcome {
        match self {
            Self::Returned => returned(journal, payment).await,
            Self::Repeated => repeated(journal, payment).await,
            Self::LostAnswer => lost_answer(journal, payment).await,
            Self::Failed => failed(journal, payment).await,
            Self::Reversed => reversed(journal, payment, funded_amount_minor).await,
        }
    }
}

fn introduction(journal: &Journal) -> Outcome {
    let first = &journal.first;
    expect(first.contract_version == 1, || {
        format!("contract_version is {}, not 1", first.contract_version)
    })?;
    expect(!first.target.is_empty(), || "target is empty".to_owned())
}

async fn claimed_once(journal: &mut Journal) -> Outcome {
    let other = proto::TargetIdentity {
        journal_id: Uuid::new_v4().to_string(),
        database: "another".to_owned(),
    };
    let known = journal.claim(other).await.map_err(|status| said(&status))?;
    expect(known == Some(journal.identity()), || {
        format!("a second claim was answered with {known:?}")
    })
}

async fn empty_step(journal: &mut Journal) -> Outcome {
    let batch = journal.batch(journal.steps([None, None]));
    let exceptions = journal.send(batch).await?;
    expect(exceptions.is_empty(), || format!("{exceptions:?}"))?;
    stays(journal).await
}

async fn gap(journal: &mut Journal) -> Outcome {
    let steps = journal.steps([None, None]).split_off(1);
    refused(journal, journal.batch(steps), "CURSOR_MISMATCH").await
}

async fn other_journal(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        journal_id: Uuid::new_v4().to_string(),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "JOURNAL_MISMATCH").await
}

async fn other_past(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        previous_hash: row_hash(&journal.id, position(journal.cursor.as_ref()), "another"),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "HASH_MISMATCH").await
}

async fn other_database(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        database: "another".to_owned(),
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "TARGET_MISMATCH").await
}

async fn other_version(journal: &mut Journal) -> Outcome {
    let batch = proto::ApplyUpdatesRequest {
        contract_version: 1_000,
        ..journal.batch(journal.steps([None]))
    };
    refused(journal, batch, "INVALID_REQUEST").await
}

async fn scattered(journal: &mut Journal) -> Outcome {
    let mut steps = journal.steps([None, None, None]);
    steps.remove(1);
    refused(journal, journal.batch(steps), "INVALID_REQUEST").await
}

async fn missing(journal: &mut Journal) -> Outcome {
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

async fn blocked(journal: &mut Journal) -> Outcome {
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

async fn no_match(journal: &mut Journal) -> Outcome {
    let found = look_up(journal, MISSING).await?;
    expect(found.is_none_or(|found| found.is_empty()), || {
        "something was found".to_owned()
    })
}

async fn returned(journal: &mut Journal, payment: &str) -> Outcome {
    if let Some(found) = look_up(journal, payment).await? {
        let ids: Vec<&str> = found.iter().map(|transfer| &*transfer.id).collect();
        expect(ids == [payment], || {
            format!("looking {payment:?} up found {ids:?}")
        })?;
    }
    let steps = journal.steps([Some(returns(payment))]);
    let batch = journal.batch(steps.clone());
    let exceptions = journal.send(batch).await?;
    expect(exceptions.is_empty(), || {
        format!("an exception: {}", exceptions[0].message)
    })?;
    shows(journal, steps).await?;
    moved_on(journal, payment).await
}

async fn failed(journal: &mut Journal, payment: &str) -> Outcome {
    let steps = journal.steps([Some(fails(payment))]);
    let exceptions = journal.send(journal.batch(steps.clone())).await?;
    expect(exceptions.is_empty(), || {
        format!("an exception: {}", exceptions[0].message)
    })?;
    shows(journal, steps).await
}

/// The stages of a return, one after the other, as they are decided in life.
async fn reversed(journal: &mut Journal, payment: &str, amount_minor: i64) -> Outcome {
    let found = look_up(journal, payment).await?;
    let transfer = found.and_then(|found| found.into_iter().next());
    let mut applied = Vec::new();
    for (stage, change) in Stages::of(payment, amount_minor, transfer.as_ref()).in_order() {
        let steps = journal.steps([Some(change)]);
        let exceptions = journal.send(journal.batch(steps.clone())).await?;
        expect(exceptions.is_empty(), || {
            format!("{stage}: an exception: {}", exceptions[0].message)
        })?;
        applied.extend(steps.clone());
        let shown = shows(journal, steps).await;
        shown.map_err(|why| format!("{stage}: {why}"))?;
    }
    let repeated = journal.steps(applied.into_iter().take(1).map(|step| step.change));
    let exceptions = journal.send(journal.batch(repeated)).await?;
    expect(exceptions.len() == 1, || {
        "reversed a second time, there is no exception".to_owned()
    })
}

/// The payment is no longer what this step expects. The row stays as it is, and the next step is applied.
async fn moved_on(journal: &mut Journal, payment: &str) -> Outcome {
    let batch = journal.batch(journal.steps([Some(returns(payment)), None]));
    let exceptions = journal.send(batch).await?;
    let kinds: Vec<StepExceptionKind> = exceptions.iter().map(proto::StepException::kind).collect();
    expect(kinds == [StepExceptionKind::MovedOn], || {
        format!("returned again, the exceptions are {kinds:?}, not MOVED_ON alone")
    })
}

async fn repeated(journal: &mut Journal, payment: &str) -> Outcome {
    let steps = journal.steps([Some(returns(payment))]);
    let batch = journal.batch(steps.clone());
    let exceptions = journal.send(batch.clone()).await?;
    expect(exceptions.is_empty(), || {
        format!("an exception: {}", exceptions[0].message)
    })?;
    refused(journal, batch, "CURSOR_MISMATCH").await?;
    shows(journal, steps).await
}

/// The caller goes away before the answer. It cannot know whether the batch was applied, asks, and
/// sends it again if it was not.
async fn lost_answer(journal: &mut Journal, payment: &str) -> Outcome {
    let steps = journal.steps([Some(returns(payment))]);
    let batch = journal.batch(steps.clone());
    let mut adapter = journal.adapter.clone();
    let sent = batch.clone();
    let calling = async move { adapter.apply_updates(sent).await.map(Response::into_inner) };
    let _ = tokio::time::timeout(GONE_AFTER, calling).await;
    let expected = journal.after(&batch);
    for _ in 0..2 {
        if journal.told().await? == expected {
            break;
        }
        // One that is still being applied wins, and then this one is refused.
        let again = journal.adapter.apply_updates(batch.clone()).await;
        if let Err(status) = again
            && reason(&status).as_deref() != Some("CURSOR_MISMATCH")
        {
            return Err(said(&status));
        }
    }
    let told = journal.told().await?;
    expect(told == expected, || {
        format!("it is at {}", position(told.as_ref()))
    })?;
    journal.cursor = expected;
    shows(journal, steps).await
}

/// A batch must be refused for a reason, and change nothing.
async fn refused(
    journal: &mut Journal,
    batch: proto::ApplyUpdatesRequest,
    expected: &str,
) -> Outcome {
    let Err(status) = journal.adapter.apply_updates(batch).await else {
        return Err("it was taken".to_owned());
    };
    let found = reason(&status);
    expect(found.as_deref() == Some(expected), || {
        let found = found.as_deref().unwrap_or("none");
        format!("the reason is {found}, not {expected}: {}", said(&status))
    })?;
    stays(journal).await
}

/// The target is where the journal is.
async fn stays(journal: &mut Journal) -> Outcome {
    let told = journal.told().await?;
    expect(told == journal.cursor, || {
        let (told, here) = (position(told.as_ref()), position(journal.cursor.as_ref()));
        format!("it says that it is at {told}, and it was left at {here}")
    })
}

/// What was applied shows in the target.
async fn shows(journal: &mut Journal, steps: Vec<proto::Step>) -> Outcome {
    let applied = steps.into_iter().map(|step| proto::AppliedStep {
        step: Some(step),
        followed: false,
    });
    let ask = proto::VerifyUpdatesRequest {
        steps: applied.collect(),
    };
    let answer = journal.adapter.verify_updates(ask).await;
    let missing = answer.map_err(|status| said(&status))?.into_inner().missing;
    expect(missing.is_empty(), || missing[0].message.clone())
}

/// What a transfer id finds; `None` for a mirror that has no look-up.
async fn look_up(journal: &mut Journal, id: &str) -> Result<Option<Vec<proto::Transfer>>, String> {
    let key = proto::TransferKey {
        kind: TransferKeyKind::TransferId.into(),
        value: id.to_owned(),
    };
    let ask = proto::LookupTransfersRequest {
        keys: vec![key],
        identity: Some(journal.identity()),
    };
    match journal.adapter.lookup_transfers(ask).await {
        Err(status) if status.code() == Code::Unimplemented => Ok(None),
        Err(status) => Err(said(&status)),
        Ok(answer) => {
            let matches = answer.into_inner().matches;
            expect(matches.len() == 1, || {
                format!("one key got {} answers", matches.len())
            })?;
            let found = matches.into_iter().flat_map(|one| one.transfers);
            Ok(Some(found.collect()))
        }
    }
}

fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

fn expect(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}
