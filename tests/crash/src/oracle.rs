//! The oracle: from the generated facts alone, what each entry may come to, and what each
//! payment must look like then. It shares no code with the system under test.
//!
//! Two imports may be decided in either order, and the gateway's owner may act before or
//! after a decision. So the oracle runs a model of the rules over every order that is
//! possible, and whatever the system did must be one of the results.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::world::{
    CONTESTS, Entry, Kind, Line, NOT_REQUESTED, Owner, Policy, ReturnFile, STRANGE_CODE, Says,
    State, Transfer,
};

/// What is done to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It came back before it was funded.
    Return,
    /// It came back after it was funded: a reversal takes the money back.
    Reverse,
    /// It failed.
    Fail,
    /// Its data changes; money and state stay.
    Correct,
    /// Its return was dishonored: a new transfer gives back what the return took.
    Restore,
    /// The dishonor was contested: a new transfer takes it again.
    Reapply,
    /// What one of the above made may be settled. No entry says so; it follows by itself.
    Ready,
}

impl Effect {
    /// The word that the journal uses.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "return" => Self::Return,
            "reverse" => Self::Reverse,
            "fail" => Self::Fail,
            "correct" => Self::Correct,
            "restore" => Self::Restore,
            "reapply" => Self::Reapply,
            "release_to_settlement" => Self::Ready,
            _ => return None,
        })
    }
}

/// Why an entry waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No payment has its ids.
    UnknownTransfer,
    /// No table has its code.
    UnknownCode,
    /// Its amount is not the payment's.
    AmountDiffers,
    /// It says debit and the payment is a credit, or the other way round.
    WrongDirection,
    /// The payment is over already.
    StateConflict,
    /// Another return of the payment stands.
    SecondReturn,
    /// A dishonor of a return that does not stand, or not so.
    DishonoredReturn,
    /// A contest of a dishonor that does not stand, or not so.
    ContestedReturn,
    /// What is dishonored is a refund: a debt to a customer, which a person settles.
    UnsupportedType,
    /// The database will not have the change.
    DatabaseRefused,
    /// Our bank rejected what must have entered the network already.
    UnexpectedValidationFailure,
}

impl Reason {
    /// The word that the returns database uses.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "unknown_transfer" => Self::UnknownTransfer,
            "unknown_code" => Self::UnknownCode,
            "amount_differs" => Self::AmountDiffers,
            "wrong_direction" => Self::WrongDirection,
            "state_conflict" => Self::StateConflict,
            "second_return" => Self::SecondReturn,
            "dishonored_return" => Self::DishonoredReturn,
            "contested_return" => Self::ContestedReturn,
            "unsupported_type" => Self::UnsupportedType,
            "database_refused" => Self::DatabaseRefused,
            "unexpected_validation_failure" => Self::UnexpectedValidationFailure,
            _ => return None,
        })
    }

    /// Whether an entry that waits for this is tried again by itself.
    #[must_use]
    pub const fn is_tried_again(self) -> bool {
        match self {
            Self::UnknownTransfer | Self::DishonoredReturn | Self::ContestedReturn => true,
            Self::UnknownCode
            | Self::AmountDiffers
            | Self::WrongDirection
            | Self::StateConflict
            | Self::SecondReturn
            | Self::UnsupportedType
            | Self::DatabaseRefused
            | Self::UnexpectedValidationFailure => false,
        }
    }
}

/// What became of an entry in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stands in the journal.
    Acted(Effect),
    /// Its return was known already.
    Duplicate,
    /// It is about a prenote, and so about no payment.
    Prenote,
    /// It waits.
    Held(Reason),
}

impl Fate {
    /// Whether it is tried again by itself.
    const fn waits(self) -> bool {
        match self {
            Self::Held(reason) => reason.is_tried_again(),
            Self::Acted(_) | Self::Duplicate | Self::Prenote => false,
        }
    }
}

/// What the owner did about a payment, as the gateway's database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether the gateway has it.
    pub exists: bool,
    /// Whether the owner funded, settled or canceled it.
    pub owner_acted: bool,
}

/// An entry and its place: number of the file, number of the line.
pub type Placed<'a> = (u64, u64, &'a Entry);

/// Every combination of fates that is right for the entries about one payment, in the order
/// in which they are given.
///
/// An entry that waits is tried again, so that it is as if it came when it is decided for good.
/// What stands then is all that a decision rests on. So what is looked at is not every order of
/// the entries, of which ten have millions, but every set of decisions that an order leads to.
#[must_use]
pub fn legal(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entries: &[Placed<'_>],
) -> BTreeSet<Vec<Fate>> {
    let loose = is_free(transfer, entries);
    let mut results = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![None; entries.len()]];
    while let Some(decided) = open.pop() {
        let now = decisions(policy, transfer, facts, entries, &decided);
        let mut is_end = true;
        for at in 0..entries.len() {
            let comes_later = |before: usize| {
                decided[before].is_none()
                    && entries[before].0 == entries[at].0
                    && !now[before].waits()
            };
            let is_next = loose || !(0..at).any(comes_later);
            if decided[at].is_some() || now[at].waits() || !is_next {
                continue;
            }
            is_end = false;
            let mut next = decided.clone();
            next[at] = Some(now[at]);
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
        if is_end {
            results.insert(now);
        }
    }
    results
}

/// Whether entries of one file may be decided for good in any order: where the owner acts
/// meanwhile, or a hold is tried again later.
fn is_free(transfer: &Transfer, entries: &[Placed<'_>]) -> bool {
    let mut says = entries.iter().map(|(.., entry)| &entry.says);
    transfer.owner != Owner::Leaves || says.any(Says::is_later_stage)
}

/// What each entry comes to, if it is decided now or was before.
fn decisions(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entries: &[Placed<'_>],
    decided: &[Option<Fate>],
) -> Vec<Fate> {
    let pairs = || entries.iter().map(|(.., entry)| *entry).zip(decided);
    let standing: Vec<&Entry> = pairs()
        .filter(|(_, fate)| matches!(fate, Some(Fate::Acted(_))))
        .map(|(entry, _)| entry)
        .collect();
    pairs()
        .map(|(entry, fate)| {
            fate.unwrap_or_else(|| decide(policy, transfer, facts, entry, &standing))
        })
        .collect()
}

/// What the files of a world must come to, whatever the services did.
pub struct Expected<'a> {
    policy: Policy,
    files: &'a [Arc<ReturnFile>],
    transfers: HashMap<&'a str, &'a Transfer>,
}

impl<'a> Expected<'a> {
    /// That of these files.
    #[must_use]
    pub fn of(policy: Policy, files: &'a [Arc<ReturnFile>]) -> Self {
        let transfers = files.iter().flat_map(|file| &file.transfers);
        Self {
            policy,
            files,
            transfers: transfers.map(|one| (one.id.as_str(), one)).collect(),
        }
    }

    /// Whether an entry that waits may do so for good: its payment never comes, or it is a later
    /// stage that the rules do not allow. Later stages are only of payments with one return, which
    /// stands whatever the owner does; so what they come to is known beforehand.
    #[must_use]
    pub fn waits_for_good(&self, sha256: &str, ordinal: u64) -> bool {
        let file = self.files.iter().find(|file| file.sha256 == sha256);
        let line = file.and_then(|file| {
            let mut lines = (0..).zip(&file.lines);
            lines.find_map(|(at, line)| (at == ordinal).then_some((file.index, line)))
        });
        let Some((index, Line::Entry(entry))) = line else {
            return false;
        };
        let Some(transfer) = self.transfers.get(entry.transfer_id.as_str()) else {
            return false;
        };
        if !entry.says.is_later_stage() {
            return transfer.owner == Owner::NeverHasIt;
        }
        let about = self.about(&entry.transfer_id);
        let place = about
            .iter()
            .position(|(file, line, _)| (*file, *line) == (index, ordinal));
        let facts = Facts {
            exists: true,
            owner_acted: false,
        };
        let legal = legal(self.policy, transfer, facts, &about);
        place.is_some_and(|place| {
            legal
                .iter()
                .any(|fates| matches!(fates[place], Fate::Held(_)))
        })
    }

    fn about(&self, transfer_id: &str) -> Vec<Placed<'a>> {
        let lines = self.files.iter().flat_map(|file| {
            let lines = (0..).zip(&file.lines);
            lines.map(|(ordinal, line)| (file.index, ordinal, line))
        });
        lines
            .filter_map(|(file, ordinal, line)| match line {
                Line::Entry(entry) if entry.transfer_id == transfer_id => {
                    Some((file, ordinal, entry))
                }
                Line::Entry(_) | Line::Unreadable { .. } => None,
            })
            .collect()
    }
}

fn decide(
    policy: Policy,
    transfer: &Transfer,
    facts: Facts,
    entry: &Entry,
    standing: &[&Entry],
) -> Fate {
    if entry.says.code() == STRANGE_CODE {
        return Fate::Held(Reason::UnknownCode);
    }
    if entry.is_prenote() {
        return Fate::Prenote;
    }
    if !facts.exists {
        return Fate::Held(Reason::UnknownTransfer);
    }
    if standing.iter().any(|earlier| same(entry, earlier)) {
        return Fate::Duplicate;
    }
    if matches!(entry.says, Says::Correction { .. }) {
        return Fate::Acted(Effect::Correct);
    }
    let of = standing
        .iter()
        .find(|earlier| matches!(earlier.says, Says::Return { .. } | Says::Rejected { .. }));
    if of.is_some() && !entry.says.is_later_stage() {
        return Fate::Held(Reason::SecondReturn);
    }
    if entry.is_credit == (transfer.kind == Kind::Debit) {
        return Fate::Held(Reason::WrongDirection);
    }
    if entry.amount_minor != transfer.amount_minor {
        return Fate::Held(Reason::AmountDiffers);
    }
    if entry.says.is_later_stage() {
        return later_stage(transfer, entry, of.copied(), standing);
    }
    if matches!(entry.says, Says::Rejected { .. }) {
        return rejected(transfer, facts);
    }
    match effect(policy, transfer, facts) {
        None => Fate::Held(Reason::StateConflict),
        Some(_) if transfer.refused => Fate::Held(Reason::DatabaseRefused),
        Some(effect) => Fate::Acted(effect),
    }
}

/// What a rejection by our bank comes to: only what is on its way can be rejected.
fn rejected(transfer: &Transfer, facts: Facts) -> Fate {
    match (transfer.kind, transfer.state, facts.owner_acted) {
        (Kind::Debit, State::Pending, false) => Fate::Acted(Effect::Fail),
        _ => Fate::Held(Reason::UnexpectedValidationFailure),
    }
}

/// What a dishonor or a contest comes to; `of` is the return that stands.
fn later_stage(
    transfer: &Transfer,
    entry: &Entry,
    of: Option<&Entry>,
    standing: &[&Entry],
) -> Fate {
    let dishonor = standing.iter().find_map(|earlier| match earlier.says {
        Says::Dishonored { code, .. } => Some(code),
        Says::Return { .. }
        | Says::Rejected { .. }
        | Says::Correction { .. }
        | Says::Contested { .. } => None,
    });
    let is_contested = standing
        .iter()
        .any(|earlier| matches!(earlier.says, Says::Contested { .. }));
    let is_of = |of_code: &str| {
        of.is_some_and(|of| of.return_trace == entry.return_trace && of.says.code() == of_code)
    };
    let (right, waits, effect) = match entry.says {
        Says::Dishonored { code, of_code } => (
            dishonor.is_none()
                && is_of(of_code)
                && (code != NOT_REQUESTED || matches!(of_code, "R06" | "R31")),
            Reason::DishonoredReturn,
            Effect::Restore,
        ),
        Says::Contested {
            code,
            of_code,
            dishonor_code,
        } => {
            let answers = CONTESTS.iter().any(|(contest, only)| {
                *contest == code && only.is_none_or(|only| only == dishonor_code)
            });
            let right = !is_contested && dishonor == Some(dishonor_code) && answers;
            (
                right && is_of(of_code),
                Reason::ContestedReturn,
                Effect::Reapply,
            )
        }
        Says::Return { .. } | Says::Rejected { .. } | Says::Correction { .. } => {
            return Fate::Held(Reason::UnknownCode);
        }
    };
    match (right, transfer.kind) {
        (false, _) => Fate::Held(waits),
        (true, Kind::Refund) => Fate::Held(Reason::UnsupportedType),
        (true, Kind::Debit | Kind::Credit) => Fate::Acted(effect),
    }
}

/// What a return does to the payment; `None` when it is over already.
fn effect(policy: Policy, transfer: &Transfer, facts: Facts) -> Option<Effect> {
    let canceled = facts.owner_acted && transfer.owner == Owner::Cancels;
    let over = matches!(
        transfer.state,
        State::Failed | State::Canceled | State::Returned
    );
    if canceled || over {
        return None;
    }
    match transfer.kind {
        Kind::Credit | Kind::Refund => Some(Effect::Fail),
        Kind::Debit if is_funded(policy, transfer, facts) => Some(Effect::Reverse),
        Kind::Debit => Some(Effect::Return),
    }
}

fn is_funded(policy: Policy, transfer: &Transfer, facts: Facts) -> bool {
    let meanwhile = facts.owner_acted && transfer.owner == Owner::Funds;
    let before = match policy {
        Policy::State => transfer.state == State::Succeeded,
        Policy::Deposit => transfer.in_deposit,
    };
    before || meanwhile
}

fn same(one: &Entry, other: &Entry) -> bool {
    match (&one.says, &other.says) {
        // A rejection has no trace number of its own, and its code is the bank's own.
        (Says::Rejected { .. }, Says::Rejected { .. }) => true,
        _ => one.says == other.says && one.return_trace == other.return_trace,
    }
}

/// How a payment must look once everything has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its state in the gateway, as it is spelled there.
    pub state: &'static str,
    /// The return code that it has there; `None` where the return left it as it was.
    pub code: Option<&'static str>,
    /// What was made of it, each of the one before and the first of the payment itself.
    pub made: Vec<Made>,
    /// How many entries had an effect on it.
    pub effects: usize,
    /// Its status in the Rails app; `None` when that has no such payment.
    pub status: Option<&'static str>,
    /// The code of the last stage, which the Rails app keeps; `None` without an effect, and for
    /// what never entered the network.
    pub last_code: Option<&'static str>,
}

/// A transfer that a stage of a return makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It takes the money back.
    Reversal,
    /// It gives it back once more, as a payment of the same kind.
    Restoration,
}

impl Look {
    /// What the payment's reversals and restorations take from the merchant, in all.
    #[must_use]
    pub fn taken_minor(&self, transfer: &Transfer) -> i64 {
        let amounts = self.made.iter().map(|made| match made {
            Made::Reversal => transfer.amount_minor,
            Made::Restoration => -transfer.amount_minor,
        });
        amounts.sum()
    }
}

/// How the payment must look when `acted` are the entries that stand, with their effects, in the
/// order of the stages.
#[must_use]
pub fn look(policy: Policy, transfer: &Transfer, facts: Facts, acted: &[(Effect, Entry)]) -> Look {
    let before = match transfer.owner {
        Owner::Funds if facts.owner_acted => State::Succeeded,
        Owner::Cancels if facts.owner_acted => State::Canceled,
        _ => transfer.state,
    };
    let mut look = Look {
        state: policy.spelling(before),
        code: None,
        made: Vec::new(),
        effects: 0,
        status: status(transfer, facts, acted.last().map(|(effect, _)| *effect)),
        last_code: acted.last().and_then(|(_, entry)| return_code(entry)),
    };
    for (effect, entry) in acted {
        look.effects += 1;
        let (ends, made) = match effect {
            Effect::Return => (Some(State::Returned), None),
            Effect::Fail => (Some(State::Failed), None),
            // The payment itself stays as it is.
            Effect::Reverse | Effect::Reapply => (None, Some(Made::Reversal)),
            Effect::Restore => (None, Some(Made::Restoration)),
            Effect::Correct | Effect::Ready => (None, None),
        };
        if let Some(state) = ends {
            look.state = policy.spelling(state);
            look.code = return_code(entry);
        }
        look.made.extend(made);
    }
    look
}

/// The code of a return; what never entered the network has none.
const fn return_code(entry: &Entry) -> Option<&'static str> {
    match entry.says {
        Says::Rejected { .. } => None,
        Says::Return { code }
        | Says::Correction { code, .. }
        | Says::Dishonored { code, .. }
        | Says::Contested { code, .. } => Some(code),
    }
}

/// The status that the Rails app starts with.
#[must_use]
pub const fn first_status(transfer: &Transfer) -> &'static str {
    match (transfer.mirror, transfer.state) {
        (crate::world::InMirror::Closed, _) => "disputed",
        (_, State::Pending) => "pending",
        (_, State::Succeeded) => "succeeded",
        (_, State::Failed | State::Returned) => "failed",
        (_, State::Canceled) => "canceled",
    }
}

fn status(transfer: &Transfer, facts: Facts, acted: Option<Effect>) -> Option<&'static str> {
    use crate::world::InMirror;
    if !facts.exists || transfer.mirror == InMirror::Absent {
        return None;
    }
    Some(match (transfer.mirror, acted) {
        (InMirror::Open, Some(Effect::Return | Effect::Reverse | Effect::Reapply)) => "returned",
        (InMirror::Open, Some(Effect::Restore)) => "restored",
        (InMirror::Open, Some(Effect::Fail)) => "failed",
        _ => first_status(transfer),
    })
}

#[cfg(test)]
mod tests;
