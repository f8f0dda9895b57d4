//! The bank's file: one batch of returns, one of later stages, one of corrections, and controls
//! that add up.

use super::{Line, Says};

/// The originating bank of the world's payments, eight digits and the check digit.
pub(super) const ODFI: &str = "23138010";
const ODFI_CHECK: &str = "4";
/// The returning bank.
pub(super) const RDFI: &str = "09100001";

/// Where the trace numbers of later stages begin in each file; nobody looks at them.
const LATER_STAGES: usize = 8_000_000;
/// Where those of lines that cannot be read begin.
const UNREADABLE: usize = 9_000_000;

/// What a batch is of; a bank mixes them in none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Returns,
    LaterStages,
    Corrections,
}

impl Batch {
    fn of(line: &Line) -> Self {
        match line {
            Line::Entry(entry) => match entry.says {
                Says::Return { .. } => Self::Returns,
                Says::Dishonored { .. } | Says::Contested { .. } => Self::LaterStages,
                Says::Correction { .. } => Self::Corrections,
            },
            Line::Unreadable { .. } => Self::Returns,
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Totals {
    records: u64,
    hash: u64,
    debit_minor: i64,
    credit_minor: i64,
}

/// Writes a file. `serial` makes its bytes its own.
pub(super) fn write(lines: &[Line], serial: u64) -> Vec<u8> {
    let mut records = vec![format!(
        "101 {ODFI}{ODFI_CHECK} {RDFI}9261117{:04}{}094101{:<23}{:<23}{:8}",
        serial % 10_000,
        "A",
        "OUR BANK",
        "FED",
        ""
    )];
    let mut all = Totals::default();
    let mut batches = 0;
    for batch in lines.chunk_by(|one, next| Batch::of(one) == Batch::of(next)) {
        batches += 1;
        let totals = write_batch(batch, batches, &mut records);
        all.records += totals.records;
        all.hash += totals.hash;
        all.debit_minor += totals.debit_minor;
        all.credit_minor += totals.credit_minor;
    }
    let blocks = (records.len() + 1).div_ceil(10);
    records.push(format!(
        "9{batches:06}{blocks:06}{:08}{:010}{:012}{:012}{:39}",
        all.records,
        all.hash % 10_000_000_000,
        all.debit_minor,
        all.credit_minor,
        ""
    ));
    while records.len() % 10 != 0 {
        records.push("9".repeat(94));
    }
    let mut text = records.join("\n");
    text.push('\n');
    text.into_bytes()
}

fn write_batch(lines: &[Line], number: u64, records: &mut Vec<String>) -> Totals {
    let sec = match lines.first().map(Batch::of) {
        Some(Batch::Corrections) => "COR",
        Some(Batch::Returns | Batch::LaterStages) | None => "PPD",
    };
    records.push(format!(
        "5200{:<16}{:20}{:<10}{sec}{:<10}{:6}2611163201{RDFI}{number:07}",
        "RALLYPAY", "", "1234567890", "PAYMENT", ""
    ));
    let mut totals = Totals::default();
    for (place, line) in lines.iter().enumerate() {
        totals.hash += ODFI.parse::<u64>().unwrap_or_default();
        match line {
            Line::Entry(entry) => {
                let code = if entry.is_credit { "21" } else { "26" };
                let of = &entry.return_trace;
                let own = format!("{RDFI}{:07}", LATER_STAGES + place);
                let trace = if entry.says.is_later_stage() {
                    &own
                } else {
                    of
                };
                records.push(detail(code, entry.amount_minor, place, trace));
                let original = &entry.ach_trace;
                records.push(match &entry.says {
                    Says::Return { code } => {
                        format!("799{code}{original}{:6}{RDFI}{:44}{trace}", "", "")
                    }
                    Says::Correction { code, data } => {
                        format!(
                            "798{code}{original}{:6}{RDFI}{data:<29}{:15}{trace}",
                            "", ""
                        )
                    }
                    Says::Dishonored { code, of_code } => format!(
                        "799{code}{original}{:6}{RDFI}{:3}{of}320{}{:21}{trace}",
                        "",
                        "",
                        &of_code[1..],
                        ""
                    ),
                    Says::Contested {
                        code,
                        of_code,
                        dishonor_code,
                    } => format!(
                        "799{code}{original}{:6}{RDFI}{:3}{of}320{}{:15}321{} {trace}",
                        "",
                        "",
                        &of_code[1..],
                        "",
                        &dishonor_code[1..]
                    ),
                });
                totals.records += 2;
                if entry.is_credit {
                    totals.credit_minor += entry.amount_minor;
                } else {
                    totals.debit_minor += entry.amount_minor;
                }
            }
            Line::Unreadable { amount_minor } => {
                let trace = format!("{RDFI}{:07}", UNREADABLE + place);
                records.push(detail("26", *amount_minor, place, &trace));
                totals.records += 1;
                totals.debit_minor += amount_minor;
            }
        }
    }
    records.push(format!(
        "8200{:06}{:010}{:012}{:012}{:<10}{:25}{RDFI}{number:07}",
        totals.records,
        totals.hash % 10_000_000_000,
        totals.debit_minor,
        totals.credit_minor,
        "1234567890",
        ""
    ));
    totals
}

fn detail(code: &str, amount_minor: i64, place: usize, trace: &str) -> String {
    format!(
        "6{code}{ODFI}{ODFI_CHECK}{:<17}{amount_minor:010}{:<15}{:<22}  1{trace}",
        "556677889",
        format!("ID{place}"),
        "JANE DOE"
    )
}
