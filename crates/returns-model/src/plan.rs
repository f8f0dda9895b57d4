//! When a source is checked, and when its file is due. Pure: every time is a parameter.
//!
//! All times of a plan are in its time zone. A slot that daylight saving skips runs right after the
//! gap; one that it repeats runs once. The same holds for due times.

use chrono::{
    DateTime, Datelike as _, Days as DayCount, LocalResult, NaiveDate, NaiveTime, TimeDelta,
    TimeZone as _, Utc, Weekday,
};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::incident::LocalTime;

/// How many days back or ahead a day of the plan is searched. The banks never close for more than four
/// days; a plan without a day in all these is refused.
const LONGEST_PAUSE_DAYS: u64 = 400;

/// The days of a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Days {
    /// Every day.
    All,
    /// Monday to Friday, holidays too.
    Weekdays,
    /// Days on which the Federal Reserve settles (`ach::calendar`).
    BankingDays,
}

impl Days {
    /// Every choice.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Its name in the configuration, the database and the API.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    fn have(self, day: NaiveDate) -> bool {
        match self {
            Self::All => true,
            Self::Weekdays => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
            Self::BankingDays => ach::calendar::is_banking_day(day),
        }
    }
}

/// A plan as it is written: in the configuration, in the database, in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanText {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// An IANA name, such as `America/New_York`.
    pub time_zone: String,
    pub days: Days,
    /// `HH:MM`, when each of these days has a file that is due.
    pub due: Option<String>,
    /// How long after it is due a file is missing.
    pub grace_minutes: u32,
}

/// A field of a plan that is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    pub field: &'static str,
    pub what: String,
}

/// When a source is checked, and when its file is due.
#[derive(Debug, Clone)]
pub struct Plan {
    text: PlanText,
    cron: Cron,
    zone: Tz,
    due: Option<NaiveTime>,
}

/// A day's file that is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The day, in the plan's time zone.
    pub day: NaiveDate,
    /// What comes from here on counts for this day.
    pub from: DateTime<Utc>,
    /// What comes from here on counts for the next day of the plan.
    pub until: DateTime<Utc>,
    /// When it is due.
    pub due: DateTime<Utc>,
    /// When it is missing: due and grace.
    pub deadline: DateTime<Utc>,
    /// The zone in which people read these times.
    pub zone: Tz,
}

impl Expected {
    /// When it is due, for people.
    pub fn due_here(&self) -> LocalTime {
        LocalTime {
            at: self.due,
            zone: self.zone,
        }
    }
}

impl Plan {
    /// The zone that its times are in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Reads a plan; every fault is reported at once.
    pub fn parse(text: PlanText) -> Result<Self, Vec<PlanFault>> {
        let mut faults = Vec::new();
        let mut fault = |field, what: String| faults.push(PlanFault { field, what });
        // With seconds, one wrong field would make a plan run sixty times a minute.
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser
            .parse(&text.cron)
            .map_err(|error| {
                fault(
                    "cron",
                    format!(
                        "{:?} is not a valid cron expression of five fields: {error}",
                        text.cron
                    ),
                );
            })
            .ok();
        let zone = text
            .time_zone
            .parse::<Tz>()
            .map_err(|_| {
                fault(
                    "time_zone",
                    format!(
                        "{:?} is not a valid time zone, such as America/New_York",
                        text.time_zone
                    ),
                );
            })
            .ok();
        let due = text.due.as_deref().and_then(|due| {
            NaiveTime::parse_from_str(due, "%H:%M")
                .map_err(|_| {
                    let what = format!("{due:?} is not a valid time of day, such as 09:30");
                    fault("due", what);
                })
                .ok()
        });
        if text.grace_minutes > 24 * 60 {
            fault("grace_minutes", "is more than a day".to_owned());
        }
        match (cron, zone) {
            (Some(cron), Some(zone)) if faults.is_empty() => Ok(Self {
                text,
                cron,
                zone,
                due,
            }),
            _ => Err(faults),
        }
    }

    /// The plan as it is written.
    pub fn text(&self) -> &PlanText {
        &self.text
    }

    /// The first slot after `now`.
    pub fn next_slot(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let horizon = now.checked_add_days(DayCount::new(LONGEST_PAUSE_DAYS))?;
        let mut at = now.with_timezone(&self.zone);
        loop {
            at = self.cron.find_next_occurrence(&at, false).ok()?;
            if at > horizon {
                return None;
            }
            if self.text.days.have(at.date_naive()) {
                return Some(at.with_timezone(&Utc));
            }
        }
    }

    /// The last slot in `(after, now]`.
    pub fn last_slot(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = now.with_timezone(&self.zone);
        let mut inclusive = true;
        loop {
            at = self.cron.find_previous_occurrence(&at, inclusive).ok()?;
            inclusive = false;
            if at <= after {
                return None;
            }
            if self.text.days.have(at.date_naive()) {
                return Some(at.with_timezone(&Utc));
            }
        }
    }

    /// What is expected on the day that `now` belongs to: the last day of the plan that has
    /// begun. On a Saturday that is Friday, so that Friday's file may still come.
    pub fn expected(&self, now: DateTime<Utc>) -> Option<Expected> {
        let today = now.with_timezone(&self.zone).date_naive();
        self.expected_on(self.last_day(today)?)
    }

    /// The last day whose file should have come before `now`, with its grace.
    pub fn last_deadline(&self, now: DateTime<Utc>) -> Option<Expected> {
        let expected = self.expected(now)?;
        if expected.deadline <= now {
            return Some(expected);
        }
        self.before(&expected)
    }

    /// The day of the plan before another.
    pub fn before(&self, expected: &Expected) -> Option<Expected> {
        self.expected_on(self.last_day(expected.day.pred_opt()?)?)
    }

    /// The next time after `now` at which a file would be missing.
    pub fn next_deadline(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut day = now.with_timezone(&self.zone).date_naive().pred_opt()?;
        for _ in 0..LONGEST_PAUSE_DAYS {
            if self.text.days.have(day)
                && let Some(expected) = self.expected_on(day)
                && expected.deadline > now
            {
                return Some(expected.deadline);
            }
            day = day.succ_opt()?;
        }
        None
    }

    fn last_day(&self, from: NaiveDate) -> Option<NaiveDate> {
        from.iter_days()
            .rev()
            .take(usize::try_from(LONGEST_PAUSE_DAYS).ok()?)
            .find(|day| self.text.days.have(*day))
    }

    fn next_day(&self, after: NaiveDate) -> Option<NaiveDate> {
        after
            .iter_days()
            .skip(1)
            .take(usize::try_from(LONGEST_PAUSE_DAYS).ok()?)
            .find(|day| self.text.days.have(*day))
    }

    fn expected_on(&self, day: NaiveDate) -> Option<Expected> {
        let due = self.at_local(day, self.due?)?;
        Some(Expected {
            day,
            from: self.at_local(day, NaiveTime::MIN)?,
            until: self.at_local(self.next_day(day)?, NaiveTime::MIN)?,
            due,
            zone: self.zone,
            deadline: due + TimeDelta::minutes(i64::from(self.text.grace_minutes)),
        })
    }

    /// A local time in UTC: the first of two, or the first after a gap.
    fn at_local(&self, day: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
        let mut local = day.and_time(time);
        // No zone has ever skipped more than a day.
        for _ in 0..=24 * 60 {
            match self.zone.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                    return Some(at.with_timezone(&Utc));
                }
                LocalResult::None => local += TimeDelta::minutes(1),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
