//! Return files for tests, each built from just what the test is about.

/// Worldpay's `ECheckReturnReport`.
#[derive(Debug, Clone, Default)]
pub struct Worldpay(Vec<WorldpayRow>);

/// A row of it.
#[derive(Debug, Clone)]
pub struct WorldpayRow {
    pub case_id: String,
    pub payment_id: String,
    pub order_id: String,
    pub code: String,
    pub amount: String,
}

/// The columns that the tests fill.
const HEADER: &str = "Case ID,Worldpay Payment ID,Merchant Order Number,Account Suffix,\
Reason Code,Reason Description,Date Issued,Date Received,Chargeback Currency,Chargeback Amt";

impl Worldpay {
    pub fn new() -> Self {
        Self::default()
    }

    /// A return of 50.00 for the payment that `Payment::debit(id)` makes.
    pub fn returned(self, id: &str, code: &str) -> Self {
        let case_id = format!("70{:03}", self.0.len());
        self.row(WorldpayRow {
            case_id,
            payment_id: format!("8399{id}"),
            order_id: format!("FNX{id}"),
            code: code.to_owned(),
            amount: "50.00".to_owned(),
        })
    }

    pub fn row(mut self, row: WorldpayRow) -> Self {
        self.0.push(row);
        self
    }

    /// The last row with another amount.
    pub fn amount(mut self, amount: &str) -> Self {
        if let Some(row) = self.0.last_mut() {
            amount.clone_into(&mut row.amount);
        }
        self
    }

    /// The last row with another case id.
    pub fn case_id(mut self, case_id: &str) -> Self {
        if let Some(row) = self.0.last_mut() {
            case_id.clone_into(&mut row.case_id);
        }
        self
    }

    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for row in &self.0 {
            text.push_str(&format!(
                "'{},'{},{},789,{},Insufficient Funds,11/16/2026,11/17/2026,USD,{}\n",
                row.case_id, row.payment_id, row.order_id, row.code, row.amount
            ));
        }
        text
    }
}

impl From<Worldpay> for Vec<u8> {
    fn from(file: Worldpay) -> Self {
        file.text().into_bytes()
    }
}

/// Worldpay's `SubMerchantIBFundingReject` with one row for each payout of 50.00.
pub fn funding_rejects(ids: &[&str]) -> String {
    let mut text = "Return Date,Original Date,Attempted Funds Transfer Date,Merchant Name,\
Sub Merchant Business Name,Funding Sub Merchant ID,Funds Transfer Request ID,Vantiv Payment ID,\
Txn Type,Funds Transfer Amount,Reason Code,Reason Message,Routing Number,Account Number,\
Account Name\n"
        .to_owned();
    for id in ids {
        text.push_str(&format!(
            "11/17/2026,11/12/2026,11/12/2026,PayFac,Shop,012345678,FNX{id},'8399{id},FISC,\
5000.00,R03,No Account/Unable to Locate Account,021000021,'123456789012,Shop LLC\n"
        ));
    }
    text
}

/// The transaction code of a returned credit to a checking account.
const CREDIT: &str = "21";

/// The trace number of an entry of a NACHA file, counted from 1.
fn trace(entry: usize) -> String {
    format!("09100001{entry:07}")
}

/// A NACHA return file with one batch.
#[derive(Debug, Clone)]
pub struct Nacha {
    entries: Vec<NachaEntry>,
    sec: &'static str,
}

/// An entry of it.
#[derive(Debug, Clone)]
pub struct NachaEntry {
    pub transaction_code: &'static str,
    pub amount_minor: u64,
    pub original_trace: String,
    /// The addenda from position 2 on: type, code, and what its layout has.
    pub addenda: String,
}

impl Nacha {
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            sec: "PPD",
        }
    }

    /// A file of corrections.
    pub fn corrections() -> Self {
        Self {
            entries: Vec::new(),
            sec: "COR",
        }
    }

    /// A returned debit of 50.00.
    pub fn returned(self, original_trace: &str, code: &str) -> Self {
        let addenda = format!("99{code}{original_trace}      09100001{:44}", "");
        self.entry(NachaEntry {
            transaction_code: "26",
            amount_minor: 5_000,
            original_trace: original_trace.to_owned(),
            addenda,
        })
    }

    /// A dishonor of the return of a debit of 50.00, which had this trace and code.
    pub fn dishonored(self, original_trace: &str, code: &str, of: (&str, &str)) -> Self {
        let (return_trace, return_code) = of;
        let addenda = format!(
            "99{code}{original_trace}      09100001   {return_trace}320{}{:21}",
            &return_code[1..],
            ""
        );
        self.entry(NachaEntry {
            transaction_code: "26",
            amount_minor: 5_000,
            original_trace: original_trace.to_owned(),
            addenda,
        })
    }

    /// A contest of a dishonor with this code, of the return with this trace and code.
    pub fn contested(
        self,
        original_trace: &str,
        code: &str,
        of: (&str, &str),
        dishonor_code: &str,
    ) -> Self {
        let (return_trace, return_code) = of;
        let addenda = format!(
            "99{code}{original_trace}      09100001{:3}{return_trace}320{}{:15}321{} ",
            "",
            &return_code[1..],
            "",
            &dishonor_code[1..]
        );
        self.entry(NachaEntry {
            transaction_code: "26",
            amount_minor: 5_000,
            original_trace: original_trace.to_owned(),
            addenda,
        })
    }

    /// A notification of change.
    pub fn corrected(self, original_trace: &str, code: &str, data: &str) -> Self {
        let addenda = format!("98{code}{original_trace}      09100001{data:<29}{:15}", "");
        self.entry(NachaEntry {
            transaction_code: "26",
            amount_minor: 0,
            original_trace: original_trace.to_owned(),
            addenda,
        })
    }

    pub fn entry(mut self, entry: NachaEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// The last entry with another amount.
    pub fn amount(mut self, amount_minor: u64) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.amount_minor = amount_minor;
        }
        self
    }

    /// The last entry as one about a credit.
    pub fn credit(mut self) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.transaction_code = CREDIT;
        }
        self
    }

    /// The trace number of the last entry.
    pub fn last_trace(&self) -> String {
        trace(self.entries.len())
    }

    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "101 231380104 1210428822611170900A094101{:<23}{:<23}{:8}",
                "OUR BANK", "FED", ""
            ),
            format!(
                "5200{:<16}{:20}{:<10}{}{:<10}{:6}261116320109100001{:07}",
                "RALLYPAY", "", "1234567890", self.sec, "PAYMENT", "", 1
            ),
        ];
        let (mut debits, mut credits) = (0, 0);
        for (index, entry) in self.entries.iter().enumerate() {
            let trace = trace(index + 1);
            lines.push(format!(
                "6{}231380104{:<17}{:010}{:<15}{:<22}  1{trace}",
                entry.transaction_code,
                "556677889",
                entry.amount_minor,
                format!("ID{index}"),
                "JANE DOE"
            ));
            lines.push(format!("7{}{trace}", entry.addenda));
            match entry.transaction_code {
                CREDIT => credits += entry.amount_minor,
                _ => debits += entry.amount_minor,
            }
        }
        let count = self.entries.len() * 2;
        let hash = 23_138_010_u64 * self.entries.len() as u64 % 10_000_000_000;
        lines.push(format!(
            "8200{count:06}{hash:010}{debits:012}{credits:012}{:<10}{:25}09100001{:07}",
            "1234567890", "", 1
        ));
        let blocks = (lines.len() + 1).div_ceil(10);
        lines.push(format!(
            "9{:06}{blocks:06}{count:08}{hash:010}{debits:012}{credits:012}{:39}",
            1, ""
        ));
        while lines.len() % 10 != 0 {
            lines.push("9".repeat(94));
        }
        lines
    }

    pub fn text(&self) -> String {
        self.lines().into_iter().map(|line| line + "\n").collect()
    }
}

impl Default for Nacha {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Nacha> for Vec<u8> {
    fn from(file: Nacha) -> Self {
        file.text().into_bytes()
    }
}

/// A mapped file of payments that never entered the network.
pub const VALIDATION_SOURCE: &str = r#"
[sources.validation]
format = "delimited"
match = ["order_id:trace_id"]
[sources.validation.profile]
name = "validation"
kind = "validation_failures"
direction = "debit"
[sources.validation.profile.columns]
order_id = "order"
code = "response"
description = "message"
"#;
