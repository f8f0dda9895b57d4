//! Enum values as people read them, and the tones of those that are states.

use echeck_proto::returns::v1 as proto;

use crate::client::short_name;
use crate::output::Tone;

/// A value in words.
pub(crate) trait Words: Copy {
    /// The value in words, such as `unknown transfer`; empty for a value that is not set.
    fn words(self) -> String;

    /// What the value means for the reader.
    fn tone(self) -> Tone {
        Tone::Plain
    }
}

/// The name of a value in lower case. `$variant => "text"` says it better where the name is not
/// enough; `good`, `attention` and `bad` list the values with a tone.
macro_rules! words {
    ($($name:ident $({ $($variant:ident => $text:literal),+ $(,)? })?
        $(good [$($good:ident),+])? $(attention [$($attention:ident),+])? $(bad [$($bad:ident),+])?;)+) => {
        $(impl Words for proto::$name {
            fn words(self) -> String {
                match self {
                    $($(Self::$variant => $text.to_owned(),)+)?
                    #[allow(unreachable_patterns, reason = "an enum may have words for all values")]
                    other if other == Self::default() => String::new(),
                    #[allow(unreachable_patterns, reason = "an enum may have words for all values")]
                    other => {
                        short_name(other.as_str_name(), Self::default().as_str_name())
                            .replace('_', " ")
                    }
                }
            }

            fn tone(self) -> Tone {
                match self {
                    $($(Self::$good)|+ => Tone::Good,)?
                    $($(Self::$attention)|+ => Tone::Attention,)?
                    $($(Self::$bad)|+ => Tone::Bad,)?
                    #[allow(unreachable_patterns, reason = "every value may have a tone")]
                    _ => Tone::Plain,
                }
            }
        })+
    };
}

words! {
    AchReturnStage { Created => "stands" };
    AlertState good [Sent] attention [Pending] bad [Undeliverable];
    DatabaseState {
        Pending => "not yet applied",
        Exception => "applied with exceptions",
        Fault => "stalled",
    } good [Applied] attention [Pending, Exception] bad [Fault];
    Effect {
        Fail => "failed",
        Return => "returned",
        Reverse => "reversed",
        Correct => "corrected",
        Restore => "restored",
        Reapply => "reapplied",
        ReleaseToSettlement => "released to settlement",
    };
    HoldReason;
    HoldState good [Resolved, Duplicate] attention [Open];
    ImportState { DryRun => "preview" }
        good [Applied] attention [Checking, Deciding, Decided] bad [Rejected];
    IncidentState good [Closed] bad [Open];
    JobOutcome good [Completed, NoActivity, DuplicateFile]
        attention [Running, CompletedWithExceptions, FileLate]
        bad [FileMissing, FileRejected, SourceUnreachable, StoreUnreachable, TargetFailed, ReportFailed];
    JobTrigger { Manual => "a person", CatchUp => "catching up", Due => "due time" };
    ProposalState good [Approved] attention [Open];
    Representment {
        TwiceIn180Days => "up to two more times within 180 days",
        WithNewConsent => "only with the customer's new consent",
        AfterRemedy => "only after the reason is remedied",
        CorrectedNewEntry => "as a corrected new entry within 60 days",
    };
    ScheduleDays { All => "every day", Weekdays => "Monday to Friday", BankingDays => "banking days" };
    Severity attention [Warning] bad [Critical];
    WebhookDeliveryState good [Delivered] attention [Pending] bad [Undeliverable];
    WebhookKeyKind { HmacSha256 => "HMAC-SHA256", Ed25519 => "Ed25519" };
    WebhookStyle { Finix => "Finix", Rainforest => "Rainforest" };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_reads_like_the_name_of_a_constant() {
        let reasons = (0..=18).filter_map(|number| proto::HoldReason::try_from(number).ok());
        for reason in reasons {
            let words = reason.words();
            assert_eq!(words, words.to_lowercase());
            assert!(!words.contains('_'), "{words}");
        }
        assert_eq!(
            proto::HoldReason::UnknownTransfer.words(),
            "unknown transfer"
        );
        assert_eq!(proto::Effect::Unspecified.words(), "");
        assert_eq!(
            proto::Representment::TwiceIn180Days.words(),
            "up to two more times within 180 days"
        );
    }

    #[test]
    fn what_is_done_is_good_and_what_failed_is_bad() {
        assert_eq!(proto::ImportState::Applied.tone(), Tone::Good);
        assert_eq!(proto::ImportState::Rejected.tone(), Tone::Bad);
        assert_eq!(proto::DatabaseState::Fault.tone(), Tone::Bad);
        assert_eq!(proto::HoldState::Open.tone(), Tone::Attention);
    }
}
