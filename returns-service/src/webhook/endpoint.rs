//! Endpoints: who is told, in which words, and of what.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Dialect, OwnerNotice};

/// The Rainforest version that shows a payin returned before funding as RETURNED.
const RETURNED_SINCE: (i32, u32, u32) = (2024, 10, 16);
/// Rainforest's webhooks have no version before this one.
const RAINFOREST_SINCE: (i32, u32, u32) = (2023, 1, 1);
/// The longest name of an event type.
const LONGEST_TYPE: usize = 100;
/// The most event types that an endpoint names.
const MOST_TYPES: usize = 100;
/// The longest of the other texts, in bytes.
const LONGEST_TEXT: usize = 500;

/// Whose platform an endpoint was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Finix.
    Finix,
    /// Rainforest.
    Rainforest,
}

impl Style {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Finix, Self::Rainforest];

    /// The word for databases and people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Finix => "finix",
            Self::Rainforest => "rainforest",
        }
    }
}

/// A setting that is wrong, by its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub(crate) struct EndpointFault {
    pub(crate) field: &'static str,
    pub(crate) what: String,
}

fn fault(field: &'static str, what: impl Into<String>) -> EndpointFault {
    EndpointFault {
        field,
        what: what.into(),
    }
}

/// The dialect of a style and version.
///
/// # Errors
/// When the version is none of the style's.
pub(crate) fn dialect(style: Style, api_version: &str) -> Result<Dialect, EndpointFault> {
    let date = NaiveDate::parse_from_str(api_version, "%Y-%m-%d")
        .ok()
        .filter(|date| date.to_string() == api_version);
    let since = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    match (style, date) {
        (Style::Finix, Some(_)) => Ok(Dialect::Finix),
        (Style::Finix, None) if api_version.is_empty() => Ok(Dialect::Finix),
        (Style::Rainforest, Some(date)) if Some(date) >= since(RETURNED_SINCE) => {
            Ok(Dialect::Rainforest20241016)
        }
        (Style::Rainforest, Some(date)) if Some(date) >= since(RAINFOREST_SINCE) => {
            Ok(Dialect::RainforestLegacy)
        }
        (Style::Rainforest, Some(_)) => Err(fault(
            "api_version",
            format!("{api_version:?} is before 2023-01-01, the first version there is"),
        )),
        (Style::Finix | Style::Rainforest, None) => Err(fault(
            "api_version",
            format!("{api_version:?} is no date such as 2024-10-16"),
        )),
    }
}

/// What an endpoint is told to be. Style and version never change: a message that waits was
/// made for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointSettings {
    /// Where messages are posted to. Its path may be as good as a password.
    pub(crate) url: String,
    pub(crate) description: String,
    /// Who is told when the endpoint is disabled; may be empty.
    pub(crate) owner_email: String,
    pub(crate) style: Style,
    pub(crate) api_version: String,
    /// Follows from style and version.
    pub(crate) dialect: Dialect,
    /// The event types it wants, `ach_return.*` for all that begin so; none for all.
    pub(crate) event_types: Vec<String>,
    /// Only what is about this merchant; empty for all.
    pub(crate) merchant: String,
    /// Whether a message waits until the one before is delivered or given up.
    pub(crate) ordered: bool,
}

impl EndpointSettings {
    /// Whether it wants messages of this type about this merchant.
    pub(crate) fn wants(&self, dialect: Dialect, event_type: &str, merchant: &str) -> bool {
        dialect == self.dialect
            && (self.merchant.is_empty() || self.merchant == merchant)
            && (self.event_types.is_empty()
                || self
                    .event_types
                    .iter()
                    .any(|pattern| matches(pattern, event_type)))
    }

    /// Every field that is wrong, besides the address, which is the guard's.
    pub(crate) fn faults(&self) -> Vec<EndpointFault> {
        let mut faults = Vec::new();
        for (field, text) in [
            ("description", &self.description),
            ("owner_email", &self.owner_email),
            ("merchant", &self.merchant),
        ] {
            if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
                faults.push(fault(
                    field,
                    format!("must have at most {LONGEST_TEXT} bytes and no control character"),
                ));
            }
        }
        if !self.owner_email.is_empty() && self.owner_email.parse::<lettre::Address>().is_err() {
            faults.push(fault(
                "owner_email",
                format!("{:?} is no e-mail address", self.owner_email),
            ));
        }
        if self.event_types.len() > MOST_TYPES {
            faults.push(fault(
                "event_types",
                format!("are more than {MOST_TYPES}; use patterns such as ach_return.*"),
            ));
        }
        let odd = self.event_types.iter().filter(|text| !is_pattern(text));
        faults.extend(odd.map(|text| {
            let what = "is neither an event type such as payin.returned nor a pattern such as \
                        ach_return.*";
            fault("event_types", format!("{text:?} {what}"))
        }));
        faults
    }
}

fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => pattern == event_type,
    }
}

/// Words of letters, digits and underscores, joined by dots; the last one may be a star.
fn is_pattern(text: &str) -> bool {
    let words = text.strip_suffix(".*").unwrap_or(text);
    text.len() <= LONGEST_TYPE
        && words.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// An endpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) endpoint_id: String,
    pub(crate) settings: EndpointSettings,
    /// Why nothing is sent to it; `None` while it is enabled.
    pub(crate) disabled_why: Option<String>,
    /// When the first failure after the last success was.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// Counts the changes by operators; a change names the one that was looked at.
    pub(crate) version: u64,
    /// Whether its owner knows that the service has disabled it; `None` when it has not.
    pub(crate) owner_notice: Option<OwnerNotice>,
}

impl Endpoint {
    /// Whether messages are sent to it.
    pub(crate) fn is_enabled(&self) -> bool {
        self.disabled_why.is_none()
    }

    /// Host and port, for people and logs: the path may be a credential.
    pub(crate) fn host(&self) -> String {
        host(&self.settings.url)
    }
}

/// Host and port of an address.
pub(crate) fn host(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    host.unwrap_or_else(|| "an unreadable address".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An endpoint's settings for tests.
    pub(crate) fn settings(url: &str) -> EndpointSettings {
        EndpointSettings {
            url: url.to_owned(),
            description: "a platform".to_owned(),
            owner_email: "owner@platform.example".to_owned(),
            style: Style::Rainforest,
            api_version: "2024-10-16".to_owned(),
            dialect: Dialect::Rainforest20241016,
            event_types: Vec::new(),
            merchant: String::new(),
            ordered: false,
        }
    }

    #[test]
    fn a_version_decides_the_dialect_and_a_wrong_one_is_refused() {
        for (style, version, expected) in [
            (
                Style::Rainforest,
                "2023-01-01",
                Some(Dialect::RainforestLegacy),
            ),
            (
                Style::Rainforest,
                "2024-10-15",
                Some(Dialect::RainforestLegacy),
            ),
            (
                Style::Rainforest,
                "2024-10-16",
                Some(Dialect::Rainforest20241016),
            ),
            (
                Style::Rainforest,
                "2026-01-31",
                Some(Dialect::Rainforest20241016),
            ),
            (Style::Rainforest, "2022-12-31", None),
            (Style::Rainforest, "", None),
            (Style::Rainforest, "2024-1-1", None),
            (Style::Rainforest, "2024-02-30", None),
            (Style::Rainforest, "+2024-10-16", None),
            (Style::Finix, "", Some(Dialect::Finix)),
            (Style::Finix, "2022-02-01", Some(Dialect::Finix)),
            (Style::Finix, "latest", None),
        ] {
            assert_eq!(
                dialect(style, version).ok(),
                expected,
                "{style:?} {version}"
            );
        }
    }

    #[test]
    fn an_endpoint_wants_its_types_its_merchant_and_its_dialect_only() {
        let all = settings("https://a.example");
        let dialect = all.dialect;
        assert!(all.wants(dialect, "payin.returned", "M1"));
        assert!(!all.wants(Dialect::RainforestLegacy, "payin.returned", "M1"));
        let some = EndpointSettings {
            event_types: vec!["ach_return.*".to_owned(), "payin.returned".to_owned()],
            merchant: "M1".to_owned(),
            ..all
        };
        assert!(some.wants(dialect, "payin.returned", "M1"));
        assert!(some.wants(dialect, "ach_return.created", "M1"));
        assert!(!some.wants(dialect, "ach_return.created", "M2"));
        assert!(!some.wants(dialect, "ach_returns.created", "M1"));
        assert!(!some.wants(dialect, "payin.returned.twice", "M1"));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = EndpointSettings {
            description: "a\nb".to_owned(),
            owner_email: "nobody".to_owned(),
            event_types: vec!["*".into(), "a..b".into(), "a.*.b".into(), "ok.*".into()],
            ..settings("https://a.example")
        };
        let fields: Vec<_> = wrong
            .faults()
            .into_iter()
            .map(|fault| fault.field)
            .collect();
        assert_eq!(
            fields,
            [
                "description",
                "owner_email",
                "event_types",
                "event_types",
                "event_types"
            ]
        );
        assert!(settings("https://a.example").faults().is_empty());
    }

    #[test]
    fn only_a_host_is_shown_of_an_address() {
        assert_eq!(
            host("https://a.example:8443/CANARY?t=CANARY"),
            "a.example:8443"
        );
        assert_eq!(host("https://a.example/CANARY"), "a.example");
    }
}
