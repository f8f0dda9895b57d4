//! The levels of a file (file, group, account), each of which says at its end what was in it.

use super::records::Record;
use crate::format::summary::plus;
use crate::format::{FileRejected, shown};

/// What was read of an open level.
pub(super) struct Level {
    /// The type of the record that opened it.
    pub(super) opened_by: &'static str,
    /// The sum of the amounts in it, with their signs, minor units.
    total: i64,
    /// How many levels of the next kind are in it.
    parts: u64,
    lines: u64,
}

/// The levels that are open, from the outside.
#[derive(Default)]
pub(super) struct Levels(Vec<Level>);

impl Levels {
    pub(super) fn innermost(&self) -> Option<&'static str> {
        self.0.last().map(|level| level.opened_by)
    }

    /// Opens a level in the one that it belongs to.
    pub(super) fn open(
        &mut self,
        record: &Record,
        opened_by: &'static str,
        outer: Option<&'static str>,
    ) -> Result<(), FileRejected> {
        if self.innermost() != outer {
            return Err(misplaced(record));
        }
        self.0.push(Level {
            opened_by,
            total: 0,
            parts: 0,
            lines: record.lines,
        });
        Ok(())
    }

    /// Counts a record within the innermost level.
    pub(super) fn count(&mut self, record: &Record, minor: i64) -> Result<(), FileRejected> {
        let Some(level) = self.0.last_mut() else {
            return Err(misplaced(record));
        };
        level.lines += record.lines;
        level.total = plus(level.total, minor, record.at)?;
        Ok(())
    }

    /// Closes a level, and compares it with what its last record says: the total, the number of its
    /// parts (unless it is an account) and the number of lines.
    pub(super) fn close(
        &mut self,
        record: &Record,
        opened_by: &'static str,
    ) -> Result<(), FileRejected> {
        let Some(mut level) = self.0.pop_if(|last| last.opened_by == opened_by) else {
            return Err(misplaced(record));
        };
        if !record.is_ended {
            let why =
                "the record has no / at its end, so it was probably cut off; fetch the file again";
            return Err(FileRejected::new(why).at(record.at).in_field(&record.kind));
        }
        level.lines += record.lines;
        let mut fields = record.fields();
        let mut compare = |what: &str, read: i128| {
            let said = fields.next().unwrap_or_default();
            if said.is_empty() || said.parse() == Ok(read) {
                return Ok(());
            }
            let why = format!(
                "it says {} as {what}, and the file has {read}: records are missing or doubled; fetch \
                 the file again",
                shown(said)
            );
            Err(FileRejected::new(why).at(record.at).in_field(&record.kind))
        };
        compare("the control total", i128::from(level.total))?;
        if opened_by != "03" {
            compare("the number of its parts", i128::from(level.parts))?;
        }
        compare("the number of records", i128::from(level.lines))?;
        if let Some(outer) = self.0.last_mut() {
            outer.parts += 1;
            outer.lines += level.lines;
            outer.total = plus(outer.total, level.total, record.at)?;
        }
        Ok(())
    }
}

fn misplaced(record: &Record) -> FileRejected {
    let why = "the record is not where it belongs: 01, 02, 03, 16, 49, 98 and 99 enclose each other in \
               this order";
    FileRejected::new(why).at(record.at).in_field(&record.kind)
}
