//! How much room a disk has: in bytes, and in files, since a disk can run out of either.

use std::fmt;
use std::io;
use std::path::Path;

/// With less room than this a disk counts as nearly full: the next file may not fit.
const LEAST_FREE_BYTES: u64 = 64 << 20;

/// The same, in files.
const LEAST_FREE_FILES: u64 = 1_000;

/// What a file takes beside its bytes: its header, its end, its entry in the folder.
const FILE_OVERHEAD: u64 = 64 << 10;

/// The room on a disk, for a user without privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many more bytes fit.
    pub free_bytes: u64,
    /// How many bytes there are in all.
    pub of_bytes: u64,
    /// How many more files fit; `None` where the file system has no limit of its own.
    pub free_files: Option<u64>,
}

impl Room {
    /// The room on the disk of `folder`. It blocks.
    ///
    /// # Errors
    /// When the folder is not there, or its disk does not answer.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(Self {
            free_bytes: stat.f_frsize.saturating_mul(stat.f_bavail),
            of_bytes: stat.f_frsize.saturating_mul(stat.f_blocks),
            free_files: (stat.f_files > 0).then_some(stat.f_favail),
        })
    }

    /// Whether the disk is nearly full.
    pub fn is_low(&self) -> bool {
        self.free_bytes < LEAST_FREE_BYTES
            || self.free_files.is_some_and(|free| free < LEAST_FREE_FILES)
    }

    /// Whether a file of this size fits.
    pub fn fits(&self, bytes: u64) -> bool {
        self.free_bytes >= bytes.saturating_add(FILE_OVERHEAD)
            && self.free_files.is_none_or(|free| free > 0)
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, of) = (self.free_bytes >> 20, self.of_bytes >> 20);
        write!(f, "{free} MiB of {of} MiB free")?;
        match self.free_files {
            Some(files) if files < LEAST_FREE_FILES => write!(f, ", for {files} more files"),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Room = Room {
        free_bytes: 1 << 40,
        of_bytes: 1 << 41,
        free_files: Some(1 << 20),
    };

    #[test]
    fn a_disk_is_low_and_full_in_bytes_or_in_files() {
        assert!(!ROOMY.is_low() && ROOMY.fits(1 << 39) && !ROOMY.fits(1 << 40));
        let without_limit = Room {
            free_files: None,
            ..ROOMY
        };
        assert!(!without_limit.is_low() && without_limit.fits(1));
        let few_bytes = Room {
            free_bytes: LEAST_FREE_BYTES - 1,
            ..ROOMY
        };
        assert!(few_bytes.is_low() && few_bytes.fits(1 << 20));
        let few_files = Room {
            free_files: Some(3),
            ..ROOMY
        };
        assert!(few_files.is_low() && few_files.fits(1 << 20));
        assert!(few_files.to_string().ends_with("free, for 3 more files"));
        let no_file = Room {
            free_files: Some(0),
            ..ROOMY
        };
        assert!(!no_file.fits(1));
    }

    #[test]
    fn the_room_of_a_folder_is_that_of_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Room::of(folder.path()).unwrap().of_bytes > 0);
        assert!(Room::of(&folder.path().join("gone")).is_err());
    }
}
