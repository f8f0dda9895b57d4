//! gzip and zip. The first byte says which; what comes out is read as the service does, up to a
//! bound.

#![no_main]

use std::io::Cursor;

use echeck_fuzz::{drain, within};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/returns-sources/src/unwrap/gzip.rs"]
mod gzip;
#[path = "../../crates/returns-sources/src/unwrap/zip.rs"]
mod zip;

/// The list of an archive, its end, and the state of the decompressor.
const MOST_MEMORY: usize = 8 << 20;
const MOST_BYTES: u64 = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((first, wrapped)) = input.split_first() else {
        return;
    };
    within(MOST_MEMORY, || match first {
        b'g' => {
            drain(gzip::open(wrapped), MOST_BYTES);
        }
        _ => {
            let said = zip::open(Cursor::new(wrapped)).and_then(|mut archive| {
                for (at, name) in zip::files(&mut archive)? {
                    assert!(name.len() <= wrapped.len());
                    drain(zip::file(&mut archive, at)?, MOST_BYTES);
                }
                Ok(())
            });
            assert!(said.err().is_none_or(|why| why.len() < 1_000));
        }
    });
});
