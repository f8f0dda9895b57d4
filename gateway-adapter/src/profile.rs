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

/// The gateway's spellings of each state. The first is written; any of them is read.
#[derive(Debug, Clone)]
pub(crate) struct StateSpellings([(TransferState, Vec<String>); 5]);

impl StateSpellings {
    /// Reads `[transfers.states]`. Only FAILED and RETURNED may share a spelling.
    pub(crate) fn read(section: &Section<'_>, profile: GatewayProfile) -> Self {
        let spelled = TransferState::ALL.map(|state| {
            let texts = section.strings_or(key_of(state), &[profile.spelling(state)]);
            if texts.is_empty() {
                section.fault(key_of(state), "has no spelling".to_owned());
            }
            (state, texts)
        });
        for (at, (state, texts)) in spelled.iter().enumerate() {
            for (other, other_texts) in &spelled[..at] {
                let may_share =
                    (*other, *state) == (TransferState::Failed, TransferState::Returned);
                let shared = texts.iter().find(|text| other_texts.contains(text));
                if let Some(text) = shared.filter(|_| !may_share) {
                    let message = format!("is {text:?}, as {} is", key_of(*other));
                    section.fault(key_of(*state), message);
                }
            }
        }
        Self(spelled)
    }

    /// Each spelling with its key, and whether it is written; the others are only compared.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, &str, bool)> {
        self.0.iter().flat_map(|(state, texts)| {
            let is_written = match state {
                TransferState::Succeeded | TransferState::Failed | TransferState::Returned => true,
                TransferState::Pending | TransferState::Canceled => false,
            };
            let texts = texts.iter().enumerate();
            texts.map(move |(at, text)| (key_of(*state), text.as_str(), is_written && at == 0))
        })
    }

    /// The spelling of a state that is written.
    pub(crate) fn of(&self, state: TransferState) -> &str {
        self.all(state).first().map_or("", String::as_str)
    }

    /// Every spelling of a state.
    pub(crate) fn all(&self, state: TransferState) -> &[String] {
        let mut spelled = self.0.iter();
        let found = spelled.find(|(candidate, _)| *candidate == state);
        found.map_or(&[], |(_, texts)| texts)
    }

    /// Whether a text is a spelling of a state.
    pub(crate) fn is(&self, text: &str, state: TransferState) -> bool {
        self.all(state).iter().any(|spelling| spelling == text)
    }

    /// The most spellings that a state has.
    pub(crate) fn most(&self) -> usize {
        self.0
            .iter()
            .map(|(_, texts)| texts.len())
            .max()
            .unwrap_or(0)
    }

    /// The state of a spelling; FAILED when RETURNED shares it.
    pub(crate) fn parse(&self, text: &str) -> Option<TransferState> {
        self.0
            .iter()
            .find(|(state, _)| self.is(text, *state))
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

/// The gateway's spellings of each type. The first is written; any of them is read.
#[derive(Debug, Clone)]
pub(crate) struct TypeSpellings([(TransferType, &'static str, Vec<String>); 3]);

impl TypeSpellings {
    /// Reads `[transfers.types]`. No two types may share a spelling.
    pub(crate) fn read(section: &Section<'_>) -> Self {
        let spelled = [
            (TransferType::Debit, "debit", "DEBIT"),
            (TransferType::Credit, "credit", "CREDIT"),
            (TransferType::Reversal, "reversal", "REVERSAL"),
        ]
        .map(|(kind, key, usual)| (kind, key, section.strings_or(key, &[usual])));
        for (at, (_, key, texts)) in spelled.iter().enumerate() {
            if texts.is_empty() {
                section.fault(key, "has no spelling".to_owned());
            }
            for (_, other, other_texts) in &spelled[..at] {
                if let Some(text) = texts.iter().find(|text| other_texts.contains(text)) {
                    section.fault(key, format!("is {text:?}, as {other} is"));
                }
            }
        }
        Self(spelled)
    }

    /// Each spelling with its key, and whether it is written; the others are only compared.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, &str, bool)> {
        self.0.iter().flat_map(|(kind, key, texts)| {
            let is_written = *kind == TransferType::Reversal;
            let texts = texts.iter().enumerate();
            texts.map(move |(at, text)| (*key, text.as_str(), is_written && at == 0))
        })
    }

    /// The spellings of a reversal, of which the first is written.
    pub(crate) fn reversal(&self) -> &[String] {
        let [.., (_, _, texts)] = &self.0;
        texts
    }

    /// The type of a spelling; unspecified when it is not one of these.
    pub(crate) fn parse(&self, text: &str) -> TransferType {
        let mut spelled = self.0.iter();
        let found = spelled.find(|(_, _, texts)| texts.iter().any(|one| one == text));
        found.map_or(TransferType::Unspecified, |(kind, _, _)| *kind)
    }
}

/// What all transfers are in a table without a column for it: `[transfers.fixed]`.
#[derive(Debug, Clone)]
pub(crate) struct FixedWords {
    /// The type of a transfer that undoes no other one.
    pub(crate) kind: TransferType,
    pub(crate) currency: String,
}

impl FixedWords {
    /// Reads the section.
    pub(crate) fn read(section: &Section<'_>) -> Self {
        let kinds = [
            ("debit", TransferType::Debit),
            ("credit", TransferType::Credit),
        ];
        let currency = section.string_or("currency", "USD");
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            section.fault("currency", "must be three capital letters, such as USD");
        }
        Self {
            kind: section.one_of("type", &kinds, Some(TransferType::Debit)),
            currency,
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
