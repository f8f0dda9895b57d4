//! Breaking lines between words.

use super::{start, width};

/// The lines that a line of text becomes at a width. They are indented as it is, and the text of a
/// list's element stays under its first word.
pub(crate) fn wrap(line: &str, most: usize) -> Vec<String> {
    if width(line) <= most {
        return vec![line.to_owned()];
    }
    let body = line.trim_start_matches(' ');
    let first_indent = line.len() - body.len();
    let hanging = (first_indent + marker(body)).min(most / 2);
    let first_indent = first_indent.min(most / 2);
    let mut lines = vec![" ".repeat(first_indent)];
    let mut used = first_indent;
    let mut is_empty = true;
    for mut word in body.split(' ') {
        if !is_empty && used + 1 + width(word) > most {
            lines.push(" ".repeat(hanging));
            used = hanging;
            is_empty = true;
        }
        // A word that no line can hold.
        while used + width(word) > most {
            let fitting = start(word, most - used);
            push(&mut lines, fitting);
            lines.push(" ".repeat(hanging));
            used = hanging;
            word = &word[fitting.len()..];
        }
        if !is_empty {
            push(&mut lines, " ");
            used += 1;
        }
        push(&mut lines, word);
        used += width(word);
        is_empty = false;
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// The length of what a list's element begins with: `- `, `1. ` or `> `.
fn marker(body: &str) -> usize {
    let Some((first, _)) = body.split_once(' ') else {
        return 0;
    };
    let is_number = first.strip_suffix('.').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    match first {
        "-" | "*" | ">" => 2,
        _ if is_number => first.len() + 1,
        _ => 0,
    }
}

/// The words of a command line. What is in quotes is one word with what it touches.
pub(super) fn shell_words(line: &str) -> Vec<&str> {
    let mut quote = None;
    let words = line.split(|character: char| match (quote, character) {
        (None, ' ') => true,
        (None, '\'' | '"') => {
            quote = Some(character);
            false
        }
        (Some(open), _) if open == character => {
            quote = None;
            false
        }
        _ => false,
    });
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_keep_their_indentation() {
        assert_eq!(wrap("one two three", 20), ["one two three"]);
        assert_eq!(wrap("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(
            wrap("1. ask the acquirer again", 14),
            ["1. ask the", "   acquirer", "   again"]
        );
    }

    #[test]
    fn only_a_word_that_no_line_can_hold_is_broken() {
        assert_eq!(
            wrap("an imp_0123456789 is", 10),
            ["an", "imp_012345", "6789 is"]
        );
        for most in 8..40 {
            for line in wrap(
                "   返品返品返品返品 is a name, \x1b[31mred\x1b[0m here",
                most,
            ) {
                assert!(width(&line) <= most, "{most}: {line:?}");
            }
        }
    }

    #[test]
    fn quoted_words_stay_whole() {
        assert_eq!(
            shell_words("log --reason 'the feed' -d '{\"a\": 1}'"),
            ["log", "--reason", "'the feed'", "-d", "'{\"a\": 1}'"]
        );
    }
}
