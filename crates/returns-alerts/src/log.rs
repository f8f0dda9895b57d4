//! Where incidents are recorded: in the returns database or, while that does not answer, in memory.
//! What happened meanwhile is written to the database when it answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::ErrorChain;
use returns_model::incident::{
    AlertRecord, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite,
};
use returns_store::{IncidentStore, StoreError};
use tokio::sync::RwLock;

use super::memory::{IncidentMemory, Unsaved};
use super::merge::merge;

/// How long the database may take. An alert must leave within ten seconds of the failure,
/// whatever the database does.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long it may take while it is known not to answer: alerts wait as long.
const PATIENCE_WHILE_AWAY: Duration = Duration::from_millis(300);

/// The maximum of pending alerts that are read together.
const MOST_PENDING: u32 = 1_000;

/// Where incidents are recorded.
pub(crate) struct IncidentLog {
    database: Arc<dyn IncidentStore>,
    pub(super) memory: IncidentMemory,
    /// Whether the database did not answer the last time.
    away: AtomicBool,
    /// Held alone while what is in memory is written to the database.
    gate: RwLock<()>,
}

/// The database does not answer; the memory is used.
struct Away;

impl IncidentLog {
    pub(crate) fn new(database: Arc<dyn IncidentStore>) -> Self {
        Self {
            database,
            memory: IncidentMemory::default(),
            away: AtomicBool::new(false),
            gate: RwLock::new(()),
        }
    }

    /// Whether incidents are in memory only, for now.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Asks the database, unless it is known not to answer.
    async fn ask<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, Away> {
        if self.is_away() {
            return Err(Away);
        }
        let answer = bounded(PATIENCE, call).await;
        answer.map_err(|error| self.mark_away(&error))
    }

    /// Notes that the database does not answer; the log says so once.
    fn mark_away(&self, error: &str) -> Away {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::error!(
                error,
                "incidents are recorded in memory until the returns database answers"
            );
        }
        Away
    }

    /// Writes a change; false when the incident has changed since it was read.
    pub(super) async fn write(&self, write: &IncidentWrite) -> bool {
        let _open = self.gate.read().await;
        match self.ask(self.database.write_incident(write)).await {
            Ok(written) => {
                if written {
                    self.memory.absorb(write);
                }
                written
            }
            Err(Away) => self.memory.write_incident(write).await.unwrap_or(false),
        }
    }

    /// What the database says or, while that does not answer, the memory.
    async fn read<T: Default>(
        &self,
        database: impl Future<Output = Result<T, StoreError>>,
        memory: impl Future<Output = Result<T, StoreError>>,
    ) -> T {
        let _open = self.gate.read().await;
        match self.ask(database).await {
            Ok(known) => known,
            Err(Away) => memory.await.unwrap_or_default(),
        }
    }

    pub(crate) async fn incident(&self, incident_id: &str) -> Option<IncidentRecord> {
        let known = self.database.incident(incident_id);
        self.read(known, self.memory.incident(incident_id)).await
    }

    pub(super) async fn latest(&self, key: &str) -> Option<IncidentRecord> {
        let known = self.database.latest_incident(key);
        self.read(known, self.memory.latest_incident(key)).await
    }

    pub(crate) async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Vec<IncidentRecord> {
        let known = self.database.incidents(state, before.clone(), limit);
        let remembered = self.memory.incidents(state, before, limit);
        self.read(known, remembered).await
    }

    pub(crate) async fn events(&self, incident_id: &str) -> Vec<IncidentEvent> {
        let known = self.database.incident_events(incident_id);
        let remembered = self.memory.incident_events(incident_id);
        self.read(known, remembered).await
    }

    pub(crate) async fn alerts_of(&self, incident_ids: &[String]) -> Vec<AlertRecord> {
        let known = self.database.alerts_of(incident_ids);
        let remembered = self.memory.alerts_of(incident_ids);
        self.read(known, remembered).await
    }

    /// The incident that an alert is about, as this replica knows it: an alert needs no more.
    pub(super) async fn known_incident(&self, incident_id: &str) -> Option<IncidentRecord> {
        match self.memory.incident(incident_id).await {
            Ok(Some(incident)) => Some(incident),
            Ok(None) | Err(_) => self.incident(incident_id).await,
        }
    }

    /// What is to be delivered, as this replica knows it. A claim finds out whether it still is.
    pub(super) async fn pending(&self) -> Vec<AlertRecord> {
        let known = self.memory.pending_alerts(MOST_PENDING).await;
        known.unwrap_or_default()
    }

    pub(super) async fn claim(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> bool {
        let _open = self.gate.read().await;
        match self.ask(self.database.claim_alert(alert, now, until)).await {
            Ok(claimed) => {
                if claimed {
                    self.memory.absorb_claim(alert, until);
                }
                claimed
            }
            Err(Away) => {
                let claimed = self.memory.claim_alert(alert, now, until).await;
                claimed.unwrap_or(false)
            }
        }
    }

    pub(super) async fn finish(&self, alert_id: &str, attempt: u32, ended: &Attempt) {
        let _open = self.gate.read().await;
        let asked = self.database.finish_alert(alert_id, attempt, ended);
        match self.ask(asked).await {
            Ok(()) => self.memory.absorb_attempt(alert_id, attempt, ended),
            Err(Away) => {
                // IncidentMemory refuses nothing.
                let _ = self.memory.finish_alert(alert_id, attempt, ended).await;
            }
        }
    }

    /// Writes to the database what is only in memory, then reads what the database knows: open
    /// incidents, those closed after `closed_after`, and alerts to deliver. Changes nothing while
    /// the database does not answer.
    pub(super) async fn settle(&self, closed_after: DateTime<Utc>) {
        // Nothing must wait for a database that does not answer, so the gate is still open here.
        let probe = self.database.pending_alerts(1);
        if self.is_away() && bounded(PATIENCE_WHILE_AWAY, probe).await.is_err() {
            return;
        }
        let _alone = self.gate.write().await;
        for unsaved in self.memory.unsaved() {
            match self.save(&unsaved).await {
                Ok(true) => self.memory.saved(&unsaved.incident.incident_id),
                // Another replica changed it just now. The next settling merges that.
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(
                        error,
                        "incidents in memory cannot be written to the database yet"
                    );
                    return;
                }
            }
        }
        let live = bounded(PATIENCE, self.database.live_incidents(closed_after)).await;
        let pending = match live {
            Ok(_) => bounded(PATIENCE, self.database.pending_alerts(MOST_PENDING)).await,
            Err(_) => Ok(Vec::new()),
        };
        match (live, pending) {
            (Ok(live), Ok(pending)) => {
                self.memory.replace(live, pending);
                if self.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("incidents are recorded in the returns database again");
                }
            }
            (Err(error), _) | (Ok(_), Err(error)) => {
                self.mark_away(&error);
            }
        }
    }

    async fn save(&self, ours: &Unsaved) -> Result<bool, String> {
        let id = &ours.incident.incident_id;
        let theirs = bounded(PATIENCE, self.database.incident(id)).await?;
        let key = &ours.incident.key;
        let rival = bounded(PATIENCE, self.database.latest_incident(key)).await?;
        let rival = rival.filter(|one| one.state == IncidentState::Open && one.incident_id != *id);
        for write in merge(ours, theirs.as_ref(), rival.as_ref()) {
            if !bounded(PATIENCE, self.database.write_incident(&write)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A call of the database, given up after `patience`.
async fn bounded<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, String> {
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => answer.map_err(|error| ErrorChain(&error).to_string()),
        Err(_) => Err(format!(
            "the returns database did not answer within {} ms",
            patience.as_millis()
        )),
    }
}
