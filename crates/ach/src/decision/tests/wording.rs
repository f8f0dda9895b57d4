//! The lines that platforms know, to the letter.

use super::*;
use crate::entry::Direction;

#[test]
fn a_returned_credit_names_code_description_and_where_it_was_seen() {
    let entry = Entry {
        description: Some("No Account/Unable to Locate Account ".into()),
        ..returned("R03")
    };
    assert_eq!(
        failure_messages(&entry, &debit()),
        [
            "ReasonCode: R03",
            "ReasonDescription: No Account/Unable to Locate Account",
            "Declined because there is a record in FAILED_FUNDS for 'FNX1' transfer",
        ]
    );
}

#[test]
fn a_validation_failure_has_its_text_and_no_code() {
    let entry = validation_failure("Invalid Bank Routing Number");
    assert_eq!(
        failure_messages(&entry, &debit()),
        ["Invalid Bank Routing Number"]
    );
}

#[test]
fn a_later_stage_has_the_lines_of_its_entry_and_names_the_return() {
    let tags = stage_tags(&returned("R61"), "Dishonor", "ret_1");
    let lines: Vec<(&str, &str)> = tags
        .iter()
        .map(|(key, line)| (&key[..], &line[..]))
        .collect();
    assert_eq!(lines[0], ("result_message_0", "ReasonCode: R61"));
    assert_eq!(lines[2], ("result_message_2", "Dishonor of return ret_1"));
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_hold_says_what_kind_of_transfer_it_is_about() {
    let mut entry = returned("R01");
    entry.direction = Direction::Credit;
    let hold = hold(decided(&entry, debit(), FundingPolicy::State));
    let detail = "the entry returns a credit, but transfer TR1 is a debit";
    assert_eq!(hold.detail, detail);
}

#[test]
fn a_reversal_has_three_tags_in_order() {
    let tags = reversal_tags(&returned("R01"), &debit());
    let expected = [
        ("result_message_0", "ReasonCode: R01"),
        ("result_message_1", "ReasonDescription: Insufficient Funds"),
        (
            "result_message_2",
            "Rejected because there is 'ACH_eCheck_Returns' record in CHARGEBACK for 'FNX1' ACH transfer",
        ),
    ];
    let tags: Vec<(&str, &str)> = tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(tags, expected);
}

#[test]
fn a_return_without_words_of_its_own_has_the_codes_title() {
    assert_eq!(
        return_messages(&returned("R02"))[1],
        "ReasonDescription: Account Closed"
    );
    assert_eq!(
        return_messages(&returned("R97")),
        ["ReasonCode: R97", "ReasonDescription: R97"]
    );
}
