//! The returns database.

use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;
use returns_store::Store;

use super::probe::{PATIENCE, timed};

/// Writes a sign of life to the returns database, and asks it for the journal's end.
pub(super) async fn check(store: &dyn Store) -> Check {
    timed("returns database", "journal".to_owned(), async {
        let failed = |why| CheckResult::Failed(Cause::StoreUnreachable { why });
        let asked = async {
            store.ping().await?;
            store.head().await
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(head)) => CheckResult::Passed(format!(
                "takes writes; the journal ends at position {}",
                head.position
            )),
            Ok(Err(error)) => failed(error.why()),
            Err(_) => failed(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    })
    .await
}
