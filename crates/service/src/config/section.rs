//! The getters with which a part of a service reads its section.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use config::{Map, Value, ValueKind};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::value::{explain, is_set, kind_of, list, number, quoted, scalar, text, truth};
use super::{KeyFacts, KeyPath, KeyUse, Settings};
use crate::privacy;

/// One section of the configuration. When a value is missing or wrong, a getter records a fault
/// and returns a placeholder. [`Settings::finish`] then fails, so that all faults are reported
/// together and no placeholder is ever used.
#[derive(Clone)]
pub struct Section<'a> {
    settings: &'a Settings,
    path: KeyPath,
}

impl<'a> Section<'a> {
    pub(super) fn new(settings: &'a Settings, path: KeyPath) -> Self {
        Self { settings, path }
    }

    /// The section under `key`; an empty section when it is absent.
    pub fn section(&self, key: &str) -> Section<'a> {
        let path = self.path_to(key);
        match self.settings.get(&path) {
            Some(value) if !matches!(value.kind, ValueKind::Table(_)) => {
                self.settings.record_asked(&path, KeyUse::Read);
                self.fault(key, format!("must be a section, not {}", kind_of(value)));
            }
            Some(_) | None => self.settings.record_asked(&path, KeyUse::Opened),
        }
        Section::new(self.settings, path)
    }

    /// Whether `key` is set, to a value or a section. This does not count as reading it.
    pub fn has(&self, key: &str) -> bool {
        self.settings.get(&self.path_to(key)).is_some_and(is_set)
    }

    /// The sections under `key` with their names, in the order of the names: `[sources.a]` and
    /// `[sources.b]` for `sources`.
    pub fn sections(&self, key: &str) -> Vec<(String, Section<'a>)> {
        let parent = self.section(key);
        let names: BTreeMap<&String, &Value> = parent.table().into_iter().flatten().collect();
        names
            .into_keys()
            .map(|name| (name.clone(), parent.section(name)))
            .collect()
    }

    /// A required text that is not empty.
    pub fn string(&self, key: &str) -> String {
        self.tell_required(key, "text");
        self.text_of(key).unwrap_or_else(|| {
            self.require(key);
            String::new()
        })
    }

    /// A text that is not empty.
    pub fn string_or(&self, key: &str, default: &str) -> String {
        self.tell(key, "text", Some(default.to_owned()));
        self.text_of(key).unwrap_or_else(|| default.to_owned())
    }

    /// A text, if there is one that is not empty.
    pub fn optional_string(&self, key: &str) -> Option<String> {
        self.tell(key, "text", None);
        self.text_of(key)
    }

    fn text_of(&self, key: &str) -> Option<String> {
        self.read(key, |value| text(value).map(str::to_owned))
    }

    /// A list of texts. A single text is split at its commas, since a variable sets a list so.
    pub fn strings_or(&self, key: &str, default: &[&str]) -> Vec<String> {
        self.tell(key, "list of texts", Some(format!("{default:?}")));
        self.read(key, list)
            .unwrap_or_else(|| default.iter().map(|item| (*item).to_owned()).collect())
    }

    /// The section under `key` as names and texts; numbers and truth values become text. Names
    /// keep the case of the file.
    pub fn string_map(&self, key: &str) -> BTreeMap<String, String> {
        let inner = self.section(key);
        let mut map = BTreeMap::new();
        for name in inner.table().into_iter().flatten().map(|(name, _)| name) {
            inner.tell(name, "text", None);
            match inner.read(name, scalar) {
                Some(value) => {
                    map.insert(name.clone(), value);
                }
                None if inner.has(name) => {}
                None => inner.fault(name, "is empty; say what it is, or leave it out"),
            }
        }
        map
    }

    /// True or false.
    pub fn bool_or(&self, key: &str, default: bool) -> bool {
        self.tell(key, "true or false", Some(default.to_string()));
        self.read(key, truth).unwrap_or(default)
    }

    /// A whole number within `range`.
    pub fn u64_or(&self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = (range.start(), range.end());
        self.tell(
            key,
            format!("number from {low} to {high}"),
            Some(default.to_string()),
        );
        let within = |value: &Value| {
            let found = number(value)?;
            if range.contains(&found) {
                return Ok(found);
            }
            let (low, high) = (range.start(), range.end());
            Err(format!("must be from {low} to {high}, not {found}"))
        };
        self.read(key, within).unwrap_or(default)
    }

    /// A duration in milliseconds within `range`. The key ends in `_ms`.
    pub fn duration_ms_or(
        &self,
        key: &str,
        default_ms: u64,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_millis(self.u64_or(key, default_ms, range))
    }

    /// A required value of a type with a textual form; `None` only after a fault. The fault
    /// quotes the value, so do not read secrets with it.
    pub fn parse<T: FromStr>(&self, key: &str) -> Option<T>
    where
        T::Err: Display,
    {
        self.tell_required(key, "text");
        if !self.has(key) {
            self.require(key);
        }
        self.read(key, parsed)
    }

    /// As [`Section::parse`], of a value that need not be there.
    pub fn optional_parse<T: FromStr>(&self, key: &str) -> Option<T>
    where
        T::Err: Display,
    {
        self.tell(key, "text".to_owned(), None);
        self.read(key, parsed)
    }

    /// One of `choices`, which are names and what they stand for; there must be at least one.
    /// Required when there is no default. After a fault the first choice is returned.
    pub fn one_of<T: Copy + PartialEq>(
        &self,
        key: &str,
        choices: &[(&str, T)],
        default: Option<T>,
    ) -> T {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let chosen = choices.iter().find(|(_, one)| Some(*one) == default);
        match chosen {
            Some((name, _)) => self.tell(key, names.join(", "), Some((*name).to_owned())),
            None => self.tell_required(key, &names.join(", ")),
        }
        let choose = |value: &Value| {
            let found = scalar(value)?;
            let chosen = choices.iter().find(|(name, _)| *name == found);
            chosen.map(|(_, choice)| *choice).ok_or_else(|| {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                let (names, found) = (names.join(", "), quoted(&found));
                format!("must be one of {names}, not {found}")
            })
        };
        let missing = !self.has(key);
        match (self.read(key, choose), default) {
            (Some(choice), _) | (None, Some(choice)) => choice,
            (None, None) => {
                if missing {
                    self.require(key);
                }
                choices[0].1
            }
        }
    }

    /// A secret, if there is one: the text under `key`, or the content of the file named by
    /// `key` with `_file` after it, without the line end, which only its owner may read. No fault
    /// ever quotes it.
    pub fn secret(&self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        self.tell(
            key,
            format!("secret; or {file_key}, the name of a file"),
            None,
        );
        let file = self.text_of(&file_key);
        let direct = self.read(key, |value| text(value).map(SecretString::from));
        match (direct, file) {
            (Some(_), Some(_)) => {
                let what = format!("is set together with {file_key}; keep one of the two");
                self.fault(key, what);
                None
            }
            (Some(secret), None) => Some(secret),
            (None, Some(file)) => self.secret_in_file(&file_key, &file),
            (None, None) => None,
        }
    }

    /// As [`Section::secret`], with a fault when there is none. `None` only after a fault.
    pub fn required_secret(&self, key: &str) -> Option<SecretString> {
        if !self.has(key) && !self.has(&format!("{key}_file")) {
            let what = format!("is required, or {key}_file with the name of a file");
            self.fault(key, what);
        }
        let secret = self.secret(key);
        self.tell_required(key, &format!("secret; or {key}_file, the name of a file"));
        secret
    }

    /// The whole section by serde; `None` only after a fault. All its keys count as read, so
    /// the type should deny unknown fields. Text becomes a number where the type wants one, but
    /// is not split into a list. The fault names the first value that does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Option<T> {
        self.settings.record_asked(&self.path, KeyUse::Read);
        let facts = KeyFacts {
            kind: "section".to_owned(),
            default: None,
            required: false,
        };
        self.settings.record_facts(&self.path, facts);
        let value = match self.settings.get(&self.path) {
            Some(value) => value.clone(),
            None => Value::new(None, Map::<String, Value>::new()),
        };
        match value.try_deserialize() {
            Ok(read) => Some(read),
            Err(fault) => {
                let (keys, message) = explain(fault);
                let path: KeyPath = self.path.iter().cloned().chain(keys).collect();
                self.settings.record_fault(&path, &message);
                None
            }
        }
    }

    /// Records a fault that the caller found in the value of `key`. `message` must not quote a
    /// secret.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        self.settings
            .record_fault(&self.path_to(key), &message.into());
    }

    fn secret_in_file(&self, file_key: &str, file: &str) -> Option<SecretString> {
        privacy::read_secret(Path::new(file))
            .map_err(|fault| {
                self.fault(
                    file_key,
                    format!("names a file that cannot be used: {fault}"),
                );
            })
            .ok()
    }

    /// Notes for the document what a key may be.
    fn tell(&self, key: &str, kind: impl Into<String>, default: Option<String>) {
        let facts = KeyFacts {
            kind: kind.into(),
            default,
            required: false,
        };
        self.settings.record_facts(&self.path_to(key), facts);
    }

    fn tell_required(&self, key: &str, kind: &str) {
        let facts = KeyFacts {
            kind: kind.to_owned(),
            default: None,
            required: true,
        };
        self.settings.record_facts(&self.path_to(key), facts);
    }

    /// Records that `key` was read, and reads it unless it is absent or empty.
    fn read<T>(&self, key: &str, reader: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let path = self.path_to(key);
        self.settings.record_asked(&path, KeyUse::Read);
        let value = self.settings.get(&path).filter(|value| is_set(value))?;
        reader(value)
            .map_err(|message| self.fault(key, message))
            .ok()
    }

    fn require(&self, key: &str) {
        self.fault(key, "is required");
    }

    fn table(&self) -> Option<&'a Map<String, Value>> {
        match &self.settings.get(&self.path)?.kind {
            ValueKind::Table(table) => Some(table),
            _ => None,
        }
    }

    fn path_to(&self, key: &str) -> KeyPath {
        self.path.iter().cloned().chain([key.to_owned()]).collect()
    }
}

/// A value of a type with a textual form.
fn parsed<T: FromStr>(value: &Value) -> Result<T, String>
where
    T::Err: Display,
{
    let found = scalar(value)?;
    found
        .parse()
        .map_err(|fault| format!("is {}: {fault}", quoted(&found)))
}
