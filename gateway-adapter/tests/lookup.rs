//! Lookups in the gateway's transfers, in real SQLite files.

mod common;

use common::{D, rig};
use echeck_adapter::testing::{AdapterRig, reason_of};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{
    FundingPolicy, LookupTransfersRequest, LookupTransfersResponse, TransferKey, TransferKeyKind,
    TransferState, TransferType,
};
use tonic::{Code, Request, Status};

fn key(kind: TransferKeyKind, value: &str) -> TransferKey {
    TransferKey {
        kind: kind.into(),
        value: value.to_owned(),
    }
}

fn id(value: &str) -> TransferKey {
    key(TransferKeyKind::TransferId, value)
}

async fn lookup(
    rig: &AdapterRig,
    keys: Vec<TransferKey>,
) -> Result<LookupTransfersResponse, Status> {
    let request = Request::new(LookupTransfersRequest {
        keys,
        identity: None,
    });
    rig.adapter
        .lookup_transfers(request)
        .await
        .map(tonic::Response::into_inner)
}

fn ids(response: &LookupTransfersResponse) -> Vec<Vec<&str>> {
    let ids = response.matches.iter();
    ids.map(|found| found.transfers.iter().map(|t| t.id.as_str()).collect())
        .collect()
}

#[tokio::test]
async fn a_schema_that_changes_between_two_lookups_is_noticed_by_the_second() {
    let rig = rig("").await;
    rig.sql(&D::new("TR1").sql()).await;
    let first = lookup(&rig, vec![id("TR1")]).await.unwrap();
    rig.sql("ALTER TABLE transfers RENAME COLUMN state TO condition")
        .await;
    let refused = lookup(&rig, vec![id("TR1")]).await.unwrap_err();
    assert_eq!(reason_of(&refused), "MAPPING_FAULT", "{refused}");
    rig.sql("ALTER TABLE transfers RENAME COLUMN condition TO state")
        .await;
    assert_eq!(lookup(&rig, vec![id("TR1")]).await.unwrap(), first);
}

/// SQLite counts NULLs as equal: by its statistics, a parent that nobody has is that of every row.
#[tokio::test]
async fn statistics_of_the_tables_owner_do_not_make_a_lookup_scan_the_table() {
    const ROWS: usize = 20_000;
    const KEYS: usize = 2_000;
    // A scan for each key costs some thousand times as much.
    const MOST_TIMES: u32 = 30;
    let rig = rig("").await;
    rig.sql(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) \
         INSERT INTO transfers (id, type, state, amount, application, merchant_identity, created_at, \
         updated_at) SELECT 'TR' || i, 'DEBIT', 'SUCCEEDED', 100, 'AP', 'ID', '2026-01-01T00:00:00Z', \
         '2026-01-01T00:00:00Z' FROM n"
    ))
    .await;
    let keys: Vec<TransferKey> = (1..=KEYS)
        .map(|number| id(&format!("TR{number}")))
        .collect();
    lookup(&rig, keys.clone()).await.unwrap();
    let began = std::time::Instant::now();
    let before = lookup(&rig, keys.clone()).await.unwrap();
    let took = began.elapsed();
    rig.sql("ANALYZE").await;
    let began = std::time::Instant::now();
    let after = lookup(&rig, keys).await.unwrap();
    assert_eq!(after, before);
    assert!(
        began.elapsed() < took * MOST_TIMES,
        "{:?} in place of {took:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn every_kind_of_key_finds_its_transfers_in_the_order_asked_for() {
    let rig = rig("").await;
    rig.sql(
        &D::new("TR1")
            .set("payment_id", "'0012345678901234567'")
            .sql(),
    )
    .await;
    rig.sql(&D::new("TR2").set("ach_trace", "'091000010000001'").sql())
        .await;
    rig.sql(&D::new("TR3").set("individual_id", "'CUST 7'").sql())
        .await;
    let keys = vec![
        key(TransferKeyKind::IndividualId, "CUST 7"),
        key(TransferKeyKind::TraceId, "FNX_TR1"),
        key(TransferKeyKind::AchTrace, "091000010000001"),
        id("TR9"),
        key(TransferKeyKind::PaymentId, "0012345678901234567"),
        key(TransferKeyKind::PaymentId, "12345678901234567"),
        key(TransferKeyKind::TraceId, "FNX_TR1"),
        id("tr1"),
    ];
    let found = lookup(&rig, keys).await.unwrap();
    let expected: [&[&str]; 8] = [
        &["TR3"],
        &["TR1"],
        &["TR2"],
        &[],
        &["TR1"],
        &[],
        &["TR1"],
        &[],
    ];
    assert_eq!(ids(&found), expected);
    assert_eq!(found.funding_policy(), FundingPolicy::State);
}

#[tokio::test]
async fn a_transfer_is_read_in_full() {
    let rig = rig("").await;
    rig.sql("INSERT INTO deposits VALUES ('DEP1', '2026-03-01')")
        .await;
    rig.sql(
        &D::new("TR1")
            .set("messages", r#"'["one","two"]'"#)
            .set("raw", r#"'{"response":"000"}'"#)
            .set("tags", r#"'{"order":"A 7"}'"#)
            .set("deposit_id", "'DEP1'")
            .set("settlement_date", "'2026-02-23'")
            .set("ready_to_settle_at", "'2026-02-21 06:00:00'")
            .set("destination", "'PI_SHOP'")
            .sql(),
    )
    .await;
    for (reversal, kind) in [("TR4", "REVERSAL"), ("TR3", "REVERSAL"), ("TR2", "FEE")] {
        let child = D::new(reversal).set("type", &format!("'{kind}'"));
        rig.sql(&child.set("parent_id", "'TR1'").sql()).await;
    }
    let found = lookup(&rig, vec![id("TR1"), id("TR3"), id("TR2")])
        .await
        .unwrap();
    let transfer = &found.matches[0].transfers[0];
    assert_eq!(transfer.r#type(), TransferType::Debit);
    assert_eq!(
        (transfer.state(), transfer.state_text.as_str()),
        (TransferState::Succeeded, "SUCCEEDED")
    );
    assert_eq!((transfer.amount_minor, transfer.fee_minor), (500, Some(15)));
    assert_eq!(
        (transfer.currency.as_str(), transfer.subtype.as_str()),
        ("USD", "API")
    );
    assert_eq!(transfer.in_deposit, Some(true));
    assert_eq!(transfer.messages, ["one", "two"]);
    assert_eq!(transfer.raw_json, r#"{"response":"000"}"#);
    assert_eq!(transfer.tags["order"], "A 7");
    assert_eq!(
        (transfer.source.as_str(), transfer.destination.as_str()),
        ("PI_BUYER", "PI_SHOP")
    );
    assert_eq!(
        (
            transfer.application.as_str(),
            transfer.merchant_identity.as_str()
        ),
        ("AP1", "ID1")
    );
    assert_eq!(transfer.idempotency_id, "idem_TR1");
    assert_eq!(transfer.statement_descriptor, "FNX*SHOP");
    assert_eq!(transfer.settlement_date, "2026-02-23");
    assert_eq!(
        transfer.ready_to_settle_at.as_ref().unwrap().seconds,
        1_771_653_600
    );
    assert_eq!(transfer.created_at.as_ref().unwrap().seconds, 1_771_545_600);
    assert_eq!(transfer.reversal_ids, ["TR3", "TR4"]);
    let reversal = &found.matches[1].transfers[0];
    assert_eq!(
        (reversal.r#type(), reversal.parent_id.as_str()),
        (TransferType::Reversal, "TR1")
    );
    assert_eq!(reversal.in_deposit, Some(false));
    let fee = &found.matches[2].transfers[0];
    assert_eq!(
        (fee.r#type(), fee.type_text.as_str()),
        (TransferType::Unspecified, "FEE")
    );
}

#[tokio::test]
async fn a_state_the_mapping_does_not_name_keeps_its_text() {
    let rig = rig("").await;
    rig.sql(&D::new("TR1").set("state", "'RETURNED'").sql())
        .await;
    let found = lookup(&rig, vec![id("TR1")]).await.unwrap();
    let transfer = &found.matches[0].transfers[0];
    assert_eq!(transfer.state(), TransferState::Unspecified);
    assert_eq!(transfer.state_text, "RETURNED");
    assert_eq!(transfer.unnamed, "\"RETURNED\" is not in transfers.states");
}

#[tokio::test]
async fn an_ambiguous_key_lists_ten_at_most() {
    let rig = rig("").await;
    for n in 0..13 {
        rig.sql(
            &D::new(&format!("TR{n:02}"))
                .set("ach_trace", "'091000010000001'")
                .sql(),
        )
        .await;
    }
    let keys = vec![
        key(TransferKeyKind::AchTrace, "091000010000001"),
        id("TR12"),
    ];
    let found = lookup(&rig, keys).await.unwrap();
    assert_eq!(found.matches[0].transfers.len(), 10);
    assert_eq!(found.matches[0].transfers[9].id, "TR09");
    assert_eq!(found.matches[1].transfers.len(), 1);
}

#[tokio::test]
async fn ten_thousand_keys_are_answered_and_one_more_is_refused() {
    let rig = rig("").await;
    let rows: Vec<String> = (0..1_200)
        .map(|n| D::new(&format!("TR{n}")).sql())
        .collect();
    rig.sql(&format!("BEGIN; {} COMMIT;", rows.join("\n")))
        .await;
    let mut keys: Vec<TransferKey> = (0..10_000).map(|n| id(&format!("TR{n}"))).collect();
    let found = lookup(&rig, keys.clone()).await.unwrap();
    assert_eq!(found.matches.len(), 10_000);
    for (n, found) in found.matches.iter().enumerate() {
        assert_eq!(found.transfers.len(), usize::from(n < 1_200), "TR{n}");
    }
    keys.push(id("TR1"));
    assert_eq!(
        lookup(&rig, keys).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_kind_of_key_without_a_column_is_refused_by_its_name() {
    let rig = rig("[transfers.columns]\nindividual_id = \"\"").await;
    let keys = vec![id("TR1"), key(TransferKeyKind::IndividualId, "7")];
    let refused = lookup(&rig, keys).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(reason_of(&refused), "KEY_NOT_MAPPED");
    assert_eq!(
        refused.message(),
        "keys[1]: the mapping has no column for TRANSFER_KEY_KIND_INDIVIDUAL_ID; set \
         transfers.columns.individual_id"
    );
}

#[tokio::test]
async fn a_row_without_a_readable_amount_says_so_and_does_not_stop_the_others() {
    let rig = rig("").await;
    rig.sql(&D::new("TR1").set("amount", "'5.00 USD'").sql())
        .await;
    rig.sql(&D::new("TR2").sql()).await;
    let found = lookup(&rig, vec![id("TR1"), id("TR2")]).await.unwrap();
    assert_eq!(
        found.matches[0].transfers[0].unreadable,
        "transfers.columns.amount: column \"amount\" holds \"5.00 USD\", which is not a number of \
         minor units above 0; correct the row or the mapping"
    );
    let readable = &found.matches[1].transfers[0];
    assert_eq!((readable.amount_minor, &*readable.unreadable), (500, ""));
}

#[tokio::test]
async fn names_in_other_letters_are_the_same_columns() {
    let rig = rig("[transfers.columns]\nid = \"ID\"\nach_trace = \"Ach_Trace\"").await;
    rig.sql(&D::new("TR1").set("ach_trace", "'091000010000001'").sql())
        .await;
    let keys = vec![key(TransferKeyKind::AchTrace, "091000010000001"), id("TR1")];
    assert_eq!(ids(&lookup(&rig, keys).await.unwrap()), [["TR1"], ["TR1"]]);
}
