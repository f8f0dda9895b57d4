//! Rows of imports to records.

use chrono::{DateTime, Utc};
use returns_model::import::{Checked, ImportRecord, NewImport, Phase, RejectedLine};

use crate::columns::{from_json, unreadable};
use crate::db::Record;
use crate::{ImportProgress, StoreError};

pub(super) fn import_record(row: &Record) -> Result<ImportRecord, StoreError> {
    let import_id = row.text("import_id")?;
    Ok(ImportRecord {
        new: NewImport {
            source: row.text("source")?,
            file_name: row.text("file_name")?,
            sha256: row.text("sha256")?,
            size_bytes: row.count("size_bytes")?,
            spool_name: row.text("spool_name")?,
            received_at: row.time("received_at")?,
            controls_accepted_by: row.optional_text("controls_accepted_by")?,
            trace: row.optional_text("trace")?,
        },
        reissued: row.flag("reissued")?,
        phase: phase(row, &import_id)?,
        done: row.count("done")?,
        totals: row.json("totals", "imports.totals")?,
        moves: row.json("moves", "imports.moves")?,
        import_id,
    })
}

fn phase(row: &Record, import_id: &str) -> Result<Phase, StoreError> {
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
        other => Err(unreadable(&place, format!("{other:?} is not a phase"))),
    }
}

pub(super) fn import_progress(row: &Record) -> Result<ImportProgress, StoreError> {
    Ok(ImportProgress {
        rows: row.count("row_count")?,
        passed: row.count("passed")?,
        exceptions: row.count("exceptions")?,
        first_position: row.count("first_position")?,
        last_position: row.count("last_position")?,
        fault: row.optional_text("fault")?,
    })
}

pub(super) fn rejected_line(row: &Record) -> Result<RejectedLine, StoreError> {
    Ok(RejectedLine {
        ordinal: row.count("ordinal")?,
        rejected: row.json("rejected", "import_rejected_lines.rejected")?,
    })
}
