//! The invariants, checked by SQL against what the oracle knows. A quick look after each
//! fault, while everything moves; everything once the system has drained.

mod acquirer;
mod api;
mod bucket;
mod entries;
mod journal;
mod payments;
mod quick;
mod report;
mod said;
mod shown;
mod snapshot;
mod webhooks;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

pub use quick::quick;

use crate::load::Load;
use crate::oracle::Effect;
use crate::rig::Rig;
use snapshot::Snapshot;

/// How long the system may make no progress once the faults have stopped. The bound is not on the
/// whole drain, which takes as long as the machine is slow.
pub const DRAIN: Duration = Duration::from_secs(30);

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Positions are 1, 2, 3 … up to the head.
    Dense,
    /// Every hash follows from the row and the hash before it.
    Chain,
    /// Mirror ≤ gateway ≤ journal.
    CursorNotAhead,
    /// A cursor's hash is the journal's at that position.
    CursorHash,
    /// Each row up to the cursor has its effect once, or an exception and no effect.
    EffectOnce,
    /// No effect without a row.
    NoOtherEffect,
    /// States, codes and reversals are what the oracle computes.
    States,
    /// The money that went back is what the oracle computes.
    Money,
    /// Rows of an import follow the order of its file.
    Order,
    /// No line of a file became two things.
    LineOnce,
    /// Each line of a file is a row, a duplicate, a hold or a rejected line, just once.
    Entries,
    /// An import's own totals, counts and money, are those of its lines.
    Totals,
    /// The same bytes become one import, whoever receives them and how often.
    FileOnce,
    /// Gateway and Rails app agree about every payment.
    Agree,
    /// A file leaves the acquirer only once its import is in the journal.
    PutAwayLate,
    /// Every file that landed became an import and was archived; no other file was touched.
    Landed,
    /// Every file is in the bucket once, and opens to its bytes.
    Archived,
    /// Every import has one report, which ties out with the oracle.
    Reported,
    /// Every run ended with an outcome, and some run tells of every file that landed.
    RunsEnd,
    /// The platform was told of every effect, at each of its addresses, and of nothing else.
    Notified,
    /// GetTransfer shows how far a return has come, and what was made of it.
    Shown,
    /// What is said of an import and of a run is what took effect in each database.
    Said,
    /// After the faults everything is applied in time.
    Drained,
}

impl Invariant {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 23] = [
        Self::Dense,
        Self::Chain,
        Self::CursorNotAhead,
        Self::CursorHash,
        Self::EffectOnce,
        Self::NoOtherEffect,
        Self::States,
        Self::Money,
        Self::Order,
        Self::LineOnce,
        Self::Entries,
        Self::Totals,
        Self::FileOnce,
        Self::Agree,
        Self::PutAwayLate,
        Self::Landed,
        Self::Archived,
        Self::Reported,
        Self::RunsEnd,
        Self::Notified,
        Self::Shown,
        Self::Said,
        Self::Drained,
    ];

    /// Whether it must hold before the system has drained, too.
    #[must_use]
    pub const fn holds_at_any_time(self) -> bool {
        match self {
            Self::Dense
            | Self::Chain
            | Self::CursorNotAhead
            | Self::CursorHash
            | Self::Order
            | Self::LineOnce
            | Self::FileOnce
            | Self::PutAwayLate => true,
            Self::EffectOnce
            | Self::NoOtherEffect
            | Self::States
            | Self::Money
            | Self::Entries
            | Self::Totals
            | Self::Agree
            | Self::Landed
            | Self::Archived
            | Self::Reported
            | Self::RunsEnd
            | Self::Notified
            | Self::Shown
            | Self::Said
            | Self::Drained => false,
        }
    }

    /// What it says, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Dense => "journal positions have no gaps",
            Self::Chain => "the hash chain verifies",
            Self::CursorNotAhead => "mirror's cursor <= gateway's cursor <= journal",
            Self::CursorHash => "the cursors' hashes are the journal's",
            Self::EffectOnce => "each row up to the cursor took effect exactly once",
            Self::NoOtherEffect => "nothing else took effect",
            Self::States => "states, codes, reversals and holds equal the oracle's",
            Self::Money => "the money sent back equals the oracle's",
            Self::Order => "rows keep the order of their file",
            Self::LineOnce => "no line became two things",
            Self::Entries => "lines = rows + duplicates + prenotes + holds + rejected",
            Self::Totals => "totals of imports add up, in count and in money",
            Self::FileOnce => "the same bytes became one import",
            Self::Agree => "gateway and Rails app agree",
            Self::PutAwayLate => "no file left the acquirer before its import was committed",
            Self::Landed => "every file at the acquirer was imported and archived",
            Self::Archived => "every file is in the bucket once, and opens to its bytes",
            Self::Reported => "every import has one report, which is the oracle's",
            Self::RunsEnd => "every run ended with an outcome and names its files",
            Self::Notified => "every effect was published at every address, and nothing else",
            Self::Shown => "GetTransfer shows later stages as they are",
            Self::Said => "what was said equals what took effect in each database",
            Self::Drained => "drained without a pause once the faults stopped",
        }
    }
}

/// What was checked and what was found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// How many facts were compared, by invariant.
    pub checked: BTreeMap<Invariant, u64>,
    /// What does not hold.
    pub violations: Vec<(Invariant, String)>,
}

impl Findings {
    /// Compares one fact.
    pub(crate) fn expect(
        &mut self,
        invariant: Invariant,
        holds: bool,
        what: impl FnOnce() -> String,
    ) {
        *self.checked.entry(invariant).or_default() += 1;
        if !holds {
            self.violations.push((invariant, what()));
        }
    }

    /// Adds what another check found.
    pub fn add(&mut self, other: Self) {
        for (invariant, count) in other.checked {
            *self.checked.entry(invariant).or_default() += count;
        }
        self.violations.extend(other.violations);
    }
}

/// How much of what makes a campaign worth something has happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coverage {
    /// Journal rows.
    pub rows: u64,
    /// Rows that replaced one which the owner had overtaken.
    pub superseded: u64,
    /// Rows that took no effect somewhere.
    pub exceptions: u64,
    /// Files imported.
    pub files: u64,
    /// Lines in them.
    pub lines: u64,
    /// Returns that were dishonored.
    pub restored: u64,
    /// Dishonors that were contested.
    pub reapplied: u64,
    /// Entries that wait.
    pub holds: u64,
    /// Files that landed at the acquirer.
    pub landed: u64,
    /// Runs of sources.
    pub runs: u64,
    /// Reports recorded.
    pub reports: u64,
    /// Reports that were put and, for a crash, never recorded.
    pub leftovers: u64,
}

impl Coverage {
    /// Adds another round's.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.superseded += other.superseded;
        self.exceptions += other.exceptions;
        self.files += other.files;
        self.lines += other.lines;
        self.restored += other.restored;
        self.reapplied += other.reapplied;
        self.holds += other.holds;
        self.landed += other.landed;
        self.runs += other.runs;
        self.reports += other.reports;
        self.leftovers += other.leftovers;
    }
}

/// Every invariant, on a system that has drained.
///
/// # Errors
/// When a database does not answer.
pub async fn full(rig: &Rig, load: &Load) -> Result<(Findings, Coverage)> {
    let snapshot = Snapshot::read(rig).await?;
    let mut findings = Findings::default();
    journal::check(&snapshot, &mut findings);
    let fates = entries::check(&snapshot, rig, load, &mut findings);
    payments::check(&snapshot, rig, &fates.acted, &mut findings);
    acquirer::check(&snapshot, rig, &mut findings)?;
    let objects = bucket::check(&snapshot, rig, &mut findings)?;
    report::check(&snapshot, rig, &objects, &fates, &mut findings);
    webhooks::check(&snapshot, rig, &mut findings).await?;
    shown::check(&snapshot, rig, &fates.acted, &mut findings).await;
    said::check(&snapshot, rig, &fates, &mut findings).await;
    for violation in load.violations() {
        findings.violations.push((Invariant::FileOnce, violation));
    }
    let count = |effect| {
        snapshot
            .rows
            .iter()
            .filter(|row| row.effect == effect)
            .count() as u64
    };
    let coverage = Coverage {
        rows: snapshot.rows.len() as u64,
        superseded: snapshot
            .rows
            .iter()
            .filter(|row| row.supersedes.is_some())
            .count() as u64,
        exceptions: (snapshot.gateway.exceptions.len() + snapshot.rallypay.exceptions.len()) as u64,
        files: snapshot.imports.len() as u64,
        lines: rig
            .world
            .files()
            .iter()
            .map(|file| file.lines.len() as u64)
            .sum(),
        restored: count(Effect::Restore),
        reapplied: count(Effect::Reapply),
        holds: snapshot.holds.len() as u64,
        landed: rig
            .outboxes
            .iter()
            .map(|outbox| outbox.landed().len() as u64)
            .sum(),
        runs: snapshot.runs.len() as u64,
        reports: snapshot
            .filed
            .values()
            .filter(|filed| filed.report.is_some())
            .count() as u64,
        leftovers: objects.leftovers,
    };
    Ok((findings, coverage))
}
