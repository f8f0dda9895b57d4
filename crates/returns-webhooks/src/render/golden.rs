//! Every body of every case, byte for byte. What stands in a golden file has been sent to
//! somebody, so a changed file is a broken receiver, unless it has only gained keys. With
//! `ECHECK_REWRITE_GOLDEN=1` the files are rewritten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ach::entry::{Corrected, Entry, EntryKeys, EntryKind};
use returns_model::endpoint::PayloadVersion;
use serde_json::Value;

use crate::event::SCHEMA_VERSION;
use crate::testing::{EventCase, cases};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/golden")
        .join(format!("v{SCHEMA_VERSION}"))
}

fn path(payload_version: &str, event_type: &str, case: &str) -> PathBuf {
    folder()
        .join(payload_version)
        .join(format!("{event_type}.{case}.json"))
}

fn files(under: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

#[test]
fn every_body_is_the_bytes_of_its_golden_file() {
    let rewrite = std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some();
    if rewrite && folder().exists() {
        fs::remove_dir_all(folder()).unwrap();
    }
    let mut written = BTreeSet::new();
    for case in cases(|_| ()) {
        assert_eq!(case.bodies(), case.bodies(), "the same bytes every time");
        for (payload_version, event_type, body) in case.bodies() {
            let path = path(payload_version.as_str(), &event_type, case.name);
            if rewrite {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, format!("{body}\n")).unwrap();
            }
            let golden = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(format!("{body}\n"), golden, "{}", path.display());
            assert!(written.insert(path), "one file for each body");
        }
    }
    assert_eq!(files(&folder()), written, "no golden file is left over");
}

#[test]
fn every_event_type_that_is_sent_may_be_subscribed_to() {
    for case in cases(|_| ()) {
        for (payload_version, event_type, _) in case.bodies() {
            let known = super::event_types(payload_version);
            assert!(known.contains(&event_type.as_str()), "{event_type}");
        }
    }
}

/// Something that looks like an account number, wherever a bank could put it. Cells of the
/// raw row that hold ids in known columns stay: the reader takes the ids from there.
const CANARY: &str = "90817263544536271";

fn poison(entry: &mut Entry) {
    let canary = || Some(CANARY.to_owned());
    entry.keys = EntryKeys {
        original_trace: canary(),
        return_trace: canary(),
        payment_id: canary(),
        order_id: canary(),
        transfer_request_id: canary(),
        case_id: canary(),
        individual_id: canary(),
        check_serial_number: canary(),
        company_id: canary(),
    };
    entry.sec = canary();
    entry.company_name = canary();
    entry.description = Some(format!("account {CANARY} is closed"));
    let spaced = "9081 7263 5445 3627 1";
    for (name, cell) in &mut entry.raw {
        if !super::super::ach_return::PLAIN_CELLS.contains(&name.as_str()) {
            *cell = format!("{CANARY} {spaced}");
        }
    }
    for name in ["Account Number", "acct", "Memo"] {
        entry.raw.push((name.to_owned(), CANARY.to_owned()));
    }
    if let EntryKind::Correction { corrected, .. } = &mut entry.kind {
        let text = || CANARY.to_owned();
        corrected.extend([
            Corrected::Routing(text()),
            Corrected::TransactionCode(text()),
            Corrected::Name(text()),
            Corrected::IndividualId(text()),
            Corrected::ForeignBank(text()),
            Corrected::CompanyName(text()),
            Corrected::CompanyId(text()),
            Corrected::Text(text()),
        ]);
    }
}

#[test]
fn no_body_and_no_kept_fact_has_an_account_number_from_any_field() {
    for case in cases(poison) {
        let bodies = case.bodies().into_iter().map(|(_, _, body)| body);
        for text in bodies.chain([case.new.facts.clone()]) {
            // Five of its digits in a row are more than the last four.
            for start in 0..CANARY.len() - 4 {
                let part = &CANARY[start..start + 5];
                assert!(!text.contains(part), "{}: {text}", case.name);
            }
            assert!(!text.contains("9081 7263"), "{}: {text}", case.name);
        }
    }
}

#[test]
fn no_golden_file_has_a_long_number_outside_of_ids() {
    for path in files(&folder()) {
        let golden = fs::read_to_string(&path).unwrap();
        let mut body: Value = serde_json::from_str(&golden).unwrap();
        if let Some(transfers) = body.pointer_mut("/_embedded/transfers") {
            for transfer in transfers.as_array_mut().unwrap() {
                if let Some(raw) = transfer["raw"].as_object_mut() {
                    raw.retain(|name, _| {
                        !super::super::ach_return::PLAIN_CELLS.contains(&name.as_str())
                    });
                }
            }
        }
        assert!(
            !body.to_string().contains("123456789"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_body_is_small_whatever_a_bank_writes() {
    const LARGEST: usize = 20_000;
    for letter in ["\u{1}", "\"", "€", "A", "9 "] {
        let endless = letter.repeat(3_000);
        let large = cases(|entry| {
            entry.description = Some(endless.clone());
            entry.company_name = Some(endless.clone());
            entry.keys.individual_id = Some(endless.clone());
            entry.keys.order_id = Some(endless.clone());
            entry.raw = (0..100)
                .map(|number| (format!("{number}{endless}"), endless.clone()))
                .collect();
            if let EntryKind::Correction { corrected, .. } = &mut entry.kind {
                corrected.extend((0..100).map(|_| Corrected::Text(endless.clone())));
            }
        });
        for (body, name) in large.iter().flat_map(bodies_with_name) {
            assert!(body.len() < LARGEST, "{name}: {} bytes", body.len());
        }
    }
}

fn bodies_with_name(case: &EventCase) -> Vec<(String, &'static str)> {
    let bodies = case.bodies().into_iter();
    bodies.map(|(_, _, body)| (body, case.name)).collect()
}

#[test]
fn facts_that_this_version_cannot_read_give_no_body_at_all() {
    let case = cases(|_| ()).remove(0);
    let mut record = case.record();
    for facts in [
        "{}",
        r#"{"schema_version":1,"version":1,"what":{"kind":"of_tomorrow"}}"#,
    ] {
        record.new.facts = facts.into();
        for (payload_version, event_type) in &record.new.messages {
            let error = super::body(&record, *payload_version, event_type).unwrap_err();
            assert!(error.to_string().contains(&record.new.event_id), "{error}");
        }
    }
}

#[test]
fn an_older_version_never_sees_returned_and_nobody_sees_what_is_said_of_a_hold_inside() {
    for case in cases(|_| ()) {
        for (payload_version, event_type, body) in case.bodies() {
            let name = format!("{event_type} of {}", case.name);
            if payload_version == PayloadVersion::RainforestLegacy {
                assert!(
                    !super::super::testing::names_returned(&body),
                    "{name}: {body}"
                );
            }
            if event_type.starts_with("ach_hold.") {
                for inside in ["gateway", "journal row", "Pending", "Returned"] {
                    assert!(!body.contains(inside), "{name}: {body}");
                }
            }
        }
    }
}

/// Where a sample belongs in the documentation: the golden file that it shows.
const MARK: &str = "<!-- golden: ";

#[test]
fn the_samples_in_the_documentation_are_the_golden_files() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
    let document = fs::read_to_string(&path).unwrap();
    let mut parts = document.split(MARK);
    let mut shown = parts.next().unwrap().to_owned();
    let mut samples = 0;
    for part in parts {
        let (name, after) = part.split_once(" -->\n").unwrap();
        let after = match after.strip_prefix("\n```json\n") {
            Some(sample) => sample.split_once("\n```\n").unwrap().1,
            None => after,
        };
        let golden = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let sample = serde_json::to_string_pretty(&golden).unwrap();
        shown.push_str(&format!(
            "{MARK}{name} -->\n\n```json\n{sample}\n```\n{after}"
        ));
        samples += 1;
    }
    if std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some() {
        fs::write(&path, &shown).unwrap();
    }
    assert!(samples >= 9, "{samples} samples");
    assert!(
        document == shown || std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some(),
        "docs/webhooks.md differs; rewrite it with ECHECK_REWRITE_GOLDEN=1"
    );
}
