//! Holds.

use super::*;

on_both! {
    a_hold_is_closed_once_and_by_whoever_read_it_last,
}

async fn a_hold_is_closed_once_and_by_whoever_read_it_last(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 1).await;
    let writes = Writes {
        holds: vec![hold(&import, 0)],
        ..Writes::default()
    };
    store
        .append(append(&import, (0, 1), 0, writes))
        .await
        .unwrap();
    let due = store.due_holds(now(), 10).await.unwrap();
    let held = due.first().unwrap();

    let still_open = HoldChange {
        hold_id: held.new.hold_id.clone(),
        attempts: held.attempts,
        to: HoldChangeTo::StillOpen {
            reason: HoldReason::AmountDiffers,
            detail: "differs".into(),
            transfer_ids: vec!["TR1".into()],
            next_attempt_at: None,
            dishonor: Marks::default(),
            at: now(),
        },
    };
    assert!(store.change_hold(&still_open).await.unwrap());
    assert!(
        !store.change_hold(&still_open).await.unwrap(),
        "it has moved on"
    );
    assert!(store.due_holds(now(), 10).await.unwrap().is_empty());
    let filter = HoldFilter {
        state: HoldState::Open,
        import_id: None,
        reason: Some(HoldReason::AmountDiffers),
        transfer_id: Some("TR1".into()),
    };
    assert_eq!(store.holds(&filter, None, 10).await.unwrap().len(), 1);

    let resolve = |seen_position| Append {
        cause: Cause::Hold {
            hold_id: held.new.hold_id.clone(),
            state: HoldState::Resolved,
            by: "ann".into(),
            note: String::new(),
        },
        seen_position,
        writes: Writes {
            rows: vec![row(&import, "TR1")],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        store.append(resolve(0)).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(store.append(resolve(1)).await.unwrap(), Appended::Lost);
    assert_eq!(
        store.head().await.unwrap().position,
        1,
        "a lost append leaves no row"
    );
    let closed = store.hold(&held.new.hold_id).await.unwrap().unwrap();
    assert_eq!(
        (closed.state, closed.resolved_position),
        (HoldState::Resolved, Some(1))
    );
}
