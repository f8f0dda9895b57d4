//! Whether the file that is expected has come.

use chrono::{DateTime, Utc};

use super::findings::{Finding, Findings};
use super::plan::{Expected, Plan};
use super::run::Work;
use crate::incident::{Area, Cause};
use crate::source::{RemoteFile, Stock};
use crate::store::{SourceState, Store, StoreError};

/// The last file that should have come by now, and when it came.
pub(crate) struct Arrival {
    pub(crate) expected: Expected,
    /// When the first file of its day was received; `None` while it is missing.
    pub(crate) first: Option<DateTime<Utc>>,
}

impl Arrival {
    fn is_late(&self) -> bool {
        self.first
            .is_some_and(|first| first > self.expected.deadline)
    }
}

/// Looks whether the last file that is due has come. `None` when none has been due since the
/// source is known. A day's file may come until the next day's is expected.
pub(crate) async fn arrival(
    store: &dyn Store,
    state: &SourceState,
    plan: Option<&Plan>,
    now: DateTime<Utc>,
) -> Result<Option<Arrival>, StoreError> {
    let expected = plan.and_then(|plan| plan.last_deadline(now));
    let Some(expected) = expected.filter(|day| day.deadline > state.known_since) else {
        return Ok(None);
    };
    let first = store
        .first_received_since(&state.source, expected.from)
        .await?;
    Ok(Some(Arrival { expected, first }))
}

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
    let arrival = arrival(work.store(), work.state, work.plan, now).await?;
    let is_new = findings.files.iter().any(|finding| finding.is_new);
    findings.late = is_new && arrival.as_ref().is_some_and(Arrival::is_late);
    match arrival {
        Some(Arrival {
            expected,
            first: None,
        }) => {
            findings.presence = Some(absence(work, stock, &expected, now));
        }
        Some(Arrival { first: Some(_), .. }) | None => {
            work.jobs.desk.clear(work.subject(), Area::Presence, now);
        }
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
