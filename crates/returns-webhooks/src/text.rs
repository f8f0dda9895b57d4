//! Texts of others, made fit for platforms: without anything that could be an account number, and
//! short, so that a body stays small whatever a bank writes.

use ach::entry::AccountTail;

/// More digits than this in a row, in a text that a bank wrote, may be an account number.
const LONGEST_RUN_OF_A_BANK: usize = 4;
/// More digits than this in groups may be one; eight are a date.
const MOST_GROUPED: usize = 8;

/// The letters of a return's id after its prefix: more than an account number has.
const RETURN_ID_LENGTH: usize = 24;

/// A bank's text, in at most `longest` bytes of JSON. What `keep` names stays as it is: it is
/// an id of ours that may look like an account number. The id of a return stays as well: our own
/// words around the bank's name it.
pub(crate) fn of_bank(text: &str, longest: usize, keep: &str) -> String {
    cut(&masked(text.trim(), keep), longest)
}

/// `text`, cut so that it takes at most `longest` bytes of JSON.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    const MARK: char = '…';
    let (mut used, mut fits_with_mark) = (0, 0);
    for (at, letter) in text.char_indices() {
        if used + MARK.len_utf8() <= longest {
            fits_with_mark = at;
        }
        used += json_length(letter);
        if used > longest {
            return format!("{}{MARK}", &text[..fits_with_mark]);
        }
    }
    text.to_owned()
}

/// How many bytes a letter takes within a JSON string, at most.
fn json_length(letter: char) -> usize {
    match letter {
        '"' | '\\' => 2,
        '\u{0}'..='\u{1f}' | '\u{7f}' => 6,
        other => other.len_utf8(),
    }
}

/// `text` with its long numbers shown by their last digits, outside of what `keep` names and of
/// ids of returns.
fn masked(text: &str, keep: &str) -> String {
    let kept = text.find(keep).filter(|_| !keep.is_empty());
    let kept = kept.map(|at| (at, keep)).into_iter();
    let first = kept
        .chain(return_id_in(text))
        .min_by_key(|(at, id)| (*at, usize::MAX - id.len()));
    let Some((at, id)) = first else {
        return without_numbers(text);
    };
    let after = &text[at + id.len()..];
    format!(
        "{}{id}{}",
        without_numbers(&text[..at]),
        masked(after, keep)
    )
}

/// The first id of a return in `text`, and where it is.
fn return_id_in(text: &str) -> Option<(usize, &str)> {
    let hexadecimal = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    text.match_indices("ret_").find_map(|(at, prefix)| {
        let id = text.get(at..at + prefix.len() + RETURN_ID_LENGTH)?;
        let is_one = id.bytes().skip(prefix.len()).all(hexadecimal);
        is_one.then_some((at, id))
    })
}

fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        shown.push_str(&rest[..start]);
        let number = number_at(&rest[start..]);
        let digits = number.chars().filter(char::is_ascii_digit).count();
        let run = number
            .split(|letter: char| !letter.is_ascii_digit())
            .map(str::len)
            .max()
            .unwrap_or_default();
        match AccountTail::of(number) {
            Some(tail) if run > LONGEST_RUN_OF_A_BANK || digits > MOST_GROUPED => {
                shown.push_str(&tail.to_string());
            }
            Some(_) | None => shown.push_str(number),
        }
        rest = &rest[start + number.len()..];
    }
    shown.push_str(rest);
    shown
}

/// The digits at the beginning of `text`, with single blanks and dashes between them.
fn number_at(text: &str) -> &str {
    let mut end = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let joins = matches!(letter, ' ' | '-')
            && letters
                .peek()
                .is_some_and(|(_, next)| next.is_ascii_digit());
        if letter.is_ascii_digit() {
            end = at + 1;
        } else if !joins {
            break;
        }
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_show_their_last_digits_and_ids_of_ours_stay() {
        for (text, shown) in [
            ("Insufficient Funds", "Insufficient Funds"),
            ("ACCT 123456789 CLOSED", "ACCT ***6789 CLOSED"),
            ("1234 5678 9012", "***9012"),
            ("since 2026-11-20", "since 2026-11-20"),
            (
                "for '84568456123456' transfer",
                "for '84568456123456' transfer",
            ),
            (
                "84568456123456 or 84568456123457",
                "84568456123456 or ***3457",
            ),
            (
                "Dishonor of return ret_dbc31f87e8020af72d46304e",
                "Dishonor of return ret_dbc31f87e8020af72d46304e",
            ),
            ("ret_123456789 of 123456789", "ret_***6789 of ***6789"),
        ] {
            assert_eq!(of_bank(text, 500, "84568456123456"), shown);
        }
    }

    #[test]
    fn a_cut_text_is_no_longer_in_json_than_was_said() {
        for text in ["a".repeat(100), "\u{1}".repeat(100), "€\"".repeat(100)] {
            let short = cut(&text, 50);
            let json = serde_json::to_string(&short).unwrap();
            assert!(json.len() <= 52 && short.ends_with('…'), "{json}");
        }
        assert_eq!(cut("short", 5), "short");
    }
}
