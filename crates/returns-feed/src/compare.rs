//! Whether a database is what its feed made of it: the exceptions recorded here are those that it
//! recorded, and the rows that it took still show. Both move meanwhile, so what differs counts only
//! when nothing about it is on its way.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use echeck_proto::adapter::v1 as proto;
use returns_model::follower::RowException;
use returns_model::journal::JournalRow;
use returns_store::StoreError;

use super::step::step;
use super::{Feed, FeedError};

/// Rows that are compared together.
const ROWS: u32 = 1_000;

/// Positions whose exceptions are compared together.
const POSITIONS: u64 = 10_000;

/// A row that a database took, and that no longer shows there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingReturn {
    pub database: String,
    pub transfer_id: String,
    pub position: u64,
    /// What the database shows instead.
    pub what: String,
}

/// What the comparison of some rows found.
#[derive(Debug, Default)]
pub struct Compared {
    /// The position of the last of them.
    pub to: u64,
    pub rows: u64,
    pub missing: Vec<MissingReturn>,
}

impl Feed {
    /// How many rows the database has taken for certain: it says so, and it is recorded here.
    async fn taken(&self) -> Result<u64, FeedError> {
        let cursor = self.adapter.progress(u64::MAX).await?.cursor;
        let recorded = self.store.progress(self.database()).await?.position;
        Ok(cursor.map_or(0, |cursor| cursor.position).min(recorded))
    }

    /// A sentence for each exception that is recorded here and not in the database, or there and
    /// not here.
    ///
    /// # Errors
    /// When the returns database or the adapter does not answer.
    pub async fn check_exceptions(&self) -> Result<Vec<String>, FeedError> {
        let taken = self.taken().await?;
        let mut faults = Vec::new();
        let (mut after, mut asked_from) = (0, Some(0));
        let mut told: VecDeque<RowException> = VecDeque::new();
        while after < taken {
            let to = after.saturating_add(POSITIONS).min(taken);
            while let Some(from) = asked_from
                && told.back().is_none_or(|last| last.position <= to)
            {
                let answer = self.adapter.progress(from).await?;
                told.extend(self.row_exceptions(&answer.exceptions)?);
                let last = told.back().map_or(from, |last| last.position);
                asked_from = answer.has_more.then_some(last);
            }
            let mut here = BTreeMap::new();
            while let Some(exception) = told.pop_front_if(|one| one.position <= to) {
                here.insert(exception.position, exception);
            }
            for heard in self.store.exceptions(self.database(), after, to).await? {
                let position = heard.position;
                match here.remove(&position) {
                    Some(told) if is_same(&told, &heard) => {}
                    Some(_) => faults.push(self.fault(position, "is not as the database has it")),
                    None => faults.push(self.fault(position, "was never recorded by the database")),
                }
            }
            let missing = here.into_keys();
            faults.extend(missing.map(|at| self.fault(at, "is in the database, but not here")));
            after = to;
        }
        // A database that was restored meanwhile has fewer.
        if !faults.is_empty() && self.taken().await? < taken {
            faults.clear();
        }
        Ok(faults)
    }

    fn fault(&self, position: u64, what: &str) -> String {
        let database = self.database();
        format!("{database}: the exception of position {position} {what}")
    }

    /// Compares what the database shows with the next rows after a position; `None` when it has
    /// taken no more.
    ///
    /// # Errors
    /// When the returns database or the adapter does not answer.
    pub async fn compare(&self, after: u64) -> Result<Option<Compared>, FeedError> {
        let taken = self.taken().await?;
        let mut rows = self.store.rows_after(after, ROWS).await?;
        rows.retain(|row| row.position <= taken);
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let mut compared = Compared {
            to: last.position,
            ..Compared::default()
        };
        let steps = self.applied_steps(&rows, taken).await?;
        compared.rows = steps.len() as u64;
        if steps.is_empty() {
            return Ok(Some(compared));
        }
        let found = self.adapter.verify(steps).await?;
        let mut missing = Vec::new();
        for one in found {
            let row = rows.iter().find(|row| row.position == one.position);
            let row = row.ok_or_else(|| {
                self.contract(format!("step {}, which was not asked for", one.position))
            })?;
            missing.push(MissingReturn {
                database: self.database().to_owned(),
                transfer_id: row.row.transfer.id.clone(),
                position: one.position,
                what: one.message,
            });
        }
        compared.missing = self.settled(missing, taken).await?;
        Ok(Some(compared))
    }

    /// Those of the rows that took effect in the database and change something there.
    async fn applied_steps(
        &self,
        rows: &[JournalRow],
        taken: u64,
    ) -> Result<Vec<proto::AppliedStep>, StoreError> {
        let mut ids: Vec<String> = rows.iter().map(|row| row.row.transfer.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut all = self.store.rows_of(&ids).await?;
        all.retain(|row| row.position <= taken);
        let positions: Vec<u64> = all.iter().map(|row| row.position).collect();
        let exceptions = self.store.exceptions_at(&positions).await?;
        let ours = [self.database(), self.system_of_record.as_str()];
        let without_effect: HashSet<u64> = exceptions
            .iter()
            .filter(|(database, _)| ours.contains(&database.as_str()))
            .map(|(_, exception)| exception.position)
            .collect();
        let applied = |row: &JournalRow| {
            let step = step(row, self.database(), &[], None);
            (step.change.is_some() && !without_effect.contains(&row.position)).then_some(step)
        };
        let mut last_status: HashMap<&str, u64> = HashMap::new();
        for row in &all {
            let effect = &row.row.effect;
            if (effect.is_return() || effect.is_later_stage()) && applied(row).is_some() {
                last_status.insert(&row.row.transfer.id, row.position);
            }
        }
        let steps = rows.iter().filter_map(|row| {
            let last = last_status.get(row.row.transfer.id.as_str());
            Some(proto::AppliedStep {
                step: Some(applied(row)?),
                followed: last.is_some_and(|last| *last > row.position),
            })
        });
        Ok(steps.collect())
    }

    /// Leaves out what the database may show for another reason: it was restored meanwhile, or
    /// more about the transfer is on its way to it.
    async fn settled(
        &self,
        mut missing: Vec<MissingReturn>,
        taken: u64,
    ) -> Result<Vec<MissingReturn>, FeedError> {
        if missing.is_empty() || self.taken().await? < taken {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = missing.iter().map(|one| one.transfer_id.clone()).collect();
        let rows = self.store.rows_of(&ids).await?;
        let moving: HashSet<&str> = rows
            .iter()
            .filter(|row| row.position > taken)
            .map(|row| row.row.transfer.id.as_str())
            .collect();
        missing.retain(|one| !moving.contains(one.transfer_id.as_str()));
        Ok(missing)
    }
}

/// PostgreSQL has no NUL in texts.
fn is_same(told: &RowException, heard: &RowException) -> bool {
    let text = |one: &RowException| one.message.replace('\0', "\u{fffd}");
    told.kind == heard.kind && text(told) == text(heard)
}
