//! The keys of a program's configuration as a table for people: what was read, its kind and default,
//! and what the example says of it. So the table is what the program really reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a getter says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// What it may be, for people.
    pub kind: String,
    /// What holds when it is not set; `None` where it is required, or where nothing holds.
    pub default: Option<String>,
    /// Whether it must be set.
    pub required: bool,
}

/// Sections whose keys are names that the operator chooses.
const NAMED: &[(&str, &str)] = &[
    ("sources.", "NAME"),
    ("databases.", "NAME"),
    ("alerts.channels.", "NAME"),
    ("access.tokens.", "NAME"),
    ("access.certificates.", "NAME"),
    ("transactions.filter.", "COLUMN"),
    ("transfers.filter.", "COLUMN"),
    ("transfers.reversal.set.", "COLUMN"),
];

/// The path of a key with NAME where the operator chooses a name.
fn general(path: &[String]) -> String {
    let joined = path.join("\u{1f}");
    for (section, name) in NAMED {
        let section = section.replace('.', "\u{1f}");
        if let Some(rest) = joined.strip_prefix(&section) {
            let after = rest.split_once('\u{1f}').map(|(_, after)| after);
            let after = after.map(|after| format!("\u{1f}{after}"));
            let general = format!("{section}{name}{}", after.unwrap_or_default());
            return general.replace('\u{1f}', ".");
        }
    }
    joined.replace('\u{1f}', ".")
}

/// What the example says of each key: the comment behind it, or the lines above it and the keys that
/// stand with it, up to an empty line.
fn comments(example: &str) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    let (mut section, mut above, mut is_used) = (String::new(), Vec::<String>::new(), false);
    for line in example.lines() {
        let commented = line.trim_start().strip_prefix('#').map(str::trim_start);
        let setting = commented.unwrap_or(line).trim();
        if let Some(name) = setting
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            let path = names(name.trim_start_matches('['));
            section = general(&path);
            if std::mem::replace(&mut is_used, true) {
                above.clear();
            }
            said.entry(section.clone()).or_insert(above.join(" "));
        } else if let Some((key, value)) = key_and_value(setting) {
            let path: Vec<String> = section
                .split('.')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .chain([key.to_owned()])
                .collect();
            let behind = comment_behind(value);
            let words = match behind {
                Some(words) => words.to_owned(),
                None => above.join(" "),
            };
            if !words.is_empty() {
                said.entry(general(&path)).or_insert(words);
            }
            is_used = true;
        } else if let Some(words) = commented.filter(|words| !words.is_empty()) {
            if std::mem::take(&mut is_used) {
                above.clear();
            }
            above.push(words.to_owned());
        } else {
            above.clear();
        }
    }
    said
}

/// A line that sets a key.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    is_key.then_some((key, value.trim()))
}

/// The comment behind a value. A `#` within quotes is none.
fn comment_behind(value: &str) -> Option<&str> {
    let mut quoted = false;
    for (at, letter) in value.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => return value.get(at + 1..).map(str::trim),
            _ => {}
        }
    }
    None
}

/// An example in which every key is set that stands there as a comment, unless it is set already.
pub fn everything_on(example: &str) -> String {
    let (mut section, mut seen) = (String::new(), BTreeSet::new());
    for line in example.lines().filter(|line| line.starts_with('[')) {
        seen.insert(line.split('#').next().unwrap_or(line).trim().to_owned());
    }
    let mut set: BTreeSet<String> = BTreeSet::new();
    for line in example.lines() {
        match key_and_value(line) {
            Some((key, _)) => _ = set.insert(format!("{section}{key}")),
            None if line.starts_with('[') => line.trim().clone_into(&mut section),
            None => {}
        }
    }
    section.clear();
    let mut text = String::new();
    for line in example.lines() {
        let setting = line.strip_prefix('#').map_or(line, str::trim_start);
        let is_section = setting.starts_with('[') && toml::from_str::<toml::Table>(setting).is_ok();
        let is_on = setting == line;
        let turned_on = match key_and_value(setting) {
            _ if is_on => {
                if is_section {
                    setting.trim().clone_into(&mut section);
                }
                true
            }
            Some((key, _)) => {
                toml::from_str::<toml::Table>(setting).is_ok()
                    && set.insert(format!("{section}{key}"))
            }
            None if is_section && seen.insert(setting.trim().to_owned()) => {
                setting.trim().clone_into(&mut section);
                true
            }
            None => false,
        };
        text.push_str(if turned_on { setting } else { line });
        text.push('\n');
    }
    text
}

/// The table of all keys. One that the example does not have has no words.
pub(super) fn table(keys: &BTreeMap<Vec<String>, KeyFacts>, example: &str) -> String {
    let said = comments(example);
    let mut rows: BTreeMap<String, &KeyFacts> = BTreeMap::new();
    for (path, facts) in keys {
        rows.entry(general(path)).or_insert(facts);
    }
    let mut text =
        String::from("| key | what it may be | default | meaning |\n|---|---|---|---|\n");
    for (key, facts) in rows {
        // A secret stands in the example as a file.
        let as_file = format!("{key}_file");
        // A folder has the keys of an SFTP server.
        let as_sftp = key.replace(".folder.", ".sftp.");
        let words = [&key, &as_file, &as_sftp, &format!("{as_sftp}_file")]
            .into_iter()
            .find_map(|name| said.get(name).filter(|words| !words.is_empty()));
        let default = match (&facts.default, facts.required) {
            (Some(default), _) => format!("`{default}`"),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        let cell = |text: &str| text.replace('|', "\\|");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `{key}` | {} | {} | {} |",
            cell(&facts.kind),
            cell(&default),
            cell(words.map_or("", String::as_str))
        );
    }
    text
}

/// The names of a section's heading; a dot within quotes separates nothing.
fn names(heading: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    for letter in heading.chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => names.push(String::new()),
            letter => {
                if let Some(name) = names.last_mut() {
                    name.push(letter);
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_explained_by_the_lines_above_it_or_the_comment_behind_it() {
        let said = comments(
            "[server]\n# Where it\n# listens.\nlisten = \"a # b\"\n\n# lost\n\n# limit = 1  # how many\n\
             # All.\n[access.certificates.\"spiffe://a.b/c\"]\nmerchants = []\n# Of it.\nroles = []\n\n\
             [sources.acme.sftp]\n# Who.\nhost = \"x\"\nport = 1\nuser = 2 # whom\n",
        );
        assert_eq!(said["server.listen"], "Where it listens.");
        assert_eq!(said["server.limit"], "how many");
        assert_eq!(said["access.certificates.NAME.roles"], "Of it.");
        assert_eq!(said["access.certificates.NAME.merchants"], "All.");
        for key in ["host", "port"] {
            assert_eq!(said[&format!("sources.NAME.sftp.{key}")], "Who.");
        }
        assert_eq!(said["sources.NAME.sftp.user"], "whom");
    }
}
