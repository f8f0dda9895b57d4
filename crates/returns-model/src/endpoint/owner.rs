//! Which owners of endpoints must still be notified that the service has disabled theirs.

use chrono::{DateTime, Utc};

/// What a change of an endpoint does about notifying its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum OwnerChange {
    /// Nothing.
    Keep,
    /// The service disables the endpoint: its owner must be notified, from that moment on.
    Notify,
    /// The endpoint is enabled: there is nothing left to report.
    Forget,
}

impl OwnerChange {
    /// The word for the statement.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// That an owner is to know that the service has disabled their endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerNotification {
    /// When the endpoint was disabled.
    pub since: DateTime<Utc>,
    /// How often notification them was tried.
    pub attempts: u64,
    pub notification: NotificationState,
}

/// How notification an owner stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationState {
    /// They are notified then; not before, because of `error`.
    Waiting {
        next_at: DateTime<Utc>,
        error: Option<String>,
    },
    /// The mail server took the mail.
    Notified { at: DateTime<Utc> },
    /// They cannot be notified: a sentence for staff.
    NotNotified { why: String },
}
