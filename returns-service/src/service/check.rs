//! What can be checked before a start: the configuration, the returns database, and each adapter with
//! its target. Nothing is changed. `echeck diagnose` checks the rest on a running service.

use std::time::Duration;

use echeck_service::ErrorChain;
use returns_store::StoreSettings;
use uuid::Uuid;

use super::parts;
use crate::config::Config;

/// How long an adapter may take.
const WITHIN: Duration = Duration::from_secs(5);

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was checked, such as `database gateway`.
    pub what: String,
    /// What there is, or what is wrong and what to do.
    pub found: Result<String, String>,
}

/// Checks a configuration that was read without a fault.
pub async fn check(config: Config) -> Vec<Checked> {
    let mut checked = Vec::new();
    let settings = StoreSettings {
        migrate: false,
        ..config.store.clone()
    };
    let opened = returns_store::open(&settings, Uuid::new_v4()).await;
    let head = match opened {
        Ok(store) => store.head().await,
        Err(error) => Err(error),
    };
    checked.push(Checked {
        what: "returns database".to_owned(),
        found: head
            .map(|head| format!("its journal ends at position {}", head.position))
            .map_err(|error| ErrorChain(&error).to_string()),
    });
    let adapters = match parts::adapters(&config, Uuid::nil()) {
        Ok(adapters) => adapters,
        Err(error) => {
            let (what, found) = ("adapters".to_owned(), Err(ErrorChain(&error).to_string()));
            checked.push(Checked { what, found });
            return checked;
        }
    };
    for (adapter, _) in adapters {
        let found = match adapter.check(WITHIN).await {
            Ok(answer) if answer.ok => {
                Ok(format!("{}, {}", answer.target, answer.database_version))
            }
            Ok(answer) => Err(answer.faults.join("; ")),
            Err(error) => Err(ErrorChain(&error).to_string()),
        };
        let what = format!("database {}", adapter.database);
        checked.push(Checked { what, found });
    }
    checked
}
