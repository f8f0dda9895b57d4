//! How a payment looks in a version of the payload: one place for what `GetTransfer` answers and
//! what messages say, so that the two cannot differ.

use ach::decision::TransferState;
use returns_model::endpoint::PayloadVersion;
use serde::{Deserialize, Serialize};

use super::ach_return::AchReturn;

/// The states that a Rainforest payin may have besides RETURNED and AUTHORIZED, which came
/// with the version of 2024-10-16.
const PAYIN_STATES: [&str; 7] = [
    "CREATED",
    "PRESENTING",
    "PROCESSING",
    "SUCCEEDED",
    "FAILED",
    "CANCELED",
    "IN_REVIEW",
];

/// What the journal says of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ReturnOutcome {
    /// It failed: never accepted, or a credit that came back, which is then a return.
    Failed {
        messages: Vec<String>,
        raw: Vec<(String, String)>,
        ach_return: Option<AchReturn>,
    },
    /// It was returned before it was funded.
    Returned {
        messages: Vec<String>,
        raw: Vec<(String, String)>,
        ach_return: AchReturn,
    },
    /// It was returned after it was funded, and stays what it is.
    Reversed { ach_return: AchReturn },
}

impl ReturnOutcome {
    /// The return, unless the payment failed validation.
    pub fn ach_return(&self) -> Option<&AchReturn> {
        match self {
            Self::Failed { ach_return, .. } => ach_return.as_ref(),
            Self::Returned { ach_return, .. } | Self::Reversed { ach_return } => Some(ach_return),
        }
    }

    pub(super) fn ach_return_mut(&mut self) -> Option<&mut AchReturn> {
        match self {
            Self::Failed { ach_return, .. } => ach_return.as_mut(),
            Self::Returned { ach_return, .. } | Self::Reversed { ach_return } => Some(ach_return),
        }
    }
}

/// What the system of record shows of a payment.
#[derive(Debug, Clone, Copy)]
pub struct TransferSeen<'a> {
    /// Its neutral state.
    pub state: TransferState,
    /// The state as it is spelled there.
    pub text: &'a str,
    pub messages: &'a [String],
}

/// How a payment looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferView {
    pub state: String,
    pub messages: Vec<String>,
    /// The acquirer's row, where the payload_version shows it and the journal has one.
    pub raw: Vec<(String, String)>,
    pub has_ach_return: bool,
    pub ach_return: Option<AchReturn>,
}

impl TransferView {
    /// Whether it shows a payment that failed.
    pub fn is_failed(&self) -> bool {
        self.state == "FAILED"
    }
}

/// How a payment looks that the journal has ended; `None` when it left the payment as it was.
pub(crate) fn ended(
    outcome: &ReturnOutcome,
    payload_version: PayloadVersion,
) -> Option<TransferView> {
    use PayloadVersion::{Finix, Rainforest20241016, RainforestLegacy};
    let (state, messages, raw) = match (outcome, payload_version) {
        (
            ReturnOutcome::Failed { messages, raw, .. }
            | ReturnOutcome::Returned { messages, raw, .. },
            Finix,
        ) => ("FAILED", messages.clone(), raw.clone()),
        // Rainforest shows no row of the acquirer; the reason of a return is its code.
        (ReturnOutcome::Failed { messages, .. }, RainforestLegacy | Rainforest20241016) => {
            ("FAILED", messages.clone(), Vec::new())
        }
        (ReturnOutcome::Returned { .. }, RainforestLegacy) => ("SUCCEEDED", Vec::new(), Vec::new()),
        (ReturnOutcome::Returned { .. }, Rainforest20241016) => {
            ("RETURNED", Vec::new(), Vec::new())
        }
        (ReturnOutcome::Reversed { .. }, _) => return None,
    };
    Some(TransferView {
        state: state.to_owned(),
        messages,
        raw,
        has_ach_return: outcome.ach_return().is_some(),
        ach_return: outcome.ach_return().cloned(),
    })
}

/// How a payment looks: as the journal ended it, else as the system of record shows it.
pub fn view(
    seen: TransferSeen<'_>,
    outcome: Option<&ReturnOutcome>,
    payload_version: PayloadVersion,
) -> TransferView {
    if let Some(view) = outcome.and_then(|outcome| ended(outcome, payload_version)) {
        return view;
    }
    let state = state(seen, payload_version);
    let has_messages = payload_version == PayloadVersion::Finix || state == "FAILED";
    let messages = if has_messages { seen.messages } else { &[] };
    let ach_return = outcome.and_then(ReturnOutcome::ach_return).cloned();
    TransferView {
        state,
        messages: messages.to_vec(),
        raw: Vec::new(),
        // The gateway may know of a return that no file has reported.
        has_ach_return: ach_return.is_some() || seen.state == TransferState::Returned,
        ach_return,
    }
}

fn state(seen: TransferSeen<'_>, payload_version: PayloadVersion) -> String {
    use PayloadVersion::{Finix, Rainforest20241016, RainforestLegacy};
    use TransferState::{Canceled, Failed, Pending, Returned, Succeeded, Unknown};
    let newest = payload_version == Rainforest20241016;
    let word = match (payload_version, seen.state) {
        (Finix, Pending) => "PENDING",
        (_, Succeeded) | (RainforestLegacy, Returned) => "SUCCEEDED",
        (_, Failed) | (Finix, Returned) => "FAILED",
        (_, Canceled) => "CANCELED",
        (Finix, Unknown) => "UNKNOWN",
        (Rainforest20241016, Returned) => "RETURNED",
        // A gateway that speaks Rainforest's words has more of them for what is under way.
        (RainforestLegacy | Rainforest20241016, Pending | Unknown)
            if PAYIN_STATES.contains(&seen.text) || newest && seen.text == "AUTHORIZED" =>
        {
            seen.text
        }
        (RainforestLegacy | Rainforest20241016, Pending) => "PROCESSING",
        // Not known to have succeeded or to have failed.
        (RainforestLegacy | Rainforest20241016, Unknown) => "IN_REVIEW",
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(state: TransferState, text: &str, payload_version: PayloadVersion) -> String {
        let seen = TransferSeen {
            state,
            text,
            messages: &[],
        };
        view(seen, None, payload_version).state
    }

    #[test]
    fn a_newer_state_never_shows_in_an_older_version() {
        for state in [
            TransferState::Pending,
            TransferState::Succeeded,
            TransferState::Failed,
            TransferState::Canceled,
            TransferState::Returned,
            TransferState::Unknown,
        ] {
            for text in ["RETURNED", "AUTHORIZED", "PENDING", "NEW_STATE"] {
                let shown = look(state, text, PayloadVersion::RainforestLegacy);
                assert!(PAYIN_STATES.contains(&shown.as_str()), "{shown}");
            }
        }
    }

    #[test]
    fn each_dialect_has_its_own_word_for_a_state() {
        use TransferState::{Pending, Returned, Unknown};
        for (state, text, finix, legacy, newest) in [
            (Pending, "PENDING", "PENDING", "PROCESSING", "PROCESSING"),
            (Pending, "CREATED", "PENDING", "CREATED", "CREATED"),
            (Pending, "AUTHORIZED", "PENDING", "PROCESSING", "AUTHORIZED"),
            (Returned, "FAILED", "FAILED", "SUCCEEDED", "RETURNED"),
            (Unknown, "?", "UNKNOWN", "IN_REVIEW", "IN_REVIEW"),
        ] {
            assert_eq!(look(state, text, PayloadVersion::Finix), finix);
            assert_eq!(look(state, text, PayloadVersion::RainforestLegacy), legacy);
            assert_eq!(
                look(state, text, PayloadVersion::Rainforest20241016),
                newest
            );
        }
    }

    #[test]
    fn a_return_that_no_file_told_of_is_not_shown_as_a_success_alone() {
        let seen = TransferSeen {
            state: TransferState::Returned,
            text: "RETURNED",
            messages: &[],
        };
        let view = view(seen, None, PayloadVersion::RainforestLegacy);
        assert!(view.has_ach_return && view.ach_return.is_none());
    }
}
