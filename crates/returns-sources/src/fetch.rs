//! Taking one file: its bytes go from the source to the spool as they come, read on one thread
//! and hashed, encrypted and written on another, so that memory stays flat and neither waits
//! for the other. What comes must be what was listed, to the byte.

use std::sync::mpsc::{Receiver, sync_channel};

use echeck_service::clock::SharedClock;
use returns_import::{KeptFile, Receiving, Source, Spool};
use uuid::Uuid;

use super::error::{SourceError, receiving};
use super::listing::RemoteFile;
use super::unwrap::{Unwrapped, Unwrapping, layers};
use crate::unwrap::pgp::PgpKey;

/// What is read at once. An SFTP server is asked ahead for four times as much.
const READ_BYTES: usize = 4 << 20;

/// Blocks that may wait for the disk. With the buffer, the block that is written, and what the
/// server was asked ahead for, this is all that a file of any size takes: some 32 MiB.
const WAITING_BLOCKS: usize = 1;

/// A file at its source that is open for reading.
pub(super) trait Remote {
    /// The next bytes; 0 at the end of the file.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError>;
    /// The file as it is now; `None` when it is not there any more.
    fn stat_again(&mut self) -> Result<Option<RemoteFile>, SourceError>;
}

/// What is to be taken, and where to.
pub(super) struct Fetch {
    pub(super) file: RemoteFile,
    pub(super) spool: Spool,
    pub(super) source: Source,
    pub(super) limit_bytes: u64,
    pub(super) nonce: Uuid,
    pub(super) clock: SharedClock,
}

impl Fetch {
    /// Takes the file, opens what it is wrapped in, and keeps what is inside in the spool: one
    /// file, or several of an archive. The records of them are not made yet. After an error
    /// nothing is left in the spool.
    pub(super) fn run(
        &self,
        remote: &mut impl Remote,
        pgp: Option<&PgpKey>,
    ) -> Result<Vec<KeptFile>, SourceError> {
        let file = &self.file;
        if file.size_bytes > self.limit_bytes {
            return Err(SourceError::TooLarge {
                name: file.name.clone(),
                size_bytes: file.size_bytes,
                limit_bytes: self.limit_bytes,
            });
        }
        self.spool.check_room(file.size_bytes)?;
        let layers = layers(file.name.as_bytes());
        let inside = if layers.is_empty() {
            let mut received = self.begin(self.nonce)?;
            self.stream(remote, |bytes| {
                received
                    .write(bytes)
                    .map_err(|error| receiving(&file.name, error, file.size_bytes))
            })?;
            vec![Unwrapped {
                received,
                nonce: self.nonce,
                member: None,
            }]
        } else {
            let mut wrapped = self.spool.begin(&format!("{}-wrapped", self.nonce))?;
            self.stream(remote, |bytes| Ok(wrapped.write(bytes)?))?;
            let wrapped = wrapped.read_back(&self.spool)?;
            Unwrapping::new(self, pgp).open(wrapped, &layers)?
        };
        self.keep(inside)
    }

    /// Stores the files for good, all of them or none: one that is not handed on deletes itself.
    fn keep(&self, inside: Vec<Unwrapped>) -> Result<Vec<KeptFile>, SourceError> {
        let (name, now) = (self.file.name.text(), self.clock.now());
        let kept = inside.into_iter().map(|one| {
            let name = match &one.member {
                Some(member) => format!("{name}/{member}"),
                None => name.clone(),
            };
            let kept = one.received.keep(&self.source, &name, now, one.nonce);
            kept.map_err(|error| receiving(&self.file.name, error, self.file.size_bytes))
        });
        kept.collect()
    }

    /// Starts what an import will be made of.
    pub(super) fn begin(&self, nonce: Uuid) -> Result<Receiving, SourceError> {
        Ok(Receiving::begin(&self.spool, nonce, self.limit_bytes)?)
    }

    /// Passes every byte on, and makes sure that they are the file that was listed.
    fn stream(
        &self,
        remote: &mut impl Remote,
        write: impl FnMut(&[u8]) -> Result<(), SourceError> + Send,
    ) -> Result<(), SourceError> {
        let received = pump(remote, self.file.size_bytes, write)?;
        let name = || self.file.name.clone();
        let now = remote
            .stat_again()?
            .ok_or_else(|| SourceError::Vanished { name: name() })?;
        if received > self.file.size_bytes || !self.file.is_unchanged(&now) {
            return Err(SourceError::Growing {
                name: name(),
                from_bytes: self.file.size_bytes,
                to_bytes: received.max(now.size_bytes),
            });
        }
        if received < self.file.size_bytes {
            return Err(SourceError::Cut {
                name: name(),
                at_bytes: received,
                of_bytes: self.file.size_bytes,
                why: "the server ended the file early".to_owned(),
            });
        }
        Ok(())
    }
}

/// Reads on this thread and writes on another, until the end of the file or more bytes than
/// there should be. Gives how many came.
fn pump(
    remote: &mut impl Remote,
    size_bytes: u64,
    write: impl FnMut(&[u8]) -> Result<(), SourceError> + Send,
) -> Result<u64, SourceError> {
    let (blocks, waiting) = sync_channel::<Vec<u8>>(WAITING_BLOCKS);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || write_all(&waiting, write));
        let mut buffer = vec![0; READ_BYTES];
        let mut received = 0;
        let read = loop {
            let block = match remote.read(&mut buffer) {
                Ok(0) => break Ok(received),
                Ok(bytes) => buffer.get(..bytes).unwrap_or_default().to_vec(),
                Err(error) => break Err(error),
            };
            received += block.len() as u64;
            // A writer that failed takes no more, and says why below.
            if received > size_bytes || blocks.send(block).is_err() {
                break Ok(received);
            }
        };
        drop(blocks);
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(SourceError::worker_gone()));
        written.and(read)
    })
}

fn write_all(
    waiting: &Receiver<Vec<u8>>,
    mut write: impl FnMut(&[u8]) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    waiting.iter().try_for_each(|block| write(&block))
}
