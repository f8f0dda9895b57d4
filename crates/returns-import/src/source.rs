//! Sources: what return files belong to. A source binds a name to a format, to the rules by which
//! its entries are matched to transfers, and to what is normal for it.

mod settings;

use ach::decision::MatchRule;
use ach::dishonor::Originator;
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
    /// What its entries are for.
    pub role: Role,
    /// Whether its originator marks every further presentment of a debit by the rules, so that one
    /// without the mark was the first.
    pub is_conforming: bool,
}

/// What the entries of a source are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// They say what happened to payments.
    Decide,
    /// They are compared with what other files said, and change nothing.
    TieOut,
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
    /// Our side of its files.
    pub fn originator(&self) -> Originator<'_> {
        Originator {
            odfi_routing: &self.ours.odfi_routing,
            company_ids: &self.ours.company_ids,
            rules: &self.rules,
        }
    }

    /// The format's name, for people.
    pub fn format_name(&self) -> &str {
        match &self.format {
            Format::Nacha(_) => "nacha",
            Format::Delimited(profile) => &profile.name,
            Format::Iso20022(_) => "iso20022",
            Format::X12(_) => "x12",
            Format::Bai2(_) => "bai2",
        }
    }
}
