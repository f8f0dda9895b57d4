//! The alert of a service that cannot start. It needs neither the returns database nor a running
//! service: only the configuration, and a file that says what people know already, since an
//! orchestrator starts the service again and again.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use returns_model::incident::{AlertKind, Cause, IncidentRecord, Problem, Subject};
use serde::{Deserialize, Serialize};

use crate::change::{Observed, observed};
use crate::message::AlertMessage;
use crate::notes::ProcessNotes;
use crate::rules::after;
use crate::settings::AlertSettings;

/// The starts that failed since the last good one.
pub struct FailedStarts {
    notes: ProcessNotes,
}

/// What kind of notes they are.
const KIND: &str = "failed-start";

/// What people know of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    why: String,
    first_at: DateTime<Utc>,
    /// When a channel took an alert of it; `None` when none has yet.
    told_at: Option<DateTime<Utc>>,
    starts: u64,
}

impl Told {
    fn incident(&self, settings: &AlertSettings) -> IncidentRecord {
        let cause = Cause::NotStarted {
            why: self.why.clone(),
        };
        let problem = Problem::new(Subject::Service, cause, self.first_at);
        let (Observed::Notify(write) | Observed::Count(write)) =
            observed(None, &problem, &settings.rules, self.first_at);
        IncidentRecord {
            seen: self.starts.max(1),
            last_seen_at: self.told_at.unwrap_or(self.first_at),
            ..write.incident
        }
    }
}

impl FailedStarts {
    /// Those that are noted.
    pub fn noted_by(notes: ProcessNotes) -> Self {
        Self { notes }
    }

    /// Notifies people that the start waits at `now`, unless they know already that the service does
    /// not start. How it ends is told then, too.
    pub async fn waits(&self, settings: &AlertSettings, why: &str, now: DateTime<Utc>) {
        let earlier: Option<Told> = self.notes.read(KIND).await;
        // Each start that fails waits first: its reason says more.
        let known = earlier.filter(|earlier| earlier.told_at.is_some());
        let why = known.as_ref().map_or(why, |known| &known.why).to_owned();
        let (first_at, told_at, starts) = known.map_or((now, None, 0), |known| {
            (known.first_at, known.told_at, known.starts)
        });
        let told = Told {
            why,
            first_at,
            told_at,
            starts,
        };
        self.tell(settings, told, false, now).await;
    }

    /// Notifies people that the service could not start at `now`, unless they know that already.
    pub async fn failed(&self, settings: &AlertSettings, why: &str, now: DateTime<Utc>) {
        let earlier: Option<Told> = self.notes.read(KIND).await;
        let told = Told {
            why: why.to_owned(),
            first_at: earlier.as_ref().map_or(now, |earlier| earlier.first_at),
            told_at: earlier.as_ref().and_then(|earlier| earlier.told_at),
            starts: earlier.as_ref().map_or(1, |earlier| earlier.starts + 1),
        };
        let is_new = earlier.is_none_or(|earlier| earlier.why != why);
        self.tell(settings, told, is_new, now).await;
    }

    async fn tell(
        &self,
        settings: &AlertSettings,
        mut told: Told,
        is_new: bool,
        now: DateTime<Utc>,
    ) {
        // Before it is told, so that a process which ends meanwhile is counted.
        self.notes.write(KIND, &told).await;
        let kind = match told.told_at {
            None => AlertKind::Opened,
            Some(at) if is_new || now >= after(at, settings.rules.update_every) => {
                AlertKind::Updated
            }
            Some(_) => return,
        };
        if deliver(settings, kind, &told.incident(settings), now).await {
            told.told_at = Some(now);
            self.notes.write(KIND, &told).await;
        }
    }

    /// Notifies people that the service has started, if they know that it could not.
    pub async fn started(&self, settings: &AlertSettings, now: DateTime<Utc>) {
        let Some(told) = self.notes.read::<Told>(KIND).await else {
            return;
        };
        let incident = told.incident(settings);
        let is_known =
            told.told_at.is_none() || deliver(settings, AlertKind::Recovered, &incident, now).await;
        if is_known {
            self.notes.delete(KIND).await;
        }
    }
}

/// Delivers one alert to every channel that gets such alerts from the start, all at once, and to the
/// others when none of them takes it. Gives whether any took it.
async fn deliver(
    settings: &AlertSettings,
    kind: AlertKind,
    incident: &IncidentRecord,
    now: DateTime<Utc>,
) -> bool {
    let rules = &settings.rules;
    for names in [rules.regular(incident), rules.fallback(incident)] {
        if deliver_to(&names, settings, kind, incident, now).await {
            return true;
        }
    }
    false
}

async fn deliver_to(
    names: &[String],
    settings: &AlertSettings,
    kind: AlertKind,
    incident: &IncidentRecord,
    now: DateTime<Utc>,
) -> bool {
    let channels = settings.channels.iter();
    let delivering = channels.filter(|channel| names.contains(&channel.name));
    let delivering = delivering.map(|channel| async move {
        let id = format!(
            "{}_{}_{}",
            incident.incident_id, incident.seen, channel.name
        );
        let alert = AlertMessage::about(&id, kind, incident, &settings.header, now);
        let delivered = channel.deliver(&alert).await;
        if let Err(error) = &delivered {
            tracing::error!(channel = channel.name, %error, "an alert was not delivered");
        }
        delivered.is_ok()
    });
    join_all(delivering).await.contains(&true)
}
