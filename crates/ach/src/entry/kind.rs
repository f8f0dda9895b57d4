//! What an entry reports: a return in one of its stages, a correction, a validation failure.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Corrected;
use crate::code::{CorrectionCode, ReturnCode, ReturnStage};

/// A code that our table has, or the text of one that it lacks. An unknown code never fails a
/// file: the entry is held for a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Coded<T> {
    /// A code of the table.
    Known(T),
    /// A code that the table lacks, such as `R97`, `X01` or `2101`: upper case, trimmed.
    Unknown(String),
}

impl<T: Copy> Coded<T> {
    /// The code, when the table has it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(code) => Some(*code),
            Self::Unknown(_) => None,
        }
    }
}

impl<T: FromStr> From<String> for Coded<T> {
    fn from(text: String) -> Self {
        text.parse()
            .map_or_else(|_| Self::Unknown(text), Self::Known)
    }
}

impl<T: fmt::Display> fmt::Display for Coded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(code) => code.fmt(f),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

/// What an entry reports, with just the data of that case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EntryKind {
    /// A return (R01 to R53, R80 to R90, or an unknown code of the same shape).
    Return {
        /// The return reason.
        code: Coded<ReturnCode>,
        /// Date of death, only with R14 and R15.
        #[serde(skip_serializing_if = "Option::is_none")]
        date_of_death: Option<NaiveDate>,
    },
    /// A dishonored return (R61 to R70): the originating bank refuses the return.
    Dishonored {
        /// The dishonor reason.
        code: Coded<ReturnCode>,
        /// The reason of the return that is dishonored.
        #[serde(skip_serializing_if = "Option::is_none")]
        return_code: Option<Coded<ReturnCode>>,
        /// When that return settled.
        #[serde(skip_serializing_if = "Option::is_none")]
        return_settled_on: Option<NaiveDate>,
    },
    /// A contested or corrected return (R71 to R77): the customer's bank answers a dishonor.
    Contested {
        /// The contest reason.
        code: Coded<ReturnCode>,
        /// The reason of the return.
        #[serde(skip_serializing_if = "Option::is_none")]
        return_code: Option<Coded<ReturnCode>>,
        /// The reason of the dishonor that is contested.
        #[serde(skip_serializing_if = "Option::is_none")]
        dishonor_code: Option<Coded<ReturnCode>>,
        /// Trace number of the dishonored return.
        #[serde(skip_serializing_if = "Option::is_none")]
        dishonor_trace: Option<String>,
        /// When the return settled.
        #[serde(skip_serializing_if = "Option::is_none")]
        return_settled_on: Option<NaiveDate>,
    },
    /// A notification of change: the payment stood, its data must change.
    Correction {
        /// The change code.
        code: Coded<CorrectionCode>,
        /// What to change, in the order of the field.
        corrected: Vec<Corrected>,
    },
    /// A refused notification of change (C61 to C69).
    RefusedCorrection {
        /// The refusal code.
        code: Coded<CorrectionCode>,
        /// The change code that is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<Coded<CorrectionCode>>,
        /// The data of the refused change.
        corrected: Vec<Corrected>,
    },
    /// A payment that never entered the network.
    ValidationFailure {
        /// The gateway's response code, such as `900`; never a return code.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
}

impl EntryKind {
    /// What a code in capitals says that looks like one of the network, in the table or not. What
    /// else belongs to the kind is not known yet.
    pub(crate) fn of_network(code: &str) -> Option<Self> {
        let text = || code.to_owned();
        Some(match code.as_bytes() {
            [b'R', b'0'..=b'9', b'0'..=b'9'] => match ReturnStage::of_code(code) {
                ReturnStage::Return => Self::Return {
                    code: text().into(),
                    date_of_death: None,
                },
                ReturnStage::Dishonored => Self::Dishonored {
                    code: text().into(),
                    return_code: None,
                    return_settled_on: None,
                },
                ReturnStage::Contested => Self::Contested {
                    code: text().into(),
                    return_code: None,
                    dishonor_code: None,
                    dishonor_trace: None,
                    return_settled_on: None,
                },
            },
            [b'C', b'6', b'1'..=b'9'] => Self::RefusedCorrection {
                code: text().into(),
                refused: None,
                corrected: Vec::new(),
            },
            [b'C', b'0'..=b'9', b'0'..=b'9'] => Self::Correction {
                code: text().into(),
                corrected: Vec::new(),
            },
            _ => return None,
        })
    }

    /// A return whose code is not one of the network.
    pub(crate) fn unknown_return(code: impl Into<String>) -> Self {
        Self::Return {
            code: Coded::Unknown(code.into()),
            date_of_death: None,
        }
    }

    /// `return`, `dishonored`, `contested`, `correction`, `refused_correction` or
    /// `validation_failure`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Return { .. } => "return",
            Self::Dishonored { .. } => "dishonored",
            Self::Contested { .. } => "contested",
            Self::Correction { .. } => "correction",
            Self::RefusedCorrection { .. } => "refused_correction",
            Self::ValidationFailure { .. } => "validation_failure",
        }
    }

    /// The code as text, and whether the table has it.
    pub fn code(&self) -> Option<(String, bool)> {
        match self {
            Self::Return { code, .. }
            | Self::Dishonored { code, .. }
            | Self::Contested { code, .. } => Some((code.to_string(), code.known().is_some())),
            Self::Correction { code, .. } | Self::RefusedCorrection { code, .. } => {
                Some((code.to_string(), code.known().is_some()))
            }
            Self::ValidationFailure { code } => code.clone().map(|code| (code, false)),
        }
    }

    /// Whether it is a correction of which some data cannot be read, or that brings none though its
    /// code corrects something.
    pub(crate) fn has_unreadable_data(&self) -> bool {
        let is_unreadable = |part: &Corrected| matches!(part, Corrected::Unreadable(_));
        match self {
            Self::Correction { corrected, code } => {
                let corrects = code
                    .known()
                    .is_some_and(|code| !code.info().corrects.is_empty());
                corrected.iter().any(is_unreadable) || corrected.is_empty() && corrects
            }
            Self::RefusedCorrection { corrected, .. } => corrected.iter().any(is_unreadable),
            Self::Return { .. }
            | Self::Dishonored { .. }
            | Self::Contested { .. }
            | Self::ValidationFailure { .. } => false,
        }
    }

    /// The title of the code, when the table has it.
    pub fn title(&self) -> Option<&'static str> {
        match self {
            Self::Correction { code, .. } | Self::RefusedCorrection { code, .. } => {
                code.known().map(|code| code.info().title)
            }
            _ => self.return_code().map(|code| code.info().title),
        }
    }

    /// The code of a return, a dishonor or a contest, when the table has it.
    pub fn return_code(&self) -> Option<ReturnCode> {
        match self {
            Self::Return { code, .. }
            | Self::Dishonored { code, .. }
            | Self::Contested { code, .. } => code.known(),
            Self::Correction { .. }
            | Self::RefusedCorrection { .. }
            | Self::ValidationFailure { .. } => None,
        }
    }

    /// Whether it is a first return, not one of the later stages.
    pub(crate) const fn is_return(&self) -> bool {
        match self {
            Self::Return { .. } => true,
            Self::Dishonored { .. }
            | Self::Contested { .. }
            | Self::Correction { .. }
            | Self::RefusedCorrection { .. }
            | Self::ValidationFailure { .. } => false,
        }
    }

    /// Whether it is about the money of a payment. A correction leaves the money alone.
    pub(crate) const fn moves_money(&self) -> bool {
        match self {
            Self::Return { .. }
            | Self::Dishonored { .. }
            | Self::Contested { .. }
            | Self::ValidationFailure { .. } => true,
            Self::Correction { .. } | Self::RefusedCorrection { .. } => false,
        }
    }
}
