//! The corrected data of a notification of change, taken apart by its code.
//!
//! Source of the layouts: NACHA Operating Rules, Appendix 5. Banks do not always keep to the
//! blanks in them, so where the positions do not fit, the words of the field are used. Each part
//! that is there is given, also when another is missing or cannot be read. Account numbers are
//! masked here, before anything else sees them.

use super::batch::BatchClass;
use crate::code::CorrectionCode;
use crate::entry::{AccountTail, Corrected, routing};

/// The longest account number of a domestic entry.
const ACCOUNT: usize = 17;

/// Takes `data`, the untrimmed field, apart as `code` says. Of what does not fit its code only
/// the last characters are kept.
pub(in crate::format) fn split(
    code: Option<CorrectionCode>,
    data: &str,
    class: BatchClass,
) -> Vec<Corrected> {
    use CorrectionCode as C;
    let trimmed = data.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    match code {
        Some(C::C01) => account_alone(trimmed, class),
        Some(C::C02) => one(routing_number(trimmed)),
        Some(C::C03) => routing_and(data, account_of_c03),
        Some(C::C04) => vec![Corrected::Name(trimmed.to_owned())],
        Some(C::C05) => one(transaction_code(trimmed).or_else(|| hidden(trimmed))),
        Some(C::C06) => account_and_code(data, 20),
        Some(C::C07) => routing_and(data, |rest| account_and_code(rest, ACCOUNT)),
        Some(C::C08) => vec![Corrected::ForeignBank(trimmed.to_owned())],
        Some(C::C09) => vec![Corrected::IndividualId(trimmed.to_owned())],
        Some(C::C10) => vec![Corrected::CompanyName(trimmed.to_owned())],
        Some(C::C11) => vec![Corrected::CompanyId(trimmed.to_owned())],
        Some(C::C12) => company(data),
        Some(C::C14) if trimmed.eq_ignore_ascii_case("IAT") => {
            vec![Corrected::Text("IAT".to_owned())]
        }
        // C13 corrects nothing, and a refusal does not say what the field is.
        Some(
            C::C13
            | C::C14
            | C::C61
            | C::C62
            | C::C63
            | C::C64
            | C::C65
            | C::C66
            | C::C67
            | C::C68
            | C::C69,
        )
        | None => one(hidden(trimmed)),
    }
}

fn one(part: Option<Corrected>) -> Vec<Corrected> {
    part.into_iter().collect()
}

fn hidden(text: &str) -> Option<Corrected> {
    AccountTail::of(text).map(Corrected::Unreadable)
}

/// An account number: 17 characters, 35 in international entries.
fn account_alone(trimmed: &str, class: BatchClass) -> Vec<Corrected> {
    let longest = if class == BatchClass::International {
        35
    } else {
        ACCOUNT
    };
    let fits = trimmed.chars().count() <= longest;
    one(if fits {
        account(trimmed)
    } else {
        hidden(trimmed)
    })
}

fn account(text: &str) -> Option<Corrected> {
    AccountTail::of(text).map(Corrected::Account)
}

/// A routing number whose check digit is right, or what it can be told by.
fn routing_number(text: &str) -> Option<Corrected> {
    let complete = routing::complete(text).map(Corrected::Routing);
    complete.or_else(|| hidden(text))
}

/// A transaction code. Some processors send one letter for the kind of account in its place.
pub(in crate::format) fn transaction_code(text: &str) -> Option<Corrected> {
    match text.as_bytes() {
        [b'2'..=b'5', b'1'..=b'9'] => Some(Corrected::TransactionCode(text.to_owned())),
        [letter] if letter.is_ascii_alphabetic() => Some(Corrected::Text(text.to_owned())),
        _ => None,
    }
}

/// C03 and C07: the routing number in 1-9, and what follows it.
fn routing_and(data: &str, others: impl Fn(&str) -> Vec<Corrected>) -> Vec<Corrected> {
    let (first, rest) = data.split_at_checked(9).unwrap_or((data, ""));
    // Blanks before it shift the field; nine of them are a part that is missing.
    let (first, rest) = match first.trim() {
        "" => ("", rest),
        _ => {
            let shifted = data.trim_start();
            shifted.split_at_checked(9).unwrap_or((shifted, ""))
        }
    };
    let first = first.trim();
    if first.contains(' ') {
        return one(hidden(data.trim()));
    }
    let mut parts = one(routing_number(first));
    parts.extend(others(rest));
    parts
}

/// C03: three blanks, which may be missing, and the account number.
fn account_of_c03(rest: &str) -> Vec<Corrected> {
    let fits = rest.trim().chars().count() <= ACCOUNT + 3;
    one(if fits { account(rest) } else { hidden(rest) })
}

/// The account number, and the transaction code that begins `code_from` characters into `text`
/// or is its last word. Without a code, what fits into the account number's place is one.
fn account_and_code(text: &str, code_from: usize) -> Vec<Corrected> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    if let Some((before, code)) = text.split_at_checked(code_from)
        && let Some(code) = transaction_code(code.trim_end())
        && before
            .get(ACCOUNT..)
            .is_some_and(|gap| gap.trim().is_empty())
    {
        return one(account(before)).into_iter().chain([code]).collect();
    }
    match trimmed.rsplit_once(' ') {
        Some((before, last)) => account_and_last_word(trimmed, before, last),
        None if transaction_code(trimmed).is_some() => one(hidden(trimmed)),
        None => account_alone(trimmed, BatchClass::Domestic),
    }
}

/// One blank between two words of several may also be a blank within the account number.
fn account_and_last_word(trimmed: &str, before: &str, last: &str) -> Vec<Corrected> {
    let number = before.trim_end();
    let is_apart = number.len() < before.len() || !number.contains(' ');
    match transaction_code(last) {
        Some(code) if is_apart && number.chars().count() <= ACCOUNT => {
            one(account(number)).into_iter().chain([code]).collect()
        }
        Some(_) => one(hidden(trimmed)),
        None => account_alone(trimmed, BatchClass::Domestic),
    }
}

/// C12 (retired): company name in 1-16, three blanks, company identification in 20-29.
fn company(data: &str) -> Vec<Corrected> {
    if let Some((name, rest)) = data.split_at_checked(16)
        && let Some(id) = rest.strip_prefix("   ").map(str::trim)
        && !id.is_empty()
        && !name.trim().is_empty()
    {
        return vec![
            Corrected::CompanyName(name.trim().to_owned()),
            Corrected::CompanyId(id.to_owned()),
        ];
    }
    vec![Corrected::CompanyName(data.trim().to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, data: &str) -> String {
        let code = code.parse().ok();
        split(code, &format!("{data:<35}"), BatchClass::Domestic)
            .iter()
            .map(|part| match part {
                Corrected::Account(tail) => format!("account {tail}"),
                Corrected::Routing(text) => format!("routing {text}"),
                Corrected::TransactionCode(text) => format!("code {text}"),
                Corrected::Unreadable(tail) => format!("hidden {tail}"),
                other => format!("{other:?}"),
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn single_fields_are_taken_as_they_are() {
        assert_eq!(shown("C01", "0098765432101"), "account ***2101");
        assert_eq!(shown("C02", "061000052"), "routing 061000052");
        assert_eq!(shown("C02", "51403164"), "routing 051403164");
        assert_eq!(shown("C02", "06100005"), "routing 061000052");
        assert_eq!(shown("C02", "61000052"), "hidden ***0052");
        assert_eq!(shown("C02", "061000053"), "hidden ***0053");
        assert_eq!(shown("C04", "PAT ORCHARD"), "Name(\"PAT ORCHARD\")");
        assert_eq!(shown("C05", "37"), "code 37");
        assert_eq!(shown("C09", "CUST-77"), "IndividualId(\"CUST-77\")");
        assert_eq!(shown("C14", "IAT"), "Text(\"IAT\")");
        assert_eq!(shown("C13", ""), "");
    }

    #[test]
    fn c03_is_read_with_and_without_its_three_blanks() {
        assert_eq!(
            shown("C03", "061000052   987654321"),
            "routing 061000052, account ***4321"
        );
        assert_eq!(
            shown("C03", "061000052987654321"),
            "routing 061000052, account ***4321"
        );
        assert_eq!(
            shown("C03", "061000052                 321"),
            "routing 061000052, account ***1"
        );
        assert_eq!(shown("C03", "0610000520"), "routing 061000052, account ***");
        assert_eq!(
            shown("C03", "06100005X 987654321"),
            "hidden ***005X, account ***4321"
        );
        assert_eq!(shown("C03", "061000052"), "routing 061000052");
        assert_eq!(
            shown("C03", "06100005    987654321"),
            "routing 061000052, account ***4321"
        );
        assert_eq!(shown("C03", "            987654321"), "account ***4321");
    }

    #[test]
    fn c06_is_read_by_position_and_when_it_is_short() {
        assert_eq!(
            shown("C06", "98765432101234567   37"),
            "account ***4567, code 37"
        );
        assert_eq!(
            shown("C06", "987 654 321         37"),
            "account ***4321, code 37"
        );
        assert_eq!(shown("C06", "987654321 37"), "account ***4321, code 37");
        assert_eq!(
            shown("C06", "987654321                  37"),
            "account ***4321, code 37"
        );
        assert_eq!(
            shown("C06", "987654321           S"),
            "account ***4321, Text(\"S\")"
        );
        assert_eq!(
            shown("C06", "9876543 2101                37"),
            "account ***2101, code 37"
        );
        // Without a code, all that is in the place of the account number is one.
        assert_eq!(shown("C06", "98765432137"), "account ***2137");
        assert_eq!(shown("C06", "9876543 2101"), "account ***2101");
        assert_eq!(shown("C06", "                    37"), "code 37");
        // Here the last word may be either.
        assert_eq!(shown("C06", "9876 5432 37"), "hidden ***3237");
    }

    #[test]
    fn c07_is_read_without_separators() {
        let three = "routing 061000052, account ***4567, code 37";
        assert_eq!(shown("C07", "0610000529876543210123456737"), three);
        assert_eq!(shown("C07", "06100005298234567        37"), three);
        assert_eq!(shown("C07", "061000052   98234567 37"), three);
        assert_eq!(
            shown("C07", "061000052987654321        C"),
            "routing 061000052, account ***4321, Text(\"C\")"
        );
        let two = "routing 061000052, account ***2137";
        assert_eq!(shown("C07", "06100005298765432137"), two);
        assert_eq!(shown("C07", "061000052"), "routing 061000052");
        assert_eq!(
            shown("C07", "061000053         9876543237"),
            "hidden ***0053, account ***5432, code 37"
        );
    }

    #[test]
    fn international_account_numbers_are_35_wide() {
        let number = "GB33BUKB20201555555555XXXXXXXXX7890";
        let parts = split(Some(CorrectionCode::C01), number, BatchClass::International);
        assert_eq!(
            parts,
            [Corrected::Account(AccountTail::of("7890XXXX7890").unwrap())]
        );
        let hidden = split(Some(CorrectionCode::C01), number, BatchClass::Domestic);
        assert!(matches!(hidden[..], [Corrected::Unreadable(_)]));
    }

    #[test]
    fn a_company_and_its_id_are_two_fields() {
        let parts = split(
            Some(CorrectionCode::C12),
            "ORCHARD SUPPLY     1452036987",
            BatchClass::Domestic,
        );
        assert_eq!(
            parts,
            [
                Corrected::CompanyName("ORCHARD SUPPLY".into()),
                Corrected::CompanyId("1452036987".into())
            ]
        );
    }

    #[test]
    fn what_no_known_code_explains_is_hidden() {
        assert_eq!(shown("C99", "987654321"), "hidden ***4321");
        assert_eq!(shown("C61", "987654321"), "hidden ***4321");
    }

    #[test]
    fn text_outside_ascii_does_not_break_the_split() {
        for code in CorrectionCode::ALL {
            for data in [
                "ééééééééééééééééééééééééééééé",
                "0610000é2   98765432é   37",
            ] {
                let _ = split(Some(*code), data, BatchClass::Domestic);
            }
        }
    }
}
