//! Reads a row of the gateway's table as a transfer of the contract.

use std::collections::HashMap;

use echeck_adapter::row::{Cell, TargetRow};
use echeck_adapter::schema::MappedColumn;
use echeck_proto::adapter::v1::{Transfer, TransferState, TransferType};
use echeck_proto::timestamp;
use tracing::error;

use crate::mapping::GatewayMapping;
use crate::unreadable::day;

/// The longest text that is shown of a value.
const MAX_TEXT_BYTES: usize = 64 << 10;

impl GatewayMapping {
    /// The transfer that a row stands for.
    pub(crate) fn transfer(&self, row: &TargetRow) -> Transfer {
        let columns = &self.columns;
        let optional = |column: &Option<MappedColumn>| {
            let column = column.as_ref();
            column.map_or(&Cell::Null, |column| column.of(row))
        };
        let text = |column: &Option<MappedColumn>| bounded(optional(column));
        let instant = |column: &Option<MappedColumn>| {
            let instant = column.as_ref()?.instant_of(row);
            instant.map(timestamp::to_proto)
        };
        let (kind, type_text) = self.kind(row);
        let state_text = bounded(columns.state.of(row));
        let state = self.states.parse(&state_text);
        let id = self.id_of(row);
        let unreadable = self.unreadable(row);
        if !unreadable.is_empty() {
            error!(transfer = id, unreadable, "a transfer cannot be read");
        }
        Transfer {
            id,
            r#type: kind.into(),
            type_text,
            state: state
                .map_or(TransferState::Unspecified, |state| state.to_proto())
                .into(),
            state_text,
            in_deposit: self.deposit.as_ref().and_then(|deposit| deposit.is_in(row)),
            amount_minor: self.minor(row).unwrap_or_default(),
            currency: self.currency(row),
            fee_minor: self.amount_unit.minor(optional(&columns.fee)),
            trace_id: text(&columns.trace_id),
            payment_id: text(&columns.payment_id),
            ach_trace: text(&columns.ach_trace),
            individual_id: text(&columns.individual_id),
            source: text(&columns.source),
            destination: text(&columns.destination),
            application: text(&columns.application),
            merchant_identity: text(&columns.merchant_identity),
            subtype: text(&columns.subtype),
            statement_descriptor: text(&columns.statement_descriptor),
            idempotency_id: text(&columns.idempotency_id),
            messages: messages(text(&columns.messages)),
            raw_json: text(&columns.raw),
            tags: tags(&text(&columns.tags)),
            failure_code: text(&columns.failure_code),
            failure_message: text(&columns.failure_message),
            parent_id: bounded(columns.parent_id.of(row)),
            reversal_ids: Vec::new(),
            ready_to_settle_at: instant(&columns.ready_to_settle_at),
            created_at: instant(&columns.created_at),
            updated_at: instant(&columns.updated_at),
            settlement_date: day(optional(&columns.settlement_date))
                .map(|day| day.to_string())
                .unwrap_or_default(),
            unreadable,
            unnamed: self.unnamed(row),
        }
    }
}

impl GatewayMapping {
    /// The type of a row, and its spelling. Without a column for it, what undoes another transfer is a
    /// reversal.
    pub(crate) fn kind(&self, row: &TargetRow) -> (TransferType, String) {
        match &self.columns.kind {
            Some(column) => {
                let text = bounded(column.of(row));
                (self.types.parse(&text), text)
            }
            // Some apps have an empty text in the place of NULL.
            None if self.columns.parent_id.of(row).text().is_empty() => {
                (self.fixed.kind, String::new())
            }
            None => (TransferType::Reversal, String::new()),
        }
    }

    /// The amount of a row in minor units.
    pub(crate) fn minor(&self, row: &TargetRow) -> Option<i64> {
        self.amount_unit.minor(self.columns.amount.of(row))
    }

    /// The currency of a row.
    pub(crate) fn currency(&self, row: &TargetRow) -> String {
        match &self.columns.currency {
            Some(column) => bounded(column.of(row)),
            None => self.fixed.currency.clone(),
        }
    }
}

/// A value as text. A longer one is left out: an answer has a limit, and one row must not use it up.
pub(crate) fn bounded(cell: &Cell) -> String {
    let text = cell.text();
    if text.len() <= MAX_TEXT_BYTES {
        text
    } else {
        String::new()
    }
}

/// A JSON list of texts; any other text that is not empty is one message.
fn messages(text: String) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    serde_json::from_str(&text).unwrap_or_else(|_| vec![text])
}

/// A JSON object. Values that are not text are shown as JSON.
fn tags(text: &str) -> HashMap<String, String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).unwrap_or_default();
    object
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_tags_are_read_even_if_they_are_not_json() {
        assert_eq!(messages(r#"["a","b"]"#.into()), ["a", "b"]);
        assert_eq!(messages("declined".into()), ["declined"]);
        assert!(messages(String::new()).is_empty());
        assert_eq!(tags(r#"{"a":"x","b":1}"#)["b"], "1");
        assert!(tags("nonsense").is_empty());
    }
}
