//! Draws the files of a round, one after the other.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rand::RngExt as _;
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};

use super::nacha::{self, ODFI, RDFI};
use super::stages::{self, Notified};
use super::{
    Entry, InMirror, Kind, Line, Owner, Policy, ReturnFile, STRANGE_CODE, Says, State, Transfer,
};
use crate::db::hex;
use crate::seed::{Purpose, draws};

/// Return codes that are in force for debits and credits alike.
const CODES: [&str; 6] = ["R01", "R02", "R03", "R04", "R06", "R16"];

/// The codes with which our own bank rejects an entry, and a batch with all its entries.
const REJECTS: [(&str, bool); 2] = [("REJ06030", false), ("REJ02010", true)];

/// What corrections say, one line below the other.
const CORRECTIONS: [&str; 3] = ["C01", "C02", "C05"];

/// Routing numbers, which a correction gives.
const ROUTINGS: [&str; 3] = ["091000019", "121000248", "021000021"];

/// Files that a file may still be about, or that say what others said of the same payments.
const MEMORY: usize = 8;

/// What a new payment is for, and how many of a hundred are.
const MIX: [(Part, u32); 18] = [
    (Part::Funded, 24),
    (Part::Unfunded, 14),
    (Part::FundedMeanwhile, 18),
    (Part::CanceledMeanwhile, 3),
    (Part::Credit, 6),
    (Part::Refund, 2),
    (Part::BroughtLater, 6),
    (Part::Unknown, 4),
    (Part::OverAlready, 3),
    (Part::OtherAmount, 3),
    (Part::OtherDirection, 1),
    (Part::NotInMirror, 3),
    (Part::ClosedInMirror, 2),
    (Part::Refused, 2),
    (Part::StrangeCode, 3),
    (Part::Rejected, 3),
    (Part::RejectedMeanwhile, 1),
    (Part::Prenote, 2),
];

/// What a new payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Funded,
    Unfunded,
    FundedMeanwhile,
    CanceledMeanwhile,
    Credit,
    Refund,
    BroughtLater,
    Unknown,
    OverAlready,
    OtherAmount,
    OtherDirection,
    NotInMirror,
    ClosedInMirror,
    Refused,
    StrangeCode,
    Rejected,
    RejectedMeanwhile,
    Prenote,
}

impl Part {
    fn draw(draws: &mut StdRng) -> Self {
        let mut place = draws.random_range(0..100);
        for (part, share) in MIX {
            if place < share {
                return part;
            }
            place -= share;
        }
        Self::Funded
    }

    /// Whether other entries may be about the same payment. What a database refuses, or what
    /// is canceled or rejected meanwhile, is decided anew by each entry: too many outcomes are
    /// right.
    const fn may_repeat(self) -> bool {
        match self {
            Self::Funded
            | Self::Unfunded
            | Self::FundedMeanwhile
            | Self::Credit
            | Self::Refund
            | Self::BroughtLater
            | Self::Unknown
            | Self::OverAlready
            | Self::OtherAmount
            | Self::OtherDirection
            | Self::NotInMirror
            | Self::ClosedInMirror
            | Self::StrangeCode
            | Self::Rejected
            | Self::Prenote => true,
            Self::CanceledMeanwhile | Self::RejectedMeanwhile | Self::Refused => false,
        }
    }
}

/// The files of one round, drawn as they are needed and kept for the oracle.
pub struct World {
    seed: u64,
    round: u64,
    /// What counts as funded.
    pub policy: Policy,
    files: Mutex<Vec<Arc<ReturnFile>>>,
}

impl World {
    /// The world of a round.
    #[must_use]
    pub fn new(seed: u64, round: u64) -> Self {
        Self {
            seed,
            round,
            policy: Policy::of_round(round),
            files: Mutex::default(),
        }
    }

    /// The files drawn so far.
    #[must_use]
    pub fn files(&self) -> Vec<Arc<ReturnFile>> {
        self.lock().clone()
    }

    /// Draws the next file; `entries` is about how many payments it is the first to name.
    pub fn next_file(&self, entries: std::ops::Range<u32>) -> Arc<ReturnFile> {
        let mut files = self.lock();
        let index = files.len() as u64;
        let mut drawing = Drawing {
            draws: draws(self.seed, self.round, Purpose::File(index)),
            policy: self.policy,
            prefix: format!("TRc{}r{}f{index}", self.seed, self.round),
            index,
            traces: 0,
            transfers: Vec::new(),
            returns: Vec::new(),
            later_stages: Vec::new(),
            corrections: Vec::new(),
            single: HashSet::new(),
        };
        drawing.fill(entries, &files);
        let file = Arc::new(drawing.finish(self.round));
        files.push(file.clone());
        file
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<ReturnFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file in the making.
struct Drawing {
    draws: StdRng,
    policy: Policy,
    prefix: String,
    index: u64,
    traces: u64,
    transfers: Vec<Transfer>,
    returns: Vec<Line>,
    later_stages: Vec<Line>,
    corrections: Vec<Line>,
    /// Payments that one entry alone may be about.
    single: HashSet<String>,
}

impl Drawing {
    fn fill(&mut self, entries: std::ops::Range<u32>, earlier: &[Arc<ReturnFile>]) {
        let wanted = self.draws.random_range(entries);
        for number in 0..wanted {
            let part = Part::draw(&mut self.draws);
            let transfer = self.transfer(part, number);
            let entry = self.first_entry(part, &transfer);
            if !part.may_repeat() {
                self.single.insert(transfer.id.clone());
            }
            self.transfers.push(transfer);
            self.returns.push(Line::Entry(entry.clone()));
            if part.may_repeat() {
                self.more_about(&entry);
            }
        }
        let earlier = &earlier[earlier.len().saturating_sub(MEMORY)..];
        let told = Notified::of(earlier.iter().flat_map(|file| &file.lines));
        self.echoes(earlier, &told);
        self.stages(earlier);
    }

    /// Later stages of returns that this file and those just before it brought.
    fn stages(&mut self, earlier: &[Arc<ReturnFile>]) {
        let lines = earlier.iter().flat_map(|file| &file.lines);
        let told = Notified::of(lines.chain(&self.returns));
        let recent = &earlier[earlier.len().saturating_sub(3)..];
        let before = recent.iter().map(|file| &**file);
        let drawn = stages::draw(&mut self.draws, &told, before, &self.transfers);
        self.later_stages = drawn.into_iter().map(Line::Entry).collect();
    }

    /// Further entries of this file about the same payment.
    fn more_about(&mut self, entry: &Entry) {
        match self.draws.random_range(0..100) {
            0..6 => self.insert_return(entry.clone()),
            6..10 => {
                let second = self.second_return(entry);
                self.insert_return(second);
            }
            10..15 => {
                let corrections = self.corrections(entry);
                self.corrections.extend(corrections);
            }
            15 => {
                let amount_minor = self.draws.random_range(100..90_000);
                self.returns.push(Line::Unreadable { amount_minor });
            }
            _ => {}
        }
    }

    /// Puts a return somewhere into the file, so that it may be in another batch.
    fn insert_return(&mut self, entry: Entry) {
        let place = self.draws.random_range(0..=self.returns.len());
        self.returns.insert(place, Line::Entry(entry));
    }

    /// Entries about payments that the files just before were about: the same return once
    /// more, another return, a correction.
    fn echoes(&mut self, earlier: &[Arc<ReturnFile>], told: &Notified) {
        let recent = &earlier[earlier.len().saturating_sub(3)..];
        for file in recent {
            for line in &file.lines {
                let Line::Entry(entry) = line else { continue };
                let named: Vec<&Line> = file
                    .lines
                    .iter()
                    .filter(|other| matches!(other, Line::Entry(e) if e.transfer_id == entry.transfer_id))
                    .collect();
                // Few entries about one payment keep the orders that are possible few.
                let alone = named.len() == 1
                    && file.transfers.iter().any(|t| {
                        let rejected = matches!(entry.says, Says::Rejected { .. });
                        let decided_once =
                            t.owner != Owner::Cancels && !(rejected && t.owner == Owner::Funds);
                        t.id == entry.transfer_id && !t.refused && decided_once
                    });
                if !alone || !self.draws.random_ratio(1, 25) {
                    continue;
                }
                match self.draws.random_range(0..10) {
                    0..5 => self.insert_return(entry.clone()),
                    // Which of two returns a dishonor is about would hang on which comes first.
                    5..8 if !told.has_later_stage(&entry.transfer_id) => {
                        let second = self.second_return(entry);
                        self.insert_return(second);
                    }
                    _ => {
                        let corrections = self.corrections(entry);
                        self.corrections.extend(corrections);
                    }
                }
            }
        }
    }

    fn trace(&mut self) -> String {
        self.traces += 1;
        format!("{RDFI}{:07}", self.index * 2_000 + self.traces)
    }

    fn code(&mut self) -> &'static str {
        CODES[self.draws.random_range(0..CODES.len())]
    }

    fn second_return(&mut self, first: &Entry) -> Entry {
        let return_trace = self.trace();
        Entry {
            says: Says::Return { code: self.code() },
            return_trace,
            ..first.clone()
        }
    }

    /// One entry with one to three lines of corrections below it, of which the last may come twice.
    fn corrections(&mut self, about: &Entry) -> Vec<Line> {
        let return_trace = self.trace();
        let count = self.draws.random_range(1..=CORRECTIONS.len());
        let mut lines: Vec<Line> = Vec::new();
        for code in &CORRECTIONS[..count] {
            let data = match *code {
                "C01" => format!("{:012}", self.draws.random_range(1_000_u64..9_999_999)),
                "C02" => ROUTINGS[self.draws.random_range(0..ROUTINGS.len())].to_owned(),
                _ => "37".to_owned(),
            };
            lines.push(Line::Entry(Entry {
                says: Says::Correction { code, data },
                amount_minor: 0,
                is_credit: false,
                return_trace: return_trace.clone(),
                ..about.clone()
            }));
        }
        if self.draws.random_ratio(1, 3) {
            lines.extend(lines.last().cloned());
        }
        lines
    }

    fn transfer(&mut self, part: Part, number: u32) -> Transfer {
        let kind = match part {
            Part::Credit => Kind::Credit,
            Part::Refund => Kind::Refund,
            _ => Kind::Debit,
        };
        let owner = match part {
            Part::FundedMeanwhile | Part::RejectedMeanwhile => Owner::Funds,
            Part::Credit if self.draws.random_ratio(1, 3) => Owner::Funds,
            Part::CanceledMeanwhile => Owner::Cancels,
            Part::BroughtLater => Owner::Brings,
            Part::Unknown => Owner::NeverHasIt,
            Part::Prenote if self.draws.random_ratio(1, 2) => Owner::NeverHasIt,
            _ => Owner::Leaves,
        };
        let (state, in_deposit) = self.state(part, kind, owner);
        Transfer {
            id: format!("{}n{number}", self.prefix),
            kind,
            state,
            in_deposit,
            amount_minor: self.draws.random_range(100..90_000),
            ach_trace: format!("{ODFI}{:07}", self.index * 2_000 + u64::from(number) + 1),
            mirror: match part {
                Part::NotInMirror => InMirror::Absent,
                Part::ClosedInMirror => InMirror::Closed,
                _ => InMirror::Open,
            },
            refused: part == Part::Refused,
            owner,
        }
    }

    fn state(&mut self, part: Part, kind: Kind, owner: Owner) -> (State, bool) {
        match (part, kind, owner) {
            (Part::OverAlready, ..) => {
                let over = [State::Failed, State::Canceled];
                (over[self.draws.random_range(0..2)], false)
            }
            (_, Kind::Credit, Owner::Funds) | (_, _, Owner::Cancels) => (State::Pending, false),
            (_, Kind::Credit | Kind::Refund, _) => {
                let open = [State::Pending, State::Succeeded];
                (open[self.draws.random_range(0..2)], false)
            }
            (Part::FundedMeanwhile, ..) => self.unfunded(false),
            (Part::Unfunded, ..) => {
                let pending = self.draws.random_ratio(1, 3);
                self.unfunded(pending)
            }
            (Part::Funded, ..) => self.funded(),
            (Part::RejectedMeanwhile, ..) => (State::Pending, false),
            (Part::Rejected, ..) if self.draws.random_ratio(3, 4) => (State::Pending, false),
            _ if self.draws.random_ratio(1, 2) => self.funded(),
            _ => self.unfunded(false),
        }
    }

    const fn funded(&self) -> (State, bool) {
        match self.policy {
            Policy::State => (State::Succeeded, false),
            Policy::Deposit => (State::Succeeded, true),
        }
    }

    const fn unfunded(&self, pending: bool) -> (State, bool) {
        match self.policy {
            Policy::State => (State::Pending, false),
            Policy::Deposit if pending => (State::Pending, false),
            Policy::Deposit => (State::Succeeded, false),
        }
    }

    fn first_entry(&mut self, part: Part, transfer: &Transfer) -> Entry {
        let says = match part {
            Part::StrangeCode => Says::Return { code: STRANGE_CODE },
            Part::Rejected | Part::RejectedMeanwhile => {
                let (code, with_batch) = REJECTS[self.draws.random_range(0..REJECTS.len())];
                Says::Rejected { code, with_batch }
            }
            _ => Says::Return { code: self.code() },
        };
        let is_credit = match (transfer.kind, part) {
            (Kind::Debit, Part::OtherDirection) => true,
            (Kind::Debit, _) => false,
            (Kind::Credit | Kind::Refund, _) => true,
        };
        let amount_minor = match part {
            Part::OtherAmount => transfer.amount_minor + 1,
            Part::Prenote => 0,
            _ => transfer.amount_minor,
        };
        let return_trace = self.trace();
        Entry {
            transfer_id: transfer.id.clone(),
            ach_trace: transfer.ach_trace.clone(),
            says,
            amount_minor,
            is_credit,
            return_trace,
        }
    }

    fn finish(mut self, round: u64) -> ReturnFile {
        // Where later stages stand first, those of returns in the same file come too early.
        let mut lines = if self.draws.random_ratio(1, 3) {
            [self.later_stages, self.returns].concat()
        } else {
            [self.returns, self.later_stages].concat()
        };
        lines.extend(self.corrections);
        let bytes = nacha::write(&lines, self.index);
        ReturnFile {
            index: self.index,
            name: format!("r{round}-f{}.ach", self.index),
            transfers: self.transfers,
            lines,
            sha256: hex(&Sha256::digest(&bytes)),
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_files_and_another_seed_others() {
        let file = |seed| {
            let world = World::new(seed, 3);
            world.next_file(30..140);
            world.next_file(30..140).bytes.clone()
        };
        assert_eq!(file(1), file(1));
        assert_ne!(file(1), file(2));
    }

    #[test]
    fn every_record_has_94_characters_and_blocks_are_full() {
        let world = World::new(7, 0);
        for _ in 0..5 {
            let file = world.next_file(30..140);
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            assert!(text.lines().all(|line| line.len() == 94));
            assert_eq!(text.lines().count() % 10, 0);
        }
    }

    #[test]
    fn a_hundred_files_have_every_part_and_name_payments_across_files() {
        let world = World::new(7, 0);
        let files: Vec<_> = (0..100).map(|_| world.next_file(30..140)).collect();
        let owners: HashSet<String> = files
            .iter()
            .flat_map(|file| &file.transfers)
            .map(|transfer| format!("{:?}", transfer.owner))
            .collect();
        assert_eq!(owners.len(), 5);
        let echoes = files.iter().filter(|file| {
            file.lines.iter().any(|line| match line {
                Line::Entry(entry) => !file.transfers.iter().any(|t| t.id == entry.transfer_id),
                Line::Unreadable { .. } => false,
            })
        });
        assert!(echoes.count() > 50);
    }

    #[test]
    fn forty_files_have_rejects_prenotes_and_lines_of_corrections_below_each_other() {
        let world = World::new(7, 0);
        let files: Vec<_> = (0..40).map(|_| world.next_file(30..140)).collect();
        let lines = files.iter().flat_map(|file| &file.lines);
        let entries: Vec<&Entry> = lines
            .filter_map(|line| match line {
                Line::Entry(entry) => Some(entry),
                Line::Unreadable { .. } => None,
            })
            .collect();
        let count = |test: fn(&Entry) -> bool| entries.iter().filter(|entry| test(entry)).count();
        assert!(count(|entry| entry.says.code() == "REJ06030") > 20);
        assert!(count(|entry| entry.says.code() == "REJ02010") > 20);
        assert!(count(Entry::is_prenote) > 20);
        for code in CORRECTIONS {
            let of_code = entries.iter().filter(|entry| entry.says.code() == code);
            assert!(of_code.count() > 20, "{code}");
        }
    }

    #[test]
    fn forty_files_have_every_code_of_the_later_stages_on_some_of_their_lines() {
        let world = World::new(7, 0);
        let files: Vec<_> = (0..40).map(|_| world.next_file(30..140)).collect();
        let mut seen = HashSet::new();
        let mut shares = (0, 0);
        for line in files.iter().flat_map(|file| &file.lines) {
            let Line::Entry(entry) = line else { continue };
            shares.0 += 1;
            if entry.says.is_later_stage() {
                shares.1 += 1;
                seen.insert(entry.says.code());
            }
        }
        let codes = [
            "R61", "R62", "R67", "R68", "R69", "R70", "R71", "R72", "R73", "R74", "R75", "R76",
            "R77",
        ];
        assert_eq!(seen, HashSet::from(codes));
        assert!((3..12).contains(&(shares.1 * 100 / shares.0)), "{shares:?}");
    }
}
