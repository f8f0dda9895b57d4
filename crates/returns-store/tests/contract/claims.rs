//! Claims and leases. Their times are the database's own, so the tests wait for real time;
//! whatever must not run out gets a minute.

use std::time::Duration;

use super::*;

on_both! {
    imports_are_claimed_oldest_first_and_by_one_replica_only,
    a_claim_that_is_not_renewed_runs_out,
    a_claim_given_back_is_free_at_once,
    replicas_that_claim_at_once_never_get_the_same_import,
    an_import_that_ended_the_process_twice_at_one_place_is_parked,
    a_lease_is_exclusive_until_it_runs_out_or_is_given_back,
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Open imports, the oldest first.
async fn open_imports(fixture: &Fixture, number: i64) -> Vec<String> {
    let mut ids = Vec::new();
    for age in 0..number {
        let mut new = file(&format!("file {age}"));
        new.received_at = now() + chrono::Duration::minutes(age);
        match fixture.store.receive(new).await.unwrap() {
            Received::New(import) => ids.push(import.import_id),
            Received::Known(_) => panic!("the file is new"),
        }
    }
    ids
}

async fn claim(store: &Arc<dyn Store>, owner: &str, besides: &[String], limit: u32) -> Vec<String> {
    let mut ids = store
        .claim_imports(owner, besides, limit, LONG)
        .await
        .unwrap();
    ids.sort();
    ids
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

async fn imports_are_claimed_oldest_first_and_by_one_replica_only(fixture: Fixture) {
    let ids = open_imports(&fixture, 4).await;
    let (store, other) = (&fixture.store, fixture.again().await);
    assert_eq!(claim(store, "a", &[], 2).await, sorted(&ids[..2]));
    assert_eq!(claim(&other, "b", &[], 1).await, &ids[2..3]);
    assert_eq!(claim(&other, "b", &ids[2..3], 9).await, &ids[3..]);
    assert!(claim(store, "a", &ids[..2], 9).await.is_empty());
    assert_eq!(
        claim(store, "a", &[], 9).await,
        sorted(&ids[..2]),
        "its own again"
    );
    let why = FileRejected {
        at: None,
        field: None,
        why: "no".into(),
        looks_like: None,
    };
    store.reject_import(&ids[0], &why, now()).await.unwrap();
    assert_eq!(
        claim(store, "a", &[], 9).await,
        &ids[1..2],
        "it is not open any more"
    );
}

async fn a_claim_that_is_not_renewed_runs_out(fixture: Fixture) {
    let ids = open_imports(&fixture, 2).await;
    let store = &fixture.store;
    let claimed = store.claim_imports("a", &[], 9, SHORT).await.unwrap();
    assert_eq!(claimed.len(), 2);
    let renewed = store.renew_claims("a", &ids[..1], LONG).await.unwrap();
    assert_eq!(renewed, &ids[..1]);
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(claim(store, "b", &[], 9).await, &ids[1..]);
    let still = store.renew_claims("a", &ids, LONG).await.unwrap();
    assert_eq!(still, &ids[..1], "a hears what it has lost");
}

async fn a_claim_given_back_is_free_at_once(fixture: Fixture) {
    let ids = open_imports(&fixture, 1).await;
    let store = &fixture.store;
    assert_eq!(claim(store, "a", &[], 9).await, ids);
    store.release_import(&ids[0], "b").await.unwrap();
    assert!(
        claim(store, "b", &[], 9).await.is_empty(),
        "b had nothing to give"
    );
    store.release_import(&ids[0], "a").await.unwrap();
    assert_eq!(claim(store, "b", &[], 9).await, ids);
}

async fn replicas_that_claim_at_once_never_get_the_same_import(fixture: Fixture) {
    let ids = open_imports(&fixture, 12).await;
    let mut tasks = Vec::new();
    for replica in 0..4 {
        let store = fixture.again().await;
        tasks.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let more = claim(&store, &format!("replica {replica}"), &mine, 1).await;
                if more.is_empty() {
                    return mine;
                }
                mine.extend(more);
            }
        }));
    }
    let mut claimed = Vec::new();
    for task in tasks {
        claimed.extend(task.await.unwrap());
    }
    claimed.extend(claim(&fixture.store, "late", &[], 12).await);
    claimed.sort();
    assert_eq!(claimed, sorted(&ids));
}

async fn a_lease_is_exclusive_until_it_runs_out_or_is_given_back(fixture: Fixture) {
    let (one, other) = (&fixture.store, fixture.again().await);
    let take = async |store: &Arc<dyn Store>, owner, lease| {
        store
            .take_lease("feed:gateway", owner, lease)
            .await
            .unwrap()
    };
    assert!(take(one, "a", LONG).await);
    assert!(!take(&other, "b", LONG).await);
    assert!(
        other.take_lease("holds", "b", LONG).await.unwrap(),
        "another lease"
    );
    assert!(take(one, "a", LONG).await, "renewed");
    other.release_lease("feed:gateway", "b").await.unwrap();
    assert!(!take(&other, "b", LONG).await, "b had nothing to give back");
    one.release_lease("feed:gateway", "a").await.unwrap();
    assert!(take(&other, "b", SHORT).await);
    tokio::time::sleep(SHORT * 2).await;
    assert!(take(one, "a", LONG).await, "b let it run out");
    assert!(!take(&other, "b", LONG).await);
}

async fn an_import_that_ended_the_process_twice_at_one_place_is_parked(fixture: Fixture) {
    let ids = open_imports(&fixture, 2).await;
    let (store, id) = (&fixture.store, &ids[0]);
    let begin = async || store.begin_work(id).await.unwrap();
    assert!(begin().await, "the first process");
    assert!(begin().await, "the second one: the first never came back");
    store.end_work(id).await.unwrap();
    assert!(begin().await, "the second one lives, and goes on");
    let checked = Checked {
        left_out: 0,
        items: 1,
        debit_minor: 0,
        credit_minor: 0,
        currencies: Vec::new(),
        findings: Vec::new(),
        emptiness: None,
    };
    store.accept_import(id, &checked, now()).await.unwrap();
    assert!(
        begin().await,
        "it came further: its earlier end counts no more"
    );
    assert!(!begin().await);
    let parked = ParkedImport {
        import_id: id.clone(),
        source: file("file 0").source,
    };
    assert_eq!(store.parked_imports().await.unwrap(), [parked]);
    assert_eq!(claim(store, "a", &[], 9).await, &ids[1..]);
    assert!(!store.retry_import(&ids[1]).await.unwrap());
    assert!(store.retry_import(id).await.unwrap());
    assert!(!store.retry_import(id).await.unwrap());
    assert_eq!(claim(store, "a", &[], 9).await, sorted(&ids));
}
