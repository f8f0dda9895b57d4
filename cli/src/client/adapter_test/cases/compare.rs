//! What an adapter answers and shows, compared with what it must.

use echeck_proto::adapter::v1 as proto;
use proto::TransferKeyKind;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Outcome;
use crate::client::adapter_test::journal::{Journal, position, said};

/// A batch must be refused for a reason, and change nothing.
pub(super) async fn refused(
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
pub(super) async fn stays(journal: &mut Journal) -> Outcome {
    let told = journal.told().await?;
    expect(told == journal.cursor, || {
        let (told, here) = (position(told.as_ref()), position(journal.cursor.as_ref()));
        format!("it says that it is at {told}, and it was left at {here}")
    })
}

/// What was applied shows in the target.
pub(super) async fn shows(journal: &mut Journal, steps: Vec<proto::Step>) -> Outcome {
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
pub(super) async fn look_up(
    journal: &mut Journal,
    id: &str,
) -> Result<Option<Vec<proto::Transfer>>, String> {
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

pub(super) fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

pub(super) fn expect(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}
