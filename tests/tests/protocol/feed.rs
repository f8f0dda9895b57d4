//! The feed of one database: it asks where the target is, records that, sends rows, and
//! decides again where the gateway's transfer had moved on.

use crate::actions::{Mutation, Protocol};
use crate::databases::{Cursor, Database, Dealt, Effect, FUNDABLE, Position, Row};
use crate::processes::{Feed, Message, ReplicaId, Step};
use crate::world::World;

/// How many journal rows one request to an adapter holds at most.
const ROWS_PER_REQUEST: usize = 2;

impl Protocol {
    pub(crate) fn record_progress(
        &self,
        world: &mut World,
        replica: ReplicaId,
        database: Database,
    ) {
        let feed = std::mem::take(world.replicas[replica].feed_mut(database));
        let Feed::Notified {
            from,
            cursor,
            exceptions,
        } = feed
        else {
            return;
        };
        let recorded = world.returns.recorded_mut(database);
        if self.mutation == Mutation::ProgressRecordedBlindly {
            let from = from.min(cursor.position);
            (recorded.exceptions).retain(|old, _| *old <= from || exceptions.contains(old));
        } else if recorded.position != from {
            // What was told is old by now, and may lack exceptions: ask again.
            return;
        }
        recorded.position = cursor.position;
        for exception in exceptions {
            recorded.exceptions.entry(exception).or_insert(Dealt::Open);
        }
        *world.replicas[replica].feed_mut(database) = Feed::Ready(cursor);
    }

    /// The rows after the cursor, for the mirror only those which the gateway has passed.
    pub(crate) fn rows_to_feed<'a>(
        &self,
        world: &'a World,
        database: Database,
        after: Cursor,
    ) -> impl Iterator<Item = &'a Row> {
        let limit = match database {
            Database::Mirror if self.mutation != Mutation::MirrorNotHeldBack => {
                world.returns.gateway.position
            }
            Database::Gateway | Database::Mirror => Position::MAX,
        };
        (world.returns.journal.iter())
            .filter(move |row| row.position > after.position && row.position <= limit)
            .take(ROWS_PER_REQUEST)
    }

    pub(crate) fn send_rows(&self, world: &mut World, replica: ReplicaId, database: Database) {
        let Feed::Ready(cursor) = *world.replicas[replica].feed(database) else {
            return;
        };
        let mut steps = self
            .rows_to_feed(world, database, cursor)
            .map(|row| step(world, database, row));
        let Some(first) = steps.next() else { return };
        let message = Message {
            database,
            asker: Some(replica),
            previous: cursor.hash,
            first,
            rest: steps.collect(),
        };
        world.network.push(message);
        *world.replicas[replica].feed_mut(database) = Feed::Waiting(cursor);
    }

    pub(crate) fn decide_again(&self, world: &mut World, replica: ReplicaId) {
        let Feed::Ready(cursor) = world.replicas[replica].gateway else {
            return;
        };
        let Some(exception) = world.returns.open_exception() else {
            return;
        };
        world.replicas[replica].gateway = Feed::DecidedAgain {
            cursor,
            exception,
            effect: Effect::decide(world.funded),
            drawn: self.draw(world, 1),
        };
    }
}

/// Reads what is recorded, then asks the target for everything since. The two reads are one
/// action: a record that moves between them makes the recording fail anyway.
pub(crate) fn ask_progress(world: &mut World, replica: ReplicaId, database: Database) {
    let from = world.returns.recorded(database).position;
    let target = world.target(database);
    let told = Feed::Notified {
        from,
        cursor: target.cursor,
        exceptions: target.exceptions.range(from + 1..).copied().collect(),
    };
    *world.replicas[replica].feed_mut(database) = told;
}

/// The step for a database, as of the same read as the rows: empty when the row was superseded, and in the mirror when it did
/// not take effect in the gateway.
fn step(world: &World, database: Database, row: &Row) -> Step {
    let recorded = &world.returns.gateway.exceptions;
    let silent = world.returns.superseded(row.position)
        || database == Database::Mirror && recorded.contains_key(&row.position);
    Step {
        position: row.position,
        hash: row.hash,
        change: (!silent).then_some((row.entry, row.effect)),
    }
}

pub(crate) fn append_again(world: &mut World, replica: ReplicaId) {
    let Feed::DecidedAgain {
        cursor,
        exception,
        effect,
        drawn,
    } = world.replicas[replica].gateway
    else {
        return;
    };
    world.replicas[replica].gateway = Feed::Ready(cursor);
    let returns = &mut world.returns;
    let Some(dealt) = returns.gateway.exceptions.get_mut(&exception) else {
        return;
    };
    if *dealt == Dealt::Open {
        *dealt = Dealt::Superseded;
        returns.append(drawn, FUNDABLE, effect, Some(exception));
    }
}
