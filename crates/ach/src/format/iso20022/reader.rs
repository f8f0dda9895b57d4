//! The reader: goes through a message and makes an entry of each transaction that came back.

use std::io::Read;

use chrono::NaiveDate;

use super::Profile;
use super::control::Control;
use super::message::Message;
use super::transaction::Transaction;
use super::xml::{Leaf, Node, Xml};
use crate::format::{Emptiness, FileRejected, Item, ReadError, Summary};

/// Reads a message. It holds one transaction, for a message of any size.
pub(in crate::format) struct Iso20022Reader<R: Read> {
    xml: Xml<R>,
    profile: Profile,
    received_on: NaiveDate,
    summary: Summary,
    message: Option<Message>,
    control: Control,
    /// Leaves around the transactions, which each of them has too. The schema puts them before.
    around: Vec<(String, Leaf)>,
    /// Leaves of the group, in a status report and in a payment return.
    group: Vec<(String, Leaf)>,
    transaction: Option<Transaction>,
    /// A transaction with the amount of the entry around it, while another may follow there.
    alone: Option<Transaction>,
    /// Transactions in what is around them, and in the whole message.
    in_around: u64,
    in_message: u64,
    finished: bool,
}

/// The leaves around transactions that count for each of them.
const SHARED: [&str; 12] = [
    "Amt",
    "CdtDbtInd",
    "RvslInd",
    "Sts",
    "Sts/Cd",
    "BookgDt/Dt",
    "BookgDt/DtTm",
    "AcctSvcrRef",
    "PmtInfSts",
    "StsRsnInf/Rsn/Cd",
    "StsRsnInf/Rsn/Prtry",
    "OrgnlGrpInf/OrgnlMsgNmId",
];

impl<R: Read> Iso20022Reader<R> {
    pub(in crate::format) fn new(input: R, profile: Profile, received_on: NaiveDate) -> Self {
        Self {
            received_on,
            xml: Xml::new(input),
            profile,
            summary: Summary {
                format: "iso20022".to_owned(),
                ..Summary::default()
            },
            message: None,
            control: Control::default(),
            around: Vec::new(),
            group: Vec::new(),
            transaction: None,
            alone: None,
            in_around: 0,
            in_message: 0,
            finished: false,
        }
    }

    pub(in crate::format) fn summary(&self) -> Summary {
        self.summary.clone()
    }

    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        while let Some(node) = self.xml.next()? {
            let message = match self.message {
                Some(message) => message,
                None => {
                    let found = Message::of_namespace(&self.xml.namespace);
                    let found = found.map_err(|why| self.xml.fault(&why))?;
                    *self.message.insert(found)
                }
            };
            if let Some(item) = self.node(message, &node)? {
                return Ok(Some(item));
            }
        }
        if self.message.is_none() && !self.xml.is_blank() {
            return Err(self
                .xml
                .fault("this is not a file of ISO 20022: it has no element"));
        }
        if self.summary.entries + self.summary.rejected == 0 {
            self.summary.emptiness = Some(match (self.message, self.summary.left_out) {
                (None, _) => Emptiness::NoBytes,
                (Some(_), 0) => Emptiness::HeaderOnly,
                (Some(_), _) => Emptiness::LeftOut,
            });
        }
        Ok(None)
    }

    fn node(&mut self, message: Message, node: &Node) -> Result<Option<Item>, FileRejected> {
        let name = self.xml.path.last().map_or("", String::as_str).to_owned();
        match node {
            Node::Begin if name == message.transaction() => {
                self.in_message += 1;
                self.in_around += 1;
                let (at, around) = (
                    self.xml.at(self.in_message),
                    self.group.iter().chain(&self.around),
                );
                self.transaction = Some(Transaction::within(
                    at,
                    self.received_on,
                    around,
                    &self.profile,
                ));
                if let Some(first) = self.alone.take() {
                    return self.without_amount(first).map(Some);
                }
            }
            Node::Begin if name == message.around() => {
                self.around.clear();
                self.in_around = 0;
            }
            Node::Begin => {}
            Node::Leaf(leaf) => {
                self.leaf(message, leaf);
                // An element may be empty that usually has others in it.
                return self.end(message, &name);
            }
            Node::End => return self.end(message, &name),
        }
        Ok(None)
    }

    /// The way to the leaf, after the last element with this name.
    fn after(&self, name: &str) -> Option<String> {
        let place = self.xml.path.iter().rposition(|one| one == name)?;
        Some(self.xml.path[place + 1..].join("/"))
    }

    fn leaf(&mut self, message: Message, leaf: &Leaf) {
        let own = |leaf: &Leaf| Leaf {
            text: leaf.text.clone(),
            currency: leaf.currency.clone(),
        };
        if let Some(transaction) = &mut self.transaction {
            let place = self
                .xml
                .path
                .iter()
                .position(|one| one == message.transaction());
            let path = place.map(|place| self.xml.path[place + 1..].join("/"));
            transaction.leaf(&path.unwrap_or_default(), leaf, &self.profile);
            return;
        }
        let in_message = self.xml.path.get(2..).unwrap_or_default().join("/");
        self.control.leaf(&in_message, leaf);
        match in_message.as_str() {
            "OrgnlGrpInfAndSts/OrgnlMsgNmId" => {
                let path = "OrgnlGrpInf/OrgnlMsgNmId".to_owned();
                self.group.push((path, own(leaf)));
            }
            "OrgnlGrpInfAndSts/GrpSts" => self.group.push(("PmtInfSts".to_owned(), own(leaf))),
            "OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd" | "OrgnlGrpInfAndSts/StsRsnInf/Rsn/Prtry" => {
                let path = in_message.replace("OrgnlGrpInfAndSts/", "");
                self.group.push((path, own(leaf)));
            }
            "GrpHdr/IntrBkSttlmDt" | "OrgnlGrpInf/OrgnlMsgNmId" => {
                self.group.push((in_message, own(leaf)));
            }
            _ => {
                let path = self.after(message.around());
                if let Some(path) = path.filter(|path| SHARED.contains(&path.as_str())) {
                    self.around.push((path, own(leaf)));
                }
            }
        }
    }

    fn end(&mut self, message: Message, name: &str) -> Result<Option<Item>, FileRejected> {
        if name == message.transaction()
            && let Some(transaction) = self.transaction.take()
        {
            return self.transaction(message, transaction);
        }
        match (message, name) {
            (Message::Statement, "Ntry") => {
                self.control.statement_entries += 1;
                if self.in_around == 0 {
                    return self.without_details();
                }
                let alone = self.alone.take();
                let item =
                    alone.map(|alone| alone.finish(message, &self.profile, &mut self.summary));
                return item.transpose();
            }
            (Message::Statement, "Stmt" | "Rpt" | "Ntfctn") => self.control.end_statement()?,
            (Message::StatusReport, "OrgnlPmtInfAndSts") if self.in_around == 0 => {
                return self.whole_group("PmtInfSts");
            }
            (Message::StatusReport, "CstmrPmtStsRpt") if self.in_message == 0 => {
                return self.whole_group("GrpSts");
            }
            (Message::PaymentReturn, "PmtRtr") => self.control.end_return()?,
            (Message::Statement | Message::StatusReport | Message::PaymentReturn, _) => {}
        }
        Ok(None)
    }

    /// The end of a transaction: an entry, if it came back.
    fn transaction(
        &mut self,
        message: Message,
        transaction: Transaction,
    ) -> Result<Option<Item>, FileRejected> {
        let at = self.xml.at(self.in_message);
        self.control.add(transaction.amount_minor(), at)?;
        let came_back = match message {
            // What is not booked yet may never be.
            Message::Statement => transaction.has_reason() && transaction.status != "PDNG",
            Message::StatusReport => transaction.status == "RJCT",
            Message::PaymentReturn => true,
        };
        if came_back && message == Message::Statement && transaction.borrows_amount() {
            if self.in_around > 1 {
                return self.without_amount(transaction).map(Some);
            }
            self.alone = Some(transaction);
            return Ok(None);
        }
        if came_back {
            let item = transaction.finish(message, &self.profile, &mut self.summary);
            return item.map(Some);
        }
        if self.is_reversal() {
            let why = "the entry is a reversal and does not say why: RtrInf is missing";
            return transaction
                .reject("RtrInf", why, &mut self.summary)
                .map(Some);
        }
        self.leave_out();
        Ok(None)
    }

    /// The amount of an entry with several transactions is that of none of them.
    fn without_amount(&mut self, transaction: Transaction) -> Result<Item, FileRejected> {
        let why = "the entry has several transactions, and this one has no amount of its own";
        transaction.reject("Amt", why, &mut self.summary)
    }

    fn leave_out(&mut self) {
        self.summary.left_out += 1;
        let at = self.xml.at(self.in_message);
        self.summary.note(Some(at), "other transactions", || {
            "transactions that were not returned or rejected".to_owned()
        });
    }

    fn shared(&self, path: &str) -> Option<&str> {
        let mut shared = self.around.iter().chain(&self.group);
        let found = shared.find(|(one, _)| one == path);
        found.map(|(_, leaf)| leaf.text.trim())
    }

    fn is_reversal(&self) -> bool {
        matches!(self.shared("RvslInd"), Some("true" | "1"))
    }

    /// An entry of a statement without its transactions.
    fn without_details(&mut self) -> Result<Option<Item>, FileRejected> {
        if !self.is_reversal() {
            self.leave_out();
            return Ok(None);
        }
        self.in_message += 1;
        let at = self.xml.at(self.in_message);
        let alone = Transaction::within(at, self.received_on, self.around.iter(), &self.profile);
        let why = "the entry is a reversal and has no details: which payment came back is not said";
        alone.reject("NtryDtls", why, &mut self.summary).map(Some)
    }

    /// A group that is rejected as a whole names none of its payments.
    fn whole_group(&mut self, field: &str) -> Result<Option<Item>, FileRejected> {
        if self.shared("PmtInfSts") != Some("RJCT") {
            return Ok(None);
        }
        self.in_message += 1;
        let group = Transaction::new(self.xml.at(self.in_message), self.received_on);
        let why = "all payments of a group are rejected, and none of them is named; ask the bank for a \
                   report that names them";
        group.reject(field, why, &mut self.summary).map(Some)
    }
}

impl<R: Read> Iterator for Iso20022Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let item = self.advance().transpose();
        self.finished = !matches!(item, Some(Ok(_)));
        item
    }
}
