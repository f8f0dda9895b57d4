//! The made-up world of a round: payments, and the bank's files about them. Everything
//! follows from the seed, the round and a file's number, so that the oracle knows what each
//! entry may come to without asking the system under test.

mod generator;
mod nacha;
mod stages;

pub use generator::World;
pub(crate) use stages::{CONTESTS, NOT_REQUESTED};

/// What "funded to the merchant" means in a round's gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// A debit that SUCCEEDED is funded.
    State,
    /// A debit in a deposit is funded.
    Deposit,
}

impl Policy {
    /// Rounds take turns, so that a campaign meets both.
    #[must_use]
    pub const fn of_round(round: u64) -> Self {
        if round.is_multiple_of(2) {
            Self::State
        } else {
            Self::Deposit
        }
    }

    /// The adapter's profile that has this policy.
    #[must_use]
    pub const fn profile(self) -> &'static str {
        match self {
            Self::State => "finix",
            Self::Deposit => "rainforest",
        }
    }

    /// How the profile spells a state.
    #[must_use]
    pub const fn spelling(self, state: State) -> &'static str {
        match (self, state) {
            (Self::State, State::Pending) => "PENDING",
            (Self::Deposit, State::Pending) => "PROCESSING",
            (_, State::Succeeded) => "SUCCEEDED",
            (_, State::Failed) | (Self::State, State::Returned) => "FAILED",
            (_, State::Canceled) => "CANCELED",
            (Self::Deposit, State::Returned) => "RETURNED",
        }
    }
}

/// What a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Money from a customer.
    Debit,
    /// Money to a merchant.
    Credit,
    /// Money back to a customer.
    Refund,
}

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent.
    Pending,
    /// Went through.
    Succeeded,
    /// Did not work.
    Failed,
    /// Taken back before it was sent.
    Canceled,
    /// Came back before it was funded.
    Returned,
}

/// How the Rails app has the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InMirror {
    /// With a status that a change may start from.
    Open,
    /// With a status from which no change may start.
    Closed,
    /// Not at all.
    Absent,
}

/// What the gateway's owner does about the payment while its return is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nothing.
    Leaves,
    /// Funds it (or settles it, if it is a credit).
    Funds,
    /// Cancels it.
    Cancels,
    /// Records it only after the bank's file has come.
    Brings,
    /// Never records it.
    NeverHasIt,
}

/// A payment.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its state before anything happens.
    pub state: State,
    /// Whether it is in a deposit before anything happens.
    pub in_deposit: bool,
    /// Its amount in minor units.
    pub amount_minor: i64,
    /// The trace number of its original entry.
    pub ach_trace: String,
    /// How the Rails app has it.
    pub mirror: InMirror,
    /// Whether the gateway's database refuses every change of it.
    pub refused: bool,
    /// What the owner does.
    pub owner: Owner,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// A return.
    Return {
        /// Its code.
        code: &'static str,
    },
    /// Our own bank rejected it: it never entered the network.
    Rejected {
        /// The bank's code.
        code: &'static str,
        /// Whether the code stands in the header of a batch, and so rejects all of it.
        with_batch: bool,
    },
    /// A notification of change. Several about one entry stand in lines below it.
    Correction {
        /// Its code.
        code: &'static str,
        /// The corrected data; of an account, its last four digits tell one from another.
        data: String,
    },
    /// A dishonor of a return.
    Dishonored {
        /// Its code.
        code: &'static str,
        /// The code of the return.
        of_code: &'static str,
    },
    /// A contest of a dishonor.
    Contested {
        /// Its code.
        code: &'static str,
        /// The code of the return.
        of_code: &'static str,
        /// The code of the dishonor.
        dishonor_code: &'static str,
    },
}

impl Says {
    /// The code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Return { code }
            | Self::Rejected { code, .. }
            | Self::Correction { code, .. }
            | Self::Dishonored { code, .. }
            | Self::Contested { code, .. } => code,
        }
    }

    /// Whether it is a later stage of a return.
    #[must_use]
    pub const fn is_later_stage(&self) -> bool {
        match self {
            Self::Dishonored { .. } | Self::Contested { .. } => true,
            Self::Return { .. } | Self::Rejected { .. } | Self::Correction { .. } => false,
        }
    }
}

/// The code that no table has.
pub const STRANGE_CODE: &str = "R97";

/// An entry of a file.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id of the payment it is about.
    pub transfer_id: String,
    /// That payment's trace number.
    pub ach_trace: String,
    /// What it says.
    pub says: Says,
    /// Its amount in minor units; 0 for a correction.
    pub amount_minor: i64,
    /// Whether its transaction code is a credit's.
    pub is_credit: bool,
    /// Its own trace number; of a later stage, that of the return that it is about. A rejected
    /// entry has none.
    pub return_trace: String,
}

impl Entry {
    /// Whether it is about a prenote: an entry of zero, which was no payment.
    #[must_use]
    pub const fn is_prenote(&self) -> bool {
        match self.says {
            Says::Return { .. } | Says::Rejected { .. } => self.amount_minor == 0,
            Says::Correction { .. } | Says::Dishonored { .. } | Says::Contested { .. } => false,
        }
    }
}

/// A line of a file, with its addenda if it has any.
#[derive(Debug, Clone)]
pub enum Line {
    /// An entry that can be read.
    Entry(Entry),
    /// An entry without the addenda that would say why it came.
    Unreadable {
        /// Its amount in minor units.
        amount_minor: i64,
    },
}

impl Line {
    /// The amount that the file's totals count.
    #[must_use]
    pub const fn amount_minor(&self) -> i64 {
        match self {
            Self::Entry(entry) => entry.amount_minor,
            Self::Unreadable { amount_minor } => *amount_minor,
        }
    }
}

/// A file of the bank.
#[derive(Debug, Clone)]
pub struct ReturnFile {
    /// Its number in the round, from 0.
    pub index: u64,
    /// Its name.
    pub name: String,
    /// The payments that it is the first to be about.
    pub transfers: Vec<Transfer>,
    /// Its lines, in the order of the file.
    pub lines: Vec<Line>,
    /// The file.
    pub bytes: Vec<u8>,
    /// The hash of its bytes, in hexadecimal.
    pub sha256: String,
}
