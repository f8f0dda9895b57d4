//! Endpoints: who is notified, in which words, and of what.

mod fan_out;
mod owner;
mod secret;
mod version;

pub use fan_out::messages_for;
pub use owner::{NotificationState, OwnerChange, OwnerNotification};
pub use secret::{SecretKind, SecretRecord};
pub use version::PayloadVersion;

use chrono::{DateTime, NaiveDate, Utc};
use strum::{EnumString, IntoStaticStr};

use super::audit::AuditRecord;

/// The Rainforest version that shows a payin returned before funding as RETURNED.
const RETURNED_SINCE: (i32, u32, u32) = (2024, 10, 16);

/// Rainforest's webhooks have no version before this one.
const RAINFOREST_SINCE: (i32, u32, u32) = (2023, 1, 1);

/// Whose platform an endpoint was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Style {
    /// Finix.
    Finix,
    /// Rainforest.
    Rainforest,
}

impl Style {
    /// Its name in the database and for people.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A setting that is wrong, by its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct EndpointFault {
    pub field: &'static str,
    pub what: String,
}

impl EndpointFault {
    /// A fault of a field.
    pub fn new(field: &'static str, what: impl Into<String>) -> Self {
        Self {
            field,
            what: what.into(),
        }
    }
}

/// The payload_version of a style and version.
///
/// # Errors
/// When the version is none of the style's.
pub fn payload_version(style: Style, api_version: &str) -> Result<PayloadVersion, EndpointFault> {
    let date = NaiveDate::parse_from_str(api_version, "%Y-%m-%d")
        .ok()
        .filter(|date| date.to_string() == api_version);
    let since = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
    match (style, date) {
        (Style::Finix, Some(_)) => Ok(PayloadVersion::Finix),
        (Style::Finix, None) if api_version.is_empty() => Ok(PayloadVersion::Finix),
        (Style::Rainforest, Some(date)) if Some(date) >= since(RETURNED_SINCE) => {
            Ok(PayloadVersion::Rainforest20241016)
        }
        (Style::Rainforest, Some(date)) if Some(date) >= since(RAINFOREST_SINCE) => {
            Ok(PayloadVersion::RainforestLegacy)
        }
        (Style::Rainforest, Some(_)) => Err(EndpointFault::new(
            "api_version",
            format!("{api_version:?} is before 2023-01-01, the first version there is"),
        )),
        (Style::Finix | Style::Rainforest, None) => Err(EndpointFault::new(
            "api_version",
            format!("{api_version:?} is no date such as 2024-10-16"),
        )),
    }
}

/// What an endpoint is set to be. Style and version never change: a message that waits was
/// made for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSettings {
    /// Where messages are posted to. Its path may be as good as a password.
    pub url: String,
    pub description: String,
    /// Who is notified when the endpoint is disabled; may be empty.
    pub owner_email: String,
    pub style: Style,
    pub api_version: String,
    /// Follows from style and version.
    pub payload_version: PayloadVersion,
    /// The event types it wants, `ach_return.*` for all that begin so; none for all.
    pub event_types: Vec<String>,
    /// Only what is about this merchant; empty for all.
    pub merchant: String,
    /// Whether a message waits until the one before is delivered or given up.
    pub ordered: bool,
}

impl EndpointSettings {
    /// Whether it wants messages of this type about this merchant.
    pub fn wants(&self, payload_version: PayloadVersion, event_type: &str, merchant: &str) -> bool {
        payload_version == self.payload_version
            && (self.merchant.is_empty() || self.merchant == merchant)
            && (self.event_types.is_empty()
                || self
                    .event_types
                    .iter()
                    .any(|pattern| matches(pattern, event_type)))
    }
}

/// Whether a pattern, such as `ach_return.*`, means an event type.
pub fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => pattern == event_type,
    }
}

/// An endpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub endpoint_id: String,
    pub settings: EndpointSettings,
    /// Why nothing is sent to it; `None` while it is enabled.
    pub disabled_why: Option<String>,
    /// When the first failure after the last success was.
    pub failing_since: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Counts the changes by operators; a change names the one that was looked at.
    pub version: u64,
    /// Whether its owner knows that the service has disabled it; `None` when it has not.
    pub owner_notice: Option<OwnerNotification>,
}

impl Endpoint {
    /// Whether messages are sent to it.
    pub fn is_enabled(&self) -> bool {
        self.disabled_why.is_none()
    }

    /// Host and port, for people and logs: the path may be a credential.
    pub fn host(&self) -> String {
        host(&self.settings.url)
    }
}

/// Host and port of an address.
pub fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    host.unwrap_or_else(|| "an unreadable address".to_owned())
}

/// A change of an endpoint. It is done only if the endpoint still is as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointChange {
    /// As it is to be. Style, version and creation stay as they are, its notice follows
    /// `owner`, and its `version` is the one that was seen.
    pub endpoint: Endpoint,
    /// Whether its failures are forgotten, and what waits for it is due at once.
    pub forget_failures: bool,
    /// What becomes of notification its owner.
    pub owner: OwnerChange,
    pub audit: AuditRecord,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An endpoint's settings for tests.
    fn settings(url: &str) -> EndpointSettings {
        EndpointSettings {
            url: url.to_owned(),
            description: "a platform".to_owned(),
            owner_email: "owner@platform.example".to_owned(),
            style: Style::Rainforest,
            api_version: "2024-10-16".to_owned(),
            payload_version: PayloadVersion::Rainforest20241016,
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
                Some(PayloadVersion::RainforestLegacy),
            ),
            (
                Style::Rainforest,
                "2024-10-15",
                Some(PayloadVersion::RainforestLegacy),
            ),
            (
                Style::Rainforest,
                "2024-10-16",
                Some(PayloadVersion::Rainforest20241016),
            ),
            (
                Style::Rainforest,
                "2026-01-31",
                Some(PayloadVersion::Rainforest20241016),
            ),
            (Style::Rainforest, "2022-12-31", None),
            (Style::Rainforest, "", None),
            (Style::Rainforest, "2024-1-1", None),
            (Style::Rainforest, "2024-02-30", None),
            (Style::Rainforest, "+2024-10-16", None),
            (Style::Finix, "", Some(PayloadVersion::Finix)),
            (Style::Finix, "2022-02-01", Some(PayloadVersion::Finix)),
            (Style::Finix, "latest", None),
        ] {
            assert_eq!(
                payload_version(style, version).ok(),
                expected,
                "{style:?} {version}"
            );
        }
    }

    #[test]
    fn an_endpoint_wants_its_types_its_merchant_and_its_dialect_only() {
        let all = settings("https://a.example");
        let payload_version = all.payload_version;
        assert!(all.wants(payload_version, "payin.returned", "M1"));
        assert!(!all.wants(PayloadVersion::RainforestLegacy, "payin.returned", "M1"));
        let some = EndpointSettings {
            event_types: vec!["ach_return.*".to_owned(), "payin.returned".to_owned()],
            merchant: "M1".to_owned(),
            ..all
        };
        assert!(some.wants(payload_version, "payin.returned", "M1"));
        assert!(some.wants(payload_version, "ach_return.created", "M1"));
        assert!(!some.wants(payload_version, "ach_return.created", "M2"));
        assert!(!some.wants(payload_version, "ach_returns.created", "M1"));
        assert!(!some.wants(payload_version, "payin.returned.twice", "M1"));
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
