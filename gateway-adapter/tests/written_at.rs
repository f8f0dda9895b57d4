//! The times of a row are those of its writing, whenever its change was decided.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue has failed"
)]

mod common;

use common::{D, count, rig_on, time_of};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::on_every_database;
use echeck_adapter::testing::{fail, release, reverse};
use echeck_proto::adapter::v1::TransferState;
use echeck_proto::adapter::v1::step::Change;

on_every_database!(updated_at_is_when_the_row_was_written_and_never_goes_back,);

/// The same change, decided a day earlier.
fn a_day_before(mut change: Change) -> Change {
    let reason = match &mut change {
        Change::FailTransfer(fail) => &mut fail.reason,
        Change::ReverseTransfer(reverse) => &mut reverse.reason,
        Change::ReleaseToSettlement(release) => {
            release.decided_at.as_mut().unwrap().seconds -= 86_400;
            return change;
        }
        other => panic!("{other:?}"),
    };
    let decided_at = &mut reason.as_mut().unwrap().decided_at;
    decided_at.as_mut().unwrap().seconds -= 86_400;
    change
}

async fn updated_at_is_when_the_row_was_written_and_never_goes_back(dialect: Dialect) {
    let rig = rig_on(dialect, "").await;
    // An hour after the adapter writes, by the clock of the gateway's own servers.
    let later = "'2026-03-02 15:05:06'";
    for id in ["FAILED", "REVERSED"] {
        rig.sql(&D::on_any(id).sql()).await;
        let ahead = D::on_any(&format!("{id}_AHEAD"));
        rig.sql(&ahead.set("updated_at", later).sql()).await;
    }
    let succeeded = TransferState::Succeeded;
    let changes = [
        fail("FAILED", succeeded),
        fail("FAILED_AHEAD", succeeded),
        reverse("REVERSED", 500, None),
        reverse("REVERSED_AHEAD", 500, None),
        release("RV_REVERSED", "REVERSED", 10),
    ];
    let exceptions = rig.apply_one_by_one(changes.map(a_day_before).into()).await;
    assert_eq!(exceptions, []);
    let now = time_of(dialect, 0);
    assert_eq!(count(&rig, &format!("updated_at = {now}")).await, "4");
    let ahead = format!("id LIKE '%ED_AHEAD' AND id NOT LIKE 'RV%' AND updated_at = {later}");
    assert_eq!(count(&rig, &ahead).await, "2");
    let inserted = format!("id LIKE 'RV_%' AND created_at = {now} AND updated_at = {now}");
    assert_eq!(count(&rig, &inserted).await, "2");
}
