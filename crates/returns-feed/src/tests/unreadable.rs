//! Rows that an adapter cannot read.

use returns_model::audit::AuditRecord;
use returns_model::follower::UnreadableRow;

use super::*;

fn decision() -> AuditRecord {
    AuditRecord {
        at: now(),
        identity: "ann".into(),
        address: String::new(),
        request_id: "aud_1".into(),
        action: "skip_journal_row".into(),
        subject: "journal row 3 in gateway".into(),
        before: String::new(),
        after: "skipped".into(),
        reason: "no id".into(),
        outcome: "OK".into(),
    }
}

/// Five rows, of which the third cannot be read, and a feed that has found that out.
async fn stalled(store: &Arc<dyn Store>, target: &Target) -> (Arc<Feed>, CancellationToken) {
    target.lock().unreadable = vec![3];
    let address = target.serve().await;
    rows(store, "a", 5).await;
    let feeding = feed(store, "a", &address);
    let (feed, stop) = (feeding.feed.clone(), CancellationToken::new());
    tokio::spawn(feeding.run(stop.clone()));
    eventually("the fault names the row and the way out", async || {
        fault(store).await.is_some_and(|fault| {
            fault.what.contains("cannot read journal row 3")
                && fault.what.contains("--database gateway --position 3")
        })
    })
    .await;
    (feed, stop)
}

async fn positions(store: &Arc<dyn Store>) -> Vec<u64> {
    let exceptions = store.exceptions(GATEWAY, 0, 5).await.unwrap();
    exceptions.iter().map(|one| one.position).collect()
}

#[tokio::test]
async fn it_stalls_the_feed_until_an_operator_skips_it_and_then_it_is_held() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    let (feed, stop) = stalled(&store, &target).await;
    assert_eq!(position(&store).await, 0);
    assert_eq!(feed.unreadable_rows(2).await.unwrap(), []);
    let found = feed.unreadable_rows(0).await.unwrap();
    assert_eq!(
        found,
        [UnreadableRow {
            position: 3,
            why: "return_transfer.transfer_id must not be empty".into(),
            skipped: None,
        }]
    );
    feed.skip(&found[0], &decision()).await.unwrap();
    eventually("the rows after it are fed", async || {
        position(&store).await == 5 && fault(&store).await.is_none()
    })
    .await;
    assert_eq!(positions(&store).await, [3]);
    eventually("its entry is held", async || {
        store.open_holds().await.unwrap() == 1
    })
    .await;
    let kept = store.audit(&Default::default(), 9).await.unwrap();
    assert_eq!((kept.len(), &kept[0].record), (1, &decision()));
    assert_eq!(feed.unreadable_rows(0).await.unwrap(), []);
    stop.cancel();
}

#[tokio::test]
async fn a_skipped_row_is_an_exception_also_when_the_reply_is_lost() {
    let (_folder, store) = empty_store().await;
    let target = Target::default();
    let (feed, stop) = stalled(&store, &target).await;
    target.lock().loses_reply = true;
    let found = feed.unreadable_rows(3).await.unwrap();
    feed.skip(&found[0], &decision()).await.unwrap();
    eventually("the target was asked where it is", async || {
        position(&store).await == 5
    })
    .await;
    // The target itself says that it refused row 2.
    assert_eq!(positions(&store).await, [2, 3]);
    stop.cancel();
}
