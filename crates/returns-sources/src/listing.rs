//! What is in the directory, and what of it is a file to take. Pure: the lists are handed in.

use chrono::{DateTime, Utc};
use glob::{MatchOptions, Pattern};

use super::name::RemoteName;

/// One entry of the directory, as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteEntry {
    pub(crate) name: RemoteName,
    pub(crate) kind: RemoteEntryKind,
    pub(crate) size_bytes: u64,
    /// `None` where the server does not say.
    pub(crate) modified_at: Option<DateTime<Utc>>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemoteEntryKind {
    File,
    Folder,
    Link,
    /// A pipe, a socket, a device, or a file whose size the server does not say.
    Other,
}

/// A file that matches, as it was when it was last listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub(crate) name: RemoteName,
    pub(crate) size_bytes: u64,
    /// `None` where the server does not say.
    pub(crate) modified_at: Option<DateTime<Utc>>,
}

/// By what a file is known to be complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// Size and time are the same in two lists, this long apart.
    Stable { settle: std::time::Duration },
    /// Another file, whose name is this one's with the suffix, is there.
    Marker { suffix: String },
    /// The sender renames a file when it is complete: a name that matches is enough.
    Rename,
}

/// An entry that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftAlone {
    pub(crate) name: RemoteName,
    pub(crate) why: &'static str,
}

/// A file that is not complete yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Growing {
    pub(crate) name: RemoteName,
    pub(crate) from_bytes: u64,
    pub(crate) to_bytes: u64,
}

/// The entries of one list, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SortedEntries {
    /// Files that match and have bytes, by name.
    pub(crate) candidates: Vec<RemoteFile>,
    /// Files that match and have no bytes. They may still grow, so they are never archived.
    pub(crate) empty: Vec<RemoteFile>,
    /// Files that match, and whose marker is not there.
    pub(crate) unmarked: Vec<RemoteFile>,
    pub(crate) left_alone: Vec<LeftAlone>,
}

/// What is there to be taken, after as many lists as it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Complete files, the oldest first, so that files are imported as they were made.
    pub(crate) complete: Vec<RemoteFile>,
    /// Files without bytes that did not grow while they were looked at. Whether that is right
    /// is for the source's `allow_empty` to say.
    pub(crate) empty: Vec<RemoteFile>,
    pub(crate) growing: Vec<Growing>,
    /// Files whose marker is not there yet.
    pub(crate) unmarked: Vec<RemoteFile>,
    pub(crate) left_alone: Vec<LeftAlone>,
}

impl From<RemoteEntry> for RemoteFile {
    fn from(entry: RemoteEntry) -> Self {
        Self {
            name: entry.name,
            size_bytes: entry.size_bytes,
            modified_at: entry.modified_at,
        }
    }
}

impl RemoteFile {
    /// Whether the file is still as it was.
    pub(super) fn is_unchanged(&self, now: &RemoteFile) -> bool {
        self.size_bytes == now.size_bytes && self.modified_at == now.modified_at
    }
}

impl SortedEntries {
    fn matching(&self) -> impl Iterator<Item = &RemoteFile> {
        self.candidates
            .iter()
            .chain(&self.empty)
            .chain(&self.unmarked)
    }

    /// The newest of the files that match.
    pub(super) fn newest(&self) -> Option<&RemoteFile> {
        self.matching()
            .max_by_key(|file| (file.modified_at, file.name.clone()))
    }

    /// How many files match.
    pub(super) fn matches(&self) -> usize {
        self.matching().count()
    }
}

/// Sorts the entries of a directory.
pub(crate) fn sort_out(
    entries: Vec<RemoteEntry>,
    pattern: &Pattern,
    completeness: &Completeness,
) -> SortedEntries {
    let suffix = match completeness {
        Completeness::Marker { suffix } => Some(suffix.as_str()),
        Completeness::Stable { .. } | Completeness::Rename => None,
    };
    let names: std::collections::HashSet<RemoteName> =
        entries.iter().map(|entry| entry.name.clone()).collect();
    let mut sorted = SortedEntries::default();
    for entry in entries {
        if let Some(why) = left_alone(&entry, pattern, suffix) {
            let name = entry.name;
            sorted.left_alone.push(LeftAlone { name, why });
            continue;
        }
        let marked = suffix.is_none_or(|suffix| names.contains(&entry.name.with_suffix(suffix)));
        let pile = match (marked, entry.size_bytes) {
            (false, _) => &mut sorted.unmarked,
            (true, 0) => &mut sorted.empty,
            (true, _) => &mut sorted.candidates,
        };
        pile.push(entry.into());
    }
    for pile in [
        &mut sorted.candidates,
        &mut sorted.empty,
        &mut sorted.unmarked,
    ] {
        pile.sort_by(|a, b| (a.modified_at, &a.name).cmp(&(b.modified_at, &b.name)));
    }
    sorted
}

/// Why an entry is not a file for us; `None` when it is one.
fn left_alone(
    entry: &RemoteEntry,
    pattern: &Pattern,
    marker: Option<&str>,
) -> Option<&'static str> {
    const UNFINISHED: [&str; 3] = [".tmp", ".filepart", ".part"];
    let name = &entry.name;
    match entry.kind {
        RemoteEntryKind::Folder => return Some("it is a folder"),
        RemoteEntryKind::Link => return Some("it is a symbolic link"),
        RemoteEntryKind::Other => return Some("it is not an ordinary file"),
        RemoteEntryKind::File => {}
    }
    if let Some(why) = name.hostile() {
        return Some(why);
    }
    if name.as_bytes().starts_with(b".") {
        return Some("it is hidden");
    }
    if UNFINISHED
        .iter()
        .any(|end| name.ends_with_ignoring_case(end))
    {
        return Some("its name says that it is unfinished");
    }
    if marker.is_some_and(|suffix| name.as_bytes().ends_with(suffix.as_bytes())) {
        return Some("it is a marker");
    }
    // A byte that is not UTF-8 is any one character to the pattern.
    let text = String::from_utf8_lossy(name.as_bytes());
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: false,
        require_literal_leading_dot: false,
    };
    if !pattern.matches_with(&text, options) {
        return Some("its name does not match the pattern");
    }
    None
}

/// Compares two lists of one directory: what is the same is complete. What is new in the
/// second, and was therefore seen once, waits for the next run.
pub(crate) fn compare(first: &SortedEntries, second: SortedEntries) -> Listing {
    let before: std::collections::HashMap<&RemoteName, &RemoteFile> =
        first.matching().map(|file| (&file.name, file)).collect();
    let mut listing = Listing {
        unmarked: second.unmarked,
        left_alone: second.left_alone,
        ..Listing::default()
    };
    for (pile, files) in [
        (&mut listing.complete, second.candidates),
        (&mut listing.empty, second.empty),
    ] {
        for file in files {
            match before.get(&file.name) {
                Some(earlier) if earlier.is_unchanged(&file) => pile.push(file),
                earlier => listing.growing.push(Growing {
                    from_bytes: earlier.map_or(0, |earlier| earlier.size_bytes),
                    to_bytes: file.size_bytes,
                    name: file.name,
                }),
            }
        }
    }
    listing
}

/// One list that is enough.
pub(crate) fn at_once(sorted: SortedEntries) -> Listing {
    Listing {
        complete: sorted.candidates,
        empty: sorted.empty,
        growing: Vec::new(),
        unmarked: sorted.unmarked,
        left_alone: sorted.left_alone,
    }
}

#[cfg(test)]
mod tests;
