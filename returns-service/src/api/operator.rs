//! What operators do is recorded with their name and their reason.

use chrono::{DateTime, Utc};
use returns_model::job::AuditRecord;
use uuid::Uuid;

use super::errors::{self, ApiError};

/// Who changes something, and why.
#[derive(Clone, Copy)]
pub(super) struct Operator<'a> {
    pub(super) actor: &'a str,
    pub(super) reason: &'a str,
}

impl<'a> Operator<'a> {
    /// The operator of a request; both texts are required.
    pub(super) fn named(actor: &'a str, reason: &'a str) -> Result<Self, ApiError> {
        for (field, text) in [("actor", actor), ("reason", reason)] {
            if text.trim().is_empty() {
                let what = "is required; it is recorded in the audit log";
                return Err(errors::invalid(field, what));
            }
        }
        Ok(Self { actor, reason })
    }

    /// The record of an action on a subject, with what was before and after.
    pub(super) fn audit(
        self,
        at: DateTime<Utc>,
        (action, subject, (before, after)): (&str, String, (&str, &str)),
    ) -> AuditRecord {
        AuditRecord {
            audit_id: format!("aud_{}", Uuid::new_v4().simple()),
            at,
            actor: self.actor.to_owned(),
            action: action.to_owned(),
            subject,
            before: before.to_owned(),
            after: after.to_owned(),
            reason: self.reason.to_owned(),
        }
    }
}
