//! Imports and holds against the rows that they are about.

use ach::decision::Effect;
use ach::money::Money;
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::ids;
use returns_model::import::{ImportRecord, Phase, Tally, Totals};
use returns_model::journal::JournalRow;
use returns_store::{CountedImport, HoldColumns, RowRange, Store, StoreError};

/// Rows, or lines of a file, that are read together.
const WINDOW: u32 = 1_000;

/// The most often that one file was refused before it was accepted.
const ATTEMPTS: u64 = 100;

/// A sentence for each thing in which an import is not what its rows say.
pub(crate) async fn check(
    store: &dyn Store,
    system_of_record: &str,
    counted: &CountedImport,
) -> Result<Vec<String>, StoreError> {
    let Some(import) = store.import(&counted.import_id).await? else {
        return Ok(Vec::new());
    };
    let mut recount = Recount {
        store,
        system_of_record,
        import: &import,
        faults: Vec::new(),
    };
    recount.ranges(counted);
    let new = &import.new;
    let is_its_own = |attempt| ids::import_id(&new.source, &new.sha256, attempt);
    if !(1..=ATTEMPTS).any(|attempt| is_its_own(attempt) == import.import_id) {
        recount.fault("its id is not that of its source and its file's hash");
    }
    match &import.phase {
        Phase::Checking | Phase::Rejected { .. } => {
            let lines = counted.duplicates + counted.prenotes + counted.rejected;
            let others = counted.holds + lines;
            if counted.counted.rows + others > 0 {
                recount.fault("it has rows, holds or lines, but was not accepted");
            }
        }
        // Its rows and lines are still being added.
        Phase::Deciding { .. } => {}
        Phase::Decided { checked, .. } | Phase::Applied { checked, .. } => {
            recount.lines(counted, checked.items).await?;
        }
    }
    Ok(recount.faults)
}

/// An import that is counted again.
struct Recount<'a> {
    store: &'a dyn Store,
    /// The database whose refusals an import's totals count.
    system_of_record: &'a str,
    import: &'a ImportRecord,
    faults: Vec<String>,
}

impl Recount<'_> {
    fn fault(&mut self, what: &str) {
        self.faults
            .push(format!("import {}: {what}", self.import.import_id));
    }

    fn ranges(&mut self, counted: &CountedImport) {
        let CountedImport {
            recorded,
            counted: there,
            stretched,
            in_stretches,
            ..
        } = counted;
        if recorded != there {
            let text = |one: &RowRange| {
                let RowRange { rows, first, last } = one;
                format!("{rows} rows from {first} to {last}")
            };
            self.fault(&format!(
                "it says {}, the journal has {}",
                text(recorded),
                text(there)
            ));
        }
        if *stretched != there.rows || *in_stretches != there.rows {
            self.fault("its stretches are not where its rows are");
        }
    }

    /// Counts every line of the file again, and checks the holds among them.
    async fn lines(&mut self, counted: &CountedImport, items: u64) -> Result<(), StoreError> {
        let (mut totals, mut held_now) = (Totals::default(), Tally::default());
        self.first_rows(&mut totals).await?;
        let (mut holds, mut duplicates, mut prenotes, mut rejected) = (0, 0, 0, 0);
        let mut from = 0;
        while from < items {
            let to = from.saturating_add(WINDOW.into()).min(items);
            let id = &self.import.import_id;
            for line in self.store.duplicates_of(id, from..to).await? {
                let amount = line.entry.and_then(|entry| entry.amount);
                count(&mut totals.duplicate, amount);
                duplicates += 1;
            }
            for line in self.store.prenotes_of(id, from..to).await? {
                count(&mut totals.prenote, line.entry.amount);
                prenotes += 1;
            }
            for line in self.store.rejected_of(id, from..to).await? {
                totals
                    .rejected
                    .add(line.rejected.amount_minor.unwrap_or_default());
                rejected += 1;
            }
            let found = self.store.holds_of(id, from..to).await?;
            for hold in found.iter().filter(|hold| hold.new.failed.is_none()) {
                count(&mut totals.held, hold.new.entry.amount);
            }
            holds += found.len() as u64;
            let columns = self.store.hold_columns(id, from..to).await?;
            self.hold_columns(&found, &columns);
            self.holds(&found, &mut held_now).await?;
            from = to;
        }
        let (before, after) = (
            [counted.duplicates, counted.prenotes, counted.rejected],
            [duplicates, prenotes, rejected],
        );
        // Holds of rows that had no effect are added at any time.
        if before != after || counted.holds > holds {
            self.fault(&format!(
                "holds, duplicates, prenotes or unreadable lines are not among its {items} lines"
            ));
        }
        self.compare(&mut totals, items);
        self.held_now(held_now).await
    }

    /// What is held by now is the holds that brought about nothing yet.
    async fn held_now(&mut self, counted: Tally) -> Result<(), StoreError> {
        let now = self.store.import(&self.import.import_id).await?;
        // What moved while the holds were read is in some of them and not in others.
        if now.is_none_or(|now| now.moves != self.import.moves) {
            return Ok(());
        }
        let recorded = self.import.totals_now().held;
        if recorded != counted {
            self.fault(&format!(
                "by now, {} lines with {} minor units are said to be held, its holds have {} with {}",
                recorded.count, recorded.amount_minor, counted.count, counted.amount_minor
            ));
        }
        Ok(())
    }

    /// Compares what filters look at with the entry itself.
    fn hold_columns(&mut self, holds: &[HoldRecord], columns: &[HoldColumns]) {
        for hold in holds {
            let new = &hold.new;
            let right = HoldColumns {
                hold_id: new.hold_id.clone(),
                // PostgreSQL takes no NUL in a text.
                code: (new.entry.kind.code()).map(|(code, _)| code.replace('\0', "\u{fffd}")),
                amount_minor: new.entry.amount.map(Money::minor),
            };
            let of_hold = |one: &&HoldColumns| one.hold_id == new.hold_id;
            // One that was added meanwhile is not in both.
            if columns
                .iter()
                .find(of_hold)
                .is_some_and(|one| *one != right)
            {
                self.fault(&format!(
                    "hold {} has a code or an amount that is not that of its entry",
                    new.hold_id
                ));
            }
        }
    }

    /// Counts the rows that its entries became when they were first decided.
    async fn first_rows(&mut self, totals: &mut Totals) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let id = &self.import.import_id;
            let rows = self.store.first_rows(id, after, WINDOW).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.position;
            for row in &rows {
                if let Some(effect) = row.row.effect.decided() {
                    count(totals.of_effect(effect), row.row.entry.amount);
                }
            }
        }
    }

    fn compare(&mut self, counted: &mut Totals, items: u64) {
        let mut recorded = self.import.totals;
        let mut read = Tally::default();
        let mut pairs = vec![
            ("duplicate", recorded.duplicate, counted.duplicate),
            ("prenote", recorded.prenote, counted.prenote),
            ("held", recorded.held, counted.held),
            ("rejected", recorded.rejected, counted.rejected),
        ];
        for (name, effect) in [
            ("returned", Effect::Return),
            ("reversed", Effect::Reverse),
            ("failed", Effect::Fail),
            ("corrected", Effect::Correct),
            ("restored", Effect::Restore),
            ("reapplied", Effect::Reapply),
        ] {
            let recorded = *recorded.of_effect(effect);
            pairs.push((name, recorded, *counted.of_effect(effect)));
        }
        for (_, _, counted) in &pairs {
            read.count += counted.count;
            read.amount_minor = read.amount_minor.saturating_add(counted.amount_minor);
        }
        pairs.push(("read", recorded.read, read));
        for (name, recorded, counted) in pairs {
            if recorded != counted {
                self.fault(&format!(
                    "its total {name} is {} lines with {} minor units, counted are {} with {}",
                    recorded.count, recorded.amount_minor, counted.count, counted.amount_minor
                ));
            }
        }
        if items != read.count || self.import.done != items {
            self.fault(&format!(
                "its file has {items} lines, {} are recorded as done and {} are there",
                self.import.done, read.count
            ));
        }
    }

    /// Checks holds against the rows that they are about, and counts those that still stand in place of
    /// an entry's effect.
    async fn holds(
        &mut self,
        holds: &[HoldRecord],
        held_now: &mut Tally,
    ) -> Result<(), StoreError> {
        let failed = |hold: &HoldRecord| hold.new.failed.as_ref().map(|(_, position)| *position);
        let positions: Vec<u64> = holds
            .iter()
            .flat_map(|hold| [hold.resolved_position, failed(hold)])
            .flatten()
            .collect();
        let rows = if positions.is_empty() {
            Vec::new()
        } else {
            self.store.rows_at(&positions).await?
        };
        for hold in holds {
            if let Some(what) = contradiction(hold, &rows) {
                self.fault(&format!("hold {} {what}", hold.new.hold_id));
            }
            let brought_about_nothing = match hold.state {
                HoldState::Open | HoldState::Dismissed => true,
                HoldState::Resolved | HoldState::Duplicate => false,
            };
            let of_an_entry = match &hold.new.failed {
                None => true,
                Some((database, position)) => {
                    let row = rows.iter().find(|row| row.position == *position);
                    database == self.system_of_record
                        && row.is_some_and(|row| row.row.effect.decided().is_some())
                }
            };
            if brought_about_nothing && of_an_entry {
                count(held_now, hold.new.entry.amount);
            }
        }
        Ok(())
    }
}

fn count(tally: &mut Tally, amount: Option<Money>) {
    tally.add(amount.map_or(0, Money::minor));
}

/// In what a hold contradicts its id, its state or its rows.
fn contradiction(hold: &HoldRecord, rows: &[JournalRow]) -> Option<&'static str> {
    let new = &hold.new;
    let of_hold = |position: u64| {
        let row = rows.iter().find(|row| row.position == position)?;
        let row = &row.row;
        let is_its_own = row.import_id == new.import_id && row.ordinal == new.ordinal;
        (is_its_own && row.entry == new.entry).then_some(())
    };
    let id = match &new.failed {
        None => ids::hold_id(&new.import_id, new.ordinal),
        Some((database, position)) => ids::exception_hold_id(database, *position),
    };
    if id != new.hold_id {
        return Some("has an id that is not that of its entry");
    }
    if let Some((_, position)) = &new.failed
        && of_hold(*position).is_none()
    {
        return Some("is not about the row that it names");
    }
    match (hold.state, hold.resolved_position, hold.closed_at) {
        (HoldState::Open, None, None)
        | (HoldState::Duplicate | HoldState::Dismissed, None, Some(_)) => None,
        (HoldState::Resolved, Some(position), Some(_)) => of_hold(position)
            .is_none()
            .then_some("was not resolved by the row that it names"),
        (
            HoldState::Open | HoldState::Duplicate | HoldState::Dismissed | HoldState::Resolved,
            _,
            _,
        ) => Some("is closed and open at once, or resolved without a row"),
    }
}
