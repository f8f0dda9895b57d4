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
use super::worker::ImportError;
use crate::source::Source;

/// How many batches may wait to be decided after they were looked up. More would only cost memory.
const BATCHES_AHEAD: usize = 1;

/// A batch with the transfers that its entries name.
pub(super) struct LookedUpBatch {
    pub(super) items: Vec<Item>,
    pub(super) lookup: Lookup,
}

/// A batch, or the end of the file.
pub(super) enum NextBatch {
    Batch(LookedUpBatch),
    End,
}

/// The batches that were looked up. Dropping it ends the looking.
pub(super) struct Ahead {
    receiver: mpsc::Receiver<Result<NextBatch, ImportError>>,
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
                        // The lookup does not depend on the import, or the place in the file.
                        let entries = entries(&items, &source, "", 0);
                        let looking_up = look_up(&system_of_record, &entries);
                        let lookup = times.look_up.time(looking_up).await;
                        lookup
                            .map(|lookup| NextBatch::Batch(LookedUpBatch { items, lookup }))
                            .map_err(|error| DecideError::from(error).into())
                    }
                    Ok(Parsed::End(_)) => Ok(NextBatch::End),
                    Err(error) => Err(error.into()),
                };
                if sender.send(found).await.is_err() {
                    return;
                }
            }
        });
        Self { receiver, task }
    }

    /// The next batch; `None` when the parser ended without a last message.
    pub(super) async fn next(&mut self) -> Option<Result<NextBatch, ImportError>> {
        self.receiver.recv().await
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
