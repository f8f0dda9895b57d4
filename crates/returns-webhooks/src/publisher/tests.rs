//! The publisher on a store, with a system of record whose progress the test decides.

use ach::decision::HoldReason;
use echeck_service::clock::ManualClock;
use echeck_test_fixtures::{append, deciding_import, empty_store, entry, now, row};
use returns_model::follower::{ExceptionKind, RowException};
use returns_model::hold::{HoldChange, HoldChangeTo, HoldState, NewHold};
use returns_model::journal::{Relation, Row};
use returns_store::{Append, AppendCause, Appended, Writes};

use super::*;
use crate::testing;
use crate::testing::{ready, returned, transfer};

const GATEWAY: &str = "gateway";

struct World {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    import: String,
    done: u64,
}

impl World {
    async fn new() -> Self {
        let (folder, store) = empty_store().await;
        let import = deciding_import(&store, "a", 100).await;
        Self {
            folder,
            store,
            import,
            done: 0,
        }
    }

    fn publisher(&self) -> EventPublisher {
        EventPublisher {
            store: self.store.clone(),
            system_of_record: GATEWAY.into(),
            clock: Arc::new(ManualClock::new(now())),
            notifier: Notifier::new(),
        }
    }

    async fn write(&mut self, writes: Writes) {
        let seen = self.store.head().await.unwrap().position;
        let step = append(&self.import, (self.done, self.done + 1), seen, writes);
        let appended = self.store.append(step).await.unwrap();
        assert!(matches!(appended, Appended::Done(_)));
        self.done += 1;
    }

    async fn append(&mut self, rows: Vec<Row>) {
        self.write(Writes {
            rows,
            ..Writes::default()
        })
        .await;
    }

    /// The system of record is at `position` after `before`.
    async fn pass(&self, before: u64, position: u64, dead: &[u64]) {
        let exceptions: Vec<_> = dead
            .iter()
            .map(|position| RowException {
                position: *position,
                kind: ExceptionKind::MovedOn,
                message: "is FAILED".into(),
            })
            .collect();
        let moved = self
            .store
            .record_progress(GATEWAY, before, position, &exceptions, now())
            .await;
        assert!(moved.unwrap());
    }

    async fn published(&self) -> Vec<(i64, Option<i64>, String, String)> {
        let url = format!("sqlite://{}/returns.db", self.folder.path().display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let sql =
            "SELECT sequence, position, merchant, facts FROM webhook_events ORDER BY sequence";
        sqlx::query_as(sql).fetch_all(&pool).await.unwrap()
    }

    async fn positions(&self) -> Vec<i64> {
        let published = self.published().await;
        published
            .into_iter()
            .filter_map(|(_, position, ..)| position)
            .collect()
    }
}

#[tokio::test]
async fn only_what_took_effect_in_the_system_of_record_is_published() {
    let mut world = World::new().await;
    let import = world.import.clone();
    let rows = ["TR1", "TR2", "TR3"].map(|id| row(&import, id));
    world.append(rows.to_vec()).await;
    let publisher = world.publisher();
    assert!(!publisher.publish().await.unwrap(), "it has passed nothing");
    world.pass(0, 2, &[2]).await;
    assert!(publisher.publish().await.unwrap());
    assert_eq!(world.positions().await, [1]);
    assert_eq!(world.store.event_position().await.unwrap(), 2);

    let again = Row {
        relation: Some(Relation::Supersedes { position: 2 }),
        ..row(&import, "TR2")
    };
    let decided_again = Append {
        cause: AppendCause::Exception {
            database: GATEWAY.into(),
            position: 2,
        },
        seen_position: 3,
        writes: Writes {
            rows: vec![again],
            ..Writes::default()
        },
        at: now(),
    };
    world.store.append(decided_again).await.unwrap();
    world.pass(2, 4, &[]).await;
    assert!(publisher.publish().await.unwrap());
    assert_eq!(
        world.positions().await,
        [1, 3, 4],
        "what replaces it is published"
    );
}

#[tokio::test]
async fn a_row_said_again_to_a_mirror_is_no_event() {
    let mut world = World::new().await;
    let import = world.import.clone();
    let repeat = Row {
        relation: Some(Relation::Repeats {
            position: 1,
            database: "rallypay".into(),
        }),
        ..row(&import, "TR1")
    };
    world.append(vec![row(&import, "TR1")]).await;
    world.append(vec![repeat]).await;
    world.pass(0, 2, &[]).await;
    assert!(world.publisher().publish().await.unwrap());
    assert_eq!(world.positions().await, [1]);
    assert_eq!(world.store.event_position().await.unwrap(), 2);
}

#[tokio::test]
async fn when_the_system_of_record_is_restored_nothing_is_published_again() {
    let mut world = World::new().await;
    let import = world.import.clone();
    world
        .append(vec![row(&import, "TR1"), row(&import, "TR2")])
        .await;
    world.pass(0, 2, &[]).await;
    let publisher = world.publisher();
    assert!(publisher.publish().await.unwrap());
    world.pass(2, 1, &[]).await;
    assert!(!publisher.publish().await.unwrap());
    world.pass(1, 2, &[]).await;
    assert!(!publisher.publish().await.unwrap());
    assert_eq!(world.positions().await, [1, 2]);
}

#[tokio::test]
async fn two_replicas_at_once_tell_each_row_once() {
    let mut world = World::new().await;
    let import = world.import.clone();
    for number in 0..20 {
        world
            .append(vec![row(&import, &format!("TR{number}"))])
            .await;
        let before = world.store.progress(GATEWAY).await.unwrap().position;
        world.pass(before, before + 1, &[]).await;
        let (a, b) = (world.publisher(), world.publisher());
        let (one, other) = tokio::join!(a.publish(), b.publish());
        assert!(one.unwrap() | other.unwrap());
    }
    let published = world.published().await;
    let sequences: Vec<_> = published.iter().map(|(sequence, ..)| *sequence).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
    assert_eq!(world.positions().await, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reversal_that_becomes_ready_is_published_with_its_whole_history() {
    let mut world = World::new().await;
    let funded = transfer(
        "TR1",
        ach::decision::TransferType::Debit,
        ach::decision::TransferState::Succeeded,
    );
    let returned = testing::entry(returned(ach::code::ReturnCode::R01));
    let mut reversed = testing::row(&funded, ach::decision::Effect::Reverse, &returned, 1);
    reversed.import_id = world.import.clone();
    let from = now() + chrono::Duration::days(1);
    let settling = Row {
        decided_at: now() + chrono::Duration::hours(1),
        import_id: world.import.clone(),
        ..ready(&reversed, 1, from)
    };
    world.append(vec![reversed.clone(), settling]).await;
    world.pass(0, 2, &[]).await;
    assert!(world.publisher().publish().await.unwrap());
    let published = world.published().await;
    assert_eq!(published.len(), 2);
    assert!(
        published
            .iter()
            .all(|(_, _, merchant, _)| merchant == "ID1")
    );
    let facts: WebhookEvent = serde_json::from_str(&published[1].3).unwrap();
    let crate::event::EventKind::Moved {
        step: crate::event::MoneyStep::Settling,
        made,
        ach_return,
        ..
    } = facts.what
    else {
        panic!("{facts:?}");
    };
    assert_eq!(made.created_at, now(), "as the row that made it says");
    assert_eq!(made.ready_to_settle_at, Some(from));
    assert_eq!(ach_return.adjustments[0].ready_to_settle_at, Some(from));
}

#[tokio::test]
async fn a_hold_is_published_when_it_opens_and_when_it_closes_for_the_merchant_of_its_transfer() {
    let mut world = World::new().await;
    let import = world.import.clone();
    let mut known = row(&import, "TR1");
    known.transfer.parties.merchant = "ID1".into();
    let hold = |number: u64, transfer_ids: &[&str]| NewHold {
        hold_id: format!("hold_{number}"),
        source: "worldpay".into(),
        import_id: import.clone(),
        ordinal: number,
        reason: HoldReason::SecondReturn,
        detail: "a second one".into(),
        entry: entry(number),
        transfer_ids: transfer_ids.iter().map(|id| (*id).to_owned()).collect(),
        failed: None,
        next_attempt_at: None,
    };
    world
        .write(Writes {
            rows: vec![known],
            holds: vec![hold(1, &["TR1"]), hold(2, &[])],
            ..Writes::default()
        })
        .await;
    let publisher = world.publisher();
    assert!(publisher.publish().await.unwrap());
    let open = world.store.hold("hold_1").await.unwrap().unwrap();
    let closed = HoldChange {
        hold_id: "hold_1".into(),
        attempts: open.attempts,
        to: HoldChangeTo::Closed {
            state: HoldState::Dismissed,
            by: "ann".into(),
            note: "account 123456789".into(),
            at: now(),
        },
    };
    assert!(world.store.change_hold(&closed).await.unwrap());
    assert!(publisher.publish().await.unwrap());
    assert!(!publisher.publish().await.unwrap());
    let published = world.published().await;
    let merchants: Vec<_> = published
        .iter()
        .map(|(_, _, merchant, _)| merchant.as_str())
        .collect();
    assert_eq!(
        merchants,
        ["ID1", "", "ID1"],
        "nobody knows whose hold_2 is"
    );
    assert!(
        published
            .iter()
            .all(|(.., facts)| !facts.contains("123456789"))
    );
}
