//! Diagnosis: what is available and what is not. Each check is timed and says what it saw. Nothing is
//! changed but a marker in the bucket, which is deleted again.

mod examiner;
mod machine;
mod probe;
mod stake;
mod store;

use returns_model::check::Check;
use returns_model::incident::{Area, Cause, WrongClock};

pub use examiner::{Examiner, SourceCheck};
pub use machine::disk;
pub use probe::{PATIENCE, Probe, timed};

/// The likely cause among failed checks: what the others depend on comes first.
pub fn likely<'a>(checks: &[&'a Check]) -> Option<&'a Cause> {
    const ORDER: [Area; 13] = [
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
        Area::Stream,
    ];
    // A clock that is wrong elsewhere is told when there is nothing else.
    let mut failures = checks.iter().filter_map(|check| check.failure());
    first_of(&ORDER, checks).or_else(|| failures.next())
}

/// A likelier cause than the observed one, which may only be a consequence of it.
pub fn likelier<'a>(observed: &Cause, checks: &[&'a Check]) -> Option<&'a Cause> {
    first_of(observed.describe().explained_by, checks)
}

/// Whether a failed check can be the reason of other failures. Somebody else's wrong clock is none.
fn explains(cause: &Cause) -> bool {
    let whose = WrongClock::Theirs;
    !matches!(cause, Cause::ClockWrong { whose: wrong, .. } if *wrong == whose)
}

/// The first failure of the first area that has one.
fn first_of<'a>(areas: &[Area], checks: &[&'a Check]) -> Option<&'a Cause> {
    areas.iter().find_map(|area| {
        let mut failures = checks.iter().filter_map(|check| check.failure());
        failures.find(|cause| cause.area() == *area && explains(cause))
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
    fn our_wrong_clock_may_be_why_a_file_is_missing_and_anothers_is_not() {
        let missing = Cause::FileMissing {
            directory: "/out".into(),
            pattern: "*".into(),
            due: None,
            others: Some(0),
        };
        for (whose, is_why) in [(WrongClock::Ours, true), (WrongClock::Theirs, false)] {
            let clock = Cause::ClockWrong {
                whose,
                by_seconds: 95,
                against: "x".into(),
            };
            let checks = [failed(clock.clone())];
            let why = likelier(&missing, &checks.each_ref());
            assert_eq!(why, is_why.then_some(&clock));
            assert_eq!(likely(&checks.each_ref()), Some(&clock));
        }
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
