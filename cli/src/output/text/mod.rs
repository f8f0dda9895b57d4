//! Text on its way to people: made harmless, measured, cut and wrapped.

mod harmless;
mod wrap;

use super::Screen;
use unicode_width::UnicodeWidthChar as _;

pub(crate) use harmless::harmless_json;
pub(super) use harmless::one_line;
pub(crate) use wrap::wrap;

/// What stands where text was cut.
const CUT: char = '…';

/// Text as it goes to `screen`: harmless, and wrapped at the width of a terminal.
pub(super) fn for_people(text: &str, screen: Screen) -> String {
    let text = harmless::lines(text, screen.color);
    let Some(width) = screen.width else {
        return text.into_owned();
    };
    let lines = text.split('\n');
    let lines = lines.map(|line| wrap(line, width).join("\n"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Text that keeps its lines.
pub(super) fn verbatim(text: &str) -> std::borrow::Cow<'_, str> {
    harmless::lines(text, false)
}

/// A command line to paste, indented. On a terminal a long one is continued with backslashes, so
/// that a paste of all its lines is one command.
pub(super) fn command(line: &str, screen: Screen) -> String {
    let line = harmless::lines(line, false);
    let words = wrap::shell_words(&line);
    let mut text = String::from(" ");
    let mut used = 1;
    let mut is_first = true;
    for word in words {
        let needed = 1 + width(word);
        // Two columns for the backslash.
        let is_full = screen.width.is_some_and(|most| used + needed + 2 > most);
        if is_full && !is_first {
            text.push_str(" \\\n   ");
            used = 3;
        }
        text.push(' ');
        text.push_str(word);
        used += needed;
        is_first = false;
    }
    text.push('\n');
    text
}

/// How many columns a text takes. Our own colors take none.
pub(super) fn width(text: &str) -> usize {
    glyphs(text).map(|(_, columns)| columns).sum()
}

/// The pieces of a text that must stay whole, each with its columns: characters, and our own
/// color sequences, which have none.
fn glyphs(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (length, columns) = match super::Tone::sequence_at(rest) {
            _ if first != '\x1b' => (first.len_utf8(), first.width().unwrap_or(0)),
            0 => (first.len_utf8(), 0),
            length => (length, 0),
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some((piece, columns))
    })
}

/// The longest start of `text` that takes at most `most` columns.
fn start(text: &str, most: usize) -> &str {
    let mut used = 0;
    let fitting = glyphs(text).take_while(|(_, columns)| {
        used += columns;
        used <= most
    });
    let length = fitting.map(|(piece, _)| piece.len()).sum();
    text.get(..length).unwrap_or(text)
}

/// Text of at most `most` columns. What is too long ends with an ellipsis: after a word, unless that
/// leaves less than half.
pub(super) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let kept = start(text, most.saturating_sub(1));
    let is_between_words = text[kept.len()..].starts_with(' ');
    let kept = match kept.rfind(' ') {
        Some(space) if !is_between_words && width(&kept[..space]) * 2 >= most => &kept[..space],
        Some(_) | None => kept,
    };
    let kept = kept.trim_end_matches([' ', ',', ';', ':', '.', '(', '-']);
    format!("{kept}{CUT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_after_a_word_and_within_one_only_when_little_else_is_left() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(
            cut("the amount differs from the transfer's", 20),
            "the amount differs…"
        );
        assert_eq!(cut("insufficient funds, again", 20), "insufficient funds…");
        assert_eq!(
            cut("a Donaudampfschifffahrtsgesellschaft", 12),
            "a Donaudamp…"
        );
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns_and_colors_none() {
        assert_eq!(width("längst"), 6);
        assert_eq!(width("返品"), 4);
        assert_eq!(width("\x1b[31mred\x1b[0m"), 3);
        assert_eq!(cut("返品返品返品", 5), "返品…");
        for most in 1..12 {
            assert!(width(&cut("返品 file 返品返品 name", most)) <= most.max(1));
        }
    }

    #[test]
    fn a_long_command_is_continued_with_backslashes_on_a_terminal_alone() {
        let line = "echeck log --reason 'the feed is slow' --server https://127.0.0.1:50051";
        assert_eq!(command(line, Screen::PIPE), format!("  {line}\n"));
        let narrow = Screen {
            width: Some(40),
            ..Screen::PIPE
        };
        let text = command(line, narrow);
        assert_eq!(
            text,
            "  echeck log --reason \\\n    'the feed is slow' --server \\\n    \
             https://127.0.0.1:50051\n"
        );
        assert!(text.lines().all(|line| width(line) <= 40));
    }
}
