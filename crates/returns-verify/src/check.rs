//! One check of everything that is recorded, step by step, so that a caller can watch it and memory
//! does not depend on how long the journal is.

use std::collections::BTreeMap;
use std::sync::Arc;

use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_feed::{Feed, FeedError, MissingReturn};
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::journal::{Checkpoint, Head, Verifier};
use returns_store::{Store, StoreError};

use crate::audit::AuditCheck;
use crate::checkpoint::Checkpoints;
use crate::{exceptions, imports};

/// Rows of the journal, or imports, that a step reads together.
const ROWS: u32 = 1_000;
const IMPORTS: u32 = 100;

/// The last checkpoints that a check compares. The last alone stands for all before it; more of
/// them say where a change began.
const CHECKPOINTS: usize = 100;

/// The maximum number of missing returns that are listed.
const MAX_MISSING: usize = 100;

/// Checks the returns database, and the databases behind the adapters.
pub struct JournalChecker {
    pub store: Arc<dyn Store>,
    /// The database whose refusals an import's totals count.
    pub system_of_record: String,
    /// The system of record first.
    pub feeds: Vec<Arc<Feed>>,
    /// `None` without a key that signs.
    pub checkpoints: Option<Arc<Checkpoints>>,
    pub incidents: IncidentReporter,
    pub clock: SharedClock,
}

/// What a check has found so far.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Journal rows checked.
    pub checked: u64,
    /// Where the journal ended when the check began.
    pub head_position: u64,
    /// A sentence for each fault.
    pub faults: Vec<String>,
    /// A sentence for each thing that could not be checked.
    pub unchecked: Vec<String>,
    /// The position up to which a signed checkpoint proves the rows.
    pub proven_position: u64,
    /// Why the rows after that are not proven, if there are any.
    pub end_unproven: Option<String>,
    /// Rows compared with the databases.
    pub compared: u64,
    /// The first applied returns that no longer show.
    pub missing: Vec<MissingReturn>,
    /// All of them, by database.
    pub missing_in: BTreeMap<String, MissingIn>,
}

/// The applied returns that no longer show in one database.
#[derive(Debug, Clone)]
pub struct MissingIn {
    pub count: u64,
    /// What is missing of the first.
    pub first: String,
}

impl Verdict {
    /// Whether everything was checked and nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.unchecked.is_empty()
    }

    /// How many applied returns no longer show.
    pub fn missing_count(&self) -> u64 {
        self.missing_in.values().map(|missing| missing.count).sum()
    }

    fn add_missing(&mut self, missing: Vec<MissingReturn>) {
        for one in missing {
            let first = || MissingIn {
                count: 0,
                first: one.what.clone(),
            };
            let database = self.missing_in.entry(one.database.clone());
            database.or_insert_with(first).count += 1;
            if self.missing.len() < MAX_MISSING {
                self.missing.push(one);
            }
        }
    }
}

/// A check that is going on.
pub struct Check<'a> {
    checker: &'a JournalChecker,
    /// Whether the databases are compared with the journal, too.
    targets: bool,
    head: Head,
    verifier: Verifier,
    verdict: Verdict,
    /// Until its turn comes.
    audit: Option<AuditCheck>,
    next: Step,
}

/// What is checked next.
enum Step {
    Rows,
    Audit(AuditCheck),
    Databases,
    Imports { after: String },
    Targets { feed: usize, after: u64 },
    Done,
}

impl JournalChecker {
    /// Begins a check of everything that is recorded by now.
    ///
    /// # Errors
    /// When the returns database does not answer.
    pub async fn begin(&self, targets: bool) -> Result<Check<'_>, StoreError> {
        let mut verdict = Verdict::default();
        let journal_id = self.store.head().await?.journal_id;
        let mut signed = Vec::new();
        // The bucket is read before the end of the journal, since both only grow.
        match &self.checkpoints {
            None => {
                verdict.end_unproven = Some(
                    "no journal.signing_key is configured, so nothing proves that no rows were \
                     removed from the end, or that the hashes were not computed again"
                        .to_owned(),
                );
            }
            Some(checkpoints) => match checkpoints.of(journal_id, CHECKPOINTS).await {
                Ok(found) => signed = found,
                Err(error) => {
                    let what = format!("the checkpoints cannot be read: {}", ErrorChain(&error));
                    verdict.unchecked.push(what);
                }
            },
        }
        let head = self.store.head().await?;
        verdict.head_position = head.position;
        let (counting, others): (Vec<_>, Vec<_>) = signed.into_iter().partition(Result::is_ok);
        let counting: Vec<Checkpoint> = counting.into_iter().flatten().collect();
        let audit_head = self.store.audit_head().await?;
        let audit = AuditCheck::new(journal_id, audit_head, counting.clone());
        let mut verifier = Verifier::new(journal_id, counting);
        for why in others.into_iter().filter_map(Result::err) {
            verifier.fault(why);
        }
        Ok(Check {
            checker: self,
            targets,
            head,
            verifier,
            verdict,
            audit: Some(audit),
            next: Step::Rows,
        })
    }

    /// Reports what a check has found as incidents, and what it has found to be right.
    pub fn report(&self, verdict: &Verdict, targets: bool) {
        let now = self.clock.now();
        if let Some(first) = verdict.faults.first() {
            let cause = Cause::JournalNotSound {
                what: first.clone(),
                count: verdict.faults.len() as u64,
            };
            let problem = Problem::new(Subject::Journal, cause, now);
            self.incidents.report(problem);
        } else if verdict.is_sound() {
            self.incidents.clear(Subject::Journal, Area::Integrity, now);
        }
        if !targets {
            return;
        }
        for feed in &self.feeds {
            let database = feed.database();
            let subject = Subject::Database(database.to_owned());
            if let Some(missing) = verdict.missing_in.get(database) {
                let cause = Cause::ReturnsNotShown {
                    database: database.to_owned(),
                    what: missing.first.clone(),
                    count: missing.count,
                };
                self.incidents.report(Problem::new(subject, cause, now));
            } else if verdict.is_sound() {
                self.incidents.clear(subject, Area::Integrity, now);
            }
        }
    }
}

impl Check<'_> {
    /// What was found so far.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Checks the next part; false once everything was checked. The verdict is reported then.
    ///
    /// # Errors
    /// When the returns database does not answer.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        self.next = match std::mem::replace(&mut self.next, Step::Done) {
            Step::Rows => self.rows().await?,
            Step::Audit(audit) => self.audit(audit).await?,
            Step::Databases => self.databases().await?,
            Step::Imports { after } => self.imports(after).await?,
            Step::Targets { feed, after } => self.targets(feed, after).await?,
            Step::Done => return Ok(false),
        };
        self.verdict.faults = self.verifier.faults().to_vec();
        if matches!(self.next, Step::Done) {
            self.checker.report(&self.verdict, self.targets);
            return Ok(false);
        }
        Ok(true)
    }

    async fn rows(&mut self) -> Result<Step, StoreError> {
        let (position, _) = self.verifier.reached();
        let read = self.checker.store.stored_rows(position, ROWS).await;
        let mut rows = self.unless_unreadable(read)?.unwrap_or_default();
        rows.retain(|row| row.position <= self.head.position);
        for row in &rows {
            self.verifier.check(row);
        }
        self.verdict.checked += rows.len() as u64;
        if !rows.is_empty() {
            return Ok(Step::Rows);
        }
        self.verifier.finish(&self.head);
        let proven = self.verifier.proven();
        self.verdict.proven_position = proven;
        if proven < self.head.position && self.verdict.end_unproven.is_none() {
            self.verdict.end_unproven = Some(match proven {
                0 => "the bucket has no checkpoint that proves any row".to_owned(),
                _ => format!("the rows after position {proven} are newer than the last checkpoint"),
            });
        }
        Ok(self.audit.take().map_or(Step::Databases, Step::Audit))
    }

    async fn audit(&mut self, mut audit: AuditCheck) -> Result<Step, StoreError> {
        let read = audit.step(&*self.checker.store).await;
        let Some(faults) = self.unless_unreadable(read)?.flatten() else {
            for fault in audit.finish() {
                self.verifier.fault(fault);
            }
            return Ok(Step::Databases);
        };
        for fault in faults {
            self.verifier.fault(fault);
        }
        Ok(Step::Audit(audit))
    }

    /// Each database's own cursor must be on a row of this journal, with that row's hash, and what
    /// had no effect there must be what is recorded here.
    async fn databases(&mut self) -> Result<Step, StoreError> {
        let checker = self.checker;
        for feed in &checker.feeds {
            let checked = feed.check_cursor().await;
            self.unless_unavailable(feed, checked)?;
            let checked = feed.check_exceptions().await;
            for fault in self.unless_unavailable(feed, checked)?.unwrap_or_default() {
                self.verifier.fault(fault);
            }
            let read = exceptions::check(&*checker.store, feed.database()).await;
            for fault in self.unless_unreadable(read)?.unwrap_or_default() {
                self.verifier.fault(fault);
            }
        }
        let after = String::new();
        Ok(Step::Imports { after })
    }

    async fn imports(&mut self, after: String) -> Result<Step, StoreError> {
        let store = &*self.checker.store;
        let read = store.counted_imports(&after, IMPORTS).await;
        let page = self.unless_unreadable(read)?.unwrap_or_default();
        let Some(last) = page.last().map(|last| last.import_id.clone()) else {
            return Ok(if self.targets {
                Step::Targets { feed: 0, after: 0 }
            } else {
                Step::Done
            });
        };
        for import in &page {
            let read = imports::check(store, &self.checker.system_of_record, import).await;
            for fault in self.unless_unreadable(read)?.unwrap_or_default() {
                self.verifier.fault(fault);
            }
        }
        Ok(Step::Imports { after: last })
    }

    async fn targets(&mut self, at: usize, after: u64) -> Result<Step, StoreError> {
        let Some(feed) = self.checker.feeds.get(at) else {
            return Ok(Step::Done);
        };
        let next = Step::Targets {
            feed: at + 1,
            after: 0,
        };
        let compared = feed.compare(after).await;
        let Some(compared) = self.unless_unavailable(feed, compared)?.flatten() else {
            return Ok(next);
        };
        self.verdict.compared += compared.rows;
        self.verdict.add_missing(compared.missing);
        Ok(Step::Targets {
            feed: at,
            after: compared.to,
        })
    }

    /// What was read; a fault when it cannot be read, since that is just what the check is for.
    fn unless_unreadable<T>(
        &mut self,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ StoreError::Unreadable { .. }) => {
                self.verifier.fault(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What a database answered. That it does not answer is no fault of the journal.
    fn unless_unavailable<T>(
        &mut self,
        feed: &Feed,
        answer: Result<T, FeedError>,
    ) -> Result<Option<T>, StoreError> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(FeedError::Store(error)) => return self.unless_unreadable(Err(error)),
            Err(error) => error,
        };
        let what = ErrorChain(&error).to_string();
        match error {
            FeedError::Adapter(_) => {
                let what = format!("{}: {what}", feed.database());
                if !self.verdict.unchecked.contains(&what) {
                    self.verdict.unchecked.push(what);
                }
            }
            FeedError::OtherJournal { .. }
            | FeedError::Foreign { .. }
            | FeedError::OtherVersion { .. }
            | FeedError::Ahead { .. }
            | FeedError::Diverged { .. }
            | FeedError::NoRow(_)
            | FeedError::Unreadable { .. }
            | FeedError::Contract { .. }
            | FeedError::NoSource(_)
            | FeedError::Decide(_)
            | FeedError::Store(_) => self.verifier.fault(what),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_return_is_counted_for_its_database_though_not_all_are_listed() {
        let missing = |database: &str, count: u64| {
            let one = |position| MissingReturn {
                database: database.to_owned(),
                transfer_id: format!("TR{position}"),
                position,
                what: format!("row {position}"),
            };
            (1..=count).map(one).collect::<Vec<_>>()
        };
        let mut verdict = Verdict::default();
        verdict.add_missing(missing("gateway", 5_000));
        verdict.add_missing(missing("rallypay", 40));
        assert_eq!(verdict.missing.len(), MAX_MISSING);
        assert_eq!(verdict.missing_count(), 5_040);
        let of_mirror = &verdict.missing_in["rallypay"];
        assert_eq!((of_mirror.count, &*of_mirror.first), (40, "row 1"));
    }
}
