#![doc = include_str!("../README.md")]

mod change;
mod columns;
mod deposit;
mod examine;
mod layout;
mod lookup;
mod mapping;
mod needs;
mod new_transfer;
mod profile;
pub mod proposal;
mod read;
mod release;
mod row_keys;
mod unreadable;
mod verify;

use std::sync::Arc;

use echeck_adapter::config::AdapterConfig;
use echeck_adapter::dialect::Dialect;
use echeck_service::config::Settings;

use crate::mapping::GatewayMappingConfig;

/// Reads the adapter's configuration. Faults are recorded in `settings`; use the configuration
/// only when [`Settings::finish`] finds none.
pub fn read_config(settings: &Settings) -> AdapterConfig {
    let root = settings.root();
    let mapping = Arc::new(GatewayMappingConfig::read(&root));
    AdapterConfig::read(&root, "gateway", "127.0.0.1:50052", mapping)
}

/// The schema of an example gateway, for demonstrations and tests.
pub const fn demo_schema(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => include_str!("../schema/sqlite.sql"),
        Dialect::Postgres => include_str!("../schema/postgres.sql"),
        Dialect::Mysql => include_str!("../schema/mysql.sql"),
    }
}
