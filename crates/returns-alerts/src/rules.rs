//! When people are notified, and by which channels.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use returns_model::incident::{IncidentRecord, Severity};

/// When people are notified, and by which channels.
#[derive(Debug, Clone)]
pub struct AlertRules {
    pub channels: Vec<ChannelRule>,
    /// The shortest time between two alerts that an open incident was seen again.
    pub update_every: Duration,
    /// A cause that comes back within this time reopens its incident.
    pub reopen_within: Duration,
    /// An incident that nobody acknowledges is escalated after this time.
    pub escalate_after: Duration,
    /// The maximum of escalations.
    pub escalate_times: u64,
}

/// Which alerts a channel gets.
#[derive(Debug, Clone)]
pub struct ChannelRule {
    pub name: String,
    /// The least severity that it gets.
    pub severity: Severity,
    /// Whether it gets every alert from the start.
    pub regular: bool,
    /// Whether it gets what another channel did not take.
    pub fallback: bool,
    /// Whether it gets what nobody acknowledges.
    pub escalation: bool,
}

impl ChannelRule {
    /// Whether it gets alerts of this incident at all. Only the others report that a channel does
    /// not deliver.
    fn takes(&self, incident: &IncidentRecord) -> bool {
        incident.severity >= self.severity && incident.subject != format!("channel:{}", self.name)
    }
}

impl AlertRules {
    fn names(&self, incident: &IncidentRecord, pick: impl Fn(&ChannelRule) -> bool) -> Vec<String> {
        self.channels
            .iter()
            .filter(|rule| pick(rule) && rule.takes(incident))
            .map(|rule| rule.name.clone())
            .collect()
    }

    /// The channels that get every alert from the start.
    pub(super) fn regular(&self, incident: &IncidentRecord) -> Vec<String> {
        self.names(incident, |rule| rule.regular)
    }

    /// The channels that get what another did not take.
    pub(super) fn fallback(&self, incident: &IncidentRecord) -> Vec<String> {
        self.names(incident, |rule| rule.fallback && !rule.regular)
    }

    /// The channels that get what nobody acknowledges.
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
