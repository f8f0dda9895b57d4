//! Small notes that outlive the process: how it ran, and what people know of a start that failed. They
//! are in the folder of the spool, or, where that cannot be written, in a folder for temporary files:
//! that the spool is gone is just what one of them may be about.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use echeck_service::machine::host_name;
use echeck_service::privacy;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a disk may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the processes of this service keep their notes: on this machine, and on this port. Replicas
/// elsewhere may share the folder.
#[derive(Debug, Clone)]
pub struct ProcessNotes {
    /// In the order in which they are tried.
    folders: [PathBuf; 2],
    place: String,
}

impl ProcessNotes {
    /// Notes in `folder`, of the service that listens on `listen`.
    pub fn of(folder: &Path, listen: &SocketAddr) -> Self {
        let spare = std::env::var_os("STATE_DIRECTORY")
            .map_or_else(std::env::temp_dir, PathBuf::from)
            .join("echeck-returns-notes");
        Self {
            folders: [folder.to_owned(), spare],
            place: format!("{}-{}", host_name(), listen.port()),
        }
    }

    fn file(&self, folder: &Path, kind: &str) -> PathBuf {
        folder.join(format!("{kind}-{}.json", self.place))
    }

    /// The newest note of this kind, if there is one.
    pub(crate) async fn read<T: DeserializeOwned>(&self, kind: &'static str) -> Option<T> {
        let notes = self.clone();
        let text = patiently(move || notes.read_now(kind)).await.flatten()?;
        serde_json::from_slice(&text).ok()
    }

    fn read_now(&self, kind: &str) -> Option<Vec<u8>> {
        let files = self.folders.iter().map(|folder| self.file(folder, kind));
        let found = files.filter_map(|file| {
            let modified = fs::metadata(&file).ok()?.modified().ok()?;
            Some((modified, fs::read(&file).ok()?))
        });
        let newest = found.max_by_key(|(modified, _)| *modified);
        newest.map(|(_, text)| text)
    }

    /// Writes a note. Without it, people are only told more often, or do not learn how the process
    /// before ended.
    pub(crate) async fn write<T: Serialize>(&self, kind: &'static str, note: &T) {
        let Ok(text) = serde_json::to_vec(note) else {
            return;
        };
        let notes = self.clone();
        patiently(move || notes.write_now(kind, &text)).await;
    }

    pub(crate) fn write_now(&self, kind: &str, text: &[u8]) {
        let [first, spare] = &self.folders;
        let Err(error) = self.write_in(first, kind, text) else {
            return remove(&self.file(spare, kind));
        };
        let written =
            privacy::private_folder(spare).and_then(|()| self.write_in(spare, kind, text));
        if let Err(spare) = written {
            tracing::warn!(kind, %error, %spare, "a note of this process could not be written");
        }
    }

    /// The file is there whole, or as it was before.
    fn write_in(&self, folder: &Path, kind: &str, text: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text)?;
        file.as_file().sync_all()?;
        file.persist(self.file(folder, kind))?;
        Ok(())
    }

    /// Deletes the note of this kind.
    pub(crate) async fn delete(&self, kind: &'static str) {
        let notes = self.clone();
        patiently(move || notes.delete_now(kind)).await;
    }

    pub(crate) fn delete_now(&self, kind: &str) {
        for folder in &self.folders {
            remove(&self.file(folder, kind));
        }
    }
}

/// Does what waits for a disk. One that does not answer is left: alerts do not wait for it.
async fn patiently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let worked = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await;
    worked.ok()?.ok()
}

fn remove(file: &Path) {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file = %file.display(), %error, "a note could not be deleted");
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_note_is_kept_elsewhere_while_its_folder_is_gone_and_is_the_newest_afterwards() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("spool");
        let port = u16::try_from(std::process::id() % 60_000).unwrap();
        let notes = ProcessNotes::of(&folder, &([127, 0, 0, 1], port).into());
        notes.write("test", &1).await;
        assert_eq!(notes.read("test").await, Some(1));
        fs::create_dir(&folder).unwrap();
        notes.write("test", &2).await;
        assert_eq!(notes.read("test").await, Some(2));
        // A full disk, where the older one stays.
        let old = fs::read(notes.file(&folder, "test")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        notes.write("test", &3).await;
        fs::create_dir(&folder).unwrap();
        let stale = notes.file(&folder, "test");
        fs::write(&stale, old).unwrap();
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1);
        fs::File::open(&stale)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        assert_eq!(notes.read("test").await, Some(3));
        notes.delete("test").await;
        assert_eq!(notes.read::<i32>("test").await, None);
    }
}
