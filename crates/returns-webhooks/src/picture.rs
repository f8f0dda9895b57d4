//! How a payment looks in a dialect: one place for what `GetTransfer` answers and what messages
//! say, so that the two cannot differ.

use ach::decision::TransferState;
use returns_model::endpoint::Dialect;
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
pub enum Verdict {
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

impl Verdict {
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
pub struct Seen<'a> {
    /// Its neutral state.
    pub state: TransferState,
    /// The state as it is spelled there.
    pub text: &'a str,
    pub messages: &'a [String],
}

/// How a payment looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub state: String,
    pub messages: Vec<String>,
    /// The acquirer's row, where the dialect shows it and the journal has one.
    pub raw: Vec<(String, String)>,
    pub has_ach_return: bool,
    pub ach_return: Option<AchReturn>,
}

impl Picture {
    /// Whether it shows a payment that failed.
    pub fn is_failed(&self) -> bool {
        self.state == "FAILED"
    }
}

/// How a payment looks that the journal has ended; `None` when it left the payment as it was.
pub(crate) fn ended(verdict: &Verdict, dialect: Dialect) -> Option<Picture> {
    let (state, messages, raw) = match (verdict, dialect) {
        (Verdict::Failed { messages, raw, .. }, Dialect::Finix)
        | (Verdict::Returned { messages, raw, .. }, Dialect::Finix) => {
            ("FAILED", messages.clone(), raw.clone())
        }
        // Rainforest shows no row of the acquirer; the reason of a return is its code.
        (
            Verdict::Failed { messages, .. },
            Dialect::RainforestLegacy | Dialect::Rainforest20241016,
        ) => ("FAILED", messages.clone(), Vec::new()),
        (Verdict::Returned { .. }, Dialect::RainforestLegacy) => {
            ("SUCCEEDED", Vec::new(), Vec::new())
        }
        (Verdict::Returned { .. }, Dialect::Rainforest20241016) => {
            ("RETURNED", Vec::new(), Vec::new())
        }
        (Verdict::Reversed { .. }, _) => return None,
    };
    Some(Picture {
        state: state.to_owned(),
        messages,
        raw,
        has_ach_return: verdict.ach_return().is_some(),
        ach_return: verdict.ach_return().cloned(),
    })
}

/// How a payment looks: as the journal ended it, else as the system of record shows it.
pub fn picture(seen: Seen<'_>, verdict: Option<&Verdict>, dialect: Dialect) -> Picture {
    if let Some(picture) = verdict.and_then(|verdict| ended(verdict, dialect)) {
        return picture;
    }
    let state = state(seen, dialect);
    let messages = match dialect {
        Dialect::Finix => seen.messages.to_vec(),
        Dialect::RainforestLegacy | Dialect::Rainforest20241016 if state == "FAILED" => {
            seen.messages.to_vec()
        }
        Dialect::RainforestLegacy | Dialect::Rainforest20241016 => Vec::new(),
    };
    let ach_return = verdict.and_then(Verdict::ach_return).cloned();
    Picture {
        state,
        messages,
        raw: Vec::new(),
        // The gateway may know of a return that no file has told us of.
        has_ach_return: ach_return.is_some() || seen.state == TransferState::Returned,
        ach_return,
    }
}

fn state(seen: Seen<'_>, dialect: Dialect) -> String {
    let word = match (dialect, seen.state) {
        (Dialect::Finix, TransferState::Pending) => "PENDING",
        (_, TransferState::Succeeded) | (Dialect::RainforestLegacy, TransferState::Returned) => {
            "SUCCEEDED"
        }
        (_, TransferState::Failed) | (Dialect::Finix, TransferState::Returned) => "FAILED",
        (_, TransferState::Canceled) => "CANCELED",
        (Dialect::Finix, TransferState::Unknown) => "UNKNOWN",
        (Dialect::Rainforest20241016, TransferState::Returned) => "RETURNED",
        // A gateway that speaks Rainforest's words has more of them for what is under way.
        (
            Dialect::RainforestLegacy | Dialect::Rainforest20241016,
            TransferState::Pending | TransferState::Unknown,
        ) if PAYIN_STATES.contains(&seen.text)
            || dialect == Dialect::Rainforest20241016 && seen.text == "AUTHORIZED" =>
        {
            seen.text
        }
        (Dialect::RainforestLegacy | Dialect::Rainforest20241016, TransferState::Pending) => {
            "PROCESSING"
        }
        // Neither known to have worked nor to have failed.
        (Dialect::RainforestLegacy | Dialect::Rainforest20241016, TransferState::Unknown) => {
            "IN_REVIEW"
        }
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(state: TransferState, text: &str, dialect: Dialect) -> String {
        let seen = Seen {
            state,
            text,
            messages: &[],
        };
        picture(seen, None, dialect).state
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
                let shown = look(state, text, Dialect::RainforestLegacy);
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
            assert_eq!(look(state, text, Dialect::Finix), finix);
            assert_eq!(look(state, text, Dialect::RainforestLegacy), legacy);
            assert_eq!(look(state, text, Dialect::Rainforest20241016), newest);
        }
    }

    #[test]
    fn a_return_that_no_file_told_of_is_not_shown_as_a_success_alone() {
        let seen = Seen {
            state: TransferState::Returned,
            text: "RETURNED",
            messages: &[],
        };
        let picture = picture(seen, None, Dialect::RainforestLegacy);
        assert!(picture.has_ach_return && picture.ach_return.is_none());
    }
}
