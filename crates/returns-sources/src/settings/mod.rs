//! Where files are picked up, by the configuration: `[sources.NAME.sftp]` or `.folder`.

mod pickup;
mod sftp;

use std::collections::HashMap;

use echeck_service::config::Section;

use super::Pickup;

/// Reads the pickup of every source that has one. Faults are recorded with their keys.
pub fn read(root: &Section<'_>) -> HashMap<String, Pickup> {
    root.sections("sources")
        .into_iter()
        .filter_map(|(name, section)| pickup::read(&section).map(|pickup| (name, pickup)))
        .collect()
}
