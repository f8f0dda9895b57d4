//! How a status is spelled in the Rails app: as text, or as an integer enum.

use echeck_adapter::batch::Effect;
use echeck_adapter::row::Cell;
use echeck_adapter::schema::Want;
use echeck_service::config::Section;
use serde_json::Value;

/// One status as the Rails app keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Text(String),
    Number(i64),
}

impl Status {
    /// The status for a statement.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
        }
    }

    /// Whether a row shows this status.
    pub(crate) fn is(&self, cell: &Cell) -> bool {
        match self {
            Self::Text(text) => matches!(cell, Cell::Text(seen) if seen == text),
            Self::Number(number) => cell.integer() == Some(*number),
        }
    }
}

/// The two ways in which Rails keeps an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusKind {
    Text,
    Integer,
}

impl StatusKind {
    /// What the status column must hold.
    pub(crate) const fn want(self) -> Want {
        match self {
            Self::Text => Want::Text,
            Self::Integer => Want::Integer,
        }
    }
}

/// The statuses that a change leads to, and those it may start from.
#[derive(Debug, Clone)]
pub(crate) struct Statuses {
    pub(crate) kind: StatusKind,
    failed: Status,
    returned: Status,
    reversed: Status,
    pub(crate) open: Vec<Status>,
}

impl Statuses {
    /// Reads `status_kind` and `[transactions.statuses]`. An integer enum has no defaults:
    /// only the app's own code knows its numbers.
    pub(crate) fn read(transactions: &Section<'_>) -> Self {
        let kinds = [
            ("string", StatusKind::Text),
            ("integer", StatusKind::Integer),
        ];
        let kind = transactions.one_of("status_kind", &kinds, Some(StatusKind::Text));
        let section = transactions.section("statuses");
        let returned = read_one(&section, "returned", kind, Some("returned"));
        let reversed = if section.has("reversed") {
            read_one(&section, "reversed", kind, None)
        } else {
            // Reading it here keeps the key known, though it is absent.
            let _ = section.optional_string("reversed");
            returned.clone()
        };
        let statuses = Self {
            kind,
            failed: read_one(&section, "failed", kind, Some("failed")),
            returned,
            reversed,
            open: read_open(&section, kind),
        };
        for (key, result) in [
            ("failed", &statuses.failed),
            ("returned", &statuses.returned),
            ("reversed", &statuses.reversed),
        ] {
            if statuses.open.contains(result) {
                section.fault(
                    "open",
                    format!("lists what {key} is; a change could repeat itself"),
                );
            }
        }
        statuses
    }

    /// The status that a change leads to.
    pub(crate) fn after(&self, effect: &Effect) -> &Status {
        match effect {
            Effect::Fail { .. } => &self.failed,
            Effect::Return { .. } => &self.returned,
            Effect::Reverse(_) => &self.reversed,
        }
    }
}

fn read_one(section: &Section<'_>, key: &str, kind: StatusKind, default: Option<&str>) -> Status {
    match (kind, default) {
        (StatusKind::Integer, _) => Status::Number(section.parse(key).unwrap_or_default()),
        (StatusKind::Text, Some(default)) => Status::Text(section.string_or(key, default)),
        (StatusKind::Text, None) => Status::Text(section.string(key)),
    }
}

fn read_open(section: &Section<'_>, kind: StatusKind) -> Vec<Status> {
    let default: &[&str] = match kind {
        StatusKind::Text => &["pending", "succeeded"],
        StatusKind::Integer => &[],
    };
    // Numbers are given as text too, since a list holds text: open = ["0", "1"].
    let given = section.strings_or("open", default);
    if given.is_empty() {
        section.fault(
            "open",
            "must list the statuses that a change may start from",
        );
    }
    let read = |text: String| match kind {
        StatusKind::Text => Some(Status::Text(text)),
        StatusKind::Integer => match text.trim().parse() {
            Ok(number) => Some(Status::Number(number)),
            Err(_) => {
                section.fault("open", format!("holds {text:?}, which is not a number"));
                None
            }
        },
    };
    given.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use echeck_service::config::Settings;

    use super::*;

    fn read(toml: &str) -> Result<Statuses, String> {
        let settings = Settings::from_toml(toml).unwrap();
        let statuses = Statuses::read(&settings.root());
        settings
            .finish()
            .map(|()| statuses)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn text_statuses_have_defaults_and_reversed_follows_returned() {
        let statuses = read("[statuses]\nreturned = \"sent_back\"").unwrap();
        assert_eq!(statuses.reversed, Status::Text("sent_back".into()));
        assert_eq!(statuses.failed, Status::Text("failed".into()));
        assert_eq!(statuses.open.len(), 2);
    }

    #[test]
    fn an_integer_enum_must_be_given_in_full_and_as_numbers() {
        let fault = read("status_kind = \"integer\"").unwrap_err();
        for key in ["statuses.failed", "statuses.returned", "statuses.open"] {
            assert!(fault.contains(key), "{key} in {fault}");
        }
        let given = "status_kind = \"integer\"\n[statuses]\nfailed = 3\nreturned = 4\n\
                     open = [\"0\", \"1\"]";
        let statuses = read(given).unwrap();
        assert_eq!(statuses.reversed, Status::Number(4));
        assert_eq!(statuses.open, [Status::Number(0), Status::Number(1)]);
        let fault = read(&given.replace("\"1\"", "\"one\"")).unwrap_err();
        assert!(fault.contains("holds \"one\""), "{fault}");
    }

    #[test]
    fn a_change_must_not_start_from_what_it_leads_to() {
        let fault = read("[statuses]\nopen = [\"pending\", \"returned\"]").unwrap_err();
        assert!(fault.contains("lists what returned is"), "{fault}");
    }
}
