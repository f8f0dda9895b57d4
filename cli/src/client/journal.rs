//! `echeck journal`: the proof that the journal is sound, its rows, the adoption of a cursor, and the
//! way past a row that an adapter cannot read.

use std::io;

use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use serde_json::Value;

use super::connect::Client;
use super::proposals::print_proposed;
use super::show::{or_dash, time};
use super::{Change, Failure, exit};
use crate::output::{Columns, counted, out, progress_bar};

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
        JournalAction::Verify { targets } => verify(targets, service).await,
        JournalAction::Show { after, limit } => show(after, limit, service).await,
        JournalAction::Skip(arguments) => skip(arguments, service).await,
        JournalAction::Adopt(arguments) => adopt(arguments, service).await,
    }
}

async fn verify(targets: bool, service: &Client) -> Result<u8, Failure> {
    let ask = proto::VerifyJournalRequest { targets };
    let mut messages = service.operations().verify_journal(ask).await?.into_inner();
    let bar = progress_bar(service.json, "{wide_bar} {pos}/{len}");
    let mut verdict = None;
    while let Some(message) = messages.message().await? {
        bar.set_length(message.head_position);
        bar.set_position(message.checked);
        if message.done {
            verdict = Some(message);
        }
    }
    bar.finish_and_clear();
    let verdict = verdict
        .ok_or_else(|| anyhow::anyhow!("the service stopped before it had checked all rows"))?;
    service.show(&verdict, |verdict| {
        print_verdict(verdict)?;
        if targets {
            print_missing(verdict)?;
        }
        Ok(())
    })?;
    let right = verdict.sound && verdict.missing_count == 0;
    Ok(exit::ok_if(right, exit::NOT_SOUND))
}

fn print_verdict(verdict: &proto::VerifyJournalResponse) -> io::Result<()> {
    let rows = counted(verdict.checked, "row", "rows");
    if verdict.sound {
        writeln!(
            out(),
            "The journal is sound: {rows}, every hash and every column fits, and so do imports, \
             holds, exceptions and cursors."
        )?;
    } else if verdict.faults.is_empty() {
        writeln!(out(), "The journal ({rows}) could not be checked fully:")?;
    } else {
        writeln!(out(), "The journal is NOT sound ({rows} checked):")?;
    }
    for what in verdict.faults.iter().chain(&verdict.unchecked) {
        writeln!(out(), "  {what}")?;
    }
    if verdict.proven_position > 0 {
        let position = verdict.proven_position;
        writeln!(
            out(),
            "A signed checkpoint proves the rows up to position {position}."
        )?;
    }
    if !verdict.end_unproven.is_empty() {
        let why = &verdict.end_unproven;
        writeln!(out(), "The end of the journal is not proven: {why}.")?;
    }
    Ok(())
}

fn print_missing(verdict: &proto::VerifyJournalResponse) -> io::Result<()> {
    let compared = counted(verdict.compared, "step", "steps");
    if verdict.missing_count == 0 {
        return writeln!(
            out(),
            "Every applied return that was compared still shows ({compared})."
        );
    }
    let missing = counted(verdict.missing_count, "applied return", "applied returns");
    writeln!(
        out(),
        "NOT shown any more: {missing} ({compared} compared):"
    )?;
    for one in &verdict.missing {
        let (database, position) = (&one.database, one.position);
        writeln!(out(), "  {database}, position {position}: {}", one.message)?;
    }
    Ok(())
}

async fn show(after_position: u64, limit: u32, service: &Client) -> Result<u8, Failure> {
    let ask = proto::ListJournalRequest {
        after_position,
        limit,
    };
    let answer = service.operations().list_journal(ask).await?.into_inner();
    service.show_all(&answer.rows, "No rows.", columns)
}

/// What a row is about. The whole payload is in the JSON.
fn columns(row: &proto::JournalRow) -> Columns {
    let payload: Value = serde_json::from_str(&row.payload_json).unwrap_or_default();
    let effect = payload["effect"]
        .as_object()
        .and_then(|effect| effect.keys().next());
    let effect = effect.map_or("-", String::as_str);
    let text = |path| {
        or_dash(
            payload
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )
    };
    vec![
        (">POSITION", row.position.to_string()),
        ("RECORDED", time(row.recorded_at.as_ref())),
        ("EFFECT", effect.to_string()),
        ("TRANSFER", text("/transfer/id")),
        ("RETURN", text("/return_id")),
        ("IMPORT", text("/import_id")),
        ("HASH", format!("{:.16}…", row.row_hash)),
    ]
}

async fn skip(arguments: SkipArguments, service: &Client) -> Result<u8, Failure> {
    let SkipArguments {
        database,
        position,
        yes,
        change,
    } = arguments;
    let ask = proto::SkipJournalRowsRequest {
        database: database.clone(),
        position,
        request_id: change.request.request_id,
        reason: change.reason,
        validate_only: !yes,
    };
    let answer = service.operations().skip_journal_rows(ask).await?;
    service.show(&answer.into_inner(), |answer| {
        for row in &answer.rows {
            writeln!(out(), "row {}: {}", row.position, row.why)?;
        }
        let rows = counted(answer.rows.len() as u64, "row", "rows");
        if yes {
            writeln!(
                out(),
                "Skipped {rows} in {database}. See `echeck holds` and `echeck audit`."
            )
        } else {
            writeln!(
                out(),
                "Nothing was changed; repeat the command with --yes to skip {rows}."
            )
        }
    })
}

async fn adopt(arguments: AdoptArguments, service: &Client) -> Result<u8, Failure> {
    let AdoptArguments {
        database,
        position,
        yes,
        change,
    } = arguments;
    let ask = proto::AdoptCursorRequest {
        database: database.clone(),
        position,
        request_id: change.request.request_id,
        reason: change.reason,
        validate_only: !yes,
    };
    let answer = service.operations().adopt_cursor(ask).await?.into_inner();
    service.show(&answer, |answer| print_adoption(&database, answer))
}

fn print_adoption(database: &str, answer: &proto::AdoptCursorResponse) -> io::Result<()> {
    if !answer.proposal_id.is_empty() {
        return print_proposed(&answer.proposal_id);
    }
    writeln!(out(), "The cursor of {database}:")?;
    for (word, cursor) in [
        ("from", &answer.previous_cursor),
        ("to", &answer.new_cursor),
    ] {
        let cursor = cursor.clone().unwrap_or_default();
        writeln!(
            out(),
            "  {word:<4}  position {:>10}  hash {:.16}…  journal {}",
            cursor.position,
            cursor.row_hash,
            cursor.journal_id
        )?;
    }
    match answer.adoption_id.as_str() {
        "" => writeln!(
            out(),
            "Nothing was changed; repeat the command with --yes to do it."
        ),
        id => writeln!(out(), "Adopted; recorded as {id}."),
    }
}
