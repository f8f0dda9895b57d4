//! Leases on a real store.

use std::sync::Arc;
use std::time::Duration;

use echeck_test_fixtures::empty_store;
use returns_store::{Replica, Store};
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(60);

fn replica(store: &Arc<dyn Store>, name: &str, lease_ms: u64) -> Replica {
    Replica {
        store: store.clone(),
        name: name.into(),
        lease: Duration::from_millis(lease_ms),
    }
}

#[tokio::test]
async fn work_is_dropped_once_another_replica_has_the_lease() {
    let (_folder, store) = empty_store().await;
    let shutdown = CancellationToken::new();
    let lease = replica(&store, "a", 200)
        .acquire("x", &shutdown)
        .await
        .unwrap();
    store.release_lease("x", "a").await.unwrap();
    assert!(store.take_lease("x", "b", LONG).await.unwrap());
    let work = lease.keep(std::future::pending());
    tokio::time::timeout(Duration::from_secs(10), work)
        .await
        .unwrap();
    lease.release().await;
    assert!(
        !store.take_lease("x", "c", LONG).await.unwrap(),
        "a gave nothing back that is b's"
    );
}

#[tokio::test]
async fn a_lease_is_renewed_while_its_work_goes_on() {
    let (_folder, store) = empty_store().await;
    let shutdown = CancellationToken::new();
    let lease = replica(&store, "a", 1_500)
        .acquire("x", &shutdown)
        .await
        .unwrap();
    let work = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert!(!store.take_lease("x", "b", LONG).await.unwrap());
        }
    };
    lease.keep(work).await;
    lease.release().await;
    assert!(store.take_lease("x", "b", LONG).await.unwrap());
}

#[tokio::test]
async fn a_replica_that_was_paused_asks_before_it_believes() {
    let (_folder, store) = empty_store().await;
    let shutdown = CancellationToken::new();
    let lease = replica(&store, "a", 50)
        .acquire("x", &shutdown)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(
        lease.still_held().await.unwrap(),
        "nobody took it meanwhile"
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(store.take_lease("x", "b", LONG).await.unwrap());
    assert!(!lease.still_held().await.unwrap());
}

#[tokio::test]
async fn a_lease_that_a_dead_replica_had_is_taken_over() {
    let (_folder, store) = empty_store().await;
    let shutdown = CancellationToken::new();
    let dead = Duration::from_millis(300);
    assert!(store.take_lease("x", "dead", dead).await.unwrap());
    let waiting = replica(&store, "a", 90);
    let taking = waiting.acquire("x", &shutdown);
    let taken = tokio::time::timeout(Duration::from_secs(10), taking).await;
    assert!(taken.unwrap().is_some());
}
