//! The bank's file: batches of returns, of rejected entries, of later stages and of corrections, and
//! controls that add up.

use super::{Entry, Line, Says};

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
    /// Entries that are rejected one by one.
    Rejects,
    /// Entries that are rejected with their batch, by this code.
    RejectedWhole(&'static str),
    LaterStages,
    Corrections,
}

impl Batch {
    fn of(line: &Line) -> Self {
        match line {
            Line::Entry(entry) => match entry.says {
                Says::Return { .. } => Self::Returns,
                Says::Rejected {
                    with_batch: false, ..
                } => Self::Rejects,
                Says::Rejected {
                    code,
                    with_batch: true,
                } => Self::RejectedWhole(code),
                Says::Dishonored { .. } | Says::Contested { .. } => Self::LaterStages,
                Says::Correction { .. } => Self::Corrections,
            },
            Line::Unreadable { .. } => Self::Returns,
        }
    }

    /// The bank in the batch header, where a code stands that rejects the batch.
    const fn bank(self) -> &'static str {
        match self {
            Self::Returns | Self::LaterStages | Self::Corrections => RDFI,
            Self::Rejects => ODFI,
            Self::RejectedWhole(code) => code,
        }
    }

    const fn sec(self) -> &'static str {
        match self {
            Self::Corrections => "COR",
            Self::Returns | Self::Rejects | Self::RejectedWhole(_) | Self::LaterStages => "PPD",
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
    let batch = lines.first().map_or(Batch::Returns, Batch::of);
    let (sec, bank) = (batch.sec(), batch.bank());
    records.push(format!(
        "5200{:<16}{:20}{:<10}{sec}{:<10}{:6}2611163201{bank}{number:07}",
        "RALLYPAY", "", "1234567890", "PAYMENT", ""
    ));
    let mut totals = Totals::default();
    let mut above = None;
    for (place, line) in lines.iter().enumerate() {
        let mut own = match line {
            Line::Entry(entry) => entry_records(entry, place),
            Line::Unreadable { amount_minor } => {
                let trace = format!("{RDFI}{:07}", UNREADABLE + place);
                vec![detail("26", *amount_minor, place, &trace, true)]
            }
        };
        if above.is_some_and(|above| is_below(line, above)) {
            own.remove(0);
        } else {
            totals.hash += ODFI.parse::<u64>().unwrap_or_default();
        }
        totals.records += own.len() as u64;
        records.extend(own);
        match line {
            Line::Entry(entry) if entry.is_credit => totals.credit_minor += entry.amount_minor,
            Line::Entry(_) | Line::Unreadable { .. } => totals.debit_minor += line.amount_minor(),
        }
        above = Some(line);
    }
    records.push(format!(
        "8200{:06}{:010}{:012}{:012}{:<10}{:25}{bank}{number:07}",
        totals.records,
        totals.hash % 10_000_000_000,
        totals.debit_minor,
        totals.credit_minor,
        "1234567890",
        ""
    ));
    totals
}

/// Whether a correction is one line more below the entry of the one `above`.
fn is_below(line: &Line, above: &Line) -> bool {
    match (line, above) {
        (Line::Entry(line), Line::Entry(above)) => {
            let both = [line, above].map(|entry| matches!(entry.says, Says::Correction { .. }));
            both == [true, true]
                && line.transfer_id == above.transfer_id
                && line.return_trace == above.return_trace
        }
        (Line::Entry(_), Line::Unreadable { .. }) | (Line::Unreadable { .. }, _) => false,
    }
}

/// The records of an entry: its detail, and the addenda that says why it came. A rejected one has
/// a code for that.
fn entry_records(entry: &Entry, place: usize) -> Vec<String> {
    let code = if entry.is_credit { "21" } else { "26" };
    let (original, of) = (&entry.ach_trace, &entry.return_trace);
    let own = format!("{RDFI}{:07}", LATER_STAGES + place);
    let trace = if entry.says.is_later_stage() {
        &own
    } else {
        of
    };
    let with = |addenda: String| {
        vec![
            detail(code, entry.amount_minor, place, trace, true),
            addenda,
        ]
    };
    match &entry.says {
        Says::Return { code } => with(format!("799{code}{original}{:6}{RDFI}{:44}{trace}", "", "")),
        Says::Rejected { code, with_batch } => {
            let trace = if *with_batch {
                original.clone()
            } else {
                format!("{code}{}", &original[ODFI.len()..])
            };
            vec![detail("27", entry.amount_minor, place, &trace, false)]
        }
        Says::Correction { code, data } => with(format!(
            "798{code}{original}{:6}{RDFI}{data:<29}{:15}{trace}",
            "", ""
        )),
        Says::Dishonored { code, of_code } => with(format!(
            "799{code}{original}{:6}{RDFI}{:3}{of}320{}{:21}{trace}",
            "",
            "",
            &of_code[1..],
            ""
        )),
        Says::Contested {
            code,
            of_code,
            dishonor_code,
        } => with(format!(
            "799{code}{original}{:6}{RDFI}{:3}{of}320{}{:15}321{} {trace}",
            "",
            "",
            &of_code[1..],
            "",
            &dishonor_code[1..]
        )),
    }
}

fn detail(code: &str, amount_minor: i64, place: usize, trace: &str, has_addenda: bool) -> String {
    format!(
        "6{code}{ODFI}{ODFI_CHECK}{:<17}{amount_minor:010}{:<15}{:<22}  {}{trace}",
        "556677889",
        format!("ID{place}"),
        "JANE DOE",
        u8::from(has_addenda)
    )
}
