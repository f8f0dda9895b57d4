//! The bytes of drawn files.

use std::collections::HashMap;

use echeck_tests::{Nacha, Worldpay, WorldpayRow, funding_rejects};

use crate::draw::{Case, Entry, Kind, NOBODY, Row, Stage, Step};

/// The ids of a case's payments, which no other case has.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    pub case: usize,
}

impl Ids {
    /// The id that `Payment` and `Worldpay` make the others of.
    pub fn transfer(self, payment: usize) -> String {
        format!("TR{:06}{payment}", self.case)
    }

    /// The trace number of its entry in the ACH network.
    pub fn ach_trace(self, payment: usize) -> String {
        format!("23138010{:06}{payment}", self.case)
    }
}

/// Writes files, and remembers which returns they had, so that later ones can name them.
pub struct Writer {
    ids: Ids,
    kinds: Vec<Kind>,
    /// Trace number and code of the first return of a payment.
    returned: HashMap<usize, (String, &'static str)>,
    /// The code of the first dishonor of a payment's return.
    dishonored: HashMap<usize, &'static str>,
}

impl Writer {
    pub fn new(ids: Ids, case: &Case) -> Self {
        Self {
            ids,
            kinds: case.payments.iter().map(|one| one.kind).collect(),
            returned: HashMap::new(),
            dishonored: HashMap::new(),
        }
    }

    /// Which payment of the case a number means.
    pub fn which(&self, drawn: usize) -> usize {
        if drawn == NOBODY {
            NOBODY
        } else {
            drawn % self.kinds.len()
        }
    }

    /// Source and bytes of a step's file, if it has one.
    pub fn file(&mut self, step: &Step) -> Option<(&'static str, Vec<u8>)> {
        Some(match step {
            Step::Nacha(entries) | Step::FundMeanwhile(_, entries) => {
                ("nacha", self.nacha(entries).into())
            }
            Step::Corrections(corrections) => ("nacha", self.corrections(corrections).into()),
            Step::Worldpay(rows) => ("worldpay_returns", self.worldpay(rows).into()),
            Step::FundingRejects(payments) => {
                let ids: Vec<String> = payments.iter().map(|one| self.id(*one)).collect();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                ("worldpay_funding", funding_rejects(&ids).into_bytes())
            }
            Step::ValidationFailures(payments) => {
                let mut text = "order,response,message\n".to_owned();
                for payment in payments {
                    let id = self.id(*payment);
                    text.push_str(&format!("FNX{id},900,Invalid Bank Routing Number\n"));
                }
                ("validation", text.into_bytes())
            }
            Step::Again(_) | Step::Appear | Step::Fund(_) | Step::Ready(_) => return None,
        })
    }

    fn id(&self, drawn: usize) -> String {
        self.ids.transfer(self.which(drawn))
    }

    fn nacha(&mut self, entries: &[Entry]) -> Nacha {
        let mut file = Nacha::new();
        for entry in entries {
            let payment = self.which(entry.payment);
            let original = self.ids.ach_trace(payment);
            let known = self.returned.get(&payment).cloned();
            let (trace, code) = known.unwrap_or_else(|| ("091000010000001".to_owned(), "R01"));
            let of = (trace.as_str(), code);
            file = match entry.stage {
                Stage::Return(code) => file.returned(&original, code),
                Stage::Dishonor(code) => {
                    self.dishonored.entry(payment).or_insert(code);
                    file.dishonored(&original, code, of)
                }
                Stage::Contest => {
                    let dishonor = self.dishonored.get(&payment).copied().unwrap_or("R68");
                    file.contested(&original, answer_to(dishonor), of, dishonor)
                }
                Stage::ContestWith(code, dishonor) => file.contested(&original, code, of, dishonor),
            };
            if entry.wrong_amount {
                file = file.amount(5_001);
            } else if let Stage::Return(code) = entry.stage {
                let told = (file.last_trace(), code);
                self.returned.entry(payment).or_insert(told);
            }
            match self.kinds.get(payment) {
                Some(Kind::Deposit | Kind::Payout | Kind::Refund) => file = file.credit(),
                Some(Kind::Debit) | None => {}
            }
        }
        file
    }

    fn corrections(&self, corrections: &[(usize, &'static str)]) -> Nacha {
        let file = Nacha::corrections();
        corrections.iter().fold(file, |file, (payment, account)| {
            let original = self.ids.ach_trace(self.which(*payment));
            file.corrected(&original, "C01", account)
        })
    }

    fn worldpay(&self, rows: &[Row]) -> Worldpay {
        rows.iter().fold(Worldpay::new(), |file, row| {
            let id = self.id(row.payment);
            let amount = if row.wrong_amount { "50.01" } else { "50.00" };
            file.row(WorldpayRow {
                case_id: format!("7{id}{}", row.case),
                payment_id: format!("8399{id}"),
                order_id: format!("FNX{id}"),
                code: row.code.to_owned(),
                amount: amount.to_owned(),
            })
        })
    }
}

/// The code with which a dishonor is contested.
fn answer_to(dishonor: &str) -> &'static str {
    match dishonor {
        "R62" => "R77",
        "R67" => "R75",
        "R68" => "R73",
        "R69" => "R74",
        _ => "R71",
    }
}
