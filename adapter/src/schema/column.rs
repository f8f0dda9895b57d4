//! A column that values are bound for.

use sea_query::{ColumnName, DynIden, Expr, ExprTrait as _, TableName};

use super::Kind;
use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::timestamp::TimestampFormat;

/// A column of the target that was found in the live schema, so that values can be bound
/// in the form it takes.
#[derive(Debug, Clone)]
pub struct Column {
    pub(super) table: Identifier,
    pub(super) name: Identifier,
    pub(super) kind: Kind,
    pub(super) dialect: Dialect,
    pub(super) format: TimestampFormat,
    pub(super) nullable: bool,
}

impl Column {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// Whether it may be NULL.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.nullable
    }

    /// The name for lists of columns (`SET`, `INSERT INTO … (…)`).
    #[must_use]
    pub fn iden(&self) -> DynIden {
        DynIden::from(&self.name)
    }

    /// The column in an expression, qualified by its table. Qualified, because SQLite takes
    /// a lone `"name"` that it does not know for a string.
    #[must_use]
    pub fn expr(&self) -> Expr {
        let table = TableName(None, DynIden::from(&self.table));
        Expr::col(ColumnName(Some(table), self.iden()))
    }

    /// The condition that the column holds this id; `None` when it cannot hold it.
    #[must_use]
    pub fn is_id(&self, id: &str) -> Option<Expr> {
        self.id(id).map(|value| self.expr().eq(value))
    }

    /// An id in the form the column takes; `None` when it cannot hold it (a column of
    /// integers and an id with leading zeros, say).
    #[must_use]
    pub fn id(&self, id: &str) -> Option<Expr> {
        match self.kind {
            Kind::Integer => {
                let number: i64 = id.parse().ok()?;
                (number.to_string() == id).then(|| Expr::val(number))
            }
            Kind::Text
            | Kind::Decimal
            | Kind::Real
            | Kind::Boolean
            | Kind::Timestamp
            | Kind::Date
            | Kind::Json
            | Kind::Uuid
            | Kind::Blob
            | Kind::Untyped
            | Kind::Other => Some(self.dialect.bind_text(self.kind, id)),
        }
    }

    /// Text (or JSON as text) in the form the column takes.
    #[must_use]
    pub fn text(&self, text: &str) -> Expr {
        self.dialect.bind_text(self.kind, text)
    }

    /// An instant in the form the column takes.
    #[must_use]
    pub fn instant(&self, at: chrono::DateTime<chrono::Utc>) -> Expr {
        self.dialect.bind_instant(self.kind, self.format, at)
    }
}
