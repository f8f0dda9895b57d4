//! A year of banking days on which all is well: nobody is to be woken.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Worldpay, eventually};
use proto::JobOutcome;

use super::running::{Job, first_line};
use super::setup::Setup;

/// The most alerts of a year in which nothing breaks.
const FALSE_ALARMS: usize = 1;

/// The days on which the banks work (`fed_holidays.csv`).
fn banking_days(year: i32) -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() == year);
    days.filter(|day| ach::calendar::is_banking_day(*day))
        .collect()
}

fn at(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour, minute, 0).unwrap().and_utc()
}

fn brings(run: &proto::JobRun, day: NaiveDate) -> bool {
    let name = day.to_string();
    run.files.iter().any(|file| file.name.contains(&name))
}

/// Every day a file is there before it is due, with one return, and it is fetched by the schedule.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_banking_days_has_no_false_alarm() {
    let days = banking_days(2027);
    let mut setup = Setup::new().await;
    setup.shipped = true;
    setup.more_sftp = "settle_ms = 10";
    let job = Job::start_at(setup, at(days[0], 0, 30) - TimeDelta::days(1)).await;
    job.due_on_banking_days("0 9 * * *", "UTC").await;
    let ids: Vec<String> = (0..days.len()).map(|n| format!("TR{n}")).collect();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    job.add_debits(&all).await;
    for (day, id) in days.iter().zip(&ids) {
        job.clock.set(at(*day, 8, 30));
        let text = Worldpay::new().returned(id, "R01").text();
        job.setup.publish_at(
            &format!("ECheckReturnReport_{day}.csv"),
            text,
            at(*day, 8, 0),
        );
        job.clock.set(at(*day, 9, 0));
        eventually("the file of the day is applied", async || {
            let runs = job.runs().await;
            runs.iter()
                .any(|run| run.outcome() == JobOutcome::Completed && brings(run, *day))
        })
        .await;
        // The deadline passes while nobody waits for it.
        job.clock.set(at(*day, 12, 0));
    }
    job.wait_for_a_look().await;
    let mails = job.setup.mail.mails();
    let lines: Vec<&str> = mails.iter().map(|mail| first_line(&mail.body)).collect();
    assert!(lines.len() <= FALSE_ALARMS, "{lines:#?}");
}
