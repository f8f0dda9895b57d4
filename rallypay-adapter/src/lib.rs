#![doc = include_str!("../README.md")]

mod change;
mod mapping;
mod obstacle;
pub mod proposal;
mod status;
mod verify;

use std::sync::Arc;

use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_service::config::Settings;

use crate::mapping::RallyPayMappingConfig;

/// Reads the adapter's configuration. Faults are recorded in `settings`; use the configuration
/// only when [`Settings::finish`] finds none.
pub fn read_config(settings: &Settings) -> AdapterConfig {
    let root = settings.root();
    let mapping = Arc::new(RallyPayMappingConfig::read(&root));
    AdapterConfig::read(&root, "rallypay", "127.0.0.1:50053", mapping)
}

/// The schema of an example Rails app, for demonstrations and tests.
pub const fn demo_schema(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => include_str!("../schema/sqlite.sql"),
        Dialect::Postgres => include_str!("../schema/postgres.sql"),
        Dialect::Mysql => include_str!("../schema/mysql.sql"),
    }
}
