//! A first mapping for a database that nobody has mapped yet: what the tables and their rows look
//! like, and a configuration with everything that a person must look at.

mod survey;
mod words;

pub use survey::{SurveyedTable, Wanted, survey};
pub use words::{FoundWord, Meaning, SortedWords, found_words, shown};

use std::fmt::Write as _;

use crate::dialect::DbError;

/// What stands for a word of a key that only a person knows. No column of numbers takes it, and no row
/// has it.
pub fn unknown(key: &str) -> String {
    format!("?{key}")
}

/// Why nothing can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// No table looks like payments.
    #[error("no table has {0} by a name that is known; name it with --table. There are: {1}")]
    NoTable(String, String),
    /// There is none of this name.
    #[error("there is no table {0:?}; there are: {1}")]
    Unknown(String, String),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The table of this name, or else the one that has most of what is wanted.
///
/// # Errors
/// When there is none.
pub fn choose<'t>(
    tables: &'t [SurveyedTable],
    name: Option<&str>,
    wanted: &[Wanted],
) -> Result<&'t SurveyedTable, ProposalError> {
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let names = names.join(", ");
    let Some(name) = name else {
        let required = wanted.iter().filter(|wanted| wanted.required);
        let keys: Vec<&str> = required.map(|wanted| wanted.key).collect();
        let best = survey::best(tables, wanted);
        return best.ok_or_else(|| ProposalError::NoTable(keys.join(", "), names));
    };
    let found = tables.iter().find(|table| table.name.as_str() == name);
    found.ok_or_else(|| ProposalError::Unknown(name.to_owned(), names))
}

/// A configuration that is proposed.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    toml: String,
    section: String,
    doubts: Vec<Doubt>,
}

/// What a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The key, with its section.
    pub key: String,
    /// Why, and what to do.
    pub what: String,
}

impl Proposal {
    /// Continues with another section.
    pub fn section(&mut self, name: &str) {
        name.clone_into(&mut self.section);
        let _ = write!(self.toml, "\n[{name}]\n");
    }

    /// Sets a key to a text.
    pub fn set(&mut self, key: &str, text: &str) {
        let value = quoted(text);
        let _ = writeln!(self.toml, "{} = {value}", bare(key));
    }

    /// Sets a key to one text, or to several.
    pub fn set_words(&mut self, key: &str, words: &[String]) {
        match words {
            [one] => self.set(key, one),
            several => self.set_list(key, several),
        }
    }

    /// Sets a key to a list of texts.
    pub fn set_list(&mut self, key: &str, texts: &[String]) {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        let _ = writeln!(self.toml, "{} = [{}]", bare(key), texts.join(", "));
    }

    /// Records a doubt about a key of this section, which stands above the key as a comment.
    pub fn doubt(&mut self, key: &str, what: impl Into<String>) {
        let what = what.into();
        let _ = writeln!(self.toml, "# Doubtful: {what}.");
        let key = format!("{}.{key}", self.section);
        self.doubts.push(Doubt { key, what });
    }

    /// The file.
    pub fn toml(&self) -> &str {
        self.toml.trim_start()
    }

    /// Everything to look at.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }
}

/// A text as TOML has it, which is as JSON has it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A key as TOML has it.
fn bare(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proposed_reads_as_it_was_meant() {
        let mut proposal = Proposal::default();
        proposal.section("transfers");
        proposal.set("table", "odd \"name\"");
        proposal.section("transfers.states");
        proposal.doubt("failed", "two words may mean it");
        proposal.set_words("failed", &["a\\b".to_owned(), "c".to_owned()]);
        proposal.set_words("pending", &["new".to_owned()]);
        proposal.section("transfers.filter");
        proposal.set("the kind", "ach");
        assert_eq!(
            proposal.toml(),
            "[transfers]\ntable = \"odd \\\"name\\\"\"\n\n[transfers.states]\n\
             # Doubtful: two words may mean it.\nfailed = [\"a\\\\b\", \"c\"]\npending = \"new\"\n\n\
             [transfers.filter]\n\"the kind\" = \"ach\"\n"
        );
        let doubt = Doubt {
            key: "transfers.states.failed".to_owned(),
            what: "two words may mean it".to_owned(),
        };
        assert_eq!(proposal.doubts(), [doubt]);
    }
}
