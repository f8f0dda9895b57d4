//! The returns database.

use echeck_service::ErrorChain;
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Cause;
use returns_store::Store;

use super::probe::{PATIENCE, timed};

/// Asks the returns database for the journal's end.
pub(super) async fn check(store: &dyn Store) -> Check {
    timed("returns database", "journal".to_owned(), async {
        let failed = |why| CheckResult::Failed(Cause::StoreUnreachable { why });
        match tokio::time::timeout(PATIENCE, store.head()).await {
            Ok(Ok(head)) => {
                CheckResult::Passed(format!("the journal ends at position {}", head.position))
            }
            Ok(Err(error)) => failed(ErrorChain(&error).to_string()),
            Err(_) => failed(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    })
    .await
}
