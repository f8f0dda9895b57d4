//! The check of a target: does it answer, and does the mapping fit it.

use crate::apply::{FitError, Target};
use crate::dialect::{Access, DbError, Facts};
use crate::{adopt, cursor, progress};

/// The adapter's own tables in the target.
pub(crate) const OWN_TABLES: [&str; 3] = [cursor::TABLE, progress::TABLE, adopt::TABLE];

/// What a check of the target found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong, each a sentence.
    pub faults: Vec<String>,
    /// What is slow or risky.
    pub warnings: Vec<String>,
    /// Which of the adapter's own tables are not there.
    pub missing_tables: Vec<&'static str>,
    /// Version and time; `None` when the target does not answer.
    pub facts: Option<Facts>,
}

/// Checks that the target answers, looks for the adapter's own tables, and compares the
/// mapping with the live schema. A missing table of the adapter is no fault by itself.
pub async fn check(target: &Target) -> Report {
    let mut report = Report::default();
    if let Err(error) = check_into(target, &mut report).await {
        report.faults.push(error.to_string());
    }
    report
}

impl Report {
    /// Turns the adapter's missing tables into a fault, for when nobody will make them.
    #[must_use]
    pub fn demanding_own_tables(mut self) -> Self {
        if !self.missing_tables.is_empty() {
            self.faults.push(format!(
                "the adapter's own tables are missing in the target: {}; let the adapter make \
                 them (target.create_tables), or run its owned_tables.sql once and give its \
                 account the rights to them",
                self.missing_tables.join(", ")
            ));
        }
        self
    }
}

async fn check_into(target: &Target, report: &mut Report) -> Result<(), DbError> {
    report.facts = Some(target.database.facts().await?);
    let mut session = target.database.begin(Access::Read).await?;
    let tables = session.table_names().await?;
    report.missing_tables = OWN_TABLES
        .into_iter()
        .filter(|own| !tables.iter().any(|table| table == own))
        .collect();
    let fitted = target.fit(&mut *session).await;
    session.roll_back().await;
    match fitted {
        Ok(fitted) => report.warnings = fitted.warnings,
        Err(FitError::Misfit(faults)) => report.faults.extend(faults),
        Err(FitError::Db(error)) => return Err(error),
    }
    Ok(())
}
