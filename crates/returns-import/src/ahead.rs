//! Looks transfers up ahead of their decision, so that the system of record works on one
//! batch while the returns database takes the one before.

use ach::format::Item;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::adapter::{Adapter, Lookup};
use super::batches::{BatchError, Parsed};
use super::decide::{DecideError, look_up};
use super::gather::entries;
use super::import_times::ImportTimes;
use crate::source::Source;

/// Batches that may wait, looked up, to be decided. More would only cost memory.
const BATCHES_AHEAD: usize = 1;

/// A batch with the transfers that its entries name.
pub(super) struct LookedUpBatch {
    pub(super) items: Vec<Item>,
    pub(super) lookup: Lookup,
}

/// A batch, or the end of the file.
pub(super) enum Found {
    Batch(LookedUpBatch),
    End,
}

/// Why the next batch could not be had.
pub(super) enum AheadError {
    Read(BatchError),
    LookUp(DecideError),
}

/// The batches that were looked up. Dropping it ends the looking.
pub(super) struct Ahead {
    receiver: mpsc::Receiver<Result<Found, AheadError>>,
    task: JoinHandle<()>,
}

impl Ahead {
    /// Starts to look up what the parser sends.
    pub(super) fn start(
        mut parsed: mpsc::Receiver<Result<Parsed, BatchError>>,
        system_of_record: Adapter,
        source: Source,
        times: ImportTimes,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let task = tokio::spawn(async move {
            while let Some(message) = times.parse.time(parsed.recv()).await {
                let found = match message {
                    Ok(Parsed::Batch(items)) => {
                        let looking = find(&system_of_record, &source, &items);
                        let lookup = times.look_up.time(looking).await;
                        lookup.map(|lookup| Found::Batch(LookedUpBatch { items, lookup }))
                    }
                    Ok(Parsed::End(_)) => Ok(Found::End),
                    Err(error) => Err(AheadError::Read(error)),
                };
                if sender.send(found).await.is_err() {
                    return;
                }
            }
        });
        Self { receiver, task }
    }

    /// The next batch; `None` when the parser ended without a last word.
    pub(super) async fn next(&mut self) -> Option<Result<Found, AheadError>> {
        self.receiver.recv().await
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn find(
    system_of_record: &Adapter,
    source: &Source,
    batch: &[Item],
) -> Result<Lookup, AheadError> {
    // What is looked up does not depend on which import it is, or where in the file.
    let entries = entries(batch, source, "", 0);
    look_up(system_of_record, &entries)
        .await
        .map_err(|error| AheadError::LookUp(error.into()))
}
