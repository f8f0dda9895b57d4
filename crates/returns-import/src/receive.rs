//! Receiving a file: bytes go to the spool as they come, hashed on the way; then, and only
//! then, the import is recorded.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use echeck_service::telemetry;
use returns_model::ids::hex;
use returns_model::import::{NewImport, Received};
use returns_store::metrics::IMPORTS;
use returns_store::{Store, StoreError, failpoint};
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

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
    #[error("the service stopped while the file was recorded; send it again")]
    Cut,
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
    ///
    /// # Errors
    /// When the spool has no room for another file, or cannot be written.
    pub fn begin(spool: &Spool, nonce: uuid::Uuid, limit_bytes: u64) -> Result<Self, SpoolError> {
        spool.check_room(0)?;
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
    ) -> Result<KeptFile, ReceiveError> {
        let sha256 = hex(&self.hasher.finalize());
        // The nonce again: an earlier, refused import of the same bytes keeps its own file.
        let spool_name = self.spool.name(&sha256, nonce);
        self.incoming.keep(&spool_name)?;
        let new = NewImport {
            source: source.name.clone(),
            file_name: file_name.to_owned(),
            sha256,
            size_bytes: self.size_bytes,
            spool_name,
            received_at: at,
            controls_accepted_by: None,
            trace: None,
        };
        Ok(KeptFile {
            spool: Some(self.spool),
            new,
        })
    }
}

/// A file that is stored for good, and that no import names yet. Dropped before it is recorded, it
/// is deleted: nobody would ever read it.
#[derive(Debug)]
pub struct KeptFile {
    /// Where it is; `None` once it is an import's.
    spool: Option<Spool>,
    new: NewImport,
}

impl KeptFile {
    /// A person vouches for the file although its controls are missing.
    #[must_use]
    pub fn without_controls(mut self, accepted_by: &str) -> Self {
        self.new.controls_accepted_by = Some(accepted_by.to_owned());
        self
    }

    /// The hash of its bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.new.sha256
    }

    /// Records the file as an import. When its bytes are known already, the copy is deleted.
    ///
    /// It is done to its end even if the caller goes away meanwhile: a record whose answer nobody
    /// hears may stand in the database, so the file must stay as well.
    #[tracing::instrument(name = "receive", skip_all, fields(source = self.new.source))]
    pub async fn record(mut self, store: &Arc<dyn Store>) -> Result<Received, ReceiveError> {
        let store = store.clone();
        // What is done with it later belongs to the same trace.
        self.new.trace = telemetry::parent();
        let source = self.new.source.clone();
        let recording = async move { self.record_with(&*store).await };
        let recorded = tokio::spawn(recording.in_current_span()).await;
        let recorded = recorded.unwrap_or(Err(ReceiveError::Cut));
        if let Ok(received) = &recorded {
            let outcome = match received {
                Received::New(_) => "received",
                Received::Known(_) => "known",
            };
            IMPORTS.add(1, &[&source, outcome]);
        }
        recorded
    }

    async fn record_with(mut self, store: &dyn Store) -> Result<Received, ReceiveError> {
        failpoint("receive::before_record").await?;
        // From here on the record may exist, whatever the answer says. The sweep deletes the file
        // if it does not.
        let spool = self.spool.take();
        let received = store.receive(self.new.clone()).await?;
        failpoint("receive::after_record").await?;
        if let (Received::Known(_), Some(spool)) = (&received, spool) {
            spool.remove(&self.new.spool_name)?;
        }
        Ok(received)
    }
}

impl Deref for KeptFile {
    type Target = NewImport;

    fn deref(&self) -> &NewImport {
        &self.new
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        if let Some(spool) = &self.spool {
            // If this fails, the sweep does it later.
            let _ = spool.remove(&self.new.spool_name);
        }
    }
}

#[cfg(test)]
mod tests {
    use echeck_test_fixtures::{empty_store, eventually};

    use super::*;

    /// A spool with a kept file in it, and how many files there are.
    fn kept() -> (tempfile::TempDir, KeptFile) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
        let nonce = uuid::Uuid::new_v4();
        let mut receiving = Receiving::begin(&spool, nonce, 100).unwrap();
        receiving.write(b"a return").unwrap();
        let source = Source {
            name: "bank".into(),
            format: ach::format::Format::Nacha(ach::format::nacha::Tolerance::default()),
            rules: Vec::new(),
            ours: crate::source::Ours::default(),
            role: crate::source::Role::Decide,
            is_conforming: true,
            allow_empty: Vec::new(),
        };
        let at = DateTime::UNIX_EPOCH;
        let kept = receiving.keep(&source, "a.ach", at, nonce).unwrap();
        (folder, kept)
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[tokio::test]
    async fn a_kept_file_that_nobody_records_is_deleted() {
        let (folder, kept) = kept();
        assert_eq!(files(&folder), 1);
        drop(kept);
        assert_eq!(files(&folder), 0);
    }

    #[tokio::test]
    async fn a_record_that_nobody_waits_for_any_more_is_made_all_the_same() {
        let (_database, store) = empty_store().await;
        let (folder, kept) = kept();
        let names = [kept.spool_name.clone()];
        let mut recording = Box::pin(kept.record(&store));
        // The caller goes away as soon as the record has begun.
        let first_poll = std::future::poll_fn(|context| {
            std::task::Poll::Ready(recording.as_mut().poll(context).is_ready())
        });
        assert!(!first_poll.await);
        drop(recording);
        let named = async || store.spool_files_named(&names).await.unwrap() == names;
        eventually("an import names the file", named).await;
        assert_eq!(files(&folder), 1);
    }

    #[tokio::test]
    async fn a_copy_of_what_is_known_is_deleted() {
        let (_database, store) = empty_store().await;
        let (_, first) = kept();
        let (folder, second) = kept();
        assert!(matches!(first.record(&store).await, Ok(Received::New(_))));
        assert!(matches!(
            second.record(&store).await,
            Ok(Received::Known(_))
        ));
        assert_eq!(files(&folder), 0);
    }
}
