//! What an alert says beside its cause: the money at stake, when the acquirer deletes the file, the
//! last good run, and the command to try again.

use ach::money::Money;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use returns_model::check::{Check, Diagnosis, counted};
use returns_model::import::{Tally, Totals};
use returns_model::incident::{Area, Problem, Subject};
use returns_model::run_outcome::RunOutcome;
use returns_store::{ImportFilter, StoreError};

use super::examiner::Examiner;
use super::likelier;
use crate::diagnoser::Diagnoser;
use crate::diagnosis::probe::PATIENCE;

/// Files that show what a usual one holds.
const USUAL: u32 = 20;
/// Rows that are added up to say what a database lacks.
const ROWS: u32 = 1_000;

#[async_trait]
impl Diagnoser for Examiner {
    async fn diagnose(&self, problem: &Problem) -> Diagnosis {
        let source = problem.source.as_deref().or(match &problem.subject {
            Subject::Source(name) | Subject::Day { source: name, .. } => Some(name.as_str()),
            Subject::Host(_)
            | Subject::Import(_)
            | Subject::Database(_)
            | Subject::Bucket
            | Subject::Store
            | Subject::Journal
            | Subject::Machine
            | Subject::Service
            | Subject::Holds
            | Subject::Spool
            | Subject::Stream
            | Subject::Channel(_)
            | Subject::Endpoint(_) => None,
        });
        // The alert leaves without what the database does not answer in time.
        let known = tokio::time::timeout(PATIENCE, self.stake_and_last_good(problem, source));
        let (found, known) = tokio::join!(self.examine(source), known);
        let checks: Vec<Check> = found.into_iter().map(|found| found.check).collect();
        let (stake, last_good) = known.ok().and_then(Result::ok).unwrap_or_default();
        Diagnosis {
            headline_cause: likelier(&problem.cause, &checks.iter().collect::<Vec<_>>()).cloned(),
            checks,
            stake,
            expires: source.and_then(|source| self.expires(source, problem.at)),
            last_good,
            command: Some(match source {
                Some(source) => format!("echeck run {source}"),
                None => "echeck diagnose".to_owned(),
            }),
        }
    }
}

impl Examiner {
    /// What only the returns database knows.
    async fn stake_and_last_good(
        &self,
        problem: &Problem,
        source: Option<&str>,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        let stake = match (&problem.subject, problem.cause.area(), &problem.import_id) {
            (Subject::Database(database), _, _) => self.lacking(database).await?,
            (_, Area::Import | Area::Bucket, Some(import_id)) => self.read_by(import_id).await?,
            (Subject::Source(source) | Subject::Day { source, .. }, _, _) => {
                self.usual(source).await?
            }
            (Subject::Host(_), _, _) => match source {
                Some(source) => self.usual(source).await?,
                None => None,
            },
            _ => None,
        };
        let last_good = match source {
            Some(source) => self.last_good(source).await?,
            None => None,
        };
        Ok((stake, last_good))
    }

    /// What a usual file of the source holds.
    async fn usual(&self, source: &str) -> Result<Option<String>, StoreError> {
        let of_source = ImportFilter {
            source: Some(source.to_owned()),
            ..ImportFilter::default()
        };
        let imports = self.store.imports(&of_source, USUAL).await?;
        let read: Vec<Tally> = imports
            .iter()
            .map(|import| import.totals.read)
            .filter(|read| read.count > 0)
            .collect();
        let Some(most) = read.iter().map(|read| read.amount_minor).max() else {
            return Ok(None);
        };
        let files = read.len() as u64;
        let entries: u64 = read.iter().map(|read| read.count).sum();
        let money = read
            .iter()
            .fold(0_i64, |sum, read| sum.saturating_add(read.amount_minor));
        let average = money / i64::try_from(read.len()).unwrap_or(i64::MAX);
        Ok(Some(format!(
            "a file has {} and {} on average, {} at most (last {})",
            counted(entries / files, "entry", "entries"),
            amount(average),
            amount(most),
            counted(files, "file", "files")
        )))
    }

    /// What an import has read.
    async fn read_by(&self, import_id: &str) -> Result<Option<String>, StoreError> {
        let import = self.store.import(import_id).await?;
        Ok(import.map(|import| {
            let Totals { read, .. } = import.totals;
            let entries = counted(read.count, "entry", "entries");
            format!("{entries}, {}", amount(read.amount_minor))
        }))
    }

    /// What a database does not have yet.
    async fn lacking(&self, database: &str) -> Result<Option<String>, StoreError> {
        let position = self.store.progress(database).await?.position;
        let rows = self.store.rows_after(position, ROWS).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let money = rows.iter().fold(0_i64, |sum, row| {
            sum.saturating_add(row.row.transfer.amount.minor())
        });
        let least = if rows.len() == ROWS as usize {
            "at least "
        } else {
            ""
        };
        let decisions = counted(rows.len() as u64, "decision", "decisions");
        Ok(Some(format!(
            "{least}{decisions} not applied there yet, {}",
            amount(money)
        )))
    }

    async fn last_good(&self, source: &str) -> Result<Option<String>, StoreError> {
        let good = [
            RunOutcome::Completed,
            RunOutcome::CompletedWithExceptions,
            RunOutcome::FileLate,
        ];
        let run = self.store.last_run(source, &good).await?;
        Ok(run.map(|run| {
            format!(
                "{} ({})",
                run.new.started_at.format("%Y-%m-%d %H:%M UTC"),
                run.new.run_id
            )
        }))
    }

    /// When the acquirer deletes what is there now.
    fn expires(&self, source: &str, at: DateTime<Utc>) -> Option<String> {
        let days = self.retention_days.get(source)?;
        let from = at + TimeDelta::days(i64::from(*days));
        Some(format!(
            "the acquirer deletes a file after {days} days: a file of today after {}",
            from.format("%Y-%m-%d")
        ))
    }
}

/// An amount for people. Everything that is imported is in US dollars.
fn amount(minor: i64) -> String {
    Money::cents(minor).to_string()
}
