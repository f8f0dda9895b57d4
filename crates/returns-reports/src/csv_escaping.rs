//! How a text stands in a cell of the report, so that it is the same text for a program, for
//! Excel and for LibreOffice.
//!
//! A spreadsheet takes a cell of digits for a number and spoils it (`83997656989609888`
//! becomes `8.3997656989609888E16`, `0012` becomes 12, `3-4` a date), and runs a cell that begins
//! with `=`, `+`, `-` or `@`. An apostrophe in front makes it text. Acquirers mark their long
//! ids in the same way, so people and programs here know it. The rule for readers:
//! when a cell of a text column begins with an apostrophe, drop that one.

/// An id that others gave out: always marked as text.
pub(super) fn id(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("'{}", clean(text))
}

/// An id that may be absent.
pub(super) fn optional_id(text: Option<&str>) -> String {
    id(text.unwrap_or_default())
}

/// Words: marked as text where a spreadsheet would run them, or where they begin with an
/// apostrophe themselves.
pub(super) fn words(text: &str) -> String {
    let text = clean(text);
    match text.trim_start().chars().next() {
        // The wide forms do the same in the Japanese and Chinese editions of Excel.
        Some('=' | '+' | '-' | '@' | '\'' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        Some(_) | None => text,
    }
}

/// A cell as it was before it was marked.
#[cfg(test)]
pub(super) fn unmarked(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// ReportLine ends, tabs and other control characters become blanks, and so do the marks that turn
/// the direction of writing: they only make a line look like something else.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || turns_direction(c) {
                ' '
            } else {
                c
            }
        })
        .collect()
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Minor units as decimal text. Every currency of ACH has two decimals.
pub(super) fn decimal(amount_minor: i64) -> String {
    let sign = if amount_minor < 0 { "-" } else { "" };
    let units = amount_minor.unsigned_abs();
    format!("{sign}{}.{:02}", units / 100, units % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_all_its_digits_behind_one_apostrophe() {
        for text in [
            "83997656989609888",
            "0012",
            "12E10",
            "3-4",
            "SEPT2",
            "TR0001",
            "'123",
        ] {
            let cell = id(text);
            assert!(cell.starts_with('\''), "{cell}");
            assert_eq!(unmarked(&cell), text);
        }
        assert_eq!(id(""), "");
    }

    #[test]
    fn no_words_begin_with_what_a_spreadsheet_runs() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =1",
            "\u{feff}=1",
            "＝1",
            "'=1",
            "=HYPERLINK(\"http://x\")",
            "\n-2+3",
        ] {
            let cell = words(text);
            assert!(cell.starts_with('\''), "{text:?} became {cell:?}");
        }
        assert_eq!(
            words("No Account/Unable to Locate Account"),
            "No Account/Unable to Locate Account"
        );
        assert_eq!(words(""), "");
    }

    #[test]
    fn control_characters_and_turned_writing_become_blanks() {
        assert_eq!(words("a\u{202e}fdp.exe\0\r\n\tb"), "a fdp.exe    b");
    }

    #[test]
    fn amounts_are_decimal_text_with_two_digits() {
        assert_eq!(decimal(0), "0.00");
        assert_eq!(decimal(123_405), "1234.05");
        assert_eq!(decimal(-5), "-0.05");
    }
}
