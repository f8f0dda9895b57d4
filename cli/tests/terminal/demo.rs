//! The demo's story, and the lines that it suggests.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use ach::calendar::is_banking_day;
use chrono::NaiveDate;

use super::support::{assert_for_people, command, echeck, json, on_terminal, text};

/// The lines of the demo in a folder.
fn demo(home: &Path) -> Vec<String> {
    let output = echeck(&["demo"], home);
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_demo_tells_a_short_story_that_ends_in_a_verdict() {
    let home = tempfile::tempdir().unwrap();
    let lines = demo(home.path());
    assert!(lines.len() < 40, "{} lines: {lines:#?}", lines.len());
    let verdict = lines.last().unwrap();
    assert!(verdict.starts_with("71 entries, $"), "{verdict}");
    let ending = ": all accounted for, both databases agree.";
    assert!(verdict.ends_with(ending), "{verdict}");
    let shown = text(
        &on_terminal(80, &["demo"], home.path())
            .output()
            .unwrap()
            .stdout,
    );
    assert_for_people(&shown, 80, &["demo"]);
    assert!(shown.lines().count() < 45, "{shown}");
}

#[test]
fn every_date_of_the_demo_is_a_banking_day_that_is_not_in_the_future() {
    let home = tempfile::tempdir().unwrap();
    let lines = demo(home.path());
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    let dates: Vec<NaiveDate> = words.filter_map(|word| word.parse().ok()).collect();
    assert!(dates.len() >= 3, "{lines:#?}");
    // The machine's clock is the demo's; New York is never ahead of it.
    let today: NaiveDate =
        echeck_service::clock::Clock::now(&echeck_service::clock::SystemClock).date_naive();
    for date in &dates {
        assert!(is_banking_day(*date) && *date <= today, "{date}");
    }
    assert!(dates.is_sorted(), "{dates:?}");
    let file = std::fs::read_to_string(home.path().join("data/demo/files/ECheckReturnReport.CSV"));
    let file = file.unwrap();
    let cells = file.split([',', '\n']);
    let dates = cells.filter_map(|cell| NaiveDate::parse_from_str(cell, "%m/%d/%Y").ok());
    assert!(
        dates
            .inspect(|day| assert!(is_banking_day(*day) && *day <= today, "{day}"))
            .count()
            > 50
    );
}

#[test]
fn the_demo_says_the_same_to_programs() {
    let home = tempfile::tempdir().unwrap();
    let output = echeck(&["demo", "--json"], home.path());
    let told = &json(&output)[0];
    assert_eq!(told["entries"], 71, "{told}");
    assert_eq!(told["agreed"], true, "{told}");
    assert_eq!(told["imports"].as_array().unwrap().len(), 3);
}

/// The suggested lines are run as they stand, but for the ports: several tests run at a time.
#[test]
fn every_line_that_the_demo_suggests_works_when_it_is_pasted() {
    let home = tempfile::tempdir().unwrap();
    let lines = demo(home.path());
    let program = env!("CARGO_BIN_EXE_echeck");
    let is_suggestion = |line: &&String| {
        let line = line.trim_start();
        line.starts_with(program) || line.starts_with("grpcurl ")
    };
    let suggested: Vec<&String> = lines.iter().filter(is_suggestion).collect();
    assert!(suggested.len() > 5, "{lines:#?}");
    let any_ports = "--port 0 --gateway-port 0 --rallypay-port 0";
    let up = format!("exec {} {any_ports}", suggested[0].trim());
    let shell = |line: &str| {
        let mut shell = command("sh", home.path());
        shell.args(["-c", line]);
        shell
    };
    let mut stack = shell(&up).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(stack.stdout.take().unwrap()).lines();
    let address = said.find_map(|line| {
        let line = line.unwrap();
        let (_, address) = line.split_once("returns service")?;
        Some(address.trim().to_owned())
    });
    let address = address.unwrap();
    // It is announced when the profile is saved.
    assert!(said.any(|line| line.unwrap().contains("Ctrl-C")));
    for line in &suggested[1..] {
        let (_, port) = address.rsplit_once(':').unwrap();
        let line = line.replace("localhost:50051", &format!("localhost:{port}"));
        let path = std::env::var("PATH").unwrap_or_default();
        let pasted = shell(&line)
            .env("PATH", format!("{}:{path}", tools()))
            .output()
            .unwrap();
        // 2: something needs a person, which the demo has.
        assert!(
            matches!(pasted.status.code(), Some(0 | 2)),
            "{line}: {pasted:?}"
        );
        assert!(!pasted.stdout.is_empty(), "{line}: {pasted:?}");
    }
    let id = stack.id().to_string();
    Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(stack.wait().unwrap().success());
}

/// Where this repository's tools are.
fn tools() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin").to_owned()
}
