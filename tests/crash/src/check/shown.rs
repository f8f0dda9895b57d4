//! What GetTransfer shows of payments whose returns came to later stages, and of what was made of
//! them.

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use proto::AchReturnStage as Stage;
use proto::get_transfer_request::Key;

use super::api::ask;
use super::entries::Acted;
use super::snapshot::Snapshot;
use super::{Findings, Invariant};
use crate::oracle::Effect;
use crate::rig::Rig;

/// Payments that are looked at in one check, the latest ones.
const LOOKS: usize = 20;

pub(super) async fn check(snapshot: &Snapshot, rig: &Rig, acted: &Acted, findings: &mut Findings) {
    let files = rig.world.files();
    let staged = files
        .iter()
        .rev()
        .flat_map(|file| &file.transfers)
        .filter_map(|transfer| acted.get(&transfer.id).map(|acted| (&transfer.id, acted)))
        .filter(|(_, acted)| acted.len() > 1);
    for (id, acted) in staged.take(LOOKS) {
        let stage = match acted.last() {
            Some((Effect::Restore, _)) => Stage::Dishonored,
            Some((Effect::Reapply, _)) => Stage::Contested,
            Some(_) | None => Stage::Created,
        };
        let code = acted.first().map_or("", |(_, entry)| entry.says.code());
        let wrong = match get(rig, id).await {
            Ok(shown) => payment(snapshot, &shown, stage, code),
            Err(error) => Some(format!("{error:#}")),
        };
        findings.expect(Invariant::Shown, wrong.is_none(), || {
            format!("GetTransfer of {id}: {}", wrong.unwrap_or_default())
        });
        let Some(made) = made_of(snapshot, id).last() else {
            continue;
        };
        let wrong = match get(rig, made).await {
            Ok(shown) => made_transfer(snapshot, &shown),
            Err(error) => Some(format!("{error:#}")),
        };
        findings.expect(Invariant::Shown, wrong.is_none(), || {
            format!("GetTransfer of {made}: {}", wrong.unwrap_or_default())
        });
    }
}

/// The transfers that were made of a payment, one of the other.
fn made_of<'a>(snapshot: &'a Snapshot, id: &str) -> impl Iterator<Item = &'a str> {
    let child = |id: &str| Some(snapshot.children.get(id)?.first()?.as_str());
    std::iter::successors(child(id), move |id| child(id))
}

async fn get(rig: &Rig, id: &str) -> Result<proto::Transfer> {
    ask(rig, async |mut client| {
        let question = proto::GetTransferRequest {
            key: Some(Key::TransferId(id.to_owned())),
            ..proto::GetTransferRequest::default()
        };
        let answer = client.get_transfer(question).await?.into_inner();
        answer.transfer.context("the answer has no transfer")
    })
    .await
}

/// What is wrong with how a payment is shown; `None` when nothing is.
fn payment(
    snapshot: &Snapshot,
    shown: &proto::Transfer,
    stage: Stage,
    code: &str,
) -> Option<String> {
    let row = snapshot.transfers.get(&shown.id)?;
    let mut reversals: Vec<&str> = made_of(snapshot, &shown.id).collect();
    reversals.retain(|id| {
        let row = snapshot.transfers.get(*id);
        row.is_some_and(|row| row.kind == "REVERSAL")
    });
    let found = shown.ach_return.as_ref();
    let right = shown.state == row.state
        && shown.has_ach_return
        && found.is_some_and(|found| found.stage() == stage && found.return_code == code)
        && shown.reversal_ids == reversals;
    (!right).then(|| {
        format!(
            "it shows {}, {found:?} and the reversals {:?}; right is {}, {code} at {stage:?}, and \
             {reversals:?}",
            shown.state, shown.reversal_ids, row.state
        )
    })
}

/// What is wrong with how a reversal or a restoration is shown; `None` when nothing is.
fn made_transfer(snapshot: &Snapshot, shown: &proto::Transfer) -> Option<String> {
    let row = snapshot.transfers.get(&shown.id)?;
    let right = shown.r#type == row.kind
        && shown.amount_minor == row.amount_minor
        && Some(&shown.parent_id) == row.parent_id.as_ref()
        && shown.ready_to_settle_at.is_some();
    (!right).then(|| format!("it shows {shown:?}; its parent is {:?}", row.parent_id))
}
