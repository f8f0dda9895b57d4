//! X12 827, the Financial Return Notice: one transaction set for each entry that came back.
//!
//! Source: ASC X12 004010 to 007040, transaction set 827 (segment `RIC` has the code, the amount, the
//! side and the account; `TRN` with `2` the trace of the original, with `1` that of the notice; `REF`
//! what the payment order had; `DTM` its dates). Banks also write `RIC` with a payment method and a
//! qualifier before the code, so the code is where a code of the network stands.

mod reader;
mod segments;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) use reader::X12Reader;

use super::codes::{self, CodeMap};
use crate::entry::KeyField;

/// How one source's files are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Which id each reference is, by the qualifier of its `REF` segment.
    pub references: BTreeMap<String, KeyField>,
    /// The source's own codes, in upper case, and the return or change code each means.
    pub code_map: CodeMap,
}

impl Default for Profile {
    fn default() -> Self {
        let references = [
            ("TN", KeyField::OrderId),
            ("EM", KeyField::PaymentId),
            ("CK", KeyField::CheckSerialNumber),
        ];
        Self {
            references: references
                .map(|(qualifier, key)| (qualifier.to_owned(), key))
                .into(),
            code_map: CodeMap::new(),
        }
    }
}

impl Profile {
    /// Every fault of the profile, as the key that is wrong and what to do.
    pub fn validate(&self) -> Vec<(String, String)> {
        codes::faults(&self.code_map)
    }
}
