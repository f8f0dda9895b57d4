//! Text of somebody else, such as the name of an acquirer's file, must not control a terminal: what
//! would is shown as an escape.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::output::Tone;

/// Whether a character could move the cursor, change the order of the text around it, or hide.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Harmless text on one line, for a cell of a table.
pub(in crate::output) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => harmless.push(' '),
            other => push(&mut harmless, other),
        }
    }
    Cow::Owned(harmless)
}

/// Harmless text with its lines. With `color`, our own colors stay.
pub(super) fn lines(text: &str, color: bool) -> Cow<'_, str> {
    if !text.contains(|character| character != '\n' && is_harmful(character)) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let sequence = match character {
            '\x1b' if color => Tone::sequence_at(rest),
            _ => 0,
        };
        let length = sequence.max(character.len_utf8());
        let (piece, after) = rest.split_at(length);
        match character {
            _ if sequence > 0 => harmless.push_str(piece),
            '\n' => harmless.push('\n'),
            '\t' => harmless.push_str("    "),
            other => push(&mut harmless, other),
        }
        rest = after;
    }
    Cow::Owned(harmless)
}

fn push(harmless: &mut String, character: char) {
    if is_harmful(character) {
        harmless.extend(character.escape_unicode());
    } else {
        harmless.push(character);
    }
}

/// JSON in which no text controls a terminal. JSON escapes some such characters by itself; the
/// others get an escape that reads back as the same character.
pub(crate) fn harmless_json(json: &str) -> Cow<'_, str> {
    // Most JSON is ASCII, in which only DEL is left unescaped: a file has many lines.
    let is_plain = json.is_ascii() && !json.contains('\u{7f}');
    if is_plain || !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut harmless = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(harmless, "\\u{unit:04x}");
            }
        } else {
            harmless.push(character);
        }
    }
    Cow::Owned(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x1b[2Jb\u{9b}c\u{202e}d\r\ne\u{7f}\u{e0041}";

    #[test]
    fn a_hostile_name_is_shown_and_never_obeyed() {
        let shown = one_line(HOSTILE);
        assert_eq!(shown, r"a\u{1b}[2Jb\u{9b}c\u{202e}d  e\u{7f}\u{e0041}");
        assert!(!lines(HOSTILE, true).contains('\x1b'));
        assert_eq!(one_line("längst 返品.csv"), "längst 返品.csv");
    }

    #[test]
    fn only_our_own_colors_pass_and_only_where_there_are_colors() {
        let red = "\x1b[31mred\x1b[0m\n";
        assert_eq!(lines(red, true), red);
        assert_eq!(lines(red, false), "\\u{1b}[31mred\\u{1b}[0m\n");
        assert_eq!(lines("\x1b[8mhidden", true), "\\u{1b}[8mhidden");
    }

    #[test]
    fn json_reads_back_as_the_same_text() {
        let json = serde_json::to_string(HOSTILE).unwrap();
        let harmless = harmless_json(&json);
        assert!(!harmless.contains(is_harmful), "{harmless}");
        let read: String = serde_json::from_str(&harmless).unwrap();
        assert_eq!(read, HOSTILE);
    }
}
