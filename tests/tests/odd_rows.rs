//! One odd value stops one row: in the gateway, and in a journal that an older version wrote.

use std::sync::Arc;

use echeck::stack::{DataFolder, Ports, Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use echeck_test_fixtures::{append, deciding_import, row, settings};
use echeck_tests::{Payment, World, Worldpay, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use returns_store::{AppendCause, Appended, Store, Writes};
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

async fn set(world: &World, id: &str, assignment: &str) {
    let sql = format!("UPDATE transfers SET {assignment} WHERE id = '{id}'");
    let done = sqlx::query(AssertSqlSafe(sql))
        .execute(&world.gateway)
        .await;
    assert_eq!(done.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn an_odd_value_in_the_gateway_holds_its_own_entry_until_it_is_corrected() {
    let world = World::start().await;
    let mut file = Worldpay::new();
    for id in ["TR1", "TR2", "TR3"] {
        file = file.returned(id, "R01");
        world.add(Payment::debit(id)).await;
    }
    set(&world, "TR2", "settlement_date = 'soon'").await;
    let import = world.import("worldpay_returns", "a.csv", file).await;
    assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::UnreadableTransfer);
    assert_eq!(hold.transfer_ids, ["TR2"]);
    assert_eq!(
        hold.detail,
        "the gateway's transfer cannot be read: transfers.columns.settlement_date: column \
         \"settlement_date\" holds \"soon\", which is not a date; correct the row or the mapping; \
         the lookup is repeated"
    );
    for (id, reversals) in [("TR1", "1"), ("TR2", "0"), ("TR3", "1")] {
        assert_eq!(world.reversals(id).await, reversals, "{id}");
    }
    set(&world, "TR2", "settlement_date = '2026-11-02'").await;
    eventually("the held entry is applied", async || {
        world.reversals("TR2").await == "1"
    })
    .await;
    assert_eq!(world.holds().await, []);
}

/// Appends two rows: one whose transfer has no id, as an older version could, and a good one.
async fn poison(url: &str) {
    let store: Arc<dyn Store> = returns_store::open(&settings(url), Uuid::from_u128(7))
        .await
        .unwrap();
    let import = deciding_import(&store, "a", 2).await;
    let writes = Writes {
        rows: vec![row(&import, ""), row(&import, "TR1")],
        ..Writes::default()
    };
    let mut both = append(&import, (0, 2), 0, writes);
    if let AppendCause::Import { last, .. } = &mut both.cause {
        *last = true;
    }
    let appended = store.append(both).await.unwrap();
    assert!(matches!(appended, Appended::Done(_)));
}

async fn gateway(operations: &mut OperationsServiceClient<Channel>) -> proto::DatabaseStatus {
    let status = operations.get_status(proto::GetStatusRequest {}).await;
    let databases = status.unwrap().into_inner().databases.into_iter();
    let mut gateway = databases.filter(|one| one.database == "gateway");
    gateway.next().unwrap()
}

fn skip(position: u64, validate_only: bool) -> proto::SkipJournalRowsRequest {
    proto::SkipJournalRowsRequest {
        database: "gateway".to_owned(),
        position,
        request_id: String::new(),
        reason: "its transfer had no id".to_owned(),
        validate_only,
    }
}

#[tokio::test]
async fn a_row_that_the_adapter_cannot_read_is_skipped_by_an_operator_and_held() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = StackOptions::new(folder.path(), Ports::ANY);
    // The source of the rows: without it they could not be decided again.
    options.returns += "[sources.worldpay]\nformat = \"worldpay_echeck_return\"\n";
    let data = DataFolder::open(&options.data, &options.databases)
        .await
        .unwrap();
    poison(data.returns().url()).await;
    let stack = Stack::start(&options).await.unwrap();
    let mut operations = OperationsServiceClient::connect(stack.url()).await.unwrap();
    let why = "return_transfer.transfer_id must not be empty";
    eventually("the feed is stalled", async || {
        let fault = gateway(&mut operations.clone()).await.fault;
        fault.contains(&format!("cannot read journal row 1: {why}"))
    })
    .await;
    for request in [skip(2, false), skip(7, false)] {
        let refused = operations.skip_journal_rows(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.reason, "NOT_UNREADABLE");
    }
    let row = proto::UnreadableRow {
        position: 1,
        why: why.to_owned(),
    };
    for request in [skip(0, true), skip(1, false)] {
        let skipped = operations.skip_journal_rows(request).await.unwrap();
        assert_eq!(skipped.into_inner().rows, vec![row.clone()]);
    }
    eventually("the feed goes on", async || {
        let gateway = gateway(&mut operations.clone()).await;
        gateway.position == 2 && gateway.fault.is_empty()
    })
    .await;
    let again = operations.skip_journal_rows(skip(1, false)).await;
    assert_eq!(again.unwrap_err().code(), Code::FailedPrecondition);
    let returns = ReturnsServiceClient::connect(stack.url()).await.unwrap();
    let told = format!(
        "gateway did not take journal row 1: its adapter cannot read the row ({why}); skipped by \
         anonymous: its transfer had no id"
    );
    eventually("its entry is held", async || {
        let ask = proto::ListHoldsRequest::default();
        let holds = returns.clone().list_holds(ask).await.unwrap().into_inner();
        holds.holds.iter().any(|hold| hold.detail == told)
    })
    .await;
    let ask = proto::ListAuditRequest::default();
    let audit = operations.list_audit(ask).await.unwrap();
    let record = audit.into_inner().records.remove(0);
    let recorded = (&*record.identity, &*record.action, &*record.subject);
    assert_eq!(
        recorded,
        ("anonymous", "skip_journal_row", "journal row 1 in gateway")
    );
    assert_eq!(record.reason, "its transfer had no id");
}

/// Together they are more than one answer of the adapter may have.
#[tokio::test]
async fn payments_whose_texts_do_not_fit_one_answer_are_looked_up_in_parts() {
    const PAYMENTS: usize = 1_200;
    let world = World::start().await;
    let mut file = Worldpay::new();
    for number in 0..PAYMENTS {
        let id = format!("TR{number}");
        world.add(Payment::debit(&id)).await;
        let case = format!("C{number}");
        file = file.returned(&id, "R01").case_id(&case);
    }
    let fill =
        "UPDATE transfers SET raw = json_quote(hex(zeroblob(32000))), source = hex(zeroblob(4000))";
    sqlx::query(fill).execute(&world.gateway).await.unwrap();
    let import = world.import("worldpay_returns", "large.csv", file).await;
    assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    let reversed = import.totals.unwrap().reversed.unwrap();
    assert_eq!(reversed.count, PAYMENTS as u64);
    assert_eq!(world.holds().await, []);
}
