//! Imports that ended the process twice. They are not tried again by themselves, since one file
//! must not stop the service for all others; a person decides.

use std::collections::HashSet;
use std::time::Duration;

use echeck_service::ErrorChain;
use returns_model::incident::{Cause, Problem, Subject};
use returns_store::ParkedImport;
use tokio::time::Instant;

use super::worker::Importer;

/// How often the returns database is asked for them.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The parked imports that this replica has reported.
#[derive(Debug, Default)]
pub(super) struct Parked {
    reported: HashSet<String>,
    looked: Option<Instant>,
}

impl Parked {
    /// Reports those that are parked by now, and forgets those that are no longer.
    pub(super) async fn look(&mut self, importer: &Importer) {
        if self.looked.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) {
            return;
        }
        self.looked = Some(Instant::now());
        let parked = match importer.replica.store.parked_imports().await {
            Ok(parked) => parked,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "parked imports cannot be listed");
                return;
            }
        };
        let ids: HashSet<String> = parked.iter().map(|one| one.import_id.clone()).collect();
        for import_id in self.reported.difference(&ids) {
            importer.faults.clear_parked(import_id);
        }
        for one in parked {
            if !self.reported.contains(&one.import_id) {
                importer.report_parked(one);
            }
        }
        self.reported = ids;
    }
}

impl Importer {
    fn report_parked(&self, ParkedImport { import_id, source }: ParkedImport) {
        let cause = Cause::ImportParked {
            import_id: import_id.clone(),
        };
        tracing::error!(import_id, "{}", cause.headline());
        self.faults.set_parked(&import_id);
        self.incidents.report(Problem {
            source: Some(source),
            import_id: Some(import_id.clone()),
            ..Problem::new(Subject::Import(import_id), cause, self.clock.now())
        });
        self.notifier.import_changed();
    }
}
