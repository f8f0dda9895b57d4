//! Compares the mapping with the live schema, and remembers for a moment that it fits.
//!
//! Reading the catalog costs more than a lookup does, and the schema of a target changes a few
//! times a year. So what was read is used for [`REMEMBERED_FOR`]. What fails on a remembered schema
//! is tried again on the live one before it is reported or recorded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::apply::Target;
use crate::check::OWN_TABLES;
use crate::dialect::{DbError, Dialect, TargetSession};
use crate::mapping::Mapping;
use crate::schema::Fitting;

/// How long a schema is used without reading it again.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);

/// A mapping that fits the live schema.
pub struct Fitted {
    /// The mapping.
    pub mapping: Box<dyn Mapping>,
    /// What is slow or risky.
    pub warnings: Vec<String>,
}

/// Why a mapping could not be used on the target.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// It does not fit the live schema; every fault.
    #[error("the mapping does not fit the target: {}", .0.join("; "))]
    Misfit(Vec<String>),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Which schema a mapping may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaAge {
    /// As the database shows it in this transaction.
    Live,
    /// As it was at most [`REMEMBERED_FOR`] ago.
    Recent,
}

/// The mapping as it fitted last.
#[derive(Default)]
pub(crate) struct LastFit(Mutex<Option<(Instant, Arc<Fitted>)>>);

impl LastFit {
    fn recent(&self) -> Option<Arc<Fitted>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, fitted) = last.as_ref()?;
        (at.elapsed() < REMEMBERED_FOR).then(|| Arc::clone(fitted))
    }

    fn remember(&self, fitted: Option<(Instant, Arc<Fitted>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fitted;
    }
}

impl Target {
    /// The mapping, and whether its schema was read in this transaction or is remembered.
    pub(crate) async fn fit(
        &self,
        session: &mut dyn TargetSession,
        at_most: SchemaAge,
    ) -> Result<(Arc<Fitted>, SchemaAge), FitError> {
        if at_most == SchemaAge::Recent
            && let Some(fitted) = self.last_fit.recent()
        {
            return Ok((fitted, SchemaAge::Recent));
        }
        // The age counts from before the reading.
        let now = Instant::now();
        let fitted = Arc::new(self.fit_live(session).await?);
        self.last_fit.remember(Some((now, Arc::clone(&fitted))));
        Ok((fitted, SchemaAge::Live))
    }

    /// Reads the schema again the next time.
    pub(crate) fn forget_schema(&self) {
        self.last_fit.remember(None);
    }

    /// Compares the mapping with the live schema.
    ///
    /// # Errors
    /// When it does not fit, with every fault, or when the database does not answer.
    pub async fn fit_live(&self, session: &mut dyn TargetSession) -> Result<Fitted, FitError> {
        let settings = self.mapping.settings();
        if let Some(schema) = session.describe(&settings.table).await? {
            let mut fitting = Fitting::new(&schema, settings);
            let mapping = self.mapping.fit(&mut fitting);
            let warnings = fitting.finish().map_err(FitError::Misfit)?;
            return Ok(Fitted { mapping, warnings });
        }
        if let Some(what) = session.namesake(&settings.table).await? {
            let table = settings.table.as_str();
            return Err(FitError::Misfit(vec![format!("{table:?} is {what}")]));
        }
        // Our own tables do not help to find the right one.
        let mut names = session.table_names().await?;
        names.retain(|name| !OWN_TABLES.contains(&name.as_str()));
        // MySQL hides a table from an account that has no right to it.
        let visible = match self.database.dialect() {
            Dialect::Mysql => " that this account has a right to",
            Dialect::Postgres | Dialect::Sqlite => "",
        };
        Err(FitError::Misfit(vec![format!(
            "the target has no table {:?}{visible}; it has: {}",
            settings.table.as_str(),
            names.join(", ")
        )]))
    }
}
