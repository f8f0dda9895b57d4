//! Everything that the services do, with accounts that may do nothing else.

use echeck_adapter::dialect::Dialect;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Worldpay, eventually, funding_rejects};
use proto::WaitLevel::{Applied, Decided};

use super::services::Deployment;

#[tokio::test(flavor = "multi_thread")]
async fn every_service_does_its_work_with_a_gateway_on_mariadb() {
    everything(Dialect::Mysql, Dialect::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_does_its_work_with_a_gateway_on_postgresql() {
    everything(Dialect::Postgres, Dialect::Mysql).await;
}

async fn everything(gateway: Dialect, rallypay: Dialect) {
    let here = Deployment::start(gateway, rallypay).await;
    returns_failures_and_corrections(&here).await;
    what_is_held_and_decided_later(&here).await;
    what_a_target_refuses(&here).await;
    what_has_moved_on(&here).await;
    an_adoption(&here).await;
    let returns = here.returns.database.admin.clone();
    here.stop();
    let mut connection = returns.connect().await.unwrap();
    let left = connection.value("SELECT count(*)::text FROM leases").await;
    assert_eq!(left.unwrap().as_deref(), Some("0"), "leases are given back");
}

async fn state(here: &Deployment, id: &str) -> String {
    let sql = format!("SELECT state FROM transfers WHERE id = '{id}'");
    here.gateway.value(&sql).await
}

async fn status(here: &Deployment, id: &str) -> String {
    let sql = format!("SELECT status FROM transactions WHERE transfer_id = '{id}'");
    here.rallypay.value(&sql).await
}

async fn reversals(here: &Deployment, id: &str) -> String {
    let sql = format!(
        "SELECT count(*) FROM transfers WHERE parent_id = '{id}' AND subtype = 'SYSTEM' \
         AND amount = 5000"
    );
    here.gateway.value(&sql).await
}

async fn returns_failures_and_corrections(here: &Deployment) {
    here.add("TRfunded", "DEBIT", "SUCCEEDED", "").await;
    here.add("TRpending", "DEBIT", "PENDING", "").await;
    here.add("TRpayout", "CREDIT", "SUCCEEDED", "").await;
    here.add("TRnoc", "DEBIT", "SUCCEEDED", "231380100000017")
        .await;
    let file = Worldpay::new()
        .returned("TRfunded", "R01")
        .returned("TRpending", "R02");
    here.import("worldpay_returns", file, Applied).await;
    let again = Worldpay::new().returned("TRfunded", "R01");
    let again = here.import("worldpay_returns", again, Applied).await;
    here.import("worldpay_funding", funding_rejects(&["TRpayout"]), Applied)
        .await;
    let noc = Nacha::corrections().corrected("231380100000017", "C01", "998877665544");
    let noc = here.import("nacha", noc, Applied).await;

    assert_eq!(again.totals.unwrap().duplicate.unwrap().count, 1);
    assert_eq!(noc.totals.unwrap().corrected.unwrap().count, 1);
    assert_eq!(reversals(here, "TRfunded").await, "1");
    assert_eq!(state(here, "TRfunded").await, "SUCCEEDED");
    assert_eq!(status(here, "TRfunded").await, "returned");
    assert_eq!(state(here, "TRpending").await, "FAILED");
    assert_eq!(status(here, "TRpending").await, "returned");
    assert_eq!(state(here, "TRpayout").await, "FAILED");
    assert_eq!(status(here, "TRpayout").await, "failed");
    assert_eq!(state(here, "TRnoc").await, "SUCCEEDED");
}

async fn what_is_held_and_decided_later(here: &Deployment) {
    here.add("TRdiffers", "DEBIT", "SUCCEEDED", "").await;
    let file = Worldpay::new()
        .returned("TRlate", "R01")
        .returned("TRdiffers", "R01")
        .amount("49.00");
    // A line that cannot be read is kept, too.
    let text = format!("{}no,such,line\n", file.text());
    let import = here.import("worldpay_returns", text, Decided).await;
    assert_eq!(import.rejected_lines.len(), 1, "{import:?}");
    assert_eq!(here.open_holds().await, 2);
    let holds = here
        .client()
        .await
        .list_holds(proto::ListHoldsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .holds;
    let differs = holds.iter().find(|hold| {
        let ids = &hold.transfer_ids;
        ids.iter().any(|id| id == "TRdiffers")
    });
    let dismiss = proto::ResolveHoldRequest {
        hold_id: differs.unwrap().hold_id.clone(),
        request_id: String::new(),
        note: "the bank corrected it".to_owned(),
        action: Some(proto::resolve_hold_request::Action::DismissHold(
            proto::DismissHold {},
        )),
    };
    here.client().await.resolve_hold(dismiss).await.unwrap();
    here.add("TRlate", "DEBIT", "SUCCEEDED", "").await;
    eventually("the unknown transfer is found and reversed", || async {
        here.open_holds().await == 0 && status(here, "TRlate").await == "returned"
    })
    .await;
    assert_eq!(reversals(here, "TRlate").await, "1");
}

async fn what_a_target_refuses(here: &Deployment) {
    here.add("TRrefused", "DEBIT", "PENDING", "").await;
    here.add("TRbeside", "DEBIT", "PENDING", "").await;
    let check = "ALTER TABLE transfers ADD CONSTRAINT no_r29 CHECK (failure_code <> 'R29')";
    here.gateway.run(check).await;
    let file = Worldpay::new()
        .returned("TRrefused", "R29")
        .returned("TRbeside", "R01");
    here.import("worldpay_returns", file, Applied).await;
    eventually("what was refused is held", || async {
        here.open_holds().await == 1
    })
    .await;
    assert_eq!(state(here, "TRrefused").await, "PENDING");
    assert_eq!(state(here, "TRbeside").await, "FAILED");
    assert_eq!(
        here.gateway
            .value("SELECT kind FROM echeck_exceptions")
            .await,
        "REFUSED"
    );
}

/// A row that moved on is looked at under a lock, in both databases.
async fn what_has_moved_on(here: &Deployment) {
    here.add("TRmoved", "DEBIT", "SUCCEEDED", "").await;
    here.add("TRclosed", "DEBIT", "SUCCEEDED", "").await;
    let closed = "UPDATE transactions SET status = 'canceled' WHERE transfer_id = 'TRclosed'";
    here.rallypay.run(closed).await;
    // Not committed while the return is decided, committed when it is applied.
    let mut other = here.gateway.admin.connect().await.unwrap();
    other
        .script("BEGIN; UPDATE transfers SET state = 'CANCELED' WHERE id = 'TRmoved'")
        .await
        .unwrap();
    let file = Worldpay::new()
        .returned("TRmoved", "R01")
        .returned("TRclosed", "R01");
    here.import("worldpay_returns", file, Decided).await;
    other.script("COMMIT").await.unwrap();
    eventually("both databases have passed it", || async {
        here.fault("gateway").await.is_empty()
            && reversals(here, "TRclosed").await == "1"
            && here
                .rallypay
                .value("SELECT count(*) FROM echeck_exceptions WHERE kind = 'MOVED_ON'")
                .await
                == "1"
    })
    .await;
    let moved = "SELECT count(*) FROM echeck_exceptions WHERE kind = 'MOVED_ON'";
    assert_eq!(here.gateway.value(moved).await, "1");
    assert_eq!(reversals(here, "TRmoved").await, "0");
    assert_eq!(status(here, "TRclosed").await, "canceled");
}

/// As after a restore: a target's cursor is on a row of another journal.
async fn an_adoption(here: &Deployment) {
    let returns = &here.returns.database;
    // What makes the reversals ready to settle are the last rows.
    let waiting = "SELECT count(*) FROM transfers WHERE subtype = 'SYSTEM' \
                   AND ready_to_settle_at IS NULL";
    eventually("every reversal may be settled", || async {
        here.gateway.value(waiting).await == "0"
    })
    .await;
    let head = returns
        .value("SELECT position::text FROM journal_head")
        .await;
    for (name, target) in [("gateway", &here.gateway), ("rallypay", &here.rallypay)] {
        eventually("the database has passed everything", || async {
            target.value("SELECT position FROM echeck_cursor").await == head
        })
        .await;
        let other = "UPDATE echeck_cursor SET journal_id = '00000000-0000-4000-8000-000000000001'";
        target.run(other).await;
        let ask = proto::AdoptCursorRequest {
            database: name.to_owned(),
            position: head.parse().unwrap(),
            request_id: String::new(),
            reason: "restored".to_owned(),
            validate_only: false,
        };
        here.operations().await.adopt_cursor(ask).await.unwrap();
        let kept = "SELECT count(*) FROM echeck_adoptions WHERE actor = 'anonymous'";
        assert_eq!(target.value(kept).await, "1");
    }
    let kept = "SELECT count(*)::text FROM adoptions WHERE adopted_at IS NOT NULL";
    assert_eq!(returns.value(kept).await, "2");
    here.add("TRafter", "DEBIT", "SUCCEEDED", "").await;
    let file = Worldpay::new().returned("TRafter", "R01");
    here.import("worldpay_returns", file, Applied).await;
    assert_eq!(status(here, "TRafter").await, "returned");
}
