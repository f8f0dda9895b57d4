//! Makes a database's message fit to be shown and recorded: it may quote values, and a value may
//! be an account number.

use echeck_masking::without_long_numbers;

/// Longer messages are cut. The reason is at the start.
const MAX_CHARS: usize = 200;

/// Hides what may be an account number and cuts what is too long.
pub fn public_message(message: &str) -> String {
    let controls = |letter: char| if letter.is_control() { ' ' } else { letter };
    let line: String = message.chars().map(controls).collect();
    let shown = without_long_numbers(&line);
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
            "Duplicate entry '***6789' for key 2"
        );
        assert_eq!(
            public_message("Duplicate entry '9041-7263-5811'\tfor key 2"),
            "Duplicate entry '***5811' for key 2"
        );
        assert_eq!(public_message("account 000123"), "account ***123");
        assert_eq!(public_message("R01 at line 1234"), "R01 at line 1234");
        assert_eq!(
            public_message(&"ä".repeat(500)).chars().count(),
            MAX_CHARS + 1
        );
    }
}
