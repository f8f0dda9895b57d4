//! Checks everything that the job needs, all at once, within about five seconds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use returns_model::check::Check;
use returns_store::Store;

use super::probe::Probe;
use super::{machine, store};

/// What is checked.
pub struct Examiner {
    /// The returns database.
    pub store: Arc<dyn Store>,
    /// What each part of the service needs.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Where received files are stored.
    pub spool_folder: PathBuf,
    /// How many days the acquirer keeps a file, by source, where that is known.
    pub retention_days: HashMap<String, u32>,
}

/// A check, and the source that needs it.
#[derive(Debug, Clone)]
pub struct SourceCheck {
    /// The source; `None` when every source needs it.
    pub source: Option<String>,
    /// The check.
    pub check: Check,
}

impl Examiner {
    /// Checks what the source needs, or what all sources need.
    pub async fn examine(&self, source: Option<&str>) -> Vec<SourceCheck> {
        let wanted = |probe: &&Arc<dyn Probe>| match (source, probe.source()) {
            (Some(source), Some(of)) => source == of,
            (Some(_), None) | (None, _) => true,
        };
        let probes = self.probes.iter().filter(wanted).map(|probe| async {
            let checks = probe.checks().await.into_iter();
            let source = probe.source().map(str::to_owned);
            checks
                .map(|check| SourceCheck {
                    source: source.clone(),
                    check,
                })
                .collect::<Vec<_>>()
        });
        let (disk, store, probed) = tokio::join!(
            machine::disk(&self.spool_folder),
            store::check(&*self.store),
            join_all(probes)
        );
        let (of_sources, shared): (Vec<_>, Vec<_>) = probed
            .into_iter()
            .flatten()
            .partition(|found| found.source.is_some());
        let ours = [disk, store].map(|check| SourceCheck {
            source: None,
            check,
        });
        of_sources.into_iter().chain(ours).chain(shared).collect()
    }
}
