//! What was read from files that may be exchanged while the process runs.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

/// What is wrong with a file, in a sentence that names it. It never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileFault(pub(crate) String);

impl FileFault {
    pub(crate) fn of(file: &Path, what: impl std::fmt::Display) -> Self {
        Self(format!("{}: {what}", file.display()))
    }
}

/// How often the files are looked at, at most.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// A value that is read again when one of its files has changed. A file that cannot be read, or is
/// half written, leaves the old value in use.
pub(crate) struct Reloaded<T> {
    files: Vec<PathBuf>,
    read: Box<dyn Fn() -> Result<T, FileFault> + Send + Sync>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    stamps: Vec<Option<Stamp>>,
    looked: Instant,
    /// The fault that was logged last.
    said: Option<FileFault>,
}

/// What changes when a file is written or replaced.
#[derive(PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl<T> Reloaded<T> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(crate) fn new(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, FileFault> + Send + Sync + 'static,
    ) -> Result<Self, FileFault> {
        // Before the read: what changes meanwhile is seen as a change afterwards.
        let stamps = stamps(&files);
        let state = State {
            value: Arc::new(read()?),
            stamps,
            looked: Instant::now(),
            said: None,
        };
        Ok(Self {
            files,
            read: Box::new(read),
            state: Mutex::new(state),
        })
    }

    /// The value as the files have it, as of a second ago at most.
    pub(crate) fn now(&self) -> Arc<T> {
        let mut state = self.state();
        if state.looked.elapsed() >= BETWEEN_LOOKS {
            self.look(&mut state);
            state.looked = Instant::now();
        }
        Arc::clone(&state.value)
    }

    fn look(&self, state: &mut State<T>) {
        let stamps = stamps(&self.files);
        if stamps == state.stamps {
            return;
        }
        match (self.read)() {
            Ok(value) => {
                state.value = Arc::new(value);
                state.stamps = stamps;
                state.said = None;
                info!(files = ?self.files, "files have changed, and are in use");
            }
            Err(fault) if state.said.as_ref() != Some(&fault) => {
                warn!(%fault, "files have changed and cannot be used; what they were stays in use");
                state.said = Some(fault);
            }
            Err(_) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> std::fmt::Debug for Reloaded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reloaded").field(&self.files).finish()
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |file: &PathBuf| {
        let found = std::fs::metadata(file).ok()?;
        Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    };
    files.iter().map(stamp).collect()
}
