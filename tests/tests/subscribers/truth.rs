//! The picture that `GetTransfer` gives, under the names of the messages.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat};
use echeck_proto::returns::v1 as proto;
use echeck_tests::World;
use proto::TransferView;
use serde_json::{Map, Value, json};

use crate::platform::Style;

/// How one platform sees transfers.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    pub style: Style,
    pub api_version: &'static str,
}

impl Sight {
    async fn transfer(self, world: &World, id: &str) -> proto::Transfer {
        let view = match self.style {
            Style::Finix => TransferView::Finix,
            Style::Rainforest => TransferView::Rainforest,
        };
        let ask = proto::GetTransferRequest {
            key: Some(proto::get_transfer_request::Key::TransferId(id.to_owned())),
            view: view.into(),
            api_version: self.api_version.to_owned(),
        };
        let answer = world.client.clone().get_transfer(ask).await;
        let answer = answer.expect("the transfer is known").into_inner();
        answer.transfer.expect("a transfer")
    }

    /// A payment as a platform knows it that has heard of nothing yet.
    pub async fn before(self, world: &World, id: &str) -> Value {
        let mut picture = self.columns(&self.transfer(world, id).await);
        picture["has_ach_return"] = json!(false);
        picture["ach_return"] = Value::Null;
        picture["moves"] = json!({});
        picture["open_holds"] = json!([]);
        picture
    }

    /// A payment with its return, the transfers that moved its money, and what waits.
    pub async fn picture(self, world: &World, id: &str) -> Value {
        let transfer = self.transfer(world, id).await;
        let mut picture = self.columns(&transfer);
        picture["has_ach_return"] = json!(transfer.has_ach_return);
        picture["ach_return"] = transfer.ach_return.as_ref().map_or(Value::Null, |one| {
            json!({
                "ach_return_id": one.ach_return_id,
                "return_code": one.return_code,
                "stage": one.stage().as_str_name().trim_start_matches("ACH_RETURN_STAGE_"),
            })
        });
        let mut moves = Map::new();
        for made in made_of(world, id).await {
            let made = self.transfer(world, &made).await;
            moves.insert(made.id.clone(), self.moved(&made));
        }
        picture["moves"] = Value::Object(moves);
        let holds: BTreeSet<_> = transfer.open_hold_ids.into_iter().collect();
        picture["open_holds"] = json!(holds);
        picture
    }

    fn moved(self, made: &proto::Transfer) -> Value {
        match self.style {
            Style::Finix => self.columns(made),
            Style::Rainforest => {
                assert_eq!(made.subtype, "SYSTEM");
                let again = made.r#type != "REVERSAL";
                json!({
                    "type": if again { "RESTORATION" } else { "REVERSAL" },
                    "ready_to_settle_at": ready(made),
                })
            }
        }
    }

    fn columns(self, of: &proto::Transfer) -> Value {
        let columns = self.style.columns().iter();
        let values = columns.map(|name| ((*name).to_owned(), column(of, name)));
        Value::Object(values.collect())
    }
}

fn column(of: &proto::Transfer, name: &str) -> Value {
    match name {
        "amount" => json!(of.amount_minor),
        "tags" => json!(of.tags),
        "state" | "status" => json!(of.state),
        "trace_id" => text(&of.trace_id),
        "currency" | "currency_code" => json!(of.currency),
        "application" => text(&of.application),
        "source" => text(&of.source),
        "destination" => text(&of.destination),
        "ready_to_settle_at" => ready(of),
        "fee" => json!(of.fee_minor),
        "statement_descriptor" => text(&of.statement_descriptor),
        "type" => json!(of.r#type),
        "messages" => json!(of.messages),
        "raw" if of.raw_json.is_empty() => Value::Null,
        "raw" => serde_json::from_str(&of.raw_json).expect("JSON"),
        "idempotency_id" => text(&of.idempotency_id),
        "merchant_identity" | "merchant_id" => text(&of.merchant_identity),
        "subtype" => text(&of.subtype),
        "parent" => text(&of.parent_id),
        other => panic!("GetTransfer has no {other}"),
    }
}

/// Empty is null.
fn text(of: &str) -> Value {
    (!of.is_empty()).then_some(of).into()
}

fn ready(of: &proto::Transfer) -> Value {
    let Some(at) = &of.ready_to_settle_at else {
        return Value::Null;
    };
    let nanos = u32::try_from(at.nanos).expect("nanoseconds");
    let at = DateTime::from_timestamp(at.seconds, nanos).expect("an instant");
    json!(at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The transfers that a return of this payment, and what became of it, made in the gateway.
pub async fn made_of(world: &World, id: &str) -> Vec<String> {
    let sql = "WITH RECURSIVE made (id) AS (SELECT id FROM transfers WHERE parent_id = ? UNION \
               SELECT one.id FROM transfers AS one JOIN made ON one.parent_id = made.id) \
               SELECT id FROM made ORDER BY id";
    let made = sqlx::query_scalar(sql).bind(id).fetch_all(&world.gateway);
    made.await.expect("the gateway answers")
}
