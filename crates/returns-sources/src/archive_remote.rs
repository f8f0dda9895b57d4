//! What becomes of a file at its source once its import is committed. Doing it twice is as
//! good as doing it once; nothing is ever overwritten, and a file that has changed since it was
//! taken stays where it is, since it was not imported.

use std::path::Path;

use super::error::SourceError;
use super::listing::{Completeness, RemoteFile};
use super::location::After;
use super::name::RemoteName;

/// How many names are tried for a file that is moved to where its name is taken.
const MOST_NAMES: u32 = 1_000;

/// What became of a file at its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteArchival {
    /// Nothing: files of this source stay.
    Left,
    /// It has this name now, in the directory that files are moved to.
    Moved(RemoteName),
    Deleted,
    /// Nothing: it is not there any more. An earlier attempt archived it, or the acquirer did.
    Gone,
    /// Nothing: another file has its name by now, and is to be taken by the next run.
    Replaced,
}

/// A directory whose files can be moved and deleted. Errors are one line of text.
pub(super) trait SourceDirectory {
    fn path(&self) -> &Path;
    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, String>;
    fn is_there(&self, path: &Path) -> Result<bool, String>;
    /// Fails where there is a file at `to`.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String>;
    /// Succeeds where there is none.
    fn delete(&self, path: &Path) -> Result<(), String>;
}

/// Archives a file at its source.
pub(super) fn archive_remote(
    directory: &dyn SourceDirectory,
    file: &RemoteFile,
    after: &After,
    completeness: &Completeness,
) -> Result<RemoteArchival, SourceError> {
    if *after == After::Leave {
        return Ok(RemoteArchival::Left);
    }
    let attempt = || -> Result<RemoteArchival, String> {
        let found = directory.file_now(&file.name)?;
        if found.as_ref().is_some_and(|now| !file.is_unchanged(now)) {
            return Ok(RemoteArchival::Replaced);
        }
        // The marker goes first: left behind, it would make the next file of this name look
        // complete while it is being written.
        if let Completeness::Marker { suffix } = completeness {
            let marker = file.name.with_suffix(suffix);
            directory.delete(&marker.within(directory.path()))?;
        }
        match after {
            _ if found.is_none() => Ok(RemoteArchival::Gone),
            After::Leave => Ok(RemoteArchival::Left),
            After::Move(to) => move_to(directory, &file.name, to),
            After::Delete => {
                directory.delete(&file.name.within(directory.path()))?;
                Ok(RemoteArchival::Deleted)
            }
        }
    };
    attempt().map_err(|why| SourceError::NotArchivedRemotely {
        name: file.name.clone(),
        why,
    })
}

/// Moves a file, under its name or, where that is taken, with a number after it.
fn move_to(
    directory: &dyn SourceDirectory,
    name: &RemoteName,
    to: &Path,
) -> Result<RemoteArchival, String> {
    let folder = directory.path().join(to);
    if !directory.is_there(&folder)? {
        return Err(format!(
            "the directory {:?} (move_to) does not exist",
            folder.display()
        ));
    }
    let from = name.within(directory.path());
    for number in 1..=MOST_NAMES {
        let target = match number {
            1 => name.clone(),
            _ => name.with_suffix(&format!(".{number}")),
        };
        let path = target.within(&folder);
        if directory.is_there(&path)? {
            continue;
        }
        match directory.rename(&from, &path) {
            Ok(()) => return Ok(RemoteArchival::Moved(target)),
            // Somebody else was faster with the name.
            Err(_) if directory.is_there(&path).unwrap_or(false) => {}
            Err(why) => return Err(why),
        }
    }
    Err(format!(
        "{MOST_NAMES} files with its name are there already"
    ))
}
