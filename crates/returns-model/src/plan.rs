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
}

impl Plan {
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
mod tests {
    use super::*;

    fn plan(cron: &str, zone: &str, days: Days, due: Option<&str>) -> Plan {
        Plan::parse(PlanText {
            cron: cron.into(),
            time_zone: zone.into(),
            days,
            due: due.map(str::to_owned),
            grace_minutes: 30,
        })
        .unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_slot_is_in_the_plans_time_zone_and_moves_with_daylight_saving() {
        let plan = plan("0 9 * * *", "America/New_York", Days::All, None);
        let next = |now| plan.next_slot(at(now)).unwrap();
        assert_eq!(next("2026-07-01T00:00:00Z"), at("2026-07-01T13:00:00Z"));
        assert_eq!(next("2026-12-01T00:00:00Z"), at("2026-12-01T14:00:00Z"));
    }

    #[test]
    fn a_slot_in_the_hour_that_is_skipped_runs_once_and_one_in_the_hour_that_repeats_too() {
        // 2026: clocks go forward on 8 March at 02:00 and back on 1 November at 02:00.
        let plan = plan("30 2 * * *", "America/New_York", Days::All, None);
        let spring = plan.next_slot(at("2026-03-08T05:00:00Z")).unwrap();
        assert_eq!(
            spring,
            at("2026-03-08T07:00:00Z"),
            "the first moment after the gap"
        );
        assert_eq!(plan.next_slot(spring).unwrap(), at("2026-03-09T06:30:00Z"));
        let hourly = super::tests::plan("30 1 * * *", "America/New_York", Days::All, None);
        let autumn = hourly.next_slot(at("2026-11-01T04:00:00Z")).unwrap();
        assert_eq!(autumn, at("2026-11-01T05:30:00Z"), "the first of the two");
        assert_eq!(
            hourly.next_slot(autumn).unwrap(),
            at("2026-11-02T06:30:00Z")
        );
        assert_eq!(
            hourly.last_slot(autumn, at("2026-11-01T07:00:00Z")),
            None,
            "the second half past one is no other slot"
        );
    }

    #[test]
    fn banking_days_leave_out_weekends_and_holidays() {
        let plan = plan(
            "0 9 * * *",
            "America/New_York",
            Days::BankingDays,
            Some("10:00"),
        );
        // Wednesday evening before Thanksgiving (2026-11-26).
        let next = plan.next_slot(at("2026-11-25T20:00:00Z")).unwrap();
        assert_eq!(
            next,
            at("2026-11-27T14:00:00Z"),
            "the day after is a banking day"
        );
        let deadline = plan.next_deadline(at("2026-11-25T20:00:00Z")).unwrap();
        assert_eq!(deadline, at("2026-11-27T15:30:00Z"));
        let over_the_weekend = plan.next_slot(at("2026-11-27T20:00:00Z")).unwrap();
        assert_eq!(over_the_weekend, at("2026-11-30T14:00:00Z"));
    }

    #[test]
    fn what_comes_on_a_holiday_counts_for_the_day_before() {
        let plan = plan(
            "0 9 * * *",
            "America/New_York",
            Days::BankingDays,
            Some("10:00"),
        );
        let expected = plan.expected(at("2026-11-26T18:00:00Z")).unwrap();
        assert_eq!(expected.day.to_string(), "2026-11-25");
        assert_eq!(expected.from, at("2026-11-25T05:00:00Z"));
        assert_eq!(expected.until, at("2026-11-27T05:00:00Z"));
        assert_eq!(expected.due, at("2026-11-25T15:00:00Z"));
        assert_eq!(expected.deadline, at("2026-11-25T15:30:00Z"));
    }

    #[test]
    fn the_last_deadline_is_the_day_befores_until_todays_has_passed() {
        let plan = plan(
            "0 9 * * *",
            "America/New_York",
            Days::BankingDays,
            Some("10:00"),
        );
        let day = |now| plan.last_deadline(at(now)).unwrap().day.to_string();
        assert_eq!(day("2026-11-27T15:29:59Z"), "2026-11-25");
        assert_eq!(day("2026-11-27T15:30:00Z"), "2026-11-27");
    }

    #[test]
    fn the_last_slot_is_the_newest_of_those_that_were_missed() {
        let plan = plan("*/15 * * * *", "UTC", Days::All, None);
        let last = |after, now| plan.last_slot(at(after), at(now));
        let (down, up) = ("2026-11-20T10:00:00Z", "2026-11-20T12:07:00Z");
        assert_eq!(last(down, up), Some(at("2026-11-20T12:00:00Z")));
        assert_eq!(last("2026-11-20T12:00:00Z", up), None);
    }

    #[test]
    fn every_fault_of_a_plan_is_told() {
        let faults = Plan::parse(PlanText {
            cron: "every day".into(),
            time_zone: "Mars/Base".into(),
            days: Days::All,
            due: Some("25:00".into()),
            grace_minutes: 5_000,
        })
        .unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["cron", "time_zone", "due", "grace_minutes"]);
    }

    #[test]
    fn a_cron_expression_with_seconds_is_refused() {
        let text = PlanText {
            cron: "0 * * * * *".into(),
            ..plan("* * * * *", "UTC", Days::All, None).text
        };
        assert_eq!(Plan::parse(text).unwrap_err()[0].field, "cron");
    }
}
