//! What the mapping needs of the gateway's table, for `--check`.

use echeck_adapter::mapping::{ConfiguredWord, MappingNeeds};
use echeck_adapter::schema::MappedColumn;
use serde_json::Value;

use crate::layout::{Fill, NewTransferKind};
use crate::mapping::GatewayMapping;

/// Ids as the returns service makes them for new transfers.
const EXAMPLE_ID: &str = "TR0123456789abcdef01234567";
const EXAMPLE_TRACE_ID: &str = "FNX0123456789abcdef01234567";

/// An id that a new transfer has in a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NewId {
    Own,
    Parent,
    Trace,
}

impl GatewayMapping {
    /// What the mapping reads and writes.
    pub(crate) fn needed(&self) -> MappingNeeds<'_> {
        let columns = &self.columns;
        let mut updated = vec![&columns.state];
        updated.extend(
            [
                &columns.messages,
                &columns.failure_code,
                &columns.failure_message,
                &columns.raw,
                &columns.updated_at,
            ]
            .into_iter()
            .flatten(),
        );
        let ready_at = columns.ready_to_settle_at.as_ref();
        updated.extend(
            ready_at.filter(|column| column.is_nullable() || self.release_column.is_some()),
        );
        let new_ids = self
            .filled_with_ids()
            .filter_map(|(column, fill)| match fill {
                // A number of the database's own.
                NewId::Parent if columns.own_id.is_some() => None,
                NewId::Own | NewId::Parent => Some((column, EXAMPLE_ID)),
                NewId::Trace => Some((column, EXAMPLE_TRACE_ID)),
            });
        let new_ids = new_ids.collect();
        MappingNeeds {
            read: columns
                .all()
                .into_iter()
                .chain(self.filter.columns())
                .collect(),
            updated,
            inserted: self.inserted(),
            words: self.words(),
            new_ids,
        }
    }

    /// The columns in which a new transfer has an id, and nothing that the configuration says.
    pub(crate) fn filled_with_ids(&self) -> impl Iterator<Item = (&MappedColumn, NewId)> {
        let reversal = self.layouts.of(NewTransferKind::Reversal).columns();
        reversal.iter().filter_map(|filled| {
            let id = match filled.fill {
                Fill::Id => NewId::Own,
                Fill::ParentId => NewId::Parent,
                Fill::TraceId => NewId::Trace,
                Fill::Type
                | Fill::State
                | Fill::Amount
                | Fill::Tags
                | Fill::WrittenAt
                | Fill::Zero
                | Fill::Null
                | Fill::Text(_)
                | Fill::Copy(_) => return None,
            };
            Some((&filled.column, id))
        })
    }

    /// The columns of a new row, each once.
    fn inserted(&self) -> Vec<&MappedColumn> {
        let mut inserted: Vec<&MappedColumn> = Vec::new();
        for kind in NewTransferKind::ALL {
            for filled in self.layouts.of(kind).columns() {
                if inserted
                    .iter()
                    .all(|column| column.name() != filled.column.name())
                {
                    inserted.push(&filled.column);
                }
            }
        }
        inserted
    }

    fn words(&self) -> Vec<ConfiguredWord<'_>> {
        let columns = &self.columns;
        let states = self.states.words().map(|(key, text, is_written)| {
            word(
                format!("transfers.states.{key}"),
                &columns.state,
                text,
                is_written,
            )
        });
        let types = columns.kind.iter().flat_map(|column| {
            let words = self.types.words();
            words.map(move |(key, text, is_written)| {
                word(format!("transfers.types.{key}"), column, text, is_written)
            })
        });
        let reversal = self.layouts.of(NewTransferKind::Reversal).columns();
        let fixed = reversal.iter().filter_map(|filled| {
            let Fill::Text(text) = &filled.fill else {
                return None;
            };
            let column = &filled.column;
            let is_subtype = columns
                .subtype
                .as_ref()
                .is_some_and(|subtype| subtype.key() == column.key());
            let key = if is_subtype {
                "transfers.reversal.subtype".to_owned()
            } else {
                column.key().to_owned()
            };
            Some(word(key, column, text, true))
        });
        let filter = self.filter.words();
        states.chain(types).chain(fixed).chain(filter).collect()
    }
}

fn word<'a>(
    key: String,
    column: &'a MappedColumn,
    text: &str,
    is_written: bool,
) -> ConfiguredWord<'a> {
    ConfiguredWord {
        key,
        column,
        value: column.word(text).unwrap_or_else(|| Value::from(text)),
        is_written,
    }
}
