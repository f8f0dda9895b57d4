//! Holds our tables against every row and every column of the reference tables that a
//! machine can read. The prose columns (meaning, notes, source) are not ours.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    AccountKind, Anchor, CorrectionCode, Initiator, RateCategory, Representment, ReturnCode,
    ReturnCodeInfo, ReturnStage, TimeFrame, UsualDirection, Validity,
};
use crate::fixture::{self, Row};

/// The standard entry class codes the reference mentions.
const SECS: [&str; 14] = [
    "ARC", "BOC", "CCD", "CIE", "CTX", "ENR", "IAT", "MTE", "POP", "RCK", "TEL", "TRC", "WEB",
    "XCK",
];

fn date(text: &str) -> NaiveDate {
    text.parse().expect("test date")
}

/// The day the reference was drawn up for.
fn today() -> NaiveDate {
    date("2026-11-01")
}

fn return_rows() -> Vec<(&'static ReturnCodeInfo, Row)> {
    let rows = fixture::rows(include_str!("../../data/return_codes.csv"));
    let with_info = |row: Row| {
        let code: ReturnCode = row["code"].parse().expect("a code of the enum");
        (code.info(), row)
    };
    rows.into_iter().map(with_info).collect()
}

fn codes_where(holds: impl Fn(&ReturnCodeInfo) -> bool) -> Vec<&'static str> {
    let codes = ReturnCode::ALL.iter().filter(|code| holds(code.info()));
    codes.map(|code| code.as_str()).collect()
}

#[test]
fn the_reference_and_the_enums_have_the_same_codes_in_the_same_order() {
    let rows = fixture::rows(include_str!("../../data/return_codes.csv"));
    let codes: Vec<&str> = ReturnCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(rows.len(), 75);
    assert!(rows.iter().map(|row| row["code"].as_str()).eq(codes));

    let rows = fixture::rows(include_str!("../../data/noc_codes.csv"));
    let codes: Vec<&str> = CorrectionCode::ALL
        .iter()
        .map(|code| code.as_str())
        .collect();
    assert_eq!(rows.len(), 23);
    assert!(rows.iter().map(|row| row["code"].as_str()).eq(codes));
}

#[test]
fn each_code_leads_to_its_own_row() {
    for code in ReturnCode::ALL {
        assert_eq!(code.info().code, *code);
        for day in ["2000-01-01", "2020-03-31", "2026-11-01", "2030-01-01"] {
            assert_eq!(code.as_of(date(day)).code, *code);
        }
    }
    for code in CorrectionCode::ALL {
        assert_eq!(code.info().code, *code);
    }
}

#[test]
fn titles_are_the_official_ones_and_meanings_are_our_own() {
    let mut meanings = BTreeSet::new();
    for (info, row) in return_rows() {
        assert_eq!(info.title, row["title"]);
        assert_ne!(info.meaning, row["meaning"]);
        assert!(
            info.meaning.ends_with('.') && info.meaning.len() > 20,
            "{}",
            info.code
        );
        assert!(
            meanings.insert(info.meaning),
            "{} repeats a meaning",
            info.code
        );
    }
}

#[test]
fn stage_and_time_frame_give_the_type_of_return() {
    for (info, row) in return_rows() {
        let expected = match (info.stage, info.time_frame) {
            (ReturnStage::Return, TimeFrame::CalendarDays { .. }) => "EXTENDED_RETURN",
            (ReturnStage::Return, TimeFrame::NextFile) => "REJECT_RETURN",
            (ReturnStage::Return, _) => "RETURN",
            (ReturnStage::Dishonored, _) => "DISHONORED_RETURN",
            (ReturnStage::Contested, _) if info.code == ReturnCode::R74 => "CORRECTED_RETURN",
            (ReturnStage::Contested, _) => "CONTESTED_DISHONORED_RETURN",
        };
        assert_eq!(expected, row["return_type"], "{}", info.code);
    }
}

fn initiator_text(initiator: Initiator) -> &'static str {
    match initiator {
        Initiator::Rdfi => "RDFI",
        Initiator::RdfiOrGateway => "RDFI or Gateway",
        Initiator::AchOperator => "ACH Operator",
        Initiator::FederalAgency => "Federal Government Agency",
        Initiator::Gateway => "Gateway",
        Initiator::Odfi => "ODFI",
    }
}

#[test]
fn initiators_agree_with_the_reference() {
    for (info, row) in return_rows() {
        assert_eq!(
            initiator_text(info.initiated_by),
            row["initiated_by"],
            "{}",
            info.code
        );
    }
}

#[test]
fn time_frames_agree_with_the_reference() {
    for (info, row) in return_rows() {
        let (kind, value, anchor) = match info.time_frame {
            TimeFrame::BankingDays { days, after } => {
                let anchor = match after {
                    Anchor::OriginalSettlement => "original entry settlement date",
                    Anchor::RefusalReceived => "RDFI receipt of receiver's refusal",
                    Anchor::ReturnSettlement => "return entry settlement date",
                    Anchor::DishonorSettlement => "dishonored return settlement date",
                };
                ("BANKING_DAYS", days.to_string(), anchor)
            }
            TimeFrame::CalendarDays { days } => (
                "CALENDAR_DAYS",
                days.to_string(),
                "original entry settlement date",
            ),
            TimeFrame::NextFile => ("NEXT_FILE", String::new(), "processing"),
            TimeFrame::Undefined => ("UNDEFINED", String::new(), ""),
            TimeFrame::Special => ("SPECIAL", String::new(), ""),
            TimeFrame::NotApplicable => ("NONE", String::new(), ""),
        };
        let columns = ["time_frame_kind", "time_frame_value", "time_frame_anchor"];
        assert_eq!(
            [kind, &value, anchor],
            columns.map(|column| row[column].as_str()),
            "{}",
            info.code
        );
    }
}

#[test]
fn each_time_frame_has_one_wording_in_the_reference() {
    let mut wordings: BTreeMap<TimeFrame, BTreeSet<String>> = BTreeMap::new();
    for (info, row) in return_rows() {
        let seen = wordings.entry(info.time_frame).or_default();
        seen.insert(row["time_frame_text"].clone());
    }
    assert!(
        wordings.values().all(|texts| texts.len() == 1),
        "{wordings:?}"
    );
    let distinct: BTreeSet<_> = wordings.values().flatten().collect();
    assert_eq!(
        distinct.len(),
        wordings.len(),
        "two time frames share a wording"
    );
}

#[test]
fn account_kinds_and_written_statements_agree_with_the_reference() {
    for (info, row) in return_rows() {
        let kind = match info.account_kind {
            AccountKind::Any => "Consumer or Non-Consumer",
            AccountKind::Consumer => "Consumer",
            AccountKind::ConsumerOrNamedSecs => "Consumer; for ARC/BOC/IAT/POP may be Non-Consumer",
            AccountKind::NonConsumer => "Non-Consumer",
            AccountKind::NotApplicable => "n/a",
        };
        assert_eq!(kind, row["account_type"], "{}", info.code);
        let statement = if info.written_statement { "yes" } else { "no" };
        assert_eq!(
            statement, row["written_statement_required"],
            "{}",
            info.code
        );
    }
}

fn secs_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| SECS.contains(word) || *word == "TRX")
        .collect()
}

#[test]
fn entry_class_restrictions_name_the_same_classes_with_the_same_sense() {
    for (info, row) in return_rows() {
        let (ours, theirs) = (info.sec_restriction.unwrap_or(""), &row["sec_restriction"]);
        assert_eq!(secs_in(ours), secs_in(theirs), "{}: {ours}", info.code);
        assert_eq!(
            info.sec_restriction.is_none(),
            secs_in(theirs).is_empty(),
            "{}",
            info.code
        );
        let excludes = theirs.contains("except") || theirs.contains("not ");
        assert_eq!(ours.starts_with("not "), excludes, "{}: {ours}", info.code);
    }
}

#[test]
fn rates_agree_with_the_reference() {
    for (info, row) in return_rows() {
        assert_eq!(
            info.rate_category.as_str(),
            row["rate_category"],
            "{}",
            info.code
        );
        let why_not = match (info.rate_category, info.direction) {
            (RateCategory::None, _) => "no",
            (_, UsualDirection::Credits) => "no (credit)",
            (_, UsualDirection::Debits | UsualDirection::Any) => "no (RCK excluded)",
        };
        let counts = if info.counts_in_overall_rate {
            "yes"
        } else {
            why_not
        };
        assert_eq!(counts, row["counts_in_overall_rate"], "{}", info.code);
    }
}

#[test]
fn representment_agrees_with_the_reference() {
    for (info, row) in return_rows() {
        let rule = match info.representment {
            Representment::Allowed { times, within_days } => {
                format!("ALLOWED_{times}X_{within_days}D")
            }
            Representment::WithNewConsent => "WITH_RECEIVER_OK".to_owned(),
            Representment::AfterRemedy => "AFTER_REMEDY".to_owned(),
            Representment::NewEntryCorrected { within_days } => {
                format!("NEW_ENTRY_CORRECTED_{within_days}D")
            }
            Representment::No => "NO".to_owned(),
            Representment::NotApplicable => "N/A".to_owned(),
        };
        assert_eq!(rule, row["representment"], "{}", info.code);
    }
}

#[test]
fn actions_and_account_effects_agree_with_the_reference() {
    for (info, row) in return_rows() {
        let action = info.recommended_action.as_str().to_ascii_uppercase();
        assert_eq!(action, row["recommended_action"], "{}", info.code);
        assert_eq!(
            info.account_effect.as_str(),
            row["account_effect"],
            "{}",
            info.code
        );
    }
}

#[test]
fn status_and_dates_agree_with_the_reference() {
    for (info, row) in return_rows() {
        let status = match info.validity {
            Validity::Always => "IN_FORCE",
            Validity::From(first) if first > today() => "FUTURE",
            Validity::From(_) => "IN_FORCE",
            Validity::Until(_) | Validity::Never => "RETIRED",
        };
        assert_eq!(status, row["status"], "{}", info.code);
        assert_eq!(
            info.code.in_force_on(today()),
            status == "IN_FORCE",
            "{}",
            info.code
        );

        let from = &row["effective_from"];
        let ours = match info.validity {
            Validity::From(first) => Some(first),
            Validity::Always | Validity::Until(_) | Validity::Never => info.meaning_since,
        };
        assert_eq!(ours, from.get(..10).map(date), "{}", info.code);
        assert_eq!(
            info.meaning_since.is_some(),
            from.contains("current meaning")
        );

        let retired = row["notes"]
            .strip_prefix("Retired ")
            .and_then(|note| note.get(..10));
        if let Some(day) = retired {
            assert_eq!(info.validity, Validity::Until(date(day)), "{}", info.code);
        }
        assert_eq!(retired.is_some(), status == "RETIRED", "{}", info.code);
    }
}

#[test]
fn the_unauthorized_and_administrative_codes_are_these_and_no_others() {
    let of = |category| codes_where(|info| info.rate_category == category);
    assert_eq!(
        of(RateCategory::Unauthorized),
        ["R05", "R07", "R10", "R11", "R29", "R51"]
    );
    assert_eq!(of(RateCategory::Administrative), ["R02", "R03", "R04"]);
}

#[test]
fn directions_follow_from_the_reference() {
    let debits = [
        "R01", "R05", "R07", "R08", "R09", "R10", "R11", "R29", "R30", "R33", "R35", "R37", "R38",
        "R39", "R50", "R51", "R52", "R53",
    ];
    assert_eq!(
        codes_where(|info| info.direction == UsualDirection::Debits),
        debits
    );
    assert_eq!(
        codes_where(|info| info.direction == UsualDirection::Credits),
        ["R23", "R36"]
    );
    for (info, row) in return_rows() {
        let says = |word| row["sec_restriction"].contains(word);
        let needs_debit = says("any debit") || info.written_statement;
        assert!(
            !needs_debit || info.direction == UsualDirection::Debits,
            "{}",
            info.code
        );
        assert!(!says("credits only") || info.direction == UsualDirection::Credits);
    }
}

#[test]
fn correction_codes_agree_with_the_reference() {
    for row in fixture::rows(include_str!("../../data/noc_codes.csv")) {
        let code: CorrectionCode = row["code"].parse().expect("a code of the enum");
        let info = code.info();
        assert_eq!(info.title, row["title"]);
        assert!(
            info.meaning.ends_with('.') && info.meaning.len() > 20,
            "{code}"
        );
        assert_eq!(
            initiator_text(info.initiated_by),
            row["initiated_by"],
            "{code}"
        );

        let fields: Vec<&str> = info.corrects.iter().map(|field| field.as_str()).collect();
        let corrects = match (fields.is_empty(), code.is_refusal()) {
            (true, true) => "refusal of a NOC".to_owned(),
            (true, false) => "none (entry posted; addenda unclear)".to_owned(),
            (false, _) => fields.join(","),
        };
        assert_eq!(corrects, row["corrects"], "{code}");

        let status = if info.validity.on(today()) {
            "IN_FORCE"
        } else {
            "RETIRED"
        };
        assert_eq!(status, row["status"], "{code}");
        let deleted = row["notes"].strip_prefix("Deleted from the table ");
        let until = deleted.and_then(|note| note.get(..10)).map(date);
        let ours = match info.validity {
            Validity::Until(end) => Some(end),
            Validity::Always | Validity::From(_) | Validity::Never => None,
        };
        assert_eq!(ours, until, "{code}");
    }
}
