//! What the platform was told: everything that happened, to each of its addresses, and nothing
//! else. A message may come twice, with the same id; none may be missing.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use serde_json::Value;

use super::snapshot::Snapshot;
use super::{Findings, Invariant};
use crate::oracle::Effect;
use crate::rig::{GONE, Rig};

/// A message to one address: the path, the event's sequence, the event type.
type Place = (String, u64, String);

/// The journal position that an event reports, unless it is a hold's; and its messages, payload_version
/// and event type.
type Event = (Option<u64>, Vec<(String, String)>);

/// The events and deliveries as the returns database has them.
struct Notified {
    /// By sequence.
    events: BTreeMap<u64, Event>,
    /// By path: the payload_version.
    payload_versions: HashMap<String, String>,
    /// The webhook-id and the state.
    deliveries: HashMap<Place, (String, String)>,
}

pub(super) async fn check(snapshot: &Snapshot, rig: &Rig, findings: &mut Findings) -> Result<()> {
    let told = Notified::read(rig).await?;
    told.happened(snapshot, findings);
    told.delivered(findings);
    told.arrived(rig, findings);
    made_is_published(snapshot, rig, findings);
    owner_is_notified(rig, findings).await
}

/// The owner of the endpoint that is gone was told of each time that it was disabled, by mails
/// of which those about the same time have the same id.
async fn owner_is_notified(rig: &Rig, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM audit WHERE action = 'disable_endpoint'";
    let disabled = rig.returns.number(sql).await?;
    let sql = "SELECT COUNT(*) FROM webhook_endpoints \
               WHERE state = 'disabled' AND (owner_state IS NULL OR owner_state <> 'notified')";
    let untold = rig.returns.number(sql).await?;
    findings.expect(Invariant::Notified, untold == 0, || {
        format!("{untold} owners of disabled endpoints were not told")
    });
    let mails = rig.mail.mails();
    let of_round = mails
        .iter()
        .filter(|mail| mail.recipients.contains(&rig.listener.owner));
    let ids: HashSet<&str> = of_round
        .filter_map(|mail| mail.header("message-id"))
        .collect();
    findings.expect(Invariant::Notified, ids.len() as u64 == disabled, || {
        format!("endpoints were disabled {disabled} times, and their owner got mails {ids:?}")
    });
    Ok(())
}

fn cells<const N: usize>(row: Vec<Option<String>>) -> [String; N] {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

impl Notified {
    async fn read(rig: &Rig) -> Result<Self> {
        let mut told = Self {
            events: BTreeMap::new(),
            payload_versions: HashMap::new(),
            deliveries: HashMap::new(),
        };
        let sql = "SELECT sequence, position, messages FROM webhook_events";
        for row in rig.returns.rows(sql).await? {
            let [sequence, position, messages] = cells(row);
            let messages: Vec<(String, String)> = serde_json::from_str(&messages)?;
            let position = position.parse().ok();
            told.events.insert(sequence.parse()?, (position, messages));
        }
        for row in rig
            .returns
            .rows("SELECT url, payload_version FROM webhook_endpoints")
            .await?
        {
            let [url, payload_version] = cells(row);
            let path = path(&url);
            if path != GONE {
                told.payload_versions.insert(path, payload_version);
            }
        }
        let sql = "SELECT e.url, d.sequence, d.event_type, d.message_id, d.state \
                   FROM webhook_deliveries d JOIN webhook_endpoints e USING (endpoint_id)";
        for row in rig.returns.rows(sql).await? {
            let [url, sequence, event_type, message_id, state] = cells(row);
            let place = (path(&url), sequence.parse()?, event_type);
            if place.0 != GONE {
                told.deliveries.insert(place, (message_id, state));
            }
        }
        Ok(told)
    }

    /// Each row that took effect became one event, and no other row did.
    fn happened(&self, snapshot: &Snapshot, findings: &mut Findings) {
        let dense = self.events.keys().copied().eq(1..=self.events.len() as u64);
        findings.expect(Invariant::Notified, dense, || {
            format!("the events' sequences have gaps: {:?}", self.events.keys())
        });
        let superseded: HashSet<u64> = snapshot
            .rows
            .iter()
            .filter_map(|row| row.supersedes)
            .collect();
        let mut told: HashMap<u64, u64> = HashMap::new();
        for (position, _) in self.events.values() {
            if let Some(position) = position {
                *told.entry(*position).or_default() += 1;
            }
        }
        for row in &snapshot.rows {
            let took_effect = !superseded.contains(&row.position)
                && !snapshot.gateway.exceptions.contains_key(&row.position)
                && (!row.is_repeat || row.effect == Effect::Ready && row.follows.is_some());
            let count = told.remove(&row.position).unwrap_or_default();
            findings.expect(Invariant::Notified, count == u64::from(took_effect), || {
                format!(
                    "row {} ({:?}) is published by {count} events; it took effect: {took_effect}",
                    row.position, row.effect
                )
            });
        }
        findings.expect(Invariant::Notified, told.is_empty(), || {
            format!("events tell of rows that are not there: {told:?}")
        });
    }

    /// Each message of an event has one delivery to each address of its payload_version, which is done.
    fn delivered(&self, findings: &mut Findings) {
        let mut wanted: HashSet<Place> = HashSet::new();
        for (sequence, (_, messages)) in &self.events {
            for (path, payload_version) in &self.payload_versions {
                let of_version = messages.iter().filter(|(of, _)| of == payload_version);
                let places = of_version.map(|(_, kind)| (path.clone(), *sequence, kind.clone()));
                wanted.extend(places);
            }
        }
        for place in &wanted {
            let state = self.deliveries.get(place).map(|(_, state)| state.as_str());
            findings.expect(Invariant::Notified, state == Some("delivered"), || {
                format!("the delivery {place:?} is {state:?}")
            });
        }
        for place in self.deliveries.keys() {
            findings.expect(Invariant::Notified, wanted.contains(place), || {
                format!("the delivery {place:?} tells of nothing")
            });
        }
    }

    /// What was delivered was taken at its address, and what came there is a delivery.
    fn arrived(&self, rig: &Rig, findings: &mut Findings) {
        let received = rig.listener.received();
        let id = |one: &echeck_test_servers::http::Received| {
            let id = one.header("webhook-id").unwrap_or_default();
            (one.path.clone(), id.to_owned())
        };
        let taken: HashSet<(String, String)> = received
            .iter()
            .filter(|one| one.accepted)
            .map(&id)
            .collect();
        let mut known: HashSet<(String, String)> = HashSet::new();
        for ((path, sequence, kind), (message_id, state)) in &self.deliveries {
            let message = (path.clone(), message_id.clone());
            findings.expect(
                Invariant::Notified,
                state != "delivered" || taken.contains(&message),
                || format!("{kind} of event {sequence} is delivered; {path} never took it"),
            );
            known.insert(message);
        }
        for one in &received {
            findings.expect(Invariant::Notified, known.contains(&id(one)), || {
                format!(
                    "{} was sent {:?}, which is no delivery",
                    one.path, one.headers
                )
            });
            let body: Result<Value, _> = serde_json::from_str(&one.body);
            findings.expect(Invariant::Notified, body.is_ok(), || {
                format!("{} was sent what is no JSON: {}", one.path, one.body)
            });
        }
    }
}

/// Of each transfer that a stage of a return made, one message tells that it is there, and one
/// that it is ready to settle.
fn made_is_published(snapshot: &Snapshot, rig: &Rig, findings: &mut Findings) {
    let mut told: HashMap<(String, String), HashSet<String>> = HashMap::new();
    let received = rig.listener.received();
    for one in received.iter().filter(|one| one.path == "/finix") {
        let body: Value = serde_json::from_str(&one.body).unwrap_or_default();
        let id = body["_embedded"]["transfers"][0]["id"].as_str();
        if let (Some(kind), Some(id), true) = (body["type"].as_str(), id, one.accepted) {
            let message = one.header("webhook-id").unwrap_or_default().to_owned();
            let messages = told.entry((kind.to_owned(), id.to_owned())).or_default();
            messages.insert(message);
        }
    }
    for (id, row) in &snapshot.transfers {
        let Some(parent) = &row.parent_id else {
            continue;
        };
        let [created, ready] = ["created", "updated"].map(|kind| {
            let messages = told.get(&(kind.to_owned(), id.clone()));
            messages.map_or(0, HashSet::len)
        });
        findings.expect(Invariant::Notified, (created, ready) == (1, 1), || {
            format!(
                "{id}, made of {parent}, was told of by {created} messages, and that it is ready \
                 by {ready}"
            )
        });
    }
}

/// The path of an address.
fn path(url: &str) -> String {
    url.splitn(4, '/')
        .nth(3)
        .map_or_else(String::new, |path| format!("/{path}"))
}
