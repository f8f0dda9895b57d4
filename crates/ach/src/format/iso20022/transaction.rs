//! One transaction of a message, read leaf by leaf.

use chrono::NaiveDate;

use super::message::{Message, direction_of};
use super::xml::Leaf;
use super::{Profile, Reference};
use crate::entry::{Direction, EntryKind, FilePosition, KeyField};
use crate::format::codes::{self, CodeMap};
use crate::format::draft::Draft;
use crate::format::{FileRejected, Item, Summary};

/// How dates are written; a time of day may follow.
const DATE: &str = "%Y-%m-%d";
/// What an originator writes that gave no id.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// What is known of a transaction: its own elements, over those of what is around it.
pub(super) struct Transaction {
    draft: Draft,
    code: Option<String>,
    /// `RJCT`, `BOOK` and so on.
    pub(super) status: String,
    /// The type of the proprietary reference that is read.
    reference_type: String,
    /// Whether the amount is of the transaction itself, and not of the entry around it.
    has_own_amount: bool,
}

impl Transaction {
    pub(super) fn new(at: FilePosition, received_on: NaiveDate) -> Self {
        Self {
            draft: Draft::new(at, received_on),
            code: None,
            status: String::new(),
            reference_type: String::new(),
            has_own_amount: false,
        }
    }

    /// A transaction that has what is around it, too.
    pub(super) fn within<'a>(
        at: FilePosition,
        received_on: NaiveDate,
        around: impl Iterator<Item = &'a (String, Leaf)>,
        profile: &Profile,
    ) -> Self {
        let mut transaction = Self::new(at, received_on);
        for (path, leaf) in around {
            transaction.leaf(path, leaf, profile);
        }
        transaction.has_own_amount = false;
        transaction
    }

    /// Whether its amount is only that of the entry around it, which is its own if it is alone there.
    pub(super) const fn borrows_amount(&self) -> bool {
        !self.has_own_amount && self.draft.entry.amount.is_some()
    }

    /// Whether it says why it came back.
    pub(super) const fn has_reason(&self) -> bool {
        self.code.is_some()
    }

    /// The amount in minor units, where it could be read.
    pub(super) fn amount_minor(&self) -> Option<i64> {
        self.draft.entry.amount.map(|amount| amount.minor())
    }

    /// Reads a leaf. `path` is the way to it within the transaction, or within what is around it.
    pub(super) fn leaf(&mut self, path: &str, leaf: &Leaf, profile: &Profile) {
        let text = leaf.text.trim();
        match path {
            "Refs/EndToEndId" | "OrgnlEndToEndId" => {
                self.reference(Reference::EndToEndId, text, profile);
            }
            "Refs/InstrId" | "OrgnlInstrId" => {
                self.reference(Reference::InstructionId, text, profile);
            }
            "Refs/TxId" | "OrgnlTxId" => self.reference(Reference::TransactionId, text, profile),
            "Refs/ClrSysRef" | "OrgnlClrSysRef" => {
                self.reference(Reference::ClearingSystemReference, text, profile);
            }
            "Refs/AcctSvcrRef" | "AcctSvcrRef" => {
                self.reference(Reference::AccountServicerReference, text, profile);
            }
            "Refs/ChqNb" => self.reference(Reference::ChequeNumber, text, profile),
            "RtrId" => self.reference(Reference::ReturnId, text, profile),
            "Refs/Prtry/Tp" => text.clone_into(&mut self.reference_type),
            "Refs/Prtry/Ref" => {
                if let Some(key) = profile.proprietary_references.get(&self.reference_type) {
                    self.id(*key, "Refs/Prtry/Ref", text);
                }
            }
            "Amt" | "AmtDtls/TxAmt/Amt" | "RtrdIntrBkSttlmAmt" | "OrgnlTxRef/Amt/InstdAmt" => {
                self.draft.entry.amount = self.draft.amount(path, text, &leaf.currency);
                self.has_own_amount = true;
            }
            "CdtDbtInd" => self.side(text),
            "RtrInf/Rsn/Cd"
            | "RtrInf/Rsn/Prtry"
            | "RtrRsnInf/Rsn/Cd"
            | "RtrRsnInf/Rsn/Prtry"
            | "StsRsnInf/Rsn/Cd"
            | "StsRsnInf/Rsn/Prtry" => self.reason(text),
            "RtrInf/AddtlInf" | "RtrRsnInf/AddtlInf" | "StsRsnInf/AddtlInf" => {
                self.draft.describe(text);
            }
            "TxSts" | "PmtInfSts" | "Sts" | "Sts/Cd" | "Sts/Prtry" => {
                text.clone_into(&mut self.status);
            }
            "BookgDt/Dt" | "BookgDt/DtTm" | "IntrBkSttlmDt" | "GrpHdr/IntrBkSttlmDt" => {
                self.draft.entry.settlement_date = self.draft.date(path, day(text), DATE);
            }
            "OrgnlIntrBkSttlmDt" | "OrgnlTxRef/IntrBkSttlmDt" | "OrgnlTxRef/ReqdColltnDt" => {
                self.draft.entry.original_date = self.draft.date(path, day(text), DATE);
            }
            "OrgnlGrpInf/OrgnlMsgNmId" => self.draft.entry.direction = direction_of(text),
            "RltdPties/DbtrAcct/Id/Othr/Id" | "OrgnlTxRef/DbtrAcct/Id/Othr/Id" => {
                self.draft.account(text);
            }
            _ => {}
        }
    }

    /// The side of our account on which it was booked: what came in as a debit of the customer goes
    /// out again as a debit of our account.
    fn side(&mut self, text: &str) {
        self.draft.entry.direction = match text {
            "DBIT" => Direction::Debit,
            "CRDT" => Direction::Credit,
            other => {
                let shown = crate::format::shown(other);
                self.draft
                    .wrong("CdtDbtInd", format!("{shown} is neither CRDT nor DBIT"));
                Direction::Unknown
            }
        };
    }

    /// The code of the network counts before a reason of ISO beside it.
    fn reason(&mut self, text: &str) {
        let is_network = |code: &str| EntryKind::of_network(&code.to_uppercase()).is_some();
        if self.code.is_none() || is_network(text) {
            self.code = Some(text.to_owned());
        }
    }

    fn reference(&mut self, reference: Reference, text: &str, profile: &Profile) {
        if let Some(key) = profile.references.get(&reference) {
            self.id(*key, reference.as_str(), text);
        }
    }

    /// A trace number has 15 digits; anything else in its place would contradict the payment's.
    fn id(&mut self, key: KeyField, field: &str, text: &str) {
        let is_trace = text.len() == 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        let must_be_trace = matches!(key, KeyField::OriginalTrace | KeyField::ReturnTrace);
        if text != NOT_PROVIDED && (is_trace || !must_be_trace) {
            self.draft.id(key, field, text);
        }
    }

    /// What it is: a payment that a status report rejects for a reason of ISO never entered the
    /// network, unless the profile says which code it means.
    pub(super) fn finish(
        self,
        message: Message,
        profile: &Profile,
        summary: &mut Summary,
    ) -> Result<Item, FileRejected> {
        let code = self.code.unwrap_or_default();
        let kind = match message {
            Message::Statement | Message::PaymentReturn => codes::kind(&code, &profile.reasons()),
            Message::StatusReport => rejection(&code, &profile.code_map),
        };
        self.draft.finish(kind, summary)
    }

    /// The same as a line that could not be read.
    pub(super) fn reject(
        mut self,
        field: &str,
        why: &str,
        summary: &mut Summary,
    ) -> Result<Item, FileRejected> {
        self.draft.wrong(field, why);
        let kind = Ok(EntryKind::ValidationFailure { code: None });
        self.draft.finish(kind, summary)
    }
}

fn rejection(code: &str, map: &CodeMap) -> Result<EntryKind, String> {
    let code = code.trim().to_uppercase();
    if code.is_empty() {
        return Ok(EntryKind::ValidationFailure { code: None });
    }
    let is_told = map.contains_key(&code) || EntryKind::of_network(&code).is_some();
    match codes::kind(&code, map) {
        Ok(_) if !is_told => Ok(EntryKind::ValidationFailure { code: Some(code) }),
        kind => kind,
    }
}

/// The day of a moment.
fn day(text: &str) -> &str {
    text.split_once('T').map_or(text, |(day, _)| day)
}
