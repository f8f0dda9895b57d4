//! What an alert carries besides the trouble itself: whoever looks is told the trouble, and
//! gives what was found.

use std::time::Duration;

use async_trait::async_trait;

use super::{Cause, Trouble};
use crate::diagnosis::Check;

/// How long a look may take. An alert leaves within ten seconds of the failure, and writing
/// and delivering it take their time too.
pub(super) const LONGEST_LOOK: Duration = Duration::from_secs(6);

/// Looks at everything that has to do with some trouble.
#[async_trait]
pub(crate) trait Look: Send + Sync + 'static {
    /// What is found. Given up after six seconds; the alert then goes out without it.
    async fn look(&self, trouble: &Trouble) -> Picture;
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) checks: Vec<Check>,
    /// A likelier cause than the one that was met.
    pub(crate) headline_cause: Option<Cause>,
    /// The money at stake, in words.
    pub(crate) stake: Option<String>,
    /// When the data expires at the acquirer, in words.
    pub(crate) expires: Option<String>,
    /// The last good run, in words.
    pub(crate) last_good: Option<String>,
    /// The command that tries again.
    pub(crate) command: Option<String>,
}
