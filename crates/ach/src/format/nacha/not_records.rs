//! What is not a record: lines of text around the records of a file.

use super::encoding::UNDEFINED;

/// Whether a line says that there is nothing to report, such as `NO RETURNS REPORTED`.
pub(super) fn says_empty(line: &[u8]) -> bool {
    const THINGS: [&str; 9] = [
        "RETURN",
        "RECORD",
        "ENTRIES",
        "ENTRY",
        "DATA",
        "ACTIVITY",
        "ITEM",
        "TRANSACTION",
        "FILE",
    ];
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let mut words = text.split(|character: char| !character.is_ascii_alphabetic());
    words.any(|word| matches!(word, "NO" | "NONE" | "ZERO"))
        && THINGS.iter().any(|thing| text.contains(thing))
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
        assert!(says_empty(b"NO RETURNS REPORTED"));
        assert!(says_empty(b"There are no transactions today."));
        assert!(!says_empty(b"NOTE: RETURNS FOLLOW"));
        assert!(!says_empty(b"account,amount"));
    }
}
