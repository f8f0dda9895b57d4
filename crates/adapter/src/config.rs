//! The part of the configuration that all adapters share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use echeck_service::access::Access;
use echeck_service::config::Section;
use echeck_service::server::{ServerConfig, ServerDefaults};
use echeck_service::telemetry::metrics_listen;
use echeck_service::tls::ClientCertificates;

use crate::dialect::{
    DbError, Dialect, PoolLimits, TargetDatabase, mysql_is_away, open_mysql, open_postgres,
    open_sqlite, postgres_is_away,
};
use crate::identifier::Identifier;
use crate::mapping::MappingConfig;
use crate::target_url::TargetUrl;
use crate::values_table::quoted;

/// The default of `max_message_bytes`: a batch of 10,000 steps with the acquirer's rows fits.
const MAX_MESSAGE_BYTES: u64 = 32 << 20;

/// Everything that an adapter needs to run.
#[derive(Clone)]
pub struct AdapterConfig {
    /// `name`: the adapter's row in the target's `echeck_cursor`.
    pub name: String,
    /// `[target]`.
    pub target: TargetConfig,
    /// `[server]`.
    pub server: ServerConfig,
    /// `[access]`.
    pub access: Access,
    /// `[health] interval_ms`: how often to check that the target answers.
    pub health_interval: Duration,
    /// `[metrics] listen`: where numbers and health can be asked for, if anywhere.
    pub metrics: Option<SocketAddr>,
    /// The mapping.
    pub mapping: Arc<dyn MappingConfig>,
}

impl AdapterConfig {
    /// Reads `name`, `[target]`, `[server]`, `[access]` and `[health]`.
    pub fn read(
        root: &Section<'_>,
        default_name: &str,
        default_listen: &str,
        mapping: Arc<dyn MappingConfig>,
    ) -> Self {
        let name = root.string_or("name", default_name);
        if name.len() > 63 {
            root.fault("name", "is longer than 63 bytes");
        }
        let server = ServerDefaults {
            listen: default_listen,
            certificates: ClientCertificates::Required,
            max_message_bytes: MAX_MESSAGE_BYTES,
        };
        let health = root.section("health");
        let server = ServerConfig::read(&root.section("server"), server);
        let access = Access::read(&root.section("access"), server.listen);
        Self {
            name,
            target: TargetConfig::read(&root.section("target")),
            server,
            access,
            metrics: metrics_listen(root),
            health_interval: health.duration_ms_or("interval_ms", 5_000, 100..=600_000),
            mapping,
        }
    }
}

/// `[target]`: the database of another team that the adapter writes to.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// `url` or `url_file`. `None` only after a fault.
    pub url: Option<TargetUrl>,
    /// `create_tables`: whether the adapter creates its own tables when they are missing.
    pub create_tables: bool,
    /// `max_connections` and `busy_timeout_ms`.
    pub limits: PoolLimits,
}

impl TargetConfig {
    fn read(section: &Section<'_>) -> Self {
        let url = section.required_secret("url").and_then(|url| {
            TargetUrl::parse(&url)
                .map_err(|fault| section.fault("url", fault))
                .ok()
        });
        let schema = section.string_or("schema", "");
        let url = match (url, &*schema) {
            (url, "") => url,
            (Some(TargetUrl::Postgres(options)), schema) => {
                let schema = Identifier::read(section, "schema", schema);
                let quoted = quoted(Dialect::Postgres, &schema);
                let options = options.options([("search_path", quoted)]);
                Some(TargetUrl::Postgres(Box::new(options)))
            }
            (url, _) => {
                let what = "is only for PostgreSQL; other databases are named in target.url";
                section.fault("schema", what);
                url
            }
        };
        Self {
            url,
            create_tables: section.bool_or("create_tables", true),
            limits: PoolLimits {
                max_connections: u32::try_from(section.u64_or("max_connections", 8, 4..=64))
                    .unwrap_or(8),
                busy_timeout: section.duration_ms_or("busy_timeout_ms", 5_000, 0..=600_000),
            },
        }
    }

    /// Whether nobody answers at the database's address.
    pub(crate) async fn is_away(&self) -> bool {
        match &self.url {
            None | Some(TargetUrl::Sqlite(_)) => false,
            Some(TargetUrl::Postgres(options)) => postgres_is_away(options).await,
            Some(TargetUrl::Mysql(options)) => mysql_is_away(options).await,
        }
    }

    /// Opens the database.
    ///
    /// # Errors
    /// When it does not answer or cannot be used as a target.
    pub async fn open(&self) -> Result<Arc<dyn TargetDatabase>, DbError> {
        let Some(url) = &self.url else {
            return Err(DbError::Unavailable("target.url is not set".to_owned()));
        };
        let shown = url.to_string();
        match url {
            TargetUrl::Sqlite(path) => open_sqlite(path, shown, self.limits).await,
            TargetUrl::Postgres(options) => open_postgres(options, shown, self.limits).await,
            TargetUrl::Mysql(options) => open_mysql(options, shown, self.limits).await,
        }
    }
}

/// A section of column names, where an empty name switches an optional column off. A column is
/// named like its key by default.
pub struct ColumnNames<'a> {
    section: Section<'a>,
    given: BTreeMap<String, String>,
}

impl<'a> ColumnNames<'a> {
    /// Reads the section.
    pub fn read(section: Section<'a>) -> Self {
        // Read whole, since elsewhere an empty text counts as absent.
        let given = section.deserialize().unwrap_or_default();
        Self { section, given }
    }

    /// The name of a column that the mapping cannot do without.
    pub fn required(&mut self, key: &str) -> Identifier {
        let name = self.given.remove(key).unwrap_or_else(|| key.to_owned());
        Identifier::read(&self.section, key, &name)
    }

    /// The name of a column that may be switched off.
    pub fn optional(&mut self, key: &str) -> Option<Identifier> {
        let name = self.given.remove(key).unwrap_or_else(|| key.to_owned());
        (!name.is_empty()).then(|| Identifier::read(&self.section, key, &name))
    }

    /// The name of a column that is off unless it is named.
    pub fn if_named(&mut self, key: &str) -> Option<Identifier> {
        let name = self.given.remove(key).unwrap_or_default();
        (!name.is_empty()).then(|| Identifier::read(&self.section, key, &name))
    }

    /// Whether the section names this column, empty or not.
    pub fn names(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// Ends the reading: a key that is left is not a column of the mapping.
    pub fn finish(self) {
        for key in self.given.keys() {
            self.section.fault(key, "is not a column of this mapping");
        }
    }
}
