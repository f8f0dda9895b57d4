mod limits;

use super::*;
use crate::decision::{Effect, Parties, TransferState, TransferType};
use crate::entry::{Coded, Direction, EntryKind, FilePosition};
use crate::money::Money;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An NSF return in time, from the right bank to the right bank, with nothing wrong.
fn returned(code: ReturnCode) -> Entry {
    let kind = EntryKind::Return {
        code: Coded::Known(code),
        date_of_death: None,
    };
    let mut entry = Entry::new(FilePosition { line: 3, byte: 0 }, kind);
    entry.amount = Some(Money::cents(5_000));
    entry.direction = Direction::Debit;
    entry.sec = Some("PPD".into());
    entry.odfi = Some("23138010".into());
    entry.settlement_date = Some(day("2026-11-17"));
    entry.keys.original_trace = Some("231380100000017".into());
    entry.keys.return_trace = Some("091000010000001".into());
    entry.keys.individual_id = Some("FNX1".into());
    entry.keys.company_id = Some("1234567890".into());
    entry
}

fn debit() -> Transfer {
    Transfer {
        id: "TR1".into(),
        kind: TransferType::Debit,
        state: TransferState::Succeeded,
        in_deposit: None,
        amount: Money::cents(5_000),
        trace_id: "FNX1".into(),
        payment_id: None,
        ach_trace: Some("231380100000017".into()),
        individual_id: None,
        settled_on: Some(day("2026-11-13")),
        parties: Parties::default(),
        unnamed: String::new(),
    }
}

fn prior() -> PriorDecision {
    let mut entry = returned(ReturnCode::R02);
    entry.keys.return_trace = Some("091000010000009".into());
    PriorDecision::on(&entry, "ret_1", Effect::Reverse)
}

fn codes(found: &[DishonorGround]) -> Vec<String> {
    found
        .iter()
        .map(|ground| {
            format!("{} {}", ground.code, ground.fields)
                .trim()
                .to_owned()
        })
        .collect()
}

/// The grounds when all of our side is known.
fn grounds(entry: &Entry, transfer: &Transfer) -> Vec<DishonorGround> {
    let (odfi_routing, company_ids) = (["23138010".to_owned()], ["1234567890".to_owned()]);
    let rules: Vec<MatchRule> = vec!["individual_id:trace_id".parse().unwrap()];
    let ours = Originator {
        odfi_routing: &odfi_routing,
        company_ids: &company_ids,
        rules: &rules,
    };
    dishonorable(entry, Some(transfer), ours, None)
}

#[test]
fn a_return_that_is_right_in_everything_has_no_ground() {
    assert_eq!(grounds(&returned(ReturnCode::R01), &debit()), []);
}

#[test]
fn a_return_that_settled_after_its_deadline_is_untimely() {
    // Original, return, code, and whether it was too late.
    let table = [
        ("2026-11-13", "2026-11-17", ReturnCode::R01, false),
        ("2026-11-13", "2026-11-18", ReturnCode::R01, true),
        // Thanksgiving and a weekend lie between.
        ("2026-11-25", "2026-11-30", ReturnCode::R01, false),
        ("2026-11-25", "2026-12-01", ReturnCode::R01, true),
        // The end of the year.
        ("2026-12-30", "2027-01-04", ReturnCode::R02, false),
        ("2026-12-30", "2027-01-05", ReturnCode::R02, true),
        // Sixty calendar days and the banking day after.
        ("2026-03-02", "2026-05-04", ReturnCode::R10, false),
        ("2026-03-02", "2026-05-05", ReturnCode::R10, true),
        // There is no deadline to miss.
        ("2026-01-02", "2026-11-17", ReturnCode::R06, false),
        ("2026-01-02", "2026-11-17", ReturnCode::R31, false),
    ];
    for (original, settled, code, late) in table {
        let mut entry = returned(code);
        entry.settlement_date = Some(day(settled));
        let transfer = Transfer {
            settled_on: Some(day(original)),
            ..debit()
        };
        let expected: &[&str] = if late { &["R68"] } else { &[] };
        assert_eq!(
            codes(&grounds(&entry, &transfer)),
            expected,
            "{original} {settled} {code}"
        );
    }
}

#[test]
fn an_untimely_return_says_all_its_dates() {
    let mut entry = returned(ReturnCode::R01);
    entry.settlement_date = Some(day("2026-11-20"));
    let found = grounds(&entry, &debit());
    assert_eq!(
        found[0].why,
        "the original settled on 2026-11-13, so R01 was due by 2026-11-17; the return settled on \
         2026-11-20"
    );
    // Thanksgiving (26 November) does not count.
    assert_eq!(found[0].last_day, day("2026-11-30"));
}

#[test]
fn a_return_is_untimely_only_when_both_settlement_dates_are_known() {
    let mut late = returned(ReturnCode::R01);
    late.settlement_date = Some(day("2026-11-20"));
    let mut received_late = returned(ReturnCode::R01);
    received_late.settlement_date = None;
    received_late.received_on = Some(day("2026-11-20"));
    assert_eq!(grounds(&received_late, &debit()), []);

    let unknown = Transfer {
        settled_on: None,
        ..debit()
    };
    assert_eq!(grounds(&late, &unknown), []);
    late.original_date = Some(day("2026-11-13"));
    let found = grounds(&late, &unknown);
    assert_eq!(codes(&found), ["R68"]);
    assert!(found[0].why.contains("(by the file's date)"), "{found:?}");
}

#[test]
fn a_second_return_of_a_payment_is_a_duplicate_and_names_the_first() {
    let (entry, ours) = (returned(ReturnCode::R01), Originator::default());
    let found = dishonorable(&entry, Some(&debit()), ours, Some(&prior()));
    assert_eq!(codes(&found), ["R67"]);
    assert!(
        found[0]
            .why
            .contains("ret_1 (R02, return trace 091000010000009)"),
        "{found:?}"
    );
    assert_eq!(found[0].last_day, day("2026-11-24"));
}

#[test]
fn each_field_that_differs_is_listed_by_its_number() {
    type Spoil = fn(&mut Entry);
    let table: [(Spoil, &str); 6] = [
        (
            |entry| entry.keys.original_trace = Some("231380100000018".into()),
            "R69 02",
        ),
        (|entry| entry.amount = Some(Money::cents(5_001)), "R69 03"),
        (
            |entry| entry.keys.individual_id = Some("FNX2".into()),
            "R69 04",
        ),
        (|entry| entry.direction = Direction::Credit, "R69 05"),
        (
            |entry| entry.keys.company_id = Some("9999999999".into()),
            "R69 06",
        ),
        (
            |entry| {
                entry.amount = Some(Money::cents(1));
                entry.keys.original_trace = Some("231380100000018".into());
                entry.keys.company_id = Some("9999999999".into());
            },
            "R69 02*03*06",
        ),
    ];
    for (spoil, expected) in table {
        let mut entry = returned(ReturnCode::R01);
        spoil(&mut entry);
        assert_eq!(codes(&grounds(&entry, &debit())), [expected]);
    }
}

#[test]
fn an_individual_id_may_be_any_of_several_ids_of_ours() {
    let rules = |texts: &[&str]| -> Vec<MatchRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let (mut entry, transfer) = (returned(ReturnCode::R01), debit());
    entry.keys.individual_id = Some(transfer.id.clone());
    let found = |rules: &[MatchRule]| {
        let ours = Originator {
            odfi_routing: &[],
            company_ids: &[],
            rules,
        };
        dishonorable(&entry, Some(&transfer), ours, None)
    };
    assert_ne!(found(&rules(&["individual_id:trace_id"])), []);
    let both = ["individual_id:trace_id", "individual_id:transfer_id"];
    assert_eq!(found(&rules(&both)), []);
    let unknown = ["individual_id:trace_id", "individual_id:payment_id"];
    assert_eq!(found(&rules(&unknown)), []);
}

#[test]
fn what_is_unknown_or_cannot_be_compared_is_no_wrong_field() {
    type Change = fn(&mut Entry, &mut Transfer);
    let table: [Change; 10] = [
        |entry, _| entry.amount = None,
        // Some systems write capitals.
        |entry, transfer| {
            entry.keys.individual_id = Some("FNX1A".into());
            transfer.trace_id = "fnx1a".into();
        },
        // A returned prenote.
        |entry, _| entry.amount = Some(Money::cents(0)),
        |entry, _| entry.direction = Direction::Unknown,
        |entry, _| entry.keys.individual_id = None,
        |entry, _| entry.keys.company_id = None,
        |entry, transfer| {
            entry.keys.original_trace = Some("231380100000018".into());
            transfer.ach_trace = None;
        },
        // Leading zeros come and go.
        |entry, transfer| {
            entry.odfi = None;
            entry.keys.original_trace = Some("091000010000018".into());
            transfer.ach_trace = Some("91000010000018".into());
        },
        // The field has room for fifteen characters.
        |entry, transfer| {
            entry.keys.individual_id = Some("FNX123456789012".into());
            transfer.trace_id = "FNX1234567890123456".into();
        },
        |entry, transfer| {
            entry.amount = Some(Money::new(4_000, "CAD".parse().unwrap()));
            transfer.kind = TransferType::Other;
        },
    ];
    for (index, change) in table.iter().enumerate() {
        let (mut entry, mut transfer) = (returned(ReturnCode::R01), debit());
        change(&mut entry, &mut transfer);
        assert_eq!(grounds(&entry, &transfer), [], "row {index}");
    }
}

#[test]
fn a_return_for_another_bank_is_misrouted() {
    let own = ["23138010".to_owned(), "09100002".to_owned()];
    let known = Originator {
        odfi_routing: &own,
        ..Originator::default()
    };
    // The bank it is addressed to, the bank of the original trace, whether our routing numbers
    // are configured, and whether it is misrouted.
    let table = [
        ("23138010", "23138010", true, false),
        ("23138010", "09100002", true, false),
        ("12100035", "12100035", true, true),
        ("23138010", "12100035", true, true),
        ("12100035", "12100035", false, false),
        ("12100035", "23138010", false, true),
    ];
    for (addressed, originated, configured, misrouted) in table {
        let mut entry = returned(ReturnCode::R01);
        entry.odfi = Some(addressed.into());
        entry.keys.original_trace = Some(format!("{originated}0000017"));
        let ours = if configured {
            known
        } else {
            Originator::default()
        };
        let expected: &[&str] = if misrouted { &["R61"] } else { &[] };
        let found = dishonorable(&entry, None, ours, None);
        assert_eq!(
            codes(&found),
            expected,
            "{addressed} {originated} {configured}"
        );
    }
}

#[test]
fn a_trace_that_names_no_bank_and_an_entry_without_one_are_not_misrouted() {
    let mut entry = returned(ReturnCode::R01);
    entry.keys.original_trace = Some("ABC-1".into());
    assert_eq!(dishonorable(&entry, None, Originator::default(), None), []);
    entry.keys.original_trace = Some("121000350000017".into());
    entry.odfi = None;
    assert_eq!(dishonorable(&entry, None, Originator::default(), None), []);
}

#[test]
fn the_strongest_ground_comes_first() {
    let mut entry = returned(ReturnCode::R01);
    entry.odfi = Some("12100035".into());
    entry.amount = Some(Money::cents(1));
    entry.settlement_date = Some(day("2026-11-20"));
    let found = dishonorable(
        &entry,
        Some(&debit()),
        Originator::default(),
        Some(&prior()),
    );
    assert_eq!(codes(&found), ["R61", "R67", "R68", "R69 03"]);
    assert!(
        found
            .iter()
            .all(|ground| ground.last_day == found[0].last_day)
    );
}

/// A return of our own reversal is compared with the payment in nothing. Only a debit that takes
/// back a credit may leave the receiver with money, and a person finds out.
#[test]
fn the_return_of_our_reversal_is_at_most_something_to_check() {
    let mut entry = returned(ReturnCode::R01);
    entry.entry_description = Some("REVERSAL".into());
    entry.settlement_date = Some(day("2026-11-27"));
    entry.direction = Direction::Credit;
    entry.amount = Some(Money::cents(4_000));
    assert_eq!(grounds(&entry, &debit()), []);
    entry.direction = Direction::Debit;
    let found = grounds(&entry, &debit());
    assert_eq!(codes(&found), ["R62"]);
    assert!(found[0].why.contains("a person must check"));
    entry.entry_description = Some("PAYMENT".into());
    assert_eq!(codes(&grounds(&entry, &debit())), ["R68", "R69 03"]);
}
