//! One cell: without what spreadsheets add to it, and without what must not be seen.

use std::borrow::Cow;

use echeck_masking::without_long_numbers;

use crate::entry::AccountTail;

/// The value without surrounding blanks and without the marks that tell a spreadsheet that
/// digits are text: a leading apostrophe, or `="0123"`.
pub(super) fn clean(cell: &str) -> &str {
    let cell = cell.trim();
    let inner = cell
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    let cell = inner.unwrap_or(cell).trim();
    cell.strip_prefix('\'').unwrap_or(cell).trim()
}

/// Puts back the leading zeros that a spreadsheet dropped. Only digits are padded.
pub(super) fn padded(value: &str, width: usize) -> Cow<'_, str> {
    if value.is_empty() || value.len() >= width || !value.bytes().all(|b| b.is_ascii_digit()) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("{value:0>width$}"))
    }
}

/// Whether the value is one of the texts, without regard to case and to blanks around them.
pub(super) fn is_any_of(value: &str, texts: &[String]) -> bool {
    let mut texts = texts.iter().map(|text| text.trim());
    texts.any(|text| text.eq_ignore_ascii_case(value))
}

/// The text in lower case, with one blank for each run of blanks.
pub(super) fn one_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Whether a spreadsheet turned the id into a rounded number such as `8.39977E+16`.
pub(super) fn is_rounded(id: &str) -> bool {
    let Some((number, exponent)) = id.split_once(['E', 'e']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole) && digits(fraction) && exponent.strip_prefix('+').is_some_and(digits)
}

/// The last digits of an account number that may come masked already (`xxxx6081`).
pub(super) fn tail(account: &str) -> Option<AccountTail> {
    let account = clean(account);
    let shown = account.trim_start_matches(['x', 'X', '*', '#', '•', '.', '-', ' ']);
    let was_masked = shown.len() < account.len() && shown.len() <= 4;
    if was_masked && !shown.is_empty() && shown.bytes().all(|b| b.is_ascii_digit()) {
        AccountTail::of_suffix(shown)
    } else {
        AccountTail::of(account)
    }
}

/// The account column of a raw row: masked, and blank when it is blank.
pub(super) fn masked(account: &str) -> String {
    tail(account).map_or_else(String::new, |tail| tail.to_string())
}

/// Whether the value has enough digits in it to be an account number.
pub(super) fn may_be_account(value: &str) -> bool {
    value.chars().filter(char::is_ascii_digit).count() > 4
}

/// The value as an error may show it: short, and without anything that could be an account
/// number, since a row with shifted columns may have one anywhere.
pub(in crate::format) fn shown(value: &str) -> String {
    const LONGEST: usize = 24;
    let value = match is_like_a_date(value) {
        true => value.to_owned(),
        false => without_long_numbers(value),
    };
    let mut short: String = value.chars().take(LONGEST).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Whether the value is written as a date, right or wrong: a wrong one that is hidden explains nothing.
fn is_like_a_date(value: &str) -> bool {
    let shape = |separator| -> Vec<usize> {
        let parts = value.trim().split(separator);
        let length = |part: &str| {
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then_some(part.len())
        };
        parts.map(|part| length(part).unwrap_or(0)).collect()
    };
    matches!(shape('/')[..], [1 | 2, 1 | 2, 2 | 4]) || matches!(shape('-')[..], [4, 1 | 2, 1 | 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_spreadsheets_are_removed() {
        assert_eq!(clean(" '83997656989609888 "), "83997656989609888");
        assert_eq!(clean("=\"0123\""), "0123");
        assert_eq!(clean("'"), "");
        assert_eq!(clean("O'Neil"), "O'Neil");
        assert_eq!(clean("=\"0123"), "=\"0123");
    }

    #[test]
    fn only_digits_are_padded() {
        assert_eq!(padded("12345678", 9), "012345678");
        assert_eq!(padded("123456789", 9), "123456789");
        assert_eq!(padded("1234567890", 9), "1234567890");
        assert_eq!(padded("12A", 9), "12A");
        assert_eq!(padded("", 9), "");
    }

    #[test]
    fn an_id_that_a_spreadsheet_rounded_is_seen() {
        for id in ["8.39977E+16", "8E+16", "1.0e+5"] {
            assert!(is_rounded(id), "{id}");
        }
        for id in [
            "83997656989609888",
            "8E16",
            "FNX8.1E+2",
            "8.E+1",
            "E+16",
            "8.1E+",
            "",
        ] {
            assert!(!is_rounded(id), "{id}");
        }
    }

    #[test]
    fn an_account_shows_its_last_digits_clear_or_masked() {
        assert_eq!(masked("'123456789"), "***6789");
        assert_eq!(masked("xxxx6081"), "***6081");
        assert_eq!(masked("****6789"), "***6789");
        assert_eq!(masked("X123456789"), "***6789");
        assert_eq!(masked("1234"), "***34");
        assert_eq!(masked("  "), "");
        assert_eq!(masked("****"), "");
    }

    #[test]
    fn an_error_shows_no_account_number() {
        assert_eq!(shown("13/45/2024"), "\"13/45/2024\"");
        assert_eq!(shown("2024-13-45"), "\"2024-13-45\"");
        assert_eq!(shown("12,34"), "\"12,34\"");
        assert_eq!(shown("123456789"), "\"***6789\"");
        assert_eq!(shown("1234-5678-9012"), "\"***9012\"");
        assert_eq!(shown("acct 12345"), "\"acct ***45\"");
        for account in [
            "7302-8461",
            "7302 8461",
            "73.02.84.61",
            "７３０２８４６１５５０９",
        ] {
            let shown = shown(account);
            assert!(
                shown.starts_with("\"***") && !shown.contains("7302"),
                "{shown}"
            );
        }
        assert!(shown(&"ä".repeat(100)).chars().count() < 30);
    }
}
