//! How the neutral words are spelled in a gateway's own columns.

use echeck_adapter::batch::State;
use echeck_proto::adapter::v1::{FundingPolicy, TransferType};
use echeck_service::config::Section;

/// A set of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A returned debit shows as FAILED, and a debit that SUCCEEDED counts as funded.
    Finix,
    /// A returned debit shows as RETURNED, and one counts as funded once in a deposit.
    Rainforest,
}

impl Profile {
    /// Reads the key `profile`.
    pub(crate) fn read(root: &Section<'_>) -> Self {
        let choices = [("finix", Self::Finix), ("rainforest", Self::Rainforest)];
        root.one_of("profile", &choices, Some(Self::Finix))
    }

    /// The name in the configuration.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Finix => "finix",
            Self::Rainforest => "rainforest",
        }
    }

    /// What counts as funded, unless the configuration says otherwise.
    pub(crate) const fn funding_policy(self) -> FundingPolicy {
        match self {
            Self::Finix => FundingPolicy::State,
            Self::Rainforest => FundingPolicy::Deposit,
        }
    }

    const fn spelling(self, state: State) -> &'static str {
        match (self, state) {
            (Self::Finix, State::Pending) => "PENDING",
            (Self::Rainforest, State::Pending) => "PROCESSING",
            (Self::Finix | Self::Rainforest, State::Succeeded) => "SUCCEEDED",
            (Self::Finix | Self::Rainforest, State::Failed) | (Self::Finix, State::Returned) => {
                "FAILED"
            }
            (Self::Finix | Self::Rainforest, State::Canceled) => "CANCELED",
            (Self::Rainforest, State::Returned) => "RETURNED",
        }
    }
}

/// The spelling of each state.
#[derive(Debug, Clone)]
pub(crate) struct States([(State, String); 5]);

impl States {
    /// Reads `[transfers.states]`. Two states must not share a spelling, but for RETURNED and
    /// FAILED.
    pub(crate) fn read(section: &Section<'_>, profile: Profile) -> Self {
        let spelled = State::ALL.map(|state| {
            (
                state,
                section.string_or(key_of(state), profile.spelling(state)),
            )
        });
        for (at, (state, text)) in spelled.iter().enumerate() {
            for (other, other_text) in &spelled[..at] {
                let may_share = (*other, *state) == (State::Failed, State::Returned);
                if text == other_text && !may_share {
                    let message = format!("is {text:?}, as {} is", key_of(*other));
                    section.fault(key_of(*state), message);
                }
            }
        }
        Self(spelled)
    }

    /// The spelling of a state.
    pub(crate) fn write(&self, state: State) -> &str {
        self.0
            .iter()
            .find(|(candidate, _)| *candidate == state)
            .map_or("", |(_, text)| text)
    }

    /// The state of a spelling; FAILED when RETURNED shares it.
    pub(crate) fn read_text(&self, text: &str) -> Option<State> {
        self.0
            .iter()
            .find(|(_, spelling)| spelling == text)
            .map(|(state, _)| *state)
    }
}

const fn key_of(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Canceled => "canceled",
        State::Returned => "returned",
    }
}

/// The spelling of each type.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    debit: String,
    credit: String,
    reversal: String,
}

impl Types {
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
        if types.reversal == types.debit || types.reversal == types.credit {
            section.fault(
                "reversal",
                format!("is {:?}, as another type is", types.reversal),
            );
        }
        types
    }

    /// The spelling of a reversal.
    pub(crate) fn reversal(&self) -> &str {
        &self.reversal
    }

    /// The type of a spelling; unspecified when it is none of ours.
    pub(crate) fn read_text(&self, text: &str) -> TransferType {
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

    fn states(toml: &str, profile: Profile) -> Result<States, String> {
        let settings = Settings::from_toml(toml).unwrap();
        let states = States::read(&settings.root(), profile);
        settings
            .finish()
            .map(|()| states)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn finix_shows_returned_as_failed_and_reads_it_back_as_failed() {
        let states = states("", Profile::Finix).unwrap();
        assert_eq!(states.write(State::Returned), "FAILED");
        assert_eq!(states.read_text("FAILED"), Some(State::Failed));
        assert_eq!(states.read_text("RETURNED"), None);
    }

    #[test]
    fn rainforest_has_a_word_for_returned() {
        let states = states("", Profile::Rainforest).unwrap();
        assert_eq!(states.write(State::Returned), "RETURNED");
        assert_eq!(states.read_text("RETURNED"), Some(State::Returned));
        assert_eq!(states.write(State::Pending), "PROCESSING");
    }

    #[test]
    fn states_that_collide_are_a_fault_but_for_returned_and_failed() {
        let fault = states("pending = \"OK\"\nsucceeded = \"OK\"", Profile::Finix).unwrap_err();
        assert!(
            fault.contains("succeeded: is \"OK\", as pending is"),
            "{fault}"
        );
        let fault = states("returned = \"SUCCEEDED\"", Profile::Finix).unwrap_err();
        assert!(
            fault.contains("returned: is \"SUCCEEDED\", as succeeded is"),
            "{fault}"
        );
        assert!(states("failed = \"KO\"\nreturned = \"KO\"", Profile::Rainforest).is_ok());
    }

    #[test]
    fn types_that_collide_are_a_fault_and_unknown_ones_stay_unspecified() {
        let settings = Settings::from_toml("reversal = \"CREDIT\"").unwrap();
        let _ = Types::read(&settings.root());
        assert!(settings.finish().is_err());
        let settings = Settings::from_toml("").unwrap();
        let types = Types::read(&settings.root());
        assert_eq!(types.read_text("DEBIT"), TransferType::Debit);
        assert_eq!(types.read_text("FEE"), TransferType::Unspecified);
    }
}
