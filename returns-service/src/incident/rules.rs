//! When people are told, and by which channels: the part of `[alerts]` that decides.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Severity;
use crate::store::IncidentRecord;

/// The rules.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) channels: Vec<ChannelRule>,
    /// Channels are told at most so often that an open incident recurs.
    pub(crate) update_every: Duration,
    /// A cause that comes back within this reopens its incident.
    pub(crate) reopen_within: Duration,
    /// An incident that nobody acknowledges is escalated after this.
    pub(crate) escalate_after: Duration,
    /// How often at most.
    pub(crate) escalate_times: u64,
}

/// What a channel is told.
#[derive(Debug, Clone)]
pub(crate) struct ChannelRule {
    pub(crate) name: String,
    /// The least severity that it is told.
    pub(crate) severity: Severity,
    /// Whether it is told everything from the start.
    pub(crate) regular: bool,
    /// Whether it is told what another channel did not take.
    pub(crate) fallback: bool,
    /// Whether it is told what nobody acknowledges.
    pub(crate) escalation: bool,
}

impl ChannelRule {
    /// Whether it may be told of this incident at all. That a channel does not deliver is told
    /// by the others.
    fn takes(&self, incident: &IncidentRecord) -> bool {
        incident.severity >= self.severity && incident.subject != format!("channel:{}", self.name)
    }
}

impl Rules {
    fn names(&self, incident: &IncidentRecord, pick: impl Fn(&ChannelRule) -> bool) -> Vec<String> {
        self.channels
            .iter()
            .filter(|rule| pick(rule) && rule.takes(incident))
            .map(|rule| rule.name.clone())
            .collect()
    }

    /// The channels that are told from the start.
    pub(super) fn regular(&self, incident: &IncidentRecord) -> Vec<String> {
        self.names(incident, |rule| rule.regular)
    }

    /// The channels that are told what another did not take.
    pub(super) fn fallback(&self, incident: &IncidentRecord) -> Vec<String> {
        self.names(incident, |rule| rule.fallback && !rule.regular)
    }

    /// The channels that are told what nobody acknowledges.
    pub(super) fn escalation(&self, incident: &IncidentRecord) -> Vec<String> {
        self.names(incident, |rule| rule.escalation)
    }
}

/// `at` and a duration of the configuration, whose ranges keep it small.
pub(super) fn after(at: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(duration)
        .ok()
        .and_then(|duration| at.checked_add_signed(duration))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
