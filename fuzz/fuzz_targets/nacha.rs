//! NACHA files. Mostly every difference is tolerated, so that the rest of the file is read.

#![no_main]

use ach::format::Format;
use ach::format::nacha::Tolerance;
use libfuzzer_sys::fuzz_target;

const EVERYTHING: Tolerance = Tolerance {
    entry_counts: true,
    entry_hash: true,
    money_totals: true,
    batch_count: true,
    block_count: true,
    missing_filler: true,
    missing_file_header: true,
    missing_file_control: true,
    missing_batch_header: true,
    missing_batch_control: true,
    batch_order: true,
    batch_fields: true,
    check_digits: true,
    surrounding_text: true,
};

fuzz_target!(|file: &[u8]| {
    let tolerance = match file.len() % 4 {
        0 => Tolerance::default(),
        _ => EVERYTHING,
    };
    echeck_fuzz::read_file(&Format::Nacha(tolerance), file);
});
