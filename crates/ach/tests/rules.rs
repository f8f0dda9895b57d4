//! `docs/rules.md` names every change of the tables.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, its own functions too"
)]

use std::collections::BTreeSet;
use std::fs;

use ach::code::{CorrectionCode, ReturnCode, ReturnCodeInfo, Validity};
use chrono::{Datelike as _, NaiveDate};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
const BEGIN: &str = "<!-- rules: a test keeps this table equal to the code -->\n";
const END: &str = "<!-- end of rules -->";

/// The days on which the row of a code becomes another, in the years that a file can be of.
fn changes(code: ReturnCode) -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2010, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() < 2035);
    let mut before: Option<&ReturnCodeInfo> = None;
    let mut found = Vec::new();
    for day in days {
        let row = code.as_of(day);
        if before.is_some_and(|before| before != row) {
            found.push(day);
        }
        before = Some(row);
    }
    found
}

fn row(day: &str, code: &str, change: &str) -> String {
    format!("| {day} | {code} | {change} |\n")
}

fn table() -> String {
    let mut rows = BTreeSet::new();
    for code in ReturnCode::ALL {
        for day in changes(*code) {
            let (before, after) = (code.as_of(day.pred_opt().unwrap()), code.as_of(day));
            let mut change = format!("“{}” becomes “{}”", before.title, after.title);
            if before.time_frame != after.time_frame {
                change += &format!(
                    "; the time frame, {}, becomes {}",
                    before.time_frame.as_str().replace('_', " "),
                    after.time_frame.as_str().replace('_', " ")
                );
            }
            if before.rate_category != after.rate_category {
                change += &format!(
                    "; the return rate, {}, becomes {}",
                    before.rate_category, after.rate_category
                );
            }
            rows.insert(row(&day.to_string(), code.as_str(), &change));
        }
        rows.extend(of_validity(code.as_str(), code.info().validity));
    }
    for code in CorrectionCode::ALL {
        rows.extend(of_validity(code.as_str(), code.info().validity));
    }
    let rows: String = rows.into_iter().collect();
    format!("| from | code | what changes |\n|---|---|---|\n{rows}")
}

fn of_validity(code: &str, validity: Validity) -> Option<String> {
    match validity {
        Validity::Always => None,
        Validity::From(day) => Some(row(&day.to_string(), code, "in force from this day on")),
        Validity::Until(day) => Some(row(&day.to_string(), code, "no longer in force")),
        Validity::Never => Some(row("-", code, "no longer in force, since long ago")),
    }
}

#[test]
fn the_document_is_the_table_of_changes() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some() {
        fs::write(DOCUMENT, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, table, "rewrite it with ECHECK_REWRITE_GOLDEN=1");
}

#[test]
fn both_sides_of_each_change_have_their_own_rules() {
    let changed: Vec<(&str, usize)> = ReturnCode::ALL
        .iter()
        .map(|code| (code.as_str(), changes(*code).len()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(changed, [("R11", 1), ("R16", 1)]);
}
