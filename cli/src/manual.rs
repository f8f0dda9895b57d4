//! `echeck completions` and `echeck man`: what a shell and `man` know about this command.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::command::command_line;
use crate::exit;
use crate::output::{counted, out, print_json};

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to write man pages.
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The folder; it is created if it does not exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &CompletionArguments, as_json: bool) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command_line(), "echeck", &mut script);
    if as_json {
        let script = String::from_utf8(script)?;
        let shell = arguments.shell.to_string();
        print_json(&json!({ "shell": shell, "script": script }))?;
    } else {
        out().write_all(&script)?;
    }
    Ok(exit::OK)
}

/// Writes a page for each command.
pub(crate) fn pages(arguments: &ManArguments, as_json: bool) -> Result<u8> {
    let folder = &arguments.folder;
    let cannot_write = || format!("{} cannot be written", folder.display());
    fs::create_dir_all(folder).with_context(cannot_write)?;
    let mut command = command_line();
    command.build();
    let mut written = Vec::new();
    write_pages(&command, "echeck", &mut |name, page| {
        let file = folder.join(format!("{name}.1"));
        fs::write(&file, page).with_context(cannot_write)?;
        written.push(file);
        Ok(())
    })?;
    if as_json {
        for file in &written {
            print_json(&json!({ "file": file }))?;
        }
    } else {
        let pages = counted(written.len() as u64, "page", "pages");
        writeln!(out(), "{pages} written to {}.", folder.display())?;
    }
    Ok(exit::OK)
}

/// Gives the page of a command and those of its commands to `write`. A page's name has the names of
/// the commands above it, such as `echeck-holds-retry`.
fn write_pages(
    command: &clap::Command,
    name: &str,
    write: &mut impl FnMut(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .title(name.to_owned())
        .render(&mut page)?;
    write(name, &page)?;
    let shown = command.get_subcommands();
    for one in shown.filter(|one| !one.is_hide_set() && one.get_name() != "help") {
        write_pages(one, &format!("{name}-{}", one.get_name()), write)?;
    }
    Ok(())
}
