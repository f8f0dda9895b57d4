//! When people are told, and by which channels: the part of `[alerts]` that decides.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use returns_model::incident::{IncidentRecord, Severity};

/// The rules.
#[derive(Debug, Clone)]
pub struct Rules {
    pub channels: Vec<ChannelRule>,
    /// Channels are told at most so often that an open incident recurs.
    pub update_every: Duration,
    /// A cause that comes back within this reopens its incident.
    pub reopen_within: Duration,
    /// An incident that nobody acknowledges is escalated after this.
    pub escalate_after: Duration,
    /// How often at most.
    pub escalate_times: u64,
}

/// What a channel is told.
#[derive(Debug, Clone)]
pub struct ChannelRule {
    pub name: String,
    /// The least severity that it is told.
    pub severity: Severity,
    /// Whether it is told everything from the start.
    pub regular: bool,
    /// Whether it is told what another channel did not take.
    pub fallback: bool,
    /// Whether it is told what nobody acknowledges.
    pub escalation: bool,
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
