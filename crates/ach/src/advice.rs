//! What may be done after a return: whether, how often and until when the payment may be
//! presented again, and what should happen to the customer's account.
//!
//! Source: Nacha Operating Rules 2013, §2.12.4. After R01 and R09 a debit may be presented twice
//! more (a check entry, RCK, once), whatever the reasons of the later returns, within 180 days
//! of the original's settlement, as with any other entry that may be presented again. R11 allows one corrected new entry within 60 days.
//!
//! How often a debit was presented is not in our databases: each presentment is a transfer of
//! its own, and nothing links it to the first. A guess by customer and amount would mistake two
//! orders for one. This can be known:
//! - The returned presentment itself is one.
//! - A debit that is presented again must say `RETRY PYMT` in its batch's entry description, so
//!   a return with these words, or others that begin with RETRY or REINIT, is of the second or third
//!   presentment: **at least** two.
//! - With other words in that field it is the first: **exactly** one.
//! - A file without that field (every acquirer's CSV) leaves it open: at least one.

use chrono::NaiveDate;

use crate::code::{AccountEffect, Representment};
use crate::deadline::last_representment_day;
use crate::decision::TransferType;
use crate::entry::Entry;

/// The entry description of a debit that is presented again.
#[cfg(test)]
const RETRY: &str = "RETRY PYMT";

/// How entry descriptions begin that say so. Nacha's words are `RETRY PYMT`; originators also write
/// `RETRY PMT`, `RETRY 1` and `REINIT`.
const RETRIES: [&str; 2] = ["RETRY", "REINIT"];

/// How often a payment was presented, the returned presentment included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How often.
    pub used: u8,
    /// Whether it may have been more often; then less may be left, too.
    pub at_least: bool,
}

/// What may be done after a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Whether and how the payment may be presented again.
    pub representment: Representment,
    /// How often it was presented; `None` for credits, which are not presented.
    pub attempts: Option<Attempts>,
    /// How often it may still be presented; at most that where `attempts` is a minimum. `None`
    /// where the rules set no number.
    pub left: Option<u8>,
    /// The last day to present it again; `None` where the rules set none, or a date is missing.
    pub until: Option<NaiveDate>,
    /// What should happen to the account.
    pub account: AccountEffect,
}

/// The advice for a return of a transfer of type `kind`. `original_settlement` and
/// `return_settlement` are when the two settled. `None` for an entry that is not a return with a
/// known code.
pub fn advice(
    entry: &Entry,
    kind: TransferType,
    original_settlement: Option<NaiveDate>,
    return_settlement: Option<NaiveDate>,
) -> Option<Advice> {
    let code = entry
        .kind
        .return_code()
        .filter(|_| entry.kind.is_return())?;
    let info = code.info();
    let attempts = match kind {
        TransferType::Debit => Some(attempts(entry)),
        TransferType::Credit | TransferType::Refund | TransferType::Other => None,
    };
    let again = match info.representment {
        Representment::Allowed { times, .. } if entry.sec.as_deref() == Some("RCK") => {
            Some(times.min(1))
        }
        Representment::Allowed { times, .. } => Some(times),
        Representment::WithNewConsent
        | Representment::AfterRemedy
        | Representment::NewEntryCorrected { .. }
        | Representment::No
        | Representment::NotApplicable => None,
    };
    let left =
        |(again, attempts): (u8, Attempts)| again.saturating_add(1).saturating_sub(attempts.used);
    let dates = original_settlement.zip(return_settlement);
    Some(Advice {
        representment: info.representment,
        attempts,
        left: again.zip(attempts).map(left),
        until: dates
            .and_then(|(original, returned)| last_representment_day(code, original, returned)),
        account: info.account_effect,
    })
}

fn attempts(entry: &Entry) -> Attempts {
    let (used, at_least) = match entry.entry_description.as_deref() {
        Some(words) if is_retry(words) => (2, true),
        Some(_) => (1, false),
        None => (1, true),
    };
    Attempts { used, at_least }
}

fn is_retry(entry_description: &str) -> bool {
    let words = entry_description.trim().to_ascii_uppercase();
    RETRIES.iter().any(|retry| words.starts_with(retry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::ReturnCode;
    use crate::entry::{Coded, EntryKind, FilePosition};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn returned(code: ReturnCode, description: Option<&str>) -> Entry {
        let kind = EntryKind::Return {
            code: Coded::Known(code),
            date_of_death: None,
        };
        Entry {
            entry_description: description.map(str::to_owned),
            ..Entry::new(FilePosition { line: 3, byte: 0 }, kind)
        }
    }

    fn of(entry: &Entry, kind: TransferType) -> Advice {
        advice(
            entry,
            kind,
            Some(day("2026-03-02")),
            Some(day("2026-03-04")),
        )
        .unwrap()
    }

    #[test]
    fn a_first_return_for_want_of_funds_leaves_two_presentments_within_180_days() {
        for code in [ReturnCode::R01, ReturnCode::R09] {
            let advice = of(&returned(code, Some("PAYMENT")), TransferType::Debit);
            let exactly_once = Attempts {
                used: 1,
                at_least: false,
            };
            assert_eq!(
                (advice.attempts, advice.left),
                (Some(exactly_once), Some(2))
            );
            assert_eq!(advice.until, Some(day("2026-08-29")));
            assert_eq!(advice.account, AccountEffect::None);
        }
    }

    #[test]
    fn a_retried_payment_was_presented_at_least_twice_and_at_most_once_is_left() {
        let at_least_twice = Attempts {
            used: 2,
            at_least: true,
        };
        for words in [
            RETRY,
            "RETRY PMT",
            "RETRY 1",
            "retry pymt",
            "RETRYPYMT",
            "REINIT",
        ] {
            let advice = of(&returned(ReturnCode::R01, Some(words)), TransferType::Debit);
            let found = (advice.attempts, advice.left);
            assert_eq!(found, (Some(at_least_twice), Some(1)), "{words}");
        }
    }

    #[test]
    fn a_file_without_the_entry_description_leaves_open_which_presentment_it_was() {
        let advice = of(&returned(ReturnCode::R01, None), TransferType::Debit);
        let at_least_once = Attempts {
            used: 1,
            at_least: true,
        };
        assert_eq!(
            (advice.attempts, advice.left),
            (Some(at_least_once), Some(2))
        );
    }

    #[test]
    fn a_check_entry_is_presented_again_once_only() {
        let mut entry = returned(ReturnCode::R01, Some("REDEPCHECK"));
        entry.sec = Some("RCK".into());
        assert_eq!(of(&entry, TransferType::Debit).left, Some(1));
        entry.entry_description = Some(RETRY.into());
        assert_eq!(of(&entry, TransferType::Debit).left, Some(0));
    }

    #[test]
    fn what_is_presented_only_after_a_remedy_or_never_has_no_number_left() {
        for code in ReturnCode::ALL {
            let advice = of(&returned(*code, Some("PAYMENT")), TransferType::Debit);
            let counted = matches!(advice.representment, Representment::Allowed { .. });
            assert_eq!(advice.left.is_some(), counted, "{code}");
            assert_eq!(advice.account, code.info().account_effect, "{code}");
        }
        let corrected = of(&returned(ReturnCode::R11, None), TransferType::Debit);
        assert_eq!(corrected.until, Some(day("2026-05-03")));
        let stopped = of(&returned(ReturnCode::R10, None), TransferType::Debit);
        assert_eq!(stopped.account, AccountEffect::Block);
    }

    #[test]
    fn a_credit_is_not_presented_and_has_nothing_to_count() {
        for kind in [
            TransferType::Credit,
            TransferType::Refund,
            TransferType::Other,
        ] {
            let advice = of(&returned(ReturnCode::R01, Some("PAYMENT")), kind);
            assert_eq!((advice.attempts, advice.left), (None, None));
        }
    }

    #[test]
    fn without_the_dates_there_is_no_last_day_and_without_a_known_code_no_advice() {
        let entry = returned(ReturnCode::R01, None);
        let dated = |original, settled| {
            advice(&entry, TransferType::Debit, original, settled)
                .unwrap()
                .until
        };
        assert_eq!(dated(None, Some(day("2026-03-04"))), None);
        assert_eq!(dated(Some(day("2026-03-02")), None), None);
        let failure = Entry::new(entry.at, EntryKind::ValidationFailure { code: None });
        assert_eq!(advice(&failure, TransferType::Debit, None, None), None);
    }
}
