use std::time::Duration;

use ach::code::ReturnCode;
use ach::decision::{HoldReason, Parties, Transfer, TransferKeyKind, TransferState, TransferType};
use ach::entry::{Coded, EntryKind};
use ach::format::{Format, nacha};
use ach::money::Money;
use chrono::Days;
use echeck_test_fixtures::{append, deciding_import, empty_store, entry, now};
use returns_model::ids;
use returns_model::journal::{NewTransfer, RowEffect};
use returns_store::{Appended, Writes};

use super::*;
use crate::adapter::{AdapterLimits, FoundTransfers};

const TRACE: &str = "231380100000001";

/// A service that decides, and what the system of record has: one payment of five dollars, by its
/// trace number.
struct Desk {
    _folder: tempfile::TempDir,
    decider: Decider,
    source: Source,
    lookup: Lookup,
    pending: PendingDecisions,
}

fn payment(state: TransferState) -> Transfer {
    Transfer {
        id: "TR1".into(),
        kind: TransferType::Debit,
        state,
        in_deposit: None,
        amount: Money::cents(500),
        trace_id: "FNX1".into(),
        payment_id: None,
        ach_trace: Some(TRACE.into()),
        individual_id: None,
        settled_on: now().date_naive().checked_sub_days(Days::new(1)),
        parties: Parties::default(),
        unnamed: String::new(),
    }
}

fn found(transfers: Vec<Transfer>) -> FoundTransfers {
    FoundTransfers {
        transfers,
        ..FoundTransfers::default()
    }
}

impl Desk {
    async fn with(state: TransferState) -> Self {
        let (folder, store) = empty_store().await;
        let long = Duration::from_secs(60);
        let limits = AdapterLimits {
            timeout: long,
            max_message_bytes: 1 << 20,
        };
        let whose = ("gateway", uuid::Uuid::nil());
        let gateway = Adapter::new(whose, "http://127.0.0.1:1", None, limits).unwrap();
        let retry = RetryPolicy {
            first: long,
            longest: long,
        };
        let key = (TransferKeyKind::AchTrace, TRACE.to_owned());
        Self {
            _folder: folder,
            decider: Decider {
                store,
                gateway,
                sources: HashMap::new(),
                retry,
            },
            source: Source {
                name: "bank".into(),
                format: Format::Nacha(nacha::Tolerance::default()),
                rules: vec!["original_trace:ach_trace".parse().unwrap()],
                ours: crate::source::Ours::default(),
                role: crate::source::Role::Decide,
                is_conforming: true,
                allow_empty: Vec::new(),
            },
            lookup: Lookup {
                policy: FundingPolicy::State,
                found: HashMap::from([(key, found(vec![payment(state)]))]),
            },
            pending: PendingDecisions::default(),
        }
    }

    async fn decide(&mut self, entries: &[Entry]) -> Decided {
        let entries: Vec<EntryToDecide<'_>> = (0..)
            .zip(entries)
            .map(|(ordinal, entry)| EntryToDecide {
                ordinal,
                import_id: "imp_1",
                ..EntryToDecide::of_entry(entry, &self.source)
            })
            .collect();
        let decided = self
            .decider
            .decide_found(&entries, &self.lookup, &mut self.pending, now());
        decided.await.unwrap()
    }

    /// Decides entries and appends what is to be done, as an import does.
    async fn append(&mut self, bytes: &str, entries: &[Entry]) -> Vec<Row> {
        let import_id = deciding_import(&self.decider.store, bytes, 9).await;
        let decided = self.decide(entries).await;
        let outcomes = decided.outcomes.into_iter();
        let rows: Vec<Row> = outcomes
            .filter_map(|outcome| match outcome {
                EntryOutcome::Act { row, .. } => Some(*row),
                EntryOutcome::Duplicate { .. }
                | EntryOutcome::Prenote
                | EntryOutcome::Hold { .. } => None,
            })
            .map(|row| Row {
                import_id: import_id.clone(),
                ..row
            })
            .collect();
        let writes = Writes {
            rows: rows.clone(),
            ..Writes::default()
        };
        let append = append(&import_id, (0, 9), decided.seen_position, writes);
        let appended = self.decider.store.append(append).await.unwrap();
        assert!(matches!(appended, Appended::Done(_)), "{appended:?}");
        self.pending = PendingDecisions::default();
        rows
    }
}

/// A return, or a later stage of one, with the trace number of the payment.
fn of_payment(kind: EntryKind) -> Entry {
    let mut entry = Entry { kind, ..entry(1) };
    entry.keys.original_trace = Some(TRACE.into());
    entry.keys.return_trace = Some("091000010000001".into());
    entry.settlement_date = Some(now().date_naive());
    entry
}

fn returned(code: ReturnCode) -> Entry {
    of_payment(EntryKind::Return {
        code: Coded::Known(code),
        date_of_death: None,
    })
}

fn dishonored() -> Entry {
    of_payment(EntryKind::Dishonored {
        code: Coded::Known(ReturnCode::R68),
        return_code: Some(Coded::Known(ReturnCode::R01)),
        return_settled_on: None,
    })
}

fn contested() -> Entry {
    of_payment(EntryKind::Contested {
        code: Coded::Known(ReturnCode::R73),
        return_code: Some(Coded::Known(ReturnCode::R01)),
        dishonor_code: Some(Coded::Known(ReturnCode::R68)),
        dishonor_trace: None,
        return_settled_on: None,
    })
}

fn acted(outcome: &EntryOutcome) -> (Effect, &Row) {
    match outcome {
        EntryOutcome::Act { effect, row } => (*effect, row),
        other => panic!("{other:?}"),
    }
}

fn held(outcome: &EntryOutcome) -> (HoldReason, &[String]) {
    match outcome {
        EntryOutcome::Hold { hold, transfer_ids } => (hold.reason, transfer_ids),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_the_same_return_twice_in_a_batch_the_second_is_a_duplicate_and_another_is_held() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let first = returned(ReturnCode::R01);
    let other = returned(ReturnCode::R02);
    let decided = desk.decide(&[first.clone(), first, other]).await;
    let (effect, row) = acted(&decided.outcomes[0]);
    assert_eq!(effect, Effect::Return);
    assert_eq!(row.return_id, ids::return_id("TR1", 1));
    let EntryOutcome::Duplicate {
        transfer_id,
        of_return_id,
    } = &decided.outcomes[1]
    else {
        panic!("{:?}", decided.outcomes[1])
    };
    assert_eq!(
        (transfer_id.as_str(), of_return_id),
        ("TR1", &row.return_id)
    );
    let tr1 = ["TR1".to_owned()];
    assert_eq!(
        held(&decided.outcomes[2]),
        (HoldReason::SecondReturn, &tr1[..])
    );
}

#[tokio::test]
async fn what_the_journal_says_counts_and_ids_go_on_from_it() {
    let mut desk = Desk::with(TransferState::Succeeded).await;
    let first = returned(ReturnCode::R01);
    let rows = desk.append("1", std::slice::from_ref(&first)).await;
    let of = &rows[0].return_id;
    let decided = desk.decide(&[first, dishonored(), contested()]).await;
    assert_eq!(decided.seen_position, 1);
    assert!(matches!(
        decided.outcomes[0],
        EntryOutcome::Duplicate { .. }
    ));

    let (effect, row) = acted(&decided.outcomes[1]);
    assert_eq!(effect, Effect::Restore);
    assert_eq!(row.return_id, ids::return_id("TR1", 2));
    let RowEffect::Restore {
        of_return,
        restoration,
    } = &row.effect
    else {
        panic!("{:?}", row.effect)
    };
    assert_eq!(of_return, of);
    assert_eq!(restoration.id, ids::restoration_id(&row.return_id));
    assert_eq!(restoration.parent_id, Some(ids::reversal_id(of)));

    let (effect, contest) = acted(&decided.outcomes[2]);
    assert_eq!(effect, Effect::Reapply);
    assert_eq!(contest.return_id, ids::return_id("TR1", 3));
    let RowEffect::Reapply {
        of_return,
        reversal,
    } = &contest.effect
    else {
        panic!("{:?}", contest.effect)
    };
    assert_eq!(of_return, of);
    assert_eq!(reversal.id, ids::reversal_id(&contest.return_id));
    assert_eq!(reversal.parent_id, Some(restoration.id.clone()));
}

#[tokio::test]
async fn a_dishonor_of_what_was_not_reversed_makes_the_payment_itself_good() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let decided = desk
        .decide(&[returned(ReturnCode::R01), dishonored()])
        .await;
    let (_, row) = acted(&decided.outcomes[1]);
    let RowEffect::Restore { restoration, .. } = &row.effect else {
        panic!("{:?}", row.effect)
    };
    assert_eq!(restoration.parent_id, None);
}

#[tokio::test]
async fn a_reversal_has_ids_of_its_own_and_is_of_the_payment() {
    let mut desk = Desk::with(TransferState::Succeeded).await;
    let decided = desk.decide(&[returned(ReturnCode::R01)]).await;
    let (effect, row) = acted(&decided.outcomes[0]);
    assert_eq!(effect, Effect::Reverse);
    let RowEffect::Reverse { reversal } = &row.effect else {
        panic!("{:?}", row.effect)
    };
    let NewTransfer {
        id,
        trace_id,
        tags,
        parent_id,
    } = reversal;
    assert_eq!(*id, ids::reversal_id(&row.return_id));
    assert_eq!(*trace_id, ids::reversal_trace_id(&row.return_id));
    assert!(!tags.is_empty());
    assert_eq!(*parent_id, None, "the payment is its parent");
    assert_eq!((row.import_id.as_str(), row.ordinal), ("imp_1", 0));
    assert_eq!((row.source.as_str(), row.decided_at), ("bank", now()));
    assert_eq!(row.description, ReturnCode::R01.info().title);
}

#[tokio::test]
async fn what_never_entered_the_network_is_told_in_the_banks_words_or_in_ours() {
    let code = Some("REJ06030".to_owned());
    let rejected = of_payment(EntryKind::ValidationFailure { code });
    for (words, told) in [
        (Some("CLOSED"), "CLOSED"),
        (None, "refused before it entered the network"),
    ] {
        let mut desk = Desk::with(TransferState::Pending).await;
        let description = words.map(str::to_owned);
        let rejected = Entry {
            description,
            ..rejected.clone()
        };
        let decided = desk.decide(&[rejected]).await;
        let (effect, row) = acted(&decided.outcomes[0]);
        assert_eq!((effect, row.description.as_str()), (Effect::Fail, told));
        let RowEffect::Fail { messages } = &row.effect else {
            panic!("{:?}", row.effect)
        };
        assert!(!messages.is_empty());
    }
}

#[tokio::test]
async fn a_row_that_takes_the_place_of_one_without_effect_keeps_payment_line_and_return() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let rows = desk.append("1", &[returned(ReturnCode::R01)]).await;
    let mut failed = desk.decider.store.row(1).await.unwrap().unwrap();
    failed.row.ordinal = 7;
    let one = EntryToDecide::superseding(&failed, &desk.source);
    assert_eq!(one.transfer_id, Some("TR1"));
    assert_eq!(one.return_id, Some(rows[0].return_id.as_str()));
    assert_eq!(
        (one.import_id, one.ordinal),
        (rows[0].import_id.as_str(), 7)
    );
    assert_eq!(one.relation, Some(Relation::Supersedes { position: 1 }));
}

#[tokio::test]
async fn the_payment_that_a_person_chose_is_taken_if_there_is_one() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let mut entry = returned(ReturnCode::R01);
    entry.keys.original_trace = None;
    let key = (TransferKeyKind::TransferId, "TR1".to_owned());
    let one = payment(TransferState::Pending);
    let mut twin = one.clone();
    twin.id = "TR2".into();
    for (transfers, ids) in [
        (vec![], vec![]),
        (vec![one.clone()], vec!["TR1"]),
        (vec![one, twin], vec!["TR1", "TR2"]),
    ] {
        desk.lookup.found.insert(key.clone(), found(transfers));
        let chosen = EntryToDecide {
            transfer_id: Some("TR1"),
            return_id: Some("ret_of_before"),
            actor: Some("ops"),
            ..EntryToDecide::of_entry(&entry, &desk.source)
        };
        let mut pending = PendingDecisions::default();
        let chosen = [chosen];
        let decided = desk
            .decider
            .decide_found(&chosen, &desk.lookup, &mut pending, now());
        match &decided.await.unwrap().outcomes[0] {
            EntryOutcome::Act { row, .. } => {
                assert_eq!(ids, [row.transfer.id.as_str()]);
                assert_eq!(row.return_id, "ret_of_before");
                assert_eq!(row.actor.as_deref(), Some("ops"));
            }
            EntryOutcome::Hold { hold, transfer_ids } => {
                assert_eq!(*transfer_ids, ids);
                let reason = match ids[..] {
                    [] => HoldReason::UnknownTransfer,
                    _ => HoldReason::AmbiguousTransfer,
                };
                assert_eq!(hold.reason, reason);
                assert_ne!(ids, ["TR1"], "it is the one that was chosen");
            }
            other @ (EntryOutcome::Duplicate { .. } | EntryOutcome::Prenote) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_late_return_is_marked_once_with_what_is_known_of_it() {
    let mut desk = Desk::with(TransferState::Succeeded).await;
    let late = Entry {
        settlement_date: now().date_naive().checked_add_days(Days::new(30)),
        ..returned(ReturnCode::R01)
    };
    let decided = desk.decide(&[late.clone(), late.clone()]).await;
    let [mark] = &decided.marks[..] else {
        panic!("{:?}", decided.marks)
    };
    let (_, row) = acted(&decided.outcomes[0]);
    assert_eq!(mark.ground.code, ReturnCode::R68);
    assert_eq!(mark.return_id.as_ref(), Some(&row.return_id));
    assert_eq!(mark.transfer_id.as_deref(), Some("TR1"));
    assert_eq!((mark.import_id.as_str(), mark.ordinal), ("imp_1", 0));
    assert_eq!(mark.return_code, "R01");
    assert_eq!(mark.amount, late.amount);
}

#[tokio::test]
async fn a_second_return_may_be_dishonored_if_the_first_was_one() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let (first, other) = (returned(ReturnCode::R01), returned(ReturnCode::R02));
    let decided = desk.decide(&[first, other.clone()]).await;
    let [mark] = &decided.marks[..] else {
        panic!("{:?}", decided.marks)
    };
    assert_eq!((mark.ground.code, mark.ordinal), (ReturnCode::R67, 1));
    assert_eq!(mark.return_id, None);

    let code = Some("REJ06030".to_owned());
    let rejected = of_payment(EntryKind::ValidationFailure { code });
    let mut desk = Desk::with(TransferState::Pending).await;
    let decided = desk.decide(&[rejected, other]).await;
    assert_eq!(held(&decided.outcomes[1]).0, HoldReason::SecondReturn);
    assert!(decided.marks.is_empty(), "{:?}", decided.marks);
}

#[tokio::test]
async fn an_entry_that_is_addressed_to_another_bank_may_be_dishonored_as_misrouted() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let misrouted = Entry {
        odfi: Some("07200001".to_owned()),
        ..returned(ReturnCode::R01)
    };
    desk.source.ours.odfi_routing = vec!["09100001".to_owned()];
    let decided = desk.decide(&[misrouted]).await;
    assert_eq!(decided.marks[0].ground.code, ReturnCode::R61);
    let why = &decided.marks[0].ground.why;
    assert!(why.contains("ours is 09100001"), "{why}");
}

#[tokio::test]
async fn an_entry_whose_original_another_company_or_bank_sent_is_held() {
    let of_company = |company: &str| {
        let mut entry = returned(ReturnCode::R01);
        entry.keys.company_id = Some(company.to_owned());
        entry
    };
    for (our_bank, company, what) in [
        ("09100001", "1", Some("bank 23138010, but ours is 09100001")),
        ("23138010", "2", Some("company id is 2, but ours is 1")),
        ("23138010", "1", None),
    ] {
        let mut desk = Desk::with(TransferState::Pending).await;
        desk.source.ours.odfi_routing = vec![our_bank.to_owned()];
        desk.source.ours.company_ids = vec!["1".to_owned()];
        let decided = desk.decide(&[of_company(company)]).await;
        match (&decided.outcomes[0], what) {
            (EntryOutcome::Act { .. }, None) => {}
            (EntryOutcome::Hold { hold, .. }, Some(what)) => {
                assert_eq!(hold.reason, HoldReason::IdsContradict);
                assert!(hold.detail.contains(what), "{}", hold.detail);
                assert!(hold.detail.contains("TR1"), "{}", hold.detail);
            }
            (other, _) => panic!("{our_bank} {company}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_entry_that_may_be_about_another_payment_is_no_second_return_of_this_one() {
    let mut desk = Desk::with(TransferState::Succeeded).await;
    desk.append("one", &[returned(ReturnCode::R01)]).await;
    let key = (TransferKeyKind::AchTrace, TRACE.to_owned());
    let mut ours = payment(TransferState::Succeeded);
    ours.individual_id = Some("2217".to_owned());
    desk.lookup.found.insert(key, found(vec![ours]));
    let mut other = returned(ReturnCode::R02);
    other.keys.individual_id = Some("9999".to_owned());
    let decided = desk.decide(&[other]).await;
    assert_eq!(held(&decided.outcomes[0]).0, HoldReason::IdsContradict);
    let codes = decided.marks.iter().map(|mark| mark.ground.code);
    assert!(
        !codes.collect::<Vec<_>>().contains(&ReturnCode::R67),
        "{:?}",
        decided.marks
    );
}

#[tokio::test]
async fn what_is_held_for_another_reason_is_not_called_a_second_return() {
    let mut desk = Desk::with(TransferState::Pending).await;
    desk.append("one", &[returned(ReturnCode::R01)]).await;
    // Nobody may use the code yet.
    let decided = desk.decide(&[returned(ReturnCode::R90)]).await;
    assert_eq!(held(&decided.outcomes[0]).0, HoldReason::UnknownCode);
    assert!(decided.marks.is_empty(), "{:?}", decided.marks);
}

#[tokio::test]
async fn an_entry_that_names_no_payment_or_several_is_held() {
    let mut desk = Desk::with(TransferState::Pending).await;
    let mut stray = returned(ReturnCode::R01);
    stray.keys.original_trace = Some("231380100000002".into());
    let decided = desk.decide(&[stray]).await;
    let (reason, ids) = held(&decided.outcomes[0]);
    assert_eq!((reason, ids.len()), (HoldReason::UnknownTransfer, 0));

    let mut twin = payment(TransferState::Pending);
    twin.id = "TR2".into();
    for found in desk.lookup.found.values_mut() {
        found.transfers.push(twin.clone());
    }
    let decided = desk.decide(&[returned(ReturnCode::R01)]).await;
    let (reason, ids) = held(&decided.outcomes[0]);
    assert_eq!(reason, HoldReason::AmbiguousTransfer);
    assert_eq!(ids, ["TR1", "TR2"]);
}
