//! The lines that the demo suggests. Each works when it is pasted.

use std::io;

use anyhow::Result;

use super::world::FILES;
use super::{DemoArguments, Outcome};
use crate::client::Profiles;
use crate::database::DatabaseArguments;
use crate::output::{bold, note, out};
use crate::stack::{OwnTrust, Ports};
use crate::up::{PROFILE, grpcurl};
use crate::words::shell_word;

/// Command lines.
pub(super) struct NextSteps {
    /// What starts the stack again.
    up: String,
    /// What asks it, in another terminal.
    ask: Vec<String>,
}

/// What to do after the demo.
pub(super) fn steps(
    arguments: &DemoArguments,
    outcome: &Outcome,
    trust: Option<&OwnTrust>,
) -> Result<NextSteps> {
    let program = std::env::args().next();
    let program = shell_word(&program.unwrap_or_else(|| "echeck".to_owned()));
    let data = shell_word(&arguments.data.display().to_string());
    // `up` saves a profile, which is in use unless another one is.
    let current = Profiles::load()?.current;
    let profile = match current.as_deref() {
        None | Some(PROFILE) => String::new(),
        Some(_) => format!(" --profile {PROFILE}"),
    };
    let mut ask = Vec::new();
    let mut add = |what: &str| ask.push(format!("{program} {what}{profile}"));
    if let Some(shown) = outcome.shown() {
        add(&format!("transfer {}", shown.transfer_id));
    }
    add("holds");
    if let Some(import) = outcome.imports.first() {
        add(&format!("imports show {}", import.import_id));
        add(&format!("report {} -o -", import.import_id));
    }
    add("journal verify --targets");
    let file = arguments.data.join("files").join(FILES[0].1);
    ask.push(format!(
        "{program} parse {}",
        shell_word(&file.display().to_string())
    ));
    let call = format!(
        "localhost:{} echeck.returns.v1.OperationsService/GetStatus",
        Ports::FIXED.returns
    );
    ask.push(grpcurl(trust, &call));
    Ok(NextSteps {
        up: format!("{program} up --data {data}"),
        ask,
    })
}

impl NextSteps {
    /// All lines.
    pub(super) fn all(&self) -> Vec<&str> {
        let up = std::iter::once(self.up.as_str());
        up.chain(self.ask.iter().map(String::as_str)).collect()
    }

    pub(super) fn print(&self, databases: &DatabaseArguments) -> io::Result<()> {
        writeln!(out(), "\n{}", bold("Look further: start the stack,"))?;
        out().command(&self.up)?;
        if databases.any() {
            // Their URLs are not printed, since they may hold passwords.
            note("with the same --returns-db, --gateway-db and --rallypay-db");
        }
        writeln!(out(), "{}", bold("and ask it in another terminal:"))?;
        self.ask.iter().try_for_each(|line| out().command(line))
    }
}
