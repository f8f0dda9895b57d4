//! What somebody is to this system.

/// A role. What each may call is in [`super::table`].
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::EnumIter,
    strum::EnumString,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Sees transfers, returns, imports, holds and incidents. May be limited to merchants.
    Reader,
    /// Sends files, and sees what becomes of them.
    Importer,
    /// Works off what needs a person: holds, incidents, runs, messages that were not delivered.
    Operator,
    /// Agrees to what another has proposed, where two people are asked for.
    Approver,
    /// Changes who is sent what, and how the service logs; and what an operator may do.
    Admin,
    /// The returns service, towards an adapter.
    AdapterClient,
    /// Asks how the service is, and nothing else.
    Health,
}

impl Role {
    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Importer => "importer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::AdapterClient => "adapter_client",
            Self::Health => "health",
        }
    }
}
