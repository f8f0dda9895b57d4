//! The codes that others write in place of the network's.

use std::collections::BTreeMap;

use super::shown;
use crate::code::{CorrectionCode, ReturnCode};
use crate::entry::EntryKind;

/// The codes of a source, in upper case, and the return or change code that each means.
pub type CodeMap = BTreeMap<String, String>;

/// What is wrong with a map of codes, as the key that is wrong and what to do.
pub(super) fn faults(map: &CodeMap) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (from, to) in map {
        let key = format!("code_map.{from}");
        if from.trim().to_uppercase() != *from || from.is_empty() {
            let what = "write it in capitals, without blanks around it";
            faults.push((key.clone(), what.to_owned()));
        }
        if !network_codes().any(|code| code == to) {
            let what = format!("{to:?} is not a return or change code, such as R01 or C01");
            faults.push((key, what));
        }
    }
    faults
}

/// Every code of the network.
pub(super) fn network_codes() -> impl Iterator<Item = &'static str> {
    let returns = ReturnCode::ALL.iter().map(|code| code.as_str());
    returns.chain(CorrectionCode::ALL.iter().map(|code| code.as_str()))
}

/// The longest code that an acquirer documents, in bytes.
const LONGEST: usize = 10;
/// A code with more digits may be an account number from another place, which must not be kept.
const MOST_DIGITS: usize = 6;

/// Whether a text can be a code at all.
pub(super) fn is_plausible(code: &str) -> bool {
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    (1..=LONGEST).contains(&code.len()) && digits <= MOST_DIGITS
}

/// What a code of a source says. The error says what is wrong with it.
pub(super) fn kind(code: &str, map: &CodeMap) -> Result<EntryKind, String> {
    let code = code.trim().to_uppercase();
    let meant = map.get(&code).unwrap_or(&code);
    match EntryKind::of_network(meant) {
        Some(kind) => Ok(kind),
        None if is_plausible(&code) => Ok(EntryKind::unknown_return(code)),
        None => Err(format!("{} is not a valid code", shown(&code))),
    }
}

/// The code of the network that a text names, if it names just one.
pub(super) fn in_text(text: &str) -> Option<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut codes = words
        .map(str::to_uppercase)
        .filter(|word| EntryKind::of_network(word).is_some());
    let first = codes.next()?;
    codes.all(|code| code == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_code_if_it_names_just_one() {
        let cases = [
            ("ACH RETURN R01 NSF", Some("R01")),
            ("return (r03), R03", Some("R03")),
            ("R01 or R09", None),
            ("RETURNED ITEM 071000301", None),
            ("", None),
        ];
        for (text, code) in cases {
            assert_eq!(in_text(text).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn a_code_of_the_source_is_translated_and_a_long_number_is_no_code() {
        let map = CodeMap::from([("AM04".to_owned(), "R01".to_owned())]);
        let code = |text: &str| kind(text, &map).map(|kind| kind.code());
        assert_eq!(code(" am04 "), Ok(Some(("R01".to_owned(), true))));
        assert_eq!(code("MS03"), Ok(Some(("MS03".to_owned(), false))));
        assert_eq!(
            code("123456789"),
            Err("\"***6789\" is not a valid code".to_owned())
        );
        assert!(code("").is_err());
        assert_eq!(faults(&map), []);
        let wrong = CodeMap::from([("am04".to_owned(), "R1".to_owned())]);
        assert_eq!(faults(&wrong).len(), 2);
    }
}
