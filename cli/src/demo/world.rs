//! The world of the demo, and the acquirer's files of the day about it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use echeck_service::clock::{Clock as _, SystemClock};

use crate::sample::{
    FilePlan, Layout, SampleWorld, banking_day_until, echeck_return, fill, funding_reject, nacha,
    us_eastern_date,
};
use crate::stack::DataFolder;

/// Payments of the demo's world.
pub(super) const PAYMENTS: u64 = 400;

/// The files of the day: source and name.
pub(super) const FILES: [(&str, &str); 3] = [
    ("nacha", "RETURNS.ach"),
    ("worldpay_returns", "ECheckReturnReport.CSV"),
    ("worldpay_funding", "SubMerchantIBFundingReject.CSV"),
];

/// A world that is in both databases, and files about it.
pub(super) struct World {
    /// The day of the files: the last banking day.
    pub(super) day: NaiveDate,
    /// The folder of the files.
    pub(super) folder: PathBuf,
}

impl World {
    /// Fills both databases, and writes the files.
    pub(super) async fn create(seed: u64, data: &DataFolder, folder: &Path) -> Result<Self> {
        let world = SampleWorld {
            seed,
            payments: PAYMENTS,
            today: us_eastern_date(SystemClock.now()),
        };
        data.gateway().check_empty("transfers").await?;
        data.rallypay().check_empty("transactions").await?;
        fill(world, data.gateway(), data.rallypay(), |_| {}).await?;
        write_files(world, folder)?;
        Ok(Self {
            day: banking_day_until(world.today),
            folder: folder.to_owned(),
        })
    }
}

/// Removes what an earlier demo created, by name, and nothing else.
pub(super) fn remove_earlier(folder: &Path) -> Result<()> {
    for database in ["gateway.db", "rallypay.db", "returns.db"] {
        for suffix in ["", "-wal", "-shm"] {
            let path = folder.join(format!("{database}{suffix}"));
            if path.exists() {
                fs::remove_file(&path)
                    .with_context(|| format!("{} cannot be replaced", path.display()))?;
            }
        }
    }
    for name in ["spool", "bucket"] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("{} cannot be replaced", path.display()))?;
        }
    }
    Ok(())
}

/// The acquirer's files of the day, in all three formats, each about payments of its own.
fn write_files(world: SampleWorld, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let create = |name: &str| -> Result<BufWriter<File>> {
        let path = folder.join(name);
        let file =
            File::create(&path).with_context(|| format!("{} cannot be created", path.display()))?;
        Ok(BufWriter::new(file))
    };
    let first = FilePlan {
        corrections_per_mille: 150,
        unknown_per_mille: 50,
        strange_per_mille: 60,
        ..FilePlan::plain(40)
    };
    let mut out = create(FILES[0].1)?;
    nacha(world, first.debits(world), Layout::OneBatch, &mut out)?;
    out.flush()?;
    let second = FilePlan {
        skip: first.entries,
        unknown_per_mille: 30,
        ..FilePlan::plain(25)
    };
    let mut out = create(FILES[1].1)?;
    echeck_return(world, second.debits(world), &mut out)?;
    out.flush()?;
    let mut out = create(FILES[2].1)?;
    funding_reject(world, FilePlan::plain(6).payouts(world), &mut out)?;
    out.flush()?;
    Ok(())
}
