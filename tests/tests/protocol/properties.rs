//! What must always hold, and what must be possible.

use std::collections::BTreeSet;

use stateright::Property;

use crate::actions::Protocol;
use crate::databases::{Database, Effect, Entry, FUNDABLE, Target};
use crate::processes::{AdapterCopy, Feed};
use crate::scenario::Scenario;
use crate::world::World;

pub(crate) const EFFECT_ONCE: &str = "no journal row has its effect twice";
pub(crate) const ENTRY_EFFECT_ONCE: &str = "no entry of the import has its effect twice";
pub(crate) const DENSE: &str = "positions are dense and the chain of hashes is whole";
pub(crate) const APPENDED_ONCE: &str = "an entry is appended once, and a row superseded once";
pub(crate) const PASSED_IS_DONE: &str =
    "what the gateway has passed took effect or is an exception";
pub(crate) const MIRROR_AGREES: &str = "the mirror shows what took effect in the gateway";
pub(crate) const NOT_SUPERSEDED: &str = "the mirror never shows a superseded decision";
pub(crate) const MIRROR_BEHIND: &str = "the mirror is never ahead of the gateway";
pub(crate) const AS_DECIDED: &str = "a decision takes effect only in the state it names";
pub(crate) const RECORD_IS_TRUE: &str = "the record of the gateway's exceptions is complete";
pub(crate) const RESTS_DRAINED: &str = "it comes to rest only when everything is drained";
const DRAINED: &str = "everything is drained";
const CONFLICT_REVERSED: &str = "a transfer that was funded meanwhile ends as reversed";
const MIRROR_RESTORED: &str = "a feed finds the mirror behind where it was";
const RIVALS: &str = "both copies of the gateway's adapter apply the same batch at once";

/// The properties of a scenario. What must be possible shows that the scenario reaches what
/// it is there for.
pub(crate) fn of(scenario: &Scenario) -> Vec<Property<Protocol>> {
    let mut properties = always();
    properties.push(Property::sometimes(DRAINED, |protocol, world: &World| {
        world.drained(&protocol.scenario)
    }));
    properties.push(Property::sometimes(CONFLICT_REVERSED, conflict_reversed));
    if scenario.mirror_copies > 0 {
        properties.push(Property::sometimes(MIRROR_RESTORED, mirror_restored));
    }
    if scenario.gateway_copies > 1 {
        properties.push(Property::sometimes(RIVALS, rivals));
    }
    properties
}

fn always() -> Vec<Property<Protocol>> {
    vec![
        Property::always(EFFECT_ONCE, effect_once),
        Property::always(ENTRY_EFFECT_ONCE, entry_effect_once),
        Property::always(DENSE, dense_and_chained),
        Property::always(APPENDED_ONCE, appended_once),
        Property::always(PASSED_IS_DONE, passed_is_done),
        Property::always(MIRROR_AGREES, mirror_agrees),
        Property::always(NOT_SUPERSEDED, not_superseded),
        Property::always(MIRROR_BEHIND, |_, world: &World| {
            world.mirror.cursor.position <= world.gateway.cursor.position
        }),
        Property::always(AS_DECIDED, as_decided),
        Property::always(RECORD_IS_TRUE, record_is_true),
        Property::always(RESTS_DRAINED, |protocol, world: &World| {
            world.drained(&protocol.scenario) || protocol.has_steps(world)
        }),
    ]
}

fn effect_once(_: &Protocol, world: &World) -> bool {
    let once = |target: &Target| target.effects.values().all(|count| *count <= 1);
    once(&world.gateway) && once(&world.mirror)
}

fn entry_effect_once(protocol: &Protocol, world: &World) -> bool {
    let mut entries = protocol.scenario.batches.iter().copied().flatten();
    entries.all(|entry| {
        effects_of(world, Database::Gateway, *entry) <= 1
            && effects_of(world, Database::Mirror, *entry) <= 1
    })
}

fn effects_of(world: &World, database: Database, entry: Entry) -> u8 {
    let rows = world.returns.journal.iter();
    rows.filter(|row| row.entry == entry)
        .map(|row| world.target(database).effects_at(row.position))
        .sum()
}

fn dense_and_chained(_: &Protocol, world: &World) -> bool {
    let mut previous = 0;
    (1..).zip(&world.returns.journal).all(|(position, row)| {
        let fits = row.position == position && row.hash == row.chained_to(previous);
        previous = row.hash;
        fits
    })
}

/// A superseding row stands for its exception, any other for its entry.
fn appended_once(_: &Protocol, world: &World) -> bool {
    let mut seen = BTreeSet::new();
    world.returns.journal.iter().all(|row| {
        seen.insert(match row.supersedes {
            Some(position) => (None, Some(position)),
            None => (Some(row.entry), None),
        })
    })
}

fn passed_is_done(_: &Protocol, world: &World) -> bool {
    let gateway = &world.gateway;
    world.returns.journal.iter().all(|row| {
        let effects = gateway.effects_at(row.position);
        let exception = gateway.exceptions.contains(&row.position);
        if row.position <= gateway.cursor.position {
            effects + u8::from(exception) == 1
        } else {
            effects == 0 && !exception
        }
    })
}

fn mirror_agrees(_: &Protocol, world: &World) -> bool {
    world.returns.journal.iter().all(|row| {
        let passed = row.position <= world.mirror.cursor.position;
        let in_gateway = world.gateway.effects_at(row.position);
        world.mirror.effects_at(row.position) == if passed { in_gateway } else { 0 }
    })
}

fn not_superseded(_: &Protocol, world: &World) -> bool {
    world.mirror.effects.keys().all(|position| {
        !world.returns.superseded(*position) && !world.gateway.exceptions.contains(position)
    })
}

/// Once the transfer is funded or returned it stays so.
fn as_decided(_: &Protocol, world: &World) -> bool {
    world.returns.journal.iter().all(|row| {
        row.entry != FUNDABLE
            || world.gateway.effects_at(row.position) == 0
            || row.effect == Effect::decide(world.funded)
    })
}

fn record_is_true(_: &Protocol, world: &World) -> bool {
    let recorded = &world.returns.gateway;
    recorded.position <= world.gateway.cursor.position
        && (world.gateway.exceptions.range(..=recorded.position)).eq(recorded.exceptions.keys())
}

fn conflict_reversed(protocol: &Protocol, world: &World) -> bool {
    let mut rows = world.returns.journal.iter();
    world.drained(&protocol.scenario)
        && rows.any(|row| {
            row.supersedes.is_some()
                && row.effect == Effect::Reverse
                && (world.databases().iter())
                    .all(|database| world.target(*database).effects_at(row.position) == 1)
        })
}

/// Nothing but a restore takes the mirror back.
fn mirror_restored(_: &Protocol, world: &World) -> bool {
    world.replicas.iter().any(|replica| {
        matches!(replica.mirror, Feed::Notified { from, cursor, .. } if cursor.position < from)
    })
}

fn rivals(_: &Protocol, world: &World) -> bool {
    let [AdapterCopy::Applying(one), AdapterCopy::Applying(other)] = &world.gateway_copies[..]
    else {
        return false;
    };
    one.first.position == other.first.position
}
