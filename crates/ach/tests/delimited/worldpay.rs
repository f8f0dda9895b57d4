//! The two reports of Worldpay.

use ach::entry::{Direction, EntryKind};
use ach::format::delimited::AmountUnit;
use ach::format::worldpay::{echeck_return, funding_reject};

use crate::parsed::read;

const ECHECK_RETURN: &str = include_str!("echeck_return.csv");
const FUNDING_REJECT: &str = include_str!("funding_reject.csv");

#[test]
fn the_echeck_return_report_is_read() {
    let outcome = read(ECHECK_RETURN.as_bytes(), &echeck_return());
    assert_eq!(
        (outcome.file_rejected.as_ref(), outcome.rejected.len()),
        (None, 0)
    );
    let [first, second] = &outcome.entries[..] else {
        panic!("{outcome:?}")
    };

    assert_eq!(first.kind.code(), Some(("R01".into(), true)));
    assert_eq!(first.amount.unwrap().to_string(), "USD 5.00");
    assert_eq!(first.direction, Direction::Debit);
    assert_eq!(first.keys.case_id.as_deref(), Some("216004321"));
    assert_eq!(first.keys.payment_id.as_deref(), Some("83997656989609888"));
    assert_eq!(first.keys.order_id.as_deref(), Some("FNXa1b2c3"));
    assert_eq!(
        first.keys.original_trace.as_deref(),
        Some("091000010000001")
    );
    assert_eq!(first.keys.return_trace.as_deref(), Some("091000010000777"));
    assert_eq!(first.description.as_deref(), Some("Insufficient Funds"));
    assert_eq!(first.account_tail.as_ref().unwrap().to_string(), "***089");
    assert_eq!(first.company_name.as_deref(), Some("Hill, Dale & Co"));
    let dates = [first.issued_on, first.received_on, first.original_date];
    let dates = dates.map(|date| date.unwrap().to_string());
    assert_eq!(dates, ["2024-01-08", "2024-01-09", "2024-01-05"]);

    assert_eq!(second.amount.unwrap().minor(), 125_075);
    assert_eq!(second.original_date.unwrap().to_string(), "2024-01-05");
    assert_eq!(second.keys.return_trace, None);
    let summary = &outcome.summary;
    assert_eq!(summary.format, "worldpay_echeck_return");
    assert_eq!((summary.debit_minor, summary.credit_minor), (125_575, 0));
    assert_eq!(summary.findings, [], "all 28 columns are known");
}

#[test]
fn older_names_of_the_payment_id_are_read() {
    for name in ["Vantiv Payment ID", "Litle Payment ID", "VANTIV_PAYMENT_ID"] {
        let text = ECHECK_RETURN.replace("Worldpay Payment ID", name);
        assert_eq!(
            read(text.as_bytes(), &echeck_return()).entries.len(),
            2,
            "{name}"
        );
    }
    let renamed = ECHECK_RETURN.replace("Worldpay Payment ID", "Payment Number");
    let outcome = read(renamed.as_bytes(), &echeck_return());
    assert_eq!(
        outcome.file_rejection().field.as_deref(),
        Some("Worldpay Payment ID")
    );
}

#[test]
fn the_indispensable_columns_of_the_return_report_are_required() {
    for column in [
        "Case ID",
        "Worldpay Payment ID",
        "Reason Code",
        "Chargeback Amt",
    ] {
        let text = ECHECK_RETURN.replacen(column, "Something Else", 1);
        let outcome = read(text.as_bytes(), &echeck_return());
        assert_eq!(outcome.file_rejection().field.as_deref(), Some(column));
    }
    let no_case = ECHECK_RETURN.replace("'216004321", "");
    let outcome = read(no_case.as_bytes(), &echeck_return());
    assert_eq!(outcome.rejection().field.as_deref(), Some("Case ID"));
    assert_eq!(outcome.rejection().amount_minor, Some(500));
}

#[test]
fn the_funding_reject_report_is_read_with_its_row() {
    let outcome = read(FUNDING_REJECT.as_bytes(), &funding_reject());
    assert_eq!(
        (outcome.file_rejected.as_ref(), outcome.rejected.len()),
        (None, 0)
    );
    let [first, second] = &outcome.entries[..] else {
        panic!("{outcome:?}")
    };
    assert!(matches!(first.kind, EntryKind::Return { .. }));
    assert_eq!(first.amount.unwrap().minor(), 500, "500.00 is five dollars");
    assert_eq!(first.keys.transfer_request_id.as_deref(), Some("FNXpay1"));
    assert_eq!(first.keys.payment_id.as_deref(), Some("83997656989609888"));
    assert_eq!(first.issued_on.unwrap().to_string(), "2023-09-25");
    assert_eq!(
        (first.direction, second.direction),
        (Direction::Credit, Direction::Debit)
    );
    let raw: Vec<(&str, &str)> = first.raw.iter().map(|(h, v)| (&**h, &**v)).collect();
    assert_eq!(
        raw,
        [
            ("Return Date", "09/25/2023"),
            ("Original Date", "09/21/2023"),
            ("Attempted Funds Transfer Date", "09/21/2023"),
            ("Merchant Name", "Big PayFac"),
            ("Sub Merchant Business Name", "Ann's Shop"),
            ("Funding Sub Merchant ID", "012345678"),
            ("Funds Transfer Request ID", "FNXpay1"),
            ("Vantiv Payment ID", "83997656989609888"),
            ("Txn Type", "FISC"),
            ("Funds Transfer Amount", "500.00"),
            ("Reason Code", "R03"),
            ("Reason Message", "No Account/Unable to Locate Account"),
            ("Routing Number", "021000021"),
            ("Account Number", "***6789"),
            ("Account Name", "Ann Example"),
        ]
    );
    assert_eq!(second.raw[13], ("Account Number".into(), String::new()));
    assert_eq!(second.account_tail, None);
    let summary = &outcome.summary;
    assert_eq!((summary.credit_minor, summary.debit_minor), (500, 700));
    assert_eq!(summary.findings, []);
    assert!(
        !format!("{outcome:?}").contains("123456789"),
        "an account number in clear"
    );
}

#[test]
fn a_funding_feed_in_dollars_sets_its_unit() {
    let dollars = funding_reject().with_unit(AmountUnit::Major);
    let outcome = read(FUNDING_REJECT.as_bytes(), &dollars);
    assert_eq!(outcome.entries[0].amount.unwrap().to_string(), "USD 500.00");
    let cents = FUNDING_REJECT.replace("500.00", "500.25");
    let outcome = read(cents.as_bytes(), &funding_reject());
    assert_eq!(
        outcome.rejection().field.as_deref(),
        Some("Funds Transfer Amount")
    );
}

#[test]
fn every_transaction_type_of_payouts_has_its_direction() {
    let directions = [
        ("FIPC", Direction::Credit),
        ("FIPD", Direction::Debit),
        ("FIRC", Direction::Credit),
        ("FIRD", Direction::Debit),
        ("FISC", Direction::Credit),
        ("FISD", Direction::Debit),
        ("FIVC", Direction::Credit),
        ("FIVD", Direction::Debit),
        ("FIFA", Direction::Credit),
        ("FIXX", Direction::Unknown),
    ];
    for (name, direction) in directions {
        let text = FUNDING_REJECT.replacen("FISC", name, 1);
        let outcome = read(text.as_bytes(), &funding_reject());
        assert_eq!(outcome.entries[0].direction, direction, "{name}");
    }
}
