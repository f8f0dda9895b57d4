//! `echeck explain`: the runbook of a cause.

use anyhow::{Result, bail};
use clap::Args;
use include_dir::{Dir, include_dir};
use serde_json::json;

use crate::exit;
use crate::output::{Columns, Table, bold, field, out, print_json};

/// The runbooks, as they were when the command was built.
static RUNBOOKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../docs/runbooks");

/// Which cause.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The cause, such as key-refused. Default: list all.
    pub(crate) cause: Option<String>,
}

/// A cause with its runbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Runbook {
    /// Its name in the API, such as `KEY_REFUSED`.
    cause: &'static str,
    text: String,
}

/// Prints a runbook, or the names of all. Returns the exit code.
pub(crate) fn run(arguments: &ExplainArguments, as_json: bool) -> Result<u8> {
    let Some(wanted) = &arguments.cause else {
        list(as_json)?;
        return Ok(exit::OK);
    };
    let cause = wanted.to_ascii_uppercase().replace(['-', ' '], "_");
    let all = runbooks();
    let Some(found) = all.iter().find(|one| one.cause == cause) else {
        let close = all.iter().filter(|one| shares_a_word(one.cause, &cause));
        let close: Vec<String> = close.map(|one| cause_name(one.cause)).collect();
        let hint = match close.is_empty() {
            true => "`echeck explain` lists all causes".to_owned(),
            false => format!("there is {}", close.join(", ")),
        };
        bail!("{wanted} is not the name of a cause: {hint}");
    };
    match as_json {
        true => print_json(&json!({ "cause": found.cause, "text": found.text }))?,
        false => found.print()?,
    }
    Ok(exit::OK)
}

fn list(as_json: bool) -> Result<()> {
    let all = runbooks();
    if as_json {
        for one in &all {
            print_json(&json!({ "cause": one.cause, "text": one.text }))?;
        }
        return Ok(());
    }
    Table::of(&all, columns).print()?;
    Ok(())
}

fn columns(runbook: &Runbook) -> Columns {
    let quoted = runbook
        .text
        .lines()
        .find_map(|line| line.strip_prefix("> "));
    vec![
        field("CAUSE", cause_name(runbook.cause)),
        field("AN ALERT SAYS", quoted.unwrap_or_default()).text(),
    ]
}

/// A cause as people read and type it: `key-refused`.
pub(crate) fn cause_name(cause: &str) -> String {
    cause.to_ascii_lowercase().replace('_', "-")
}

impl Runbook {
    /// Prints the text for people: the quotation is an example of an alert.
    fn print(&self) -> std::io::Result<()> {
        writeln!(out(), "{}", bold(&cause_name(self.cause)))?;
        for line in self.text.lines().skip(1) {
            match line.strip_prefix("> ") {
                Some(alert) => writeln!(out(), "An alert says: {alert}")?,
                None => writeln!(out(), "{line}")?,
            }
        }
        Ok(())
    }
}

/// The runbooks, in the order of their causes.
fn runbooks() -> Vec<Runbook> {
    let read = |file: &'static include_dir::File<'static>| {
        let cause = file.path().file_stem()?.to_str()?;
        let lines = file.contents_utf8()?.lines();
        // What is for those who edit the file.
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with("<!--")).collect();
        let text = lines.join("\n").trim().to_owned();
        Some(Runbook { cause, text })
    };
    let mut all: Vec<Runbook> = RUNBOOKS.files().filter_map(read).collect();
    all.sort_unstable();
    all
}

fn shares_a_word(cause: &str, wanted: &str) -> bool {
    let words = || wanted.split('_').filter(|word| word.len() > 2);
    words().any(|word| cause.split('_').any(|of_cause| of_cause == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_explained_with_what_to_do() {
        let all = runbooks();
        let found = all.iter().find(|one| one.cause == "KEY_REFUSED").unwrap();
        assert!(found.text.contains("\n1. "), "{}", found.text);
        assert!(!found.text.contains("<!--"), "{}", found.text);
        assert_eq!(cause_name(found.cause), "key-refused");
    }

    #[test]
    fn a_name_that_is_nearly_right_leads_to_the_right_one() {
        assert!(shares_a_word("KEY_REFUSED", "KEY_REJECTED"));
        assert!(!shares_a_word("KEY_REFUSED", "DISK_FULL"));
    }
}
