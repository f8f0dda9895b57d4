//! The corrected data of a notification of change, taken apart by its code.
//!
//! Source of the layouts: NACHA Operating Rules, Appendix 5. Banks do not always keep to the
//! blanks in them, so where the positions do not fit, the words of the field are used. Account
//! numbers are masked here, before anything else sees them.

use super::batch::BatchClass;
use crate::code::CorrectionCode;
use crate::entry::{AccountTail, Corrected};

/// Takes `data`, the untrimmed field, apart as `code` says. Of a field that does not fit its
/// code only the last characters are kept.
pub(super) fn split(code: Option<CorrectionCode>, data: &str, class: BatchClass) -> Vec<Corrected> {
    use CorrectionCode as C;
    let trimmed = data.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    let parts = match code {
        Some(C::C01) => account_alone(trimmed, class),
        Some(C::C02) => routing(trimmed).map(|routing| vec![routing]),
        Some(C::C03) => routing_and_account(trimmed),
        Some(C::C04) => Some(vec![Corrected::Name(trimmed.to_owned())]),
        Some(C::C05) => transaction_code(trimmed).map(|code| vec![code]),
        Some(C::C06) => account_and_code(data),
        Some(C::C07) => routing_account_and_code(data),
        Some(C::C08) => Some(vec![Corrected::ForeignBank(trimmed.to_owned())]),
        Some(C::C09) => Some(vec![Corrected::IndividualId(trimmed.to_owned())]),
        Some(C::C10) => Some(vec![Corrected::CompanyName(trimmed.to_owned())]),
        Some(C::C11) => Some(vec![Corrected::CompanyId(trimmed.to_owned())]),
        Some(C::C12) => Some(company(data)),
        Some(C::C14) if trimmed.eq_ignore_ascii_case("IAT") => {
            Some(vec![Corrected::Text("IAT".to_owned())])
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
        | None => None,
    };
    parts.unwrap_or_else(|| hidden(trimmed))
}

fn hidden(text: &str) -> Vec<Corrected> {
    AccountTail::of(text)
        .map(Corrected::Unreadable)
        .into_iter()
        .collect()
}

/// An account number: 17 characters, 35 in international entries.
fn account_alone(trimmed: &str, class: BatchClass) -> Option<Vec<Corrected>> {
    let longest = if class == BatchClass::International {
        35
    } else {
        17
    };
    (trimmed.chars().count() <= longest)
        .then(|| account(trimmed))
        .flatten()
        .map(|part| vec![part])
}

fn account(text: &str) -> Option<Corrected> {
    AccountTail::of(text).map(Corrected::Account)
}

/// A routing number of nine digits. One digit less is a leading zero that got lost.
fn routing(text: &str) -> Option<Corrected> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        9 if digits => Some(Corrected::Routing(text.to_owned())),
        8 if digits => Some(Corrected::Routing(format!("0{text}"))),
        _ => None,
    }
}

/// A transaction code. Some processors send one letter for the kind of account in its place.
fn transaction_code(text: &str) -> Option<Corrected> {
    match text.as_bytes() {
        [b'2'..=b'5', b'1'..=b'9'] => Some(Corrected::TransactionCode(text.to_owned())),
        [letter] if letter.is_ascii_alphabetic() => Some(Corrected::Text(text.to_owned())),
        _ => None,
    }
}

/// C03: routing number, three blanks that may be missing, account number.
fn routing_and_account(trimmed: &str) -> Option<Vec<Corrected>> {
    let (first, rest) = trimmed.split_at_checked(9)?;
    let rest = rest.trim();
    (rest.chars().count() <= 20).then_some(())?;
    Some(vec![routing(first)?, account(rest)?])
}

/// C06: account number in 1-17, three blanks, transaction code in 21-22.
fn account_and_code(data: &str) -> Option<Vec<Corrected>> {
    by_position(data, 0, 20).or_else(|| by_words(data))
}

/// C07: routing number in 1-9, account number in 10-26, transaction code in 27-28.
fn routing_account_and_code(data: &str) -> Option<Vec<Corrected>> {
    let (first, rest) = data.trim_start().split_at_checked(9)?;
    let mut parts = vec![routing(first)?];
    parts.extend(by_position(data, 9, 26).or_else(|| by_words(rest))?);
    Some(parts)
}

/// The account number that begins `from` characters into the field, and the transaction
/// code that begins `code_from` characters into it and ends the field.
fn by_position(data: &str, from: usize, code_from: usize) -> Option<Vec<Corrected>> {
    let (before, code) = data.split_at_checked(code_from)?;
    let (number, gap) = before.get(from..)?.split_at_checked(17)?;
    if !gap.trim().is_empty() || code.starts_with(' ') {
        return None;
    }
    Some(vec![account(number)?, transaction_code(code.trim_end())?])
}

/// An account number and a transaction code as two words, wherever they stand.
fn by_words(text: &str) -> Option<Vec<Corrected>> {
    let mut words = text.split_whitespace();
    let (number, code) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    Some(vec![account(number)?, transaction_code(code)?])
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
        assert_eq!(shown("C02", "61000052"), "routing 061000052");
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
        assert_eq!(shown("C03", "06100005X 987654321"), "hidden ***4321");
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
        assert_eq!(shown("C06", "98765432137"), "hidden ***2137");
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
        assert_eq!(shown("C07", "06100005298765432137"), "hidden ***2137");
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
