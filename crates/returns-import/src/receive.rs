//! Receiving a file: bytes go to the spool as they come, hashed on the way; then, and only
//! then, the import is recorded.

use chrono::{DateTime, Utc};
use returns_model::ids::hex;
use returns_model::import::{NewImport, Received};
use returns_store::{Store, StoreError, failpoint};
use sha2::{Digest as _, Sha256};

use super::spool::{Incoming, Spool, SpoolError};
use crate::source::Source;

/// What can go wrong while a file is received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("the file is larger than the limit of {limit_bytes} bytes (import.max_file_bytes)")]
    TooLarge { limit_bytes: u64 },
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file that is being received.
pub struct Receiving {
    spool: Spool,
    incoming: Incoming,
    hasher: Sha256,
    size_bytes: u64,
    limit_bytes: u64,
}

impl Receiving {
    /// Starts a file. `nonce` keeps two files that are received at once apart.
    pub fn begin(spool: &Spool, nonce: uuid::Uuid, limit_bytes: u64) -> Result<Self, SpoolError> {
        Ok(Self {
            spool: spool.clone(),
            incoming: spool.begin(&nonce.to_string())?,
            hasher: Sha256::new(),
            size_bytes: 0,
            limit_bytes,
        })
    }

    /// Writes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > self.limit_bytes {
            return Err(ReceiveError::TooLarge {
                limit_bytes: self.limit_bytes,
            });
        }
        self.hasher.update(bytes);
        self.incoming.write(bytes)?;
        Ok(())
    }

    /// Stores the file for good and describes it; it is not recorded yet.
    pub fn keep(
        self,
        source: &Source,
        file_name: &str,
        at: DateTime<Utc>,
        nonce: uuid::Uuid,
    ) -> Result<(Spool, NewImport), ReceiveError> {
        let sha256 = hex(&self.hasher.finalize());
        // The nonce again: an earlier, refused import of the same bytes keeps its own file.
        let spool_name = format!("{sha256}-{nonce}.age");
        self.incoming.keep(&spool_name)?;
        let new = NewImport {
            source: source.name.clone(),
            file_name: file_name.to_owned(),
            sha256,
            size_bytes: self.size_bytes,
            spool_name,
            received_at: at,
        };
        Ok((self.spool, new))
    }
}

/// Records a stored file. When its bytes are known already, the copy is deleted.
pub async fn record(
    store: &dyn Store,
    spool: &Spool,
    new: NewImport,
) -> Result<Received, ReceiveError> {
    let spool_name = new.spool_name.clone();
    failpoint("receive::before_record").await?;
    let received = store.receive(new).await?;
    failpoint("receive::after_record").await?;
    if let Received::Known(_) = &received {
        spool.remove(&spool_name)?;
    }
    Ok(received)
}
