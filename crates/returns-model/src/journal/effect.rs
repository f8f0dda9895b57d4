//! What a row does to a transfer. Each effect carries what belongs to it and nothing else, so that
//! a row which makes no sense can neither be written nor read.

use ach::decision::Effect;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a row does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowEffect {
    /// See [`Effect::Fail`].
    Fail {
        /// Lines for the transfer's `messages`.
        messages: Vec<String>,
    },
    /// See [`Effect::Return`].
    Return {
        /// Lines for the transfer's `messages`.
        messages: Vec<String>,
    },
    /// See [`Effect::Reverse`].
    Reverse {
        /// The transfer that takes the money back.
        reversal: NewTransfer,
    },
    /// See [`Effect::Correct`].
    Correct {},
    /// See [`Effect::Restore`].
    Restore {
        /// The return that is dishonored.
        of_return: String,
        /// The transfer that gives back what the return took.
        restoration: NewTransfer,
    },
    /// See [`Effect::Reapply`].
    Reapply {
        /// The return whose dishonor is contested.
        of_return: String,
        /// The transfer that takes the money again.
        reversal: NewTransfer,
    },
    /// A transfer that an earlier row made may join a settlement. Never decided on an entry.
    ReleaseToSettlement {
        /// What that transfer is for.
        kind: MadeKind,
        /// That transfer.
        made: NewTransfer,
        /// From when on it may.
        ready_to_settle_at: DateTime<Utc>,
    },
}

impl RowEffect {
    /// What was decided; `None` for a release, which is not decided on an entry.
    pub const fn decided(&self) -> Option<Effect> {
        match self {
            Self::Fail { .. } => Some(Effect::Fail),
            Self::Return { .. } => Some(Effect::Return),
            Self::Reverse { .. } => Some(Effect::Reverse),
            Self::Correct {} => Some(Effect::Correct),
            Self::Restore { .. } => Some(Effect::Restore),
            Self::Reapply { .. } => Some(Effect::Reapply),
            Self::ReleaseToSettlement { .. } => None,
        }
    }

    /// The transfer that this makes.
    pub const fn made(&self) -> Option<(MadeKind, &NewTransfer)> {
        match self {
            Self::Reverse { reversal } | Self::Reapply { reversal, .. } => {
                Some((MadeKind::Reversal, reversal))
            }
            Self::Restore { restoration, .. } => Some((MadeKind::Restoration, restoration)),
            Self::Fail { .. }
            | Self::Return { .. }
            | Self::Correct {}
            | Self::ReleaseToSettlement { .. } => None,
        }
    }

    /// The return that is dishonored, or whose dishonor is contested.
    pub fn of_return(&self) -> Option<&str> {
        match self {
            Self::Restore { of_return, .. } | Self::Reapply { of_return, .. } => Some(of_return),
            Self::Fail { .. }
            | Self::Return { .. }
            | Self::Reverse { .. }
            | Self::Correct {}
            | Self::ReleaseToSettlement { .. } => None,
        }
    }

    /// Whether it is the first that happens to a transfer: a failure or a return. A later stage
    /// undoes it.
    pub const fn is_return(&self) -> bool {
        match self {
            Self::Fail { .. } | Self::Return { .. } | Self::Reverse { .. } => true,
            Self::Correct {}
            | Self::Restore { .. }
            | Self::Reapply { .. }
            | Self::ReleaseToSettlement { .. } => false,
        }
    }

    /// Whether it undoes what an earlier row did: a dishonor or a contest.
    pub const fn is_later_stage(&self) -> bool {
        match self {
            Self::Restore { .. } | Self::Reapply { .. } => true,
            Self::Fail { .. }
            | Self::Return { .. }
            | Self::Reverse { .. }
            | Self::Correct {}
            | Self::ReleaseToSettlement { .. } => false,
        }
    }

    /// Whether it only releases what another row made.
    pub const fn is_release(&self) -> bool {
        self.decided().is_none()
    }
}

/// What a transfer that a row made is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
pub enum MadeKind {
    /// It takes the money of a return.
    Reversal,
    /// It gives it back.
    Restoration,
}

impl MadeKind {
    /// The word for bodies.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A transfer that a row makes, over the amount of the one that was returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// Its id.
    pub id: String,
    /// Its own trace id.
    pub trace_id: String,
    /// Its tags, in order.
    pub tags: Vec<(String, String)>,
    /// The transfer that it undoes; `None` for the one that was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}
