//! What each adapter adds to the shared part: how a change is written into the tables of one
//! particular database, and how its rows are read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_proto::adapter::v1::{FundingPolicy, KeyMatches, StepExceptionKind};
use serde_json::Value;

use crate::batch::{AppliedStep, KeyKind, LookupKey, TransferChange};
use crate::dialect::{DbError, TargetSession};
use crate::identifier::Identifier;
use crate::row_filter::RowFilter;
use crate::schema::{Fitting, MappedColumn};
use crate::timestamp::TimestampFormat;

/// What every mapping configures.
#[derive(Debug, Clone)]
pub struct MappingSettings {
    /// The name of the mapping's profile, such as `finix`.
    pub profile: &'static str,
    /// What counts as funded; unspecified for a mirror.
    pub funding_policy: FundingPolicy,
    /// `table`: the table that the mapping is about.
    pub table: Identifier,
    /// The section of the configuration that names its columns, such as `transfers.columns`.
    pub columns_section: &'static str,
    /// `timestamp_format`: how instants are written into text columns.
    pub timestamp_format: TimestampFormat,
}

/// A configured mapping that was not yet compared with the live schema.
pub trait MappingConfig: Send + Sync + 'static {
    /// What every mapping configures.
    fn settings(&self) -> &MappingSettings;
    /// Compares the mapping with the live table; the mapping given back is used only when no
    /// fault was recorded.
    fn fit(&self, fitting: &mut Fitting<'_>) -> Box<dyn Mapping>;
}

/// What a mapping needs of its table, for a check that changes nothing.
#[derive(Default)]
pub struct MappingNeeds<'a> {
    /// Every column, all of which are read.
    pub read: Vec<&'a MappedColumn>,
    /// The columns of a row that changes.
    pub updated: Vec<&'a MappedColumn>,
    /// The columns of a row that is added.
    pub inserted: Vec<&'a MappedColumn>,
    /// The words and numbers that the configuration names.
    pub words: Vec<ConfiguredWord<'a>>,
    /// The columns that get ids which the returns service makes, each with an example.
    pub new_ids: Vec<(&'a MappedColumn, &'static str)>,
}

/// A word or a number of the configuration that stands in a column.
pub struct ConfiguredWord<'a> {
    /// The key that names it, with its section.
    pub key: String,
    /// The column.
    pub column: &'a MappedColumn,
    /// The word or the number.
    pub value: Value,
    /// Whether it is written there; else it is only compared.
    pub is_written: bool,
}

/// A mapping that fits the schema it is used on. It lives for one transaction.
///
/// Changes come in groups, in which no transfer is named twice. So their order does not matter,
/// and a few statements can write them all.
#[async_trait]
pub trait Mapping: Send + Sync {
    /// What it needs of its table. A mapping of a test keeps this default.
    fn needs(&self) -> MappingNeeds<'_> {
        MappingNeeds::default()
    }

    /// The column by which it finds the rows of changes, if locks on them are to be looked for.
    fn key(&self) -> Option<&MappedColumn> {
        None
    }

    /// Which rows of the table are payments, if not all.
    fn filter(&self) -> Option<&RowFilter> {
        None
    }

    /// The keys of the rows that a change is about.
    fn rows_of<'c>(&self, change: &'c TransferChange) -> Vec<&'c str> {
        vec![change.transfer_id()]
    }

    /// Writes a group at `now`, which may be long after it was decided. True when every change hit
    /// exactly the rows it was meant for. Otherwise the caller undoes what was written, and asks
    /// [`Self::examine`] why.
    ///
    /// # Errors
    /// [`DbError::Refused`] when the database refuses one of the changes; the caller finds out
    /// which. Every other error fails the whole batch.
    async fn write(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
        now: DateTime<Utc>,
    ) -> Result<bool, DbError>;

    /// Reads and locks the rows that a group is about, and returns for each change why it cannot
    /// be written; `None` where nothing is in its way.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn examine(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
    ) -> Result<Vec<Option<Obstacle>>, DbError>;

    /// Says for each step that took effect what the target shows instead; `None` where it still
    /// shows.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn verify(
        &self,
        session: &mut dyn TargetSession,
        steps: &[AppliedStep],
    ) -> Result<Vec<Option<String>>, DbError>;

    /// Finds transfers: one list for each key, in the order of the keys.
    ///
    /// # Errors
    /// See [`LookupError`]. A mirror keeps this default.
    async fn lookup(
        &self,
        session: &mut dyn TargetSession,
        keys: &[LookupKey],
    ) -> Result<Vec<KeyMatches>, LookupError> {
        let _ = (session, keys);
        Err(LookupError::Unsupported)
    }
}

/// Why one change cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Why, in one word.
    pub kind: ObstacleKind,
    /// Why, in a sentence.
    pub message: String,
}

impl Obstacle {
    /// The transfer is no longer as it was decided on.
    pub fn moved_on(message: impl Into<String>) -> Self {
        Self::new(ObstacleKind::MovedOn, message)
    }

    /// The target has no such transfer.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ObstacleKind::NotFound, message)
    }

    /// The database refuses the change.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ObstacleKind::Refused, message)
    }

    fn new(kind: ObstacleKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }
}

/// Why a change had no effect. Its text is recorded in the target's `echeck_exceptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ObstacleKind {
    /// The transfer is no longer as it was decided on.
    MovedOn,
    /// The target has no such transfer.
    NotFound,
    /// The database refused the change.
    Refused,
}

impl ObstacleKind {
    /// The word that is recorded.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl From<ObstacleKind> for StepExceptionKind {
    fn from(kind: ObstacleKind) -> Self {
        match kind {
            ObstacleKind::MovedOn => Self::MovedOn,
            ObstacleKind::NotFound => Self::NotFound,
            ObstacleKind::Refused => Self::Refused,
        }
    }
}

/// Why a lookup failed.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The target is a mirror.
    #[error("this target is a mirror; look transfers up in the system of record")]
    Unsupported,
    /// The mapping has no column for a kind of key.
    #[error("keys[{index}]: the mapping has no column for {}; set {setting}", kind.as_str())]
    NotMapped {
        /// Which key of the request.
        index: usize,
        /// The kind of key.
        kind: KeyKind,
        /// The setting that would map it.
        setting: &'static str,
    },
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}
