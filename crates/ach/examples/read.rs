//! Reads a return file and counts its entries, and nothing else: the cost of the parser alone, for
//! `scripts/parser-cost`.
//!
//! ```text
//! read nacha FILE       reads it as Nacha
//! read worldpay FILE    reads it as Worldpay's report of returned eChecks
//! read lines FILE       only looks for the ends of its lines: no parser can do with less
//! ```

#![expect(
    clippy::print_stdout,
    reason = "the count is what shows that the file was read"
)]

use std::error::Error;
use std::fs::File;
use std::io::Read as _;

use ach::format::nacha::Tolerance;
use ach::format::{Format, Item, worldpay};
use chrono::NaiveDate;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (what, path) = (arguments.next(), arguments.next());
    let mut file = File::open(path.ok_or("usage: read nacha|worldpay|lines FILE")?)?;
    let count = match what.as_deref() {
        Some("nacha") => entries(&Format::Nacha(Tolerance::default()), file)?,
        Some("worldpay") => {
            let profile = worldpay::echeck_return();
            entries(&Format::Delimited(Box::new(profile)), file)?
        }
        Some("lines") => {
            let mut buffer = vec![0; 64 << 10];
            let mut lines = 0;
            loop {
                match file.read(&mut buffer)? {
                    0 => break lines,
                    read => lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64,
                }
            }
        }
        _ => return Err("usage: read nacha|worldpay|lines FILE".into()),
    };
    println!("{count}");
    Ok(())
}

fn entries(format: &Format, file: File) -> Result<u64, Box<dyn Error>> {
    let received_on = NaiveDate::from_ymd_opt(2026, 12, 1).ok_or("a date")?;
    let mut reader = format.open(file, received_on);
    for item in reader.by_ref() {
        if let Item::Rejected(line) = item? {
            return Err(format!("a line cannot be read: {}", line.why).into());
        }
    }
    Ok(reader.summary().entries)
}
