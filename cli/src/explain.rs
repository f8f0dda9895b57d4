//! `echeck explain`: the runbook of a cause.

use anyhow::Result;
use clap::Args;
use include_dir::{Dir, include_dir};
use serde_json::json;

use crate::output::{out, print_error};

/// The runbooks, as they were when the command was built.
static RUNBOOKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../docs/runbooks");

/// Which cause.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The cause, such as KEY_REFUSED. Default: list all.
    pub(crate) cause: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints a runbook, or the names of all. Returns the exit code.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<u8> {
    let Some(wanted) = &arguments.cause else {
        for (cause, text) in runbooks() {
            match arguments.json {
                true => writeln!(out(), "{}", json!({ "cause": cause, "text": text }))?,
                false => writeln!(out(), "{cause}")?,
            }
        }
        return Ok(0);
    };
    let wanted = wanted.to_ascii_uppercase();
    let Some((cause, text)) = runbooks().find(|(cause, _)| *cause == wanted) else {
        let close = runbooks().map(|(cause, _)| cause);
        let close: Vec<&str> = close
            .filter(|cause| shares_a_word(cause, &wanted))
            .collect();
        let hint = match close.is_empty() {
            true => "`echeck explain` lists all causes".to_owned(),
            false => format!("there is {}", close.join(", ")),
        };
        print_error(&format!("{wanted} is not the name of a cause: {hint}."));
        return Ok(1);
    };
    match arguments.json {
        true => writeln!(out(), "{}", json!({ "cause": cause, "text": text }))?,
        false => writeln!(out(), "{text}")?,
    }
    Ok(0)
}

/// Causes with their texts, in the order of their names.
fn runbooks() -> impl Iterator<Item = (&'static str, String)> {
    let mut all: Vec<_> = RUNBOOKS
        .files()
        .filter_map(|file| {
            let cause = file.path().file_stem()?.to_str()?;
            let lines = file.contents_utf8()?.lines();
            // What is for those who edit the file.
            let lines: Vec<&str> = lines.filter(|line| !line.starts_with("<!--")).collect();
            Some((cause, lines.join("\n").trim().to_owned()))
        })
        .collect();
    all.sort_unstable();
    all.into_iter()
}

fn shares_a_word(cause: &str, wanted: &str) -> bool {
    let words = || wanted.split(['_', ' ', '-']).filter(|word| word.len() > 2);
    words().any(|word| cause.split('_').any(|of_cause| of_cause == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_explained_with_what_to_do() {
        let found = runbooks().find(|(cause, _)| *cause == "KEY_REFUSED");
        let (_, text) = found.unwrap();
        assert!(
            text.starts_with("# KEY_REFUSED\n") && text.contains("\n1. "),
            "{text}"
        );
        assert!(!text.contains("<!--"), "{text}");
    }
}
