//! The part of an adapter's configuration that all adapters share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use echeck_service::config::Section;
use echeck_service::server::ServerConfig;

use crate::dialect::mysql::MysqlTarget;
use crate::dialect::postgres::PostgresTarget;
use crate::dialect::sqlite::SqliteTarget;
use crate::dialect::{Database, DbError};
use crate::identifier::Identifier;
use crate::mapping::Plan;
use crate::target_url::TargetUrl;

/// A batch of 10,000 steps with the acquirer's rows must fit, unless the section says
/// otherwise.
const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// Everything that an adapter needs to run.
#[derive(Clone)]
pub struct AdapterConfig {
    /// `name`: the adapter's row in the target's `echeck_cursor`.
    pub name: String,
    /// `[target]`.
    pub target: TargetConfig,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[health] interval_ms`: how often the target is asked for a sign of life.
    pub health_interval: Duration,
    /// The mapping.
    pub plan: Arc<dyn Plan>,
}

impl AdapterConfig {
    /// Reads `name`, `[target]`, `[server]` and `[health]`.
    #[must_use]
    pub fn read(
        root: &Section<'_>,
        default_name: &str,
        default_listen: &str,
        plan: Arc<dyn Plan>,
    ) -> Self {
        let name = root.string_or("name", default_name);
        if name.len() > 63 {
            root.fault("name", "is longer than 63 bytes");
        }
        let server_section = root.section("server");
        let mut server = ServerConfig::read(&server_section, default_listen);
        if !server_section.has("max_message_bytes") {
            server.max_message_bytes = MAX_MESSAGE_BYTES;
        }
        let health = root.section("health");
        Self {
            name,
            target: TargetConfig::read(&root.section("target")),
            server,
            health_interval: health.duration_ms_or("interval_ms", 5_000, 100..=600_000),
            plan,
        }
    }
}

/// `[target]`: the database of somebody else that the adapter writes to.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// `url` or `url_file`. `None` only after a fault.
    pub url: Option<TargetUrl>,
    /// `create_tables`: whether the adapter makes its own two tables when they are missing.
    pub create_tables: bool,
    /// `max_connections`: how many connections it keeps at most.
    pub max_connections: u32,
    /// `busy_timeout_ms`: how long it waits for another writer or for a free connection.
    pub busy_timeout: Duration,
}

impl TargetConfig {
    fn read(section: &Section<'_>) -> Self {
        let url = section.required_secret("url").and_then(|url| {
            TargetUrl::parse(&url)
                .map_err(|fault| section.fault("url", fault))
                .ok()
        });
        Self {
            url,
            create_tables: section.bool_or("create_tables", true),
            max_connections: u32::try_from(section.u64_or("max_connections", 4, 2..=64))
                .unwrap_or(4),
            busy_timeout: section.duration_ms_or("busy_timeout_ms", 5_000, 0..=600_000),
        }
    }

    /// Opens the database.
    ///
    /// # Errors
    /// When it does not answer or cannot be used as a target.
    pub async fn open(&self) -> Result<Arc<dyn Database>, DbError> {
        let (timeout, connections) = (self.busy_timeout, self.max_connections);
        let Some(url) = &self.url else {
            return Err(DbError::Unavailable("target.url is not set".to_owned()));
        };
        Ok(match url {
            TargetUrl::Sqlite(path) => {
                Arc::new(SqliteTarget::open(path, timeout, connections).await?)
            }
            TargetUrl::Postgres(options) => {
                let shown = url.to_string();
                Arc::new(PostgresTarget::open(options, shown, timeout, connections).await?)
            }
            TargetUrl::Mysql(options) => {
                let shown = url.to_string();
                Arc::new(MysqlTarget::open(options, shown, timeout, connections).await?)
            }
        })
    }
}

/// A section of column names, where an empty name switches an optional column off.
pub struct ColumnNames<'a> {
    section: Section<'a>,
    given: BTreeMap<String, String>,
}

impl<'a> ColumnNames<'a> {
    /// Reads the section.
    #[must_use]
    pub fn read(section: Section<'a>) -> Self {
        // Read whole, since elsewhere an empty text counts as absent.
        let given = section.deserialize().unwrap_or_default();
        Self { section, given }
    }

    /// The name of a column that the mapping cannot do without.
    pub fn required(&mut self, key: &str, default: &str) -> Identifier {
        let name = self.given.remove(key).unwrap_or_else(|| default.to_owned());
        parsed(&self.section, key, &name)
    }

    /// The name of a column that may be switched off; so is one whose default is empty.
    pub fn optional(&mut self, key: &str, default: &str) -> Option<Identifier> {
        let name = self.given.remove(key).unwrap_or_else(|| default.to_owned());
        (!name.is_empty()).then(|| parsed(&self.section, key, &name))
    }

    /// Whether the section names this column, empty or not.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// Ends the reading: what is left is no column of the mapping.
    pub fn finish(self) {
        for key in self.given.keys() {
            self.section.fault(key, "is not a column of this mapping");
        }
    }
}

/// Reads the name of a table, or of a column outside a section of columns.
#[must_use]
pub fn identifier(section: &Section<'_>, key: &str, default: &str) -> Identifier {
    parsed(section, key, &section.string_or(key, default))
}

/// Reads a list of columns.
#[must_use]
pub fn identifiers(section: &Section<'_>, key: &str) -> Vec<Identifier> {
    section
        .strings_or(key, &[])
        .iter()
        .map(|name| parsed(section, key, name))
        .collect()
}

/// Parses a name; a fault is noted under its key.
#[must_use]
pub fn parsed(section: &Section<'_>, key: &str, name: &str) -> Identifier {
    name.parse().unwrap_or_else(|fault| {
        section.fault(key, format!("{fault}"));
        Identifier::harmless()
    })
}
