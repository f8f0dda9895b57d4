//! Diagnosis: what works and what does not, each looked at by itself, timed, with what was
//! seen. It changes nothing but a marker in the bucket, which it deletes again.

mod examiner;
mod machine;
mod picture;
mod probe;
mod store;

use returns_model::check::Check;
use returns_model::incident::{Area, Cause};

pub use examiner::{Examiner, Found};
pub use probe::{PATIENCE, Probe, timed};

/// The likely cause among failed checks: what the others depend on comes first.
pub fn likely<'a>(checks: &[&'a Check]) -> Option<&'a Cause> {
    const ORDER: [Area; 11] = [
        Area::Disk,
        Area::Store,
        Area::Reach,
        Area::Presence,
        Area::Content,
        Area::Target,
        Area::Import,
        Area::Bucket,
        Area::Alerting,
        Area::Webhook,
        Area::Clock,
    ];
    first_of(&ORDER, checks)
}

/// A likelier cause than the one that was met: what was met may only be what follows from it.
pub fn likelier<'a>(met: &Cause, checks: &[&'a Check]) -> Option<&'a Cause> {
    let behind: &[Area] = match met {
        // A write that failed says little; a full disk says all.
        Cause::StoreUnreachable { .. } | Cause::SpoolFailed { .. } => &[Area::Disk],
        Cause::SourceFailed { .. } => &[Area::Disk, Area::Reach],
        Cause::TargetFailed { .. } | Cause::ImportStuck { .. } => {
            &[Area::Disk, Area::Store, Area::Target]
        }
        Cause::BucketFailed { .. } => &[Area::Bucket],
        Cause::HostNotFound { .. }
        | Cause::PortClosed { .. }
        | Cause::HostSilent { .. }
        | Cause::HandshakeFailed { .. }
        | Cause::HostKeyChanged { .. }
        | Cause::KeyRefused { .. }
        | Cause::PasswordRefused { .. }
        | Cause::PasswordExpired { .. }
        | Cause::CredentialUnusable { .. }
        | Cause::DirectoryMissing { .. }
        | Cause::DirectoryUnreadable { .. }
        | Cause::FileMissing { .. }
        | Cause::FileStale { .. }
        | Cause::FileGrowing { .. }
        | Cause::FileUnmarked { .. }
        | Cause::RunStillGoing { .. }
        | Cause::FileEmpty { .. }
        | Cause::FileRejected { .. }
        | Cause::WrongProfile { .. }
        | Cause::FileUnopenable { .. }
        | Cause::DownloadCut { .. }
        | Cause::DownloadSlow { .. }
        | Cause::NotArchivedRemotely { .. }
        | Cause::DiskFull { .. }
        | Cause::BucketKeyIdUnknown { .. }
        | Cause::BucketSecretWrong { .. }
        | Cause::BucketTokenExpired { .. }
        | Cause::BucketMissing { .. }
        | Cause::BucketForbidden { .. }
        | Cause::BucketUnreachable { .. }
        | Cause::ReportWrong { .. }
        | Cause::AdapterUnreachable { .. }
        | Cause::TargetReadOnly { .. }
        | Cause::DoesNotTieOut { .. }
        | Cause::ChannelFailed { .. }
        | Cause::WebhookDead { .. }
        | Cause::WebhookDisabled { .. }
        | Cause::WebhookStuck { .. }
        | Cause::ClockWrong { .. } => &[],
    };
    first_of(behind, checks)
}

/// The first failure of the first area that has one.
fn first_of<'a>(areas: &[Area], checks: &[&'a Check]) -> Option<&'a Cause> {
    areas.iter().find_map(|area| {
        let mut failures = checks.iter().filter_map(|check| check.failure());
        failures.find(|cause| cause.area() == *area)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use returns_model::check::CheckResult;

    use super::*;

    fn check(result: CheckResult) -> Check {
        Check {
            name: "a",
            of: "b".into(),
            result,
            took: Duration::ZERO,
        }
    }

    fn failed(cause: Cause) -> Check {
        check(CheckResult::Failed(cause))
    }

    fn disk() -> Cause {
        Cause::DiskFull {
            path: "/var".into(),
        }
    }

    fn bucket() -> Cause {
        Cause::BucketMissing {
            bucket: "reports".into(),
        }
    }

    #[test]
    fn what_others_depend_on_is_the_likely_cause() {
        let checks = [
            check(CheckResult::Passed("fine".into())),
            failed(bucket()),
            failed(disk()),
        ];
        assert_eq!(likely(&checks.each_ref()), Some(&disk()));
        assert_eq!(likely(&[&checks[0]]), None);
    }

    #[test]
    fn a_failed_write_is_told_as_the_full_disk_behind_it_and_a_clear_cause_as_itself() {
        let checks = [failed(bucket()), failed(disk())];
        let store = Cause::StoreUnreachable { why: "I/O".into() };
        assert_eq!(likelier(&store, &checks.each_ref()), Some(&disk()));
        let refused = Cause::KeyRefused {
            user: "ann".into(),
            host: "host".into(),
        };
        assert_eq!(likelier(&refused, &checks.each_ref()), None);
    }
}
