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
    /// An integer enum may have none.
    restored: Option<Status>,
    open: Vec<Status>,
}

/// The setting that a restoration needs.
pub(crate) const RESTORED: &str = "transactions.statuses.restored";

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
            restored: read_restored(&section, kind),
            open: read_open(&section, kind),
        };
        statuses.refuse_repeats(&section);
        statuses
    }

    /// No change may start from what it leads to.
    fn refuse_repeats(&self, section: &Section<'_>) {
        let ended = [
            ("failed", &self.failed),
            ("returned", &self.returned),
            ("reversed", &self.reversed),
        ];
        for (key, result) in ended
            .into_iter()
            .chain(self.restored.iter().map(|status| ("restored", status)))
        {
            if self.open.contains(result) {
                section.fault(
                    "open",
                    format!("lists what {key} is; a change could repeat itself"),
                );
            }
        }
        for (key, result) in ended {
            if self.restored.as_ref() == Some(result) {
                let message = format!("is what {key} is; a change could repeat itself");
                section.fault("restored", message);
            }
        }
    }

    /// The status that a change leads to; `None` when the app has none for it.
    pub(crate) fn after(&self, effect: &Effect) -> Option<&Status> {
        match effect {
            Effect::Fail { .. } => Some(&self.failed),
            Effect::Return { .. } => Some(&self.returned),
            Effect::Reverse(_) | Effect::Reapply(_) => Some(&self.reversed),
            Effect::Restore(_) => self.restored.as_ref(),
        }
    }

    /// The statuses that a change may start from. A mirror lags behind the gateway, so that it
    /// may be any of those that the gateway has left behind by then.
    pub(crate) fn before(&self, effect: &Effect) -> Vec<&Status> {
        match effect {
            Effect::Fail { .. } | Effect::Return { .. } | Effect::Reverse(_) => {
                self.open.iter().collect()
            }
            Effect::Restore(_) => vec![&self.failed, &self.returned, &self.reversed],
            Effect::Reapply(_) => self.restored.iter().collect(),
        }
    }

    /// The statuses in which something that a return made is waiting to be settled.
    pub(crate) fn awaiting(&self) -> Vec<&Status> {
        [&self.returned, &self.reversed]
            .into_iter()
            .chain(&self.restored)
            .collect()
    }

    /// The most statuses that one change may start from.
    pub(crate) fn most_before(&self) -> usize {
        self.open.len().max(3)
    }
}

/// Only an app that keeps texts has a word for it anyway.
fn read_restored(section: &Section<'_>, kind: StatusKind) -> Option<Status> {
    match kind {
        StatusKind::Text => Some(read_one(section, "restored", kind, Some("restored"))),
        StatusKind::Integer if section.has("restored") => {
            Some(read_one(section, "restored", kind, None))
        }
        StatusKind::Integer => {
            // Reading it here keeps the key known, though it is absent.
            let _ = section.optional_string("restored");
            None
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
        let fault = read("[statuses]\nopen = [\"pending\", \"restored\"]").unwrap_err();
        assert!(fault.contains("lists what restored is"), "{fault}");
    }

    #[test]
    fn restored_is_a_status_of_its_own() {
        for key in ["failed", "returned", "reversed"] {
            let given = format!("[statuses]\n{key} = \"sent_back\"\nrestored = \"sent_back\"");
            let fault = read(&given).unwrap_err();
            let told = format!("statuses.restored: is what {key} is; a change could repeat itself");
            assert!(fault.contains(&told), "{fault}");
        }
        let statuses = read("").unwrap();
        assert_eq!(statuses.restored, Some(Status::Text("restored".into())));
    }

    #[test]
    fn an_integer_enum_need_not_have_restored() {
        let given = "status_kind = \"integer\"\n[statuses]\nfailed = 3\nreturned = 4\n\
                     open = [\"0\", \"1\"]";
        assert_eq!(read(given).unwrap().restored, None);
        let with = format!("{given}\nrestored = 6");
        assert_eq!(read(&with).unwrap().restored, Some(Status::Number(6)));
        let fault = read(&format!("{given}\nrestored = 4")).unwrap_err();
        assert!(fault.contains("is what returned is"), "{fault}");
        let fault = read(&format!("{given}\nrestored = \"six\"")).unwrap_err();
        assert!(fault.contains("statuses.restored"), "{fault}");
    }
}
