//! What somebody does is recorded with who it is, the request, and the reason.

use chrono::{DateTime, Utc};
use echeck_service::access::Caller;
use returns_model::audit::{AuditRecord, DONE};

use super::errors::{self, ApiError};

/// The longest reason or note that is recorded, in bytes.
const LONGEST_REASON: usize = 2_000;

/// Who changes something, under which request, and why.
#[derive(Clone, Copy)]
pub(super) struct Operator<'a> {
    caller: &'a Caller,
    request_id: &'a str,
    pub(super) reason: &'a str,
}

impl<'a> Operator<'a> {
    /// Whoever makes a call. Its own id of the request is used, if it has given one.
    pub(super) fn of(caller: &'a Caller, request_id: &'a str, reason: &'a str) -> Self {
        let request_id = match request_id {
            "" => &*caller.call_id,
            given => given,
        };
        Self {
            caller,
            request_id,
            reason,
        }
    }

    /// The same, where a reason is required.
    pub(super) fn with_reason(
        caller: &'a Caller,
        request_id: &'a str,
        reason: &'a str,
    ) -> Result<Self, ApiError> {
        if reason.trim().is_empty() {
            let what = "is required; it is recorded in the audit log";
            return Err(errors::invalid("reason", what));
        }
        Self::of(caller, request_id, reason).within_limit("reason")
    }

    /// The same, where a note may be given.
    pub(super) fn with_note(
        caller: &'a Caller,
        request_id: &'a str,
        note: &'a str,
    ) -> Result<Self, ApiError> {
        Self::of(caller, request_id, note).within_limit("note")
    }

    /// Refuses a reason that nobody would read. `field` is where it came from.
    pub(super) fn within_limit(self, field: &str) -> Result<Self, ApiError> {
        let bytes = self.reason.len();
        if bytes > LONGEST_REASON {
            let what = format!("has {bytes} bytes; the maximum is {LONGEST_REASON}");
            return Err(errors::invalid(field, what));
        }
        Ok(self)
    }

    /// The same, for another reason.
    pub(super) fn because<'b>(self, reason: &'b str) -> Operator<'b>
    where
        'a: 'b,
    {
        Operator { reason, ..self }
    }

    /// Who it is.
    pub(super) fn identity(self) -> &'a str {
        &self.caller.identity
    }

    /// The record of an action on a subject, with what was before and after.
    pub(super) fn audit(
        self,
        at: DateTime<Utc>,
        (action, subject, (before, after)): (&str, String, (&str, &str)),
    ) -> AuditRecord {
        self.ended(at, DONE, (action, subject, (before, after)))
    }

    /// The same, with how it ended.
    pub(super) fn ended(
        self,
        at: DateTime<Utc>,
        outcome: &str,
        (action, subject, (before, after)): (&str, String, (&str, &str)),
    ) -> AuditRecord {
        let address = self.caller.address.map(|address| address.to_string());
        AuditRecord {
            at,
            identity: self.caller.identity.to_string(),
            address: address.unwrap_or_default(),
            request_id: self.request_id.to_owned(),
            action: action.to_owned(),
            subject,
            before: before.to_owned(),
            after: after.to_owned(),
            reason: self.reason.to_owned(),
            outcome: outcome.to_owned(),
        }
    }
}
