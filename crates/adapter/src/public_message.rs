//! Makes a database's message fit to be shown and recorded: it may quote values, and a value may
//! be an account number.

/// Longer messages are cut. The reason is at the start.
const MAX_CHARS: usize = 200;
/// A run of this many digits is hidden. A shorter one is a count or a code.
const HIDDEN_DIGITS: usize = 5;

/// Hides long runs of digits and cuts what is too long.
pub fn public_message(message: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for character in message.chars().chain(std::iter::once('\n')) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if digits.len() >= HIDDEN_DIGITS {
            shown.push_str("***");
        } else {
            shown.push_str(&digits);
        }
        digits.clear();
        shown.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    let shown = shown.trim();
    if shown.chars().count() <= MAX_CHARS {
        return shown.to_owned();
    }
    let cut: String = shown.chars().take(MAX_CHARS).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_digits_are_hidden_and_long_messages_cut() {
        assert_eq!(
            public_message("Duplicate entry '123456789' for key 2\n"),
            "Duplicate entry '***' for key 2"
        );
        assert_eq!(public_message("account 000123"), "account ***");
        assert_eq!(public_message("R01 at line 1234"), "R01 at line 1234");
        assert_eq!(
            public_message(&"ä".repeat(500)).chars().count(),
            MAX_CHARS + 1
        );
    }
}
