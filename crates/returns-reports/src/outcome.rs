//! What became of one line of a file, in a closed set of words.

use ach::decision::{Effect, HoldReason};
use returns_model::follower::ExceptionKind;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineOutcome {
    Effect(Effect),
    /// Its return was known already.
    Duplicate,
    /// A prenote came back, which is about no payment.
    Prenote,
    /// It waits for a person, or for its transfer to appear.
    Held(HoldReason),
    /// It waited, and a person closed it without effect.
    Dismissed(HoldReason),
    /// It could not be read; the field that is wrong, or what else names it.
    Rejected(String),
}

/// Where an outcome is counted. Its text begins the outcome of a line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub(super) enum OutcomeClass {
    Returned,
    Reversed,
    Failed,
    Corrected,
    Restored,
    Reapplied,
    Duplicate,
    Prenote,
    Held,
    Dismissed,
    Rejected,
}

impl OutcomeClass {
    /// The class of an outcome as a report has it, such as `held:unknown_transfer`.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        text.split(':').next().unwrap_or(text).parse().ok()
    }
}

impl LineOutcome {
    pub(super) const fn class(&self) -> OutcomeClass {
        match self {
            Self::Effect(Effect::Return) => OutcomeClass::Returned,
            Self::Effect(Effect::Reverse) => OutcomeClass::Reversed,
            Self::Effect(Effect::Fail) => OutcomeClass::Failed,
            // No line of a file makes anything ready; nothing moves by it.
            Self::Effect(Effect::Correct) => OutcomeClass::Corrected,
            Self::Effect(Effect::Restore) => OutcomeClass::Restored,
            Self::Effect(Effect::Reapply) => OutcomeClass::Reapplied,
            Self::Duplicate => OutcomeClass::Duplicate,
            Self::Prenote => OutcomeClass::Prenote,
            Self::Held(_) => OutcomeClass::Held,
            Self::Dismissed(_) => OutcomeClass::Dismissed,
            Self::Rejected(_) => OutcomeClass::Rejected,
        }
    }

    /// As the report has it.
    pub(super) fn text(&self) -> String {
        let word: &str = self.class().into();
        match self {
            Self::Effect(_) | Self::Duplicate | Self::Prenote => word.to_owned(),
            Self::Held(reason) | Self::Dismissed(reason) => format!("{word}:{reason}"),
            Self::Rejected(what) => format!("{word}:{what}"),
        }
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
                word.parse().ok().map(Self::Exception)
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
            (LineOutcome::Effect(Effect::Reverse), OutcomeClass::Reversed),
            (LineOutcome::Duplicate, OutcomeClass::Duplicate),
            (LineOutcome::Prenote, OutcomeClass::Prenote),
            (
                LineOutcome::Held(HoldReason::UnknownCode),
                OutcomeClass::Held,
            ),
            (
                LineOutcome::Dismissed(HoldReason::SecondReturn),
                OutcomeClass::Dismissed,
            ),
            (
                LineOutcome::Rejected("amount:x".into()),
                OutcomeClass::Rejected,
            ),
        ] {
            assert_eq!(OutcomeClass::of_text(&outcome.text()), Some(class));
        }
        assert_eq!(OutcomeClass::of_text("lost"), None);
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
            assert_eq!(json.trim_matches('"'), reason.as_str());
        }
    }
}
