//! One running stack for all cases: each brings payments of its own, and ends when everything
//! that it set in motion has come to rest and was delivered.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{Payment, VALIDATION_SOURCE, World, Worldpay, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::webhook_service_client::WebhookServiceClient;
use proto::{HoldReason, WebhookDeliveryState, WebhookStyle};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::draw::{Case, Drawn, Kind, State, Step};
use crate::files::{Ids, Writer};
use crate::platform::Style;
use crate::truth::{Sight, made_of};

/// Where a platform listens.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    pub path: &'static str,
    pub sight: Sight,
    /// Every type of message that it can be sent, in order.
    pub types: &'static [&'static str],
}

impl Endpoint {
    /// Whether it was built for a version that has no RETURNED.
    pub fn is_old(self) -> bool {
        self.path == "/old"
    }
}

/// One in each style and version.
pub const ENDPOINTS: [Endpoint; 3] = [
    Endpoint {
        path: "/old",
        sight: Sight {
            style: Style::Rainforest,
            api_version: "2023-12-01",
        },
        types: &[
            "ach_correction.created",
            "ach_hold.closed",
            "ach_hold.created",
            "ach_return.contested",
            "ach_return.created",
            "ach_return.dishonored",
            "ach_return.settling",
            "deposit.failed",
            "payin.failed",
            "payin.succeeded",
            "payout.failed",
            "refund.failed",
        ],
    },
    Endpoint {
        path: "/new",
        sight: Sight {
            style: Style::Rainforest,
            api_version: "2024-10-16",
        },
        types: &[
            "ach_correction.created",
            "ach_hold.closed",
            "ach_hold.created",
            "ach_return.contested",
            "ach_return.created",
            "ach_return.dishonored",
            "ach_return.settling",
            "deposit.failed",
            "payin.failed",
            "payin.returned",
            "payout.failed",
            "refund.failed",
        ],
    },
    Endpoint {
        path: "/finix",
        sight: Sight {
            style: Style::Finix,
            api_version: "",
        },
        types: &[
            "ach_correction.created",
            "ach_hold.created",
            "ach_hold.updated",
            "transfer.created",
            "transfer.updated",
        ],
    },
];

/// What is tried again by itself.
const TRIED_AGAIN: [HoldReason; 3] = [
    HoldReason::UnknownTransfer,
    HoldReason::DishonoredReturn,
    HoldReason::ContestedReturn,
];
/// Longer than the longest pause before that.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
/// The payment whose return says that a case has ended; no case has so many.
const LAST: usize = 9;

/// A stack with its platforms.
pub struct Here {
    pub world: World,
    receiver: HttpReceiver,
    webhooks: WebhookServiceClient<Channel>,
    operations: OperationsServiceClient<Channel>,
    /// How the gateway spells a payment that is under way.
    pending: &'static str,
    cases: Cell<usize>,
}

/// What a case came to.
pub struct Outcome {
    pub payments: Vec<Known>,
    /// The bodies that were posted to each path, in the order in which things happened.
    pub told: BTreeMap<&'static str, Vec<Value>>,
}

/// A payment that the gateway has.
pub struct Known {
    pub id: String,
    /// What each platform knew of it before.
    pub before: BTreeMap<&'static str, Value>,
}

impl Here {
    /// With the core gateway of this profile.
    pub async fn start(profile: &str) -> Self {
        let world = World::start_with(|options| {
            options.gateway = format!("profile = {profile:?}\n");
            options
                .returns
                .push_str("[webhooks]\nallow_private_addresses = true\nallow_http = true\n");
            options.returns.push_str(VALIDATION_SOURCE);
        })
        .await;
        let url = world.stack.url();
        let webhooks = WebhookServiceClient::connect(url.clone()).await;
        let operations = OperationsServiceClient::connect(url).await;
        let here = Self {
            world,
            receiver: HttpReceiver::start().await,
            webhooks: webhooks.expect("it answers"),
            operations: operations.expect("it answers"),
            pending: match profile {
                "rainforest" => "PROCESSING",
                _ => "PENDING",
            },
            cases: Cell::new(0),
        };
        for endpoint in ENDPOINTS {
            here.subscribe(endpoint).await;
        }
        here
    }

    async fn subscribe(&self, endpoint: Endpoint) {
        let style = match endpoint.sight.style {
            Style::Finix => WebhookStyle::Finix,
            Style::Rainforest => WebhookStyle::Rainforest,
        };
        let ask = proto::CreateEndpointRequest {
            url: self.receiver.url(endpoint.path),
            style: style.into(),
            api_version: endpoint.sight.api_version.to_owned(),
            actor: "ann".to_owned(),
            reason: "a platform".to_owned(),
            ..proto::CreateEndpointRequest::default()
        };
        let made = self.webhooks.clone().create_endpoint(ask).await;
        made.expect("an endpoint");
    }

    /// Lets a case happen.
    pub async fn run(&self, case: &Case) -> Outcome {
        self.cases.set(self.cases.get() + 1);
        let ids = Ids {
            case: self.cases.get(),
        };
        let mut running = Running {
            here: self,
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
        for step in &case.steps {
            running.step(step).await;
        }
        if case.patient {
            tokio::time::sleep(LONG_ENOUGH).await;
        }
        let payments = running.payments.into_values().collect();
        self.dismiss_what_is_tried_again().await;
        let told = self.everything_told(&ids.transfer(LAST)).await;
        Outcome { payments, told }
    }

    async fn import(&self, source: &str, name: &str, bytes: Vec<u8>) {
        let import = self.world.import(source, name, bytes).await;
        assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    }

    async fn dismiss_what_is_tried_again(&self) {
        for reason in TRIED_AGAIN {
            loop {
                let ask = proto::ListHoldsRequest {
                    reason: reason.into(),
                    ..proto::ListHoldsRequest::default()
                };
                let listed = self.world.client.clone().list_holds(ask).await;
                let holds = listed.expect("holds are listed").into_inner().holds;
                if holds.is_empty() {
                    break;
                }
                for hold in holds {
                    self.dismiss(hold.hold_id).await;
                }
            }
        }
    }

    /// Dismisses a hold, unless it was resolved meanwhile.
    async fn dismiss(&self, hold_id: String) {
        let ask = proto::ResolveHoldRequest {
            hold_id,
            actor: "ann".to_owned(),
            note: "nobody knows it".to_owned(),
            action: Some(proto::resolve_hold_request::Action::Dismiss(
                proto::DismissHold {},
            )),
        };
        if let Err(status) = self.world.client.clone().resolve_hold(ask).await {
            assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status}");
        }
    }

    /// Waits until everything is delivered that happened so far. Rows are told in the order of
    /// the journal and holds in that of time, so what a last file does is told last.
    async fn everything_told(&self, last: &str) -> BTreeMap<&'static str, Vec<Value>> {
        self.world.add(Payment::debit(last).deposit("DEP1")).await;
        let file = Worldpay::new().returned(last, "R01").returned(last, "R10");
        self.import("worldpay_returns", last, file.into()).await;
        let mut told: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        eventually("the last file is told of", || {
            self.take_received(&mut told);
            let done = ENDPOINTS.iter().all(|endpoint| {
                let bodies = told.get(endpoint.path).map_or(&[] as &[_], Vec::as_slice);
                let about = |hold: bool| {
                    let mut texts = bodies.iter().map(Value::to_string);
                    texts.any(|text| text.contains(last) && text.contains("ach_hold") == hold)
                };
                about(true) && about(false)
            });
            async move { done }
        })
        .await;
        eventually("everything is delivered", || async {
            let ask = proto::ListDeliveriesRequest {
                state: WebhookDeliveryState::Pending.into(),
                ..proto::ListDeliveriesRequest::default()
            };
            let listed = self.webhooks.clone().list_deliveries(ask).await;
            let listed = listed.expect("deliveries are listed").into_inner();
            listed.deliveries.is_empty()
        })
        .await;
        self.take_received(&mut told);
        for bodies in told.values_mut() {
            bodies.sort_by_key(|body| (body["sequence"].as_u64(), body.to_string()));
        }
        told
    }

    fn take_received(&self, told: &mut BTreeMap<&'static str, Vec<Value>>) {
        for one in self.receiver.take_received() {
            let endpoint = ENDPOINTS.iter().find(|known| known.path == one.path);
            let path = endpoint.expect("one of the endpoints").path;
            let body = serde_json::from_str(&one.body).expect("JSON");
            told.entry(path).or_default().push(body);
        }
    }
}

/// A payment that is being funded.
type Funding = (usize, sqlx::Transaction<'static, sqlx::Sqlite>);

/// A case that happens.
struct Running<'a> {
    here: &'a Here,
    case: &'a Case,
    ids: Ids,
    writer: Writer,
    files: Vec<(&'static str, Vec<u8>)>,
    payments: BTreeMap<usize, Known>,
    marked: BTreeSet<String>,
}

impl Running<'_> {
    async fn step(&mut self, step: &Step) {
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
        let ask = proto::MarkReadyToSettleRequest {
            transfer_id,
            actor: "ann".to_owned(),
            reason: "it is time".to_owned(),
        };
        let marked = self.here.operations.clone().mark_ready_to_settle(ask).await;
        marked.expect("it is marked");
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
