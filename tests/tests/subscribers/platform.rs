//! A platform that listens: what it keeps of the messages, by the two rules of
//! docs/webhooks.md, "Order and repeats", and nothing else.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Whose words it understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Finix,
    Rainforest,
}

impl Style {
    /// The name of a payment's state.
    pub const fn state(self) -> &'static str {
        match self {
            Self::Finix => "state",
            Self::Rainforest => "status",
        }
    }

    /// What it keeps of a payment, under the names of its messages.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Finix => &[
                "amount",
                "tags",
                "state",
                "trace_id",
                "currency",
                "application",
                "source",
                "destination",
                "ready_to_settle_at",
                "fee",
                "statement_descriptor",
                "type",
                "messages",
                "raw",
                "idempotency_id",
                "merchant_identity",
                "subtype",
                "parent",
            ],
            Self::Rainforest => &[
                "status",
                "amount",
                "currency_code",
                "merchant_id",
                "messages",
            ],
        }
    }
}

/// The kinds of object that have a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Payment,
    Return,
    Hold,
}

/// A platform.
pub struct Platform {
    style: Style,
    objects: BTreeMap<(Kind, String), (u64, Value)>,
}

impl Platform {
    pub const fn new(style: Style) -> Self {
        Self {
            style,
            objects: BTreeMap::new(),
        }
    }

    /// Takes a message.
    pub fn hear(&mut self, body: &Value) {
        let version = body["version"].as_u64().expect("a version");
        match self.style {
            Style::Finix => self.hear_finix(body, version),
            Style::Rainforest => self.hear_rainforest(body, version),
        }
    }

    fn hear_finix(&mut self, body: &Value, version: u64) {
        let entity = text(&body["entity"]);
        let object = &body["_embedded"][format!("{entity}s")][0];
        match entity.as_str() {
            "transfer" => {
                let returned = object.get("returned_transfer").unwrap_or(&object["id"]);
                self.keep_return(&object["ach_return"], returned, version);
                let mut transfer = object.clone();
                if let Some(parent) = object["_links"]["parent"]["href"].as_str() {
                    transfer["parent"] = json!(parent.trim_start_matches("/transfers/"));
                }
                self.keep(Kind::Payment, &object["id"], version, transfer);
            }
            "ach_hold" => {
                let open = object["state"] == "OPEN";
                let hold = json!({"open": open, "transfers": object["transfers"]});
                self.keep(Kind::Hold, &object["id"], version, hold);
            }
            _ => {}
        }
    }

    fn hear_rainforest(&mut self, body: &Value, version: u64) {
        let data = &body["data"];
        let payment = ["payin_id", "deposit_id", "payout_id", "refund_id"]
            .into_iter()
            .find_map(|key| data.get(key).filter(|id| id.is_string()));
        let event_type = text(&body["event_type"]);
        // An addition of ours is about the same objects.
        let about = event_type.strip_prefix("echeck.").unwrap_or(&event_type);
        match (about.split_once('.'), payment) {
            (Some(("ach_return", _)), Some(payment)) => self.keep_return(data, payment, version),
            (Some(("ach_hold", _)), _) => {
                let open = data["status"] == "OPEN";
                let hold = json!({"open": open, "transfers": data["transfer_ids"]});
                self.keep(Kind::Hold, &data["ach_hold_id"], version, hold);
            }
            (Some(("payin" | "deposit" | "payout" | "refund", _)), Some(payment)) => {
                self.keep_return(&data["ach_return"], payment, version);
                self.keep(Kind::Payment, payment, version, data.clone());
            }
            _ => {}
        }
    }

    fn keep_return(&mut self, found: &Value, payment: &Value, version: u64) {
        if found.is_object() {
            let mut found = found.clone();
            found["payment"] = payment.clone();
            let id = found["ach_return_id"].clone();
            self.keep(Kind::Return, &id, version, found);
        }
    }

    /// Stores an object, if this is a newer telling of it.
    fn keep(&mut self, kind: Kind, id: &Value, version: u64, object: Value) {
        let known = self.objects.entry((kind, text(id)));
        known
            .and_modify(|(stored, old)| {
                if version > *stored {
                    (*stored, *old) = (version, object.clone());
                }
            })
            .or_insert((version, object));
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        let kept = self.objects.iter().filter(move |((of, _), _)| *of == kind);
        kept.map(|((_, id), (_, object))| (id.as_str(), object))
    }

    /// What it shows its own users of a payment, of which it knew `before` from elsewhere.
    pub fn picture(&self, id: &str, before: &Value) -> Value {
        let mut picture = before.clone();
        let told = self.objects.get(&(Kind::Payment, id.to_owned()));
        if let Some((_, told)) = told {
            for column in self.style.columns() {
                if let Some(value) = told.get(*column) {
                    picture[*column] = value.clone();
                }
            }
        }
        let mut returns = self
            .of(Kind::Return)
            .filter(|(_, one)| one["payment"] == id);
        let found = returns.next().map(|(_, one)| one);
        assert!(returns.next().is_none(), "a payment has one return");
        let says_so = told.is_some_and(|(_, told)| told["has_ach_return"] == true);
        if found.is_some() || says_so {
            picture["has_ach_return"] = json!(true);
        }
        if let Some(found) = found {
            picture["ach_return"] = json!({
                "ach_return_id": found["ach_return_id"],
                "return_code": found["return_code"],
                "stage": found["stage"],
            });
        }
        picture["moves"] = self.moves(id, found);
        let open = self.open_holds();
        let of_this = open.filter(|(_, transfers)| transfers.contains(&json!(id)));
        picture["open_holds"] = of_this.map(|(hold_id, _)| hold_id).collect();
        picture
    }

    /// The holds that wait, with the transfers that each was said to be about.
    pub fn open_holds(&self) -> impl Iterator<Item = (&str, &[Value])> {
        let open = self.of(Kind::Hold).filter(|(_, hold)| hold["open"] == true);
        open.map(|(hold_id, hold)| (hold_id, array(&hold["transfers"])))
    }

    /// The transfers that moved the money of a payment's return.
    fn moves(&self, id: &str, found: Option<&Value>) -> Value {
        let mut moves = Map::new();
        match self.style {
            Style::Finix => {
                let made = self.of(Kind::Payment);
                for (made_id, made) in made.filter(|(_, one)| one["returned_transfer"] == id) {
                    let columns = self.style.columns().iter();
                    let kept = columns.map(|name| ((*name).to_owned(), made[*name].clone()));
                    moves.insert(made_id.to_owned(), Value::Object(kept.collect()));
                }
            }
            Style::Rainforest => {
                for one in found.map_or(&[] as &[_], |one| array(&one["adjustments"])) {
                    let kept = json!({
                        "type": one["type"],
                        "ready_to_settle_at": one["ready_to_settle_at"],
                    });
                    moves.insert(text(&one["transfer_id"]), kept);
                }
            }
        }
        Value::Object(moves)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
