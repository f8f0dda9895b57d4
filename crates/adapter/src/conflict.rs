//! What is done while another session is in the way.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::dialect::DbError;

/// How long to stand back after a conflict, until somebody else has moved on.
pub(crate) const CONFLICT_PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(180),
    Duration::from_millis(540),
];

/// How long conflicts may last before the caller is told.
const CONFLICT_PATIENCE: Duration = Duration::from_secs(2);

/// How long to stand back from somebody else's lock.
pub(crate) struct Patience {
    began: Instant,
    pauses: std::slice::Iter<'static, Duration>,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            pauses: CONFLICT_PAUSES.iter(),
        }
    }

    /// Waits, without a lock and without a transaction. An error when this went on for too long;
    /// a database that waits by itself for the whole file is not asked again.
    pub(crate) async fn wait(&mut self, message: String) -> Result<(), DbError> {
        match self.pauses.next() {
            Some(pause) if self.began.elapsed() < CONFLICT_PATIENCE => {
                warn!(
                    why = message,
                    "another session was in the way; the rest is tried again"
                );
                tokio::time::sleep(*pause).await;
                Ok(())
            }
            _ => Err(DbError::Conflict(message)),
        }
    }
}
