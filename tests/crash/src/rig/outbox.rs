//! The folders in which the acquirer leaves its files, as the acquirer sees them: it writes a
//! file under a name that says it is unfinished, renames it when it is whole, and looks later
//! what became of it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// What the service does with a file there once its import is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It moves it to the folder beside.
    Move,
    /// It deletes it, so that a file that is archived too early is gone for good.
    Delete,
}

/// A file that landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// Its name.
    pub name: String,
    /// The number of the world's file that it is.
    pub index: u64,
    /// The hash of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A folder at the acquirer, which is one source of the returns service.
pub struct Outbox {
    /// The source's name.
    pub source: &'static str,
    /// What becomes of its files.
    pub after: After,
    /// The folder.
    pub folder: PathBuf,
    landed: Mutex<Vec<Landed>>,
}

/// The folder in an outbox that files are moved to.
pub const MOVED_TO: &str = "done";

/// A file that the acquirer never finishes: nobody may touch it.
pub const UNFINISHED: (&str, &[u8]) = ("never-finished.ach.part", b"101 23138010");

/// The two folders of a round.
const OUTBOXES: [(&str, After); 2] = [("moving", After::Move), ("deleting", After::Delete)];

impl Outbox {
    /// Makes the folders of a round.
    pub(super) fn make_all(folder: &Path) -> Result<Vec<Self>> {
        OUTBOXES
            .iter()
            .map(|(source, after)| {
                let folder = folder.join("acquirer").join(source);
                std::fs::create_dir_all(folder.join(MOVED_TO))?;
                std::fs::write(folder.join(UNFINISHED.0), UNFINISHED.1)?;
                Ok(Self {
                    source,
                    after: *after,
                    folder,
                    landed: Mutex::default(),
                })
            })
            .collect()
    }

    /// Lands a file: half of it, a pause, the rest, and its name.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn land(&self, landed: Landed, bytes: &[u8], pause: Duration) -> Result<()> {
        let unfinished = self.folder.join(format!("{}.part", landed.name));
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(half)?;
        tokio::time::sleep(pause).await;
        file.write_all(rest)?;
        drop(file);
        std::fs::rename(&unfinished, self.folder.join(&landed.name))?;
        // Only now: what is listed as landed and is not there was archived.
        self.landed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(landed);
        Ok(())
    }

    /// Everything that landed.
    #[must_use]
    pub fn landed(&self) -> Vec<Landed> {
        self.landed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The names of the files that are there, and finished.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn waiting(&self) -> Result<BTreeSet<String>> {
        let mut names = names(&self.folder)?;
        names.retain(|name| !name.ends_with(".part"));
        Ok(names)
    }

    /// The names of the files that were moved away.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn moved(&self) -> Result<BTreeSet<String>> {
        names(&self.folder.join(MOVED_TO))
    }
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
