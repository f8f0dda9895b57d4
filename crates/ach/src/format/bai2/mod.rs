//! BAI2, a bank's report of balances and transactions. Its records of type 16 that are returns say an
//! amount and a day; the return code stands in their text, if anywhere. So such a report mostly ties
//! out against what other files said: see a source's `role`.
//!
//! Source: Cash Management Balance Reporting Specifications, version 2 (BAI), now ANSI X9.121. Types
//! 257 and 557 are single ACH returns, of credits and of debits that we sent.

mod control;
mod reader;
mod records;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) use reader::Bai2Reader;

use super::codes::{self, CodeMap};
use crate::entry::{Direction, KeyField};

/// The code of a return whose record has none. No table has it, so such a return is never applied.
pub const NO_CODE: &str = "NONE";

/// How one source's files are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The transaction types that are returns, and which way the original money went.
    pub returns: BTreeMap<String, Direction>,
    /// Which id the bank's reference is.
    pub bank_reference: KeyField,
    /// Which id the customer's reference is.
    pub customer_reference: KeyField,
    /// The source's own codes, in upper case, and the return or change code each means.
    pub code_map: CodeMap,
}

impl Default for Profile {
    fn default() -> Self {
        let returns = [("257", Direction::Credit), ("557", Direction::Debit)];
        Self {
            returns: returns.map(|(kind, side)| (kind.to_owned(), side)).into(),
            bank_reference: KeyField::CaseId,
            customer_reference: KeyField::OrderId,
            code_map: CodeMap::new(),
        }
    }
}

impl Profile {
    /// Every fault of the profile, as the key that is wrong and what to do.
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = codes::faults(&self.code_map);
        let is_type = |text: &String| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        for wrong in self.returns.keys().filter(|text| !is_type(text)) {
            let what = "a transaction type has three digits, such as 557";
            faults.push((format!("returns.{wrong}"), what.to_owned()));
        }
        if self.returns.is_empty() {
            let what = "name the transaction types that are returns";
            faults.push(("returns".to_owned(), what.to_owned()));
        }
        faults
    }
}
