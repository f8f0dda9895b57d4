//! Keeps the spool: deletes what nobody needs any more, and warns before the disk is full.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::ErrorChain;
use echeck_service::clock::{Clock as _, SharedClock, SystemClock};
use returns_alerts::diagnosis::disk;
use returns_alerts::{IncidentReporter, Lasting, Vitals};
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::{Job, Lease, Pass, Store, StoreError, Topic};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Spool, SpoolError, io_error};

/// What was left half-written goes after this long. Replicas share the folder, and what is
/// younger may be on its way to one of them.
const LONGEST_RECEIPT: TimeDelta = TimeDelta::days(1);

/// A received file that no import names goes after this long. A database that was restored from a
/// backup may not name files that it should: there is time to notice.
const LONGEST_UNNAMED: TimeDelta = TimeDelta::days(7);

/// How often the folder is swept.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(3_600);

/// How often a file is written, to see whether one can be.
const BETWEEN_CHECKS: Duration = Duration::from_secs(2);

/// How soon it is tried again when that fails.
const AGAIN: Duration = Duration::from_secs(1);

/// Its lease, and its name among what the service needs.
const SPOOL: &str = "spool";

/// How many names the database is asked about at once.
const NAMES_AT_ONCE: usize = 500;

/// Sweeps the spool, and watches its disk.
pub struct SpoolKeeper {
    pub store: Arc<dyn Store>,
    pub spool: Spool,
    pub clock: SharedClock,
    pub incidents: IncidentReporter,
    vitals: Vitals,
    lasting: Lasting,
    /// What may be reported: also at the start, from an earlier process.
    low: bool,
    failed: bool,
    next_sweep: Instant,
}

/// What stops a pass of the keeper.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SpoolKeeper {
    /// A keeper that begins with a sweep.
    pub fn new(
        store: Arc<dyn Store>,
        spool: Spool,
        clock: SharedClock,
        incidents: IncidentReporter,
        (vitals, patience): (Vitals, Duration),
    ) -> Self {
        Self {
            store,
            spool,
            clock,
            incidents,
            vitals,
            lasting: Lasting::new(patience),
            low: true,
            failed: true,
            next_sweep: Instant::now(),
        }
    }

    /// Writes a file, and reports when that fails for a while or the disk is nearly full: before a
    /// file comes that must be kept. Gives whether files can be written.
    async fn check_disk(&mut self) -> bool {
        let began = Instant::now();
        let check = disk(&self.spool.folder).await;
        match check.failure() {
            Some(cause @ Cause::DiskLow { .. }) => {
                self.report(Subject::Spool, cause.clone());
                self.low = true;
            }
            // How much room there is says nothing now.
            Some(cause) => {
                if self.lasting.failed(began) {
                    self.fails(cause.clone());
                }
                return false;
            }
            None => {
                if std::mem::take(&mut self.low) {
                    let now = self.clock.now();
                    self.incidents.clear(Subject::Spool, Area::Disk, now);
                }
            }
        }
        self.lasting.passed();
        true
    }

    fn fails(&mut self, cause: Cause) {
        self.vitals.lacks(SPOOL, &cause.headline());
        self.report(Subject::Machine, cause);
        self.failed = true;
    }

    fn works(&mut self) {
        self.vitals.has(SPOOL);
        if std::mem::take(&mut self.failed) {
            let now = self.clock.now();
            self.incidents.clear(Subject::Machine, Area::Disk, now);
        }
    }

    fn report(&self, subject: Subject, cause: Cause) {
        let problem = Problem::new(subject, cause, self.clock.now());
        self.incidents.report(problem);
    }
}

impl Job for SpoolKeeper {
    type Error = KeeperError;

    fn lease(&self) -> String {
        SPOOL.to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    async fn begin(&mut self) {
        self.lasting.passed();
        (self.low, self.failed) = (true, true);
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, KeeperError> {
        if !self.check_disk().await {
            return Ok(Pass::Idle(AGAIN));
        }
        if Instant::now() >= self.next_sweep {
            // The files have their times from the machine, so the age is by its clock.
            self.spool.sweep(&*self.store, SystemClock.now()).await?;
            self.next_sweep = Instant::now() + BETWEEN_SWEEPS;
        }
        self.works();
        Ok(Pass::Idle(BETWEEN_CHECKS))
    }

    async fn failed(&mut self, _: &Lease, error: &KeeperError, _: Duration, _: &CancellationToken) {
        let why = ErrorChain(error).to_string();
        tracing::error!(
            error = why,
            "the spool could not be swept; it is tried again"
        );
        if let KeeperError::Spool(_) = error {
            let path = self.spool.folder.display().to_string();
            self.fails(Cause::SpoolFailed { path, why });
        }
    }

    fn leave(&mut self) {
        self.vitals.has(SPOOL);
    }
}

impl Spool {
    /// Deletes what was left half-written a day ago, and received files that no import has named
    /// for a week.
    pub(super) async fn sweep(
        &self,
        store: &dyn Store,
        now: DateTime<Utc>,
    ) -> Result<(), KeeperError> {
        let mut unsure = Vec::new();
        for (path, age) in self.files(now)? {
            let extension = path.extension().and_then(|extension| extension.to_str());
            match extension {
                Some("part") if age > LONGEST_RECEIPT => delete(&path)?,
                Some("age") if age > LONGEST_UNNAMED => unsure.push(path),
                Some(_) | None => {}
            }
        }
        for paths in unsure.chunks(NAMES_AT_ONCE) {
            let names: Vec<String> = paths.iter().filter_map(|path| name(path)).collect();
            let named = store.spool_files_named(&names).await?;
            let unnamed = |path: &&PathBuf| name(path).is_some_and(|name| !named.contains(&name));
            for path in paths.iter().filter(unnamed) {
                tracing::warn!(path = %path.display(), "deleting a file that no import names");
                delete(path)?;
            }
        }
        Ok(())
    }

    /// The files of the folder with their ages. One that goes meanwhile is left out.
    fn files(&self, now: DateTime<Utc>) -> Result<Vec<(PathBuf, TimeDelta)>, SpoolError> {
        let failed = io_error(&self.folder, "listed");
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            match entry.metadata().and_then(|file| file.modified()) {
                Ok(modified) => files.push((entry.path(), now - DateTime::<Utc>::from(modified))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(files)
    }
}

fn name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

/// Another replica may be faster.
fn delete(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        deleted => deleted.map_err(io_error(path, "deleted")),
    }
}

#[cfg(test)]
mod tests {
    use echeck_test_fixtures::empty_store;
    use returns_model::import::NewImport;

    use super::*;

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| name(&entry.unwrap().path()).unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn what_is_half_written_goes_after_a_day_and_what_no_import_names_after_a_week() {
        let (_database, store) = empty_store().await;
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
        let incoming = spool.begin("half").unwrap();
        for file in ["named.age", "unnamed.age"] {
            spool.begin(file).unwrap().keep(file).unwrap();
        }
        let new = NewImport {
            source: "bank".into(),
            file_name: "a.csv".into(),
            sha256: "1".into(),
            size_bytes: 1,
            spool_name: "named.age".into(),
            received_at: DateTime::UNIX_EPOCH,
            controls_accepted_by: None,
            trace: None,
        };
        store.receive(new).await.unwrap();
        let written = fs::metadata(folder.path().join("half.part")).unwrap();
        let written = DateTime::<Utc>::from(written.modified().unwrap());
        let swept = async |age| {
            spool.sweep(&*store, written + age).await.unwrap();
            names(&folder)
        };
        let all = ["half.part", "named.age", "unnamed.age"];
        assert_eq!(swept(TimeDelta::hours(23)).await, all);
        assert_eq!(swept(TimeDelta::hours(25)).await, all[1..]);
        assert_eq!(swept(TimeDelta::days(8)).await, ["named.age"]);
        drop(incoming);
    }
}
