//! Free text of others: no long number gets past.

#![no_main]

use echeck_fuzz::within;
use echeck_masking::without_long_numbers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // What is shown of it, and a number of it as characters, while both grow.
    within(256 + 16 * text.len(), || {
        let shown = without_long_numbers(text);
        assert!(shown.len() <= 2 * text.len() + 8, "{shown}");
        let mut runs = shown.split(|letter: char| !letter.is_ascii_digit());
        assert!(runs.all(|run| run.len() < 5), "{shown}");
    });
});
