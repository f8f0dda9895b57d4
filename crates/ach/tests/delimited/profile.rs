//! The profile as configuration: its keys, its defaults and its faults.

use ach::format::delimited::{Field, Profile};

use crate::parsed::{SMALL, read_rows, small};

#[test]
fn an_unknown_key_is_rejected_in_every_table() {
    for toml in [
        "nmae = \"x\"",
        "[columns]\npaymentid = \"x\"",
        "[trailer]\ncounts = 2",
        "[record_types]\nfooter = []",
        "[row_filter]\nstarts_with = [\"x\"]\nends_with = [\"x\"]",
        "delimiter = \"a\"",
        "encoding = \"latin\"",
        "kind = \"chargebacks\"",
        "amount_unit = \"cents\"",
        "directions = { X = \"out\" }",
        "currency = \"dollars\"",
    ] {
        assert!(toml::from_str::<Profile>(toml).is_err(), "{toml}");
    }
    let error = toml::from_str::<Profile>("[columns]\npaymentid = \"x\"")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("payment_id"),
        "it lists what there is: {error}"
    );
}

#[test]
fn a_profile_is_read_from_json_too() {
    let json = r#"{"name": "x", "header": false, "columns": {"payment_id": 1, "code": 2}}"#;
    let profile: Profile = serde_json::from_str(json).unwrap();
    assert_eq!(profile.validate(), []);
    assert!(profile.quoting);
}

#[test]
fn every_field_can_be_named_in_a_profile() {
    for field in Field::ALL {
        let toml = format!("[columns]\n{} = \"x\"", field.as_str());
        let profile: Profile = toml::from_str(&toml).unwrap();
        assert!(profile.columns.contains_key(field), "{field}");
    }
}

#[test]
fn all_faults_are_reported_together() {
    let toml = r#"
        required = ["amount"]
        date_formats = ["%m/%d/%Y", "%d/%m/%Y", "MM/dd/yyyy"]
        validation_codes = ["R#*", "*"]
        code_map = { x1 = "R01", "2101" = "R99" }
        no_records = ["*"]
        width = 3
        trailer = { total = 0 }
        pad = { order_id = 0 }
        masked = [[]]
        keep_apostrophes = ["order_id"]
        blank_code_is_validation_failure = true
        directions = { " " = "debit" }
        row_filter = { column = 0, starts_with = [""] }
        record_types = { header = ["H"], ignored = ["h"] }
        [columns]
        case_id = ["Case", " "]
    "#;
    let profile: Profile = toml::from_str(toml).unwrap();
    let keys: Vec<String> = profile.validate().into_iter().map(|(key, _)| key).collect();
    for key in [
        "name",
        "required",
        "columns.case_id",
        "columns.code",
        "columns",
        "date_formats",
        "validation_codes",
        "code_map.x1",
        "code_map.2101",
        "no_records",
        "width",
        "trailer.first_cell",
        "trailer.total",
        "pad.order_id",
        "masked",
        "keep_apostrophes",
        "blank_code_is_validation_failure",
        "directions",
        "row_filter.column",
        "row_filter.starts_with",
        "record_types",
        "record_types.detail",
    ] {
        assert!(
            keys.iter().any(|found| found == key),
            "{key} is not among {keys:?}"
        );
    }
}

/// The faults of the small profile with more keys before its tables and more columns.
fn faults(more: &str, columns: &str) -> Vec<String> {
    let profile: Profile = toml::from_str(&format!("{more}\n{SMALL}\n{columns}")).unwrap();
    profile.validate().into_iter().map(|(key, _)| key).collect()
}

#[test]
fn each_fault_is_seen_alone() {
    let cases = [
        ("", "direction = \"type\"", "directions"),
        ("", "record_type = \"type\"", "record_types"),
        ("header = false", "", "columns.payment_id"),
        ("", "order_id = 2000", "columns.order_id"),
        (
            "kind = \"returns\"\nblank_code_is_validation_failure = true",
            "",
            "blank_code_is_validation_failure",
        ),
        (
            "trailer = { first_cell = [\"\"] }",
            "",
            "trailer.first_cell",
        ),
    ];
    for (more, columns, key) in cases {
        let found = faults(more, columns);
        assert!(found.iter().any(|fault| fault == key), "{key}: {found:?}");
    }
    let by_number = "name = \"x\"\nheader = false\nwidth = 2\n[columns]\npayment_id = 1\ncode = 3";
    let profile: Profile = toml::from_str(by_number).unwrap();
    assert_eq!(profile.validate()[0].0, "width");
    for (without, key) in [
        ("amount_unit = \"major\"", "amount_unit"),
        ("date_formats = [\"%m/%d/%Y\"]", "date_formats"),
    ] {
        let profile: Profile = toml::from_str(&SMALL.replace(without, "")).unwrap();
        assert_eq!(profile.validate()[0].0, key);
    }
}

#[test]
fn a_validation_failures_file_needs_no_code() {
    let toml = SMALL.replace("code = \"code\"", "");
    let profile: Profile =
        toml::from_str(&format!("kind = \"validation_failures\"\n{toml}")).unwrap();
    assert_eq!(profile.validate(), []);
    let outcome = read_rows("a,,1.00,,Invalid Bank Routing Number\n", &profile);
    assert_eq!(outcome.entry().kind.as_str(), "validation_failure");
    assert_eq!(outcome.entry().kind.code(), None);
}

#[test]
fn a_profile_with_faults_rejects_the_file() {
    let mut profile = small("");
    profile.amount_unit = None;
    let outcome = read_rows("a,R01,1.00,,\n", &profile);
    assert!(
        outcome.file_rejection().why.contains("amount_unit: set"),
        "{}",
        outcome.file_rejection()
    );
    assert_eq!(outcome.entries.len(), 0);
}
