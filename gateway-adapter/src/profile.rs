//! How a gateway spells the neutral states and types in its own columns.

use echeck_adapter::batch::TransferState;
use echeck_proto::adapter::v1::{FundingPolicy, TransferType};
use echeck_service::config::Section;

/// A set of defaults for one kind of gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum GatewayProfile {
    /// A returned debit shows as FAILED, and a debit that SUCCEEDED counts as funded.
    Finix,
    /// A returned debit shows as RETURNED, and a debit counts as funded once it is in a deposit.
    Rainforest,
}

impl GatewayProfile {
    /// Reads the key `profile`.
    pub(crate) fn read(root: &Section<'_>) -> Self {
        let choices = [("finix", Self::Finix), ("rainforest", Self::Rainforest)];
        root.one_of("profile", &choices, Some(Self::Finix))
    }

    /// The name in the configuration.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// The default of what counts as funded.
    pub(crate) const fn funding_policy(self) -> FundingPolicy {
        match self {
            Self::Finix => FundingPolicy::State,
            Self::Rainforest => FundingPolicy::Deposit,
        }
    }

    const fn spelling(self, state: TransferState) -> &'static str {
        match (self, state) {
            (Self::Finix, TransferState::Pending) => "PENDING",
            (Self::Rainforest, TransferState::Pending) => "PROCESSING",
            (Self::Finix | Self::Rainforest, TransferState::Succeeded) => "SUCCEEDED",
            (Self::Finix | Self::Rainforest, TransferState::Failed)
            | (Self::Finix, TransferState::Returned) => "FAILED",
            (Self::Finix | Self::Rainforest, TransferState::Canceled) => "CANCELED",
            (Self::Rainforest, TransferState::Returned) => "RETURNED",
        }
    }
}

/// The gateway's spelling of each state.
#[derive(Debug, Clone)]
pub(crate) struct StateSpellings([(TransferState, String); 5]);

impl StateSpellings {
    /// Reads `[transfers.states]`. Only FAILED and RETURNED may share a spelling.
    pub(crate) fn read(section: &Section<'_>, profile: GatewayProfile) -> Self {
        let spelled = TransferState::ALL.map(|state| {
            (
                state,
                section.string_or(key_of(state), profile.spelling(state)),
            )
        });
        for (at, (state, text)) in spelled.iter().enumerate() {
            for (other, other_text) in &spelled[..at] {
                let may_share =
                    (*other, *state) == (TransferState::Failed, TransferState::Returned);
                if text == other_text && !may_share {
                    let message = format!("is {text:?}, as {} is", key_of(*other));
                    section.fault(key_of(*state), message);
                }
            }
        }
        Self(spelled)
    }

    /// Each spelling with its key, and whether it is written; the others are only compared.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, &str, bool)> {
        self.0.iter().map(|(state, text)| {
            let is_written = match state {
                TransferState::Succeeded | TransferState::Failed | TransferState::Returned => true,
                TransferState::Pending | TransferState::Canceled => false,
            };
            (key_of(*state), text.as_str(), is_written)
        })
    }

    /// The spelling of a state.
    pub(crate) fn of(&self, state: TransferState) -> &str {
        self.0
            .iter()
            .find(|(candidate, _)| *candidate == state)
            .map_or("", |(_, text)| text)
    }

    /// The state of a spelling; FAILED when RETURNED shares it.
    pub(crate) fn parse(&self, text: &str) -> Option<TransferState> {
        self.0
            .iter()
            .find(|(_, spelling)| spelling == text)
            .map(|(state, _)| *state)
    }
}

const fn key_of(state: TransferState) -> &'static str {
    match state {
        TransferState::Pending => "pending",
        TransferState::Succeeded => "succeeded",
        TransferState::Failed => "failed",
        TransferState::Canceled => "canceled",
        TransferState::Returned => "returned",
    }
}

/// The gateway's spelling of each type.
#[derive(Debug, Clone)]
pub(crate) struct TypeSpellings {
    debit: String,
    credit: String,
    reversal: String,
}

impl TypeSpellings {
    /// Reads `[transfers.types]`. No two types may share a spelling.
    pub(crate) fn read(section: &Section<'_>) -> Self {
        let types = Self {
            debit: section.string_or("debit", "DEBIT"),
            credit: section.string_or("credit", "CREDIT"),
            reversal: section.string_or("reversal", "REVERSAL"),
        };
        if types.credit == types.debit {
            section.fault("credit", format!("is {:?}, as debit is", types.credit));
        }
        if [&types.debit, &types.credit].contains(&&types.reversal) {
            let message = format!("is {:?}, as another type is", types.reversal);
            section.fault("reversal", message);
        }
        types
    }

    /// Each spelling with its key, and whether it is written; the others are only compared.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, &str, bool)> {
        [
            ("debit", self.debit.as_str(), false),
            ("credit", self.credit.as_str(), false),
            ("reversal", self.reversal.as_str(), true),
        ]
        .into_iter()
    }

    /// The spelling of a reversal.
    pub(crate) fn reversal(&self) -> &str {
        &self.reversal
    }

    /// The type of a spelling; unspecified when it is not one of these.
    pub(crate) fn parse(&self, text: &str) -> TransferType {
        if text == self.debit {
            TransferType::Debit
        } else if text == self.credit {
            TransferType::Credit
        } else if text == self.reversal {
            TransferType::Reversal
        } else {
            TransferType::Unspecified
        }
    }
}

#[cfg(test)]
mod tests {
    use echeck_service::config::Settings;

    use super::*;

    fn states(toml: &str, profile: GatewayProfile) -> Result<StateSpellings, String> {
        let settings = Settings::from_toml(toml).unwrap();
        let states = StateSpellings::read(&settings.root(), profile);
        settings
            .finish()
            .map(|()| states)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn finix_shows_returned_as_failed_and_reads_it_as_failed() {
        let states = states("", GatewayProfile::Finix).unwrap();
        assert_eq!(states.of(TransferState::Returned), "FAILED");
        assert_eq!(states.parse("FAILED"), Some(TransferState::Failed));
        assert_eq!(states.parse("RETURNED"), None);
    }

    #[test]
    fn rainforest_has_a_word_for_returned() {
        let states = states("", GatewayProfile::Rainforest).unwrap();
        assert_eq!(states.of(TransferState::Returned), "RETURNED");
        assert_eq!(states.parse("RETURNED"), Some(TransferState::Returned));
        assert_eq!(states.of(TransferState::Pending), "PROCESSING");
    }

    #[test]
    fn states_that_collide_are_a_fault_but_for_returned_and_failed() {
        let fault = states(
            "pending = \"OK\"\nsucceeded = \"OK\"",
            GatewayProfile::Finix,
        )
        .unwrap_err();
        assert!(
            fault.contains("succeeded: is \"OK\", as pending is"),
            "{fault}"
        );
        let fault = states("returned = \"SUCCEEDED\"", GatewayProfile::Finix).unwrap_err();
        assert!(
            fault.contains("returned: is \"SUCCEEDED\", as succeeded is"),
            "{fault}"
        );
        assert!(
            states(
                "failed = \"KO\"\nreturned = \"KO\"",
                GatewayProfile::Rainforest
            )
            .is_ok()
        );
    }

    #[test]
    fn types_that_collide_are_a_fault_and_unknown_ones_stay_unspecified() {
        let settings = Settings::from_toml("reversal = \"CREDIT\"").unwrap();
        let _ = TypeSpellings::read(&settings.root());
        assert!(settings.finish().is_err());
        let settings = Settings::from_toml("").unwrap();
        let types = TypeSpellings::read(&settings.root());
        assert_eq!(types.parse("DEBIT"), TransferType::Debit);
        assert_eq!(types.parse("FEE"), TransferType::Unspecified);
    }
}
