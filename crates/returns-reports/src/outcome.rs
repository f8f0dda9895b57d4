//! What became of one line of a file, in a closed set of words.

use ach::decision::{Effect, HoldReason};
use returns_model::follower::ExceptionKind;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineOutcome {
    Effect(Effect),
    /// Its return was known already.
    Duplicate,
    /// It waits for a person, or for its transfer to appear.
    Held(HoldReason),
    /// It waited, and a person closed it without effect.
    Dismissed(HoldReason),
    /// It could not be read; the field that is wrong, or what else names it.
    Rejected(String),
}

/// Where an outcome is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Returned,
    Reversed,
    Failed,
    Corrected,
    Restored,
    Reapplied,
    Duplicate,
    Held,
    Dismissed,
    Rejected,
}

impl Class {
    pub(super) const ALL: [Self; 10] = [
        Self::Returned,
        Self::Reversed,
        Self::Failed,
        Self::Corrected,
        Self::Restored,
        Self::Reapplied,
        Self::Duplicate,
        Self::Held,
        Self::Dismissed,
        Self::Rejected,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Reversed => "reversed",
            Self::Failed => "failed",
            Self::Corrected => "corrected",
            Self::Restored => "restored",
            Self::Reapplied => "reapplied",
            Self::Duplicate => "duplicate",
            Self::Held => "held",
            Self::Dismissed => "dismissed",
            Self::Rejected => "rejected",
        }
    }

    /// The class of an outcome as a report has it, such as `held:unknown_transfer`.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let word = text.split(':').next().unwrap_or(text);
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

impl LineOutcome {
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::Effect(Effect::Return) => Class::Returned,
            Self::Effect(Effect::Reverse) => Class::Reversed,
            Self::Effect(Effect::Fail) => Class::Failed,
            // No line of a file makes anything ready; nothing moves by it.
            Self::Effect(Effect::Correct) => Class::Corrected,
            Self::Effect(Effect::Restore) => Class::Restored,
            Self::Effect(Effect::Reapply) => Class::Reapplied,
            Self::Duplicate => Class::Duplicate,
            Self::Held(_) => Class::Held,
            Self::Dismissed(_) => Class::Dismissed,
            Self::Rejected(_) => Class::Rejected,
        }
    }

    /// As the report has it.
    pub(super) fn text(&self) -> String {
        let word = self.class().as_str();
        match self {
            Self::Effect(_) | Self::Duplicate => word.to_owned(),
            Self::Held(reason) | Self::Dismissed(reason) => {
                format!("{word}:{}", reason_word(*reason))
            }
            Self::Rejected(what) => format!("{word}:{what}"),
        }
    }
}

/// A hold's reason in one word.
pub(super) const fn reason_word(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::UnknownTransfer => "unknown_transfer",
        HoldReason::AmbiguousTransfer => "ambiguous_transfer",
        HoldReason::IdsContradict => "ids_contradict",
        HoldReason::ReturnedPrenote => "returned_prenote",
        HoldReason::AmountDiffers => "amount_differs",
        HoldReason::CurrencyDiffers => "currency_differs",
        HoldReason::StateConflict => "state_conflict",
        HoldReason::WrongDirection => "wrong_direction",
        HoldReason::SecondReturn => "second_return",
        HoldReason::DishonoredReturn => "dishonored_return",
        HoldReason::ContestedReturn => "contested_return",
        HoldReason::RefusedCorrection => "refused_correction",
        HoldReason::UnreadableCorrection => "unreadable_correction",
        HoldReason::UnknownCode => "unknown_code",
        HoldReason::UnsupportedType => "unsupported_type",
        HoldReason::DatabaseRefused => "database_refused",
        HoldReason::UnexpectedValidationFailure => "unexpected_validation_failure",
    }
}

/// What a line did in one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It took effect.
    Applied,
    /// It reached the database and did not take effect.
    Exception(ExceptionKind),
    /// There was nothing to do there.
    Skipped,
}

impl Status {
    pub(super) fn text(self) -> String {
        match self {
            Self::Applied => "applied".to_owned(),
            Self::Exception(kind) => format!("exception:{}", kind.as_str()),
            Self::Skipped => "skipped".to_owned(),
        }
    }

    /// A status as a report has it.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        match text {
            "applied" => Some(Self::Applied),
            "skipped" => Some(Self::Skipped),
            other => {
                let word = other.strip_prefix("exception:")?;
                ExceptionKind::ALL
                    .into_iter()
                    .find(|kind| kind.as_str() == word)
                    .map(Self::Exception)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_and_status_is_read_back_as_it_was_written() {
        for (outcome, class) in [
            (LineOutcome::Effect(Effect::Reverse), Class::Reversed),
            (LineOutcome::Duplicate, Class::Duplicate),
            (LineOutcome::Held(HoldReason::UnknownCode), Class::Held),
            (
                LineOutcome::Dismissed(HoldReason::SecondReturn),
                Class::Dismissed,
            ),
            (LineOutcome::Rejected("amount:x".into()), Class::Rejected),
        ] {
            assert_eq!(Class::of_text(&outcome.text()), Some(class));
        }
        assert_eq!(Class::of_text("lost"), None);
        for status in [
            Status::Applied,
            Status::Skipped,
            Status::Exception(ExceptionKind::Refused),
        ] {
            assert_eq!(Status::of_text(&status.text()), Some(status));
        }
        assert_eq!(Status::of_text("exception:"), None);
    }

    #[test]
    fn a_reason_is_the_word_that_everything_else_uses() {
        for reason in [HoldReason::UnknownTransfer, HoldReason::DatabaseRefused] {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json.trim_matches('"'), reason_word(reason));
        }
    }
}
