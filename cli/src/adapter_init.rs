//! `echeck adapter init`: a first mapping for a database that nobody has mapped yet.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use echeck_adapter::apply::Target;
use echeck_adapter::check::check;
use echeck_adapter::config::{AdapterConfig, TargetConfig};
use echeck_adapter::dialect::{Access, PoolLimits, TargetDatabase};
use echeck_adapter::proposal::{Doubt, Proposal};
use echeck_adapter::target_url::TargetUrl;
use echeck_service::config::Settings;
use secrecy::SecretString;
use serde_json::json;

use crate::exit;
use crate::output::{bold, out, print_json};
use crate::words::shell_word;

/// What to do for an adapter.
#[derive(Debug, Args)]
pub(crate) struct AdapterArguments {
    #[command(subcommand)]
    command: AdapterCommand,
}

#[derive(Debug, Subcommand)]
enum AdapterCommand {
    /// Look at a database, and write a mapping with what is doubtful about it.
    #[command(
        after_help = "Examples:\n  echeck adapter init gateway --url-file gateway.url\n  \
        echeck adapter init mirror --url sqlite:app.db --table payments --out app.toml\n\n\
        It reads the database and changes nothing in it.\n\n\
        Exit codes: 0 nothing is doubtful, 2 a person must look first, 1 nothing can be proposed"
    )]
    Init(InitArguments),
}

/// Which database, and what for.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// What the database is.
    role: TargetRole,
    /// Its address (postgres://…, mysql://…, sqlite:…).
    #[arg(
        long,
        value_name = "URL",
        env = "ECHECK__TARGET__URL",
        hide_env_values = true,
        required_unless_present = "url_file"
    )]
    url: Option<String>,
    /// A file with the address, so that its password stands on no command line.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    url_file: Option<PathBuf>,
    /// The table. Default: the one that looks most like payments.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Where to write it. Default: gateway-adapter.toml or rallypay-adapter.toml.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TargetRole {
    /// The system of record: transfers, which get reversals.
    Gateway,
    /// An app that repeats what the system of record has.
    Mirror,
}

impl TargetRole {
    const fn program(self) -> &'static str {
        match self {
            Self::Gateway => "gateway-adapter",
            Self::Mirror => "rallypay-adapter",
        }
    }

    fn read(self, settings: &Settings) -> AdapterConfig {
        match self {
            Self::Gateway => gateway_adapter::read_config(settings),
            Self::Mirror => rallypay_adapter::read_config(settings),
        }
    }
}

/// Proposes a mapping. Returns the exit code.
pub(crate) async fn run(arguments: AdapterArguments, as_json: bool) -> Result<u8> {
    let AdapterCommand::Init(arguments) = arguments.command;
    let (role, table) = (arguments.role, arguments.table.as_deref());
    let url = arguments.url()?;
    let shown = url.to_string();
    let database = open(url.clone()).await?;
    let mut session = database.begin(Access::Read).await?;
    let proposed = match role {
        TargetRole::Gateway => gateway_adapter::proposal::propose(&mut *session, table).await,
        TargetRole::Mirror => rallypay_adapter::proposal::propose(&mut *session, table).await,
    };
    session.roll_back().await;
    let proposal = proposed.with_context(|| format!("nothing can be proposed for {shown}"))?;
    let file = arguments.file(&url, &proposal);
    let path = arguments
        .out
        .unwrap_or_else(|| PathBuf::from(format!("{}.toml", role.program())));
    let faults = faults(role, database, &proposal).await?;
    let mut written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| {
            let path = path.display();
            format!(
                "{path} cannot be written; it is never overwritten: name another one with --out"
            )
        })?;
    written.write_all(file.as_bytes())?;
    let said = Said {
        path: path.display().to_string(),
        shown,
        program: role.program(),
        doubts: proposal.doubts(),
        faults: &faults,
    };
    match as_json {
        true => said.print_json()?,
        false => said.print()?,
    }
    let is_sure = proposal.doubts().is_empty() && faults.is_empty();
    Ok(exit::ok_if(is_sure, exit::NEEDS_ATTENTION))
}

async fn open(url: TargetUrl) -> Result<Arc<dyn TargetDatabase>> {
    let target = TargetConfig {
        url: Some(url),
        create_tables: false,
        limits: PoolLimits {
            max_connections: 4,
            busy_timeout: std::time::Duration::from_secs(5),
        },
    };
    Ok(target.open().await?)
}

/// What `--check` says of the mapping as it is proposed.
async fn faults(
    role: TargetRole,
    database: Arc<dyn TargetDatabase>,
    proposal: &Proposal,
) -> Result<Vec<String>> {
    let text = format!("[target]\nurl = \"sqlite:unused.db\"\n{}", proposal.toml());
    let settings = Settings::from_toml(&text).context("the proposal cannot be read")?;
    let config = role.read(&settings);
    if let Err(faults) = settings.finish() {
        return Ok(vec![faults.to_string()]);
    }
    let target = Target::new(database, config.mapping, config.name);
    Ok(check(&target).await.faults)
}

impl InitArguments {
    fn url(&self) -> Result<TargetUrl> {
        let text = match (&self.url, &self.url_file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => {
                let read = std::fs::read_to_string(file);
                let text = read.with_context(|| format!("{} cannot be read", file.display()))?;
                text.trim().to_owned()
            }
            (None, None) => bail!("--url or --url-file is required"),
        };
        TargetUrl::parse(&SecretString::from(text))
            .map_err(|fault| anyhow::anyhow!("--url {fault}"))
    }

    /// The file, without a password.
    fn file(&self, url: &TargetUrl, proposal: &Proposal) -> String {
        let target = match (&self.url_file, url) {
            (Some(file), _) => format!("url_file = {}", json!(file.display().to_string())),
            (None, TargetUrl::Sqlite(path)) => {
                format!("url = {}", json!(format!("sqlite:{}", path.display())))
            }
            (None, TargetUrl::Postgres(_) | TargetUrl::Mysql(_)) => {
                "# Set ECHECK__TARGET__URL, or url_file to a file that only the adapter reads."
                    .to_owned()
            }
        };
        format!(
            "# Proposed from {url}. The other keys have their defaults: see {}'s example.toml.\n\n\
             [target]\n{target}\n\n{}",
            self.role.program(),
            proposal.toml()
        )
    }
}

/// What was written, and what to look at.
struct Said<'a> {
    path: String,
    shown: String,
    program: &'static str,
    doubts: &'a [Doubt],
    faults: &'a [String],
}

impl Said<'_> {
    fn print_json(&self) -> std::io::Result<()> {
        let doubts: Vec<_> = self
            .doubts
            .iter()
            .map(|doubt| json!({ "key": doubt.key, "what": doubt.what }))
            .collect();
        print_json(&json!({
            "file": self.path,
            "target": self.shown,
            "doubts": doubts,
            "faults": self.faults,
        }))
    }

    fn print(&self) -> std::io::Result<()> {
        writeln!(out(), "{} has a mapping for {}.", self.path, self.shown)?;
        if !self.doubts.is_empty() {
            writeln!(out(), "\n{}", bold("Look at these first"))?;
        }
        for doubt in self.doubts {
            writeln!(out(), "- {}: {}.", doubt.key, doubt.what)?;
        }
        if !self.faults.is_empty() {
            writeln!(out(), "\n{}", bold("--check says of it as it is"))?;
        }
        for fault in self.faults {
            writeln!(out(), "- {fault}")?;
        }
        writeln!(out(), "\nThen prove it with one transfer; nothing is kept:")?;
        let (program, path) = (self.program, shell_word(&self.path));
        out().command(&format!("{program} --config {path} --check --try TRANSFER"))
    }
}
