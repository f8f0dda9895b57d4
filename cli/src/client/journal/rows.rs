//! The rows of the journal.

use echeck_proto::returns::v1 as proto;
use serde_json::Value;

use super::super::connect::Client;
use super::super::show::or_dash;
use crate::failure::Failure;
use crate::output::{Columns, field, grouped};
use crate::words::{plain, time};

pub(super) async fn list(after_position: u64, limit: u32, service: &Client) -> Result<u8, Failure> {
    let ask = proto::ListJournalRequest {
        after_position,
        limit,
    };
    let answer = service.operations().list_journal(ask).await?.into_inner();
    service.show_all(&answer.rows, "No rows.", columns)
}

/// What a row is about. The whole payload is in the JSON.
fn columns(row: &proto::JournalRow) -> Columns {
    let payload: Value = serde_json::from_str(&row.payload_json).unwrap_or_default();
    let effect = payload["effect"]
        .as_object()
        .and_then(|effect| effect.keys().next());
    let effect = effect.map_or("-".to_owned(), |effect| plain(effect));
    let text = |path| {
        or_dash(
            payload
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )
    };
    vec![
        field("POSITION", grouped(row.position)).right(),
        field("RECORDED", time(row.recorded_at.as_ref())),
        field("EFFECT", effect),
        field("TRANSFER", text("/transfer/id")),
        field("RETURN", text("/return_id")).extra(2),
        field("IMPORT", text("/import_id")).extra(1),
        field("HASH", format!("{:.16}…", row.row_hash)).extra(3),
    ]
}
