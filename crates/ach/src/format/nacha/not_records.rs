//! What is not a record: wrappings of a file, and lines of text around its records.

use super::encoding::UNDEFINED;

/// How a file is wrapped, by its first bytes.
pub(super) fn wrapping(head: &[u8]) -> Option<&'static str> {
    const SEEN: [(&[u8], &str); 6] = [
        (b"\x1F\x8B", "it is compressed with gzip; unpack it first"),
        (b"PK\x03\x04", "it is a zip archive; unpack it first"),
        (
            b"-----BEGIN PGP",
            "it is encrypted or signed with PGP; decrypt it first",
        ),
        (b"\xFF\xFE", "it is UTF-16; ask for ASCII or UTF-8"),
        (b"\xFE\xFF", "it is UTF-16; ask for ASCII or UTF-8"),
        (b"\xF1\xF0\xF1", "it is EBCDIC; ask for ASCII or UTF-8"),
    ];
    SEEN.iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, seen)| *seen)
}

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

    #[test]
    fn a_wrapped_file_is_recognized_by_its_first_bytes() {
        assert!(wrapping(b"\x1F\x8B\x08\0").is_some_and(|seen| seen.contains("gzip")));
        assert!(wrapping(b"-----BEGIN PGP MESSAGE-----").is_some());
        assert_eq!(wrapping(b"101 061000052"), None);
    }
}
