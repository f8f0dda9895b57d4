//! The check of a target: whether it answers, and whether the mapping fits it.

use chrono::{DateTime, Utc};

use crate::apply::Target;
use crate::dialect::{Access, DatabaseFacts, DbError};
use crate::fit::FitError;
use crate::trial::{self, TrialGround};
use crate::{adopt, cursor, needs, progress};

/// The adapter's own tables in the target.
pub(crate) const OWN_TABLES: [&str; 3] = [cursor::TABLE, progress::TABLE, adopt::TABLE];

/// What a check of the target found.
#[derive(Debug, Clone, Default)]
pub struct TargetCheck {
    /// What is wrong, each a sentence.
    pub faults: Vec<String>,
    /// What is slow or risky.
    pub warnings: Vec<String>,
    /// Which of the adapter's own tables are missing. That is not a fault by itself.
    pub missing_tables: Vec<&'static str>,
    /// What was tried with a transfer, and worked.
    pub tried: Vec<&'static str>,
    /// Version and time; `None` when the target does not answer.
    pub facts: Option<DatabaseFacts>,
}

/// Checks that the target answers, looks for the adapter's own tables, and compares the mapping
/// with the live schema.
pub async fn check(target: &Target) -> TargetCheck {
    let mut found = TargetCheck::default();
    if let Err(error) = check_into(target, &mut found).await {
        found.faults.push(error.to_string());
    }
    found
}

/// Checks what [`check`] does, then whether the account, the types and the constraints take what
/// the mapping writes; with a transfer, tries everything with it. Nothing is kept.
pub async fn check_deeply(
    target: &Target,
    try_transfer: Option<&str>,
    now: DateTime<Utc>,
) -> TargetCheck {
    let mut found = check(target).await;
    if found.faults.is_empty()
        && let Err(error) = check_writes(target, try_transfer, now, &mut found).await
    {
        found.faults.push(error.to_string());
    }
    found
}

async fn check_writes(
    target: &Target,
    try_transfer: Option<&str>,
    now: DateTime<Utc>,
    found: &mut TargetCheck,
) -> Result<(), DbError> {
    let mut session = target.database.begin(Access::Write).await?;
    let Ok(fitted) = target.fit_live(&mut *session).await else {
        return Ok(());
    };
    let mapping = &*fitted.mapping;
    needs::check(target, &mut *session, mapping, found).await?;
    if let Some(id) = try_transfer {
        let ground = TrialGround {
            dialect: target.database.dialect(),
            mapping,
            now,
        };
        trial::try_transfer(&mut *session, ground, id, found).await?;
    }
    session.roll_back().await;
    Ok(())
}

impl TargetCheck {
    /// Turns the adapter's missing tables into a fault, for when the adapter does not create
    /// them.
    pub(crate) fn demanding_own_tables(mut self) -> Self {
        if !self.missing_tables.is_empty() {
            self.faults.push(format!(
                "the adapter's own tables are missing in the target: {}; let the adapter create \
                 them (target.create_tables), or run its owned_tables.sql once and give its \
                 account the rights to them",
                self.missing_tables.join(", ")
            ));
        }
        self
    }
}

async fn check_into(target: &Target, found: &mut TargetCheck) -> Result<(), DbError> {
    found.facts = Some(target.database.facts().await?);
    let mut session = target.database.begin(Access::Read).await?;
    let tables = session.table_names().await?;
    found.missing_tables = OWN_TABLES
        .into_iter()
        .filter(|own| !tables.iter().any(|table| table == own))
        .collect();
    let fitted = target.fit_live(&mut *session).await;
    session.roll_back().await;
    match fitted {
        Ok(fitted) => {
            found.warnings = fitted.warnings;
            try_to_write(target, found).await?;
        }
        Err(FitError::Misfit(faults)) => found.faults.extend(faults),
        Err(FitError::Db(error)) => return Err(error),
    }
    Ok(())
}

/// A target may answer and take no writes. Nothing that is written is kept.
async fn try_to_write(target: &Target, found: &TargetCheck) -> Result<(), DbError> {
    if found.missing_tables.contains(&cursor::TABLE) {
        return Ok(());
    }
    let mut session = target.database.begin(Access::Write).await?;
    let written = cursor::touch(&mut *session, &target.adapter).await;
    session.roll_back().await;
    match written {
        // Somebody is writing.
        Err(DbError::Conflict(_)) => Ok(()),
        other => other,
    }
}
