//! What entries say: codes, stages, corrections, dates and the layouts of entry classes.

use ach::code::{CorrectionCode, ReturnCode};
use ach::entry::{Coded, Corrected, Entry, EntryKind};
use ach::format::Emptiness;
use ach::format::nacha::Tolerance;
use chrono::NaiveDate;

use crate::parsed::ParsedFile;

fn date(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

#[test]
fn every_field_of_a_return_is_filled() {
    let outcome = ParsedFile::of_file("plain.ach");
    let entry = &outcome.entries[1];
    assert_eq!((entry.at.line, entry.at.byte), (5, 380));
    assert_eq!(
        entry.keys.original_trace.as_deref(),
        Some("061000050000002")
    );
    assert_eq!(entry.keys.return_trace.as_deref(), Some("071000300000002"));
    assert_eq!(entry.keys.individual_id.as_deref(), Some("CUST000002"));
    assert_eq!(entry.keys.company_id.as_deref(), Some("1452036987"));
    assert_eq!(entry.sec.as_deref(), Some("WEB"));
    assert_eq!(entry.odfi.as_deref(), Some("06100005"));
    assert_eq!(entry.entry_description.as_deref(), Some("FRUIT"));
    assert_eq!(entry.company_name.as_deref(), Some("ORCHARD SUPPLY"));
    assert_eq!(entry.description.as_deref(), Some("ACCOUNT NOT FOUND"));
    assert_eq!(entry.settlement_date, date("2026-07-03"));
    assert_eq!(entry.original_date, date("2026-07-02"));
    assert_eq!(entry.account_tail.as_ref().unwrap().to_string(), "***0777");
    assert_eq!(entry.original_amount, None);
}

#[test]
fn no_account_number_is_left_in_what_was_read() {
    for name in [
        "plain.ach",
        "corrections.ach",
        "international.ach",
        "stages.ach",
    ] {
        let outcome = ParsedFile::of_file(name);
        let json = serde_json::to_string(&outcome.entries).unwrap();
        let findings = serde_json::to_string(&outcome.summary).unwrap();
        for number in ["987654321012", "555000777", "11223344", "20201555555555"] {
            assert!(
                !json.contains(number) && !findings.contains(number),
                "{name}: {number}"
            );
        }
    }
}

#[test]
fn a_returned_prenote_has_the_amount_zero() {
    let outcome = ParsedFile::of_file("prenote.ach");
    assert_eq!(outcome.lines(), ["3 return R04 debit 0 061000050000001"]);
    assert_eq!(outcome.entries[0].keys.individual_id, None);
    assert_eq!(outcome.rejected, []);
}

#[test]
fn codes_that_the_table_does_not_have_are_kept_as_text() {
    let outcome = ParsedFile::of_file("unknown_codes.ach");
    let lines = outcome.lines();
    assert_eq!(
        lines,
        [
            "3 return R97 debit 12354 061000050000001",
            "5 return X01 debit 100 061000050000002",
            "7 dishonored R66 debit 7 061000050000003",
            "11 correction C78 debit 0 061000050000004",
        ]
    );
    let unknown = |entry: &Entry| matches!(entry.kind.code(), Some((_, false)));
    assert_eq!(
        outcome.entries.iter().map(unknown).collect::<Vec<_>>(),
        [true, true, false, true]
    );
}

#[test]
fn codes_of_the_original_entry_give_the_direction_too() {
    let outcome = ParsedFile::of_file("forward_codes.ach");
    let directions: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| e.direction.as_str())
        .collect();
    assert_eq!(directions, ["debit", "credit", "debit", "debit", "unknown"]);
    assert_eq!(outcome.findings(), ["unknown transaction codes"]);
    assert_eq!(outcome.summary.unknown_minor, 3);
    assert_eq!(outcome.file_rejected, None);
}

#[test]
fn days_of_the_year_get_the_year_that_fits_the_file() {
    let outcome = ParsedFile::of_file("dates.ach");
    let dates: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| (e.settlement_date, e.original_date))
        .collect();
    assert_eq!(
        dates,
        [
            (date("2025-12-30"), date("2025-12-30")),
            (date("2026-01-05"), date("2026-01-02")),
            (None, None),
            (None, None),
        ]
    );
    let deaths: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| match &entry.kind {
            EntryKind::Return { date_of_death, .. } => *date_of_death,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(deaths, [date("2025-12-01"), date("1999-12-31"), None, None]);
    assert_eq!(outcome.findings(), ["unreadable dates"]);
    assert_eq!(outcome.summary.findings[0].count, 2);
}

#[test]
fn each_stage_that_follows_an_entry_is_an_entry_of_its_own() {
    let outcome = ParsedFile::of_file("stages.ach");
    assert_eq!(
        outcome.lines(),
        [
            "3 return R07 debit 12354 061000050000001",
            "5 dishonored R68 debit 12354 061000050000001",
            "6 contested R71 debit 12354 061000050000001",
        ]
    );
    assert_eq!(
        outcome.entries[0].description.as_deref(),
        Some("AUTHORIZATION REVOKED")
    );
    let dishonored = &outcome.entries[1];
    assert_eq!(
        dishonored.keys.return_trace.as_deref(),
        Some("071000300000501")
    );
    assert_eq!(dishonored.description.as_deref(), Some("UNTIMELY RETURN"));
    assert_eq!(
        dishonored.kind,
        EntryKind::Dishonored {
            code: Coded::Known(ReturnCode::R68),
            return_code: Some(Coded::Known(ReturnCode::R07)),
            return_settled_on: date("2026-06-29"),
        }
    );
    let contested = &outcome.entries[2];
    assert_eq!(
        contested.keys.return_trace.as_deref(),
        Some("071000300000501")
    );
    assert_eq!(
        contested.kind,
        EntryKind::Contested {
            code: Coded::Known(ReturnCode::R71),
            return_code: Some(Coded::Known(ReturnCode::R07)),
            dishonor_code: Some(Coded::Known(ReturnCode::R68)),
            dishonor_trace: Some("061000050000901".into()),
            return_settled_on: date("2026-06-26"),
        }
    );
}

#[test]
fn dishonored_and_contested_returns_are_recognized_by_their_codes() {
    let outcome = ParsedFile::of_file("dishonored_and_contested.ach");
    let kinds: Vec<_> = outcome.entries.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds[..7], ["dishonored"; 7]);
    assert_eq!(kinds[7..], ["contested"; 3]);
    assert_eq!(outcome.entries[0].description.as_deref(), Some("01*03*06"));
}

#[test]
fn international_entries_have_their_own_layout() {
    let outcome = ParsedFile::of_file("international.ach");
    assert_eq!(
        outcome.lines(),
        [
            "3 return R16 debit 15050 061000050000001",
            "14 correction C01 debit 0 061000050000002"
        ]
    );
    let returned = &outcome.entries[0];
    assert_eq!(returned.original_amount.unwrap().minor(), 14900);
    assert_eq!(returned.description.as_deref(), Some("ACCOUNT FROZEN"));
    assert_eq!(
        returned.account_tail.as_ref().unwrap().to_string(),
        "***7890"
    );
    assert_eq!(returned.keys.individual_id.as_deref(), Some("CUST77"));
    assert_eq!(
        outcome.entries[1].keys.individual_id.as_deref(),
        Some("CUST77")
    );
    assert_eq!(
        (returned.sec.as_deref(), returned.company_name.as_deref()),
        (Some("IAT"), None)
    );
    let EntryKind::Correction { corrected, .. } = &outcome.entries[1].kind else {
        panic!()
    };
    assert_eq!(corrected[0].to_string(), "***4321");
    assert!(matches!(corrected[0], Corrected::Account(_)));
}

#[test]
fn the_individual_id_stands_where_its_class_puts_it() {
    let ids = |name| {
        let outcome = ParsedFile::of_file(name);
        outcome
            .entries
            .into_iter()
            .map(|e| e.keys.individual_id.unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("name_first.ach"), ["MEMBER-22-LONG-ID-0099", "CARD 7"]);
    assert_eq!(ids("corporate.ach"), ["INV-2026-000017"]);
}

#[test]
fn entries_that_are_not_returns_are_left_out_but_counted() {
    let outcome = ParsedFile::of_file("consolidated.ach");
    assert_eq!(
        outcome.lines(),
        ["6 return R01 debit 12354 061000050000003"]
    );
    assert_eq!(outcome.findings(), ["entries that are not returns"]);
    assert_eq!(outcome.summary.findings[0].count, 3);
    let lines = ParsedFile::of_file("return_with_payment_addenda.ach").lines();
    assert_eq!(lines, ["3 return R01 debit 12354 061000050000001"]);
}

#[test]
fn accounting_entries_are_never_read_as_returns() {
    let outcome = ParsedFile::of_file("accounting.ach");
    assert_eq!(outcome.lines(), Vec::<String>::new());
    assert_eq!(outcome.findings(), ["accounting entries (ADV)"]);
    assert_eq!(
        (outcome.summary.findings[0].count, outcome.summary.emptiness),
        (2, Some(Emptiness::LeftOut))
    );
}

#[test]
fn corrected_data_is_taken_apart_by_its_code() {
    let outcome = ParsedFile::of_file("corrections.ach");
    let shown: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| match &entry.kind {
            EntryKind::Correction { code, corrected } => in_short(&code.to_string(), corrected),
            EntryKind::RefusedCorrection {
                code,
                refused,
                corrected,
            } => {
                let refused = refused.as_ref().unwrap();
                in_short(&format!("{code} of {refused}"), corrected)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "C02: 071000301",
            "C03: 071000301 ***6677",
            "C03: 071000301 ***6677",
            "C04: PAT HILL",
            "C05: 37",
            "C06: ***6677 37",
            "C06: ***3344 37",
            "C06: ***3344 S",
            "C07: 071000301 ***7188 37",
            "C07: 071000301 ***3344 27",
            "C07: 071000301 ***3344 C",
            "C09: CUST-17",
            "C13: ",
            "C14: IAT",
            "C61 of C01: ***3344",
            "C64 of C02: 071000301",
            "C65 of C9X: ***1",
        ]
    );
    assert_eq!(outcome.findings(), ["corrections without data"]);
    assert!(
        outcome
            .entries
            .iter()
            .all(|entry| entry.description.is_none())
    );
    let EntryKind::RefusedCorrection { code, refused, .. } = &outcome.entries[14].kind else {
        panic!()
    };
    assert_eq!(code.known(), Some(CorrectionCode::C61));
    assert_eq!(refused.as_ref().unwrap().known(), Some(CorrectionCode::C01));
}

fn in_short(code: &str, corrected: &[Corrected]) -> String {
    let parts: Vec<_> = corrected.iter().map(ToString::to_string).collect();
    format!("{code}: {}", parts.join(" "))
}

#[test]
fn a_correction_moves_no_money_whatever_its_amount() {
    let outcome = ParsedFile::of_file("correction_with_amount.ach");
    assert_eq!(
        outcome.lines(),
        ["3 correction C02 credit 0 061000050000001"]
    );
    assert_eq!(outcome.findings(), ["corrections with an amount"]);
}

fn changed(name: &str, from: &str, to: &str) -> ParsedFile {
    let text = String::from_utf8(crate::parsed::file(name)).unwrap();
    assert!(text.contains(from) && from.len() == to.len(), "{from}");
    ParsedFile::of(
        text.replace(from, to).as_bytes(),
        Tolerance::default().without_controls(),
    )
}

#[test]
fn zeros_for_the_original_amount_of_an_international_return_give_none() {
    let outcome = changed("international.ach", "0000014900", "0000000000");
    let returned = &outcome.entries[0];
    assert_eq!(returned.original_amount, None);
    assert_eq!(returned.amount.unwrap().minor(), 15_050);
    assert!(!returned.is_prenote());
}

#[test]
fn a_dishonor_that_does_not_name_the_return_s_trace_has_none() {
    let named = "07100030   071000300000501";
    let outcome = changed("stages.ach", named, "07100030                  ");
    let traces: Vec<Option<&str>> = outcome
        .entries
        .iter()
        .map(|entry| entry.keys.return_trace.as_deref())
        .collect();
    assert_eq!(traces[..2], [Some("071000300000001"), None]);
}
