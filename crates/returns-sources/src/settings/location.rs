//! Where a source's files are picked up: `[sources.NAME.sftp]` or `[sources.NAME.folder]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use echeck_service::config::Section;
use glob::Pattern;

use crate::listing::Completeness;
use crate::location::{After, LocationKind, RemoteLocation};
use crate::unwrap::pgp::PgpKey;

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// Reads the location of a source; `None` when it has none, or after a fault.
pub(super) fn read(source: &Section<'_>) -> Option<RemoteLocation> {
    match (source.has("sftp"), source.has("folder")) {
        (false, false) => None,
        (true, true) => {
            source.fault("sftp", "is set together with folder; keep one of the two");
            // What is in them is looked at too, so that all faults are told at once.
            sftp(&source.section("sftp"));
            folder(&source.section("folder"));
            None
        }
        (true, false) => sftp(&source.section("sftp")),
        (false, true) => folder(&source.section("folder")),
    }
}

fn sftp(section: &Section<'_>) -> Option<RemoteLocation> {
    let place = super::sftp::read(section);
    common(section, place.map(|place| LocationKind::Sftp(place.into())))
}

fn folder(section: &Section<'_>) -> Option<RemoteLocation> {
    common(section, Some(LocationKind::Folder))
}

/// What both kinds of place have.
fn common(section: &Section<'_>, place: Option<LocationKind>) -> Option<RemoteLocation> {
    let directory = section.string("directory");
    let pattern = pattern(section);
    let completeness = completeness(section);
    let after = after(section, &directory);
    let retention_days = section.has("retention_days").then(|| {
        let days = section.u64_or("retention_days", 30, 1..=3_650);
        u32::try_from(days).unwrap_or(u32::MAX)
    });
    let pgp = PgpKey::read(section);
    Some(RemoteLocation {
        place: place?,
        directory,
        pattern: pattern?,
        completeness,
        after: after?,
        retention_days,
        pgp,
    })
}

fn pattern(section: &Section<'_>) -> Option<Pattern> {
    let text = section.string_or("pattern", "*");
    if text.contains('/') {
        section.fault(
            "pattern",
            "is for names; the directory has a key of its own",
        );
        return None;
    }
    Pattern::new(&text)
        .map_err(|error| section.fault("pattern", format!("{text:?} is no pattern: {error}")))
        .ok()
}

#[derive(Clone, Copy)]
enum By {
    Stable,
    Marker,
    Rename,
}

fn completeness(section: &Section<'_>) -> Completeness {
    let choices = [
        ("stable", By::Stable),
        ("marker", By::Marker),
        ("rename", By::Rename),
    ];
    // It may stay in the file while another way is tried.
    let settle = section.duration_ms_or("settle_ms", 10_000, 10..=DAY_MS);
    match section.one_of("complete", &choices, Some(By::Stable)) {
        By::Stable => Completeness::Stable { settle },
        By::Marker => Completeness::Marker {
            suffix: section.string("marker_suffix"),
        },
        By::Rename => Completeness::Rename,
    }
}

#[derive(Clone, Copy)]
enum Then {
    Leave,
    Move,
    Delete,
}

fn after(section: &Section<'_>, directory: &str) -> Option<After> {
    let choices = [
        ("leave", Then::Leave),
        ("move", Then::Move),
        ("delete", Then::Delete),
    ];
    match section.one_of("after", &choices, Some(Then::Leave)) {
        Then::Leave => Some(After::Leave),
        Then::Delete => Some(After::Delete),
        Then::Move => {
            let to = PathBuf::from(section.string("move_to"));
            let target = PathBuf::from(directory).join(&to);
            // Comparing paths forgives a slash at the end.
            if target == Path::new(directory) {
                section.fault("move_to", "must be another directory than the source's own");
                return None;
            }
            Some(After::Move(to))
        }
    }
}

/// A time-out: from 10 ms, for tests, to a day.
pub(super) fn time_out(section: &Section<'_>, key: &str, default_ms: u64) -> Duration {
    section.duration_ms_or(key, default_ms, 10..=DAY_MS)
}
