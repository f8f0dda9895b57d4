//! The incident manager: receives what is reported, records incidents, and has people notified within
//! ten seconds of a failure, with a diagnosis.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::failpoint;
use returns_model::check::Diagnosis;
use returns_model::incident::{Area, Content, IncidentRecord, IncidentWrite, Problem, Subject};
use returns_store::IncidentStore;
use tokio::sync::{Notify, mpsc};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::diagnoser::{Diagnoser, start_diagnosis};
use super::dispatcher::AlertDispatcher;
use super::log::IncidentLog;
use super::settings::AlertSettings;
use super::{IncidentReporter, Signal, change};
use crate::change::{Observed, diagnosed, due};

/// How often it checks for other replicas' changes and for what is due.
const TICK: Duration = Duration::from_secs(1);

/// How often a change is decided again because another replica was faster.
const TRIES: usize = 50;

/// How long a shutdown waits for alerts on their way.
const DRAIN: Duration = Duration::from_secs(5);

/// Records incidents and has people notified.
pub struct IncidentManager {
    pub(super) dispatcher: Arc<AlertDispatcher>,
    diagnoser: Arc<dyn Diagnoser>,
}

impl IncidentManager {
    /// A manager. What its own channels do it reports by `incidents`.
    pub fn new(
        settings: AlertSettings,
        database: Arc<dyn IncidentStore>,
        diagnoser: Arc<dyn Diagnoser>,
        incidents: IncidentReporter,
        clock: SharedClock,
    ) -> Self {
        if settings.channels.is_empty() {
            tracing::warn!(
                "no alert channel is configured: nobody is notified, incidents are only listed"
            );
        }
        let dispatcher = AlertDispatcher {
            log: Arc::new(IncidentLog::new(database)),
            channels: settings.channels.into_iter().map(Arc::new).collect(),
            rules: settings.rules,
            header: settings.header,
            clock,
            incidents,
            due: Notify::new(),
            on_the_way: Mutex::new(HashSet::new()),
            tasks: TaskTracker::new(),
        };
        Self {
            dispatcher: Arc::new(dispatcher),
            diagnoser,
        }
    }

    pub(super) fn log(&self) -> &IncidentLog {
        &self.dispatcher.log
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.dispatcher.clock.now()
    }

    /// Runs until `shutdown`.
    pub async fn run(
        self: Arc<Self>,
        mut signals: mpsc::UnboundedReceiver<Signal>,
        shutdown: CancellationToken,
    ) {
        self.settle().await;
        tokio::select! {
            // It ends with the shutdown, after what it is doing.
            () = self.listen(&mut signals, &shutdown) => {}
            () = self.keep_up() => {}
        }
        self.end(signals).await;
    }

    /// Receives what is reported, and sends what is due.
    async fn listen(
        self: &Arc<Self>,
        signals: &mut mpsc::UnboundedReceiver<Signal>,
        shutdown: &CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                signal = signals.recv() => match signal {
                    Some(signal) => self.handle(signal).await,
                    None => return,
                },
                () = self.dispatcher.due.notified() => self.dispatcher.send_due().await,
                _ = ticks.tick() => self.dispatcher.send_due().await,
            }
        }
    }

    /// Follows the database and the clock.
    async fn keep_up(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.settle().await;
            self.do_what_is_due().await;
        }
    }

    /// Records what was reported last, and waits for alerts on their way.
    async fn end(&self, mut signals: mpsc::UnboundedReceiver<Signal>) {
        while let Ok(signal) = signals.try_recv() {
            match signal {
                Signal::Problem(problem) => drop(self.record_observation(&problem).await),
                Signal::Clear { subject, area, at } => self.clear(&subject, area, at).await,
            }
        }
        self.dispatcher.tasks.close();
        if tokio::time::timeout(DRAIN, self.dispatcher.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("alerts are still on their way; the next start sends them again");
        }
        self.settle().await;
        let unsaved = self.log().memory.count_unsaved();
        if unsaved > 0 {
            tracing::error!(
                incidents = unsaved,
                "the returns database does not answer; incidents that were only in memory are lost"
            );
        }
    }

    async fn settle(&self) {
        // A moment more than the rule, since another replica's clock may differ.
        let window = self.dispatcher.rules.reopen_within + Duration::from_secs(60);
        let back = chrono::TimeDelta::from_std(window).unwrap_or_default();
        let closed_after = self.now().checked_sub_signed(back);
        self.log()
            .settle(closed_after.unwrap_or(DateTime::UNIX_EPOCH))
            .await;
    }

    /// Handles a signal.
    async fn handle(self: &Arc<Self>, signal: Signal) {
        match signal {
            Signal::Problem(problem) => self.observe_new(Arc::new(*problem)).await,
            Signal::Clear { subject, area, at } => self.clear(&subject, area, at).await,
        }
    }

    /// Records a problem. A problem that people are notified of is diagnosed meanwhile.
    async fn observe_new(self: &Arc<Self>, problem: Arc<Problem>) {
        let known = self.log().memory.latest(&problem.key());
        let expected =
            change::observed(known.as_ref(), &problem, &self.dispatcher.rules, self.now());
        let diagnosis = matches!(expected, Observed::Notify(_))
            .then(|| start_diagnosis(&self.diagnoser, &problem));
        let Some(recorded) = self.record_observation(&problem).await else {
            return;
        };
        let diagnosis = diagnosis.unwrap_or_else(|| start_diagnosis(&self.diagnoser, &problem));
        let manager = self.clone();
        self.dispatcher.tasks.spawn(async move {
            // A diagnosis that panicked has found nothing.
            let diagnosis = diagnosis.await.unwrap_or_default();
            manager.notify(&recorded, &problem, &diagnosis).await;
        });
    }

    /// Records that a problem was observed. Gives the incident when people are to be notified.
    async fn record_observation(&self, problem: &Problem) -> Option<IncidentRecord> {
        // A failure that the crash campaign makes here must not lose the problem.
        let _ = failpoint::hit("incident::before_write").await;
        let key = problem.key();
        for _ in 0..TRIES {
            let latest = self.log().latest(&key).await;
            let (write, notify) = match change::observed(
                latest.as_ref(),
                problem,
                &self.dispatcher.rules,
                self.now(),
            ) {
                Observed::Notify(write) => (write, true),
                Observed::Count(write) => (write, false),
            };
            if self.log().write(&write).await {
                let _ = failpoint::hit("incident::after_write").await;
                log_events(&write);
                return notify.then_some(write.incident);
            }
        }
        tracing::error!(
            key,
            headline = problem.cause.headline(),
            "an incident was not recorded: other replicas keep changing it"
        );
        None
    }

    /// Puts what was found into the incident, and lets its alerts leave.
    async fn notify(&self, recorded: &IncidentRecord, problem: &Problem, diagnosis: &Diagnosis) {
        let content = Content::diagnosed(problem, diagnosis);
        self.change(&recorded.incident_id, |incident| {
            diagnosed(incident, content.clone(), self.now())
        })
        .await;
    }

    /// Changes an incident as `decide` says, and decides again when it has changed meanwhile. Gives
    /// the incident as it is then, and whether this changed it; `None` when there is none.
    pub(super) async fn change(
        &self,
        incident_id: &str,
        decide: impl Fn(&IncidentRecord) -> Option<IncidentWrite>,
    ) -> Option<(IncidentRecord, bool)> {
        let mut incident = self.log().incident(incident_id).await?;
        for _ in 0..TRIES {
            let Some(write) = decide(&incident) else {
                break;
            };
            if self.log().write(&write).await {
                log_events(&write);
                self.dispatcher.due.notify_one();
                return Some((write.incident, true));
            }
            incident = self.log().incident(incident_id).await?;
        }
        Some((incident, false))
    }

    /// Ends the incidents of an area for a subject. Open ones are known from memory, so that this
    /// costs nothing while there are none.
    async fn clear(&self, subject: &Subject, area: Area, at: DateTime<Utc>) {
        let subject = subject.to_string();
        for incident_id in self.log().memory.open_about(&subject, area) {
            self.change(&incident_id, |incident| {
                change::cleared(incident, &self.dispatcher.rules, at, self.now())
            })
            .await;
        }
    }

    /// Ends quiet times, and escalates.
    async fn do_what_is_due(&self) {
        let now = self.now();
        for incident in self.log().memory.open() {
            if due(&incident, &self.dispatcher.rules, now).is_some() {
                self.change(&incident.incident_id, |incident| {
                    due(incident, &self.dispatcher.rules, now)
                })
                .await;
            }
        }
    }
}

/// Writes every change to the process's log too.
fn log_events(write: &IncidentWrite) {
    let incident = &write.incident;
    for event in &write.events {
        tracing::warn!(
            incident_id = incident.incident_id,
            cause = incident.cause,
            subject = incident.subject,
            incident_severity = incident.severity.as_str(),
            seen = incident.seen,
            actor = event.actor,
            headline = incident.content.headline,
            "incident {}",
            event.what.as_str()
        );
    }
}
