//! Transfers that rows make, and when they are ready to settle.

use returns_model::settlement::MadeTransfer;

use super::*;

/// A row that makes a reversal of `transfer_id`.
fn reverse(import_id: &str, transfer_id: &str) -> Row {
    let row = row(import_id, transfer_id);
    let reversal = NewTransfer {
        id: ids::reversal_id(&row.return_id),
        trace_id: ids::reversal_trace_id(&row.return_id),
        tags: Vec::new(),
        parent_id: None,
    };
    Row {
        effect: RowEffect::Reverse { reversal },
        ..row
    }
}

fn reversal_of(transfer_id: &str) -> String {
    ids::reversal_id(&ids::return_id(transfer_id, 1))
}

fn ready(of: &Row, position: u64) -> Row {
    let (kind, made) = of.effect.made().unwrap();
    Row {
        effect: RowEffect::ReleaseToSettlement {
            kind,
            made: made.clone(),
            ready_to_settle_at: now(),
        },
        relation: Some(Relation::Follows { position }),
        ..of.clone()
    }
}

async fn make_ready(fixture: &Fixture, rows: Vec<Row>) -> Appended {
    let released = rows.iter().filter_map(|row| match &row.effect {
        RowEffect::ReleaseToSettlement { made, .. } => Some(made.id.clone()),
        _ => None,
    });
    let transfer_ids = released.collect();
    let append = Append {
        cause: AppendCause::Ready { transfer_ids },
        seen_position: fixture.store.head().await.unwrap().position,
        writes: Writes {
            rows,
            ..Writes::default()
        },
        at: now(),
    };
    fixture.store.append(append).await.unwrap()
}

async fn waiting(fixture: &Fixture, up_to: u64) -> Vec<(String, u64)> {
    let before = now() + Duration::days(1);
    let found = fixture.store.not_ready(GATEWAY, up_to, before, 10).await;
    let found = found.unwrap().into_iter();
    found
        .map(|made| (made.transfer_id, made.position))
        .collect()
}

on_both! {
    a_transfer_that_a_row_made_waits_and_becomes_ready_once,
    only_what_took_effect_and_was_decided_in_time_waits,
    a_row_that_supersedes_another_makes_the_same_transfer,
    a_row_that_follows_another_is_no_return_of_its_own_and_no_row_of_a_file,
}

async fn a_transfer_that_a_row_made_waits_and_becomes_ready_once(fixture: Fixture) {
    let import = fixture.deciding_import("a", 2).await;
    let (one, two) = (reverse(&import, "TR1"), reverse(&import, "TR2"));
    let plain = row(&import, "TR3");
    fixture
        .append_rows(&import, (0, 2), vec![one.clone(), plain, two.clone()])
        .await;
    assert_eq!(
        waiting(&fixture, 3).await,
        [(reversal_of("TR1"), 1), (reversal_of("TR2"), 3)]
    );
    let done = make_ready(&fixture, vec![ready(&one, 1)]).await;
    assert!(matches!(done, Appended::Done(_)), "{done:?}");
    assert_eq!(waiting(&fixture, 4).await, [(reversal_of("TR2"), 3)]);
    let said = fixture.store.last_ready_row(1).await.unwrap().unwrap();
    assert_eq!(said.position, 4);
    assert_eq!(fixture.store.last_ready_row(3).await.unwrap(), None);
    let made = fixture.store.made_transfer(&reversal_of("TR1")).await;
    let expected = MadeTransfer {
        transfer_id: reversal_of("TR1"),
        position: 1,
        ready_at: Some(now()),
    };
    assert_eq!(made.unwrap(), Some(expected));
    assert_eq!(fixture.store.made_transfer("TR1").await.unwrap(), None);
    // The second would be made ready again with the first: nothing of it is written.
    let head = fixture.store.head().await.unwrap();
    let again = make_ready(&fixture, vec![ready(&one, 1), ready(&two, 3)]).await;
    assert_eq!(again, Appended::Lost);
    assert_eq!(fixture.store.head().await.unwrap(), head);
    assert_eq!(waiting(&fixture, 4).await, [(reversal_of("TR2"), 3)]);
}

async fn only_what_took_effect_and_was_decided_in_time_waits(fixture: Fixture) {
    let import = fixture.deciding_import("a", 2).await;
    let rows = vec![reverse(&import, "TR1"), reverse(&import, "TR2")];
    fixture.append_rows(&import, (0, 2), rows).await;
    assert_eq!(waiting(&fixture, 1).await, [(reversal_of("TR1"), 1)]);
    let store = &fixture.store;
    let refused = [exception(1)];
    let recorded = store.record_progress(GATEWAY, 0, 2, &refused, now());
    assert!(recorded.await.unwrap());
    assert_eq!(waiting(&fixture, 2).await, [(reversal_of("TR2"), 2)]);
    let early = store.not_ready(GATEWAY, 2, now(), 10).await.unwrap();
    assert_eq!(early, []);
}

async fn a_row_that_supersedes_another_makes_the_same_transfer(fixture: Fixture) {
    let import = fixture.deciding_import("a", 2).await;
    let one = reverse(&import, "TR1");
    let again = Row {
        relation: Some(Relation::Supersedes { position: 1 }),
        ..one.clone()
    };
    fixture.append_rows(&import, (0, 1), vec![one]).await;
    fixture.append_rows(&import, (1, 2), vec![again]).await;
    assert_eq!(waiting(&fixture, 2).await, [(reversal_of("TR1"), 2)]);
}

async fn a_row_that_follows_another_is_no_return_of_its_own_and_no_row_of_a_file(fixture: Fixture) {
    let import = fixture.deciding_import("a", 1).await;
    let one = reverse(&import, "TR1");
    fixture
        .append_rows(&import, (0, 1), vec![one.clone()])
        .await;
    make_ready(&fixture, vec![ready(&one, 1)]).await;
    let store = &fixture.store;
    let known = store.known(&["TR1".to_owned()], GATEWAY).await.unwrap();
    let standing = known.standing["TR1"].iter();
    let effects: Vec<Option<Effect>> = standing.map(|row| row.row.effect.decided()).collect();
    assert_eq!(effects, [Some(Effect::Reverse), None]);
    assert_eq!(known.ids_given["TR1"], 1);
    let listed = store.returns(&ReturnFilter::default(), 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    let row = store.return_row(&one.return_id).await.unwrap().unwrap();
    assert_eq!((row.position, row.row.effect), (1, one.effect));
    let refused = [exception(2)];
    let recorded = store.record_progress(GATEWAY, 0, 2, &refused, now());
    assert!(recorded.await.unwrap());
    let progress = store.import_progress(&import, GATEWAY).await.unwrap();
    assert_eq!(
        (progress.rows, progress.last_position, progress.exceptions),
        (1, 1, 0)
    );
    assert_eq!(store.rows_after(0, 10).await.unwrap().len(), 2);
}
