//! Causes for which the acquirer's server lets us in, but does not do what we ask.

use super::connection::CANNOT_FETCH;
use super::{Area, Description};

const ASK_ABOUT_DIRECTORY: &[&str] =
    &["Ask the acquirer whether the directory or our rights on it have changed."];

const DOWNLOAD_DISCARDED: &str = "The part that arrived was discarded. Nothing was applied, and \
     the file at the acquirer is untouched.";

const RETRY_DOWNLOAD: &[&str] = &[
    "Wait for the next try.",
    "If it fails again, ask the acquirer about their server and its line.",
];

pub(super) fn directory_missing(directory: &str) -> Description {
    let headline = format!("The directory {directory:?} does not exist at the acquirer.");
    Description::new(Area::Reach, headline, CANNOT_FETCH, ASK_ABOUT_DIRECTORY)
}

pub(super) fn directory_unreadable(directory: &str, why: &str) -> Description {
    let headline = format!("The directory {directory:?} cannot be listed: {why}.");
    Description::new(Area::Reach, headline, CANNOT_FETCH, ASK_ABOUT_DIRECTORY)
}

pub(super) fn download_cut(name: &str, at_bytes: u64, of_bytes: u64) -> Description {
    let headline = format!(
        "The connection broke during the download of {name:?}, at {at_bytes} of {of_bytes} bytes."
    );
    Description::new(Area::Reach, headline, DOWNLOAD_DISCARDED, RETRY_DOWNLOAD)
}

pub(super) fn download_slow(name: &str, bytes_per_second: u64, least: u64) -> Description {
    let headline = format!(
        "The SFTP server is too slow: {name:?} arrived at {bytes_per_second} bytes a second; the \
         minimum is {least}."
    );
    Description::new(Area::Reach, headline, DOWNLOAD_DISCARDED, RETRY_DOWNLOAD)
}

pub(super) fn not_archived_remotely(name: &str, why: &str) -> Description {
    Description::new(
        Area::Reach,
        format!(
            "The file {name:?} was imported, but could not be archived at the acquirer: {why}."
        ),
        "Its returns are imported, and will not be imported twice: the next run recognizes the \
         file. It only takes up room at the acquirer.",
        &["Ask the acquirer for the right to move or delete files, or set after = \"leave\"."],
    )
}

pub(super) fn source_failed(what: &str, why: &str) -> Description {
    Description::new(
        Area::Reach,
        format!("The acquirer's server refused {what}: {why}."),
        CANNOT_FETCH,
        &["Ask the acquirer what their server's log says."],
    )
    .explained_by(&[Area::Disk, Area::Reach])
}
