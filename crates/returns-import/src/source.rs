//! Sources: what return files belong to. A source binds a name to a format, to the rules by which
//! its entries are matched to transfers, and to what is normal for it.

mod settings;

use ach::decision::MatchRule;
use ach::format::{Emptiness, Format};

pub use settings::read;

/// A configured source.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub format: Format,
    /// Which id of an entry is which id of a transfer, in order.
    pub rules: Vec<MatchRule>,
    /// Who we are to those who send its files.
    pub ours: Ours,
    /// The ways in which a file may be empty and still be right.
    pub allow_empty: Vec<Emptiness>,
}

/// Our side of a source's files, as far as it is configured. Returns are checked against it.
#[derive(Debug, Clone, Default)]
pub struct Ours {
    /// The routing numbers of our bank, the first eight digits of each.
    pub odfi_routing: Vec<String>,
    /// The company identifications under which we send.
    pub company_ids: Vec<String>,
}

impl Source {
    /// The format's name, for people.
    pub fn format_name(&self) -> &str {
        match &self.format {
            Format::Nacha(_) => "nacha",
            Format::Delimited(profile) => &profile.name,
        }
    }
}
