//! Sources: where return files belong to. A source binds a name to a format, to the rules
//! by which its entries are matched to transfers, and to what is normal for it.

mod settings;

use ach::decision::MatchRule;
use ach::format::{Emptiness, Format};

pub(crate) use settings::read;

/// A configured source.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// Which id of an entry is which id of a transfer, in order.
    pub(crate) rules: Vec<MatchRule>,
    /// The ways in which a file may be empty and still be right.
    pub(crate) allow_empty: Vec<Emptiness>,
}

impl Source {
    /// The format's name, for people.
    pub(crate) fn format_name(&self) -> &str {
        match &self.format {
            Format::Nacha(_) => "nacha",
            Format::Delimited(profile) => &profile.name,
        }
    }
}
