//! Finix's and Rainforest's flows, row by row as their own pages tell them: the file in, the
//! states in both databases, `GetTransfer` in each version, and the bodies out, to the letter.

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::HttpReceiver;
use echeck_tests::{
    Nacha, Payment, VALIDATION_SOURCE, World, Worldpay, eventually, funding_rejects,
};
use proto::operations_service_client::OperationsServiceClient;
use proto::webhook_service_client::WebhookServiceClient;
use proto::{TransferView, WebhookStyle};
use serde_json::{Value, json};

/// A platform in every style and version, which takes whatever it is told.
struct Platforms {
    world: World,
    receiver: HttpReceiver,
}

const OLD: (&str, WebhookStyle, &str) = ("/old", WebhookStyle::Rainforest, "2023-12-01");
const NEW: (&str, WebhookStyle, &str) = ("/new", WebhookStyle::Rainforest, "2024-10-16");
const FINIX: (&str, WebhookStyle, &str) = ("/finix", WebhookStyle::Finix, "");

impl Platforms {
    /// With the core gateway of this profile.
    async fn start(profile: &str) -> Self {
        let world = World::start_with(|options| {
            options.gateway = format!("profile = {profile:?}\n");
            options
                .returns
                .push_str("[webhooks]\nallow_private_addresses = true\nallow_http = true\n");
            options.returns.push_str(VALIDATION_SOURCE);
        })
        .await;
        let receiver = HttpReceiver::start().await;
        let platforms = Self { world, receiver };
        for (path, style, version) in [OLD, NEW, FINIX] {
            platforms.listen(path, style, version).await;
        }
        platforms
    }

    async fn listen(&self, path: &str, style: WebhookStyle, version: &str) {
        let ask = proto::CreateEndpointRequest {
            url: self.receiver.url(path),
            style: style.into(),
            api_version: version.to_owned(),
            request_id: String::new(),
            reason: "a platform".to_owned(),
            ..proto::CreateEndpointRequest::default()
        };
        let client = WebhookServiceClient::connect(self.world.stack.url()).await;
        client.unwrap().create_endpoint(ask).await.unwrap();
    }

    /// The bodies that a platform was sent, in order of event and type, without what differs
    /// from run to run.
    async fn told(&self, (path, ..): (&str, WebhookStyle, &str), count: usize) -> Vec<Value> {
        let bodies = || {
            let received = self.receiver.received().into_iter();
            let mut bodies: Vec<Value> = received
                .filter(|one| one.path == path)
                .map(|one| serde_json::from_str(&one.body).unwrap())
                .collect();
            bodies.sort_by_key(|body| (body["sequence"].as_u64(), body.to_string()));
            bodies
        };
        eventually("every message has come", || async {
            bodies().len() >= count
        })
        .await;
        let mut bodies = bodies();
        assert_eq!(bodies.len(), count, "{bodies:#?}");
        bodies.iter_mut().for_each(settle);
        bodies
    }

    async fn mark_ready(&self, reversal: &str) {
        let ask = proto::ReleaseToSettlementRequest {
            transfer_id: reversal.to_owned(),
            request_id: String::new(),
            reason: "it is time".to_owned(),
        };
        let operations = OperationsServiceClient::connect(self.world.stack.url()).await;
        operations
            .unwrap()
            .release_to_settlement(ask)
            .await
            .unwrap();
    }

    /// State, whether there is a return, and its code, as a version shows them.
    async fn shown(&self, id: &str, view: (&str, WebhookStyle, &str)) -> (String, bool, String) {
        let (_, style, version) = view;
        let view = match style {
            WebhookStyle::Finix => TransferView::Finix,
            WebhookStyle::Rainforest => TransferView::Rainforest,
            WebhookStyle::Unspecified => TransferView::Unspecified,
        };
        let key = proto::get_transfer_request::Key::TransferId(id.to_owned());
        let ask = proto::GetTransferRequest {
            key: Some(key),
            view: view.into(),
            api_version: version.to_owned(),
        };
        let answer = self.world.client.clone().get_transfer(ask).await.unwrap();
        let transfer = answer.into_inner().transfer.unwrap();
        let code = transfer.ach_return.map(|one| one.return_code);
        (
            transfer.state,
            transfer.has_ach_return,
            code.unwrap_or_default(),
        )
    }
}

/// Takes out times and the event's id, which differ from run to run.
fn settle(body: &mut Value) {
    let Some(object) = body.as_object_mut() else {
        return;
    };
    for key in ["occurred_at", "event_id", "created_at", "updated_at"] {
        object.remove(key);
    }
    if object.contains_key("entity") {
        object.remove("id");
    }
    let transfers = object
        .get_mut("_embedded")
        .and_then(|all| all.get_mut("transfers"));
    for transfer in transfers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        settle(transfer);
    }
}

fn shows(state: &str, code: &str) -> (String, bool, String) {
    (state.to_owned(), !code.is_empty(), code.to_owned())
}

/// The return of the transfer, as the newest messages have it.
async fn return_id(world: &World, id: &str) -> String {
    world.transfer(id).await.ach_return.unwrap().ach_return_id
}

fn payin(status: &str, return_id: &str) -> Value {
    json!({
        "payin_id": "TR1",
        "merchant_id": "IDmerchant",
        "status": status,
        "method_type": "ACH",
        "amount": 5_000,
        "currency_code": "USD",
        "has_ach_return": true,
        "ach_return": ach_return(return_id, json!([])),
        "messages": [],
    })
}

fn ach_return(return_id: &str, adjustments: Value) -> Value {
    json!({
        "ach_return_id": return_id,
        "merchant_id": "IDmerchant",
        "payin_id": "TR1",
        "status": "CREATED",
        "return_code": "R01",
        "return_desc": "Insufficient Funds",
        "questionable": false,
        "amount": 5_000,
        "currency_code": "USD",
        "stage": "CREATED",
        "dishonor": null,
        "contest": null,
        "adjustments": adjustments,
    })
}

/// A body of Rainforest's style.
fn rainforest(event_type: &str, data: Value, sequence: u64) -> Value {
    json!({
        "data": data,
        "event_type": event_type,
        "schema_version": 1,
        "sequence": sequence,
        "version": sequence,
    })
}

#[tokio::test]
async fn rainforest_a_payin_returned_before_it_is_available_for_a_deposit() {
    let here = Platforms::start("rainforest").await;
    here.world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    here.world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "RETURNED");
    assert_eq!(here.world.status("TR1").await, "returned");
    assert_eq!(here.world.reversals("TR1").await, "0");

    assert_eq!(here.shown("TR1", OLD).await, shows("SUCCEEDED", "R01"));
    assert_eq!(here.shown("TR1", NEW).await, shows("RETURNED", "R01"));
    assert_eq!(here.shown("TR1", FINIX).await, shows("FAILED", "R01"));

    let id = return_id(&here.world, "TR1").await;
    let created = rainforest("ach_return.created", ach_return(&id, json!([])), 1);
    assert_eq!(
        here.told(OLD, 2).await,
        [
            created.clone(),
            rainforest("payin.succeeded", payin("SUCCEEDED", &id), 1),
        ]
    );
    assert_eq!(
        here.told(NEW, 2).await,
        [
            created,
            rainforest("payin.returned", payin("RETURNED", &id), 1),
        ]
    );
}

#[tokio::test]
async fn rainforest_a_payin_returned_after_it_was_funded_in_a_deposit_stays_succeeded() {
    let here = Platforms::start("rainforest").await;
    here.world.add(Payment::debit("TR1").deposit("DEP1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    here.world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "SUCCEEDED");
    assert_eq!(here.world.status("TR1").await, "returned");
    assert_eq!(here.world.reversals("TR1").await, "1");

    for view in [OLD, NEW, FINIX] {
        assert_eq!(here.shown("TR1", view).await, shows("SUCCEEDED", "R01"));
    }

    let id = return_id(&here.world, "TR1").await;
    let reversal = here.world.transfer("TR1").await.reversal_ids.remove(0);
    let adjustments = json!([{
        "transfer_id": reversal,
        "type": "REVERSAL",
        "ready_to_settle_at": null,
    }]);
    let created = rainforest("ach_return.created", ach_return(&id, adjustments), 1);
    assert_eq!(here.told(OLD, 1).await, std::slice::from_ref(&created));
    assert_eq!(here.told(NEW, 1).await, [created]);
}

#[tokio::test]
async fn rainforest_a_dishonored_return_is_published_whole_with_what_is_settled_by_then() {
    const ORIGINAL: &str = "231380100000001";
    let here = Platforms::start("rainforest").await;
    let payment = Payment::debit("TR1").deposit("DEP1").ach_trace(ORIGINAL);
    here.world.add(payment).await;
    let file = Nacha::new().returned(ORIGINAL, "R10");
    here.world.import("nacha", "1.ach", file).await;
    let reversal = here.world.transfer("TR1").await.reversal_ids.remove(0);
    here.mark_ready(&reversal).await;
    here.told(NEW, 2).await;
    let of = ("091000010000001", "R10");
    let file = Nacha::new().dishonored(ORIGINAL, "R68", of);
    here.world.import("nacha", "2.ach", file).await;

    let told = here.told(NEW, 3).await;
    let kinds: Vec<&Value> = told.iter().map(|body| &body["event_type"]).collect();
    assert_eq!(
        kinds,
        [
            "ach_return.created",
            "echeck.ach_return.settling",
            "echeck.ach_return.dishonored"
        ]
    );
    let data = &told[2]["data"];
    assert_eq!(data["stage"], "DISHONORED");
    assert_eq!(data["dishonor"]["code"], "R68");
    let adjustments = data["adjustments"].as_array().unwrap();
    assert_eq!(adjustments[0]["transfer_id"], reversal.as_str());
    let ready = &told[1]["data"]["adjustments"][0]["ready_to_settle_at"];
    assert!(ready.is_string(), "{ready}");
    assert_eq!(&adjustments[0]["ready_to_settle_at"], ready);
    assert_eq!(adjustments[1]["type"], "RESTORATION");
    assert_eq!(adjustments[1]["ready_to_settle_at"], Value::Null);
    assert_eq!(here.shown("TR1", NEW).await, shows("SUCCEEDED", "R10"));
}

/// A body of Finix's style about one transfer.
fn finix(kind: &str, transfer: Value, sequence: u64) -> Value {
    json!({
        "type": kind,
        "entity": "transfer",
        "_embedded": {"transfers": [transfer]},
        "schema_version": 1,
        "sequence": sequence,
        "version": sequence,
    })
}

#[tokio::test]
async fn finix_an_echeck_with_invalid_information_fails_without_a_return_code() {
    let here = Platforms::start("finix").await;
    here.world.add(Payment::debit("TR1").state("PENDING")).await;
    let file = "order,response,message\nFNXTR1,900,Invalid Bank Routing Number\n";
    here.world.import("validation", "v.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "FAILED");
    assert_eq!(here.world.status("TR1").await, "failed");
    for view in [OLD, NEW, FINIX] {
        assert_eq!(here.shown("TR1", view).await, shows("FAILED", ""));
    }
    let told = here.told(FINIX, 1).await;
    let expected = json!({
        "id": "TR1",
        "amount": 5_000,
        "state": "FAILED",
        "trace_id": "FNXTR1",
        "currency": "USD",
        "application": "APplatform",
        "source": "PIbuyer",
        "destination": null,
        "ready_to_settle_at": null,
        "type": "DEBIT",
        "messages": ["Invalid Bank Routing Number"],
        "raw": told[0]["_embedded"]["transfers"][0]["raw"],
        "merchant_identity": "IDmerchant",
        "subtype": "API",
        "has_ach_return": false,
        "ach_return": null,
        "failure_code": null,
        "failure_message": null,
        "failure_code_is_inferred": false,
        "_links": {"self": {"href": "/transfers/TR1"}},
    });
    assert_eq!(told, [finix("updated", expected, 1)]);
}

#[tokio::test]
async fn finix_a_returned_echeck_stays_succeeded_and_has_a_reversal_that_is_then_settled() {
    let here = Platforms::start("finix").await;
    here.world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    here.world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "SUCCEEDED");
    assert_eq!(here.world.status("TR1").await, "returned");
    for view in [OLD, NEW, FINIX] {
        assert_eq!(here.shown("TR1", view).await, shows("SUCCEEDED", "R01"));
    }

    let id = return_id(&here.world, "TR1").await;
    let reversal = here.world.transfer("TR1").await.reversal_ids.remove(0);
    let created = here.world.transfer(&reversal).await;
    let transfer = |ready: Value| {
        json!({
            "id": reversal,
            "amount": 5_000,
            "tags": {
                "result_message_0": "ReasonCode: R01",
                "result_message_1": "ReasonDescription: Insufficient Funds",
                "result_message_2": "Rejected because there is 'ACH_eCheck_Returns' record in \
                                     CHARGEBACK for 'FNXTR1' ACH transfer",
            },
            "state": "SUCCEEDED",
            "trace_id": created.trace_id,
            "currency": "USD",
            "application": "APplatform",
            "source": null,
            "destination": "PIbuyer",
            "ready_to_settle_at": ready,
            "fee": 0,
            "statement_descriptor": null,
            "type": "REVERSAL",
            "messages": [],
            "raw": null,
            "idempotency_id": null,
            "merchant_identity": "IDmerchant",
            "subtype": "SYSTEM",
            "returned_transfer": "TR1",
            "parent_transfer": "TR1",
            "parent_transfer_trace_id": "FNXTR1",
            "ach_return": {
                "ach_return_id": id,
                "return_code": "R01",
                "stage": "CREATED",
                "questionable": false,
            },
            "_links": {
                "self": {"href": format!("/transfers/{reversal}")},
                "parent": {"href": "/transfers/TR1"},
            },
        })
    };
    assert_eq!(
        here.told(FINIX, 1).await,
        [finix("created", transfer(Value::Null), 1)]
    );

    here.mark_ready(&reversal).await;
    let told = here.told(FINIX, 2).await;
    let ready = told[1]["_embedded"]["transfers"][0]["ready_to_settle_at"].clone();
    assert!(ready.is_string(), "{ready}");
    assert_eq!(told[1], finix("updated", transfer(ready), 2));
    let shown = here.world.transfer(&reversal).await;
    assert!(shown.ready_to_settle_at.is_some());
}

#[tokio::test]
async fn finix_an_echeck_returned_while_it_is_pending_fails_with_the_code_in_its_messages() {
    let here = Platforms::start("finix").await;
    here.world.add(Payment::debit("TR1").state("PENDING")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    here.world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "FAILED");
    assert_eq!(here.world.status("TR1").await, "returned");
    assert_eq!(here.world.reversals("TR1").await, "0");
    assert_eq!(here.shown("TR1", FINIX).await, shows("FAILED", "R01"));
    assert_eq!(here.shown("TR1", OLD).await, shows("SUCCEEDED", "R01"));
    assert_eq!(here.shown("TR1", NEW).await, shows("RETURNED", "R01"));
    let told = here.told(FINIX, 1).await;
    let transfer = &told[0]["_embedded"]["transfers"][0];
    assert_eq!(told[0]["type"], "updated");
    assert_eq!(transfer["state"], "FAILED");
    assert_eq!(
        transfer["messages"],
        json!(["ReasonCode: R01", "ReasonDescription: Insufficient Funds"])
    );
}

#[tokio::test]
async fn finix_a_returned_funding_instruction_fails_with_messages_and_raw() {
    let here = Platforms::start("finix").await;
    here.world.add(Payment::payout("TR1")).await;
    let file = funding_rejects(&["TR1"]);
    here.world.import("worldpay_funding", "f.csv", file).await;
    assert_eq!(here.world.state("TR1").await, "FAILED");
    assert_eq!(here.world.status("TR1").await, "failed");
    assert_eq!(here.world.reversals("TR1").await, "0");
    assert_eq!(here.shown("TR1", FINIX).await, shows("FAILED", "R03"));
    let told = here.told(FINIX, 1).await;
    let transfer = &told[0]["_embedded"]["transfers"][0];
    assert_eq!(
        (&told[0]["type"], &transfer["state"], &transfer["subtype"]),
        (
            &json!("updated"),
            &json!("FAILED"),
            &json!("SETTLEMENT_MERCHANT")
        )
    );
    assert_eq!(
        transfer["messages"],
        json!([
            "ReasonCode: R03",
            "ReasonDescription: No Account/Unable to Locate Account",
            "Declined because there is a record in FAILED_FUNDS for 'FNXTR1' transfer",
        ])
    );
    assert_eq!(transfer["failure_code"], "NO_BANK_ACCOUNT_FOUND");
    assert_eq!(
        transfer["failure_message"],
        "No Account/Unable to Locate Account"
    );
    assert_eq!(transfer["raw"]["Reason Code"], "R03");
    assert_eq!(transfer["raw"]["Funds Transfer Amount"], json!(5000.0));
    assert_eq!(transfer["raw"]["Funds Transfer Request ID"], "FNXTR1");
    assert!(!told[0].to_string().contains("123456789012"));
}
