//! The lines of a report: every entry of a file in the file's order, with what became of it by
//! now. They are put together window by window from what the store has of an import, so
//! that a million of them need no more memory than a thousand.

use std::collections::{BTreeSet, HashMap, VecDeque};

use returns_model::dishonor::DishonorMark;
use returns_model::follower::RowException;
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::import::RejectedLine;
use returns_model::journal::JournalRow;
use returns_store::{DuplicateLine, PrenoteLine, Store};

use super::ReportError;
use super::line::ReportLine;
use super::line_status::{EntryHistory, EntryRecord};

/// Entries that are put together at once.
const WINDOW: u64 = 1_000;

/// The maximum number of differences that are described.
const MAX_DIFFERENCES: usize = 20;

/// Reads the lines of one import.
pub(super) struct ReportLines<'a> {
    store: &'a dyn Store,
    import_id: &'a str,
    /// The databases, the system of record first.
    databases: &'a [String],
    /// How far each database had passed the journal when the reading began.
    passed: Vec<u64>,
    /// Entries and unreadable lines of the file.
    items: u64,
    next: u64,
    /// First rows that were read ahead, and the position after which more are read.
    ahead: VecDeque<JournalRow>,
    position: u64,
    /// Journal rows of the import that were seen, and exceptions by database.
    pub(super) rows_seen: u64,
    pub(super) exceptions_seen: Vec<u64>,
    /// Where the lines and the file do not fit together.
    pub(super) differences: Vec<String>,
}

/// Everything that the store has of a window's entries.
#[derive(Default)]
struct Window {
    rows: HashMap<u64, JournalRow>,
    duplicates: HashMap<u64, DuplicateLine>,
    rejected: HashMap<u64, RejectedLine>,
    prenotes: HashMap<u64, PrenoteLine>,
    /// Holds of entries, by entry.
    holds: HashMap<u64, HoldRecord>,
    /// Holds of rows that did not take effect, by database and position.
    row_holds: HashMap<(String, u64), HoldRecord>,
    /// Rows that replaced others, by the position of the one they replaced.
    successors: HashMap<u64, JournalRow>,
    exceptions: HashMap<(String, u64), RowException>,
    /// Why entries may be dishonored, by entry.
    marks: HashMap<u64, DishonorMark>,
}

impl<'a> ReportLines<'a> {
    pub(super) async fn begin(
        store: &'a dyn Store,
        import_id: &'a str,
        items: u64,
        databases: &'a [String],
    ) -> Result<Self, ReportError> {
        let mut passed = Vec::with_capacity(databases.len());
        for database in databases {
            passed.push(store.progress(database).await?.position);
        }
        Ok(Self {
            store,
            import_id,
            databases,
            passed,
            items,
            next: 0,
            ahead: VecDeque::new(),
            position: 0,
            rows_seen: 0,
            exceptions_seen: vec![0; databases.len()],
            differences: Vec::new(),
        })
    }

    /// Whether every entry was dealt with.
    pub(super) fn is_at_end(&self) -> bool {
        self.next == self.items
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<ReportLine>, ReportError> {
        let from = self.next;
        let to = self.items.min(from.saturating_add(WINDOW));
        self.next = to;
        if from == to {
            return Ok(Vec::new());
        }
        let window = self.read(from, to).await?;
        let mut lines = Vec::new();
        for ordinal in from..to {
            lines.extend(self.line(ordinal, &window));
        }
        Ok(lines)
    }

    async fn read(&mut self, from: u64, to: u64) -> Result<Window, ReportError> {
        let mut window = Window::default();
        for line in self.store.duplicates_of(self.import_id, from..to).await? {
            window.duplicates.insert(line.ordinal, line);
        }
        for line in self.store.rejected_of(self.import_id, from..to).await? {
            window.rejected.insert(line.ordinal, line);
        }
        for line in self.store.prenotes_of(self.import_id, from..to).await? {
            window.prenotes.insert(line.ordinal, line);
        }
        for one in self.store.dishonorable_of(self.import_id, from..to).await? {
            window.marks.insert(one.mark.ordinal, one.mark);
        }
        let mut resolved = Vec::new();
        let mut positions = BTreeSet::new();
        for hold in self.store.holds_of(self.import_id, from..to).await? {
            match &hold.new.failed {
                None => {
                    resolved.extend(resolved_position(&hold));
                    window.holds.insert(hold.new.ordinal, hold);
                }
                Some(row) => {
                    positions.extend(resolved_position(&hold));
                    window.row_holds.insert(row.clone(), hold);
                }
            }
        }
        self.read_first_rows(to, &mut window).await?;
        for row in self.store.rows_at(&resolved).await? {
            window.rows.insert(row.row.ordinal, row);
        }
        self.read_successors(&mut window).await?;
        positions.extend(window.rows.values().map(|row| row.position));
        positions.extend(window.successors.values().map(|row| row.position));
        self.read_exceptions(&positions, &mut window).await?;
        Ok(window)
    }

    /// The rows that were appended when the window's entries were first decided. Their
    /// entries rise with their positions, so they are read on from where the last window ended.
    async fn read_first_rows(&mut self, to: u64, window: &mut Window) -> Result<(), ReportError> {
        loop {
            while let Some(row) = self.ahead.pop_front() {
                if row.row.ordinal >= to {
                    self.ahead.push_front(row);
                    return Ok(());
                }
                window.rows.insert(row.row.ordinal, row);
            }
            let limit = u32::try_from(WINDOW).unwrap_or(u32::MAX);
            let more = self
                .store
                .first_rows(self.import_id, self.position, limit)
                .await?;
            match more.last() {
                Some(last) => self.position = last.position,
                None => return Ok(()),
            }
            self.ahead.extend(more);
        }
    }

    async fn read_successors(&self, window: &mut Window) -> Result<(), ReportError> {
        let mut replaced: Vec<u64> = window
            .rows
            .values()
            .filter_map(|row| row.superseded_by)
            .collect();
        while !replaced.is_empty() {
            let rows = self.store.rows_at(&replaced).await?;
            replaced = rows.iter().filter_map(|row| row.superseded_by).collect();
            for row in rows {
                if let Some(position) = row.row.supersedes() {
                    window.successors.insert(position, row);
                }
            }
        }
        Ok(())
    }

    async fn read_exceptions(
        &mut self,
        positions: &BTreeSet<u64>,
        window: &mut Window,
    ) -> Result<(), ReportError> {
        if let Some(last) = positions.last() {
            for (database, passed) in self.databases.iter().zip(&self.passed) {
                if last > passed {
                    // A hold was resolved meanwhile: its row is on its way.
                    return Err(ReportError::OnItsWay {
                        database: database.clone(),
                        position: *last,
                    });
                }
            }
        }
        self.rows_seen += positions.len() as u64;
        let positions: Vec<u64> = positions.iter().copied().collect();
        for (database, exception) in self.store.exceptions_at(&positions).await? {
            let Some(index) = self.databases.iter().position(|name| *name == database) else {
                continue;
            };
            if let Some(seen) = self.exceptions_seen.get_mut(index) {
                *seen += 1;
            }
            window
                .exceptions
                .insert((database, exception.position), exception);
        }
        Ok(())
    }

    /// The line of one entry; `None`, and a difference, when nothing is known of it.
    fn line(&mut self, ordinal: u64, window: &Window) -> Option<ReportLine> {
        let row = window.rows.get(&ordinal);
        let duplicate = window.duplicates.get(&ordinal);
        let rejected = window.rejected.get(&ordinal);
        let prenote = window.prenotes.get(&ordinal);
        let hold = window.holds.get(&ordinal);
        // A row that came from a hold is one with it.
        let decided = row.filter(|_| hold.is_none());
        let known = [
            decided.is_some(),
            duplicate.is_some(),
            rejected.is_some(),
            prenote.is_some(),
            hold.is_some(),
        ];
        if known.iter().filter(|known| **known).count() > 1 {
            self.differ(format!("entry {} of the file is there twice", ordinal + 1));
        }
        let history = EntryHistory {
            databases: self.databases,
            row_holds: &window.row_holds,
            successors: &window.successors,
            exceptions: &window.exceptions,
        };
        let found = match (row, duplicate, rejected, prenote, hold) {
            (Some(row), _, _, _, hold) => EntryRecord::Row { row, hold },
            (None, _, _, _, Some(hold)) => EntryRecord::Hold(hold),
            (None, Some(duplicate), _, _, None) => EntryRecord::Duplicate(duplicate),
            (None, None, Some(rejected), _, None) => EntryRecord::Rejected(rejected),
            (None, None, None, Some(prenote), None) => EntryRecord::Prenote(prenote),
            (None, None, None, None, None) => {
                self.differ(format!(
                    "entry {} of the file is neither decided nor held, known or unreadable",
                    ordinal + 1
                ));
                return None;
            }
        };
        let Some(line) = history.of(found) else {
            self.differ(format!("the row of entry {} decides nothing", ordinal + 1));
            return None;
        };
        Some(ReportLine {
            mark: window.marks.get(&ordinal).cloned(),
            ..line
        })
    }

    fn differ(&mut self, what: String) {
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(what);
        }
    }
}

fn resolved_position(hold: &HoldRecord) -> Option<u64> {
    match hold.state {
        HoldState::Resolved => hold.resolved_position,
        HoldState::Open | HoldState::Duplicate | HoldState::Dismissed => None,
    }
}
