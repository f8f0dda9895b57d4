//! How the Rails app stores a status: as text, or as an integer enum.

use echeck_adapter::batch::UpdateEffect;
use echeck_adapter::row::Cell;
use echeck_adapter::schema::ColumnContent;
use echeck_service::config::Section;
use serde_json::Value;

/// One status as the Rails app stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AppStatus {
    Text(String),
    Number(i64),
}

impl AppStatus {
    /// The status for a statement.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
        }
    }

    /// The status for messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// Whether a row shows this status.
    pub(crate) fn is_shown(&self, cell: &Cell) -> bool {
        match self {
            Self::Text(text) => matches!(cell, Cell::Text(seen) if seen == text),
            Self::Number(number) => cell.integer() == Some(*number),
        }
    }
}

/// The two ways in which Rails stores an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusKind {
    Text,
    Integer,
}

impl StatusKind {
    /// What the status column must hold.
    pub(crate) const fn content(self) -> ColumnContent {
        match self {
            Self::Text => ColumnContent::Text,
            Self::Integer => ColumnContent::Integer,
        }
    }
}

/// The statuses that a change leads to, and those it may start from.
#[derive(Debug, Clone)]
pub(crate) struct AppStatuses {
    pub(crate) kind: StatusKind,
    failed: AppStatus,
    returned: AppStatus,
    reversed: AppStatus,
    /// An integer enum may lack it.
    restored: Option<AppStatus>,
    open: Vec<AppStatus>,
}

impl AppStatuses {
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
        let reversed = read_if_set(&section, "reversed", kind);
        let statuses = Self {
            kind,
            failed: read_one(&section, "failed", kind, Some("failed")),
            reversed: reversed.unwrap_or_else(|| returned.clone()),
            returned,
            restored: read_restored(&section, kind),
            open: read_open(&section, kind),
        };
        statuses.refuse_repeats(&section);
        statuses
    }

    /// No change may start from the status that it leads to.
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
                    format!("lists the status of {key}; a change could repeat itself"),
                );
            }
        }
        for (key, result) in ended {
            if self.restored.as_ref() == Some(result) {
                let message = format!("is the status of {key}; a change could repeat itself");
                section.fault("restored", message);
            }
        }
    }

    /// The status that a change leads to; `None` when the app has none for it.
    pub(crate) fn after(&self, effect: &UpdateEffect) -> Option<&AppStatus> {
        match effect {
            UpdateEffect::Fail { .. } => Some(&self.failed),
            UpdateEffect::Return { .. } => Some(&self.returned),
            UpdateEffect::Reverse(_) | UpdateEffect::Reapply(_) => Some(&self.reversed),
            UpdateEffect::Restore(_) => self.restored.as_ref(),
        }
    }

    /// Each status with its key, and whether it is written; the others are only compared.
    pub(crate) fn words(&self) -> Vec<(&'static str, &AppStatus, bool)> {
        let mut words = vec![
            ("failed", &self.failed, true),
            ("returned", &self.returned, true),
        ];
        if self.reversed != self.returned {
            words.push(("reversed", &self.reversed, true));
        }
        words.extend(
            self.restored
                .iter()
                .map(|status| ("restored", status, true)),
        );
        words.extend(self.open.iter().map(|status| ("open", status, false)));
        words
    }

    /// The statuses that a change may start from. A mirror lags behind the gateway, so it may be
    /// any that the gateway had earlier.
    pub(crate) fn before(&self, effect: &UpdateEffect) -> Vec<&AppStatus> {
        match effect {
            UpdateEffect::Fail { .. } | UpdateEffect::Return { .. } | UpdateEffect::Reverse(_) => {
                self.open.iter().collect()
            }
            UpdateEffect::Restore(_) => vec![&self.failed, &self.returned, &self.reversed],
            UpdateEffect::Reapply(_) => self.restored.iter().collect(),
        }
    }

    /// The statuses in which what a return created waits to be settled.
    pub(crate) fn awaiting(&self) -> Vec<&AppStatus> {
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

/// An app that stores texts always has a word for it.
fn read_restored(section: &Section<'_>, kind: StatusKind) -> Option<AppStatus> {
    match kind {
        StatusKind::Text => Some(read_one(section, "restored", kind, Some("restored"))),
        StatusKind::Integer => read_if_set(section, "restored", kind),
    }
}

fn read_if_set(section: &Section<'_>, key: &str, kind: StatusKind) -> Option<AppStatus> {
    if section.has(key) {
        return Some(read_one(section, key, kind, None));
    }
    // Without this the key would not be a known one.
    let _ = section.optional_string(key);
    None
}

fn read_one(
    section: &Section<'_>,
    key: &str,
    kind: StatusKind,
    default: Option<&str>,
) -> AppStatus {
    match (kind, default) {
        (StatusKind::Integer, _) => AppStatus::Number(section.parse(key).unwrap_or_default()),
        (StatusKind::Text, Some(default)) => AppStatus::Text(section.string_or(key, default)),
        (StatusKind::Text, None) => AppStatus::Text(section.string(key)),
    }
}

fn read_open(section: &Section<'_>, kind: StatusKind) -> Vec<AppStatus> {
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
        StatusKind::Text => Some(AppStatus::Text(text)),
        StatusKind::Integer => match text.trim().parse() {
            Ok(number) => Some(AppStatus::Number(number)),
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

    fn read(toml: &str) -> Result<AppStatuses, String> {
        let settings = Settings::from_toml(toml).unwrap();
        let statuses = AppStatuses::read(&settings.root());
        settings
            .finish()
            .map(|()| statuses)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn text_statuses_have_defaults_and_reversed_follows_returned() {
        let statuses = read("[statuses]\nreturned = \"sent_back\"").unwrap();
        assert_eq!(statuses.reversed, AppStatus::Text("sent_back".into()));
        assert_eq!(statuses.failed, AppStatus::Text("failed".into()));
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
        assert_eq!(statuses.reversed, AppStatus::Number(4));
        assert_eq!(statuses.open, [AppStatus::Number(0), AppStatus::Number(1)]);
        let fault = read(&given.replace("\"1\"", "\"one\"")).unwrap_err();
        assert!(fault.contains("holds \"one\""), "{fault}");
    }

    #[test]
    fn a_change_must_not_start_from_the_status_it_leads_to() {
        let fault = read("[statuses]\nopen = [\"pending\", \"returned\"]").unwrap_err();
        assert!(fault.contains("lists the status of returned"), "{fault}");
        let fault = read("[statuses]\nopen = [\"pending\", \"restored\"]").unwrap_err();
        assert!(fault.contains("lists the status of restored"), "{fault}");
    }

    #[test]
    fn restored_is_a_status_of_its_own() {
        for key in ["failed", "returned", "reversed"] {
            let given = format!("[statuses]\n{key} = \"sent_back\"\nrestored = \"sent_back\"");
            let fault = read(&given).unwrap_err();
            let message =
                format!("statuses.restored: is the status of {key}; a change could repeat");
            assert!(fault.contains(&message), "{fault}");
        }
        let statuses = read("").unwrap();
        assert_eq!(statuses.restored, Some(AppStatus::Text("restored".into())));
    }

    #[test]
    fn an_integer_enum_need_not_have_restored() {
        let given = "status_kind = \"integer\"\n[statuses]\nfailed = 3\nreturned = 4\n\
                     open = [\"0\", \"1\"]";
        assert_eq!(read(given).unwrap().restored, None);
        let with = format!("{given}\nrestored = 6");
        assert_eq!(read(&with).unwrap().restored, Some(AppStatus::Number(6)));
        let fault = read(&format!("{given}\nrestored = 4")).unwrap_err();
        assert!(fault.contains("is the status of returned"), "{fault}");
        let fault = read(&format!("{given}\nrestored = \"six\"")).unwrap_err();
        assert!(fault.contains("statuses.restored"), "{fault}");
    }
}
