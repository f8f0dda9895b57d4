//! What is known of transfers, in one answer.

use super::*;

on_both! {
    everything_about_a_transfer_is_in_one_answer,
    a_transfer_lists_no_more_holds_than_people_read,
}

async fn everything_about_a_transfer_is_in_one_answer(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 9).await;
    let marked = row(&import, "TR2");
    let mark = super::dishonor::mark_of(&import, &marked.return_id);
    let writes = Writes {
        rows: vec![row(&import, "TR1"), marked, row(&import, "TR3")],
        holds: vec![NewHold {
            transfer_ids: vec!["TR1".into(), "TR9".into()],
            ..hold(&import, 3)
        }],
        dishonor: Marks {
            set: vec![mark],
            cleared: Vec::new(),
        },
        ..Writes::default()
    };
    let done = store.append(append(&import, (0, 4), 0, writes)).await;
    assert!(matches!(done.unwrap(), Appended::Done(_)));
    store
        .record_progress(GATEWAY, 0, 2, &[exception(1)], now())
        .await
        .unwrap();

    let ids = ["TR1", "TR2", "TR9", "none"].map(str::to_owned);
    let facts = store.facts(&ids).await.unwrap();
    let known = |id: &str| {
        let of_it = facts.transfers.get(id).cloned().unwrap_or_default();
        let row = |one: &returns_store::StandingRow| {
            (
                one.row.position,
                one.exceptions.clone(),
                one.is_dishonorable,
            )
        };
        let rows: Vec<_> = of_it.rows.iter().map(row).collect();
        (rows, of_it.open_hold_ids.len())
    };
    assert_eq!(
        known("TR1"),
        (vec![(1, vec![GATEWAY.to_owned()], false)], 1)
    );
    assert_eq!(known("TR2"), (vec![(2, vec![], true)], 0));
    assert_eq!(known("TR9"), (vec![], 1));
    assert!(!facts.transfers.contains_key("none"));
    assert!(!facts.transfers.contains_key("TR3"), "it was not asked for");
    assert_eq!(facts.progress[GATEWAY].position, 2);
    assert_eq!(facts.progress.len(), 1);
    assert_eq!(store.all_progress().await.unwrap(), facts.progress);
    let row = store.row(2).await.unwrap().unwrap();
    assert_eq!(facts.transfers["TR2"].rows[0].row, row);

    // Nothing is known of a transfer, and still how far each database is.
    let facts = store.facts(&[]).await.unwrap();
    assert!(facts.transfers.is_empty() && facts.progress.len() == 1);
}

async fn a_transfer_lists_no_more_holds_than_people_read(fixture: Fixture) {
    let import = fixture.deciding_import("a", 101).await;
    let holds = (0..101).map(|ordinal| NewHold {
        transfer_ids: vec!["TR1".into()],
        ..hold(&import, ordinal)
    });
    let writes = Writes {
        holds: holds.collect(),
        ..Writes::default()
    };
    let appended = fixture.store.append(append(&import, (0, 101), 0, writes));
    appended.await.unwrap();
    let facts = fixture.store.facts(&["TR1".to_owned()]).await.unwrap();
    assert_eq!(facts.transfers["TR1"].open_hold_ids.len(), 100);
}
