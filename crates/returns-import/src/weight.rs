//! What an item weighs: about how many bytes are recorded of it, here and in the journal. A few
//! bytes of a file must not become many in the databases or in memory.

use ach::entry::FilePosition;
use ach::format::{FileRejected, Item};

/// The names, numbers and places around the texts of an item.
const AROUND: usize = 100;

/// How many times its size a file may weigh. Rows of real files, with the names of their columns,
/// weigh up to ten times theirs.
const MOST_TIMES: u64 = 32;

/// What every file may weigh.
const FREE: u64 = 1 << 20;

/// About how many bytes are recorded of an item.
pub(super) fn of(item: &Item) -> u64 {
    let texts = match item {
        Item::Rejected(rejected) => {
            rejected.why.len() + rejected.field.as_deref().map_or(0, str::len)
        }
        Item::Entry(entry) => entry
            .raw
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum(),
    };
    (texts + AROUND) as u64
}

/// The scales on which a file is put, item by item.
pub(super) struct Scales {
    limit: u64,
    weight: u64,
    rejected: u64,
    first: Option<(FilePosition, String)>,
}

impl Scales {
    /// The scales for a file of this size.
    pub(super) fn new(size_bytes: u64) -> Self {
        Self {
            limit: size_bytes.saturating_mul(MOST_TIMES).saturating_add(FREE),
            weight: 0,
            rejected: 0,
            first: None,
        }
    }

    /// Adds items; the file is rejected once it weighs too much.
    pub(super) fn add(&mut self, items: &[Item]) -> Option<FileRejected> {
        for item in items {
            self.weight += of(item);
            if let Item::Rejected(rejected) = item {
                self.rejected += 1;
                self.first
                    .get_or_insert_with(|| (rejected.at, rejected.why.clone()));
            }
        }
        (self.weight > self.limit).then(|| self.verdict())
    }

    fn verdict(&self) -> FileRejected {
        let too_much = format!(
            "what would be recorded of its rows is more than {MOST_TIMES} times the file, so this \
             is probably not a file of this format"
        );
        let (at, why) = match &self.first {
            Some((at, why)) => {
                let rows = self.rejected;
                let what = format!("{too_much}: {rows} rows cannot be read, the first since {why}");
                (Some(*at), what)
            }
            None => (None, format!("{too_much}; check its header")),
        };
        FileRejected {
            at,
            field: None,
            why,
            looks_like: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ach::format::Rejected;

    use super::*;

    fn bad_row(line: u64) -> Item {
        Item::Rejected(Rejected {
            at: FilePosition { line, byte: 0 },
            field: None,
            why: "it has 1 cell instead of 10".to_owned(),
            amount_minor: None,
        })
    }

    #[test]
    fn a_file_that_becomes_many_times_its_size_is_rejected_with_its_first_fault() {
        // Rows of two bytes.
        let rows: Vec<Item> = (1..=20_000).map(bad_row).collect();
        let why = Scales::new(40_000).add(&rows).unwrap();
        assert_eq!(why.at.unwrap().line, 1);
        assert!(why.why.contains("20000 rows cannot be read"), "{why}");
        assert!(why.why.ends_with("it has 1 cell instead of 10"), "{why}");
        // Rows of ten bytes, and few rows of any length.
        assert!(Scales::new(200_000).add(&rows).is_none());
        assert!(Scales::new(200).add(&rows[..100]).is_none());
    }
}
