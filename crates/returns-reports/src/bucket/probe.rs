//! Whether the bucket does all that is asked of it: a marker is put, read and deleted under a
//! key of its own.

use std::time::Duration;

use async_trait::async_trait;
use returns_alerts::diagnosis::Probe;
use returns_alerts::{ClockReading, ClockReference};
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;
use tokio::time::Instant;

use super::Bucket;
use super::error::BucketError;
use super::transfer::Digest;

/// How long all checks together may take.
const LONGEST: Duration = Duration::from_secs(4);

/// How often it is asked for its time.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// What is looked at, in order.
const NAMES: [&str; 4] = [
    "bucket: list",
    "bucket: put",
    "bucket: get",
    "bucket: delete",
];

/// Checks the bucket for the diagnosis.
pub struct BucketProbe(pub Bucket);

#[async_trait]
impl Probe for BucketProbe {
    fn source(&self) -> Option<&str> {
        None
    }

    async fn checks(&self) -> Vec<Check> {
        probe(&self.0, uuid::Uuid::new_v4()).await
    }
}

/// The clock of the bucket's server, which tells its time with each answer.
pub struct BucketClock(pub Bucket);

#[async_trait]
impl ClockReference for BucketClock {
    async fn read(&self) -> Vec<ClockReading> {
        if !self.0.told.is_newer_than(ASKED_EVERY) {
            // Whatever it answers.
            let _ = self.0.list_some().await;
        }
        let told = self.0.told.now();
        let reading = told.map(|at| ClockReading {
            name: "the bucket".to_owned(),
            at,
            is_this_machine: self.0.is_this_machine(),
        });
        reading.into_iter().collect()
    }
}

/// Lists, puts, gets and deletes, each timed; what comes after a failure is skipped, but a
/// marker that was put is always deleted again. `nonce` keeps two probes apart.
pub(super) async fn probe(bucket: &Bucket, nonce: uuid::Uuid) -> Vec<Check> {
    let until = Instant::now() + LONGEST;
    let key = format!(".echeck-probe/{}", nonce.simple());
    let marker = format!("echeck-returns checked this bucket ({nonce})");
    let digest = Digest::of(marker.as_bytes());
    let mut checks = Vec::with_capacity(NAMES.len());

    let listed = timed(bucket, NAMES[0], until, async {
        bucket.list_some().await.map(|_| "listed".to_owned())
    });
    checks.push(listed.await);
    let put = timed(bucket, NAMES[1], until, async {
        bucket.put_bytes(&key, marker.as_bytes()).await?;
        Ok(format!("put {} bytes", digest.size_bytes))
    });
    let (put, there) = if is_of_the_whole(&checks) {
        (skipped(bucket, NAMES[1]), false)
    } else {
        let put = put.await;
        let there = matches!(put.result, CheckResult::Passed(_));
        (put, there)
    };
    checks.push(put);
    if there {
        let got = timed(bucket, NAMES[2], until, async {
            bucket.verify(&key, &digest).await?;
            Ok("read back as it was written".to_owned())
        });
        checks.push(got.await);
        let place = bucket.path(&key);
        let deleted = timed(bucket, NAMES[3], until, async {
            bucket.delete(&place).await?;
            Ok("deleted".to_owned())
        });
        checks.push(deleted.await);
    } else {
        checks.extend(NAMES[2..].iter().map(|name| skipped(bucket, name)));
    }
    checks
}

/// Whether a check failed for a reason that every other has too: another error would only
/// hide it. A key that may not list may still put.
fn is_of_the_whole(checks: &[Check]) -> bool {
    checks.iter().any(|check| match &check.result {
        CheckResult::Failed(cause) => !matches!(cause, Cause::BucketForbidden { .. }),
        CheckResult::Passed(_) | CheckResult::Skipped(_) => false,
    })
}

async fn timed(
    bucket: &Bucket,
    name: &'static str,
    until: Instant,
    work: impl Future<Output = Result<String, BucketError>>,
) -> Check {
    let begun = Instant::now();
    let worked = tokio::time::timeout_at(until, work).await;
    let outcome = worked.unwrap_or_else(|_| Err(bucket.silent(LONGEST)));
    Check {
        name,
        of: bucket.name().to_owned(),
        result: match outcome {
            Ok(seen) => CheckResult::Passed(seen),
            Err(error) => CheckResult::Failed(error.cause()),
        },
        took: begun.elapsed(),
    }
}

fn skipped(bucket: &Bucket, name: &'static str) -> Check {
    Check {
        name,
        of: bucket.name().to_owned(),
        result: CheckResult::Skipped("because of what failed before".to_owned()),
        took: Duration::ZERO,
    }
}
