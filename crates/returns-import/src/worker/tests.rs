use echeck_service::clock::SystemClock;
use echeck_test_fixtures::{empty_store, eventually};
use returns_model::import::{NewImport, Received};

use super::*;
use crate::adapter::{Adapter, AdapterLimits};
use crate::hold::RetryPolicy;
use returns_store::Store;

const LONG: Duration = Duration::from_secs(60);

/// A replica without sources, so that every import is stalled with a fault.
fn importer(store: &Arc<dyn Store>, folder: &tempfile::TempDir, name: &str) -> Arc<Importer> {
    let limits = AdapterLimits {
        timeout: LONG,
        max_message_bytes: 1 << 20,
    };
    let whose = ("gateway", uuid::Uuid::nil());
    let adapter = Adapter::new(whose, "http://127.0.0.1:1", None, limits);
    let spool = Spool::open(&folder.path().join("spool"), &Spool::new_identity());
    Arc::new(Importer {
        decider: Arc::new(Decider {
            store: store.clone(),
            gateway: adapter.unwrap(),
            sources: HashMap::new(),
            retry: RetryPolicy {
                first: LONG,
                longest: LONG,
            },
        }),
        replica: Replica {
            store: store.clone(),
            name: name.into(),
            // Long enough that a slow disk does not make a living replica lose it.
            lease: Duration::from_millis(1_500),
        },
        spool: spool.unwrap(),
        clock: Arc::new(SystemClock),
        notifier: Notifier::new(),
        batch_size: 10,
        concurrent: 2,
        incidents: IncidentReporter::new().0,
        faults: ImportFaults::default(),
    })
}

async fn received(store: &Arc<dyn Store>, bytes: &str) -> String {
    let new = NewImport {
        source: "unknown".into(),
        file_name: "a.csv".into(),
        sha256: bytes.into(),
        size_bytes: 1,
        spool_name: "a.age".into(),
        received_at: chrono::DateTime::UNIX_EPOCH,
        controls_accepted_by: None,
        trace: None,
    };
    match store.receive(new).await.unwrap() {
        Received::New(import) => import.import_id,
        Received::Known(_) => panic!("the file is new"),
    }
}

#[tokio::test]
async fn an_import_is_one_replicas_until_that_stops_and_then_the_others() {
    let (folder, store) = empty_store().await;
    let (a, b) = (
        importer(&store, &folder, "a"),
        importer(&store, &folder, "b"),
    );
    let import = received(&store, "1").await;
    let stop = [CancellationToken::new(), CancellationToken::new()];
    let run_a = tokio::spawn(a.clone().run(stop[0].clone()));
    eventually("a works on it", async || a.faults.of(&import).is_some()).await;
    let run_b = tokio::spawn(b.clone().run(stop[1].clone()));
    tokio::time::sleep(a.replica.lease * 2).await;
    assert_eq!(b.faults.of(&import), None, "a renews its claim");
    stop[0].cancel();
    run_a.await.unwrap();
    assert_eq!(a.faults.of(&import), None, "it is not a's any more");
    eventually("b took over", async || b.faults.of(&import).is_some()).await;
    stop[1].cancel();
    run_b.await.unwrap();
}

#[tokio::test]
async fn an_import_that_another_replica_has_by_now_is_left_to_it() {
    let (folder, store) = empty_store().await;
    let a = importer(&store, &folder, "a");
    let import = received(&store, "1").await;
    let stop = CancellationToken::new();
    let run = tokio::spawn(a.clone().run(stop.clone()));
    eventually("a works on it", async || a.faults.of(&import).is_some()).await;
    store.release_import(&import, "a").await.unwrap();
    let claimed = store.claim_imports("b", &[], 1, LONG).await.unwrap();
    assert_eq!(claimed, [import.as_str()]);
    eventually("a leaves it", async || a.faults.of(&import).is_none()).await;
    tokio::time::sleep(a.replica.lease).await;
    assert_eq!(a.faults.of(&import), None, "and does not come back");
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn the_imports_of_a_dead_replica_are_taken_over_as_far_as_there_are_places() {
    let (folder, store) = empty_store().await;
    let a = importer(&store, &folder, "a");
    let mut imports = Vec::new();
    for bytes in ["1", "2", "3"] {
        imports.push(received(&store, bytes).await);
    }
    let dead = Duration::from_millis(300);
    let claimed = store.claim_imports("dead", &[], 3, dead).await.unwrap();
    assert_eq!(claimed.len(), 3);
    let stop = CancellationToken::new();
    let run = tokio::spawn(a.clone().run(stop.clone()));
    let taken = || {
        imports
            .iter()
            .filter(|id| a.faults.of(id).is_some())
            .count()
    };
    eventually("a has as many as it may", async || taken() == 2).await;
    let left = store.claim_imports("b", &[], 3, LONG).await.unwrap();
    assert_eq!(left.len(), 1, "the third is free for another");
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn an_import_that_ended_two_processes_is_parked_until_a_person_retries_it() {
    let (folder, store) = empty_store().await;
    let a = importer(&store, &folder, "a");
    let import = received(&store, "1").await;
    // Two processes began to work on it, and never came back.
    assert!(store.begin_work(&import).await.unwrap());
    assert!(store.begin_work(&import).await.unwrap());
    let stop = CancellationToken::new();
    let run = tokio::spawn(a.clone().run(stop.clone()));
    let fault = || a.faults.of(&import).unwrap_or_default();
    eventually("it is parked", async || fault().contains("parked")).await;
    let healthy = received(&store, "2").await;
    eventually("others continue", async || a.faults.of(&healthy).is_some()).await;

    assert!(store.retry_import(&import).await.unwrap());
    a.notifier.import_changed();
    eventually("it is tried again", async || {
        fault().contains("not configured")
    })
    .await;
    stop.cancel();
    run.await.unwrap();
    // Steps that ended, even with an error, do not count.
    assert!(store.begin_work(&import).await.unwrap());
    assert!(store.begin_work(&import).await.unwrap());
}
