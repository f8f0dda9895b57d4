//! Codes as text and JSON, when each is in force, and what it means then.

use chrono::NaiveDate;

use super::{
    AccountEffect, CorrectionCode, Initiator, RateCategory, RecommendedAction, ReturnCode,
};
use crate::entry::Direction;

fn date(text: &str) -> NaiveDate {
    text.parse().expect("test date")
}

#[test]
fn seventy_codes_are_in_force_in_2026() {
    let in_force = |day| {
        ReturnCode::ALL
            .iter()
            .filter(|code| code.in_force_on(date(day)))
            .count()
    };
    assert_eq!(in_force("2026-01-01"), 70);
    assert_eq!(in_force("2026-12-31"), 70);
    assert_eq!(in_force("2028-03-16"), 70);
    assert_eq!(in_force("2028-03-17"), 71);
}

#[test]
fn codes_begin_and_end_on_the_day_itself() {
    let cases = [
        (ReturnCode::R62, "2015-03-19", false),
        (ReturnCode::R62, "2015-03-20", true),
        (ReturnCode::R77, "2015-03-19", false),
        (ReturnCode::R77, "2015-03-20", true),
        (ReturnCode::R63, "2006-09-14", true),
        (ReturnCode::R66, "2006-09-15", false),
        (ReturnCode::R90, "2028-03-16", false),
        (ReturnCode::R90, "2028-03-17", true),
    ];
    for (code, day, in_force) in cases {
        assert_eq!(code.in_force_on(date(day)), in_force, "{code} on {day}");
    }
    let in_force = |code: CorrectionCode, day| code.info().validity.on(date(day));
    assert!(in_force(CorrectionCode::C04, "2015-03-19"));
    assert!(!in_force(CorrectionCode::C04, "2015-03-20"));
    assert!(!in_force(CorrectionCode::C10, "2015-03-19"));
}

#[test]
fn r11_is_an_unauthorized_code_only_since_april_2020() {
    let (before, since) = (date("2020-03-31"), date("2020-04-01"));
    assert_eq!(
        ReturnCode::R11.as_of(before).rate_category,
        RateCategory::Other
    );
    assert_eq!(
        ReturnCode::R11.as_of(before).title,
        "Check Truncation Entry Return"
    );
    assert!(ReturnCode::R11.in_force_on(before));
    assert_eq!(ReturnCode::R11.as_of(since), ReturnCode::R11.info());
    assert_eq!(
        ReturnCode::R10.as_of(before).rate_category,
        RateCategory::Unauthorized
    );
}

#[test]
fn r16_loses_sanctions_when_r90_begins() {
    let last = ReturnCode::R16.as_of(date("2028-03-16"));
    let after = ReturnCode::R16.as_of(date("2028-03-17"));
    assert_eq!(last, ReturnCode::R16.info());
    assert_eq!(after.title, "Account Frozen");
    assert_eq!(after.initiated_by, Initiator::Rdfi);
    assert_eq!(after.account_effect, AccountEffect::Block);
}

#[test]
fn a_code_is_unusual_only_for_the_other_direction() {
    let unusual = |code: ReturnCode, direction| code.info().is_unusual_for(direction);
    assert!(unusual(ReturnCode::R01, Direction::Credit));
    assert!(!unusual(ReturnCode::R01, Direction::Debit));
    assert!(unusual(ReturnCode::R23, Direction::Debit));
    assert!(!unusual(ReturnCode::R23, Direction::Credit));
    assert!(!unusual(ReturnCode::R02, Direction::Credit));
    for code in ReturnCode::ALL {
        assert!(!unusual(*code, Direction::Unknown));
    }
}

#[test]
fn only_c61_to_c69_are_refusals() {
    let refusals = CorrectionCode::ALL.iter().filter(|code| code.is_refusal());
    let codes: Vec<&str> = refusals.map(|code| code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "C61", "C62", "C63", "C64", "C65", "C66", "C67", "C68", "C69"
        ]
    );
}

#[test]
fn a_row_as_json_carries_the_same_texts_as_as_str() {
    let json = serde_json::to_value(ReturnCode::R11.info()).expect("JSON");
    assert_eq!(json["code"], "R11");
    assert_eq!(json["stage"], "return");
    assert_eq!(
        json["time_frame"],
        serde_json::json!({"kind": "calendar_days", "days": 60})
    );
    let corrected = serde_json::json!({"rule": "new_entry_corrected", "within_days": 60});
    assert_eq!(json["representment"], corrected);
    assert_eq!(json["meaning_since"], "2020-04-01");

    let json = serde_json::to_value(ReturnCode::R90.info()).expect("JSON");
    let from = serde_json::json!({"in_force": "from", "date": "2028-03-17"});
    assert_eq!(json["validity"], from);
    let json = serde_json::to_value(CorrectionCode::C03.info()).expect("JSON");
    assert_eq!(
        json["corrects"],
        serde_json::json!(["routing_number", "account_number"])
    );

    for action in RecommendedAction::ALL {
        let json = serde_json::to_value(action).expect("JSON");
        assert_eq!(json, action.as_str());
    }
    for code in ReturnCode::ALL {
        let json = serde_json::to_value(code.info()).expect("JSON");
        assert_eq!(json["time_frame"]["kind"], code.info().time_frame.as_str());
        assert_eq!(
            json["representment"]["rule"],
            code.info().representment.as_str()
        );
    }
}

#[test]
fn codes_that_the_table_lacks_do_not_parse() {
    for text in [
        "R97", "X01", "2101", "R48", "R00", "C15", "R1", "R011", "", "  ",
    ] {
        let error = text.parse::<ReturnCode>().expect_err("not in the table");
        assert_eq!(error.0, text);
    }
    assert!("C01".parse::<ReturnCode>().is_err());
    assert!("R01".parse::<CorrectionCode>().is_err());
    assert!("C15".parse::<CorrectionCode>().is_err());
}

#[test]
fn lower_case_and_surrounding_blanks_parse() {
    assert_eq!("r01".parse(), Ok(ReturnCode::R01));
    assert_eq!(" R10 ".parse(), Ok(ReturnCode::R10));
    assert_eq!("c07".parse(), Ok(CorrectionCode::C07));
    for code in ReturnCode::ALL {
        assert_eq!(code.to_string().to_ascii_lowercase().parse(), Ok(*code));
    }
}
