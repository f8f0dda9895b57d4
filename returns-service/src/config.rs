//! The configuration of the returns service; `example.toml` beside this crate has every key.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use echeck_service::access::Access;
use echeck_service::config::{ConfigError, Section, Settings};
use echeck_service::server::{ServerConfig, ServerDefaults};
use echeck_service::telemetry::TelemetryConfig;
use echeck_service::tls::{ClientTls, Connection};
use returns_alerts::AlertSettings;
use returns_feed::Role;
use returns_feed::settle::ReadyPolicy;
use returns_import::Source;
use returns_import::hold::{HoldLimits, RetryPolicy};
use returns_model::plan::Plan;
use returns_reports::RetryPauses;
use returns_reports::bucket::BucketSettings;
use returns_sources::RemoteLocation;
use returns_sources::schedule::RetryTimes;
use returns_store::StoreSettings;
use returns_stream::StreamSettings;
use returns_verify::JournalSettings;
use returns_webhooks::WebhookSettings;
use secrecy::SecretString;

use crate::api::TwoPeople;

/// The settings of the returns service.
pub struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) access: Access,
    pub(crate) two_people: TwoPeople,
    pub(crate) telemetry: TelemetryConfig,
    pub(crate) store: StoreSettings,
    pub(crate) spool_folder: PathBuf,
    pub(crate) spool_identity: SecretString,
    /// The staff keys that can also open a received file.
    pub(crate) spool_recipients: Vec<age::x25519::Recipient>,
    /// Where files are archived and reports are stored; without one, neither happens.
    pub(crate) bucket: Option<BucketSettings>,
    pub(crate) report_pauses: RetryPauses,
    pub(crate) journal: JournalSettings,
    pub(crate) max_file_bytes: u64,
    pub(crate) batch_size: usize,
    pub(crate) concurrent: usize,
    pub(crate) holds: RetryPolicy,
    pub(crate) hold_limits: HoldLimits,
    pub(crate) replica: ReplicaSettings,
    /// The databases, the system of record first.
    pub(crate) databases: Vec<DatabaseConfig>,
    /// What this service shows to the adapters, and which of them it trusts.
    pub(crate) adapter_tls: Option<ClientTls>,
    pub(crate) feed_batch_size: u32,
    pub(crate) adapter_timeout: Duration,
    pub(crate) sources: HashMap<String, Source>,
    /// Where the files of a source are fetched from, by source.
    pub(crate) locations: HashMap<String, RemoteLocation>,
    pub(crate) plans: HashMap<String, Plan>,
    pub(crate) retry: RetryTimes,
    pub(crate) alerts: AlertSettings,
    pub(crate) ready: ReadyPolicy,
    pub(crate) webhooks: WebhookSettings,
    /// Where the journal is published; `None` without NATS.
    pub(crate) stream: Option<StreamSettings>,
}

/// The settings of one replica among several.
pub(crate) struct ReplicaSettings {
    /// Its name, which no other replica has; `None` when the service chooses one.
    pub(crate) name: Option<String>,
    /// How long its claims last without a renewal.
    pub(crate) lease: Duration,
}

/// A database behind an adapter.
pub(crate) struct DatabaseConfig {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) role: Role,
}

impl Config {
    /// Reads the settings, and reports every fault at once.
    ///
    /// # Errors
    /// When a key is missing, wrong or unknown.
    pub fn read(settings: Settings) -> Result<Self, ConfigError> {
        let config = Self::from_root(&settings.root());
        settings.finish()?;
        Ok(config)
    }

    /// How this process logs.
    pub fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    /// The servers that files are fetched from, by host and port.
    pub(crate) fn hosts(&self) -> HashSet<String> {
        let locations = self.locations.values();
        locations.filter_map(RemoteLocation::host).collect()
    }

    pub(crate) fn database_names(&self) -> Vec<String> {
        self.databases.iter().map(|one| one.name.clone()).collect()
    }

    fn from_root(root: &Section<'_>) -> Self {
        let import = root.section("import");
        let spool = root.section("spool");
        let holds = root.section("holds");
        let feed = root.section("feed");
        let jobs = root.section("jobs");
        let report = root.section("report");
        let section = root.section("server");
        let mut server = ServerConfig::read(&section, ServerDefaults::at("127.0.0.1:50051"));
        if !section.has("default_timeout_ms") {
            // A file takes its time to upload, and most callers forget to set a deadline.
            server.default_timeout = server.max_timeout;
        }
        let adapter_tls = ClientTls::read(root, "adapter_tls");
        let plans = returns_sources::schedule::plans(root);
        let mut alerts = AlertSettings::read(&root.section("alerts"));
        alerts.header.time_zone = alerts.header.time_zone.or_else(|| shared_zone(&plans));
        Self {
            two_people: two_people(&root.section("two_people")),
            access: Access::read(&root.section("access"), server.listen),
            server,
            telemetry: TelemetryConfig::read(root),
            store: StoreSettings::read(&root.section("database")),
            spool_folder: spool.string("folder").into(),
            spool_identity: spool.required_secret("identity").unwrap_or_default(),
            spool_recipients: recipients(&spool),
            bucket: BucketSettings::read(root),
            report_pauses: RetryPauses {
                first: report.duration_ms_or("retry_first_ms", 1_000, 10..=60_000),
                longest: report.duration_ms_or("retry_longest_ms", 60_000, 10..=3_600_000),
            },
            journal: JournalSettings::read(root),
            max_file_bytes: import.u64_or("max_file_bytes", 2 << 30, 1..=1 << 40),
            batch_size: small(import.u64_or("batch_size", 1_000, 1..=10_000)),
            concurrent: small(import.u64_or("concurrent", 4, 1..=64)),
            holds: RetryPolicy {
                first: holds.duration_ms_or("retry_first_ms", 60_000, 10..=86_400_000),
                longest: holds.duration_ms_or("retry_longest_ms", 3_600_000, 10..=604_800_000),
            },
            hold_limits: HoldLimits::read(&holds),
            replica: replica(&root.section("replica")),
            databases: databases(root, adapter_tls.as_ref()),
            adapter_tls,
            feed_batch_size: u32::try_from(feed.u64_or("batch_size", 1_000, 1..=10_000))
                .unwrap_or(1_000),
            adapter_timeout: feed.duration_ms_or("timeout_ms", 30_000, 100..=600_000),
            sources: returns_import::source::read(root),
            locations: returns_sources::read(root),
            plans,
            retry: RetryTimes {
                first: jobs.duration_ms_or("retry_first_ms", 30_000, 10..=86_400_000),
                longest: jobs.duration_ms_or("retry_longest_ms", 600_000, 10..=86_400_000),
                missing: jobs.duration_ms_or("retry_missing_ms", 300_000, 10..=86_400_000),
            },
            alerts,
            ready: ReadyPolicy::read(&root.section("reversals")),
            webhooks: WebhookSettings::read(&root.section("webhooks")),
            stream: StreamSettings::read(root),
        }
    }
}

/// The zone of the plans, if they share one.
fn shared_zone(plans: &HashMap<String, Plan>) -> Option<Tz> {
    let mut zones = plans.values().map(Plan::zone);
    let first = zones.next()?;
    zones.all(|zone| zone == first).then_some(first)
}

fn two_people(section: &Section<'_>) -> TwoPeople {
    let most = || section.u64_or("dismiss_over_minor", 0, 0..=1 << 50);
    TwoPeople {
        adopt_cursor: section.bool_or("adopt_cursor", false),
        dismiss_over_minor: section
            .has("dismiss_over_minor")
            .then(|| i64::try_from(most()).unwrap_or(i64::MAX)),
    }
}

/// A number that its range keeps small enough for any machine.
fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn recipients(spool: &Section<'_>) -> Vec<age::x25519::Recipient> {
    let mut recipients = Vec::new();
    for text in spool.strings_or("recipients", &[]) {
        match text.trim().parse() {
            Ok(recipient) => recipients.push(recipient),
            // A private key put here by mistake must not be shown.
            Err(fault) => spool.fault(
                "recipients",
                format!("must hold public age keys (age1…) only: {fault}"),
            ),
        }
    }
    recipients
}

fn replica(section: &Section<'_>) -> ReplicaSettings {
    let name = section.optional_string("name");
    if let Some(name) = &name
        && (name.is_empty() || name.len() > 200 || name.chars().any(char::is_control))
    {
        section.fault("name", "must have 1 to 200 bytes and no control character");
    }
    ReplicaSettings {
        name,
        lease: section.duration_ms_or("lease_ms", 5_000, 500..=600_000),
    }
}

fn databases(root: &Section<'_>, tls: Option<&ClientTls>) -> Vec<DatabaseConfig> {
    let roles = [
        ("system_of_record", Role::SystemOfRecord),
        ("mirror", Role::Mirror),
    ];
    let mut databases: Vec<DatabaseConfig> = root
        .sections("databases")
        .into_iter()
        .map(|(name, section)| {
            let address = section.string("adapter");
            if !address.is_empty()
                && let Err(why) = Connection::new(&address, tls)
            {
                section.fault("adapter", why);
            }
            DatabaseConfig {
                name,
                address,
                role: section.one_of("role", &roles, None),
            }
        })
        .collect();
    let leading = databases
        .iter()
        .filter(|db| db.role == Role::SystemOfRecord)
        .count();
    if leading != 1 {
        root.fault(
            "databases",
            format!("exactly one database has role = \"system_of_record\", not {leading}"),
        );
    }
    databases
        .sort_by(|a, b| (a.role == Role::Mirror, &a.name).cmp(&(b.role == Role::Mirror, &b.name)));
    databases
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use echeck_service::config::everything_on;
    use echeck_test_servers::certificates::{TestCa, Valid};

    use super::*;

    fn load(text: &str, variables: &HashMap<&str, &str>) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("returns-service.toml");
        std::fs::write(&path, text).unwrap();
        let variables = variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Settings::load(Some(&path), variables).and_then(Config::read)
    }

    #[test]
    fn the_example_has_no_unknown_key_and_no_fault() {
        // Files that are not on this machine.
        let folder = tempfile::tempdir().unwrap();
        let ca = TestCa::new();
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        ca.issue(&["localhost"], Valid::Now)
            .write(folder.path(), "server");
        let there = folder.path().display().to_string();
        let text = include_str!("../example.toml")
            .replace("/etc/echeck/tls", &there)
            .replace("\nidentity_file", "\n#")
            .replace("\nsecret_access_key_file", "\n#")
            .replace("\nsigning_key_file", "\n#")
            .replace("\nprivate_key_file", "\n#");
        let variables = HashMap::from([
            ("ECHECK__SPOOL__IDENTITY", "AGE-SECRET-KEY-1"),
            ("ECHECK__BUCKET__SECRET_ACCESS_KEY", "secret"),
            ("ECHECK__SOURCES__WORLDPAY_RETURNS__SFTP__PRIVATE_KEY", "k"),
        ]);
        let config = load(&text, &variables).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.sources.len(), 4);
        assert_eq!(config.databases.len(), 2);
        assert_eq!((config.locations.len(), config.plans.len()), (2, 1));
    }

    /// docs/configuration.md has every key.
    #[test]
    fn the_document_of_the_configuration_has_every_key() {
        let example = include_str!("../example.toml");
        let settings = Settings::from_toml(&everything_on(example)).unwrap();
        let _ = Config::from_root(&settings.root());
        let table = settings.document(example);
        assert!(!table.contains("|  |\n"), "each key has words");
        echeck_test_servers::document::check_part("configuration.md", "returns-service", &table);
    }

    #[test]
    fn every_fault_is_reported_with_its_key_and_no_secret() {
        let text = "[server]\nlisten = \"nowhere\"\n[spool]\nidentity = \"CANARY\"\n\
                    recipients = [\"AGE-SECRET-KEY-CANARY\"]\n[bucket]\nurl = \"s3://returns\"\n\
                    secret_access_key = \"CANARY\"\n\
                    [database]\nurl = \"mysql://ann:CANARY@db/returns\"\nmax_connections = 0\n\
                    [replica]\nlease_ms = 1\nname = \"\\u0007\"\n\
                    [import]\nbatch_size = 0\n[databases.a]\nadapter = \"http://x\"\n\
                    role = \"mirror\"\n[sources.a]\nformat = \"word\"\nmatch = [\"x\"]\n\
                    colour = 1\n";
        let Err(error) = load(text, &HashMap::new()) else {
            panic!("full of faults")
        };
        let said = error.to_string();
        for key in [
            "server.listen",
            "database.url",
            "database.max_connections",
            "replica.lease_ms",
            "replica.name",
            "spool.folder",
            "spool.recipients",
            "bucket.access_key_id",
            "import.batch_size",
            "databases",
            "sources.a.format",
            "sources.a.match",
            "sources.a.colour",
        ] {
            assert!(said.contains(key), "{key} is missing in: {said}");
        }
        assert!(!said.contains("CANARY"));
    }
}
