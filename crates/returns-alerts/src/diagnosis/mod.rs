//! Diagnosis: what is available and what is not. Each check is timed and says what it saw. Nothing is
//! changed but a marker in the bucket, which is deleted again.

mod examiner;
mod machine;
mod probe;
mod stake;
mod store;

use returns_model::check::Check;
use returns_model::incident::{Area, Cause};

pub use examiner::{Examiner, SourceCheck};
pub use probe::{PATIENCE, Probe, timed};

/// The likely cause among failed checks: what the others depend on comes first.
pub fn likely<'a>(checks: &[&'a Check]) -> Option<&'a Cause> {
    const ORDER: [Area; 12] = [
        Area::Disk,
        Area::Store,
        Area::Reach,
        Area::Clock,
        Area::Presence,
        Area::Content,
        Area::Target,
        Area::Refusal,
        Area::Import,
        Area::Bucket,
        Area::Alerting,
        Area::Webhook,
    ];
    first_of(&ORDER, checks)
}

/// A likelier cause than the observed one, which may only be a consequence of it.
pub fn likelier<'a>(observed: &Cause, checks: &[&'a Check]) -> Option<&'a Cause> {
    first_of(observed.describe().explained_by, checks)
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
    fn a_failed_write_is_explained_by_the_full_disk_behind_it_and_a_clear_cause_as_itself() {
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
