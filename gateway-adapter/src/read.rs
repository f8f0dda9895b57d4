//! Reads a row of the gateway's table as a transfer of the contract.

use std::collections::HashMap;

use echeck_adapter::row::{Cell, TargetRow};
use echeck_adapter::schema::MappedColumn;
use echeck_proto::adapter::v1::{Transfer, TransferState, TransferType};
use echeck_proto::timestamp;
use tracing::error;

use crate::mapping::GatewayMapping;

impl GatewayMapping {
    /// The transfer that a row stands for.
    pub(crate) fn transfer(&self, row: &TargetRow) -> Transfer {
        let columns = &self.columns;
        let optional = |column: &Option<MappedColumn>| {
            let column = column.as_ref();
            column.map_or(&Cell::Null, |column| column.of(row))
        };
        let text = |column: &Option<MappedColumn>| optional(column).text();
        let instant = |column: &Option<MappedColumn>| {
            let instant = optional(column).instant();
            instant.map(timestamp::to_proto)
        };
        let type_text = columns.kind.of(row).text();
        let state_text = columns.state.of(row).text();
        let state = self.states.parse(&state_text);
        let transfer = Transfer {
            id: columns.id.of(row).text(),
            r#type: self.types.parse(&type_text).into(),
            type_text,
            state: state
                .map_or(TransferState::Unspecified, |state| state.to_proto())
                .into(),
            state_text,
            in_deposit: columns
                .deposit_id
                .as_ref()
                .map(|column| !column.of(row).is_null()),
            amount_minor: 0,
            currency: columns.currency.of(row).text(),
            fee_minor: optional(&columns.fee).integer(),
            trace_id: text(&columns.trace_id),
            payment_id: text(&columns.payment_id),
            ach_trace: text(&columns.ach_trace),
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
            parent_id: columns.parent_id.of(row).text(),
            reversal_ids: Vec::new(),
            ready_to_settle_at: instant(&columns.ready_to_settle_at),
            created_at: instant(&columns.created_at),
            updated_at: instant(&columns.updated_at),
            settlement_date: text(&columns.settlement_date).chars().take(10).collect(),
        };
        with_amount(transfer, columns.amount.of(row))
    }
}

/// A row without a readable amount must not be decided on, and must not stop the others: it is
/// shown with no type, and the type's text says why.
fn with_amount(mut transfer: Transfer, amount: &Cell) -> Transfer {
    match amount.integer() {
        Some(minor) => transfer.amount_minor = minor,
        None => {
            let kind = amount.kind();
            let id = &transfer.id;
            error!(transfer = id, kind, "a transfer has no readable amount");
            transfer.r#type = TransferType::Unspecified.into();
            transfer.type_text = format!(
                "{} (its amount is {kind}, not an integer)",
                transfer.type_text
            );
        }
    }
    transfer
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

    #[test]
    fn a_transfer_without_an_amount_has_no_type_either() {
        let debit = Transfer {
            type_text: "DEBIT".into(),
            r#type: 1,
            ..Default::default()
        };
        let read = with_amount(debit.clone(), &Cell::Null);
        assert_eq!(read.r#type(), TransferType::Unspecified);
        assert_eq!(read.type_text, "DEBIT (its amount is NULL, not an integer)");
        assert_eq!(with_amount(debit, &Cell::Integer(500)).amount_minor, 500);
    }
}
