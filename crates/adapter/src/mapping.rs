//! What an adapter of its own adds to the shared part: how a change is written into the
//! tables of one particular database, and how its rows are read.

use async_trait::async_trait;
use echeck_proto::adapter::v1::{FundingPolicy, StepExceptionKind, Transfer};

use crate::batch::{Change, Key, KeyKind};
use crate::dialect::{DbError, Session};
use crate::identifier::Identifier;
use crate::schema::TableSchema;

/// A configured mapping that was not yet compared with the live schema.
pub trait Plan: Send + Sync + 'static {
    /// The name of the mapping's profile, such as `finix`.
    fn profile(&self) -> &str;
    /// What counts as funded; unspecified for a mirror.
    fn funding_policy(&self) -> FundingPolicy;
    /// The table that the mapping is about.
    fn table(&self) -> &Identifier;
    /// Compares the mapping with the live table.
    ///
    /// # Errors
    /// Every fault, each a sentence that names table, column or setting.
    fn fit(&self, schema: &TableSchema) -> Result<Fitted, Vec<String>>;
}

/// A mapping that fits the live schema.
pub struct Fitted {
    /// The mapping.
    pub mapping: Box<dyn Mapping>,
    /// What is not wrong, but slow or risky.
    pub warnings: Vec<String>,
}

/// A mapping that fits the schema it is used on. It lives for one transaction.
///
/// Changes come as a wave, in which no transfer is named twice, so that their order does not
/// matter and a few statements can write them all.
#[async_trait]
pub trait Mapping: Send + Sync {
    /// Writes a wave; true when every change hit just the rows it was meant for. Otherwise
    /// the caller undoes what was written, and asks [`Self::examine`] why.
    ///
    /// # Errors
    /// [`DbError::Refused`] when the database refuses one of the changes; the caller finds
    /// out which. Every other error fails the whole batch.
    async fn write(&self, session: &mut dyn Session, changes: &[&Change]) -> Result<bool, DbError>;

    /// Looks at the rows that a wave is about, locks them, and says of each change why it
    /// cannot be written; `None` where nothing is in its way.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn examine(
        &self,
        session: &mut dyn Session,
        changes: &[&Change],
    ) -> Result<Vec<Option<Finding>>, DbError>;

    /// Finds transfers, one list for each key, in the order of the keys.
    ///
    /// # Errors
    /// See [`LookupError`]. A mirror keeps this default.
    async fn lookup(
        &self,
        session: &mut dyn Session,
        keys: &[Key],
    ) -> Result<Vec<Vec<Transfer>>, LookupError> {
        let _ = (session, keys);
        Err(LookupError::Unsupported)
    }
}

/// Why one change cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Why, in one word.
    pub kind: ExceptionKind,
    /// Why, in a sentence.
    pub message: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(kind: ExceptionKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// Why a change had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionKind {
    /// The transfer is no longer as it was decided on.
    MovedOn,
    /// The target has no such transfer.
    NotFound,
    /// The database refused the change.
    Refused,
}

impl ExceptionKind {
    /// The word kept in the target's `echeck_exceptions`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MovedOn => "MOVED_ON",
            Self::NotFound => "NOT_FOUND",
            Self::Refused => "REFUSED",
        }
    }

    /// The word of the contract.
    #[must_use]
    pub const fn to_proto(self) -> StepExceptionKind {
        match self {
            Self::MovedOn => StepExceptionKind::MovedOn,
            Self::NotFound => StepExceptionKind::NotFound,
            Self::Refused => StepExceptionKind::Refused,
        }
    }

    /// Reads the word kept in the target.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::MovedOn, Self::NotFound, Self::Refused]
            .into_iter()
            .find(|kind| kind.as_str() == word)
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
