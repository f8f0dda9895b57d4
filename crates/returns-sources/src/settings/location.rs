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
pub(super) fn read(name: &str, source: &Section<'_>) -> Option<RemoteLocation> {
    match (source.has("sftp"), source.has("folder")) {
        (false, false) => None,
        (true, true) => {
            source.fault("sftp", "is set together with folder; keep one of the two");
            // What is in them is checked too, so that all faults are reported together.
            sftp(name, &source.section("sftp"));
            folder(name, &source.section("folder"));
            None
        }
        (true, false) => sftp(name, &source.section("sftp")),
        (false, true) => folder(name, &source.section("folder")),
    }
}

fn sftp(name: &str, section: &Section<'_>) -> Option<RemoteLocation> {
    let server = super::sftp::read(section);
    common(
        name,
        section,
        server.map(|server| LocationKind::Sftp(server.into())),
    )
}

fn folder(name: &str, section: &Section<'_>) -> Option<RemoteLocation> {
    common(name, section, Some(LocationKind::Folder))
}

/// What both kinds of location have.
fn common(name: &str, section: &Section<'_>, kind: Option<LocationKind>) -> Option<RemoteLocation> {
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
        source: name.to_owned(),
        kind: kind?,
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
    let fault = |error| format!("{text:?} is not a valid pattern: {error}");
    let pattern = Pattern::new(&text);
    pattern
        .map_err(|error| section.fault("pattern", fault(error)))
        .ok()
}

fn completeness(section: &Section<'_>) -> Completeness {
    // It may stay in the file while another way is tried.
    let settle = section.duration_ms_or("settle_ms", 5_000, 10..=DAY_MS);
    let choices = [
        ("stable", CompleteWhen::Stable),
        ("marker", CompleteWhen::Marker),
        ("rename", CompleteWhen::Rename),
    ];
    match section.one_of("complete", &choices, Some(CompleteWhen::Stable)) {
        CompleteWhen::Stable => Completeness::Stable { settle },
        CompleteWhen::Marker => Completeness::Marker {
            suffix: section.string("marker_suffix"),
        },
        CompleteWhen::Rename => Completeness::Rename,
    }
}

/// The words of `complete`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CompleteWhen {
    Stable,
    Marker,
    Rename,
}

/// The words of `after`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterWord {
    Leave,
    Move,
    Delete,
}

fn after(section: &Section<'_>, directory: &str) -> Option<After> {
    let choices = [
        ("leave", AfterWord::Leave),
        ("move", AfterWord::Move),
        ("delete", AfterWord::Delete),
    ];
    match section.one_of("after", &choices, Some(AfterWord::Leave)) {
        AfterWord::Leave => Some(After::Leave),
        AfterWord::Delete => Some(After::Delete),
        AfterWord::Move => {
            let to = PathBuf::from(section.string("move_to"));
            // Comparing paths forgives a slash at the end.
            if Path::new(directory).join(&to) == Path::new(directory) {
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
