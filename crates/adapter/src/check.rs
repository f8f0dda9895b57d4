//! The check of a target: whether it answers, and whether the mapping fits it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_query::{Alias, Expr, ExprTrait as _, Query};

use crate::apply::Target;
use crate::dialect::{Access, DatabaseFacts, DbError, SqlStatement, TargetSession};
use crate::fit::FitError;
use crate::identifier::Identifier;
use crate::mapping::Mapping;
use crate::schema::MappedColumn;
use crate::trial::{self, TrialGround};
use crate::{adopt, cursor, identity, needs, progress};

/// The adapter's own tables in the target.
pub(crate) const OWN_TABLES: [&str; 4] = [
    cursor::TABLE,
    identity::TABLE,
    progress::TABLE,
    adopt::TABLE,
];

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
    /// Why the table takes no change, as the database says it.
    unwritable: Option<String>,
    /// Whether it answers and accepts no writes.
    pub read_only: bool,
    /// Version and time; `None` when the target does not answer.
    pub facts: Option<DatabaseFacts>,
}

/// Checks that the target answers, looks for the adapter's own tables, and compares the mapping
/// with the live schema.
pub async fn check(target: &Target) -> TargetCheck {
    let mut found = look(target).await;
    found.faults.extend(found.unwritable.take());
    found
}

async fn look(target: &Target) -> TargetCheck {
    let mut found = TargetCheck::default();
    if let Err(error) = check_into(target, &mut found).await {
        found.read_only = matches!(error, DbError::ReadOnly(_));
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
    let mut found = look(target).await;
    if found.faults.is_empty()
        && let Err(error) = check_writes(target, try_transfer, now, &mut found).await
    {
        found.faults.push(error.to_string());
    }
    let unwritable = found.unwritable.take();
    // A fault by its key says more.
    if found.faults.is_empty() {
        found.faults.extend(unwritable);
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
    /// The target has not answered in time.
    pub(crate) fn unanswered(within: Duration) -> Self {
        Self {
            faults: vec![format!(
                "the target has not answered the check within {} ms: it is busy, or its tables are \
                 locked",
                within.as_millis()
            )],
            ..Self::default()
        }
    }

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
            try_to_write(target, &*fitted.mapping, found).await?;
        }
        Err(FitError::Misfit(faults)) => found.faults.extend(faults),
        Err(FitError::Db(error)) => return Err(error),
    }
    Ok(())
}

/// A target may answer and take no writes. Nothing that is written is kept.
async fn try_to_write(
    target: &Target,
    mapping: &dyn Mapping,
    found: &mut TargetCheck,
) -> Result<(), DbError> {
    if found.missing_tables.contains(&cursor::TABLE) {
        return Ok(());
    }
    let mut session = target.database.begin(Access::Write).await?;
    let known = identity::read(&mut *session, &target.adapter)
        .await
        .map(drop);
    let table = &target.mapping.settings().table;
    let locked = match (&known, mapping.needs().updated.first()) {
        (Ok(()), Some(column)) => touch_table(&mut *session, table, column).await,
        _ => Ok(()),
    };
    // Last, so that the row which every batch needs is kept for the shortest time. A transaction
    // in which a statement failed takes no other.
    let written = match (&known, &locked) {
        (Ok(()), Ok(())) => cursor::touch(&mut *session, &target.adapter).await,
        _ => Ok(()),
    };
    session.roll_back().await;
    let written = match known.and(written) {
        // Somebody is writing.
        Err(DbError::Conflict(_)) => Ok(()),
        other => other,
    };
    match locked {
        Err(DbError::Conflict(_)) => {
            let fault = format!("another session has locked the table {:?}", table.as_str());
            found.faults.push(fault);
        }
        Err(error @ DbError::ReadOnly(_)) => return Err(error),
        Err(error) => found.unwritable = Some(error.to_string()),
        Ok(()) => {}
    }
    written
}

/// Takes the lock that a change of a row takes on its table, and changes none.
async fn touch_table(
    session: &mut dyn TargetSession,
    table: &Identifier,
    column: &MappedColumn,
) -> Result<(), DbError> {
    let name = column.name();
    let mut update = Query::update();
    update
        .table(Alias::new(table.as_str()))
        .value(
            Alias::new(name.as_str()),
            Expr::col(Alias::new(name.as_str())),
        )
        .and_where(Expr::val(1).eq(0));
    session
        .execute(SqlStatement::Update(update))
        .await
        .map(drop)
}
