#![doc = include_str!("../README.md")]

mod change;
mod finding;
mod plan;
mod status;

use std::sync::Arc;

use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_service::config::Settings;

pub use echeck_adapter::serve::run;
pub use plan::RallyPayPlan;

/// The address that the adapter listens on unless the configuration says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:50053";

/// A believable Rails app on SQLite, for demonstrations and tests.
pub const DEMO_SCHEMA_SQLITE: &str = include_str!("../schema/sqlite.sql");

/// Reads the adapter's configuration. Faults are noted in `settings`; the configuration is
/// of use only when [`Settings::finish`] finds none.
#[must_use]
pub fn read_config(settings: &Settings) -> AdapterConfig {
    let root = settings.root();
    let plan = Arc::new(RallyPayPlan::read(&root));
    AdapterConfig::read(&root, "rallypay", DEFAULT_LISTEN, plan)
}

/// The demonstration's schema in a dialect.
#[must_use]
pub const fn demo_schema(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => DEMO_SCHEMA_SQLITE,
        Dialect::Postgres => include_str!("../schema/postgres.sql"),
        Dialect::Mysql => include_str!("../schema/mysql.sql"),
    }
}
