//! Which day a file counts for, and whether it came in time.
//!
//! No format that is read here names in its files the day for which they were to come, and the
//! dates in file names follow each acquirer's own habit (the day of the returns, or the one
//! after). So a file counts for the day in which it was received, by the plan's windows. One
//! exception: a file that was at the acquirer by an earlier day's deadline, and that we were
//! late to fetch, is that day's, when that day has no other. A time of the file from before
//! the day is not evidence, since servers keep a file's time when they copy it.
//!
//! Guessing more would be worse. If a late file were believed to be the missing one, Friday's
//! punctual file could end Thursday's alarm, and every day after would be judged one file off.
//! This way a day that was missed stays in alarm until a person closes it, and of two days that
//! are one file short there is always one alarm open.

use chrono::{DateTime, Utc};
use returns_model::job::{Came, SourceState};
use returns_model::plan::{Expected, Plan};
use returns_store::{Store, StoreError};

/// A day whose file is expected, and whether it came.
pub(crate) struct Arrival {
    pub(crate) expected: Expected,
    /// The first file of the day.
    pub(super) first: Option<First>,
    /// Whether the file should be there by now.
    is_due: bool,
}

/// The first file of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct First {
    pub(super) import_id: String,
    /// When it was at the acquirer, as far as is known; else when we received it.
    there_at: DateTime<Utc>,
}

impl Arrival {
    /// Whether the file is due, and has not come.
    pub(crate) fn is_missing(&self) -> bool {
        self.is_due && self.first.is_none()
    }

    /// Whether the day's file is this import, and it came after due time and grace. On a day
    /// on which it was not due, nothing is late.
    pub(super) fn is_late_by(&self, import_id: &str) -> bool {
        self.is_due
            && self.first.as_ref().is_some_and(|first| {
                first.import_id == import_id && first.there_at > self.expected.deadline
            })
    }
}

/// The name of the slot in which a day's deadline is judged.
pub(super) fn due_slot(expected: &Expected) -> String {
    format!("due {}", expected.day)
}

/// The last day whose deadline has passed, then the day that has begun since, if any. Empty where
/// nothing is ever due.
pub(crate) async fn arrivals(
    store: &dyn Store,
    state: &SourceState,
    plan: Option<&Plan>,
    now: DateTime<Utc>,
) -> Result<Vec<Arrival>, StoreError> {
    let Some(plan) = plan else {
        return Ok(Vec::new());
    };
    let Some(last) = plan.last_deadline(now) else {
        return Ok(Vec::new());
    };
    let begun = plan.expected(now).filter(|begun| begun.day != last.day);
    let earlier = plan.before(&last);
    let from = earlier.map_or(last.from, |earlier| earlier.from);
    let came = store.came_since(&state.source, from).await?;
    // Once its deadline was judged, a day stays due, even when the source is paused later.
    let is_due = last.deadline > state.due_since
        || store.slot_taken(&state.source, &due_slot(&last)).await?;
    let first = Arrival {
        first: first_of(&last, earlier.as_ref(), &came),
        is_due,
        expected: last,
    };
    let second = begun.map(|begun| Arrival {
        first: first_of(&begun, Some(&last), &came),
        is_due: false,
        expected: begun,
    });
    Ok(std::iter::once(first).chain(second).collect())
}

/// The first file of a day. `came` are all files since the day before began, or more.
fn first_of(day: &Expected, before: Option<&Expected>, came: &[Came]) -> Option<First> {
    let belated = before.and_then(|before| belated(before, came));
    let own = came
        .iter()
        .filter(|file| received_on(day, file) && Some(*file) != belated)
        .min_by_key(|file| there_at(day, file));
    own.or_else(|| belated_of(day, came)).map(|file| First {
        import_id: file.import_id.clone(),
        there_at: there_at(day, file),
    })
}

fn belated<'a>(day: &Expected, came: &'a [Came]) -> Option<&'a Came> {
    let has_own = came.iter().any(|file| received_on(day, file));
    if has_own { None } else { belated_of(day, came) }
}

/// The file that was there by the day's deadline, and that we received after the day.
fn belated_of<'a>(day: &Expected, came: &'a [Came]) -> Option<&'a Came> {
    came.iter()
        .filter(|file| file.received_at >= day.until && there_at(day, file) <= day.deadline)
        .min_by_key(|file| there_at(day, file))
}

fn received_on(day: &Expected, file: &Came) -> bool {
    (day.from..day.until).contains(&file.received_at)
}

/// When a file was at the acquirer, for all that a day's judge may believe.
fn there_at(day: &Expected, file: &Came) -> DateTime<Utc> {
    match file.modified_at {
        Some(at) if day.from <= at && at < file.received_at => at,
        Some(_) | None => file.received_at,
    }
}

#[cfg(test)]
mod tests {
    use returns_model::plan::{Days, PlanText};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Thursday and Friday, due at 10:00, with half an hour's grace.
    fn thursday_and_friday() -> (Expected, Expected) {
        let plan = Plan::parse(PlanText {
            cron: "0 9 * * *".into(),
            time_zone: "UTC".into(),
            days: Days::BankingDays,
            due: Some("10:00".into()),
            grace_minutes: 30,
        })
        .unwrap();
        let friday = plan.expected(at("2026-11-20T12:00:00Z")).unwrap();
        (plan.before(&friday).unwrap(), friday)
    }

    fn came(import_id: &str, received_at: &str, modified_at: Option<&str>) -> Came {
        Came {
            import_id: import_id.into(),
            received_at: at(received_at),
            modified_at: modified_at.map(at),
        }
    }

    /// The imports that count for Thursday and for Friday.
    fn judged(files: &[Came]) -> (Option<String>, Option<String>) {
        let (thursday, friday) = thursday_and_friday();
        let of = |day, before| first_of(day, before, files).map(|first| first.import_id);
        (of(&thursday, None), of(&friday, Some(&thursday)))
    }

    #[test]
    fn fridays_file_is_fridays_alone_when_thursdays_never_came() {
        let files = [came(
            "friday",
            "2026-11-20T09:00:00Z",
            Some("2026-11-20T08:50:00Z"),
        )];
        assert_eq!(judged(&files), (None, Some("friday".into())));
    }

    #[test]
    fn what_comes_after_midnight_counts_for_the_day_that_has_begun() {
        let files = [came(
            "late",
            "2026-11-20T00:30:00Z",
            Some("2026-11-19T23:50:00Z"),
        )];
        assert_eq!(judged(&files), (None, Some("late".into())));
    }

    #[test]
    fn a_file_that_was_there_in_time_and_that_we_fetched_a_day_later_is_its_own_days() {
        let thursday = came(
            "thursday",
            "2026-11-20T08:00:00Z",
            Some("2026-11-19T09:40:00Z"),
        );
        assert_eq!(
            judged(std::slice::from_ref(&thursday)),
            (Some("thursday".into()), None)
        );
        let friday = came(
            "friday",
            "2026-11-20T08:00:01Z",
            Some("2026-11-20T07:55:00Z"),
        );
        assert_eq!(
            judged(&[thursday, friday]),
            (Some("thursday".into()), Some("friday".into()))
        );
    }

    #[test]
    fn a_day_that_has_its_file_takes_no_other_days() {
        let files = [
            came("thursday", "2026-11-19T09:00:00Z", None),
            came(
                "friday",
                "2026-11-20T09:00:00Z",
                Some("2026-11-19T08:00:00Z"),
            ),
        ];
        assert_eq!(
            judged(&files),
            (Some("thursday".into()), Some("friday".into()))
        );
    }

    #[test]
    fn a_file_is_late_by_the_time_at_which_it_was_there_and_not_by_our_look() {
        let (thursday, friday) = thursday_and_friday();
        let late = |received_at, modified_at| {
            let files = [came("a", received_at, modified_at)];
            let arrival = Arrival {
                first: first_of(&friday, Some(&thursday), &files),
                expected: friday,
                is_due: true,
            };
            assert!(!arrival.is_late_by("b"), "another file of the run");
            arrival.is_late_by("a")
        };
        let looked_at = "2026-11-20T10:30:02Z";
        assert!(!late(looked_at, Some("2026-11-20T09:40:00Z")));
        assert!(late(looked_at, Some("2026-11-20T10:30:01Z")));
        // Their server says nothing, or has kept the time of an earlier copy.
        assert!(late(looked_at, None));
        assert!(late(looked_at, Some("2026-11-18T09:00:00Z")));
        assert!(late(looked_at, Some("1970-01-01T00:00:00Z")));
    }
}
