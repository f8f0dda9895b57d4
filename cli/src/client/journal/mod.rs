//! `echeck journal`: the proof that the journal is sound, its rows, the adoption of a cursor, and the
//! way past a row that an adapter cannot read.

mod repair;
mod rows;
mod verify;

use clap::{Args, Subcommand};

use super::arguments::Change;
use super::connect::Client;
use crate::failure::Failure;

/// What to do with the journal.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck journal verify\n  echeck journal verify --targets\n  echeck journal show --after 100 --limit 5\n  \
    echeck journal adopt --database gateway --reason 'restored the backup of Sunday'\n\n\
    Exit codes of verify: 0 sound, 6 something is wrong, does not show, or could not be checked"
)]
pub(crate) struct JournalArguments {
    #[command(subcommand)]
    action: JournalAction,
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
enum JournalAction {
    /// Check that the returns database is what was written to it: the journal with its columns,
    /// hashes and signed checkpoints, imports, holds, exceptions, and the cursor of each database.
    Verify {
        /// Also check that each applied return still shows in each database.
        #[arg(long)]
        targets: bool,
    },
    /// Show rows.
    Show {
        /// Only rows after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// The maximum number of rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Skip rows that the adapter of a database cannot read, so that the rows after them are
    /// applied. Their entries become holds; the journal stays as it is.
    Skip(SkipArguments),
    /// Move the cursor of a database to a row of this journal, after the returns database was
    /// restored from a backup.
    Adopt(AdoptArguments),
}

/// What to skip.
#[derive(Debug, Args)]
struct SkipArguments {
    /// The database whose adapter cannot read the rows.
    #[arg(long)]
    database: String,
    /// The position of the row. Default: every row that the adapter has refused.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    position: u64,
    /// Do it. Without this the command only shows what it would do.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    change: Change,
}

/// What to adopt.
#[derive(Debug, Args)]
struct AdoptArguments {
    /// The database whose cursor does not fit the journal.
    #[arg(long)]
    database: String,
    /// The last row of this journal that the database has. Default: where its cursor is, if that is
    /// on a row of this journal; the start, if it has applied nothing; else the end of the journal.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    position: u64,
    /// Do it. Without this the command only shows what it would do.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(
    JournalArguments { action }: JournalArguments,
    service: &Client,
) -> Result<u8, Failure> {
    match action {
        JournalAction::Verify { targets } => verify::run(targets, service).await,
        JournalAction::Show { after, limit } => rows::list(after, limit, service).await,
        JournalAction::Skip(arguments) => repair::skip(arguments, service).await,
        JournalAction::Adopt(arguments) => repair::adopt(arguments, service).await,
    }
}
