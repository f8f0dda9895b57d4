//! The enums of the domain and those of the protos, which have the same variants.

use ach::decision::HoldReason;
use ach::format::Emptiness;
use echeck_proto::returns::v1 as proto;
use returns_model::delivery::DeliveryState;
use returns_model::endpoint::{SecretKind, Style};
use returns_model::hold::HoldState;
use returns_model::incident::{AlertState, CheckOutcome, IncidentState, Severity};
use returns_model::plan::Days;
use returns_model::proposal::ProposalState;
use returns_model::run_outcome::{RunOutcome, Trigger};
use returns_webhooks::StageReached;

use super::errors::{self, ApiError};

/// An enum of the domain, as an answer has it.
pub(super) trait ToProto {
    /// The enum of the protos.
    type Proto;

    fn to_proto(self) -> Self::Proto;
}

/// An enum of a request, as the domain has it.
pub(super) trait ToDomain {
    /// The enum of the domain.
    type Domain;

    /// `None` for a value that is not set.
    fn to_domain(self) -> Option<Self::Domain>;
}

/// What a field of a request says; `None` when it is not set. A number that no value has is an
/// error: it would ask for something else than it says.
pub(super) fn requested<P: ToDomain + TryFrom<i32>>(
    field: &str,
    number: i32,
) -> Result<Option<P::Domain>, ApiError> {
    match P::try_from(number) {
        Ok(value) => Ok(value.to_domain()),
        Err(_) => Err(errors::invalid(
            field,
            format!("{number} is not a valid value"),
        )),
    }
}

/// Pairs the variants of an enum of the domain with those of the protos: `=>` for answers only,
/// `=` for requests too.
macro_rules! same_variants {
    ($domain:ty => $proto:ident { $($variant:ident),+ $(,)? }) => {
        impl ToProto for $domain {
            type Proto = proto::$proto;

            fn to_proto(self) -> proto::$proto {
                match self {
                    $(Self::$variant => proto::$proto::$variant),+
                }
            }
        }
    };
    ($domain:ty = $proto:ident { $($variant:ident),+ $(,)? }) => {
        same_variants!($domain => $proto { $($variant),+ });

        impl ToDomain for proto::$proto {
            type Domain = $domain;

            fn to_domain(self) -> Option<$domain> {
                match self {
                    Self::Unspecified => None,
                    $(Self::$variant => Some(<$domain>::$variant)),+
                }
            }
        }
    };
}

same_variants!(
    HoldState = HoldState {
        Open,
        Resolved,
        Duplicate,
        Dismissed
    }
);
same_variants!(
    HoldReason = HoldReason {
        UnknownTransfer,
        AmbiguousTransfer,
        AmountDiffers,
        CurrencyDiffers,
        StateConflict,
        WrongDirection,
        SecondReturn,
        DishonoredReturn,
        ContestedReturn,
        RefusedCorrection,
        UnknownCode,
        UnsupportedType,
        DatabaseRefused,
        UnexpectedValidationFailure,
        IdsContradict,
        UnreadableCorrection,
        UnreadableTransfer,
        NotConfirmed,
    }
);
same_variants!(Emptiness => Emptiness { NoBytes, HeaderOnly, Sentence, LeftOut });
same_variants!(StageReached => AchReturnStage { Created, Dishonored, Contested });
same_variants!(Severity => Severity { Warning, Critical });
same_variants!(IncidentState = IncidentState { Open, Closed });
same_variants!(CheckOutcome => CheckState { Passed, Failed, Skipped });
same_variants!(
    Days = ScheduleDays {
        All,
        Weekdays,
        BankingDays
    }
);
same_variants!(
    ProposalState = ProposalState {
        Open,
        Approved,
        Rejected,
        Expired
    }
);
same_variants!(Trigger => JobTrigger { Schedule, CatchUp, Due, Retry, Manual });
same_variants!(RunOutcome => JobOutcome {
    NoActivity,
    DuplicateFile,
    Completed,
    CompletedWithExceptions,
    FileLate,
    FileMissing,
    ReportFailed,
    FileRejected,
    TargetFailed,
    SourceUnreachable,
    StoreUnreachable,
});
same_variants!(Style = WebhookStyle { Finix, Rainforest });
same_variants!(
    SecretKind = WebhookKeyKind {
        HmacSha256,
        Ed25519
    }
);

impl ToProto for AlertState {
    type Proto = proto::AlertState;

    fn to_proto(self) -> proto::AlertState {
        match self {
            Self::Pending => proto::AlertState::Pending,
            Self::Sent => proto::AlertState::Sent,
            Self::Undeliverable => proto::AlertState::Undeliverable,
            Self::Superseded => proto::AlertState::Superseded,
        }
    }
}

impl ToProto for DeliveryState {
    type Proto = proto::WebhookDeliveryState;

    fn to_proto(self) -> proto::WebhookDeliveryState {
        match self {
            Self::Pending => proto::WebhookDeliveryState::Pending,
            Self::Delivered => proto::WebhookDeliveryState::Delivered,
            Self::Undeliverable => proto::WebhookDeliveryState::Undeliverable,
        }
    }
}

impl ToDomain for proto::WebhookDeliveryState {
    type Domain = DeliveryState;

    fn to_domain(self) -> Option<DeliveryState> {
        match self {
            Self::Unspecified => None,
            Self::Pending => Some(DeliveryState::Pending),
            Self::Delivered => Some(DeliveryState::Delivered),
            Self::Undeliverable => Some(DeliveryState::Undeliverable),
        }
    }
}
