//! What a run found, and what that comes to.

use returns_model::import::ImportRecord;
use returns_model::incident::Cause;
use returns_model::job::{RemoteKey, RunFile};
use returns_model::run_outcome::RunOutcome;

use super::arrival_check::Absence;
use super::run::has_exceptions;
use crate::listing::RemoteFile;

/// What a run found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) files: Vec<FileFinding>,
    /// What is wrong with what is, or is not, at the acquirer.
    pub(super) presence: Option<Absence>,
    /// Files that could not be taken, for a reason that lies in them.
    pub(super) refused: Vec<RemoteFile>,
    /// Whether a file changed or went away while it was taken, so that a retry soon is worth it.
    pub(super) unsettled: bool,
    /// What keeps a file that was imported from being archived at the acquirer.
    pub(super) not_archived: Option<Cause>,
    /// Whether this run was left to another replica, or to the next start.
    pub(super) left: bool,
    /// What ended the run before its time.
    pub(super) stopped: Option<Cause>,
    /// Whether the source's server let this run in.
    pub(super) let_in: bool,
    /// Whether another part of the service reports that.
    pub(super) is_reported: bool,
    /// Whether a file of this run came after it was due.
    pub(super) late: bool,
    /// Whether this run has written a file to the spool.
    pub(super) spooled: bool,
}

/// What was found of one file.
#[derive(Debug)]
pub(super) struct FileFinding {
    pub(super) file: RunFile,
    /// What is wrong with it, when the run is the one to say so.
    pub(super) cause: Option<Cause>,
    /// Whether it was taken by this run and is new.
    pub(super) is_new: bool,
}

impl Findings {
    /// What the whole comes to.
    pub(super) fn outcome(&self) -> RunOutcome {
        let worst = self.files.iter().map(|finding| finding.file.outcome).max();
        let worst = worst.unwrap_or(RunOutcome::NoActivity);
        let late = match worst {
            RunOutcome::Completed | RunOutcome::CompletedWithExceptions if self.late => {
                RunOutcome::FileLate
            }
            other => other,
        };
        self.missing()
            .map_or(late, |_| late.max(RunOutcome::FileMissing))
    }

    /// What this run found missing. A run that brings today's file does not fail because of
    /// yesterday's: that has an alarm of its own.
    fn missing(&self) -> Option<&Cause> {
        let brought = self.files.iter().any(|finding| finding.is_new);
        let absence = self.presence.as_ref();
        absence
            .filter(|absence| !(absence.is_over && brought))
            .map(|absence| &absence.cause)
    }

    /// One line for people.
    pub(super) fn summary(&self) -> String {
        if let Some(cause) = self.stopped.as_ref().or(self.missing()) {
            return cause.headline();
        }
        let lines: Vec<String> = self
            .files
            .iter()
            .map(|finding| format!("{:?}: {}", finding.file.name, finding.file.what))
            .collect();
        if lines.is_empty() {
            "nothing new".to_owned()
        } else {
            lines.join("; ")
        }
    }

    /// The kind of the first thing that is wrong.
    pub(super) fn cause(&self) -> Option<&'static str> {
        let of_files = self
            .files
            .iter()
            .filter_map(|finding| finding.cause.as_ref());
        let causes = self.stopped.iter().chain(of_files).chain(self.missing());
        let causes = causes.chain(&self.not_archived);
        causes.map(Cause::kind).next()
    }
}

impl FileFinding {
    /// What came of a file, without a cause.
    pub(super) fn of(
        name: &str,
        size_bytes: u64,
        import_id: Option<&str>,
        outcome: RunOutcome,
        what: String,
    ) -> Self {
        Self {
            file: RunFile {
                name: name.to_owned(),
                size_bytes,
                import_id: import_id.map(str::to_owned),
                outcome,
                what,
            },
            cause: None,
            is_new: false,
        }
    }

    /// Its bytes were known.
    pub(super) fn duplicate(file: &RemoteKey, import_id: &str) -> Self {
        let what = format!("its bytes are those of {import_id}; nothing was done again");
        let outcome = RunOutcome::DuplicateFile;
        Self::of(&file.name, file.size_bytes, Some(import_id), outcome, what)
    }

    /// It could not be taken, for a reason that lies in the file.
    pub(super) fn refused(file: &RemoteFile, cause: Cause) -> Self {
        let (name, what) = (file.name.text(), cause.headline());
        let outcome = RunOutcome::FileRejected;
        Self {
            cause: Some(cause),
            ..Self::of(&name, file.size_bytes, None, outcome, what)
        }
    }

    /// It was refused whole.
    pub(super) fn rejected(
        import_id: &str,
        (name, size_bytes): (&str, u64),
        why: String,
        wrong_profile: Option<(String, String)>,
    ) -> Self {
        let cause = match wrong_profile {
            Some((configured, looks_like)) => Cause::WrongProfile {
                name: name.to_owned(),
                configured,
                looks_like,
            },
            None => Cause::FileRejected {
                name: name.to_owned(),
                why: why.clone(),
            },
        };
        let outcome = RunOutcome::FileRejected;
        Self {
            cause: Some(cause),
            ..Self::of(name, size_bytes, Some(import_id), outcome, why)
        }
    }

    /// Every database has passed it, and it is reported. `lacking` says how many of its entries
    /// have no effect in which database.
    pub(super) fn finished(import: &ImportRecord, lacking: &[(&str, u64)]) -> Self {
        let totals = &import.totals_now();
        let left_out = import.phase.checked().map_or(0, |checked| checked.left_out);
        let decided = totals.decided();
        let outcome = if has_exceptions(totals) || !lacking.is_empty() {
            RunOutcome::CompletedWithExceptions
        } else if totals.read.count + left_out == 0 {
            RunOutcome::NoActivity
        } else {
            RunOutcome::Completed
        };
        // What a database refused has no effect there, so it is not called applied.
        let became = if lacking.is_empty() {
            "applied"
        } else {
            "decided"
        };
        let mut what = format!(
            "{} read = {decided} {became} + {} duplicate + {} held + {} unreadable",
            totals.read.count, totals.duplicate.count, totals.held.count, totals.rejected.count
        );
        if totals.prenote.count > 0 {
            what.push_str(&format!(" + {} returned prenotes", totals.prenote.count));
        }
        if left_out > 0 {
            what.push_str(&format!("; {left_out} left out"));
        }
        for (database, count) in lacking {
            what.push_str(&format!("; {count} without effect in {database}"));
        }
        let (new, import_id) = (&import.new, Some(import.import_id.as_str()));
        Self {
            is_new: true,
            ..Self::of(&new.file_name, new.size_bytes, import_id, outcome, what)
        }
    }
}
