//! One running stack for all cases: each brings payments of its own, and ends when everything
//! that it set in motion has come to rest and was delivered.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{Payment, VALIDATION_SOURCE, World, Worldpay, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::webhook_service_client::WebhookServiceClient;
use proto::{HoldReason, WebhookDeliveryState, WebhookStyle};
use serde_json::Value;
use tonic::transport::Channel;

use crate::draw::Case;
use crate::endpoints::{ENDPOINTS, Endpoint};
use crate::files::Ids;
use crate::platform::Style;
use crate::running::{Known, Running};

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
    pub operations: OperationsServiceClient<Channel>,
    /// How the gateway spells a payment that is under way.
    pub pending: &'static str,
    cases: Cell<usize>,
}

/// What a case came to.
pub struct Outcome {
    pub payments: Vec<Known>,
    /// The bodies that were posted to each path, in the order in which things happened.
    pub told: BTreeMap<&'static str, Vec<Value>>,
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
            request_id: String::new(),
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
        let mut running = Running::begin(self, ids, case).await;
        for step in &case.steps {
            running.step(step).await;
        }
        if case.patient {
            tokio::time::sleep(LONG_ENOUGH).await;
        }
        let payments = running.payments();
        self.dismiss_what_is_tried_again().await;
        let told = self.everything_published(&ids.transfer(LAST)).await;
        Outcome { payments, told }
    }

    /// Imports a file until both databases have it.
    pub async fn import(&self, source: &str, name: &str, bytes: Vec<u8>) {
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
            request_id: String::new(),
            note: "nobody knows it".to_owned(),
            action: Some(proto::resolve_hold_request::Action::DismissHold(
                proto::DismissHold {},
            )),
        };
        if let Err(status) = self.world.client.clone().resolve_hold(ask).await {
            assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status}");
        }
    }

    /// Waits until everything is delivered that happened so far. Rows are told in the order of
    /// the journal and holds in that of time, so what a last file does is told last.
    async fn everything_published(&self, last: &str) -> BTreeMap<&'static str, Vec<Value>> {
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
