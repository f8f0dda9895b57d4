//! The mapping as configured, and as it fits the live table.

use chrono_tz::Tz;
use echeck_adapter::config::ColumnNames;
use echeck_adapter::identifier::Identifier;
use echeck_adapter::mapping::{
    ConfiguredWord, Mapping, MappingConfig, MappingNeeds, MappingSettings,
};
use echeck_adapter::row_filter::{RowFilter, RowFilterConfig};
use echeck_adapter::schema::ColumnContent::{Id, Integer, Text, Timestamp};
use echeck_adapter::schema::{ColumnContent, ColumnSpec, Fitting, MappedColumn};
use echeck_adapter::timestamp::TimestampFormat;
use echeck_adapter::values_table::ValuesTable;
use echeck_proto::adapter::v1::FundingPolicy;
use echeck_service::config::Section;

use crate::status::AppStatuses;

/// The Rails app's mapping as configured.
#[derive(Debug, Clone)]
pub(crate) struct RallyPayMappingConfig {
    settings: MappingSettings,
    names: TransactionColumnNames,
    filter: RowFilterConfig,
    statuses: AppStatuses,
    returned_at_zone: Tz,
}

/// The names of the columns. Those that are `Option` can be switched off.
#[derive(Debug, Clone)]
struct TransactionColumnNames {
    transfer_id: Identifier,
    status: Identifier,
    failure_code: Option<Identifier>,
    failure_description: Option<Identifier>,
    returned_at: Option<Identifier>,
    updated_at: Option<Identifier>,
    /// Rails locks optimistically when a table has the column.
    lock_version: ColumnIfPresent,
    reversal_ready_at: ColumnIfPresent,
}

/// A column that not every app has, so the live table is asked for it. One that the configuration
/// names must be there: with a typo, a concurrent save could silently overwrite a return.
#[derive(Debug, Clone)]
struct ColumnIfPresent {
    name: Option<Identifier>,
    is_required: bool,
}

impl ColumnIfPresent {
    fn read(names: &mut ColumnNames<'_>, key: &str) -> Self {
        Self {
            is_required: names.names(key),
            name: names.optional(key),
        }
    }

    fn fit(
        &self,
        fitting: &mut Fitting<'_>,
        key: &str,
        content: ColumnContent,
    ) -> Option<MappedColumn> {
        let name = self.name.as_ref();
        let schema = fitting.schema();
        let name = name.filter(|name| self.is_required || schema.column(name).is_some());
        fitting.optional_column(ColumnSpec::written(key, content), name)
    }
}

impl TransactionColumnNames {
    fn read(mut names: ColumnNames<'_>) -> Self {
        let columns = Self {
            transfer_id: names.required("transfer_id"),
            status: names.required("status"),
            failure_code: names.optional("failure_code"),
            failure_description: names.optional("failure_description"),
            returned_at: names.optional("returned_at"),
            updated_at: names.optional("updated_at"),
            lock_version: ColumnIfPresent::read(&mut names, "lock_version"),
            reversal_ready_at: ColumnIfPresent::read(&mut names, "reversal_ready_at"),
        };
        names.finish();
        columns
    }

    fn fit(&self, fitting: &mut Fitting<'_>, status: ColumnContent) -> TransactionColumns {
        fitting.should_be_unique("transfer_id", &self.transfer_id);
        let transfer_id = ColumnSpec::read("transfer_id", Id);
        let mut optional = |key, name: &Option<Identifier>, content| {
            fitting.optional_column(ColumnSpec::written(key, content), name.as_ref())
        };
        TransactionColumns {
            failure_code: optional("failure_code", &self.failure_code, Text),
            failure_description: optional("failure_description", &self.failure_description, Text),
            returned_at: optional("returned_at", &self.returned_at, Timestamp),
            updated_at: optional("updated_at", &self.updated_at, Timestamp),
            transfer_id: fitting.column(transfer_id, &self.transfer_id),
            status: fitting.column(ColumnSpec::written("status", status), &self.status),
            lock_version: self.lock_version.fit(fitting, "lock_version", Integer),
            reversal_ready_at: {
                let column = &self.reversal_ready_at;
                column.fit(fitting, "reversal_ready_at", Timestamp)
            },
        }
    }
}

impl RallyPayMappingConfig {
    /// Reads `[transactions]`.
    pub(crate) fn read(root: &Section<'_>) -> Self {
        let section = root.section("transactions");
        let table = section.string_or("table", "transactions");
        Self {
            settings: MappingSettings {
                profile: "rallypay",
                funding_policy: FundingPolicy::Unspecified,
                table: Identifier::read(&section, "table", &table),
                columns_section: "transactions.columns",
                timestamp_format: TimestampFormat::read(&section, TimestampFormat::Rails),
            },
            names: TransactionColumnNames::read(ColumnNames::read(section.section("columns"))),
            filter: RowFilterConfig::read(&section),
            statuses: AppStatuses::read(&section),
            returned_at_zone: read_zone(&section),
        }
    }
}

/// Reads `returned_at_zone`: the zone in whose days the bank's date of a return is written.
fn read_zone(section: &Section<'_>) -> Tz {
    let key = "returned_at_zone";
    let name = section.string_or(key, "UTC");
    name.parse().unwrap_or_else(|_| {
        let message = format!("is {name:?}, not an IANA time zone such as America/New_York");
        section.fault(key, message);
        Tz::UTC
    })
}

impl MappingConfig for RallyPayMappingConfig {
    fn settings(&self) -> &MappingSettings {
        &self.settings
    }

    fn fit(&self, fitting: &mut Fitting<'_>) -> Box<dyn Mapping> {
        let columns = self.names.fit(fitting, self.statuses.kind.content());
        if columns.lock_version.is_none() {
            fitting.warn(format!(
                "transactions.columns.lock_version: table {:?} has no such column, so a record that \
                 the app loaded before a return overwrites the return when it is saved; add an \
                 integer column lock_version, which Rails then locks with",
                self.settings.table.as_str()
            ));
        }
        let filter = self.filter.fit(fitting, "transactions");
        let mut changing = columns.written();
        changing.push(&columns.transfer_id);
        filter.refuse(fitting, &changing);
        Box::new(RallyPayMapping {
            table: self.settings.table.clone(),
            columns,
            filter,
            statuses: self.statuses.clone(),
            returned_at_zone: self.returned_at_zone,
        })
    }
}

/// The columns of the live table.
pub(crate) struct TransactionColumns {
    pub(crate) transfer_id: MappedColumn,
    pub(crate) status: MappedColumn,
    pub(crate) failure_code: Option<MappedColumn>,
    pub(crate) failure_description: Option<MappedColumn>,
    pub(crate) returned_at: Option<MappedColumn>,
    pub(crate) updated_at: Option<MappedColumn>,
    pub(crate) lock_version: Option<MappedColumn>,
    pub(crate) reversal_ready_at: Option<MappedColumn>,
}

impl TransactionColumns {
    /// The columns that a change writes.
    fn written(&self) -> Vec<&MappedColumn> {
        let optional = [
            &self.failure_code,
            &self.failure_description,
            &self.returned_at,
            &self.updated_at,
            &self.lock_version,
            &self.reversal_ready_at,
        ];
        let optional = optional.into_iter().flatten();
        std::iter::once(&self.status).chain(optional).collect()
    }
}

/// The mapping on a live table. It has no lookup: the gateway is the system of record.
pub(crate) struct RallyPayMapping {
    table: Identifier,
    pub(crate) columns: TransactionColumns,
    /// Which rows are transactions.
    pub(crate) filter: RowFilter,
    pub(crate) statuses: AppStatuses,
    pub(crate) returned_at_zone: Tz,
}

impl RallyPayMapping {
    /// Rows of the table by the transfer's id, of those that are transactions.
    pub(crate) fn rows(&self) -> ValuesTable<'_> {
        ValuesTable::new(&self.table, &self.columns.transfer_id).only(&self.filter)
    }

    /// What the mapping reads and writes.
    pub(crate) fn needed(&self) -> MappingNeeds<'_> {
        let updated = self.columns.written();
        let words = self.statuses.words().into_iter();
        let words = words.map(|(key, status, is_written)| ConfiguredWord {
            key: format!("transactions.statuses.{key}"),
            column: &self.columns.status,
            value: status.value(),
            is_written,
        });
        let read = std::iter::once(&self.columns.transfer_id).chain(updated.iter().copied());
        let read = read.chain(self.filter.columns());
        MappingNeeds {
            read: read.collect(),
            words: words.chain(self.filter.words()).collect(),
            updated,
            ..MappingNeeds::default()
        }
    }
}
