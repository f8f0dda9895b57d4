//! Sources: where return files come from and belong to. A source binds a name to a format, to
//! the rules by which its entries are matched to transfers, to what is normal for it, and to
//! the place where its files are picked up.

mod error;
mod fetch;
mod folder;
mod listing;
mod name;
mod pickup;
mod probe;
mod put_away;
mod secret;
mod session;
mod settings;
mod sftp;
#[cfg(test)]
mod tests;
mod unwrap;

use ach::decision::MatchRule;
use ach::format::{Emptiness, Format};

pub(crate) use pickup::Pickup;
pub(crate) use settings::read;
pub(crate) use {
    error::SourceError,
    listing::{Completeness, Growing, RemoteFile, Stock},
    pickup::After,
    probe::probe,
    session::Session,
};

/// A configured source.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// Which id of an entry is which id of a transfer, in order.
    pub(crate) rules: Vec<MatchRule>,
    /// Who we are to those who send its files.
    pub(crate) ours: Ours,
    /// The ways in which a file may be empty and still be right.
    pub(crate) allow_empty: Vec<Emptiness>,
    /// Where its files are picked up; `None` when they are only ever handed in.
    pub(crate) pickup: Option<Pickup>,
}

/// Our side of a source's files, as far as it is configured. Returns are checked against it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ours {
    /// The routing numbers of our bank, the first eight digits of each.
    pub(crate) odfi_routing: Vec<String>,
    /// The company identifications under which we send.
    pub(crate) company_ids: Vec<String>,
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
