//! Configuration: one TOML file, every key of which an environment variable can override. All
//! faults are reported together.
//!
//! [`Settings`] holds the merged tree. Each part of a service reads its [`Section`]. Every getter
//! records that its key was read, and records a fault when the value is missing or wrong.
//! [`Settings::finish`] then fails with every fault, and with every key that was not read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::config::{Config, File, FileFormat, FileSourceString, Value, ValueKind};

mod document;
mod environment;
mod fault;
mod section;
#[cfg(test)]
mod tests;
mod value;

pub use document::{KeyFacts, everything_on};
pub use environment::process_environment;
pub use fault::{ConfigError, ConfigFault};
pub use section::Section;

use environment::{VariableOverrides, variable_for};

/// The path of a key, from the root.
type KeyPath = Vec<String>;

/// The merged configuration. It holds secrets in clear, so it cannot be printed or cloned.
pub struct Settings {
    root: Value,
    file: Option<String>,
    records: Mutex<Records>,
}

/// What was asked of the tree so far.
#[derive(Default)]
struct Records {
    asked: BTreeMap<KeyPath, KeyUse>,
    facts: BTreeMap<KeyPath, KeyFacts>,
    faults: Vec<ConfigFault>,
}

/// How a key was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyUse {
    /// As a section, whose keys are read one by one.
    Opened,
    /// As a value, or as a section read whole.
    Read,
}

impl Settings {
    /// Reads `file`, if one is given, then the variables of `env` that start with `ECHECK__` and
    /// override it. Two underscores stand for a dot: `ECHECK__SERVER__LISTEN` sets
    /// `server.listen`. An empty value counts as not set.
    ///
    /// # Errors
    /// When the file cannot be read or is not TOML (with line and column).
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            return Self::merge("", None, env);
        };
        let shown = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::merge(&text, Some(shown), env),
            Err(fault) => Err(ConfigError::single(format!(
                "{shown}: cannot be read: {fault}; check --config"
            ))),
        }
    }

    /// Reads TOML from `text` alone, for services embedded in another process and for tests.
    ///
    /// # Errors
    /// When `text` is not TOML (with line and column).
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::merge(text, None, [])
    }

    fn merge(
        text: &str,
        file: Option<String>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let shown = file.as_deref().unwrap_or("the configuration text");
        let refuse = |fault: ::config::ConfigError| refusal(shown, text, fault);
        let source: File<FileSourceString, FileFormat> = File::from_str(text, FileFormat::Toml);
        let from_file = Config::builder()
            .add_source(source.clone())
            .build()
            .map_err(refuse)?;
        let overrides = VariableOverrides::new(env, &from_file.cache);
        let merged = Config::builder()
            .add_source(source)
            .add_source(overrides)
            .build()
            .map_err(refuse)?;
        Ok(Self {
            root: merged.cache,
            file,
            records: Mutex::default(),
        })
    }

    /// The whole tree as a section.
    pub fn root(&self) -> Section<'_> {
        self.record_asked(&[], KeyUse::Opened);
        Section::new(self, Vec::new())
    }

    /// The keys that were read so far as a table for people, with what `example` says of each.
    pub fn document(&self, example: &str) -> String {
        document::table(&self.records().facts, example)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every fault that the getters recorded, and every key or section that was not read.
    pub fn finish(self) -> Result<(), ConfigError> {
        let mut faults = std::mem::take(&mut self.records().faults);
        self.find_unknown(&mut Vec::new(), &self.root, &mut faults);
        let mut seen = BTreeSet::new();
        faults.retain(|fault| seen.insert(fault.clone()));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { faults })
        }
    }

    /// Adds a fault for `value` if it was not read, or for each of its keys that was not.
    fn find_unknown(&self, path: &mut KeyPath, value: &Value, faults: &mut Vec<ConfigFault>) {
        let asked = self.records().asked.get(path).copied();
        match (asked, &value.kind) {
            (Some(KeyUse::Read), _) => {}
            (Some(KeyUse::Opened), ValueKind::Table(table)) => {
                for (key, inner) in table.iter().collect::<BTreeMap<_, _>>() {
                    path.push(key.clone());
                    self.find_unknown(path, inner, faults);
                    path.pop();
                }
            }
            (Some(KeyUse::Opened) | None, _) => faults.push(ConfigFault {
                key: path.join("."),
                message: format!(
                    "is not a known key; known here: {} ({})",
                    self.known_beside(path),
                    self.origin_of(path)
                ),
            }),
        }
    }

    /// The keys that were read in the section that holds `path`.
    fn known_beside(&self, path: &[String]) -> String {
        let Some((_, parent)) = path.split_last() else {
            return "none".to_owned();
        };
        let records = self.records();
        let known: Vec<&str> = records
            .asked
            .keys()
            .filter_map(|other| other.split_last())
            .filter(|(_, its_parent)| *its_parent == parent)
            .map(|(key, _)| key.as_str())
            .collect();
        if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        }
    }

    /// Where the value at `path` is set or, when there is none, where to set it.
    fn origin_of(&self, path: &[String]) -> String {
        match self.get(path) {
            Some(value) => match (environment::variable_of(value), &self.file) {
                (Some(variable), _) => format!("set by {variable}"),
                (None, Some(file)) => format!("set in {file}"),
                (None, None) => "set in the configuration text".to_owned(),
            },
            None => match &self.file {
                Some(file) => format!("set it in {file} or with {}", variable_for(path)),
                None => format!("set it with {}", variable_for(path)),
            },
        }
    }

    fn get(&self, path: &[String]) -> Option<&Value> {
        path.iter()
            .try_fold(&self.root, |value, key| match &value.kind {
                ValueKind::Table(table) => table.get(key),
                _ => None,
            })
    }

    /// Records that `path` was asked for. `Read` is never reduced to `Opened`.
    fn record_asked(&self, path: &[String], how: KeyUse) {
        let mut records = self.records();
        let known = records.asked.entry(path.to_vec()).or_insert(how);
        if how == KeyUse::Read {
            *known = KeyUse::Read;
        }
    }

    fn record_facts(&self, path: &[String], facts: KeyFacts) {
        self.records().facts.insert(path.to_vec(), facts);
    }

    fn record_fault(&self, path: &[String], message: &str) {
        let message = format!("{message} ({})", self.origin_of(path));
        self.records().faults.push(ConfigFault {
            key: path.join("."),
            message,
        });
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the TOML was refused. The parser's own text quotes the line, which may hold a password,
/// so only its message and the position are used.
fn refusal(shown: &str, text: &str, fault: ::config::ConfigError) -> ConfigError {
    let ::config::ConfigError::FileParse { cause, .. } = fault else {
        return ConfigError::single(format!("{shown}: {fault}"));
    };
    let message = match cause.downcast_ref::<toml::de::Error>() {
        Some(syntax) => {
            let (line, column) = position(text, syntax.span().map_or(0, |span| span.start));
            format!(
                "{shown}, line {line}, column {column}: {}",
                syntax.message()
            )
        }
        None => format!("{shown}: {cause}"),
    };
    ConfigError::single(message)
}

/// Line and column, both from 1, of the byte at `offset`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |rest| rest.chars().count())
        + 1;
    (line, column)
}
