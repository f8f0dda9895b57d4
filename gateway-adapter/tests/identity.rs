//! The target says whose it is: another one is neither asked nor written to.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

mod common;

use common::{D, rig_on};
use echeck_adapter::dialect::Dialect;
use echeck_adapter::testing::{Journal, reason_of, reverse};
use echeck_proto::adapter::v1::adapter_service_server::AdapterService as _;
use echeck_proto::adapter::v1::{
    AdoptCursorRequest, ClaimTargetRequest, Cursor, LookupTransfersRequest, TargetIdentity,
    TransferKey, TransferKeyKind,
};
use tonic::Request;

const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];
const JOURNAL: &str = "018f3f1e-0000-7000-8000-000000000001";
const OTHER: &str = "018f3f1e-0000-7000-8000-000000000002";

fn identity(journal_id: &str, database: &str) -> TargetIdentity {
    TargetIdentity {
        journal_id: journal_id.to_owned(),
        database: database.to_owned(),
    }
}

fn look_up(identity: TargetIdentity) -> Request<LookupTransfersRequest> {
    let key = TransferKey {
        kind: TransferKeyKind::TransferId.into(),
        value: "TR1".to_owned(),
    };
    Request::new(LookupTransfersRequest {
        keys: vec![key],
        identity: Some(identity),
    })
}

#[tokio::test]
async fn a_target_that_is_not_the_one_that_is_meant_is_neither_asked_nor_written_to() {
    for dialect in DIALECTS {
        let rig = rig_on(dialect, "").await;
        rig.sql(&D::on_any("TR1").sql()).await;
        let found = rig
            .adapter
            .lookup_transfers(look_up(identity(JOURNAL, "target")))
            .await;
        assert_eq!(found.unwrap().into_inner().matches[0].transfers.len(), 1);
        for meant in [identity(JOURNAL, "other"), identity(OTHER, "target")] {
            let refused = rig
                .adapter
                .lookup_transfers(look_up(meant))
                .await
                .unwrap_err();
            assert_eq!(reason_of(&refused), "TARGET_MISMATCH", "{dialect:?}");
        }
        let mut batch = Journal::default().changes([reverse("TR1", 500, None)]);
        batch.database = "other".to_owned();
        let refused = rig.apply(batch).await.unwrap_err();
        assert_eq!(reason_of(&refused), "TARGET_MISMATCH", "{dialect:?}");
        assert!(
            refused.message().contains("\"target\""),
            "{}",
            refused.message()
        );
        let mut newer = Journal::default().changes([reverse("TR1", 500, None)]);
        newer.contract_version = 2;
        let refused = rig.apply(newer).await.unwrap_err();
        assert!(
            refused.message().contains("contract_version"),
            "{}",
            refused.message()
        );
        assert_eq!(rig.progress(0, 10).await.cursor, None);
    }
}

#[tokio::test]
async fn a_target_that_nobody_has_claimed_is_not_written_to_and_is_claimed_once() {
    for dialect in DIALECTS {
        let rig = rig_on(dialect, "").await;
        rig.sql("DELETE FROM echeck_identity").await;
        let batch = || Journal::default().changes([reverse("TR1", 500, None)]);
        let refused = rig.apply(batch()).await.unwrap_err();
        assert_eq!(reason_of(&refused), "TARGET_MISMATCH", "{dialect:?}");
        let refused = rig
            .adapter
            .lookup_transfers(look_up(identity(JOURNAL, "target")))
            .await;
        assert_eq!(
            reason_of(&refused.unwrap_err()),
            "TARGET_BUSY",
            "{dialect:?}"
        );

        let claim = |identity, expected_cursor| {
            Request::new(ClaimTargetRequest {
                identity: Some(identity),
                expected_cursor,
            })
        };
        let elsewhere = Cursor {
            journal_id: JOURNAL.to_owned(),
            position: 3,
            row_hash: vec![7; 32],
        };
        let wrong = claim(identity(JOURNAL, "target"), Some(elsewhere));
        let refused = rig.adapter.claim_target(wrong).await.unwrap_err();
        assert_eq!(reason_of(&refused), "CURSOR_MISMATCH");
        for database in ["target", "another"] {
            let claimed = claim(identity(JOURNAL, database), None);
            let claimed = rig
                .adapter
                .claim_target(claimed)
                .await
                .unwrap()
                .into_inner();
            assert_eq!(claimed.identity, Some(identity(JOURNAL, "target")));
        }
        rig.apply(batch()).await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_target_is_adopted_at_the_start_and_one_that_lost_its_cursor_at_its_row() {
    for dialect in DIALECTS {
        let rig = rig_on(dialect, "").await;
        rig.sql("DELETE FROM echeck_identity").await;
        let adopt = |id: u8, position, row_hash| {
            Request::new(AdoptCursorRequest {
                expected_cursor: None,
                new_cursor: Some(Cursor {
                    journal_id: JOURNAL.to_owned(),
                    position,
                    row_hash,
                }),
                adoption_id: format!("018f3f1e-0000-7000-8000-0000000000{id:02x}"),
                actor: "ann".to_owned(),
                reason: "it is the right one".to_owned(),
                database: "target".to_owned(),
            })
        };
        let adopted = rig
            .adapter
            .adopt_cursor(adopt(1, 0, Vec::new()))
            .await
            .unwrap();
        assert_eq!(adopted.into_inner().cursor, None);
        let progress = rig.progress(0, 10).await;
        assert_eq!(progress.identity, Some(identity(JOURNAL, "target")));
        let adopted = rig
            .adapter
            .adopt_cursor(adopt(2, 2, vec![7; 32]))
            .await
            .unwrap();
        assert_eq!(adopted.into_inner().cursor.unwrap().position, 2);
        // Its answer was lost: it is given again, and nothing else happens.
        let again = rig
            .adapter
            .adopt_cursor(adopt(2, 2, vec![7; 32]))
            .await
            .unwrap();
        assert_eq!(again.into_inner().cursor.unwrap().position, 2);
        let recorded = "SELECT from_position, to_position, from_journal FROM echeck_adoptions \
                        ORDER BY to_position";
        assert_eq!(rig.rows(recorded).await, ["0|0|", "0|2|"]);
    }
}
