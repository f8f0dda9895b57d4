//! Slots and due times, also where daylight saving skips or repeats them.

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
fn every_fault_of_a_plan_is_reported() {
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
