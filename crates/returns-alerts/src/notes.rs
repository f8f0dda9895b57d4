//! Small notes that outlive the process: how it ran, and what people know of a start that failed. They
//! are in the folder of the spool, or, where that cannot be written, in a folder for temporary files:
//! that the spool is gone is just what one of them may be about.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use echeck_service::machine::host_name;
use echeck_service::privacy;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

    /// The note of this kind, if there is one.
    pub(crate) fn read<T: DeserializeOwned>(&self, kind: &str) -> Option<T> {
        self.folders.iter().find_map(|folder| {
            let text = fs::read(self.file(folder, kind)).ok()?;
            serde_json::from_slice(&text).ok()
        })
    }

    /// Writes a note. Without it, people are only told more often, or do not learn how the process
    /// before ended.
    pub(crate) fn write<T: Serialize>(&self, kind: &str, note: &T) {
        let [first, spare] = &self.folders;
        let Err(error) = self.write_in(first, kind, note) else {
            return remove(&self.file(spare, kind));
        };
        let written =
            privacy::private_folder(spare).and_then(|()| self.write_in(spare, kind, note));
        if let Err(spare) = written {
            tracing::warn!(kind, %error, %spare, "a note of this process could not be written");
        }
    }

    /// The file is there whole, or as it was before.
    fn write_in<T: Serialize>(&self, folder: &Path, kind: &str, note: &T) -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&file, note)?;
        file.as_file().sync_all()?;
        file.persist(self.file(folder, kind))?;
        Ok(())
    }

    /// Deletes the note of this kind.
    pub(crate) fn delete(&self, kind: &str) {
        for folder in &self.folders {
            remove(&self.file(folder, kind));
        }
    }
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

    #[test]
    fn a_note_is_kept_elsewhere_while_its_folder_is_gone_and_is_the_newest_afterwards() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("spool");
        let port = u16::try_from(std::process::id() % 60_000).unwrap();
        let notes = ProcessNotes::of(&folder, &([127, 0, 0, 1], port).into());
        notes.write("test", &1);
        assert_eq!(notes.read("test"), Some(1));
        fs::create_dir(&folder).unwrap();
        notes.write("test", &2);
        assert_eq!(notes.read("test"), Some(2));
        notes.delete("test");
        assert_eq!(notes.read::<i32>("test"), None);
    }
}
