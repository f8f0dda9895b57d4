//! Whether the file that is expected has come, and if not, why.

use chrono::{DateTime, NaiveDate, Utc};
use returns_model::incident::{Area, Cause, Subject};
use returns_model::plan::Expected;
use returns_model::run_outcome::RunOutcome;
use returns_store::StoreError;

use super::arrival::{Arrival, arrivals, due_slot};
use super::findings::{FileFinding, Findings};
use super::run::RunContext;
use super::take::{TakenFile, TakenWhen};
use crate::listing::{Completeness, Listing, RemoteFile};

/// A day's file that is not there.
#[derive(Debug)]
pub(super) struct Absence {
    pub(super) cause: Cause,
    pub(super) day: NaiveDate,
    /// A file that comes from here on counts for another day.
    pub(super) until: DateTime<Utc>,
    /// Whether that moment had passed when it was judged.
    pub(super) is_over: bool,
}

impl Absence {
    /// What the alarm is about: what can be wrong with a file's content is reported of the source.
    pub(super) fn subject(&self, source: &str) -> Subject {
        if self.cause.area() == Area::Presence {
            of_day(source, self.day)
        } else {
            Subject::Source(source.to_owned())
        }
    }
}

/// A day's alarm.
pub(super) fn of_day(source: &str, day: NaiveDate) -> Subject {
    Subject::Day {
        source: source.to_owned(),
        day,
    }
}

/// Judges what was seen: what is empty, what is missing, what came late.
pub(super) async fn judge(
    work: &RunContext<'_>,
    listing: &Listing,
    taken: &[TakenFile],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for file in listing.empty.iter().filter(|_| !work.may_be_empty()) {
        let name = file.name.text();
        let finding = FileFinding::refused(file, Cause::FileEmpty { name });
        findings.files.push(finding);
    }
    let now = work.now();
    let arrivals = arrivals(work.store(), work.state, work.plan, now).await?;
    findings.late = arrivals.iter().any(|day| brings_late(findings, day));
    for day in &arrivals {
        if day.first.is_some() {
            // A day that has its file has recovered. That another is not due any more, because the
            // plan was changed or the source paused, shows nothing.
            let of_day = of_day(&work.source.name, day.expected.day);
            // Alarms of earlier versions named no day.
            for subject in [of_day, Subject::Source(work.source.name.clone())] {
                work.jobs.incidents.clear(subject, Area::Presence, now);
            }
        } else if day.is_missing() && !was_judged_and_is_over(work, &day.expected, now).await? {
            let seen = DayWithoutFile {
                work,
                listing,
                taken,
                refused: &findings.refused,
                day: &day.expected,
                now,
            };
            findings.presence = seen.absence().map(|cause| Absence {
                cause,
                day: day.expected.day,
                until: day.expected.until,
                is_over: day.expected.until <= now,
            });
        }
    }
    Ok(())
}

/// Whether the run for the day's deadline has judged the day, and the next day has begun since. Then
/// nothing that comes can count for the day any more, and its alarm is left to people: reported
/// again, it would come back after they closed it.
async fn was_judged_and_is_over(
    work: &RunContext<'_>,
    day: &Expected,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let slot = due_slot(day);
    if now < day.until || work.run.slot == slot {
        return Ok(false);
    }
    let due_run = returns_model::ids::run_id(&work.source.name, &slot);
    let ended = work.store().run(&due_run).await?.and_then(|run| run.ended);
    // One that could reach nothing was stopped before it could judge.
    let unreachable = [RunOutcome::SourceUnreachable, RunOutcome::StoreUnreachable];
    Ok(ended.is_some_and(|ended| !unreachable.contains(&ended.outcome)))
}

fn brings_late(findings: &Findings, day: &Arrival) -> bool {
    let new = findings.files.iter().filter(|finding| finding.is_new);
    let mut imports = new.filter_map(|finding| finding.file.import_id.as_deref());
    imports.any(|import_id| day.is_late_by(import_id))
}

/// What was seen at the acquirer, for a day that has no file.
struct DayWithoutFile<'a> {
    work: &'a RunContext<'a>,
    listing: &'a Listing,
    taken: &'a [TakenFile],
    refused: &'a [RemoteFile],
    day: &'a Expected,
    now: DateTime<Utc>,
}

impl DayWithoutFile<'_> {
    /// Why there is nothing to take. `None` when the day's file is there and was refused: that
    /// is reported as its own cause, and the day's alarm, if there is one, stays.
    fn absence(&self) -> Option<Cause> {
        let is_over = self.day.until <= self.now;
        let due = Some(self.day.due_here());
        if self.refused.iter().any(|file| self.is_of_the_day(file)) {
            return None;
        }
        // What is there once the next day has begun is the next day's.
        if let Some(file) = self.listing.growing.first().filter(|_| !is_over) {
            return Some(Cause::FileGrowing {
                name: file.name.text(),
                from_bytes: file.from_bytes,
                to_bytes: file.to_bytes,
            });
        }
        let of_the_day =
            |file: &&RemoteFile| file.modified_at.is_none() || self.is_of_the_day(file);
        let empty = self.listing.empty.iter().rfind(of_the_day);
        if let Some(file) = empty.filter(|_| !self.work.may_be_empty()) {
            return Some(Cause::FileEmpty {
                name: file.name.text(),
            });
        }
        if let Some(file) = self.listing.unmarked.iter().rfind(of_the_day) {
            return Some(self.unmarked(file));
        }
        let known = self.taken.iter().filter(|taken| {
            let modified_at = taken.file.modified_at;
            taken.when != TakenWhen::Now && modified_at.is_none_or(|at| at < self.day.until)
        });
        if let Some(file) = known
            .map(|taken| &taken.file)
            .max_by_key(|file| file.modified_at)
        {
            return Some(Cause::FileStale {
                name: file.name.text(),
                age_hours: self.age_hours(file),
                due,
            });
        }
        if let Some(file) = self.listing.unmarked.last().filter(|_| !is_over) {
            return Some(self.unmarked(file));
        }
        Some(Cause::FileMissing {
            directory: self.work.location.directory.clone(),
            pattern: self.work.location.pattern.as_str().to_owned(),
            due,
            others: (!is_over).then_some(self.listing.left_alone.len() as u64),
        })
    }

    fn unmarked(&self, file: &RemoteFile) -> Cause {
        let suffix = match &self.work.location.completeness {
            Completeness::Marker { suffix } => suffix.as_str(),
            // Without markers nothing waits for one.
            Completeness::Stable { .. } | Completeness::Rename => "",
        };
        Cause::FileUnmarked {
            name: file.name.text(),
            marker: file.name.with_suffix(suffix).text(),
        }
    }

    /// Whether a file was written on the day. One whose time is unknown, or older, may have
    /// been lying there for long.
    fn is_of_the_day(&self, file: &RemoteFile) -> bool {
        file.modified_at
            .is_some_and(|at| (self.day.from..self.day.until).contains(&at))
    }

    fn age_hours(&self, file: &RemoteFile) -> u64 {
        let hours = file.modified_at.map_or(0, |at| (self.now - at).num_hours());
        u64::try_from(hours).unwrap_or(0)
    }
}
