//! The mapping as configured, and its check against the live table.

use async_trait::async_trait;
use echeck_adapter::batch::Change;
use echeck_adapter::config::{ColumnNames, identifier};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::identifier::Identifier;
use echeck_adapter::mapping::{Finding, Fitted, Mapping, Plan};
use echeck_adapter::schema::{Column, Fitting, TableSchema, Want};
use echeck_adapter::timestamp::TimestampFormat;
use echeck_proto::adapter::v1::FundingPolicy;
use echeck_service::config::Section;

use crate::change;
use crate::status::Statuses;

/// The Rails app's mapping as configured.
#[derive(Debug, Clone)]
pub struct RallyPayPlan {
    table: Identifier,
    format: TimestampFormat,
    names: Names,
    statuses: Statuses,
}

/// The names of the columns; those that are `Option` can be switched off.
#[derive(Debug, Clone)]
struct Names {
    transfer_id: Identifier,
    status: Identifier,
    failure_code: Option<Identifier>,
    failure_description: Option<Identifier>,
    returned_at: Option<Identifier>,
    updated_at: Option<Identifier>,
    /// Rails locks optimistically when a table has the column.
    lock_version: IfThere,
    reversal_ready_at: IfThere,
}

/// A column that not every app has, so that whether it is there is looked up. One that the
/// configuration names must be there: a typo would let a concurrent save overwrite a return
/// unseen, say.
#[derive(Debug, Clone)]
enum IfThere {
    Off,
    Used(Identifier),
    Required(Identifier),
}

impl IfThere {
    fn read(columns: &mut ColumnNames<'_>, key: &str) -> Self {
        let named = columns.names(key);
        match columns.optional(key, key) {
            None => Self::Off,
            Some(name) if named => Self::Required(name),
            Some(name) => Self::Used(name),
        }
    }

    fn fit(&self, fit: &mut Fitting<'_>, key: &str, want: Want) -> Option<Column> {
        match self {
            Self::Off => None,
            Self::Used(name) if fit.schema().column(name).is_none() => None,
            Self::Used(name) | Self::Required(name) => fit.write_if(key, Some(name), want),
        }
    }
}

impl Names {
    fn read(mut columns: ColumnNames<'_>) -> Self {
        let names = Self {
            transfer_id: columns.required("transfer_id", "transfer_id"),
            status: columns.required("status", "status"),
            failure_code: columns.optional("failure_code", "failure_code"),
            failure_description: columns.optional("failure_description", "failure_description"),
            returned_at: columns.optional("returned_at", "returned_at"),
            updated_at: columns.optional("updated_at", "updated_at"),
            lock_version: IfThere::read(&mut columns, "lock_version"),
            reversal_ready_at: IfThere::read(&mut columns, "reversal_ready_at"),
        };
        columns.finish();
        names
    }
}

impl RallyPayPlan {
    /// Reads `[transactions]`.
    #[must_use]
    pub fn read(root: &Section<'_>) -> Self {
        let section = root.section("transactions");
        let formats = [
            ("rails", TimestampFormat::Rails),
            ("rfc3339", TimestampFormat::Rfc3339),
        ];
        Self {
            table: identifier(&section, "table", "transactions"),
            format: section.one_of("timestamp_format", &formats, Some(TimestampFormat::Rails)),
            names: Names::read(ColumnNames::read(section.section("columns"))),
            statuses: Statuses::read(&section),
        }
    }
}

impl Plan for RallyPayPlan {
    fn profile(&self) -> &'static str {
        "rallypay"
    }

    fn funding_policy(&self) -> FundingPolicy {
        FundingPolicy::Unspecified
    }

    fn table(&self) -> &Identifier {
        &self.table
    }

    fn fit(&self, schema: &TableSchema) -> Result<Fitted, Vec<String>> {
        let mut fit = Fitting::new(schema, &self.table, "transactions.columns", self.format);
        let names = &self.names;
        fit.should_be_unique("transfer_id", &names.transfer_id);
        let description = names.failure_description.as_ref();
        let columns = Columns {
            transfer_id: fit.read("transfer_id", &names.transfer_id, Want::Id),
            status: fit.write("status", &names.status, self.statuses.kind.want()),
            failure_code: fit.write_if("failure_code", names.failure_code.as_ref(), Want::Text),
            failure_description: fit.write_if("failure_description", description, Want::Text),
            returned_at: fit.write_if("returned_at", names.returned_at.as_ref(), Want::Timestamp),
            updated_at: fit.write_if("updated_at", names.updated_at.as_ref(), Want::Timestamp),
            lock_version: names
                .lock_version
                .fit(&mut fit, "lock_version", Want::Integer),
            reversal_ready_at: names.reversal_ready_at.fit(
                &mut fit,
                "reversal_ready_at",
                Want::Timestamp,
            ),
        };
        let warnings = fit.finish()?;
        let table = self.table.clone();
        let mapping = RallyPayMapping {
            table,
            columns,
            statuses: self.statuses.clone(),
        };
        Ok(Fitted {
            mapping: Box::new(mapping),
            warnings,
        })
    }
}

/// The columns of the live table.
pub(crate) struct Columns {
    pub(crate) transfer_id: Column,
    pub(crate) status: Column,
    pub(crate) failure_code: Option<Column>,
    pub(crate) failure_description: Option<Column>,
    pub(crate) returned_at: Option<Column>,
    pub(crate) updated_at: Option<Column>,
    pub(crate) lock_version: Option<Column>,
    pub(crate) reversal_ready_at: Option<Column>,
}

/// The mapping on a live table. It has no lookup: the gateway is the system of record.
pub(crate) struct RallyPayMapping {
    pub(crate) table: Identifier,
    pub(crate) columns: Columns,
    pub(crate) statuses: Statuses,
}

#[async_trait]
impl Mapping for RallyPayMapping {
    async fn write(&self, session: &mut dyn Session, changes: &[&Change]) -> Result<bool, DbError> {
        change::write(self, session, changes).await
    }

    async fn examine(
        &self,
        session: &mut dyn Session,
        changes: &[&Change],
    ) -> Result<Vec<Option<Finding>>, DbError> {
        change::examine(self, session, changes).await
    }
}
