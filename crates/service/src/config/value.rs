//! Reads one value as the type that is wanted. Variables are always text, so text is accepted
//! for a number, a truth value or a list.

use config::{ConfigError, Value, ValueKind};

/// The kind of a value, in words for a fault.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value.kind {
        ValueKind::Nil => "nothing",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
            "a whole number"
        }
        ValueKind::Float(_) => "a number with a fraction",
        ValueKind::String(_) => "text",
        ValueKind::Table(_) => "a section",
        ValueKind::Array(_) => "a list",
    }
}

/// The text of a value that is text.
pub(super) fn text(value: &Value) -> Result<&str, String> {
    match &value.kind {
        ValueKind::String(text) => Ok(text),
        _ => Err(format!("must be text in quotes, not {}", kind_of(value))),
    }
}

/// The text of a value that is text, a whole number, or true or false.
pub(super) fn scalar(value: &Value) -> Result<String, String> {
    match &value.kind {
        ValueKind::String(text) => Ok(text.clone()),
        ValueKind::Boolean(truth) => Ok(truth.to_string()),
        ValueKind::I64(number) => Ok(number.to_string()),
        ValueKind::U64(number) => Ok(number.to_string()),
        ValueKind::I128(number) => Ok(number.to_string()),
        ValueKind::U128(number) => Ok(number.to_string()),
        ValueKind::Nil | ValueKind::Float(_) | ValueKind::Table(_) | ValueKind::Array(_) => {
            Err(format!("must be text in quotes, not {}", kind_of(value)))
        }
    }
}

/// A truth value.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match &value.kind {
        ValueKind::Boolean(truth) => Ok(*truth),
        ValueKind::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        ValueKind::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        ValueKind::String(text) => Err(format!("must be true or false, not {}", quoted(text))),
        _ => Err(format!("must be true or false, not {}", kind_of(value))),
    }
}

/// A whole number that is not negative.
pub(super) fn number(value: &Value) -> Result<u64, String> {
    let wrong = |found: String| format!("must be a whole number, not {found}");
    match &value.kind {
        ValueKind::I64(number) => u64::try_from(*number).map_err(|_| wrong(number.to_string())),
        ValueKind::U64(number) => Ok(*number),
        ValueKind::String(text) => text.trim().parse().map_err(|_| wrong(quoted(text))),
        _ => Err(wrong(kind_of(value).to_owned())),
    }
}

/// A list of texts, or one text with commas between the items.
pub(super) fn list(value: &Value) -> Result<Vec<String>, String> {
    match &value.kind {
        ValueKind::Array(items) => items
            .iter()
            .map(|item| text(item).map(str::to_owned))
            .collect(),
        ValueKind::String(text) => Ok(text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()),
        _ => Err(format!("must be a list, not {}", kind_of(value))),
    }
}

/// A text for a fault: in quotes, escaped, and cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    if text.chars().count() > SHOWN_CHARS {
        format!("{:?}…", text.chars().take(SHOWN_CHARS).collect::<String>())
    } else {
        format!("{text:?}")
    }
}

/// Empty text counts as absent, so that a variable can be set to nothing.
pub(super) fn is_set(value: &Value) -> bool {
    !matches!(&value.kind, ValueKind::Nil)
        && !matches!(&value.kind, ValueKind::String(text) if text.is_empty())
}

/// The key below a section that serde could not read, and what is wrong with it. For a wrong
/// type the value is left out, as it may be a secret; a type's own message is passed on.
pub(super) fn explain(fault: ConfigError) -> (Vec<String>, String) {
    let split = |key: Option<String>| {
        key.into_iter()
            .flat_map(|key| key.split('.').map(str::to_owned).collect::<Vec<_>>())
    };
    match fault {
        ConfigError::Type { expected, key, .. } => {
            (split(key).collect(), format!("must be {expected}"))
        }
        ConfigError::At { error, key, .. } => {
            let (inner, message) = explain(*error);
            (split(key).chain(inner).collect(), message)
        }
        ConfigError::NotFound(key) => (split(Some(key)).collect(), "is required".to_owned()),
        other => (Vec::new(), other.to_string()),
    }
}
