//! `crash`: see the library.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use echeck_crash::campaign::{self, Plan};
use echeck_crash::rig::Backend;
use echeck_crash::{fault, matrix, report, self_test};
use indicatif::{ProgressBar, ProgressStyle};

/// Kills everything at any moment, and checks that nothing was lost and nothing doubled.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Where the binaries are.
    #[arg(long, global = true, default_value = "target/crash-bin")]
    binaries: PathBuf,
    /// Which databases.
    #[arg(long, global = true, value_enum, default_value = "servers")]
    backend: Backend,
    /// Where every choice comes from.
    #[arg(long, global = true, default_value_t = 20_261_121)]
    seed: u64,
    /// Keep databases and logs when something is wrong.
    #[arg(long, global = true)]
    keep: bool,
    /// The summary as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Random faults under load.
    Run {
        /// How many.
        #[arg(long, default_value_t = 300)]
        kills: u64,
        /// The round to begin with, to replay a part of a campaign.
        #[arg(long, default_value_t = 0)]
        first_round: u64,
        /// Only this fault, instead of the usual mix.
        #[arg(long, value_enum)]
        fault: Option<fault::Kind>,
    },
    /// Every failpoint with every action, one small import each.
    Matrix {
        /// Only this action.
        #[arg(long, value_enum)]
        action: Option<matrix::Action>,
    },
    /// Plants known bugs, one at a time: the campaign must go red for each.
    SelfTest {
        /// The most faults for one bug.
        #[arg(long, default_value_t = 240)]
        kills: u64,
        /// Only this bug.
        #[arg(long)]
        bug: Option<String>,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        code = execute(&cli) => code,
        // The rig ends its processes when it is dropped.
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        _ = asked.recv() => Ok(ExitCode::from(143)),
    }
}

async fn execute(cli: &Cli) -> Result<ExitCode> {
    match &cli.command {
        Command::Run {
            kills,
            first_round,
            fault,
        } => {
            let mut plan = plan(cli, *kills, *first_round);
            if let Some(only) = fault {
                plan.weights = BTreeMap::from([(*only, 1)]);
            }
            let outcome = campaign::run(&plan, &bar(cli, *kills)?).await?;
            if cli.json {
                say(&report::json(&plan, &outcome).to_string())?;
            } else {
                say(&report::text(&plan, &outcome))?;
            }
            Ok(code(outcome.failed_at.is_none()))
        }
        Command::Matrix { action } => {
            let bar = bar(cli, matrix::length(*action))?;
            let outcome = matrix::run(&plan(cli, 0, 0), *action, &bar).await?;
            if cli.json {
                say(&report::matrix_json(&outcome).to_string())?;
            } else {
                say(&report::matrix(&outcome))?;
            }
            Ok(code(
                outcome.findings.violations.is_empty() && outcome.missed.is_empty(),
            ))
        }
        Command::SelfTest { kills, bug } => {
            let plan = plan(cli, *kills, 0);
            let all = self_test::run(&plan, bug.as_deref(), &bar(cli, 10)?).await?;
            if cli.json {
                say(&report::self_test_json(&all).to_string())?;
            } else {
                say(&report::self_test(&all))?;
            }
            Ok(code(all.iter().all(self_test::Caught::is_right)))
        }
    }
}

fn plan(cli: &Cli, kills: u64, first_round: u64) -> Plan {
    Plan {
        seed: cli.seed,
        kills,
        stretch: campaign::STRETCH,
        first_round,
        backend: cli.backend,
        binaries: cli.binaries.clone(),
        weights: fault::usual(),
        way: None,
        environment: Vec::new(),
        keep: cli.keep,
    }
}

fn bar(cli: &Cli, length: u64) -> Result<ProgressBar> {
    if cli.json {
        return Ok(ProgressBar::hidden());
    }
    let style = "[{bar:40}] {pos}/{len}, {elapsed} gone, {eta} to go, {msg}";
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(style)?))
}

fn code(right: bool) -> ExitCode {
    if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
