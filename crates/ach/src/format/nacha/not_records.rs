//! What is not a record: lines of text around the records of a file.

use super::encoding::UNDEFINED;

/// What a line of text outside the records says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// That there is nothing to report, such as `NO RETURNS REPORTED`.
    Nothing,
    /// What looks like data of another format.
    Data,
    /// Anything else.
    Text,
}

/// What there may be nothing of. A file that is missing is a failure of whoever sends it.
const THINGS: [&str; 8] = [
    "RETURN",
    "REJECT",
    "RECORD",
    "ENTR",
    "DATA",
    "ACTIVIT",
    "ITEM",
    "TRANSACTION",
];

/// How a word begins that tells of a failure, as in `no data connection to server`.
const FAILURES: [&str; 20] = [
    "ERROR",
    "FAIL",
    "CONNECT",
    "UNABLE",
    "TRANSFER",
    "TIMEOUT",
    "DENIED",
    "ACCESS",
    "EXCEPTION",
    "SERVER",
    "SUCH",
    "PERMISSION",
    "POSSIBLE",
    "CANNOT",
    "COULD",
    "INVALID",
    "REFUSE",
    "ABORT",
    "MISSING",
    "CORRUPT",
];

/// As many words stand between `NO` and what there is none of, as in `no new ACH returns`.
const BETWEEN: usize = 2;

/// What a line says. Where it could be either, it does not say that there is nothing: a return that is
/// missed costs more than a question to the sender.
pub(super) fn says(line: &[u8]) -> Says {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    if looks_like_data(&text) {
        return Says::Data;
    }
    let begins = |word: &str, with: &[&str]| with.iter().any(|start| word.starts_with(start));
    if words_of(&text).any(|word| begins(word, &FAILURES)) {
        return Says::Text;
    }
    let is_thing = |word: &&str| begins(word, &THINGS);
    let is_nothing = |sentence: &str| {
        let words: Vec<&str> = words_of(sentence).collect();
        words.iter().enumerate().any(|(at, word)| match *word {
            "NO" | "ZERO" => words[at + 1..].iter().take(BETWEEN + 1).any(is_thing),
            _ => false,
        })
    };
    // What there is none of may stand before a dash, as in `RETURNS - NONE`.
    let of_none = words_of(&text)
        .take_while(|word| *word != "NONE")
        .any(|word| is_thing(&word));
    let is_none = of_none && words_of(&text).any(|word| word == "NONE");
    if is_none || text.split(['.', '!', '-']).any(is_nothing) {
        Says::Nothing
    } else {
        Says::Text
    }
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
}

/// Whether a line has the code of a return, or as many separators as a table.
fn looks_like_data(text: &str) -> bool {
    let separators = |separator: char| text.matches(separator).count();
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let is_code = |word: &str| matches!(word.as_bytes(), [b'R' | b'C', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit());
    [',', ';', '|', '\t']
        .into_iter()
        .any(|one| separators(one) >= 3)
        || words.into_iter().any(is_code)
}

/// Whether a line of text outside the records can be shown as text.
pub(super) fn is_text(line: &[u8]) -> bool {
    let controls = line
        .iter()
        .any(|byte| *byte < b' ' && !matches!(byte, b'\t' | 0x0C | 0x1A));
    let readable =
        std::str::from_utf8(line).is_ok() || !line.iter().any(|byte| UNDEFINED.contains(byte));
    !controls && readable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_there_are_no_returns_is_understood() {
        for line in [
            "NO RETURNS REPORTED",
            "*** No ACH returns for 11/20/2026 ***",
            "There are no transactions today.",
            "Zero items were returned, and no corrections.",
            "ACH RETURN ITEMS: NONE",
            "RETURNS - NONE",
            "No returns at this time.",
            "NO DATA AVAILABLE FOR COMPANY 1234567890",
        ] {
            assert_eq!(says(line.as_bytes()), Says::Nothing, "{line}");
        }
        for line in [
            "NOTE: RETURNS FOLLOW",
            "account,amount",
            "ERROR 503: no data connection to server",
            "There was no file transfer possible",
            "No such file or directory",
            "no records could be read",
            "The customer has no account. Items were returned.",
            "No account - item returned",
        ] {
            assert_eq!(says(line.as_bytes()), Says::Text, "{line}");
        }
    }

    #[test]
    fn a_line_of_data_is_never_a_sentence() {
        for line in [
            "MRP-1,R03,88.00,No Account - item returned",
            "MRP-1;88.00;no items;returned",
            "R03 no account, item returned",
        ] {
            assert_eq!(says(line.as_bytes()), Says::Data, "{line}");
        }
    }
}
