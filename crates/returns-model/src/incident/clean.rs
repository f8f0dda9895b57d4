//! Text that others chose, made fit to be shown: without control characters, without characters that
//! are invisible or change the reading order, and with a maximum of length.

/// What stands for a character that is not shown.
const HIDDEN: char = '\u{fffd}';

/// Whether a character is invisible, or changes how those around it are read
/// (Unicode's bidirectional controls, zero-width characters, line separators, tags).
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{00ad}'
            | '\u{061c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// One line of at most `longest` characters.
pub fn line(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest));
    for (count, character) in text.trim().chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        shown.push(if character.is_control() {
            ' '
        } else if misleads(character) {
            HIDDEN
        } else {
            character
        });
    }
    shown
}

/// A sentence in one line: as [`line`], and with one full stop where it ends with several.
pub fn sentence(text: &str, longest: usize) -> String {
    let mut shown = line(text, longest);
    while shown.ends_with("..") {
        shown.pop();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_or_turns_the_text_around_is_taken_out() {
        assert_eq!(
            line("a\r\nBcc: x\u{202e}gpj\u{200b}\u{0}", 99),
            "a  Bcc: x\u{fffd}gpj\u{fffd} "
        );
        assert_eq!(line("Überweisung – 日本 ✓", 99), "Überweisung – 日本 ✓");
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(sentence("It failed: no..", 99), "It failed: no.");
    }
}
