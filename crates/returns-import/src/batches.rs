//! Reading a spooled file in batches. Parsing blocks, so it has a thread of its own, and transfers
//! are looked up ahead of their decision: the system of record works on one batch while the returns
//! database takes the one before. Short channels keep memory flat whatever the size of the file.

use ach::format::{FileReader, Item, ReadError, Summary};
use chrono::NaiveDate;
use echeck_service::turns;
use returns_model::import::NewImport;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::adapter::{Adapter, Lookup};
use super::decide::{DecideError, look_up};
use super::gather::entries;
use super::import_times::ImportTimes;
use super::spool::{Spool, SpoolError};
use super::weight;
use super::worker::ImportError;
use crate::source::Source;

/// Parsed batches that may wait to be looked up.
const PARSED_AHEAD: usize = 2;

/// How many batches may wait to be decided after they were looked up. More would only cost memory.
const LOOKED_UP_AHEAD: usize = 1;

/// What a batch may weigh: rows can be long.
const BATCH_BYTES: u64 = 4 << 20;

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The format refuses the file, or its bytes could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What the parser sends: batches in order, then the summary.
#[derive(Debug)]
pub(crate) enum Parsed {
    Batch(Vec<Item>),
    End(Box<Summary>),
}

/// A file in the spool, and how it is read.
#[derive(Clone, Copy)]
pub(crate) struct SpooledFile<'a> {
    pub(crate) spool: &'a Spool,
    pub(crate) name: &'a str,
    pub(crate) source: &'a Source,
    pub(crate) received_on: NaiveDate,
    /// How many items are handed over at a time, at most.
    pub(crate) batch_size: usize,
    pub(crate) size_bytes: u64,
    /// Whether a person vouches for it although its controls are missing.
    pub(crate) without_controls: bool,
}

impl<'a> SpooledFile<'a> {
    /// The file of an import, handed over `batch_size` items at a time.
    pub(crate) fn of(
        new: &'a NewImport,
        spool: &'a Spool,
        source: &'a Source,
        batch_size: usize,
    ) -> Self {
        Self {
            spool,
            name: &new.spool_name,
            source,
            received_on: new.received_at.date_naive(),
            batch_size,
            size_bytes: new.size_bytes,
            without_controls: new.controls_accepted_by.is_some(),
        }
    }
}

/// Parses a file from its first item, leaving out the first `skip` items.
pub(crate) fn parse(
    file: &SpooledFile<'_>,
    skip: u64,
) -> mpsc::Receiver<Result<Parsed, BatchError>> {
    let (sender, receiver) = mpsc::channel(PARSED_AHEAD);
    let (spool, name) = (file.spool.clone(), file.name.to_owned());
    let (received_on, batch_size) = (file.received_on, file.batch_size);
    let format = match file.without_controls {
        true => file.source.format.clone().without_controls(),
        false => file.source.format.clone(),
    };
    tokio::task::spawn_blocking(move || {
        let end = match spool.read(&name) {
            Err(error) => Some(Err(error.into())),
            Ok(input) => {
                let mut reader = format.open(input, received_on);
                send_batches(&mut reader, &sender, skip, batch_size)
            }
        };
        if let Some(end) = end {
            // If nobody listens any more, there is nobody to answer.
            let _ = sender.blocking_send(end);
        }
    });
    receiver
}

/// Sends every item after the first `skip`; gives the last message, or `None` when nobody
/// listens any more.
fn send_batches<R: std::io::Read>(
    reader: &mut FileReader<R>,
    sender: &mpsc::Sender<Result<Parsed, BatchError>>,
    skip: u64,
    batch_size: usize,
) -> Option<Result<Parsed, BatchError>> {
    let mut seen = 0_u64;
    let (mut batch, mut bytes) = (Vec::with_capacity(batch_size), 0);
    for item in reader.by_ref() {
        let item = match item {
            Ok(item) => item,
            Err(error) => return Some(Err(error.into())),
        };
        seen += 1;
        if seen <= skip {
            continue;
        }
        bytes += weight::of(&item);
        batch.push(item);
        if batch.len() == batch_size || bytes >= BATCH_BYTES {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(batch_size));
            bytes = 0;
            sender.blocking_send(Ok(Parsed::Batch(full))).ok()?;
        }
    }
    if !batch.is_empty() {
        sender.blocking_send(Ok(Parsed::Batch(batch))).ok()?;
    }
    Some(Ok(Parsed::End(Box::new(reader.summary()))))
}

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
        let (sender, receiver) = mpsc::channel(LOOKED_UP_AHEAD);
        let looking = async move {
            while let Some(message) = times.parse.time(parsed.recv()).await {
                let found = match message {
                    Ok(Parsed::Batch(items)) => {
                        // The lookup does not depend on the import, or the place in the file.
                        let entries = entries(&items, &source, "", 0);
                        let turn = turns::take().await;
                        let looking_up = look_up(&system_of_record, &entries);
                        let lookup = times.look_up.time(looking_up).await;
                        turn.end();
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
        };
        let task = tokio::spawn(looking.in_current_span());
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
