//! Causes for which the bucket does not take archives and reports.

use super::{Area, Description};

fn unavailable(headline: String, to_do: &'static [&'static str]) -> Description {
    Description::new(
        Area::Bucket,
        headline,
        "Returns are still applied to both databases. Raw files and CSV reports wait until the \
         bucket is available. No file is deleted here before it is archived.",
        to_do,
    )
}

const CHECK_ACCESS_KEY: &[&str] =
    &["Check whether the access key was rotated or deleted, and configure the new one."];

pub(super) fn key_id_unknown(bucket: &str) -> Description {
    unavailable(
        format!(
            "The access key id for the bucket {bucket:?} is wrong: its server does not know it."
        ),
        CHECK_ACCESS_KEY,
    )
}

pub(super) fn secret_wrong(bucket: &str) -> Description {
    unavailable(
        format!(
            "The secret access key for the bucket {bucket:?} is wrong: the signature does not \
             match."
        ),
        CHECK_ACCESS_KEY,
    )
}

pub(super) fn token_expired(bucket: &str) -> Description {
    unavailable(
        format!("The session token for the bucket {bucket:?} has expired."),
        &["Get a new session token, or use a key that needs none."],
    )
}

pub(super) fn missing(bucket: &str) -> Description {
    unavailable(
        format!("There is no bucket named {bucket:?}."),
        &[
            "Compare bucket, region and endpoint with the configuration.",
            "If the bucket is gone, create it.",
        ],
    )
}

pub(super) fn forbidden(bucket: &str, action: &str) -> Description {
    unavailable(
        format!(
            "Our access key is valid, but may not {action} in the bucket {bucket:?} (forbidden)."
        ),
        &["Grant the key the rights to list, get, put and delete objects in this bucket."],
    )
    .explained_by(&[Area::Clock])
}

pub(super) fn unreachable(endpoint: &str, why: &str) -> Description {
    unavailable(
        format!("The bucket's server {endpoint} cannot be reached: {why}."),
        &["Check the endpoint's name, the network and the provider's status page."],
    )
}

pub(super) fn failed(bucket: &str, action: &str, why: &str) -> Description {
    unavailable(
        format!("The bucket {bucket:?} did not {action}: {why}."),
        &["Check the provider's status page and its log."],
    )
    .explained_by(&[Area::Clock, Area::Bucket])
}

pub(super) fn report_wrong(key: &str, what: &str) -> Description {
    unavailable(
        format!("The CSV report {key:?} in the bucket differs from what was written: {what}."),
        &[
            "Do not use that report. It is written again under a new key automatically.",
            "Check who else writes to the bucket.",
        ],
    )
}
