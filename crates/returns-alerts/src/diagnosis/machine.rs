//! This machine: room on the disk of the spool.

use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echeck_service::room::Room;
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;
use tokio::time::Instant;

use crate::diagnosis::probe::{PATIENCE, timed};

/// What is written to see whether anything can be.
const PROBE_BYTES: usize = 4 << 10;

/// Checks how much room there is where received files are stored, and writes a file there.
pub async fn disk(folder: &Path) -> Check {
    let path = folder.to_owned();
    timed("disk space", folder.display().to_string(), async move {
        let silent = |waited: Duration| {
            CheckResult::Failed(Cause::SpoolFailed {
                path: path.display().to_string(),
                why: format!("its disk has not answered for {} ms", waited.as_millis()),
            })
        };
        // Each look that hangs keeps a thread, of which there are only so many.
        if let Some(waited) = Looking::hanging(&path) {
            return silent(waited);
        }
        let asked = path.clone();
        let looking = Looking::begin(&path);
        let looking = tokio::task::spawn_blocking(move || {
            let _looking = looking;
            let room = Room::of(&asked)?;
            if room.fits(0) {
                write(&asked)?;
            }
            Ok::<Room, io::Error>(room)
        });
        let looked = tokio::time::timeout(PATIENCE, looking).await;
        let failed = |why: String| {
            CheckResult::Failed(Cause::SpoolFailed {
                path: path.display().to_string(),
                why,
            })
        };
        match looked {
            Ok(Ok(Ok(room))) => judge(&path, room),
            Ok(Ok(Err(error))) if is_full(&error) => CheckResult::Failed(Cause::DiskFull {
                path: path.display().to_string(),
            }),
            Ok(Ok(Err(error))) => failed(error.to_string()),
            Ok(Err(error)) => failed(error.to_string()),
            Err(_) => silent(PATIENCE),
        }
    })
    .await
}

/// The looks at disks that have not come to an end.
static LOOKS: Mutex<Vec<(u64, PathBuf, Instant)>> = Mutex::new(Vec::new());

/// A look at a disk, until it ends.
struct Looking(u64);

impl Looking {
    fn begin(folder: &Path) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        looks().push((number, folder.to_owned(), Instant::now()));
        Self(number)
    }

    /// For how long a look at the disk of `folder` has hung, if one does.
    fn hanging(folder: &Path) -> Option<Duration> {
        let looks = looks();
        let of_folder = looks.iter().filter(|(_, other, _)| other == folder);
        let longest = of_folder.map(|(_, _, since)| since.elapsed()).max()?;
        (longest >= PATIENCE).then_some(longest)
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        looks().retain(|(number, _, _)| *number != self.0);
    }
}

fn looks() -> MutexGuard<'static, Vec<(u64, PathBuf, Instant)>> {
    LOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a file as a received one is written, and deletes it.
fn write(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".probe-")
        .tempfile_in(folder)?;
    file.write_all(&[0; PROBE_BYTES])?;
    file.as_file().sync_all()?;
    file.close()
}

/// The disk may be full, or what the user may have on it.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

fn judge(path: &Path, room: Room) -> CheckResult {
    let shown = path.display();
    if !room.fits(0) {
        let path = format!("{shown} ({room})");
        return CheckResult::Failed(Cause::DiskFull { path });
    }
    if room.is_low() {
        return CheckResult::Failed(Cause::DiskLow {
            path: shown.to_string(),
            room: room.to_string(),
        });
    }
    CheckResult::Passed(room.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_with_room_passes_and_one_that_is_gone_fails_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert!(disk(folder.path()).await.failure().is_none());
        let gone = folder.path().join("gone");
        let check = disk(&gone).await;
        assert!(
            matches!(check.failure(), Some(Cause::SpoolFailed { path, .. }) if path.ends_with("gone"))
        );
    }

    #[tokio::test]
    async fn a_probe_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(disk(folder.path()).await.failure().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_disk_that_hangs_is_told_and_costs_one_thread() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = Looking(u64::MAX);
        let long_ago = Instant::now().checked_sub(PATIENCE).unwrap();
        looks().push((u64::MAX, folder.path().to_owned(), long_ago));
        let check = disk(folder.path()).await;
        assert!(
            matches!(check.failure(), Some(Cause::SpoolFailed { why, .. }) if why.contains("has not answered"))
        );
        drop(hanging);
        assert!(disk(folder.path()).await.failure().is_none());
    }

    #[test]
    fn a_disk_without_room_is_full_and_one_with_little_is_low() {
        let found = |free_bytes| {
            let room = Room {
                free_bytes,
                of_bytes: 1 << 40,
                free_files: None,
            };
            judge(Path::new("/spool"), room)
        };
        let full = found(1 << 10);
        assert!(matches!(full, CheckResult::Failed(Cause::DiskFull { .. })));
        let low = found(1 << 20);
        assert!(matches!(low, CheckResult::Failed(Cause::DiskLow { .. })));
        assert!(matches!(found(1 << 39), CheckResult::Passed(_)));
    }
}
