//! Who makes a call, and what they may do.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Extensions;
use uuid::Uuid;

use super::{ANONYMOUS, Role};

/// What somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Their roles.
    pub roles: BTreeSet<Role>,
    /// Whose payments they may see.
    pub merchants: Merchants,
}

impl Grant {
    /// These roles, for all merchants.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        Self {
            roles: roles.into_iter().collect(),
            merchants: Merchants::All,
        }
    }
}

/// Whose payments somebody may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Merchants {
    /// Everybody's.
    #[default]
    All,
    /// Those of these merchants, by their identity in the gateway.
    Only(BTreeSet<String>),
}

impl Merchants {
    /// Whether they may see the payments of this merchant. One that is not known, which is empty, is
    /// nobody's.
    pub fn include(&self, merchant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(merchants) => merchants.contains(merchant),
        }
    }

    /// Whether they may see everybody's.
    pub fn are_all(&self) -> bool {
        *self == Self::All
    }
}

/// Who makes a call. It comes from the connection, never from a field of the message.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is: a name in a certificate, `token:NAME`, or `jwt:SUBJECT`.
    pub identity: Arc<str>,
    /// The address that the connection is from.
    pub address: Option<SocketAddr>,
    /// What they may do.
    pub grant: Arc<Grant>,
    /// The call's own id, for the log and the audit log.
    pub call_id: Arc<str>,
}

impl Caller {
    pub(super) fn new(identity: Arc<str>, grant: Arc<Grant>, address: Option<SocketAddr>) -> Self {
        Self {
            identity,
            address,
            grant,
            call_id: format!("call_{}", Uuid::new_v4().simple()).into(),
        }
    }

    /// Who made a call, as the server put it there before the handler was called.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_else(|| {
            // Only a handler that is called without our server gets here; it gets no rights.
            Self::new(ANONYMOUS.into(), Arc::default(), None)
        })
    }

    /// Whose payments they may see.
    pub fn merchants(&self) -> &Merchants {
        &self.grant.merchants
    }
}
