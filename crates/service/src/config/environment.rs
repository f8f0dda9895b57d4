//! Environment variables, which override the file: `ECHECK__SERVER__LISTEN` sets
//! `server.listen`.

use config::{Map, Source, Value, ValueKind};

/// The prefix of our variables. `ECHECK_CONFIG`, with one underscore, is not one of them.
const PREFIX: &str = "ECHECK__";
const SEPARATOR: &str = "__";

/// The variables of this process that set configuration, ready for
/// [`Settings::load`](super::Settings::load).
///
/// Bytes that are not Unicode become U+FFFD, so that the value is reported as wrong and not
/// skipped.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}

/// The variable that sets the key at `path`.
pub(super) fn variable_for(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join(SEPARATOR).to_uppercase())
}

/// The variable that set `value`; for a section, the first one if only variables set it.
pub(super) fn variable_of(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Table(table) => {
            let variables: Option<Vec<&str>> = table.values().map(variable_of).collect();
            variables?.into_iter().min()
        }
        _ => value.origin(),
    }
}

/// The overrides: the dotted key, and the value with its variable as its origin.
#[derive(Debug, Clone)]
pub(super) struct VariableOverrides {
    values: Map<String, Value>,
}

impl VariableOverrides {
    /// The overrides among the variables of `env`. Keys are in lower case, unless the file has
    /// the same key in another case.
    pub(super) fn new(env: impl IntoIterator<Item = (String, String)>, file: &Value) -> Self {
        let values = env
            .into_iter()
            .filter_map(|(name, value)| {
                let path = name.strip_prefix(PREFIX)?;
                Some((key_like_in_file(path, file), Value::new(Some(&name), value)))
            })
            .collect();
        Self { values }
    }
}

impl Source for VariableOverrides {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.values.clone())
    }
}

/// Variables are in capitals, and so are some keys, such as return codes (`R01 = …`). So the
/// spelling of the file is used where it has the key.
fn key_like_in_file(path: &str, file: &Value) -> String {
    let mut here = Some(file);
    let mut key = Vec::new();
    for part in path.split(SEPARATOR) {
        let known = match here.map(|value| &value.kind) {
            Some(ValueKind::Table(table)) => table
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(part)),
            _ => None,
        };
        key.push(known.map_or_else(|| part.to_lowercase(), |(name, _)| name.clone()));
        here = known.map(|(_, value)| value);
    }
    key.join(".")
}
