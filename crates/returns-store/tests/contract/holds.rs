//! Holds.

use super::*;

on_both! {
    a_hold_is_closed_once_and_by_whoever_read_it_last,
    holds_are_found_by_source_code_and_time,
    open_holds_are_counted_by_import_and_reason_with_their_money,
    what_a_database_refuses_is_counted_until_it_took_effect,
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
        reason: Some(HoldReason::AmountDiffers),
        transfer_id: Some("TR1".into()),
        ..HoldFilter::of(HoldState::Open)
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

async fn holds_are_found_by_source_code_and_time(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 2).await;
    let writes = Writes {
        holds: vec![hold(&import, 0), hold(&import, 1)],
        ..Writes::default()
    };
    let appended = store.append(append(&import, (0, 2), 0, writes)).await;
    assert!(matches!(appended.unwrap(), Appended::Done(_)));
    let code = hold(&import, 0).entry.kind.code().unwrap().0;
    let found = async |filter: HoldFilter| store.holds(&filter, None, 10).await.unwrap().len();
    let open = || HoldFilter::of(HoldState::Open);
    let of_code = |code: &str| HoldFilter {
        code: Some(code.to_owned()),
        ..open()
    };
    assert_eq!(found(of_code(&code)).await, 2);
    assert_eq!(found(of_code("R99")).await, 0);
    let of_source = |source: &str| HoldFilter {
        source: Some(source.to_owned()),
        ..open()
    };
    assert_eq!(found(of_source("worldpay")).await, 2);
    assert_eq!(found(of_source("other")).await, 0);
    let before = |held_before| HoldFilter {
        held_before: Some(held_before),
        ..open()
    };
    assert_eq!(found(before(now())).await, 0);
    assert_eq!(found(before(now() + Duration::seconds(1))).await, 2);
}

async fn what_a_database_refuses_is_counted_until_it_took_effect(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 1).await;
    fixture
        .append_rows(&import, (0, 1), vec![row(&import, "TR1")])
        .await;
    let gateway = [GATEWAY.to_owned()];
    let lacking = async || {
        let counted = store.entries_without_effect(&import, &gateway).await;
        counted.unwrap()
    };
    assert_eq!(lacking().await, 0);
    let refused = [exception(1)];
    let recorded = store.record_progress(GATEWAY, 0, 1, &refused, now());
    assert!(recorded.await.unwrap());
    assert_eq!(lacking().await, 1, "it is not handled yet");

    let returned = Outcome::Effect(Effect::Return);
    let moved = |from, to| Moved {
        import_id: import.clone(),
        from,
        to,
        amount_minor: 500,
    };
    let refused = NewHold {
        hold_id: ids::exception_hold_id(GATEWAY, 1),
        reason: HoldReason::DatabaseRefused,
        detail: "no such status".into(),
        failed: Some((GATEWAY.into(), 1)),
        ..hold(&import, 0)
    };
    let hold_id = refused.hold_id.clone();
    let handled = Append {
        cause: AppendCause::Exception {
            database: GATEWAY.into(),
            position: 1,
        },
        seen_position: 1,
        writes: Writes {
            holds: vec![refused],
            moved: vec![moved(returned, Outcome::Held)],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        store.append(handled).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(lacking().await, 1, "its hold is open");
    let rows = store.refused_rows(GATEWAY).await.unwrap().unwrap();
    assert_eq!((rows.count, &*rows.detail), (1, "no such status"));
    assert_eq!(store.refused_rows("rallypay").await.unwrap(), None);
    let totals = async || store.import(&import).await.unwrap().unwrap().totals_now();
    assert_eq!(totals().await.held.count, 1);

    let resolved = Append {
        cause: AppendCause::Hold {
            hold_id,
            state: HoldState::Resolved,
            by: "ann".into(),
            note: String::new(),
        },
        seen_position: 1,
        writes: Writes {
            rows: vec![Row {
                relation: Some(Relation::Supersedes { position: 1 }),
                ..row(&import, "TR1")
            }],
            moved: vec![moved(Outcome::Held, returned)],
            ..Writes::default()
        },
        at: now(),
    };
    assert!(matches!(
        store.append(resolved).await.unwrap(),
        Appended::Done(_)
    ));
    assert_eq!(lacking().await, 0);
    assert_eq!(store.refused_rows(GATEWAY).await.unwrap(), None);
    let totals = totals().await;
    assert_eq!((totals.held.count, totals.returned.count), (0, 1));
}

async fn open_holds_are_counted_by_import_and_reason_with_their_money(fixture: Fixture) {
    let store = &fixture.store;
    let import = fixture.deciding_import("a", 3).await;
    let with = |ordinal, reason| NewHold {
        reason,
        ..hold(&import, ordinal)
    };
    let mut without_amount = with(2, HoldReason::UnknownTransfer);
    without_amount.entry.amount = None;
    let writes = Writes {
        holds: vec![
            with(0, HoldReason::AmountDiffers),
            with(1, HoldReason::UnknownTransfer),
            without_amount,
        ],
        ..Writes::default()
    };
    let appended = store.append(append(&import, (0, 3), 0, writes)).await;
    appended.unwrap();
    let minor = entry(1).amount.unwrap().minor();
    let group = |reason, count| OpenHolds {
        import_id: import.clone(),
        reason,
        count,
        amount_minor: minor,
        oldest_held_at: now(),
    };
    assert_eq!(
        store.open_holds_by_import().await.unwrap(),
        [
            group(HoldReason::UnknownTransfer, 2),
            group(HoldReason::AmountDiffers, 1)
        ]
    );
}
