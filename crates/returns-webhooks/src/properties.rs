//! Whatever happens, a subscriber that applies the bodies in any order, with any repeats, ends
//! with the view that `GetTransfer` gives in its payload_version.
//!
//! Here the journal is made in memory and the view by the function behind `GetTransfer`, so
//! that hundreds of histories take a second, in which what is seldom elsewhere is common: a
//! transfer that moves on between decision and update, and rows said again to a mirror.
//! `tests/tests/subscribers/` does the same from files to messages received, with the real
//! `GetTransfer`, and compares every field that platforms are shown; it draws fewer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ach::code::ReturnCode;
use ach::decision::{
    Decision, Effect, FundingPolicy, PriorDecision, Resolution, Transfer, TransferState,
    TransferType, decide,
};
use ach::entry::{Coded, Entry, EntryKind};
use echeck_test_fixtures::now;
use proptest::prelude::*;
use returns_model::endpoint::PayloadVersion;
use returns_model::journal::{JournalRow, Relation, Row, RowEffect};
use serde_json::Value;

use super::ach_return::History;
use super::publisher::{event_of_row, took_effect};
use super::testing::{
    at, contested, dishonored, entry, later, made, names_returned, placed, ready, record, returned,
    row, transfer, validation_failure,
};
use super::view::TransferSeen;
use super::{render, view};

/// Something that may happen to one of the transfers. What is not possible is skipped.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// An entry is decided on, and takes effect.
    Enter(Kind),
    /// An entry is decided on, but the transfer has moved on; the decision is made again.
    EnterTwice(Kind),
    Dishonor,
    Contest,
    /// What was made first, second or third is ready to settle.
    Ready(usize),
    /// A row is said again to a mirror.
    Repeat,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Validation,
    Return(ReturnCode),
    Correction,
}

impl Kind {
    fn entry(self) -> Entry {
        match self {
            Self::Validation => Entry {
                description: Some("Invalid Bank Routing Number".into()),
                ..entry(validation_failure())
            },
            Self::Return(code) => entry(returned(code)),
            Self::Correction => entry(EntryKind::Correction {
                code: Coded::Known(ach::code::CorrectionCode::C01),
                corrected: Vec::new(),
            }),
        }
    }
}

/// A system of record, and the journal of what is decided about it.
struct World {
    policy: FundingPolicy,
    /// Whether a payment returned before funding is called RETURNED there, or FAILED.
    has_returned: bool,
    before: BTreeMap<String, Transfer>,
    now: BTreeMap<String, Transfer>,
    rows: Vec<JournalRow>,
    dead: BTreeSet<u64>,
}

impl World {
    fn append(&mut self, row: Row) -> u64 {
        let position = self.rows.len() as u64 + 1;
        self.rows.push(placed(position, row));
        position
    }

    fn standing(&self, id: &str) -> Vec<&JournalRow> {
        self.rows
            .iter()
            .filter(|row| row.row.transfer.id == id && took_effect(row, &self.dead))
            .filter(|row| !matches!(row.row.relation, Some(Relation::Repeats { .. })))
            .collect()
    }

    fn of(&self, id: &str, effect: Effect) -> Option<Row> {
        let mut found = self.standing(id).into_iter();
        found
            .find(|row| row.row.effect.decided() == Some(effect))
            .map(|row| row.row.clone())
    }

    /// How many ids of returns were given out.
    fn given(&self, id: &str) -> usize {
        let ids: BTreeSet<_> = self
            .rows
            .iter()
            .filter(|row| row.row.transfer.id == id)
            .map(|row| row.row.return_id.clone())
            .collect();
        ids.len()
    }

    fn happen(&mut self, id: &str, act: Act) {
        match act {
            Act::Enter(kind) => {
                if let Some(row) = self.decide(id, kind) {
                    self.apply(id, &row);
                    self.append(row);
                }
            }
            Act::EnterTwice(kind) => {
                if let Some(row) = self.decide(id, kind) {
                    let position = self.append(row.clone());
                    self.dead.insert(position);
                    self.rows.last_mut().unwrap().superseded_by = Some(position + 1);
                    self.apply(id, &row);
                    self.append(Row {
                        relation: Some(Relation::Supersedes { position }),
                        ..row
                    });
                }
            }
            Act::Dishonor => self.dishonor(id),
            Act::Contest => self.contest(id),
            Act::Ready(which) => self.ready(id, which),
            Act::Repeat => {
                if let Some(row) = self.standing(id).first().map(|row| (*row).clone()) {
                    self.append(Row {
                        relation: Some(Relation::Repeats {
                            position: row.position,
                            database: "mirror".into(),
                        }),
                        ..row.row
                    });
                }
            }
        }
    }

    fn decide(&self, id: &str, kind: Kind) -> Option<Row> {
        let (entry, transfer) = (kind.entry(), &self.now[id]);
        let priors: Vec<PriorDecision> = self
            .standing(id)
            .iter()
            .filter_map(|row| {
                let effect = row.row.effect.decided()?;
                let return_id = row.row.return_id.clone();
                Some(PriorDecision::on(&row.row.entry, return_id, effect))
            })
            .collect();
        let found = Resolution::One(transfer.clone());
        let today = now().date_naive();
        match decide(&entry, &found, &priors, self.policy, today) {
            Decision::Act(act) => Some(row(
                transfer,
                act.action.effect(),
                &entry,
                self.given(id) + 1,
            )),
            Decision::Duplicate { .. } | Decision::Prenote | Decision::Hold(_) => None,
        }
    }

    fn apply(&mut self, id: &str, row: &Row) {
        let transfer = self.now.get_mut(id).unwrap();
        match row.effect.decided() {
            Some(Effect::Fail) => transfer.state = TransferState::Failed,
            Some(Effect::Return) if self.has_returned => transfer.state = TransferState::Returned,
            Some(Effect::Return) => transfer.state = TransferState::Failed,
            _ => {}
        }
    }

    fn first_return(&self, id: &str) -> Option<Row> {
        [Effect::Fail, Effect::Return, Effect::Reverse]
            .into_iter()
            .find_map(|effect| self.of(id, effect))
            .filter(|row| matches!(row.entry.kind, EntryKind::Return { .. }))
    }

    fn dishonor(&mut self, id: &str) {
        let Some(first) = self.first_return(id) else {
            return;
        };
        if self.of(id, Effect::Restore).is_none() {
            let undone = first.effect.made().map(|(_, made)| made.id.as_str());
            let place = (self.given(id) + 1, undone);
            let kind = dishonored(ReturnCode::R68);
            self.append(later(
                &first,
                &self.before[id],
                Effect::Restore,
                kind,
                place,
            ));
        }
    }

    fn contest(&mut self, id: &str) {
        let Some(restored) = self.of(id, Effect::Restore) else {
            return;
        };
        if self.of(id, Effect::Reapply).is_none() {
            let first = self.first_return(id).unwrap();
            let place = (self.given(id) + 1, Some(made(&restored).id.as_str()));
            let kind = contested(ReturnCode::R73);
            self.append(later(
                &first,
                &self.before[id],
                Effect::Reapply,
                kind,
                place,
            ));
        }
    }

    fn ready(&mut self, id: &str, which: usize) {
        let makers: Vec<_> = self
            .standing(id)
            .into_iter()
            .filter(|row| row.row.effect.made().is_some())
            .map(|row| (row.position, row.row.clone()))
            .collect();
        let Some((position, maker)) = makers.get(which) else {
            return;
        };
        let is_release = |row: &&JournalRow| match &row.row.effect {
            RowEffect::ReleaseToSettlement { made: released, .. } => released == made(maker),
            _ => false,
        };
        let done = self.standing(id).iter().any(is_release);
        if !done {
            self.append(ready(maker, *position, at(1000 + position)));
        }
    }

    /// The bodies in a payload_version, in the order of the journal.
    fn bodies(&self, payload_version: PayloadVersion) -> Vec<(String, Value)> {
        let mut standing: HashMap<String, Vec<JournalRow>> = HashMap::new();
        for id in self.before.keys() {
            let rows = self.standing(id).into_iter().cloned().collect();
            standing.insert(id.clone(), rows);
        }
        let published = self.rows.iter().filter(|row| took_effect(row, &self.dead));
        let events = published.filter_map(|row| event_of_row(row, &standing).unwrap());
        let mut bodies = Vec::new();
        for (event, sequence) in events.zip(1..) {
            let record = record(sequence, event);
            for (of, event_type) in &record.new.messages {
                if *of == payload_version {
                    let body = render::body(&record, payload_version, event_type).unwrap();
                    bodies.push((event_type.clone(), serde_json::from_str(&body).unwrap()));
                }
            }
        }
        bodies
    }

    /// What a subscriber, who knew the payment before, must end with.
    fn shown(&self, id: &str, payload_version: PayloadVersion) -> Shown {
        let history = History::of(self.standing(id).into_iter().map(|row| &row.row));
        let view = view(
            seen(&self.now[id]),
            history.outcome.as_ref(),
            payload_version,
        );
        Shown {
            state: view.state,
            messages: view.messages,
            has_ach_return: view.has_ach_return,
            ach_return: view.ach_return.map(|one| {
                let stage = serde_json::to_value(one.stage())
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned();
                (one.ach_return_id, one.return_code, stage)
            }),
            moves: history
                .made
                .into_iter()
                .map(|made| {
                    let ready = made.ready_to_settle_at.map(render::time);
                    (made.id, ready)
                })
                .collect(),
        }
    }
}

fn seen(transfer: &Transfer) -> TransferSeen<'_> {
    let text = match transfer.state {
        TransferState::Pending => "PENDING",
        TransferState::Succeeded => "SUCCEEDED",
        TransferState::Failed => "FAILED",
        TransferState::Canceled => "CANCELED",
        TransferState::Returned => "RETURNED",
        TransferState::Unknown => "",
    };
    TransferSeen {
        state: transfer.state,
        text,
        messages: &[],
    }
}

/// What is to be seen of a payment, its return, and the transfers that moved its money.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    state: String,
    messages: Vec<String>,
    has_ach_return: bool,
    ach_return: Option<(String, String, String)>,
    moves: BTreeMap<String, Option<String>>,
}

/// A subscriber: of each object it keeps the notification with the highest version.
#[derive(Default)]
struct Subscriber {
    objects: BTreeMap<(String, String), (u64, Value)>,
}

impl Subscriber {
    fn keep(&mut self, kind: &str, id: &Value, version: u64, object: Value) {
        let key = (kind.to_owned(), id.as_str().unwrap().to_owned());
        let newer = self
            .objects
            .get(&key)
            .is_none_or(|(known, _)| *known < version);
        if newer {
            self.objects.insert(key, (version, object));
        }
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .iter()
            .filter(move |((of, _), _)| of == kind)
            .map(|(_, (_, object))| object)
    }

    fn hear_rainforest(&mut self, event_type: &str, body: &Value) {
        let (version, data) = (body["version"].as_u64().unwrap(), &body["data"]);
        let payment = ["payin_id", "deposit_id", "payout_id", "refund_id"]
            .into_iter()
            .find_map(|key| data.get(key).filter(|id| id.is_string()))
            .unwrap();
        // An addition of ours is about the same objects.
        let event_type = event_type.strip_prefix("echeck.").unwrap_or(event_type);
        if event_type.starts_with("ach_return.") {
            let mut found = data.clone();
            found["payment"] = payment.clone();
            self.keep("ach_return", &data["ach_return_id"], version, found);
        } else if !event_type.starts_with("ach_correction.") {
            self.keep("payment", payment, version, data.clone());
            self.keep_embedded(&data["ach_return"], payment, version);
        }
    }

    fn hear_finix(&mut self, event_type: &str, body: &Value) {
        let version = body["version"].as_u64().unwrap();
        if event_type.starts_with("transfer.") {
            let transfer = &body["_embedded"]["transfers"][0];
            self.keep("payment", &transfer["id"], version, transfer.clone());
            let returned = transfer.get("returned_transfer");
            let returned = returned.unwrap_or(&transfer["id"]);
            self.keep_embedded(&transfer["ach_return"], returned, version);
        }
    }

    fn keep_embedded(&mut self, found: &Value, payment: &Value, version: u64) {
        if found.is_object() {
            let mut found = found.clone();
            found["payment"] = payment.clone();
            self.keep(
                "ach_return",
                &found["ach_return_id"].clone(),
                version,
                found,
            );
        }
    }

    /// What it knows by now of a payment that it knew as `before`.
    fn knows(&self, id: &str, before: &Transfer, payload_version: PayloadVersion) -> Shown {
        let before = view(seen(before), None, payload_version);
        let found = self.of("ach_return").find(|one| one["payment"] == id);
        let payment = &self.objects.get(&("payment".to_owned(), id.to_owned()));
        let (state, messages) = match payment {
            Some((_, payment)) => {
                let key = if payload_version == PayloadVersion::Finix {
                    "state"
                } else {
                    "status"
                };
                (text(&payment[key]), texts(&payment["messages"]))
            }
            None => (before.state, before.messages),
        };
        let published = payment
            .as_ref()
            .is_some_and(|(_, payment)| payment["has_ach_return"] == true);
        let moves = match payload_version {
            PayloadVersion::Finix => self
                .of("payment")
                .filter(|one| one.get("returned_transfer").is_some_and(|of| of == id))
                .map(|one| (text(&one["id"]), ready_at(one)))
                .collect(),
            PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => found
                .and_then(|one| one.get("adjustments"))
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|one| (text(&one["transfer_id"]), ready_at(one)))
                .collect(),
        };
        Shown {
            state,
            messages,
            has_ach_return: found.is_some() || published,
            ach_return: found.map(|one| {
                let part = |key: &str| text(&one[key]);
                (part("ach_return_id"), part("return_code"), part("stage"))
            }),
            moves,
        }
    }
}

fn ready_at(one: &Value) -> Option<String> {
    one["ready_to_settle_at"].as_str().map(str::to_owned)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let codes = vec![ReturnCode::R01, ReturnCode::R03, ReturnCode::R10];
    prop_oneof![
        1 => Just(Kind::Validation),
        4 => proptest::sample::select(codes).prop_map(Kind::Return),
        1 => Just(Kind::Correction),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => any_kind().prop_map(Act::Enter),
        2 => any_kind().prop_map(Act::EnterTwice),
        3 => Just(Act::Dishonor),
        3 => Just(Act::Contest),
        4 => (0..3_usize).prop_map(Act::Ready),
        1 => Just(Act::Repeat),
    ]
}

fn any_transfer() -> impl Strategy<Value = (TransferType, TransferState, bool)> {
    let kinds = prop_oneof![
        4 => Just(TransferType::Debit),
        1 => Just(TransferType::Credit),
        1 => Just(TransferType::Refund),
    ];
    let states = prop_oneof![Just(TransferState::Pending), Just(TransferState::Succeeded)];
    (kinds, states, any::<bool>())
}

/// Each message at least once, in an order that `picks` chooses, with repeats in between.
fn delivered(count: usize, picks: &[u16]) -> Vec<usize> {
    let pick = |at: usize| usize::from(picks[at % picks.len()]).wrapping_mul(at + 31);
    let mut order: Vec<usize> = (0..count)
        .chain((0..count).map(|at| pick(at) % count))
        .collect();
    let keys: Vec<usize> = (0..order.len()).map(|at| pick(at * 7 + 3) % 1009).collect();
    let mut places: Vec<usize> = (0..order.len()).collect();
    places.sort_by_key(|at| keys[*at]);
    order = places.into_iter().map(|at| order[at]).collect();
    order
}

proptest! {
    #[test]
    fn any_order_with_any_repeats_gives_the_picture_of_get_transfer(
        transfers in proptest::collection::vec(any_transfer(), 1..4),
        by_deposit in any::<bool>(),
        has_returned in any::<bool>(),
        acts in proptest::collection::vec((0..3_usize, any_act()), 0..40),
        picks in proptest::collection::vec(any::<u16>(), 1..60),
    ) {
        let policy = if by_deposit { FundingPolicy::Deposit } else { FundingPolicy::State };
        let before: BTreeMap<String, Transfer> = transfers
            .iter()
            .enumerate()
            .map(|(at, (kind, state, in_deposit))| {
                let id = format!("TR{at}");
                let mut transfer = transfer(&id, *kind, *state);
                transfer.in_deposit = by_deposit.then_some(*in_deposit);
                (id, transfer)
            })
            .collect();
        let mut world = World {
            policy,
            has_returned,
            now: before.clone(),
            before,
            rows: Vec::new(),
            dead: BTreeSet::new(),
        };
        for (at, act) in acts {
            world.happen(&format!("TR{}", at % transfers.len()), act);
        }
        for payload_version in PayloadVersion::ALL {
            let bodies = world.bodies(payload_version);
            let mut subscriber = Subscriber::default();
            for at in delivered(bodies.len(), &picks) {
                let (event_type, body) = &bodies[at];
                match payload_version {
                    PayloadVersion::Finix => subscriber.hear_finix(event_type, body),
                    PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => {
                        subscriber.hear_rainforest(event_type, body);
                    }
                }
                if payload_version == PayloadVersion::RainforestLegacy {
                    prop_assert!(!names_returned(&body.to_string()), "{}", body);
                    prop_assert!(!event_type.contains("returned"));
                }
            }
            for (id, before) in &world.before {
                let known = subscriber.knows(id, before, payload_version);
                prop_assert_eq!(known, world.shown(id, payload_version), "{} in {:?}", id, payload_version);
            }
        }
    }
}
