//! The configuration of webhooks: `[webhooks]`.

use chrono::TimeDelta;
use echeck_service::config::Section;

use super::client::ClientSettings;
use super::guard::Guard;
use super::schedule::Schedule;
use super::sender::SenderSettings;

const HOUR_MS: u64 = 3_600_000;

/// How platforms are notified.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Whether messages are sent at all by this installation.
    pub enabled: bool,
    pub client: ClientSettings,
    pub sender: SenderSettings,
}

impl WebhookSettings {
    /// Reads `[webhooks]`; faults are recorded with their keys.
    pub fn read(section: &Section<'_>) -> Self {
        let places = |key, usual, most| {
            usize::try_from(section.u64_or(key, usual, 1..=most)).unwrap_or(usize::MAX)
        };
        let disable_after =
            section.duration_ms_or("disable_after_ms", 120 * HOUR_MS, 10..=8_760 * HOUR_MS);
        Self {
            enabled: section.bool_or("enabled", true),
            client: ClientSettings {
                guard: Guard {
                    allow_private: section.bool_or("allow_private_addresses", false),
                    allow_http: section.bool_or("allow_http", false),
                },
                timeout: section.duration_ms_or("timeout_ms", 15_000, 10..=60_000),
                ca_pem: ca(section),
            },
            sender: SenderSettings {
                per_endpoint: places("per_endpoint_concurrency", 4, 64),
                concurrency: places("concurrency", 128, 4_096),
                failing_concurrency: places("failing_concurrency", 32, 4_096),
                schedule: Schedule {
                    scale: u32::try_from(section.u64_or("schedule_permille", 1_000, 1..=1_000))
                        .unwrap_or(1_000),
                },
                disable_after: TimeDelta::from_std(disable_after).unwrap_or(TimeDelta::MAX),
            },
        }
    }
}

/// The certificates of `ca_file`, which are trusted besides the system's.
fn ca(section: &Section<'_>) -> Option<Vec<u8>> {
    let file = section.optional_string("ca_file")?;
    let fault = |error| section.fault("ca_file", format!("{file:?} cannot be read: {error}"));
    std::fs::read(&file).map_err(fault).ok()
}
