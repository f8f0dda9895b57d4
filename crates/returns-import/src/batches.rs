//! Reading a spooled file in batches. Parsing blocks, so it has a thread of its own; a short
//! channel between the two keeps memory flat whatever the size of the file.

use ach::format::{FileReader, Item, ReadError, Summary};
use chrono::NaiveDate;
use tokio::sync::mpsc;

use super::spool::{Spool, SpoolError};
use crate::source::Source;

/// Batches that may wait between parser and decider.
const BATCHES_AHEAD: usize = 2;

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
    LookedUpBatch(Vec<Item>),
    End(Box<Summary>),
}

/// Parses a spooled file from its first item, leaving out the first `skip` items.
pub(crate) fn parse(
    spool: &Spool,
    spool_name: &str,
    source: &Source,
    received_on: NaiveDate,
    skip: u64,
    batch_size: usize,
) -> mpsc::Receiver<Result<Parsed, BatchError>> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let (spool, spool_name) = (spool.clone(), spool_name.to_owned());
    let format = source.format.clone();
    tokio::task::spawn_blocking(move || {
        let end = match spool.read(&spool_name) {
            Err(error) => Some(Err(error.into())),
            Ok(input) => {
                let mut reader = format.open(input, received_on);
                send_batches(&mut reader, &sender, skip, batch_size)
            }
        };
        if let Some(end) = end {
            // If nobody listens any more, there is nobody to tell.
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
    let mut batch = Vec::with_capacity(batch_size);
    for item in reader.by_ref() {
        let item = match item {
            Ok(item) => item,
            Err(error) => return Some(Err(error.into())),
        };
        seen += 1;
        if seen <= skip {
            continue;
        }
        batch.push(item);
        if batch.len() == batch_size {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(batch_size));
            sender.blocking_send(Ok(Parsed::LookedUpBatch(full))).ok()?;
        }
    }
    if !batch.is_empty() {
        sender
            .blocking_send(Ok(Parsed::LookedUpBatch(batch)))
            .ok()?;
    }
    Some(Ok(Parsed::End(Box::new(reader.summary()))))
}
