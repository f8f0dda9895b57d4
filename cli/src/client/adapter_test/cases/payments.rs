//! Cases that change a payment.

use std::time::Duration;

use echeck_proto::adapter::v1 as proto;
use proto::StepExceptionKind;
use tonic::Response;

use super::Outcome;
use super::compare::{expect, look_up, reason, refused, shows};
use crate::client::adapter_test::changes::{Stages, fails, returns};
use crate::client::adapter_test::journal::{Journal, position, said};

/// How soon a caller goes away in the case of a lost answer.
const GONE_AFTER: Duration = Duration::from_millis(2);

/// A case that changes a payment.
#[derive(Debug, Clone, Copy)]
pub(super) enum WithPayment {
    Returned,
    Repeated,
    LostAnswer,
    Failed,
    Reversed,
}

impl WithPayment {
    pub(super) const fn promise(self) -> &'static str {
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

    pub(super) const fn needs(self) -> &'static str {
        match self {
            Self::Returned | Self::Repeated | Self::LostAnswer | Self::Failed => {
                "needs another --payment"
            }
            Self::Reversed => "needs --funded",
        }
    }

    pub(super) async fn outcome(
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
