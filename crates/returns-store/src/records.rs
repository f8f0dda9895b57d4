//! Rows of results to records. Both kinds of database name their columns alike, so each
//! record is read in one place.

use chrono::{DateTime, Utc};
use returns_model::follower::{ExceptionKind, Fault, Progress, RowException};
use returns_model::hold::{HoldRecord, HoldState, NewHold};
use returns_model::import::{Checked, ImportRecord, NewImport, Phase, RejectedLine};
use returns_model::job::{
    AuditRecord, Came, NewRun, Paused, RunEnd, RunRecord, SourceState, Taken,
};
use returns_model::journal::{Hash, JournalRow, Row};
use returns_model::report::{ArchivedFile, FilesFault, FilesRecord, WrittenReport};
use returns_model::run_outcome::{RunOutcome, Trigger};
use returns_model::settlement::MadeTransfer;

use super::columns::{Columns, from_json, reason, unreadable};
use super::{DuplicateLine, ImportProgress, StoreError};

pub(super) fn journal_row(row: &impl Columns) -> Result<JournalRow, StoreError> {
    let position = row.count("position")?;
    let place = format!("journal position {position}");
    let payload = row.text("payload")?;
    let read: Row = from_json(&payload, &place)?;
    if read.schema != Row::SCHEMA {
        return Err(unreadable(
            &place,
            format!("schema {} is not known", read.schema),
        ));
    }
    if read.transfer.id != row.text("transfer_id")? {
        return Err(unreadable(
            &place,
            "its transfer_id column is not what its payload says",
        ));
    }
    Ok(JournalRow {
        position,
        hash: Hash::from_bytes(row.bytes("hash")?),
        payload,
        row: read,
        recorded_at: row.time("recorded_at")?,
        superseded_by: row.optional_count("superseded_by")?,
    })
}

pub(super) fn import_record(row: &impl Columns) -> Result<ImportRecord, StoreError> {
    let import_id = row.text("import_id")?;
    Ok(ImportRecord {
        new: NewImport {
            source: row.text("source")?,
            file_name: row.text("file_name")?,
            sha256: row.text("sha256")?,
            size_bytes: row.count("size_bytes")?,
            spool_name: row.text("spool_name")?,
            received_at: row.time("received_at")?,
        },
        reissued: row.flag("reissued")?,
        phase: phase(row, &import_id)?,
        done: row.count("done")?,
        totals: row.json("totals", "imports.totals")?,
        import_id,
    })
}

fn phase(row: &impl Columns, import_id: &str) -> Result<Phase, StoreError> {
    let place = format!("imports {import_id}");
    let missing = |what: &str| unreadable(&place, format!("{what} is missing"));
    let checked = || -> Result<Checked, StoreError> {
        let text = row
            .optional_text("checked")?
            .ok_or_else(|| missing("checked"))?;
        from_json(&text, &place)
    };
    let at = |column: &str| -> Result<DateTime<Utc>, StoreError> {
        row.optional_time(column)?.ok_or_else(|| missing(column))
    };
    match row.text("phase")?.as_str() {
        "checking" => Ok(Phase::Checking),
        "rejected" => {
            let why = row
                .optional_text("rejection")?
                .ok_or_else(|| missing("rejection"))?;
            Ok(Phase::Rejected {
                why: from_json(&why, &place)?,
                at: at("rejected_at")?,
            })
        }
        "deciding" => Ok(Phase::Deciding {
            checked: checked()?,
        }),
        "decided" => Ok(Phase::Decided {
            checked: checked()?,
            decided_at: at("decided_at")?,
        }),
        "applied" => Ok(Phase::Applied {
            checked: checked()?,
            decided_at: at("decided_at")?,
            applied_at: at("applied_at")?,
        }),
        other => Err(unreadable(&place, format!("{other:?} is no phase"))),
    }
}

pub(super) fn import_progress(row: &impl Columns) -> Result<ImportProgress, StoreError> {
    Ok(ImportProgress {
        rows: row.count("row_count")?,
        passed: row.count("passed")?,
        exceptions: row.count("exceptions")?,
        first_position: row.count("first_position")?,
        last_position: row.count("last_position")?,
        fault: row.optional_text("fault")?,
    })
}

pub(super) fn rejected_line(row: &impl Columns) -> Result<RejectedLine, StoreError> {
    Ok(RejectedLine {
        ordinal: row.count("ordinal")?,
        rejected: row.json("rejected", "import_rejected_lines.rejected")?,
    })
}

pub(super) fn hold_record(row: &impl Columns) -> Result<HoldRecord, StoreError> {
    let hold_id = row.text("hold_id")?;
    let place = format!("holds {hold_id}");
    let failed = match (
        row.optional_text("failed_database")?,
        row.optional_count("failed_position")?,
    ) {
        (Some(database), Some(position)) => Some((database, position)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(unreadable(
                &place,
                "failed_database and failed_position go together",
            ));
        }
    };
    Ok(HoldRecord {
        new: NewHold {
            source: row.text("source")?,
            import_id: row.text("import_id")?,
            ordinal: row.count("ordinal")?,
            reason: reason(row)?,
            detail: row.text("detail")?,
            entry: row.json("entry", &place)?,
            transfer_ids: row.json("transfer_ids", &place)?,
            failed,
            next_attempt_at: row.optional_time("next_attempt_at")?,
            hold_id,
        },
        state: row.word("state", &HoldState::ALL, HoldState::as_str)?,
        attempts: u32::try_from(row.count("attempts")?)
            .map_err(|error| unreadable(&place, error))?,
        held_at: row.time("held_at")?,
        closed_at: row.optional_time("closed_at")?,
        closed_by: row.optional_text("closed_by")?,
        note: row.optional_text("note")?,
        resolved_position: row.optional_count("resolved_position")?,
    })
}

pub(super) fn progress(row: &impl Columns) -> Result<Progress, StoreError> {
    let fault = match (
        row.optional_text("fault")?,
        row.optional_time("fault_since")?,
    ) {
        (Some(what), Some(since)) => Some(Fault { what, since }),
        (None, _) | (_, None) => None,
    };
    Ok(Progress {
        position: row.count("position")?,
        fault,
    })
}

pub(super) fn row_exception(row: &impl Columns) -> Result<RowException, StoreError> {
    Ok(RowException {
        position: row.count("position")?,
        kind: row.word("kind", &ExceptionKind::ALL, ExceptionKind::as_str)?,
        message: row.text("message")?,
    })
}

pub(super) fn source_state(row: &impl Columns) -> Result<SourceState, StoreError> {
    let plan = row.optional_text("plan")?;
    Ok(SourceState {
        source: row.text("source")?,
        known_since: row.time("known_since")?,
        due_since: row.time("due_since")?,
        plan: plan
            .map(|plan| from_json(&plan, "sources.plan"))
            .transpose()?,
        paused: match row.optional_time("paused_at")? {
            Some(at) => Some(Paused {
                at,
                by: row.text("paused_by")?,
                reason: row.text("paused_reason")?,
            }),
            None => None,
        },
        retry_at: row.optional_time("retry_at")?,
        retries: u32::try_from(row.count("retries")?).unwrap_or(u32::MAX),
        version: row.count("version")?,
    })
}

/// A file that came. `checked` is there for one whose bytes were known: it counts only when it
/// says that there is nothing.
pub(super) fn came(row: &impl Columns) -> Result<Option<Came>, StoreError> {
    if let Some(checked) = row.optional_text("checked")? {
        let checked: Checked = from_json(&checked, "imports.checked")?;
        if checked.items > 0 {
            return Ok(None);
        }
    }
    Ok(Some(Came {
        import_id: row.text("import_id")?,
        received_at: row.time("received_at")?,
        modified_at: row.optional_time("modified_at")?,
    }))
}

pub(super) fn run_record(row: &impl Columns) -> Result<RunRecord, StoreError> {
    let ended = match row.optional_time("ended_at")? {
        Some(at) => Some(RunEnd {
            at,
            outcome: row.word("outcome", &RunOutcome::ALL, RunOutcome::as_str)?,
            summary: row.text("summary")?,
            cause: row.optional_text("cause")?,
            files: row.json("files", "job_runs.files")?,
        }),
        None => None,
    };
    Ok(RunRecord {
        new: NewRun {
            run_id: row.text("run_id")?,
            source: row.text("source")?,
            slot: row.text("slot")?,
            slot_at: row.optional_time("slot_at")?,
            trigger: row.word("trigger", &Trigger::ALL, Trigger::as_str)?,
            actor: row.optional_text("actor")?,
            started_at: row.time("started_at")?,
        },
        ended,
    })
}

pub(super) fn taken(row: &impl Columns) -> Result<Taken, StoreError> {
    Ok(Taken {
        import_id: row.text("import_id")?,
        taken_at: row.time("taken_at")?,
        put_away_at: row.optional_time("put_away_at")?,
    })
}

pub(super) fn made_transfer(row: &impl Columns) -> Result<MadeTransfer, StoreError> {
    Ok(MadeTransfer {
        transfer_id: row.text("transfer_id")?,
        position: row.count("position")?,
        ready_at: row.optional_time("ready_at")?,
    })
}

pub(super) fn audit_record(row: &impl Columns) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        audit_id: row.text("audit_id")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        before: row.text("before")?,
        after: row.text("after")?,
        reason: row.text("reason")?,
    })
}

pub(super) fn duplicate_line(row: &impl Columns) -> Result<DuplicateLine, StoreError> {
    Ok(DuplicateLine {
        ordinal: row.count("ordinal")?,
        line: row.count("line")?,
        transfer_id: row.text("transfer_id")?,
        of_return_id: row.text("of_return_id")?,
        entry: row
            .optional_text("entry")?
            .map(|entry| from_json(&entry, "import_duplicates.entry"))
            .transpose()?,
    })
}

/// What the columns of `import_files` and `files_done` say; all of them are empty where there
/// is no row.
pub(super) fn files_record(row: &impl Columns) -> Result<FilesRecord, StoreError> {
    let archive = match row.optional_time("archived_at")? {
        Some(at) => Some(ArchivedFile {
            key: row.text("archive_key")?,
            sha256: row.text("archive_sha256")?,
            size_bytes: row.count("archive_size")?,
            at,
        }),
        None => None,
    };
    let report = match row.optional_time("reported_at")? {
        Some(at) => Some(WrittenReport {
            key: row.text("report_key")?,
            sha256: row.text("report_sha256")?,
            size_bytes: row.count("report_size")?,
            rows: row.count("report_rows")?,
            totals_key: row.text("totals_key")?,
            totals: row.text("totals")?,
            ties_out: row.flag("ties_out")?,
            at,
        }),
        None => None,
    };
    let fault = match row.optional_text("fault")? {
        Some(what) => Some(FilesFault {
            what,
            area: row.text("fault_area")?,
            since: row.time("fault_since")?,
        }),
        None => None,
    };
    Ok(FilesRecord {
        archive,
        report,
        attempts: row.optional_count("attempts")?.unwrap_or_default(),
        fault,
        done: row.flag("files_done")?,
    })
}
