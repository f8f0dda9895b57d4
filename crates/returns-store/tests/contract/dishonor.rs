//! Returns that may be dishonored.

use ach::code::ReturnCode;
use ach::dishonor::DishonorGround;
use ach::money::Money;
use chrono::NaiveDate;

use super::*;

on_both! {
    marks_come_with_their_decision_and_as_they_were_written,
    every_code_that_is_found_can_be_recorded,
    nothing_is_marked_when_the_append_is_lost_or_stale,
    the_most_urgent_come_first_page_by_page,
    those_whose_last_day_is_past_are_left_out_of_the_open_ones,
    a_later_decision_replaces_a_mark_or_takes_it_back,
    a_hold_that_is_tried_again_changes_its_mark_in_the_same_step,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn ground(code: ReturnCode, fields: &str, last_day: &str) -> DishonorGround {
    DishonorGround {
        code,
        fields: fields.into(),
        last_day: day(last_day),
        why: format!("because of {code}"),
    }
}

/// The mark of a return that was acted on.
fn mark(import_id: &str, ordinal: u64, last_day: &str) -> DishonorMark {
    DishonorMark {
        import_id: import_id.into(),
        ordinal,
        line: ordinal + 2,
        transfer_id: Some(format!("TR{ordinal}")),
        return_id: Some(format!("ret_{ordinal}")),
        hold_id: None,
        ground: ground(ReturnCode::R68, "", last_day),
        others: vec![ground(ReturnCode::R69, "03*06", last_day)],
        amount: Some(Money::cents(500)),
        return_code: "R01".into(),
        settled_on: Some(day("2026-11-17")),
    }
}

/// The mark of a return with this id.
pub(super) fn mark_of(import_id: &str, return_id: &str) -> DishonorMark {
    DishonorMark {
        return_id: Some(return_id.to_owned()),
        ..mark(import_id, 1, "2026-11-24")
    }
}

/// The mark of one that waits, of which as little as possible is known.
fn held_mark(import_id: &str, ordinal: u64, last_day: &str) -> DishonorMark {
    DishonorMark {
        transfer_id: None,
        return_id: None,
        hold_id: Some(ids::hold_id(import_id, ordinal)),
        ground: ground(ReturnCode::R61, "", last_day),
        others: Vec::new(),
        amount: None,
        settled_on: None,
        ..mark(import_id, ordinal, last_day)
    }
}

fn marking(set: Vec<DishonorMark>) -> Writes {
    Writes {
        dishonor: Marks {
            set,
            cleared: Vec::new(),
        },
        ..Writes::default()
    }
}

async fn listed(store: &Arc<dyn Store>, filter: DishonorFilter) -> Vec<(String, u64)> {
    let found = store.dishonorable(&filter, None, 100).await.unwrap();
    found
        .into_iter()
        .map(|one| (one.mark.import_id, one.mark.ordinal))
        .collect()
}

async fn every_code_that_is_found_can_be_recorded(fixture: Fixture) {
    let id = fixture.deciding_import("a", 5).await;
    let codes = [
        ReturnCode::R61,
        ReturnCode::R62,
        ReturnCode::R67,
        ReturnCode::R68,
        ReturnCode::R69,
    ];
    let marks = (0..).zip(codes).map(|(ordinal, code)| DishonorMark {
        ground: ground(code, "", "2026-11-24"),
        ..held_mark(&id, ordinal, "2026-11-24")
    });
    let marks: Vec<_> = marks.collect();
    let writes = marking(marks.clone());
    let appended = fixture.store.append(append(&id, (0, 5), 0, writes)).await;
    assert!(matches!(appended.unwrap(), Appended::Done(_)));
    let found = fixture.store.dishonorable_of(&id, 0..5).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|one| one.mark).collect();
    assert_eq!(found, marks);
}

async fn marks_come_with_their_decision_and_as_they_were_written(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 3).await;
    let marks = [mark(&id, 0, "2026-11-24"), held_mark(&id, 2, "2026-11-25")];
    let writes = marking(marks.to_vec());
    store.append(append(&id, (0, 3), 0, writes)).await.unwrap();
    let all = store
        .dishonorable(&DishonorFilter::default(), None, 9)
        .await
        .unwrap();
    assert!(all.iter().all(|one| one.marked_at == now()));
    let all: Vec<_> = all.into_iter().map(|one| one.mark).collect();
    assert_eq!(all, marks);

    let of_import = store.dishonorable_of(&id, 1..3).await.unwrap();
    assert_eq!(of_import.len(), 1);
    assert_eq!(of_import[0].mark, marks[1]);
    let ids = ["ret_0".to_owned(), "ret_9".to_owned()];
    let of_returns = store.dishonorable_returns(&ids).await.unwrap();
    assert_eq!(of_returns.len(), 1);
    assert_eq!(of_returns[0].mark, marks[0]);

    let of_transfer = DishonorFilter {
        transfer_id: Some("TR0".into()),
        ..DishonorFilter::default()
    };
    assert_eq!(listed(store, of_transfer).await, [(id.clone(), 0)]);
    let elsewhere = DishonorFilter {
        import_id: Some("imp_?".into()),
        ..DishonorFilter::default()
    };
    assert_eq!(listed(store, elsewhere).await, []);
}

async fn nothing_is_marked_when_the_append_is_lost_or_stale(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 2).await;
    let writes = marking(vec![mark(&id, 1, "2026-11-24")]);
    let lost = append(&id, (1, 2), 0, writes.clone());
    assert_eq!(store.append(lost).await.unwrap(), Appended::Lost);

    let rows = vec![row(&id, "TR1")];
    fixture.append_rows(&id, (0, 1), rows.clone()).await;
    let stale = append(&id, (1, 2), 0, Writes { rows, ..writes });
    assert_eq!(store.append(stale).await.unwrap(), Appended::Stale);
    assert_eq!(listed(store, DishonorFilter::default()).await, []);
}

async fn the_most_urgent_come_first_page_by_page(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 4).await;
    let marks = vec![
        mark(&id, 0, "2027-01-04"),
        mark(&id, 1, "2026-11-24"),
        mark(&id, 2, "2026-12-31"),
        mark(&id, 3, "2026-11-24"),
    ];
    store
        .append(append(&id, (0, 4), 0, marking(marks)))
        .await
        .unwrap();
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = store
            .dishonorable(&DishonorFilter::default(), after, 1)
            .await
            .unwrap();
        let Some(one) = page.into_iter().next() else {
            break;
        };
        seen.push(one.mark.ordinal);
        let place = (
            one.mark.ground.last_day,
            one.mark.import_id,
            one.mark.ordinal,
        );
        after = Some(place);
    }
    assert_eq!(seen, [1, 3, 2, 0]);
}

async fn those_whose_last_day_is_past_are_left_out_of_the_open_ones(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 2).await;
    let marks = vec![mark(&id, 0, "2026-12-31"), mark(&id, 1, "2027-01-04")];
    store
        .append(append(&id, (0, 2), 0, marking(marks)))
        .await
        .unwrap();
    let open_on = |text: &str| DishonorFilter {
        open_on: Some(day(text)),
        ..DishonorFilter::default()
    };
    assert_eq!(listed(store, open_on("2026-12-31")).await.len(), 2);
    assert_eq!(
        listed(store, open_on("2027-01-01")).await,
        [(id.clone(), 1)]
    );
    assert_eq!(listed(store, open_on("2027-01-05")).await, []);
}

async fn a_later_decision_replaces_a_mark_or_takes_it_back(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 2).await;
    let writes = Writes {
        holds: vec![hold(&id, 0), hold(&id, 1)],
        ..marking(vec![
            held_mark(&id, 0, "2026-11-24"),
            held_mark(&id, 1, "2026-11-24"),
        ])
    };
    store.append(append(&id, (0, 2), 0, writes)).await.unwrap();
    let resolve = |ordinal, dishonor| Append {
        cause: AppendCause::Hold {
            hold_id: ids::hold_id(&id, ordinal),
            state: HoldState::Resolved,
            by: "ann".into(),
            note: String::new(),
        },
        seen_position: 0,
        writes: Writes {
            dishonor,
            ..Writes::default()
        },
        at: now(),
    };
    let replaced = mark(&id, 0, "2026-11-24");
    let again = Marks::again(Some(replaced.clone()), &id, 0);
    store.append(resolve(0, again)).await.unwrap();
    let taken_back = Marks::again(None, &id, 1);
    store.append(resolve(1, taken_back)).await.unwrap();
    let all = store.dishonorable_of(&id, 0..2).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].mark, replaced);
}

async fn a_hold_that_is_tried_again_changes_its_mark_in_the_same_step(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.deciding_import("a", 1).await;
    let writes = Writes {
        holds: vec![hold(&id, 0)],
        ..Writes::default()
    };
    store.append(append(&id, (0, 1), 0, writes)).await.unwrap();
    let change = |attempts, mark| HoldChange {
        hold_id: ids::hold_id(&id, 0),
        attempts,
        to: HoldChangeTo::StillOpen {
            reason: HoldReason::AmountDiffers,
            detail: "differs".into(),
            transfer_ids: vec!["TR0".into()],
            next_attempt_at: None,
            dishonor: Marks::again(mark, &id, 0),
            at: now(),
        },
    };
    let marked = held_mark(&id, 0, "2026-11-24");
    let late = change(7, Some(marked.clone()));
    assert!(!store.change_hold(&late).await.unwrap());
    assert_eq!(listed(store, DishonorFilter::default()).await, []);
    let now_marked = change(0, Some(marked));
    assert!(store.change_hold(&now_marked).await.unwrap());
    assert_eq!(listed(store, DishonorFilter::default()).await.len(), 1);
    assert!(store.change_hold(&change(1, None)).await.unwrap());
    assert_eq!(listed(store, DishonorFilter::default()).await, []);
}
