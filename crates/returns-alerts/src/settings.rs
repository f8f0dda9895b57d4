//! The configuration of incidents and alerts: `[alerts]`.

use std::time::Duration;

use chrono_tz::Tz;
use echeck_service::config::Section;

use super::channel;
use super::channel::Channel;
use super::clock_watch::LastAnswer;
use super::message::AlertHeader;
use super::rules::AlertRules;
use crate::channel::Hook;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const WEEK_MS: u64 = 7 * 24 * HOUR_MS;

/// Who is notified, when, and how.
pub struct AlertSettings {
    pub header: AlertHeader,
    pub rules: AlertRules,
    pub channels: Vec<Channel>,
    pub heartbeat: Option<HeartbeatSettings>,
    /// How long an answer may be awaited before people are notified.
    pub patience: Duration,
}

/// How a monitor outside is called.
pub struct HeartbeatSettings {
    pub hook: Hook,
    pub method: Method,
    pub every: Duration,
    /// How long the service must have lived. One that dies at every start is not healthy.
    pub after: Duration,
    pub timeout: Duration,
}

/// How the monitor is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl AlertSettings {
    /// The web servers that alerts and heartbeats are sent to, which tell their time.
    pub fn clocks(&self) -> impl Iterator<Item = LastAnswer> {
        let channels = self.channels.iter().filter_map(Channel::told);
        channels.chain(self.heartbeat.iter().map(|heartbeat| LastAnswer {
            name: heartbeat.hook.host().to_owned(),
            told: heartbeat.hook.told(),
        }))
    }

    /// Reads `[alerts]`; faults are recorded with their keys.
    pub fn read(section: &Section<'_>) -> Self {
        let timeout = section.duration_ms_or("timeout_ms", 5_000, 100..=MINUTE_MS);
        let (channels, rules) = channel::read(section, timeout);
        let runbook_url = section.optional_string("runbook_url");
        if let Some(url) = &runbook_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            section.fault("runbook_url", "must begin with https:// or http://");
        }
        Self {
            header: AlertHeader {
                installation: section.string_or("installation", "echeck-returns"),
                runbook_url,
                time_zone: time_zone(section),
            },
            rules: AlertRules {
                channels: rules,
                update_every: section.duration_ms_or("update_every_ms", HOUR_MS, 100..=WEEK_MS),
                reopen_within: section.duration_ms_or(
                    "reopen_within_ms",
                    5 * MINUTE_MS,
                    0..=WEEK_MS,
                ),
                escalate_after: section.duration_ms_or(
                    "escalate_after_ms",
                    15 * MINUTE_MS,
                    100..=WEEK_MS,
                ),
                escalate_times: section.u64_or("escalate_times", 3, 0..=100),
            },
            channels,
            heartbeat: heartbeat(&section.section("heartbeat"), timeout),
            patience: section.duration_ms_or("patience_ms", 3_000, 100..=HOUR_MS),
        }
    }
}

fn time_zone(section: &Section<'_>) -> Option<Tz> {
    let name = section.optional_string("time_zone")?;
    let zone = name.parse().ok();
    if zone.is_none() {
        let what = format!("{name:?} is not a valid time zone, such as America/New_York");
        section.fault("time_zone", what);
    }
    zone
}

fn heartbeat(section: &Section<'_>, timeout: Duration) -> Option<HeartbeatSettings> {
    let methods = [("GET", Method::Get), ("POST", Method::Post)];
    let method = section.one_of("method", &methods, Some(Method::Get));
    let every = section.duration_ms_or("every_ms", MINUTE_MS, 100..=24 * HOUR_MS);
    let after = section.duration_ms_or("after_ms", MINUTE_MS, 0..=HOUR_MS);
    let url = section.secret("url")?;
    let hook = channel::hook(section, &url, None, timeout)?;
    Some(HeartbeatSettings {
        hook,
        method,
        every,
        after,
        timeout,
    })
}
