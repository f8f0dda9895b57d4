//! X12, BAI2 and ISO 20022. The first byte says which.

#![no_main]

use ach::format::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, file)) = input.split_first() else {
        return;
    };
    let format = match first % 3 {
        0 => Format::X12(Box::default()),
        1 => Format::Bai2(Box::default()),
        _ => Format::Iso20022(Box::default()),
    };
    echeck_fuzz::read_file(&format, file);
});
