//! The way past a row that an adapter cannot read. A person decides it, and the decision is in the
//! audit log. The row stays in the journal as it is. In that database it has no effect, so its
//! entry becomes a hold.

use returns_model::audit::AuditRecord;
use returns_model::follower::UnreadableRow;
use returns_store::StoreError;

use super::Feed;

impl Feed {
    /// The rows that may be skipped: the adapter could not read them, and the database has not
    /// passed them. With a `position` other than 0, only the row there.
    ///
    /// # Errors
    /// When the returns database does not answer.
    pub async fn unreadable_rows(&self, position: u64) -> Result<Vec<UnreadableRow>, StoreError> {
        let database = self.database();
        let passed = self.store.progress(database).await?.position;
        let head = self.store.head().await?.position;
        let mut rows = self.store.unreadable_rows(database, passed, head).await?;
        rows.retain(|row| row.skipped.is_none() && (position == 0 || row.position == position));
        Ok(rows)
    }

    /// Skips a row. The feed continues by itself. Nothing happens when somebody else was faster.
    ///
    /// # Errors
    /// When the returns database does not answer.
    pub async fn skip(
        &self,
        row: &UnreadableRow,
        decision: &AuditRecord,
    ) -> Result<(), StoreError> {
        let (database, position) = (self.database(), row.position);
        if self.store.skip_row(database, position, decision).await? {
            tracing::warn!(
                database,
                position,
                identity = decision.identity,
                reason = decision.reason,
                "an operator skipped a journal row that the adapter cannot read"
            );
            self.notifier.database_changed();
        }
        Ok(())
    }
}
