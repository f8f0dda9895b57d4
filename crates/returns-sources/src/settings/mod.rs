//! Where files are picked up, by the configuration: `[sources.NAME.sftp]` or `.folder`.

mod location;
mod sftp;

use std::collections::HashMap;

use echeck_service::config::Section;

use super::RemoteLocation;

/// Reads the location of every source that has one. Faults are recorded with their keys.
pub fn read(root: &Section<'_>) -> HashMap<String, RemoteLocation> {
    root.sections("sources")
        .into_iter()
        .filter_map(|(name, section)| {
            let location = location::read(&name, &section)?;
            Some((name, location))
        })
        .collect()
}
