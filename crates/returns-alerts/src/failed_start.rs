//! The alert of a service that cannot start. It needs neither the returns database nor a running
//! service: only the configuration, and a file that says what people know already, since an
//! orchestrator starts the service again and again.

use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use returns_model::incident::{AlertKind, Cause, IncidentRecord, Problem, Subject};
use serde::{Deserialize, Serialize};

use crate::change::{Observed, observed};
use crate::last_end::ProcessNotes;
use crate::message::AlertMessage;
use crate::rules::after;
use crate::settings::AlertSettings;

/// The starts that failed since the last good one.
pub struct FailedStarts {
    file: PathBuf,
}

/// What people know of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Told {
    why: String,
    first_at: DateTime<Utc>,
    told_at: DateTime<Utc>,
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
            seen: self.starts,
            last_seen_at: self.told_at,
            ..write.incident
        }
    }
}

impl FailedStarts {
    /// Those that are noted.
    pub fn noted_by(notes: &ProcessNotes) -> Self {
        Self {
            file: notes.file("failed-start"),
        }
    }

    /// Notifies people that the service could not start at `now`, unless they know that already.
    pub async fn failed(&self, settings: &AlertSettings, why: &str, now: DateTime<Utc>) {
        let earlier = self.read();
        let mut told = Told {
            why: why.to_owned(),
            first_at: earlier.as_ref().map_or(now, |earlier| earlier.first_at),
            told_at: now,
            starts: earlier.as_ref().map_or(1, |earlier| earlier.starts + 1),
        };
        let kind = match &earlier {
            None => AlertKind::Opened,
            Some(earlier) if earlier.why != why => AlertKind::Updated,
            Some(earlier) if now >= after(earlier.told_at, settings.rules.update_every) => {
                AlertKind::Updated
            }
            Some(earlier) => {
                told.told_at = earlier.told_at;
                self.write(&told);
                return;
            }
        };
        self.write(&told);
        deliver(settings, kind, &told.incident(settings), now).await;
    }

    /// Notifies people that the service has started, if they know that it could not.
    pub async fn started(&self, settings: &AlertSettings, now: DateTime<Utc>) {
        let Some(told) = self.read() else {
            return;
        };
        let incident = told.incident(settings);
        deliver(settings, AlertKind::Recovered, &incident, now).await;
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(file = %self.file.display(), %error, "the file could not be deleted");
        }
    }

    fn read(&self) -> Option<Told> {
        let text = fs::read(&self.file).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Without the file people are only told more often.
    fn write(&self, told: &Told) {
        let written = serde_json::to_vec(told)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&self.file, text));
        if let Err(error) = written {
            tracing::warn!(file = %self.file.display(), %error, "the file could not be written");
        }
    }
}

/// Delivers one alert to every channel that gets such alerts from the start, all at once.
async fn deliver(
    settings: &AlertSettings,
    kind: AlertKind,
    incident: &IncidentRecord,
    now: DateTime<Utc>,
) {
    let names = settings.rules.regular(incident);
    let channels = settings.channels.iter();
    let delivering = channels.filter(|channel| names.contains(&channel.name));
    let delivering = delivering.map(|channel| async move {
        let id = format!(
            "{}_{}_{}",
            incident.incident_id, incident.seen, channel.name
        );
        let alert = AlertMessage::about(&id, kind, incident, &settings.header, now);
        if let Err(error) = channel.deliver(&alert).await {
            tracing::error!(channel = channel.name, %error, "an alert was not delivered");
        }
    });
    join_all(delivering).await;
}
