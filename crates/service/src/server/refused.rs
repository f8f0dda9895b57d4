//! What is refused before a handler sees it. Everything is counted; the first of a kind in a minute
//! is logged, and handed on to be recorded.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use tracing::warn;

use crate::limited::FirstOfAKind;
use crate::metrics::REFUSED;

/// A call or a connection that was refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What kind of refusal it is, of a closed list.
    pub word: &'static str,
    /// The path of the method; empty for a connection, and for a method that there is not.
    pub method: &'static str,
    /// Who called, as far as it is known.
    pub identity: String,
    /// From where.
    pub address: Option<SocketAddr>,
    /// What was wrong.
    pub what: String,
    /// How many of its kind there were since the one that was handed on before.
    pub unrecorded: u64,
}

/// Where refusals are noted.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    /// The words and the methods are closed lists, so there are not many.
    kinds: Arc<FirstOfAKind<(&'static str, &'static str)>>,
    sink: Option<Sender<Refused>>,
}

impl Refusals {
    /// Hands the first of a kind in a minute to `sink`, as long as it has room.
    pub fn to(sink: Sender<Refused>) -> Self {
        Self {
            sink: Some(sink),
            ..Self::default()
        }
    }

    pub(super) fn note(&self, mut refused: Refused) {
        REFUSED.add(1, &[refused.word]);
        let Some(unrecorded) = self.kinds.note((refused.word, refused.method)) else {
            return;
        };
        refused.unrecorded = unrecorded;
        let Refused {
            word,
            method,
            identity,
            what,
            ..
        } = &refused;
        let peer = refused.address.map(tracing::field::display);
        warn!(word, method, identity, peer, what, unrecorded, "refused");
        if let Some(sink) = &self.sink {
            // When it is full, the log has it.
            let _ = sink.try_send(refused);
        }
    }
}
