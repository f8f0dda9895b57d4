//! How far each database is.

/// The lease of the replica that feeds a database.
pub fn feed_lease(database: &str) -> String {
    format!("feed:{database}")
}
