//! The demo's story, and the lines that it suggests.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

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

#[test]
fn every_line_that_the_demo_suggests_works_when_it_is_pasted() {
    let home = tempfile::tempdir().unwrap();
    let lines = demo(home.path());
    let program = env!("CARGO_BIN_EXE_echeck");
    let lines = lines.iter().map(|line| line.trim());
    let is_suggestion = |line: &&str| line.starts_with(program) || line.starts_with("grpcurl ");
    let suggested: Vec<&str> = lines.filter(is_suggestion).collect();
    assert!(suggested.len() > 5, "{suggested:#?}");
    paste(home.path(), &suggested);
}

#[test]
fn every_line_of_the_readme_works_after_the_demo_when_it_is_pasted() {
    let home = tempfile::tempdir().unwrap();
    let lines = demo(home.path());
    let folder = home.path().join("target/debug");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_echeck"), folder.join("echeck")).unwrap();

    let readme = include_str!("../../../README.md");
    let (_, after) = readme.split_once("After the demo, look further:").unwrap();
    let block = after.trim_start_matches('\n').lines();
    let block = block.take_while(|line| line.is_empty() || line.starts_with("    "));
    let code = block.filter_map(|line| line.split(" #").next());
    let code = code.map(str::trim).filter(|line| !line.is_empty());
    // "the demo prints a line to paste"
    let printed = lines
        .iter()
        .find_map(|line| line.split_once("echeck transfer "));
    let (_, transfer_id) = printed.unwrap();
    let code: Vec<String> = code
        .map(|line| line.replace("TR…", transfer_id.trim()))
        .collect();
    assert_eq!(code.len(), 3, "{code:#?}");
    paste(home.path(), &code);
}

/// Runs lines as they stand, but for the ports: several tests run at a time. The first starts the
/// stack.
fn paste(home: &Path, lines: &[impl AsRef<str>]) {
    let any_ports = "--port 0 --gateway-port 0 --rallypay-port 0";
    let up = format!("exec {} {any_ports}", lines[0].as_ref());
    let shell = |line: &str| {
        let mut shell = command("sh", home);
        shell.args(["-c", line]);
        shell
    };
    let mut stack = Running(shell(&up).stdout(Stdio::piped()).spawn().unwrap());
    let stack = &mut stack.0;
    let mut said = BufReader::new(stack.stdout.take().unwrap()).lines();
    let address = said.find_map(|line| {
        let line = line.unwrap();
        let (_, address) = line.split_once("returns service")?;
        Some(address.trim().to_owned())
    });
    let address = address.unwrap();
    // It is announced when the profile is saved.
    assert!(said.any(|line| line.unwrap().contains("Ctrl-C")));
    for line in &lines[1..] {
        let (_, port) = address.rsplit_once(':').unwrap();
        let line = line.as_ref();
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

/// A process that does not outlive a test that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ = self.0.kill();
    }
}

/// Where this repository's tools are.
fn tools() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin").to_owned()
}
