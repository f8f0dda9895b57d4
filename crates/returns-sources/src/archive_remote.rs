//! What becomes of a file at its source once its import is committed. Doing it twice is as
//! good as doing it once, nothing is ever overwritten, and a file that has changed since it was
//! taken stays where it is, since nobody has imported it.

use std::path::Path;

use super::error::SourceError;
use super::listing::{Completeness, RemoteFile};
use super::location::After;
use super::name::RemoteName;

/// How many names are tried for a file that is moved to where its name is taken.
const MOST_NAMES: u32 = 1_000;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutAway {
    /// Nothing: files of this source stay.
    Left,
    /// It has this name now, in the directory that files are moved to.
    Moved(RemoteName),
    Deleted,
    /// Nothing: it is not there any more. An earlier attempt put it away, or the acquirer did.
    Gone,
    /// Nothing: another file has its name by now, and is to be taken by the next run.
    Replaced,
}

/// A place in which files can be put away. Errors are one line of text.
pub(super) trait Shelf {
    fn directory(&self) -> &Path;
    fn file_now(&self, name: &RemoteName) -> Result<Option<RemoteFile>, String>;
    fn is_there(&self, path: &Path) -> Result<bool, String>;
    /// Fails where there is a file at `to`.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String>;
    /// Succeeds where there is none.
    fn delete(&self, path: &Path) -> Result<(), String>;
}

/// Puts a file away.
pub(super) fn archive_remote(
    shelf: &impl Shelf,
    file: &RemoteFile,
    after: &After,
    completeness: &Completeness,
) -> Result<PutAway, SourceError> {
    if *after == After::Leave {
        return Ok(PutAway::Left);
    }
    let attempt = || -> Result<PutAway, String> {
        match shelf.file_now(&file.name)? {
            Some(now) if !file.is_unchanged(&now) => return Ok(PutAway::Replaced),
            found => {
                // The marker goes first: left behind, it would make the next file of this name
                // look complete while it is being written.
                if let Completeness::Marker { suffix } = completeness {
                    let marker = file.name.with_suffix(suffix);
                    shelf.delete(&marker.within(shelf.directory()))?;
                }
                if found.is_none() {
                    return Ok(PutAway::Gone);
                }
            }
        }
        match after {
            After::Leave => Ok(PutAway::Left),
            After::Move(to) => move_to(shelf, &file.name, to),
            After::Delete => {
                shelf.delete(&file.name.within(shelf.directory()))?;
                Ok(PutAway::Deleted)
            }
        }
    };
    attempt().map_err(|why| SourceError::NotPutAway {
        name: file.name.clone(),
        why,
    })
}

/// Moves a file, under its name or, where that is taken, with a number after it.
fn move_to(shelf: &impl Shelf, name: &RemoteName, to: &Path) -> Result<PutAway, String> {
    let folder = shelf.directory().join(to);
    if !shelf.is_there(&folder)? {
        return Err(format!(
            "the directory {:?} (move_to) does not exist",
            folder.display()
        ));
    }
    let from = name.within(shelf.directory());
    for number in 1..=MOST_NAMES {
        let target = match number {
            1 => name.clone(),
            _ => name.with_suffix(&format!(".{number}")),
        };
        let path = target.within(&folder);
        if shelf.is_there(&path)? {
            continue;
        }
        match shelf.rename(&from, &path) {
            Ok(()) => return Ok(PutAway::Moved(target)),
            // Somebody else was faster with the name.
            Err(_) if shelf.is_there(&path)? => {}
            Err(why) => return Err(why),
        }
    }
    Err(format!(
        "{MOST_NAMES} files with its name are there already"
    ))
}
