//! Texts of others, made fit for platforms: without anything that could be an account number, and
//! short, so that a body stays small whatever a bank writes.

use echeck_masking::without_long_numbers;

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
    let kept_from = |from: usize| {
        let at = text[from..].find(keep).filter(|_| !keep.is_empty());
        at.map(|at| (from + at, keep))
    };
    let return_from = |from: usize| return_id_in(&text[from..]).map(|(at, id)| (from + at, id));
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    let (mut kept, mut return_id) = (kept_from(0), return_from(0));
    loop {
        let next = [kept, return_id].into_iter().flatten();
        let Some((at, id)) = next.min_by_key(|(at, id)| (*at, usize::MAX - id.len())) else {
            return shown + &without_long_numbers(&text[from..]);
        };
        shown.push_str(&without_long_numbers(&text[from..at]));
        shown.push_str(id);
        from = at + id.len();
        // Each is searched for again only once it was passed, so the text is gone through once.
        if kept.is_some_and(|(at, _)| at < from) {
            kept = kept_from(from);
        }
        if return_id.is_some_and(|(at, _)| at < from) {
            return_id = return_from(from);
        }
    }
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
            ("ACCT 1234.5678.9012 CLOSED", "ACCT ***9012 CLOSED"),
        ] {
            assert_eq!(of_bank(text, 500, "84568456123456"), shown);
        }
    }

    #[test]
    fn a_text_of_nothing_but_ids_does_not_end_the_process() {
        let text = "84568456123456 ".repeat(20_000);
        assert_eq!(masked(&text, "84568456123456"), text);
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
