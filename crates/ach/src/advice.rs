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
//! - With other words in that field it is the first, if the originator follows that rule: **exactly** one
//!   where the source's configuration says so, and at least one otherwise.
//! - A file without that field (every acquirer's CSV) leaves it open: at least one.

use chrono::{Days, NaiveDate};

use crate::code::{AccountEffect, Representment, ReturnCode};
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
    /// The fee for the return that may be charged, if one may.
    pub fee: Option<ReturnFee>,
}

/// A fee for a return, charged to the customer as an entry of its own, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnFee {
    /// The last day on which it may settle; `None` where it is not known when the return settled.
    pub until: Option<NaiveDate>,
}

/// What the batch of a return fee is called.
const RETURN_FEE: &str = "RETURN FEE";

/// How long after the return's settlement its fee must settle.
const FEE_DAYS: u64 = 45;

/// A fee may be charged for a debit that came back for want of funds (R01, R09), and never for a fee
/// (source: Nacha Operating Rules 2013, §2.14).
fn return_fee(entry: &Entry, payment: Payment) -> Option<ReturnFee> {
    let is_unpaid = matches!(
        entry.kind.return_code(),
        Some(ReturnCode::R01 | ReturnCode::R09)
    );
    let is_fee = entry
        .entry_description
        .as_deref()
        .is_some_and(|words| words.trim().eq_ignore_ascii_case(RETURN_FEE));
    // Another day of the return is not the one that counts.
    let until = entry
        .settlement_date
        .and_then(|settled| settled.checked_add_days(Days::new(FEE_DAYS)));
    let is_due = payment.kind == TransferType::Debit && is_unpaid && !is_fee;
    is_due.then_some(ReturnFee { until })
}

/// What is known of the payment that came back.
#[derive(Debug, Clone, Copy)]
pub struct Payment {
    /// Its type.
    pub kind: TransferType,
    /// When the original settled.
    pub original_settlement: Option<NaiveDate>,
    /// When its return settled.
    pub return_settlement: Option<NaiveDate>,
    /// Whether its originator marks every further presentment by the rules, as the source's
    /// configuration says.
    pub is_conforming: bool,
}

/// The advice for a return of `payment`. `None` for an entry that is not a return with a known code.
pub fn advice(entry: &Entry, payment: Payment) -> Option<Advice> {
    let info = entry.code_info().filter(|_| entry.kind.is_return())?;
    let attempts = match payment.kind {
        TransferType::Debit => Some(attempts(entry, payment.is_conforming)),
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
    let dates = payment.original_settlement.zip(payment.return_settlement);
    Some(Advice {
        representment: info.representment,
        attempts,
        left: again.zip(attempts).map(left),
        until: dates
            .and_then(|(original, returned)| last_representment_day(info, original, returned)),
        account: info.account_effect,
        fee: return_fee(entry, payment),
    })
}

fn attempts(entry: &Entry, is_conforming: bool) -> Attempts {
    let (used, at_least) = match entry.entry_description.as_deref() {
        Some(words) if is_retry(words) => (2, true),
        Some(_) => (1, !is_conforming),
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

    fn payment(kind: TransferType) -> Payment {
        Payment {
            kind,
            original_settlement: Some(day("2026-03-02")),
            return_settlement: Some(day("2026-03-04")),
            is_conforming: true,
        }
    }

    fn of(entry: &Entry, kind: TransferType) -> Advice {
        advice(entry, payment(kind)).unwrap()
    }

    #[test]
    fn the_first_presentment_is_claimed_only_of_an_originator_that_marks_the_others() {
        let entry = returned(ReturnCode::R01, Some("PAYMENT"));
        let of_any = Payment {
            is_conforming: false,
            ..payment(TransferType::Debit)
        };
        let attempts = advice(&entry, of_any).unwrap().attempts.unwrap();
        assert!(attempts.at_least);
        assert!(!of(&entry, TransferType::Debit).attempts.unwrap().at_least);
    }

    #[test]
    fn a_fee_may_be_charged_once_for_want_of_funds_and_never_for_a_fee() {
        let fee = |code, words, kind| {
            let mut entry = returned(code, words);
            entry.settlement_date = Some(day("2026-03-04"));
            of(&entry, kind).fee
        };
        let until = Some(ReturnFee {
            until: Some(day("2026-04-18")),
        });
        for code in [ReturnCode::R01, ReturnCode::R09] {
            assert_eq!(fee(code, Some("PAYMENT"), TransferType::Debit), until);
            assert_eq!(fee(code, None, TransferType::Debit), until);
            assert_eq!(fee(code, Some("RETURN FEE"), TransferType::Debit), None);
            assert_eq!(fee(code, Some("PAYMENT"), TransferType::Credit), None);
        }
        assert_eq!(
            fee(ReturnCode::R02, Some("PAYMENT"), TransferType::Debit),
            None
        );
        let undated = returned(ReturnCode::R01, None);
        let fee = of(&undated, TransferType::Debit).fee;
        assert_eq!(fee, Some(ReturnFee { until: None }));
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
            let payment = Payment {
                original_settlement: original,
                return_settlement: settled,
                ..payment(TransferType::Debit)
            };
            advice(&entry, payment).unwrap().until
        };
        assert_eq!(dated(None, Some(day("2026-03-04"))), None);
        assert_eq!(dated(Some(day("2026-03-02")), None), None);
        let failure = Entry::new(entry.at, EntryKind::ValidationFailure { code: None });
        assert_eq!(advice(&failure, payment(TransferType::Debit)), None);
    }
}
