//! `echeck parse`: shows what a file says, without any database. Memory stays flat: an entry is
//! printed as soon as it is read.

mod json;
mod profile;
mod table;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ach::format::{Emptiness, FileRejected, Item, ReadError, Summary};
use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use clap::Args;
use echeck_service::clock::{Clock as _, SystemClock};

use crate::output::{Out, Screen, harmless_json, out, print_json};

/// What to parse, and how.
#[derive(Debug, Args)]
pub(crate) struct ParseArguments {
    /// The file; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// The format of the file, unless it is NACHA: iso20022, x12, bai2, worldpay-echeck-return,
    /// worldpay-funding-reject, or the path of a TOML file with a profile (CSV, JSON, Excel).
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The date on which it was received. It determines the years that the file leaves out.
    /// Default: today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) received_on: Option<NaiveDate>,
    /// Differences of a NACHA file to tolerate, by the names of the source setting `tolerate`.
    #[arg(long, value_delimiter = ',', value_name = "money_totals,…")]
    pub(crate) tolerate: Vec<String>,
}

/// Exit codes of `echeck parse`.
mod exit {
    pub(super) const ACCEPTED: u8 = 0;
    pub(super) const WITH_REJECTS: u8 = 2;
    pub(super) const REJECTED: u8 = 3;
}

/// How a file ended.
struct FileOutcome {
    summary: Summary,
    rejected: Option<FileRejected>,
}

impl FileOutcome {
    /// Whether the file can be imported, and the reason if not, or if it is empty.
    fn verdict(&self) -> (bool, Option<String>) {
        match (&self.rejected, self.summary.emptiness) {
            (Some(why), _) => (false, Some(why.to_string())),
            (None, Some(Emptiness::NoBytes)) => (false, Some("the file is empty".to_owned())),
            (None, Some(Emptiness::HeaderOnly)) => (
                true,
                Some("the file has a header and no entries".to_owned()),
            ),
            (None, Some(Emptiness::Sentence)) => (
                true,
                Some("the file says that there is nothing to report".to_owned()),
            ),
            (None, Some(Emptiness::LeftOut)) => {
                (true, Some("everything in the file was left out".to_owned()))
            }
            (None, None) => (true, None),
        }
    }

    fn exit_code(&self) -> u8 {
        match self.verdict() {
            (false, _) => exit::REJECTED,
            (true, _) if self.summary.rejected > 0 => exit::WITH_REJECTS,
            (true, _) if self.summary.emptiness == Some(Emptiness::LeftOut) => exit::WITH_REJECTS,
            (true, _) => exit::ACCEPTED,
        }
    }
}

/// Prints the entries of the file. Returns the exit code.
pub(crate) fn run(arguments: &ParseArguments, as_json: bool) -> Result<u8> {
    let format = profile::format(arguments.profile.as_deref(), &arguments.tolerate)?;
    let received_on = arguments
        .received_on
        .unwrap_or_else(|| SystemClock.now().date_naive());
    let mut input = open(&arguments.file)?;
    let mut reader = format.open(&mut input, received_on);
    let mut printer = EntryPrinter::new(as_json);
    let mut rejected = None;
    for item in reader.by_ref() {
        match item {
            Ok(item) => printer.item(&item)?,
            Err(ReadError::Rejected(why)) => rejected = Some(why),
            Err(ReadError::Io(error)) => {
                return Err(error)
                    .with_context(|| format!("{} cannot be read", arguments.file.display()));
            }
        }
    }
    let mut outcome = FileOutcome {
        summary: reader.summary(),
        rejected,
    };
    if let (Some(why), None, 0) = (
        &mut outcome.rejected,
        &arguments.profile,
        outcome.summary.entries,
    ) {
        // What the file is was said already.
        if !why.why.starts_with("this is not a NACHA file: it is ") {
            why.why.push_str(profile::HINT);
        }
    }
    printer.summary(&outcome)?;
    Ok(outcome.exit_code())
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    Ok(Box::new(file))
}

/// Where entries are printed.
struct EntryPrinter {
    out: BufWriter<Out>,
    json: bool,
    table: table::EntryTable,
    begun: bool,
}

impl EntryPrinter {
    fn new(json: bool) -> Self {
        Self {
            out: BufWriter::with_capacity(64 << 10, out()),
            json,
            table: table::EntryTable::new(Screen::of_stdout()),
            begun: false,
        }
    }

    fn item(&mut self, item: &Item) -> io::Result<()> {
        if self.json {
            return writeln!(self.out, "{}", harmless_json(&json::item(item)));
        }
        if !self.begun {
            self.begun = true;
            writeln!(self.out, "{}", self.table.header())?;
        }
        match item {
            Item::Entry(_) => writeln!(self.out, "{}", self.table.item(item)),
            // Its text is wrapped.
            Item::Rejected(_) => {
                self.out.flush()?;
                writeln!(self.out.get_mut(), "{}", self.table.item(item))
            }
        }
    }

    fn summary(&mut self, outcome: &FileOutcome) -> io::Result<()> {
        self.out.flush()?;
        match self.json {
            true => print_json(&json::summary(outcome)),
            false => writeln!(
                self.out.get_mut(),
                "{}",
                table::summary(outcome, self.begun)
            ),
        }
    }
}
