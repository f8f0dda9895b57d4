//! Showing answers: as JSON or as a table.

use std::io;

use prost::{Message, Name};

use super::connect::{Client, Listed};
use super::json;
use crate::exit;
use crate::failure::{Failure, missing};
use crate::output::{Columns, Table, counted, note, out};

impl Client {
    /// Shows what was found: with `--json` an object per line, or else a table, or `none` when
    /// there is nothing. Returns the exit code of a command that is done.
    pub(super) fn show_all<M: Message + Name + Default>(
        &self,
        found: &[M],
        none: &str,
        columns: impl Fn(&M) -> Columns,
    ) -> Result<u8, Failure> {
        if self.json {
            found.iter().try_for_each(print_json)?;
        } else if found.is_empty() {
            writeln!(out(), "{none}")?;
        } else {
            Table::of(found, columns).print()?;
        }
        Ok(exit::OK)
    }

    /// Shows a list as [`show_all`](Self::show_all) does, and says when there is more.
    pub(super) fn show_list<M: Message + Name + Default>(
        &self,
        listed: &Listed<M>,
        none: &str,
        columns: impl Fn(&M) -> Columns,
    ) -> Result<u8, Failure> {
        self.show_all(&listed.items, none, columns)?;
        if listed.has_more && !self.json {
            let shown = counted(listed.items.len() as u64, "row is", "rows are");
            note(&format!(
                "{shown} shown, and there are more: --limit shows more."
            ));
        }
        Ok(exit::OK)
    }

    /// Shows the one `what` that a call answered with, as [`show_all`](Self::show_all) does.
    pub(super) fn show_one<M: Message + Name + Default>(
        &self,
        what: &str,
        found: Option<M>,
        columns: impl Fn(&M) -> Columns,
    ) -> Result<u8, Failure> {
        let found = found.ok_or_else(|| missing(what))?;
        self.show_all(&[found], "", columns)
    }

    /// Shows one answer: with `--json` as an object, or else by `print`. Returns the exit code of
    /// a command that is done.
    pub(super) fn show<M: Message + Name>(
        &self,
        answer: &M,
        print: impl FnOnce(&M) -> io::Result<()>,
    ) -> Result<u8, Failure> {
        if self.json {
            print_json(answer)?;
        } else {
            print(answer)?;
        }
        Ok(exit::OK)
    }
}

/// Prints a message as one line of JSON.
pub(super) fn print_json<M: Message + Name>(message: &M) -> Result<(), Failure> {
    Ok(crate::output::print_json(&json::of(message)?)?)
}

/// Text, or a dash when it is empty.
pub(super) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}
