//! What is known of a code besides its name: closed sets of values, each with its text in JSON
//! and CSV.

use chrono::NaiveDate;
use serde::Serialize;

use crate::text_enum::text_enum;

text_enum! {
    /// Which step of the exchange between the two banks a code belongs to.
    ReturnStage {
        /// The entry is sent back.
        Return = "return",
        /// The originating bank sends the return back to the bank that returned.
        Dishonored = "dishonored",
        /// The returning bank insists on its return, or corrects it.
        Contested = "contested",
    }
}

impl ReturnStage {
    /// The stage of a return code, in upper case. The code says it even where the table lacks
    /// the code.
    pub(crate) fn of_code(code: &str) -> Self {
        match code.as_bytes() {
            [b'R', b'6', b'1'..=b'9'] | b"R70" => Self::Dishonored,
            [b'R', b'7', b'1'..=b'7'] => Self::Contested,
            _ => Self::Return,
        }
    }
}

text_enum! {
    /// Who may send a code.
    Initiator {
        /// The receiving bank: the customer's.
        Rdfi = "rdfi",
        /// The receiving bank, or the gateway of an international entry.
        RdfiOrGateway = "rdfi_or_gateway",
        /// The ACH operator, when it processes the file.
        AchOperator = "ach_operator",
        /// A federal agency that receives enrollments.
        FederalAgency = "federal_agency",
        /// The gateway of an international entry.
        Gateway = "gateway",
        /// The originating bank: ours.
        Odfi = "odfi",
    }
}

text_enum! {
    /// The day from which a number of banking days is counted. It is not counted itself.
    Anchor {
        /// The settlement date of the original entry.
        OriginalSettlement = "original_settlement",
        /// The day on which the receiving bank heard that its customer refuses the credit.
        RefusalReceived = "refusal_received",
        /// The settlement date of the return.
        ReturnSettlement = "return_settlement",
        /// The settlement date of the dishonored return.
        DishonorSettlement = "dishonor_settlement",
    }
}

/// How long the sender of a code has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TimeFrame {
    /// Banking days after the anchor.
    BankingDays {
        /// How many.
        days: u16,
        /// Counted from when.
        after: Anchor,
    },
    /// Calendar days after the settlement of the original entry, then the next banking day.
    CalendarDays {
        /// How many.
        days: u16,
    },
    /// The operator's next file after it processed the entry.
    NextFile,
    /// Whatever the two banks agree on.
    Undefined,
    /// A time frame of its own whose text is not public (sanctions).
    Special,
    /// No time frame: enrollments of federal agencies.
    NotApplicable,
}

impl TimeFrame {
    /// The kind of time frame, in snake case, without its numbers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BankingDays { .. } => "banking_days",
            Self::CalendarDays { .. } => "calendar_days",
            Self::NextFile => "next_file",
            Self::Undefined => "undefined",
            Self::Special => "special",
            Self::NotApplicable => "not_applicable",
        }
    }
}

text_enum! {
    /// In which of the network's return rates a code is counted, besides the overall one.
    RateCategory {
        /// Counted in the rate of unauthorized debits (threshold 0.5 %).
        Unauthorized = "unauthorized",
        /// Counted in the rate of bad account data (level 3 %).
        Administrative = "administrative",
        /// A return counted in neither.
        Other = "other",
        /// Never counted: dishonors, contests and enrollments.
        None = "none",
    }
}

/// Whether the returned debit may be presented again. Presenting again is the same debit,
/// marked `RETRY PYMT`; a debit with new data or a new authorization is a new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Representment {
    /// As it is. (An RCK entry only once.)
    Allowed {
        /// How often after the first return, also if the later ones have other reasons.
        times: u8,
        /// Calendar days after the settlement of the original entry.
        within_days: u16,
    },
    /// Only when the receiver agrees to it after the return.
    WithNewConsent,
    /// Only when the reason of the return is remedied.
    AfterRemedy,
    /// A corrected new entry under the same authorization.
    NewEntryCorrected {
        /// Calendar days after the settlement of the return.
        within_days: u16,
    },
    /// Not at all: a new authorization, or another way to pay, is needed.
    No,
    /// There is nothing to present: dishonors, contests and enrollments.
    NotApplicable,
}

impl Representment {
    /// The rule in snake case, without its numbers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::WithNewConsent => "with_new_consent",
            Self::AfterRemedy => "after_remedy",
            Self::NewEntryCorrected { .. } => "new_entry_corrected",
            Self::No => "no",
            Self::NotApplicable => "not_applicable",
        }
    }
}

text_enum! {
    /// What to do next about the payment or the customer.
    RecommendedAction {
        /// Present the debit again later, when there may be money.
        RetryLater = "retry_later",
        /// Present it again later: the receiving bank could not settle.
        RetryLaterBank = "retry_later_bank",
        /// Get correct account data, or another account, from the customer.
        FixAccountData = "fix_account_data",
        /// Correct what our own file or entry got wrong.
        FixFileData = "fix_file_data",
        /// Stop all debits until the customer has authorized them again.
        StopAndReauthorize = "stop_and_reauthorize",
        /// Stop all debits and get in touch with the customer's family or agent.
        StopAndContact = "stop_and_contact",
        /// Ask the customer before any further debit.
        ContactCustomer = "contact_customer",
        /// Correct the entry as authorized, and send it as a new one.
        CorrectAndResubmit = "correct_and_resubmit",
        /// Clarify it with our bank.
        ReviewWithBank = "review_with_bank",
        /// Leave it to the compliance staff.
        ReferToCompliance = "refer_to_compliance",
        /// Read the addenda: `QUESTIONABLE` in it means suspected fraud.
        InvestigateFraudIfQuestionable = "investigate_fraud_if_questionable",
        /// Check whether the debit was sent twice, or already reversed.
        CheckForDuplicate = "check_for_duplicate",
        /// The return is undone: restore the original payment.
        RestoreOriginal = "restore_original",
        /// Handle it like R69, which replaced this code.
        TreatAsR69 = "treat_as_r69",
        /// The return stands after all: apply it again.
        ReapplyReturn = "reapply_return",
        /// Nothing that a merchant's eCheck could meet; a person should look.
        NoneOutOfScope = "none_out_of_scope",
    }
}

text_enum! {
    /// What should happen to the bank account the entry was for.
    AccountEffect {
        /// It can be used as before.
        None = "none",
        /// No new debits until a person or the customer has acted.
        Hold = "hold",
        /// Not usable until it is replaced or authorized again.
        Block = "block",
    }
}

text_enum! {
    /// Which originals a code is usual for. It is used to flag a code that does not fit
    /// the direction of the transfer, never to refuse it.
    UsualDirection {
        /// Debits only.
        Debits = "debits",
        /// Credits only.
        Credits = "credits",
        /// Either.
        Any = "any",
    }
}

text_enum! {
    /// Which receivers' accounts a code may be used for.
    AccountKind {
        /// Consumer and non-consumer accounts.
        Any = "any",
        /// Consumer accounts.
        Consumer = "consumer",
        /// Consumer accounts; with ARC, BOC, IAT and POP entries also non-consumer ones.
        ConsumerOrNamedSecs = "consumer_or_named_secs",
        /// Accounts of businesses and other non-consumers.
        NonConsumer = "non_consumer",
        /// The code is not about an account.
        NotApplicable = "not_applicable",
    }
}

/// From when or until when a code is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "in_force", content = "date")]
pub enum Validity {
    /// In force, as far back as it matters.
    Always,
    /// From this date on.
    From(NaiveDate),
    /// Until the day before this date.
    Until(NaiveDate),
    /// No longer, since a date that is not on record but lies before any file read today.
    Never,
}

impl Validity {
    /// Whether the code is in force on a date.
    pub(super) fn on(self, date: NaiveDate) -> bool {
        match self {
            Self::Always => true,
            Self::From(first) => first <= date,
            Self::Until(end) => date < end,
            Self::Never => false,
        }
    }
}

/// A date of a table. The arguments are literals, so a wrong one shows in the tests.
pub(super) const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MAX,
    }
}
