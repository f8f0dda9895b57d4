//! How the process before this one ended. A process that is killed cannot say so itself, so each notes
//! that it runs, in the folder of the spool, and takes the note away when it ends as it should.

use chrono::{DateTime, Utc};
use echeck_service::machine::{boot_id, started_ticks};
use serde::{Deserialize, Serialize};

use crate::notes::ProcessNotes;

/// What kind of notes they are.
const KIND: &str = "process";

impl ProcessNotes {
    /// Notes that this process runs from `now` on.
    pub async fn begin(&self, now: DateTime<Utc>) -> RunningProcess {
        let earlier: Option<Note> = self.read(KIND).await;
        let process = RunningProcess {
            notes: self.clone(),
            note: Note::of_this_process(now),
            before: earlier.and_then(|note| note.end()),
        };
        process.write().await;
        process
    }
}

/// The note of this process.
pub struct RunningProcess {
    notes: ProcessNotes,
    note: Note,
    /// How the process before it ended, when that was not a shutdown.
    pub before: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    pid: u32,
    started_at: DateTime<Utc>,
    started_ticks: Option<u64>,
    boot_id: String,
    /// Why it ended, when it could say so.
    failed: Option<String>,
}

impl Note {
    fn of_this_process(now: DateTime<Utc>) -> Self {
        let pid = std::process::id();
        Self {
            pid,
            started_at: now,
            started_ticks: started_ticks(pid),
            boot_id: boot_id(),
            failed: None,
        }
    }

    /// How its process ended; `None` when it still runs.
    fn end(&self) -> Option<String> {
        if let Some(why) = &self.failed {
            return Some(why.clone());
        }
        let started = self.started_at.format("%Y-%m-%d %H:%M UTC");
        let process = format!("process {}, started at {started}", self.pid);
        if self.boot_id != boot_id() {
            return Some(format!("the machine stopped while it ran ({process})"));
        }
        let runs = self.started_ticks.is_some() && self.started_ticks == started_ticks(self.pid);
        (!runs).then(|| format!("it was killed or crashed ({process})"))
    }
}

impl RunningProcess {
    /// Notes that this process ends; `why` when it ends with a failure.
    pub async fn end(mut self, why: Option<String>) {
        self.note.failed = why;
        if self.note.failed.is_some() {
            return self.write().await;
        }
        self.notes.delete(KIND).await;
    }

    async fn write(&self) {
        self.notes.write(KIND, &self.note).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T06:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_shutdown_leaves_nothing_to_tell_and_a_failure_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let notes = ProcessNotes::of(folder.path(), &([127, 0, 0, 1], 50_051).into());
        let first = notes.begin(now()).await;
        assert_eq!(first.before, None);
        first.end(None).await;
        let second = notes.begin(now()).await;
        assert_eq!(second.before, None);
        let why = "the worker of the imports panicked".to_owned();
        second.end(Some(why)).await;
        let third = notes.begin(now()).await;
        let told = third.before.as_deref();
        assert_eq!(told, Some("the worker of the imports panicked"));
    }

    #[test]
    fn a_process_that_was_killed_is_told_from_one_that_runs_and_from_a_restarted_machine() {
        let note = Note::of_this_process(now());
        assert_eq!(note.end(), None);
        let killed = Note {
            started_ticks: Some(1),
            ..note.clone()
        };
        let told = killed.end().unwrap();
        assert!(told.starts_with("it was killed or crashed"), "{told}");
        let restarted = Note {
            boot_id: "another".to_owned(),
            ..note
        };
        let told = restarted.end().unwrap();
        assert!(told.starts_with("the machine stopped"), "{told}");
    }
}
