//! Whether the file that is expected has come.

use chrono::{DateTime, Utc};

use super::findings::{Finding, Findings};
use super::plan::Expected;
use super::run::Work;
use crate::incident::{Area, Cause};
use crate::source::{RemoteFile, Stock};
use crate::store::StoreError;

/// Judges what was seen: what is empty, what is missing, what came late.
pub(super) async fn judge(
    work: &Work<'_>,
    stock: &Stock,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for file in stock.empty.iter().filter(|_| !work.may_be_empty()) {
        findings.add(Finding::empty(file));
    }
    let now = work.now();
    let expected = work.plan.and_then(|plan| plan.last_deadline(now));
    let missing = match expected {
        Some(expected) if expected.deadline > work.state.known_since => {
            // A day's file may come until the next day's is expected.
            let source = &work.source.name;
            let first = work
                .store()
                .first_received_since(source, expected.from)
                .await?;
            let is_new = findings.files.iter().any(|finding| finding.is_new);
            findings.late = is_new && first.is_some_and(|first| first > expected.deadline);
            first.is_none()
        }
        Some(_) | None => false,
    };
    if missing && let Some(expected) = expected {
        findings.presence = Some(absence(work, stock, &expected, now));
    } else {
        work.jobs.desk.clear(work.subject(), Area::Presence, now);
    }
    Ok(())
}

/// Why there is nothing to take.
fn absence(work: &Work<'_>, stock: &Stock, expected: &Expected, now: DateTime<Utc>) -> Cause {
    let due = Some(expected.due);
    if let Some(file) = stock.growing.first() {
        return Cause::FileGrowing {
            name: file.name.text(),
            from_bytes: file.from_bytes,
            to_bytes: file.to_bytes,
        };
    }
    if let Some(file) = stock.empty.first() {
        return Cause::FileEmpty {
            name: file.name.text(),
        };
    }
    let age = |file: &RemoteFile| {
        let hours = file.modified_at.map_or(0, |at| (now - at).num_hours());
        u64::try_from(hours).unwrap_or(0)
    };
    match stock.complete.iter().max_by_key(|file| file.modified_at) {
        Some(newest) => Cause::FileStale {
            name: newest.name.text(),
            age_hours: age(newest),
            due,
        },
        None => Cause::FileMissing {
            directory: work.pickup.directory.clone(),
            pattern: work.pickup.pattern.as_str().to_owned(),
            due,
            others: stock.left_alone.len() as u64,
        },
    }
}
