//! The journal.

use super::*;

on_both! {
    positions_are_dense_and_the_hash_chain_verifies,
    a_changed_payload_is_found_by_its_hash,
    the_journal_keeps_its_identity_when_it_is_opened_again,
    a_decision_is_stale_once_the_journal_says_more_about_its_transfer,
    what_is_superseded_or_without_effect_no_longer_stands,
    journal_rows_can_be_neither_changed_nor_deleted,
    rows_come_back_byte_for_byte,
    appends_at_once_from_two_replicas_leave_no_gap_and_no_row_out,
}

async fn positions_are_dense_and_the_hash_chain_verifies(fixture: Fixture) {
    let import = fixture.deciding_import("a", 3).await;
    fixture
        .append_rows(
            &import,
            (0, 2),
            vec![row(&import, "TR1"), row(&import, "TR2")],
        )
        .await;
    fixture
        .append_rows(&import, (2, 3), vec![row(&import, "TR3")])
        .await;

    let head = fixture.store.head().await.unwrap();
    let rows = fixture.store.rows_after(0, 100).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.position).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let mut verifier = Verifier::new(head.journal_id, []);
    let rows = fixture.store.stored_rows(0, 100).await.unwrap();
    rows.iter().for_each(|row| verifier.check(row));
    verifier.finish(&head);
    assert_eq!(verifier.reached(), (3, &head.hash));
    assert!(verifier.faults().is_empty());
}

async fn a_changed_payload_is_found_by_its_hash(fixture: Fixture) {
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    let mut rows = fixture.store.stored_rows(0, 100).await.unwrap();
    rows[0].payload = rows[0].payload.replace("500", "501");
    let mut verifier = Verifier::new(fixture.store.head().await.unwrap().journal_id, []);
    verifier.check(&rows[0]);
    assert_eq!(verifier.faults().len(), 1);
}

async fn the_journal_keeps_its_identity_when_it_is_opened_again(fixture: Fixture) {
    let again = fixture.again().await;
    assert_eq!(again.head().await.unwrap().journal_id, Uuid::from_u128(7));
}

async fn a_decision_is_stale_once_the_journal_says_more_about_its_transfer(fixture: Fixture) {
    let (a, b) = (
        fixture.deciding_import("a", 1).await,
        fixture.deciding_import("b", 2).await,
    );
    fixture.append_rows(&a, (0, 1), vec![row(&a, "TR1")]).await;

    let about = |transfer: &str| Writes {
        rows: vec![row(&b, transfer)],
        ..Writes::default()
    };
    let stale = fixture
        .store
        .append(append(&b, (0, 1), 0, about("TR1")))
        .await
        .unwrap();
    assert_eq!(stale, Appended::Stale);
    let other = fixture
        .store
        .append(append(&b, (0, 1), 0, about("TR2")))
        .await
        .unwrap();
    assert!(matches!(other, Appended::Done(_)));
}

pub(super) async fn what_is_superseded_or_without_effect_no_longer_stands(fixture: Fixture) {
    let import = fixture.deciding_import("a", 9).await;
    fixture
        .append_rows(
            &import,
            (0, 2),
            vec![row(&import, "TR1"), row(&import, "TR2")],
        )
        .await;
    fixture
        .store
        .record_progress(GATEWAY, 0, 2, &[exception(1)], now())
        .await
        .unwrap();

    let ids = ["TR1".to_owned(), "TR2".to_owned()];
    let known = fixture.store.known(&ids, GATEWAY).await.unwrap();
    assert!(!known.standing.contains_key("TR1"));
    assert_eq!(known.standing["TR2"].len(), 1);
    assert_eq!(known.ids_given["TR1"], 1);

    let mut replacing = row(&import, "TR1");
    replacing.effect = RowEffect::Fail {
        messages: Vec::new(),
    };
    replacing.relation = Some(Relation::Supersedes { position: 1 });
    let outcome = fixture
        .store
        .append(Append {
            cause: AppendCause::Exception {
                database: GATEWAY.into(),
                position: 1,
            },
            seen_position: 2,
            writes: Writes {
                rows: vec![replacing],
                ..Writes::default()
            },
            at: now(),
        })
        .await
        .unwrap();
    assert!(matches!(outcome, Appended::Done(_)));
    assert!(
        fixture
            .store
            .open_exceptions(GATEWAY, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let known = fixture.store.known(&ids, GATEWAY).await.unwrap();
    assert_eq!(known.standing["TR1"][0].position, 3);
    assert_eq!(
        fixture.store.row(1).await.unwrap().unwrap().superseded_by,
        Some(3)
    );
    let listed = fixture
        .store
        .returns(&ReturnFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        listed.iter().map(|row| row.position).collect::<Vec<_>>(),
        [3, 2]
    );
}

async fn journal_rows_can_be_neither_changed_nor_deleted(fixture: Fixture) {
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    let mut statements = vec!["UPDATE journal SET code = 'R02'", "DELETE FROM journal"];
    if fixture.url.starts_with("postgres:") {
        statements.push("TRUNCATE journal CASCADE");
    }
    for sql in statements {
        let error = fixture.execute(sql).await.unwrap_err();
        assert!(error.contains("never"), "{error}");
    }
}

async fn rows_come_back_byte_for_byte(fixture: Fixture) {
    let import = fixture.deciding_import("a", 1).await;
    let mut odd = row(&import, "TR1");
    odd.effect = RowEffect::Return {
        messages: vec!["tab\t quote\" back\\slash \\N \u{0} \u{1F4B8} line\r\n".into()],
    };
    odd.description = "Ünbekannt, {\"a\": 1}".into();
    fixture
        .append_rows(&import, (0, 1), vec![odd.clone()])
        .await;
    let read = fixture.store.row(1).await.unwrap().unwrap();
    assert_eq!(read.row, odd);
    assert_eq!(read.payload, serde_json::to_string(&odd).unwrap());
}

async fn appends_at_once_from_two_replicas_leave_no_gap_and_no_row_out(fixture: Fixture) {
    let other = fixture.again().await;
    let mut tasks = Vec::new();
    for number in 0..8_u64 {
        let store = if number % 2 == 0 {
            fixture.store.clone()
        } else {
            other.clone()
        };
        let import = fixture.deciding_import(&format!("file {number}"), 5).await;
        tasks.push(tokio::spawn(async move {
            for done in 0..5 {
                let writes = Writes {
                    rows: vec![row(&import, &format!("TR{number}-{done}"))],
                    ..Writes::default()
                };
                let outcome = store
                    .append(append(&import, (done, done + 1), 0, writes))
                    .await;
                assert!(matches!(outcome.unwrap(), Appended::Done(_)));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let head = fixture.store.head().await.unwrap();
    let mut verifier = Verifier::new(head.journal_id, []);
    let rows = other.stored_rows(0, 100).await.unwrap();
    rows.iter().for_each(|row| verifier.check(row));
    assert_eq!(verifier.reached(), (40, &head.hash));
    assert!(verifier.faults().is_empty());
}
