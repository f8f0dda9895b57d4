//! Holds.

use super::*;

on_both! {
    a_hold_is_closed_once_and_by_whoever_read_it_last,
    what_waits_for_an_earlier_stage_is_due_as_soon_as_that_comes,
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
        cause: AppendCause::Hold {
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

async fn what_waits_for_an_earlier_stage_is_due_as_soon_as_that_comes(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 6).await;
    let waiting = |ordinal, reason, transfer_id: &str| NewHold {
        reason,
        transfer_ids: vec![transfer_id.into()],
        next_attempt_at: Some(now() + Duration::hours(1)),
        ..hold(&import, ordinal)
    };
    let writes = Writes {
        holds: vec![
            waiting(0, HoldReason::DishonoredReturn, "TR1"),
            waiting(1, HoldReason::ContestedReturn, "TR1"),
            waiting(2, HoldReason::DishonoredReturn, "TR2"),
            waiting(3, HoldReason::AmountDiffers, "TR1"),
        ],
        ..Writes::default()
    };
    let appended = store.append(append(&import, (0, 4), 0, writes)).await;
    assert!(matches!(appended.unwrap(), Appended::Done(_)));
    let due = async || -> Vec<u64> {
        let due = store.due_holds(now(), 10).await.unwrap();
        let mut ordinals: Vec<u64> = due.iter().map(|hold| hold.new.ordinal).collect();
        ordinals.sort_unstable();
        ordinals
    };
    assert_eq!(due().await, [0; 0]);
    let read = store
        .hold(&ids::hold_id(&import, 0))
        .await
        .unwrap()
        .unwrap();

    // A correction is no stage that one could wait for.
    let correction = Row {
        effect: RowEffect::Correct {},
        ..row(&import, "TR1")
    };
    fixture.append_rows(&import, (4, 5), vec![correction]).await;
    assert_eq!(due().await, [0; 0]);
    let append_return = append(
        &import,
        (5, 6),
        1,
        Writes {
            rows: vec![row(&import, "TR1")],
            ..Writes::default()
        },
    );
    let appended = store.append(append_return).await;
    assert!(matches!(appended.unwrap(), Appended::Done(_)));
    assert_eq!(due().await, [0, 1]);

    // Who tried it meanwhile, and found nothing, does not put it off again.
    let late = HoldChange {
        hold_id: read.new.hold_id,
        attempts: read.attempts,
        to: HoldChangeTo::StillOpen {
            reason: HoldReason::DishonoredReturn,
            detail: "no return".into(),
            transfer_ids: vec!["TR1".into()],
            next_attempt_at: Some(now() + Duration::hours(1)),
            dishonor: Marks::default(),
            at: now(),
        },
    };
    assert!(!store.change_hold(&late).await.unwrap());
    assert_eq!(due().await, [0, 1]);
}
