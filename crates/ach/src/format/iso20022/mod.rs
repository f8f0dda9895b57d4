//! ISO 20022: statements and notifications of an account (camt.052, camt.053, camt.054) whose
//! transactions have return information, status reports (pain.002) and payment returns (pacs.004).
//!
//! Source: ISO 20022 message definitions, the versions of each from 001.01 on, and Nacha's ISO 20022
//! Guide to Mapping U.S. ACH Return Items (2016): the code of the network is the proprietary reason,
//! the individual id is the end-to-end id. What is read is checked as its type says; elements that are
//! not read are passed over, so a later version of a message is read too.
//!
//! An ISO reason is translated only where one code of the network means the same. The others are
//! unknown codes, which are held, until the profile's `code_map` says what the bank means by them.

mod control;
mod message;
mod reader;
mod transaction;
mod xml;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) use reader::Iso20022Reader;

use super::codes::{self, CodeMap};
use crate::entry::KeyField;
use crate::text_enum::text_enum;

text_enum! {
    /// An id of a transaction in a message.
    Reference {
        /// `EndToEndId`, which the originator gave.
        EndToEndId = "end_to_end_id",
        /// `InstrId`, which the originator gave its bank.
        InstructionId = "instruction_id",
        /// `TxId`, which the first bank gave.
        TransactionId = "transaction_id",
        /// `ClrSysRef`, which the network gave.
        ClearingSystemReference = "clearing_system_reference",
        /// `AcctSvcrRef`, which the bank gave that keeps the account.
        AccountServicerReference = "account_servicer_reference",
        /// `ChqNb`, the number of a check.
        ChequeNumber = "cheque_number",
        /// `RtrId`, which the returning bank gave the return.
        ReturnId = "return_id",
    }
}

/// How one source's files are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Which id each reference is. A trace number is taken only where it has 15 digits.
    pub references: BTreeMap<Reference, KeyField>,
    /// Which id a proprietary reference is, by its type.
    pub proprietary_references: BTreeMap<String, KeyField>,
    /// The source's own codes and ISO's, in upper case, and the return or change code each means.
    pub code_map: CodeMap,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            references: [
                (Reference::EndToEndId, KeyField::IndividualId),
                (Reference::InstructionId, KeyField::OrderId),
                (Reference::TransactionId, KeyField::OriginalTrace),
                (Reference::ClearingSystemReference, KeyField::OriginalTrace),
                (Reference::AccountServicerReference, KeyField::CaseId),
                (Reference::ChequeNumber, KeyField::CheckSerialNumber),
                (Reference::ReturnId, KeyField::ReturnTrace),
            ]
            .into(),
            proprietary_references: [("OrigTrace", KeyField::OriginalTrace)]
                .map(|(kind, key)| (kind.to_owned(), key))
                .into(),
            code_map: CodeMap::new(),
        }
    }
}

/// The ISO reasons that mean the same as one code of the network.
const SAME: [(&str, &str); 3] = [("AM04", "R01"), ("AC04", "R02"), ("AM05", "R24")];

impl Profile {
    /// Every fault of the profile, as the key that is wrong and what to do.
    pub fn validate(&self) -> Vec<(String, String)> {
        codes::faults(&self.code_map)
    }

    /// The map of codes, with the reasons that need none.
    fn reasons(&self) -> CodeMap {
        let mut map = self.code_map.clone();
        for (iso, code) in SAME {
            map.entry(iso.to_owned()).or_insert_with(|| code.to_owned());
        }
        map
    }
}
