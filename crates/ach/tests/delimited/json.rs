//! Records of JSON, in an array, one after the other, or deep in an answer.

use ach::entry::Direction;
use ach::format::Emptiness;
use ach::format::delimited::Profile;

use crate::parsed::{profile, read};

fn json(more: &str) -> Profile {
    profile(&format!(
        r#"
        name = "returns_json"
        syntax = "json"
        amount_unit = "minor"
        date_formats = ["%Y-%m-%d"]
        {more}
        [columns]
        original_trace = ["original_trace_number", "trace"]
        individual_id = "individual.id"
        code = "return.code"
        description = "return.reason"
        amount = "amount"
        direction = "type"
        settlement_date = "settled_on"
        [directions]
        debit = "debit"
        credit = "credit"
        "#
    ))
}

const ARRAY: &str = r#"[
  {"original_trace_number": "083400120000973", "return": {"code": "R01", "reason": "NSF"},
   "amount": 12345, "type": "debit", "individual": {"id": "MRP-1"}, "settled_on": "2026-07-06"},
  {"type": "credit", "amount": 5000, "original_trace_number": 83400120000974,
   "return": {"code": "R23"}, "note": null, "settled_on": "2026-07-06T10:00:00Z"}
]"#;

#[test]
fn an_array_of_objects_gives_an_entry_each_with_keys_in_any_order() {
    let parsed = read(ARRAY.as_bytes(), &json(""));
    assert_eq!(parsed.file_rejected, None);
    assert_eq!(parsed.rejected, []);
    let [first, second] = &parsed.entries[..] else {
        panic!("{parsed:?}")
    };
    assert_eq!(first.kind.code().unwrap().0, "R01");
    assert_eq!(first.amount.unwrap().minor(), 12_345);
    assert_eq!(first.keys.individual_id.as_deref(), Some("MRP-1"));
    assert_eq!(first.description.as_deref(), Some("NSF"));
    assert_eq!(second.direction, Direction::Credit);
    // A number keeps its digits, and the zero in front is put back.
    assert_eq!(
        second.keys.original_trace.as_deref(),
        Some("083400120000974")
    );
    assert_eq!(second.keys.individual_id, None);
    assert_eq!((first.at.line, second.at.line), (1, 2));
}

#[test]
fn objects_that_stand_one_after_the_other_are_records() {
    let lines = "{\"trace\":\"083400120000973\",\"return\":{\"code\":\"R01\"},\"amount\":1,\"type\":\"debit\"}\n\
                 {\"trace\":\"083400120000974\",\"return\":{\"code\":\"R02\"},\"amount\":2,\"type\":\"debit\"}\n";
    let parsed = read(lines.as_bytes(), &json(""));
    assert_eq!(parsed.file_rejected, None);
    assert_eq!(parsed.summary.debit_minor, 3);
}

#[test]
fn records_are_found_by_the_keys_on_the_way_to_them() {
    let answer = format!(
        r#"{{"meta": {{"count": [2, {{"data": 1}}]}}, "data": {{"page": 1, "returns": {ARRAY}, "next": null}}}}"#
    );
    let parsed = read(answer.as_bytes(), &json("records = \"data.returns\""));
    assert_eq!(parsed.file_rejected, None);
    assert_eq!(parsed.entries.len(), 2);
    let why = read(ARRAY.as_bytes(), &json("records = \"data.returns\""));
    assert!(
        why.file_rejection()
            .why
            .contains("no object with data.returns")
    );
    let why = read(&b"{\"data\": {}}"[..], &json("records = \"data.returns\""));
    assert!(why.file_rejection().why.contains("has no data.returns"));
}

#[test]
fn a_file_that_is_cut_off_anywhere_in_its_array_is_rejected() {
    for end in 1..ARRAY.len() {
        let parsed = read(&ARRAY.as_bytes()[..end], &json(""));
        assert!(parsed.file_rejected.is_some(), "cut at {end}");
    }
}

#[test]
fn a_key_that_no_record_has_rejects_the_file_and_one_that_a_record_lacks_only_that_record() {
    let renamed = ARRAY.replace("\"amount\"", "\"amt\"");
    let why = read(renamed.as_bytes(), &json(""));
    let why = &why.file_rejection().why;
    assert!(why.contains("amount (amount)"), "{why}");
    let one = ARRAY.replacen("\"code\": \"R01\", ", "", 1);
    let parsed = read(one.as_bytes(), &json(""));
    let rejection = parsed.rejection();
    assert_eq!(rejection.field.as_deref(), Some("return.code"));
    assert_eq!(parsed.entries.len(), 1);
}

#[test]
fn a_key_that_stands_twice_in_a_record_makes_it_unreadable() {
    let twice = ARRAY.replacen("\"amount\": 12345", "\"amount\": 12345, \"AMOUNT\": 1", 1);
    let parsed = read(twice.as_bytes(), &json(""));
    assert!(parsed.rejection().why.contains("twice"), "{parsed:?}");
    let twice = ARRAY.replacen("\"amount\": 5000", "\"amount\": 5000, \"amount\": 1", 1);
    let parsed = read(twice.as_bytes(), &json(""));
    assert!(parsed.rejection().why.contains("twice"), "{parsed:?}");
}

#[test]
fn what_is_no_json_is_called_by_its_name_and_wrong_syntax_by_its_place() {
    let why = |text: &str| {
        read(text.as_bytes(), &json(""))
            .file_rejection()
            .why
            .clone()
    };
    assert!(why("<?xml version=\"1.0\"?><a/>").contains("it is XML"));
    assert!(why("[{\"a\": 1} {\"a\": 2}]").contains("line 1, column 11: missing comma"));
    assert!(why("id,code\n1,R01\n").contains("not valid JSON"));
    assert!(why("[1, 2]").contains("a record is no object"));
    assert!(why("\"returns\"").contains("neither objects nor an array"));
    let deep = format!("[{{\"a\": {}1{}}}]", "[".repeat(40), "]".repeat(40));
    assert!(why(&deep).contains("32 deep"));
    let long = format!("[{{\"a\": \"{}\"}}]", "x".repeat(2 << 20));
    assert!(why(&long).contains("1 MiB"));
    assert!(why("[{\"a\": \"\u{0}\"}]").contains("control character"));
}

#[test]
fn a_file_without_records_is_empty_in_its_own_way() {
    let emptiness = |text: &str| read(text.as_bytes(), &json("")).summary.emptiness;
    assert_eq!(emptiness("[]"), Some(Emptiness::HeaderOnly));
    assert_eq!(emptiness(" \n"), Some(Emptiness::NoBytes));
    assert_eq!(emptiness(""), Some(Emptiness::NoBytes));
}

#[test]
fn an_account_number_in_any_key_is_hidden() {
    let text = r#"[{"trace": "083400120000973", "return": {"code": "R01"}, "amount": 1, "type": "debit",
        "bank": {"account_number": "123456789012"}}]"#;
    let parsed = read(text.as_bytes(), &json("raw = true"));
    let raw = format!("{:?}", parsed.entry().raw);
    assert!(
        raw.contains("***9012") && !raw.contains("123456789012"),
        "{raw}"
    );
}

#[test]
fn keys_of_delimited_files_are_faults_in_a_profile_of_json() {
    let text = r#"
        name = "wrong"
        syntax = "json"
        delimiter = "|"
        header = false
        sheet = "x"
        amount_unit = "minor"
        [columns]
        payment_id = 1
        code = "code"
        amount = "amount"
        [trailer]
        first_cell = ["T"]
    "#;
    let profile: Profile = toml::from_str(text).unwrap();
    let keys: Vec<String> = profile.validate().into_iter().map(|(key, _)| key).collect();
    for key in [
        "delimiter",
        "header",
        "sheet",
        "trailer",
        "columns.payment_id",
    ] {
        assert!(keys.iter().any(|one| one == key), "{key}: {keys:?}");
    }
}
