//! A profile as an operator writes it, and after a line `---` a file that is read by it.

#![no_main]

use ach::format::Format;
use ach::format::delimited::Profile;
use echeck_fuzz::{READER_BYTES, assert_small, read_file, size, within};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    const MARK: &[u8] = b"\n---\n";
    let mark = input.windows(MARK.len()).position(|part| part == MARK);
    let (text, file) = match mark {
        Some(at) => (&input[..at], &input[at + MARK.len()..]),
        None => (input, &b""[..]),
    };
    let Some(profile) = std::str::from_utf8(text)
        .ok()
        .and_then(|text| toml::from_str::<Profile>(text).ok())
    else {
        return;
    };
    within(READER_BYTES, || {
        assert_small(size(&profile.validate()), text.len());
    });
    // One with faults is refused at the start of a service, so no file is read by it.
    if profile.validate().is_empty() {
        read_file(&Format::Delimited(Box::new(profile)), file);
    }
});
