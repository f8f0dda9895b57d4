//! `echeck sample`: write a file, or fill a world's databases.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use echeck_service::clock::{Clock as _, SystemClock};
use indicatif::ProgressBar;

use super::{Layout, Plan, World, echeck_return, fill, funding_reject, nacha};
use crate::database::DatabaseArguments;
use crate::stack::DataFolder;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// A NACHA return file.
    Nacha,
    /// Worldpay's report of returned eChecks.
    WorldpayEcheckReturn,
    /// Worldpay's report of returned payouts.
    WorldpayFundingReject,
    /// The data folder of `echeck up`, with the payments in both databases.
    World,
}

/// What to make, and how much of it.
#[derive(Debug, Args)]
pub struct SampleArguments {
    /// What to make.
    #[arg(value_enum)]
    pub what: What,
    /// What everything is computed from: the same seed, the same world.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many payments the world has; unless said 1,000, or enough that a file is about
    /// each only once.
    #[arg(long)]
    pub payments: Option<u64>,
    /// How many entries the file has.
    #[arg(long, default_value_t = 100)]
    pub entries: u64,
    /// How many returnable payments are left to earlier files.
    #[arg(long, default_value_t = 0)]
    pub skip: u64,
    /// At most so many entries in a NACHA batch; all in one when left out.
    #[arg(long)]
    pub per_batch: Option<u64>,
    /// Entries of a thousand whose payment the world does not have.
    #[arg(long, default_value_t = 0)]
    pub unknown: u64,
    /// Entries of a thousand that are corrections (NACHA only).
    #[arg(long, default_value_t = 0)]
    pub corrections: u64,
    /// Entries of a thousand with a code that no table has.
    #[arg(long, default_value_t = 0)]
    pub strange: u64,
    /// The day it is in the world; today unless said.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<NaiveDate>,
    /// The file to write (`-` is standard output), or the folder for a world.
    #[arg(long, default_value = "-")]
    pub out: PathBuf,
    /// Where a world's databases are.
    #[command(flatten)]
    pub databases: DatabaseArguments,
}

/// Makes what was asked for.
///
/// # Errors
/// When the file or the databases cannot be written.
pub async fn run(arguments: &SampleArguments) -> Result<u8> {
    let world = World {
        seed: arguments.seed,
        payments: arguments
            .payments
            .unwrap_or_else(|| enough_payments(arguments)),
        today: arguments
            .today
            .unwrap_or_else(|| SystemClock.now().date_naive()),
    };
    if arguments.what == What::World {
        let data = DataFolder::open(&arguments.out, &arguments.databases).await?;
        let bar = ProgressBar::new(world.payments);
        fill(world, data.gateway(), data.rallypay(), |done| {
            bar.set_position(done);
        })
        .await?;
        bar.finish_and_clear();
        return Ok(0);
    }
    let plan = Plan {
        entries: arguments.entries,
        skip: arguments.skip,
        unknown_per_mille: arguments.unknown,
        corrections_per_mille: arguments.corrections,
        strange_per_mille: arguments.strange,
    };
    let layout = arguments
        .per_batch
        .map_or(Layout::OneBatch, |most| Layout::PerBatch(most.max(1)));
    let written = open(&arguments.out)
        .and_then(|mut out| write(world, plan, arguments.what, layout, &mut out));
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        written => written
            .map(|()| 0)
            .with_context(|| format!("{} cannot be written", arguments.out.display())),
    }
}

/// Of a hundred payments 87 are debits that can come back, and 6 payouts.
fn enough_payments(arguments: &SampleArguments) -> u64 {
    let entries = arguments.entries.saturating_add(arguments.skip);
    match arguments.what {
        What::World => 1_000,
        What::Nacha | What::WorldpayEcheckReturn => entries.saturating_mul(2).max(1_000),
        What::WorldpayFundingReject => entries.saturating_mul(20).max(1_000),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    }
    Ok(Box::new(BufWriter::new(File::create(path)?)))
}

fn write(
    world: World,
    plan: Plan,
    what: What,
    layout: Layout,
    out: &mut Box<dyn Write>,
) -> io::Result<()> {
    match what {
        What::Nacha => nacha(world, plan.debits(world), layout, out)?,
        What::WorldpayEcheckReturn => echeck_return(world, plan.debits(world), out)?,
        What::WorldpayFundingReject => funding_reject(world, plan.payouts(world), out)?,
        What::World => {}
    }
    out.flush()
}
