//! A source in a folder of this machine, for the embedded mode and for files that another
//! program fetches.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::archive_remote::SourceDirectory;
use super::error::SourceError;
use super::fetch::Remote;
use super::listing::{RemoteEntry, RemoteEntryKind, RemoteFile};
use super::name::RemoteName;

/// A folder that is there.
pub(super) struct Folder {
    directory: PathBuf,
}

impl Folder {
    /// The folder, if it can be listed.
    pub(super) fn open(directory: PathBuf) -> Result<Self, SourceError> {
        fs::read_dir(&directory).map_err(|error| unreadable(&directory, &error))?;
        Ok(Self { directory })
    }

    /// Everything in the folder.
    pub(super) fn list(&self) -> Result<Vec<RemoteEntry>, SourceError> {
        let failed = |error: std::io::Error| unreadable(&self.directory, &error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = RemoteName::new(entry.file_name().as_bytes());
            match entry.metadata() {
                Ok(metadata) => entries.push(described(name, &metadata)),
                // It went between the list and the look.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(entries)
    }

    /// Opens a file for reading.
    pub(super) fn read<'a>(&'a self, listed: &'a RemoteFile) -> Result<Reading<'a>, SourceError> {
        let file = File::open(listed.name.within(&self.directory));
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => SourceError::Vanished {
                name: listed.name.clone(),
            },
            _ => unread(listed, &error),
        })?;
        Ok(Reading {
            folder: self,
            listed,
            file,
        })
    }
}

fn unread(file: &RemoteFile, error: &std::io::Error) -> SourceError {
    SourceError::Refused {
        what: format!("to let us read {:?}", file.name),
        why: error.to_string(),
    }
}

/// What there is; `None` when the error says that there is nothing.
fn if_there<T>(found: std::io::Result<T>) -> Result<Option<T>, String> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn unreadable(directory: &Path, error: &std::io::Error) -> SourceError {
    let directory = directory.display().to_string();
    match error.kind() {
        ErrorKind::NotFound => SourceError::DirectoryMissing { directory },
        _ => SourceError::DirectoryUnreadable {
            directory,
            why: error.to_string(),
        },
    }
}

fn described(name: RemoteName, metadata: &fs::Metadata) -> RemoteEntry {
    let file_type = metadata.file_type();
    let kind = match () {
        () if file_type.is_file() => RemoteEntryKind::File,
        () if file_type.is_dir() => RemoteEntryKind::Folder,
        () if file_type.is_symlink() => RemoteEntryKind::Link,
        () => RemoteEntryKind::Other,
    };
    RemoteEntry {
        name,
        kind,
        size_bytes: metadata.len(),
        modified_at: metadata.modified().ok().map(Into::into),
    }
}

/// A file that is open for reading.
pub(super) struct Reading<'a> {
    folder: &'a Folder,
    listed: &'a RemoteFile,
    file: File,
}

impl Remote for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let read = self.file.read(buffer);
        read.map_err(|error| unread(self.listed, &error))
    }

    fn stat_again(&mut self) -> Result<Option<RemoteFile>, SourceError> {
        self.folder
            .file_now(&self.listed.name)
            .map_err(|why| SourceError::Refused {
                what: format!("to show us {:?} again", self.listed.name),
                why,
            })
    }
}

impl SourceDirectory for Folder {
    fn path(&self) -> &Path {
        &self.directory
    }

    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, String> {
        let found = if_there(fs::symlink_metadata(name.within(&self.directory)))?;
        Ok(found.map(|metadata| described(name.clone(), &metadata).into()))
    }

    fn is_there(&self, path: &Path) -> Result<bool, String> {
        Ok(if_there(fs::symlink_metadata(path))?.is_some())
    }

    /// A second name for the file, which fails where the name is taken, and then without the
    /// first. A crash in between leaves both, which [`SourceDirectory::rename`] is not asked about again:
    /// the file is then seen under its first name, and archived under another.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String> {
        match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from).map_err(|error| error.to_string()),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Unsupported | ErrorKind::PermissionDenied
                ) && !to.exists() =>
            {
                fs::rename(from, to).map_err(|error| error.to_string())
            }
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                Err("move_to is on another file system; it must be on the same one".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), String> {
        if_there(fs::remove_file(path)).map(drop)
    }
}
