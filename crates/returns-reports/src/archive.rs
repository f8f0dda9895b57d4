//! Archiving a received file: its encrypted bytes go to the bucket as they are in the spool.

use returns_model::import::ImportRecord;
use returns_model::report::ArchivedFile;
use returns_store::failpoint;

use super::reporter::Reporter;
use super::{ReportError, keys};
use crate::bucket::Digest;

impl Reporter {
    /// Puts an import's file into the bucket, reads it back and records it. Done again after
    /// a crash, it finds what was done before.
    pub(super) async fn archive(&self, import: &ImportRecord) -> Result<ArchivedFile, ReportError> {
        let path = self.spool.path(&import.new.spool_name);
        let key = keys::archive(import);
        failpoint("archive::before_put").await?;
        let digest = Digest::of_file(&path).await?;
        self.bucket.put_file(&key, &path, &digest).await?;
        failpoint("archive::after_put").await?;
        self.bucket.verify(&key, &digest).await?;
        let archive = ArchivedFile {
            key,
            sha256: digest.sha256,
            size_bytes: digest.size_bytes,
            at: self.clock.now(),
        };
        let recorded = self
            .store
            .record_archive(&import.import_id, &archive)
            .await?;
        failpoint("archive::after_record").await?;
        if recorded {
            tracing::info!(
                import_id = import.import_id,
                key = archive.key,
                size_bytes = archive.size_bytes,
                "file archived"
            );
        }
        self.notifier.report_written();
        Ok(archive)
    }
}
