//! `echeck sample`: writes a file, or fills the databases of a world.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use echeck_service::clock::{Clock as _, SystemClock};

use super::{
    FilePlan, Layout, SampleWorld, bai2, echeck_return, excel, fill, funding_reject, iso20022,
    json, nacha, us_eastern_date, x12,
};
use crate::database::DatabaseArguments;
use crate::exit;
use crate::output::{Progress, out, print_json};
use crate::stack::DataFolder;

/// What to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleOutput {
    /// A NACHA return file.
    Nacha,
    /// Worldpay's report of returned eChecks.
    WorldpayEcheckReturn,
    /// Worldpay's report of returned payouts.
    WorldpayFundingReject,
    /// A statement of ISO 20022 (camt.053).
    Iso20022,
    /// X12 827.
    X12,
    /// A BAI2 report.
    Bai2,
    /// JSON, as docs/formats.md reads it.
    Json,
    /// An Excel workbook, as docs/formats.md reads it.
    Excel,
    /// The data folder of `echeck up`, with the payments in both databases.
    World,
}

/// What to create, and how much.
#[derive(Debug, Args)]
pub(crate) struct SampleArguments {
    /// What to create.
    #[arg(value_enum)]
    pub(crate) what: SampleOutput,
    /// The seed. The same seed gives the same world.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The number of payments in the world. Default: 1,000, or enough that a file has each payment
    /// only once.
    #[arg(long)]
    pub(crate) payments: Option<u64>,
    /// The number of entries in the file.
    #[arg(long, default_value_t = 100)]
    pub(crate) entries: u64,
    /// The number of returnable payments that earlier files have.
    #[arg(long, default_value_t = 0)]
    pub(crate) skip: u64,
    /// The maximum number of entries in a NACHA batch. Default: all in one batch.
    #[arg(long)]
    pub(crate) per_batch: Option<u64>,
    /// Entries per thousand whose payment is not in the world.
    #[arg(long, default_value_t = 0)]
    pub(crate) unknown: u64,
    /// Entries per thousand that are corrections (NACHA only).
    #[arg(long, default_value_t = 0)]
    pub(crate) corrections: u64,
    /// Entries per thousand with an unknown code.
    #[arg(long, default_value_t = 0)]
    pub(crate) strange: u64,
    /// The date in the world. Default: today in US Eastern time.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<NaiveDate>,
    /// The file to write (`-` is standard output), or the folder for a world.
    #[arg(long, default_value = "-")]
    pub(crate) out: PathBuf,
    /// Where the databases of a world are.
    #[command(flatten)]
    pub(crate) databases: DatabaseArguments,
}

/// Creates the file or the world. Returns the exit code.
pub(crate) async fn run(arguments: &SampleArguments, as_json: bool) -> Result<u8> {
    let world = SampleWorld {
        seed: arguments.seed,
        payments: arguments
            .payments
            .unwrap_or_else(|| enough_payments(arguments)),
        today: arguments
            .today
            .unwrap_or_else(|| us_eastern_date(SystemClock.now())),
    };
    if arguments.what == SampleOutput::World {
        let data = DataFolder::open(&arguments.out, &arguments.databases).await?;
        let mut progress = Progress::of_things(as_json, "payments");
        fill(world, data.gateway(), data.rallypay(), |done| {
            progress.set("creating", done, world.payments);
        })
        .await?;
        progress.finish();
        return written(arguments, as_json);
    }
    let plan = FilePlan {
        entries: arguments.entries,
        skip: arguments.skip,
        unknown_per_mille: arguments.unknown,
        corrections_per_mille: arguments.corrections,
        strange_per_mille: arguments.strange,
    };
    let layout = arguments
        .per_batch
        .map_or(Layout::OneBatch, |most| Layout::PerBatch(most.max(1)));
    open(&arguments.out)
        .and_then(|mut out| write(world, plan, arguments.what, layout, &mut out))
        .with_context(|| format!("{} cannot be written", arguments.out.display()))?;
    written(arguments, as_json)
}

/// Names what was written, for programs. Standard output has the file itself where that was asked
/// for.
fn written(arguments: &SampleArguments, as_json: bool) -> Result<u8> {
    if as_json && arguments.out != Path::new("-") {
        print_json(&serde_json::json!({ "file": arguments.out }))?;
    }
    Ok(exit::OK)
}

/// Of a hundred payments, 87 are debits that can come back, and 6 are payouts.
fn enough_payments(arguments: &SampleArguments) -> u64 {
    let entries = arguments.entries.saturating_add(arguments.skip);
    match arguments.what {
        SampleOutput::World => 1_000,
        SampleOutput::Nacha
        | SampleOutput::WorldpayEcheckReturn
        | SampleOutput::Iso20022
        | SampleOutput::X12
        | SampleOutput::Bai2
        | SampleOutput::Json
        | SampleOutput::Excel => entries.saturating_mul(2).max(1_000),
        SampleOutput::WorldpayFundingReject => entries.saturating_mul(20).max(1_000),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(out())));
    }
    Ok(Box::new(BufWriter::new(File::create(path)?)))
}

fn write(
    world: SampleWorld,
    plan: FilePlan,
    what: SampleOutput,
    layout: Layout,
    out: &mut Box<dyn Write>,
) -> io::Result<()> {
    match what {
        SampleOutput::Nacha => nacha(world, plan.debits(world), layout, out)?,
        SampleOutput::WorldpayEcheckReturn => echeck_return(world, plan.debits(world), out)?,
        SampleOutput::WorldpayFundingReject => funding_reject(world, plan.payouts(world), out)?,
        SampleOutput::Iso20022 => iso20022(world, plan.debits(world), out)?,
        SampleOutput::X12 => x12(world, plan.debits(world), out)?,
        SampleOutput::Bai2 => bai2(world, plan.debits(world), out)?,
        SampleOutput::Json => json(world, plan.debits(world), out)?,
        SampleOutput::Excel => excel(world, plan.debits(world), out)?,
        SampleOutput::World => {}
    }
    out.flush()
}
