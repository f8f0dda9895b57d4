use ach::entry::KeyField;
use ach::format::{Emptiness, Format, x12};

use crate::{check_cuts, check_damage, read};

fn format() -> Format {
    Format::X12(Box::default())
}

const HEADER: &str = "ISA*00*          *00*          *01*083400120      *12*5635551234     *261120*0710*U*00401*000000071*0*P*>~\n";

/// An interchange with these transaction sets.
fn interchange(sets: &[&str]) -> String {
    let body = sets.concat();
    let count = sets.len();
    format!(
        "{HEADER}GS*FR*083400120*5635551234*20261120*0710*71*X*004010~\n{body}GE*{count}*71~\nIEA*1*000000071~\n"
    )
}

/// The standard's own layout.
const STANDARD: &str = "ST*827*0001~RIC*R01*123.45*D*4410099001*DA*01*083400122~CUR*PR*USD~\
                        TRN*1*083400120000777~TRN*2*083400120000995~REF*TN*MRP-111~DTM*007*20261118~\
                        NTE*ZZZ*NOT SUFFICIENT FUNDS 4410099001~SE*9*0001~\n";
/// As banks write it: with a payment method and a qualifier before the code.
const OF_BANKS: &str = "ST*827*0002~\nRIC*ACH*60*R23*50*C*4410099002*DA*01*083400122~\n\
                        TRN*2*083400120000996~\nSE*4*0002~\n";

#[test]
fn each_notice_is_an_entry_in_the_layout_of_the_standard_and_in_that_of_banks() {
    let parsed = read(&format(), &interchange(&[STANDARD, OF_BANKS]));
    assert_eq!(
        parsed.rows(),
        [
            ("R01".to_owned(), 12_345, "debit"),
            ("R23".to_owned(), 5_000, "credit"),
        ]
    );
    let first = &parsed.entries[0];
    assert_eq!(
        first.keys.original_trace.as_deref(),
        Some("083400120000995")
    );
    assert_eq!(first.keys.return_trace.as_deref(), Some("083400120000777"));
    assert_eq!(first.keys.order_id.as_deref(), Some("MRP-111"));
    assert_eq!(first.original_date.unwrap().to_string(), "2026-11-18");
    assert_eq!(first.account_tail.as_ref().unwrap().to_string(), "***9001");
    let said = format!("{parsed:?}");
    assert!(
        !said.contains("4410099001") && !said.contains("4410099002"),
        "{said}"
    );
    // The number of the segment.
    assert_eq!(first.at.line, 4);
}

#[test]
fn other_marks_and_several_interchanges_are_read() {
    let other = interchange(&[OF_BANKS])
        .replace('*', "|")
        .replace('~', "\u{1c}");
    let both = format!("{}{other}", interchange(&[STANDARD]));
    assert_eq!(read(&format(), &both).rows().len(), 2);
}

#[test]
fn a_reference_is_the_id_that_the_profile_says() {
    let profile = x12::Profile {
        references: [("TN".to_owned(), KeyField::PaymentId)].into(),
        code_map: [("R01".to_owned(), "R09".to_owned())].into(),
    };
    let parsed = read(&Format::X12(Box::new(profile)), &interchange(&[STANDARD]));
    assert_eq!(
        parsed.entries[0].keys.payment_id.as_deref(),
        Some("MRP-111")
    );
    assert_eq!(parsed.rows()[0].0, "R09");
}

#[test]
fn counts_and_control_numbers_prove_that_nothing_is_missing() {
    let whole = interchange(&[STANDARD, OF_BANKS]);
    for (old, new, said) in [
        ("SE*9*0001", "SE*8*0001", "says \"8\" segments"),
        ("SE*9*0001", "SE*9*0007", "control number"),
        ("GE*2*71", "GE*3*71", "transaction sets"),
        ("IEA*1*", "IEA*2*", "groups"),
        ("GE*2*71~\n", "", "begin"),
        ("ST*827*0002~\n", "", "outside of any"),
    ] {
        let parsed = read(&format(), &whole.replace(old, new));
        assert!(parsed.why().contains(said), "{old}: {}", parsed.why());
    }
    check_cuts(&format(), &whole);
    check_damage(&format(), &interchange(&[OF_BANKS]));
}

#[test]
fn other_sets_are_left_out_and_counted_and_a_notice_without_a_code_is_unreadable() {
    let other = "ST*820*0003~BPR*C*5~SE*3*0003~";
    let parsed = read(&format(), &interchange(&[other]));
    assert_eq!(parsed.summary.emptiness, Some(Emptiness::LeftOut));
    assert_eq!(parsed.summary.left_out, 1);
    let none = "ST*827*0004~TRN*2*1~SE*3*0004~";
    let wrong = "ST*827*0005~RIC*R01*12x*D~SE*3*0005~";
    let parsed = read(&format(), &interchange(&[none, wrong]));
    assert_eq!(parsed.refusal, None);
    let whys: Vec<&str> = parsed.rejected.iter().map(|one| one.why.as_str()).collect();
    assert!(whys[0].contains("no RIC segment"), "{whys:?}");
    assert!(
        whys[1].contains("\"12x\" is not a valid amount"),
        "{whys:?}"
    );
}

#[test]
fn what_is_no_x12_is_called_by_its_name() {
    assert!(read(&format(), "101 0834\n").why().contains("ISA"));
    assert!(read(&format(), "%PDF-1.7").why().contains("PDF"));
    let parsed = read(&format(), "\n");
    assert_eq!(parsed.summary.emptiness, Some(Emptiness::NoBytes));
}
