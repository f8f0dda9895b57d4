//! Enum values as people read them.

use echeck_proto::returns::v1 as proto;

use super::json::short;

/// A value in words.
pub(crate) trait Words {
    /// The value in lower case, such as `unknown transfer`; empty for a value that is not set.
    fn words(self) -> String;
}

macro_rules! words {
    ($($name:ident),+ $(,)?) => {
        $(impl Words for proto::$name {
            fn words(self) -> String {
                if self == Self::default() {
                    return String::new();
                }
                short(self.as_str_name(), Self::default().as_str_name()).replace('_', " ")
            }
        })+
    };
}

words!(
    AchReturnStage,
    AlertState,
    DatabaseState,
    Effect,
    HoldReason,
    HoldState,
    ImportState,
    IncidentState,
    JobOutcome,
    JobTrigger,
    ProposalState,
    Representment,
    ScheduleDays,
    Severity,
    WebhookDeliveryState,
    WebhookKeyKind,
    WebhookStyle,
);
