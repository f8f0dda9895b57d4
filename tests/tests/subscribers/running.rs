//! A case that happens, step by step.

use std::collections::{BTreeMap, BTreeSet};

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, eventually};
use serde_json::{Value, json};
use tonic::Code;

use crate::draw::{Case, Drawn, Kind, State, Step};
use crate::endpoints::ENDPOINTS;
use crate::files::{Ids, Writer};
use crate::here::Here;
use crate::truth::made_of;

/// A payment that the gateway has.
pub struct Known {
    pub id: String,
    /// What each platform knew of it before.
    pub before: BTreeMap<&'static str, Value>,
}

/// A payment that is being funded.
type Funding = (usize, sqlx::Transaction<'static, sqlx::Sqlite>);

/// A case that happens.
pub struct Running<'a> {
    here: &'a Here,
    case: &'a Case,
    ids: Ids,
    writer: Writer,
    files: Vec<(&'static str, Vec<u8>)>,
    payments: BTreeMap<usize, Known>,
    marked: BTreeSet<String>,
}

impl<'a> Running<'a> {
    /// Begins a case with the payments that are not late.
    pub async fn begin(here: &'a Here, ids: Ids, case: &'a Case) -> Self {
        let mut running = Self {
            here,
            case,
            ids,
            writer: Writer::new(ids, case),
            files: Vec::new(),
            payments: BTreeMap::new(),
            marked: BTreeSet::new(),
        };
        for (number, drawn) in case.payments.iter().enumerate() {
            if !drawn.late {
                running.add(number).await;
            }
        }
        running
    }

    /// The payments that the gateway has by now.
    pub fn payments(self) -> Vec<Known> {
        self.payments.into_values().collect()
    }

    pub async fn step(&mut self, step: &Step) {
        let file = self.writer.file(step);
        let has_file = file.is_some();
        self.files.extend(file);
        match step {
            Step::Again(which) if !self.files.is_empty() => {
                self.import(which % self.files.len(), "again").await;
            }
            Step::Appear => {
                let mut numbers = 0..self.case.payments.len();
                if let Some(late) = numbers.find(|one| !self.payments.contains_key(one)) {
                    self.add(late).await;
                }
            }
            Step::Fund(drawn) => {
                let funding = self.fund(self.writer.which(*drawn)).await;
                self.funded(funding).await;
            }
            Step::FundMeanwhile(drawn, _) => {
                let funding = self.fund(self.writer.which(*drawn)).await;
                self.decide_on_the_last_file().await;
                self.funded(funding).await;
            }
            Step::Ready(several) => {
                for which in several {
                    self.mark_ready(*which).await;
                }
            }
            _ => {}
        }
        if has_file {
            self.import(self.files.len() - 1, "first").await;
        }
    }

    async fn import(&self, file: usize, name: &str) {
        let (source, bytes) = self.files[file].clone();
        let name = format!("{}-{file}-{name}", self.ids.case);
        self.here.import(source, &name, bytes).await;
    }

    async fn add(&mut self, number: usize) {
        let (world, drawn) = (&self.here.world, self.case.payments[number]);
        let payment = self.payment(number, drawn);
        let in_rallypay = payment.clone().state(drawn.state.of("PENDING"));
        world.add(payment.only_in_gateway()).await;
        if drawn.mirrored {
            world.add_transaction(&in_rallypay).await;
        }
        self.know(number).await;
    }

    fn payment(&self, number: usize, drawn: Drawn) -> Payment {
        let id = self.ids.transfer(number);
        let payment = match drawn.kind {
            Kind::Debit => Payment::debit(&id),
            Kind::Deposit => Payment::payout(&id),
            Kind::Payout => Payment {
                subtype: "API",
                ..Payment::payout(&id)
            },
            Kind::Refund => Payment::refund(&id),
        };
        let payment = payment
            .state(drawn.state.of(self.here.pending))
            .ach_trace(&self.ids.ach_trace(number));
        if drawn.deposit {
            payment.deposit("DEP1")
        } else {
            payment
        }
    }

    /// What the platforms learn of a payment from the gateway itself.
    async fn know(&mut self, number: usize) {
        let id = self.ids.transfer(number);
        let mut before = BTreeMap::new();
        for endpoint in ENDPOINTS {
            let known = endpoint.sight.before(&self.here.world, &id).await;
            before.insert(endpoint.path, known);
        }
        self.payments.insert(number, Known { id, before });
    }

    /// The owner begins to fund a payment, if it is there and pending.
    async fn fund(&self, number: usize) -> Option<Funding> {
        let known = self.payments.get(&number)?;
        let funding = self.here.world.gateway.begin_with("BEGIN IMMEDIATE").await;
        let mut funding = funding.expect("the gateway is free");
        let sql = "UPDATE transfers SET state = 'SUCCEEDED' WHERE id = ? AND state = ?";
        let update = sqlx::query(sql).bind(&known.id).bind(self.here.pending);
        let done = update.execute(&mut *funding).await;
        let funds = done.expect("the gateway takes it").rows_affected() == 1;
        funds.then_some((number, funding))
    }

    /// Everybody but the readers of files learns of it.
    async fn funded(&mut self, funding: Option<Funding>) {
        let Some((number, funding)) = funding else {
            return;
        };
        funding.commit().await.expect("the gateway has it");
        let known = self.payments.get_mut(&number).expect("it is there");
        for endpoint in ENDPOINTS {
            let before = known.before.get_mut(endpoint.path).expect("an endpoint");
            before[endpoint.sight.style.state()] = json!("SUCCEEDED");
        }
        let sql = "UPDATE transactions SET status = 'succeeded' WHERE transfer_id = ? AND \
                   status = 'pending'";
        let update = sqlx::query(sql).bind(&known.id);
        let done = update.execute(&self.here.world.rallypay).await;
        done.expect("RallyPay takes it");
    }

    async fn decide_on_the_last_file(&self) {
        let (source, bytes) = self.files[self.files.len() - 1].clone();
        let name = format!("{}-decided", self.ids.case);
        let decided = proto::WaitLevel::Decided;
        let sent = self.here.world.send(source, &name, bytes, decided).await;
        sent.expect("it is decided on");
    }

    async fn mark_ready(&mut self, which: usize) {
        let mut made = Vec::new();
        for payment in self.payments.values() {
            made.extend(made_of(&self.here.world, &payment.id).await);
        }
        if made.iter().any(|one| !self.marked.contains(one)) {
            made.retain(|one| !self.marked.contains(one));
        }
        if made.is_empty() {
            return;
        }
        let transfer_id = made.swap_remove(which % made.len());
        self.marked.insert(transfer_id.clone());
        let ask = proto::ReleaseToSettlementRequest {
            transfer_id,
            request_id: String::new(),
            reason: "it is time".to_owned(),
        };
        // The gateway may be ahead of what the service has recorded of it.
        eventually("the release is accepted", || async {
            let mut operations = self.here.operations.clone();
            match operations.release_to_settlement(ask.clone()).await {
                Ok(_) => true,
                Err(status) if status.code() == Code::FailedPrecondition => false,
                Err(status) => panic!("{status}"),
            }
        })
        .await;
    }
}

impl State {
    /// The word of a database that spells what is under way like this.
    fn of(self, pending: &'static str) -> &'static str {
        match self {
            Self::Pending => pending,
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}
