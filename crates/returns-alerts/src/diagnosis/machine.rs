//! This machine: room on the disk of the spool.

use std::path::Path;

use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;

use crate::diagnosis::probe::timed;

/// With less room than this the disk counts as full: the next file may not fit.
const LEAST_FREE_BYTES: u64 = 64 << 20;

/// Checks how much room there is where received files are stored.
pub(super) async fn disk(folder: &Path) -> Check {
    let path = folder.to_owned();
    timed("disk space", folder.display().to_string(), async move {
        let asked = path.clone();
        let stat = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&asked)).await;
        let failed = |why: String| {
            CheckResult::Failed(Cause::SpoolFailed {
                path: path.display().to_string(),
                why,
            })
        };
        match stat {
            Ok(Ok(stat)) => room(
                &path,
                stat.f_frsize.saturating_mul(stat.f_bavail),
                stat.f_frsize.saturating_mul(stat.f_blocks),
            ),
            Ok(Err(error)) => failed(error.to_string()),
            Err(error) => failed(error.to_string()),
        }
    })
    .await
}

fn room(path: &Path, free_bytes: u64, of_bytes: u64) -> CheckResult {
    if free_bytes < LEAST_FREE_BYTES {
        return CheckResult::Failed(Cause::DiskFull {
            path: format!("{} ({} KiB free)", path.display(), free_bytes >> 10),
        });
    }
    CheckResult::Passed(format!(
        "{} MiB of {} MiB free",
        free_bytes >> 20,
        of_bytes >> 20
    ))
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

    #[test]
    fn a_disk_with_less_than_the_least_room_is_full() {
        let path = Path::new("/spool");
        let result = room(path, LEAST_FREE_BYTES - 1, 1 << 40);
        assert!(matches!(
            result,
            CheckResult::Failed(Cause::DiskFull { .. })
        ));
        assert!(matches!(
            room(path, LEAST_FREE_BYTES, 1 << 40),
            CheckResult::Passed(_)
        ));
    }
}
