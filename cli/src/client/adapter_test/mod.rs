//! `echeck adapter-test`: what docs/adapter.md promises of every adapter, tried on one that runs.

mod cases;
mod changes;
mod journal;

use clap::Args;
use serde_json::json;

use super::connect::Client;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Columns, Screen, Table, Tone, counted, field, out, print_json};

/// Which adapter is tried, and on what.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  echeck adapter-test 127.0.0.1:50052\n  \
    echeck adapter-test adapter.test:50052 --payment TR1 --payment TR2 --funded TR3 --ca ca.pem \\\n      \
    --cert returns.pem --key returns.key\n\n\
    The target is claimed for a journal of the test, so use a scratch database. One that belongs to an\n\
    installation is left alone.\n\n\
    Exit codes: 0 every case holds, 1 one does not, or the adapter cannot be reached")]
pub(crate) struct AdapterTestArguments {
    /// The adapter's address.
    #[arg(value_name = "HOST:PORT")]
    pub(super) address: String,
    #[command(flatten)]
    payments: Payments,
}

/// Payments of the target that the test may change.
#[derive(Debug, Args)]
pub(super) struct Payments {
    /// A pending debit, which is returned or fails. Four make every case with one possible.
    #[arg(long = "payment", value_name = "ID")]
    pending: Vec<String>,
    /// A debit that succeeded, which is reversed.
    #[arg(long, value_name = "ID")]
    funded: Option<String>,
    /// Its amount in minor units. A system of record is asked for it; a mirror may compare it.
    #[arg(long, value_name = "CENTS", requires = "funded", default_value_t = 100)]
    funded_amount_minor: i64,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Holds,
    Fails(String),
    /// It needs a payment, and there was none for it. What to give it.
    LeftOut(&'static str),
}

impl Verdict {
    const fn name(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails(_) => "fails",
            Self::LeftOut(_) => "left_out",
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Holds => "",
            Self::Fails(why) => why,
            Self::LeftOut(needs) => needs,
        }
    }
}

pub(super) async fn run(
    AdapterTestArguments { address, payments }: AdapterTestArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let journal = journal::Journal::open(service.adapter(), &address).await?;
    let verdicts = cases::try_all(journal, payments).await;
    if service.json {
        for (case, verdict) in &verdicts {
            print_json(&json!({"case": case, "verdict": verdict.name(), "why": verdict.why()}))?;
        }
    } else {
        Table::of_rows(
            verdicts
                .iter()
                .map(|(case, verdict)| columns(case, verdict)),
        )
        .print()?;
        summary(&verdicts)?;
    }
    let failed = verdicts
        .iter()
        .any(|(_, verdict)| matches!(verdict, Verdict::Fails(_)));
    Ok(exit::ok_if(!failed, exit::FAILED))
}

fn columns(case: &str, verdict: &Verdict) -> Columns {
    let (mark, tone) = match verdict {
        Verdict::Holds => ("✓", Tone::Good),
        Verdict::Fails(_) => ("✗", Tone::Bad),
        Verdict::LeftOut(_) => ("–", Tone::Quiet),
    };
    vec![
        field("", mark).tone(tone),
        field("CASE", case).text(),
        field("OBSERVED", verdict.why()).text(),
    ]
}

fn summary(verdicts: &[(&'static str, Verdict)]) -> Result<(), Failure> {
    let count = |name| {
        verdicts
            .iter()
            .filter(|(_, one)| one.name() == name)
            .count() as u64
    };
    let (failed, left_out) = (count("fails"), count("left_out"));
    let (line, tone) = match failed {
        0 => ("Every case that was tried holds.".to_owned(), Tone::Good),
        failed => {
            let cases = counted(failed, "case does", "cases do");
            (
                format!("{cases} not hold; docs/adapter.md says what is promised."),
                Tone::Bad,
            )
        }
    };
    writeln!(out(), "\n{}", tone.paint(&line, Screen::of_stdout()))?;
    if left_out > 0 {
        let cases = counted(left_out, "case was", "cases were");
        writeln!(out(), "{cases} left out: name more payments.")?;
    }
    Ok(())
}
