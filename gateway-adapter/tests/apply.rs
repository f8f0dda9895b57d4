//! Changes of the gateway's transfers, in real SQLite files.

mod common;

use common::{D, rig, rig_with};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{Journal, fail, give_back, reverse};
use echeck_proto::adapter::v1::{StepExceptionKind, TransferState};

#[tokio::test]
async fn a_failed_credit_gets_state_messages_raw_and_code() {
    let rig = rig("").await;
    rig.sql(
        &D::new("TR1")
            .set("type", "'CREDIT'")
            .set("ready_to_settle_at", "'2026-03-01'")
            .sql(),
    )
    .await;
    let mut journal = Journal::default();
    let reply = rig
        .apply(journal.changes([fail("TR1", TransferState::Succeeded)]))
        .await
        .unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(
        rig.one(
            "SELECT state, messages, raw, failure_code, failure_message, ready_to_settle_at, \
             updated_at, created_at, amount FROM transfers"
        )
        .await,
        "FAILED|[\"ReasonCode: R01\"]|{\"Reason Code\":\"R01\"}|R01|Insufficient Funds|-|\
         2026-03-02T14:05:06.000000Z|2026-02-20T00:00:00Z|500"
    );
}

#[tokio::test]
async fn a_return_shows_as_the_profile_spells_it() {
    for (config, pending, shown) in [
        ("", "PENDING", "FAILED"),
        ("profile = \"rainforest\"", "PROCESSING", "RETURNED"),
        (
            "[transfers.states]\nreturned = \"RETURNED\"",
            "PENDING",
            "RETURNED",
        ),
    ] {
        let rig = rig(config).await;
        rig.sql(&D::new("TR1").set("state", &format!("'{pending}'")).sql())
            .await;
        let mut journal = Journal::default();
        let change = give_back("TR1", TransferState::Pending, None);
        let reply = rig.apply(journal.changes([change])).await.unwrap();
        assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
        assert_eq!(
            rig.one("SELECT state, messages, failure_code, raw FROM transfers")
                .await,
            format!("{shown}|[\"ReasonCode: R01\"]|R01|-")
        );
    }
}

#[tokio::test]
async fn a_reversal_is_inserted_once_and_linked_to_an_original_that_stays() {
    let rig = rig("").await;
    rig.sql(
        &D::new("TR1")
            .set("ready_to_settle_at", "'2026-02-21'")
            .sql(),
    )
    .await;
    let mut journal = Journal::default();
    let reply = rig
        .apply(journal.changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(
        rig.one(
            "SELECT state, type, messages, failure_code, ready_to_settle_at, updated_at \
             FROM transfers WHERE id = 'TR1'"
        )
        .await,
        "SUCCEEDED|DEBIT|[]|-|2026-02-21|2026-03-02T14:05:06.000000Z"
    );
    assert_eq!(
        rig.one(
            "SELECT type, subtype, state, amount, currency, fee, trace_id, parent_id, source, \
                 destination, application, merchant_identity FROM transfers WHERE id = 'RV_TR1'"
        )
        .await,
        "REVERSAL|SYSTEM|SUCCEEDED|500|USD|0|FNX_RV_TR1|TR1|-|PI_BUYER|AP1|ID1"
    );
    assert_eq!(
        rig.one(
            "SELECT messages, raw, tags, statement_descriptor, idempotency_id, payment_id, \
                 ach_trace, ready_to_settle_at, deposit_id, created_at, updated_at \
                 FROM transfers WHERE id = 'RV_TR1'"
        )
        .await,
        "[]|-|{\"result_message_0\":\"ReasonCode: R01 \"}|-|-|-|-|-|-|2026-03-02T14:05:06.000000Z|\
         2026-03-02T14:05:06.000000Z"
    );

    // The journal applied again from its start, as after a lost cursor, does not take the
    // money twice.
    rig.sql("DELETE FROM echeck_cursor").await;
    let mut again = Journal::default();
    let reply = rig
        .apply(again.changes([reverse("TR1", 500, None)]))
        .await
        .unwrap();
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::Refused);
    assert_eq!(rig.one("SELECT count(*) FROM transfers").await, "2");
}

#[tokio::test]
async fn a_reversal_that_the_target_refuses_leaves_its_original_untouched() {
    let rig = rig("").await;
    rig.sql(&D::new("TR1").sql()).await;
    rig.sql(&D::new("TR2").sql()).await;
    rig.sql(&D::new("RV_TR1").sql()).await;
    let mut journal = Journal::default();
    let changes = [reverse("TR1", 500, None), reverse("TR2", 500, None)];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.exceptions.len(), 1);
    assert_eq!(reply.exceptions[0].position, 1);
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::Refused);
    assert!(
        reply.exceptions[0].message.contains("UNIQUE"),
        "{}",
        reply.exceptions[0].message
    );
    assert_eq!(
        rig.rows("SELECT id, updated_at > '2026-03' FROM transfers ORDER BY id")
            .await,
        ["RV_TR1|0", "RV_TR2|1", "TR1|0", "TR2|1"]
    );
}

#[tokio::test]
async fn the_state_seen_is_reported_when_the_configuration_uses_other_letters() {
    let rig = rig("[transfers.columns]\nstate = \"STATE\"\namount = \"Amount\"").await;
    rig.sql(&D::new("TR1").set("state", "'FAILED'").sql()).await;
    let change = reverse("TR1", 500, None);
    let reply = rig
        .apply(Journal::default().changes([change]))
        .await
        .unwrap();
    let message = "transfer TR1 is FAILED, not SUCCEEDED as it was decided on";
    assert_eq!(reply.exceptions[0].message, message);
}

#[tokio::test]
async fn a_decision_on_a_deposit_is_made_again_when_the_mapping_has_none() {
    let rig = rig("[transfers.columns]\ndeposit_id = \"\"").await;
    rig.sql(&D::new("TR1").sql()).await;
    let mut journal = Journal::default();
    let change = give_back("TR1", TransferState::Succeeded, Some(false));
    let reply = rig.apply(journal.changes([change])).await.unwrap();
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::MovedOn);
    assert_eq!(rig.one("SELECT state FROM transfers").await, "SUCCEEDED");
}

#[tokio::test]
async fn a_change_that_a_trigger_swallows_is_refused() {
    let rig = rig("").await;
    rig.sql(&D::new("TR1").sql()).await;
    rig.sql("CREATE TRIGGER swallow BEFORE UPDATE ON transfers BEGIN SELECT RAISE(IGNORE); END")
        .await;
    let mut journal = Journal::default();
    let reply = rig
        .apply(journal.changes([fail("TR1", TransferState::Succeeded)]))
        .await
        .unwrap();
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::Refused);
    assert!(reply.exceptions[0].message.contains("look at its triggers"));
}

#[tokio::test]
async fn columns_that_are_switched_off_are_left_alone() {
    let off = "[transfers.columns]\nupdated_at = \"\"\nmessages = \"\"\nraw = \"\"\n\
               failure_code = \"\"\nfailure_message = \"\"\nready_to_settle_at = \"\"\n\
               tags = \"\"\ntrace_id = \"\"\nsource = \"\"\n[transfers.reversal.set]\n\
               updated_at = \"by hand\"\nsource = \"NOBODY\"";
    let rig = rig(off).await;
    rig.sql(&D::new("TR1").set("state", "'PENDING'").sql())
        .await;
    rig.sql(&D::new("TR2").sql()).await;
    let mut journal = Journal::default();
    let changes = [
        fail("TR1", TransferState::Pending),
        reverse("TR2", 500, None),
    ];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert!(reply.exceptions.is_empty(), "{:?}", reply.exceptions);
    assert_eq!(
        rig.rows(
            "SELECT id, state, messages, raw, failure_code, updated_at, source, destination \
                  FROM transfers ORDER BY id"
        )
        .await,
        [
            "RV_TR2|SUCCEEDED|[]|-|-|by hand|NOBODY|-",
            "TR1|FAILED|[]|-|-|2026-02-20T00:00:00Z|PI_BUYER|-",
            "TR2|SUCCEEDED|[]|-|-|2026-02-20T00:00:00Z|PI_BUYER|-",
        ]
    );
}

#[tokio::test]
async fn hostile_names_of_tables_and_columns_are_only_names() {
    let hostile = "x\"; DROP TABLE payments; --";
    let schema = gateway_adapter::demo_schema(Dialect::Sqlite)
        .replace(
            "CREATE TABLE transfers",
            &format!("CREATE TABLE \"{}\"", hostile.replace('"', "\"\"")),
        )
        .replace(
            "ON transfers",
            &format!("ON \"{}\"", hostile.replace('"', "\"\"")),
        )
        .replace("REFERENCES transfers", "REFERENCES payments")
        .replace("    state     ", "    \"sel\"\"ect\" ")
        .replace("CHECK (state IN", "CHECK (\"sel\"\"ect\" IN")
        + "CREATE TABLE payments (id TEXT PRIMARY KEY); INSERT INTO payments VALUES ('TR1');";
    let config =
        format!("[transfers]\ntable = '{hostile}'\n[transfers.columns]\nstate = 'sel\"ect'");
    let rig = rig_with(&config, &schema).await;
    rig.sql(
        "INSERT INTO \"x\"\"; DROP TABLE payments; --\" \
         (id, type, \"sel\"\"ect\", amount, application, merchant_identity, created_at, updated_at) \
         VALUES ('TR1', 'DEBIT', 'SUCCEEDED', 500, 'AP1', 'ID1', '2026', '2026')",
    )
    .await;
    let mut journal = Journal::default();
    let hostile_id = "TR1' OR '1'='1";
    let changes = [
        reverse("TR1", 500, None),
        fail(hostile_id, TransferState::Succeeded),
    ];
    let reply = rig.apply(journal.changes(changes)).await.unwrap();
    assert_eq!(reply.exceptions.len(), 1, "{:?}", reply.exceptions);
    assert_eq!(reply.exceptions[0].kind(), StepExceptionKind::NotFound);
    assert_eq!(
        rig.rows("SELECT id, \"sel\"\"ect\" FROM \"x\"\"; DROP TABLE payments; --\"")
            .await,
        ["TR1|SUCCEEDED", "RV_TR1|SUCCEEDED"]
    );
    assert_eq!(rig.one("SELECT count(*) FROM payments").await, "1");
}
