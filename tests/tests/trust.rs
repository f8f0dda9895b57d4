//! Who may do what, over real sockets with TLS: every method, every role, every kind of credential.

use std::time::Duration;

use echeck::stack::{Holder, StackOptions, Trust};
use echeck_proto::returns::v1 as proto;
use echeck_service::access::Role;
use echeck_service::access::table::{MethodRule, RULES};
use echeck_service::tls::Connection;
use echeck_tests::{Bearer, Payment, TokenCaller, World, Worldpay, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

type Called = InterceptedService<Channel, Bearer>;

/// Bytes as they are, so that every method can be called with nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<()>, Status> {
        use bytes::Buf as _;
        from.advance(from.remaining());
        Ok(Some(()))
    }
}

/// Calls a method with an empty message; gives how it ends, or that its first answer came.
async fn call(channel: &Channel, bearer: Bearer, path: &'static str) -> Result<(), Status> {
    let service = InterceptedService::new(channel.clone(), bearer);
    let mut grpc = tonic::client::Grpc::new(service);
    grpc.ready().await.expect("it answers");
    let path = PathAndQuery::from_static(path);
    let calling = async {
        let answer = grpc.server_streaming(Request::new(()), path, Raw).await?;
        answer.into_inner().message().await.map(drop)
    };
    let answered = tokio::time::timeout(Duration::from_secs(30), calling).await;
    answered.unwrap_or_else(|_| panic!("a call does not answer"))
}

fn is_denied(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.reason == "ROLE_MISSING" && info.domain == "echeck-server")
}

const ROLES: [Role; 7] = [
    Role::Reader,
    Role::Importer,
    Role::Operator,
    Role::Approver,
    Role::Admin,
    Role::AdapterClient,
    Role::Health,
];

/// Whether a server has a method.
fn offers(server: &str, rule: &MethodRule) -> bool {
    let of_adapter = rule.path.starts_with("/echeck.adapter.");
    let of_all = rule.path.starts_with("/grpc.");
    of_all || (of_adapter == (server == "adapter"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_is_for_its_roles_and_for_right_credentials_alone() {
    let callers = ROLES.map(|role| TokenCaller::new(role.as_str(), &[role.as_str()]));
    let expired = TokenCaller::new("expired", &["admin", "adapter_client"])
        .with("expires = \"2020-01-01T00:00:00Z\"\n");
    let sections: String = callers
        .iter()
        .chain([&expired])
        .map(TokenCaller::section)
        .collect();
    let world = World::start_with(|options: &mut StackOptions| {
        options.trust = Trust::Own;
        options.returns.push_str(&sections);
        options.gateway.push_str(&sections);
    })
    .await;
    let trust = world.stack.trust.clone().unwrap();
    let tls = trust.client(Holder::Operator).unwrap();
    let stranger = TokenCaller::new("stranger", &["admin"]);
    let mut tried = 0;
    for (server, address) in [
        ("returns", world.stack.returns),
        ("adapter", world.stack.gateway),
    ] {
        let connection = Connection::new(&format!("https://{address}"), Some(&tls)).unwrap();
        let channel = connection.connect().await.unwrap();
        for rule in RULES.iter().filter(|rule| offers(server, rule)) {
            let path = rule.path;
            for wrong in [stranger.bearer(), expired.bearer(), Bearer::of("a.b.c")] {
                let refused = call(&channel, wrong, path).await.unwrap_err();
                assert_eq!(refused.code(), Code::Unauthenticated, "{path}");
                assert!(!refused.message().contains("expired at"), "{refused}");
                tried += 1;
            }
            for (role, caller) in ROLES.iter().zip(&callers) {
                let answer = call(&channel, caller.bearer(), path).await;
                let denied = answer.as_ref().err().is_some_and(is_denied);
                assert_eq!(
                    denied,
                    !rule.roles.contains(role),
                    "{path} {role:?}: {answer:?}"
                );
                let code = answer.err().map(|status| status.code());
                assert_ne!(code, Some(Code::Unauthenticated), "{path} {role:?}");
                tried += 1;
            }
        }
        let renamed = "/echeck.returns.v1.ReturnsService/getTransfer";
        let refused = call(&channel, callers[4].bearer(), renamed)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented);
    }
    assert!(tried > 600, "{tried}");
    nobody_without_credentials(&world).await;
    refusals_are_recorded(&world, &callers[4]).await;
}

/// A caller with neither certificate nor token gets nothing.
async fn nobody_without_credentials(world: &World) {
    let trust = world.stack.trust.clone().unwrap();
    let files = echeck_service::tls::ClientTlsFiles {
        ca: trust.ca(),
        certificate: None,
    };
    let tls = echeck_service::tls::ClientTls::new(files).unwrap();
    let connection = Connection::new(&world.stack.url(), Some(&tls)).unwrap();
    let channel = connection.connect().await.unwrap();
    for rule in RULES.iter().filter(|rule| offers("returns", rule)) {
        let refused = call(&channel, Bearer::none(), rule.path).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{}", rule.path);
    }
    // An adapter lets nobody connect without a certificate.
    let address = format!("https://{}", world.stack.gateway);
    let connection = Connection::new(&address, Some(&tls)).unwrap();
    let channel = connection.connect().await.unwrap();
    let mut grpc = tonic::client::Grpc::new(channel);
    let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
    let _ = grpc.ready().await;
    let refused = grpc.server_streaming(Request::new(()), path, Raw).await;
    assert!(refused.is_err());
    eventually("the adapter says why", || async {
        connection
            .told()
            .is_some_and(|why| why.contains("wants a certificate"))
    })
    .await;
}

/// The first refusal of a kind is in the audit log, with where it came from.
async fn refusals_are_recorded(world: &World, admin: &TokenCaller) {
    let mut operations = operations(world, admin.bearer()).await;
    for (outcome, identity) in [
        ("token_unknown", "anonymous"),
        ("token_expired", "anonymous"),
        ("no_credentials", "anonymous"),
        ("role_missing", "token:"),
    ] {
        let ask = proto::ListAuditRequest {
            action: "refused".to_owned(),
            page_size: 500,
            ..Default::default()
        };
        let answer = operations.list_audit(ask).await.unwrap().into_inner();
        let found = answer
            .records
            .iter()
            .find(|record| record.outcome == outcome);
        let found = found.unwrap_or_else(|| panic!("{outcome}: {:?}", answer.records));
        assert!(found.identity.starts_with(identity), "{found:?}");
        assert!(found.address.starts_with("127.0.0.1:"), "{found:?}");
    }
}

async fn channel(world: &World) -> Channel {
    world.stack.connect().await.unwrap()
}

async fn operations(world: &World, bearer: Bearer) -> OperationsServiceClient<Called> {
    OperationsServiceClient::with_interceptor(channel(world).await, bearer)
}

async fn returns(world: &World, bearer: Bearer) -> ReturnsServiceClient<Called> {
    ReturnsServiceClient::with_interceptor(channel(world).await, bearer)
}

/// A world with these callers.
async fn world_with(callers: &[&TokenCaller], more: &str) -> World {
    let sections: String = callers.iter().map(|caller| caller.section()).collect();
    World::start_with(|options: &mut StackOptions| {
        options
            .returns
            .push_str("[access]\nanonymous_roles = [\"admin\", \"importer\"]\n");
        options.returns.push_str(&sections);
        options.returns.push_str(more);
    })
    .await
}

fn returned(payment: &str) -> String {
    Worldpay::new().returned(payment, "R01").text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_follows_its_own_merchants_and_moves_past_the_others() {
    let own = TokenCaller::new("own", &["reader"]).with("merchants = [\"IDmerchant\"]\n");
    let other = TokenCaller::new("other", &["reader"]).with("merchants = [\"IDother\"]\n");
    let world = world_with(&[&own, &other], "").await;
    world.add(Payment::debit("TR1")).await;
    world
        .import("worldpay_returns", "r.csv", returned("TR1"))
        .await;
    let ask = || proto::StreamReturnsRequest {
        heartbeat_ms: 1_000,
        ..Default::default()
    };
    let mut mine = returns(&world, own.bearer()).await;
    let mut stream = mine.stream_returns(ask()).await.unwrap().into_inner();
    let message = stream.message().await.unwrap().unwrap();
    assert_eq!(message.ach_return.unwrap().transfer_id, "TR1");
    let mut theirs = returns(&world, other.bearer()).await;
    let mut stream = theirs.stream_returns(ask()).await.unwrap().into_inner();
    let heartbeat = stream.message().await.unwrap().unwrap();
    assert_eq!((heartbeat.position, heartbeat.ach_return), (1, None));
    // Nor does a batch show them.
    let selector = proto::TransferSelector {
        key: Some(proto::transfer_selector::Key::TransferId("TR1".to_owned())),
    };
    let ask = proto::BatchGetTransfersRequest {
        selectors: vec![selector],
        ..Default::default()
    };
    let answer = theirs.batch_get_transfers(ask).await.unwrap().into_inner();
    let found = answer.results.into_iter().next().unwrap().result;
    let Some(proto::transfer_result::Result::Error(error)) = found else {
        panic!("{found:?}");
    };
    assert_eq!(error.reason, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_sees_the_payments_of_its_merchants_and_of_nobody_else() {
    let own = TokenCaller::new("own", &["reader"]).with("merchants = [\"IDmerchant\"]\n");
    let other = TokenCaller::new("other", &["reader"]).with("merchants = [\"IDother\"]\n");
    let world = world_with(&[&own, &other], "").await;
    world.add(Payment::debit("TR1")).await;
    let import = world
        .import("worldpay_returns", "r.csv", returned("TR1"))
        .await;
    assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    let get = |id: &str| proto::GetTransferRequest {
        key: Some(proto::get_transfer_request::Key::TransferId(id.to_owned())),
        ..Default::default()
    };
    let (mut mine, mut theirs) = (
        returns(&world, own.bearer()).await,
        returns(&world, other.bearer()).await,
    );
    let transfer = mine
        .get_transfer(get("TR1"))
        .await
        .unwrap()
        .into_inner()
        .transfer
        .unwrap();
    let return_id = transfer.ach_return.unwrap().ach_return_id;
    let listed = mine
        .list_returns(proto::ListReturnsRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.into_inner().ach_returns.len(), 1);
    let ask = || proto::GetReturnRequest {
        ach_return_id: return_id.clone(),
        ..Default::default()
    };
    mine.get_return(ask()).await.unwrap();

    // Another's is like one that there is not.
    let hidden = theirs.get_transfer(get("TR1")).await.unwrap_err();
    let missing = theirs.get_transfer(get("TR9")).await.unwrap_err();
    assert_eq!(
        (hidden.code(), missing.code()),
        (Code::NotFound, Code::NotFound)
    );
    assert_eq!(
        hidden.message().replace("TR1", ""),
        missing.message().replace("TR9", "")
    );
    assert_eq!(
        theirs.get_return(ask()).await.unwrap_err().code(),
        Code::NotFound
    );
    let listed = theirs
        .list_returns(proto::ListReturnsRequest::default())
        .await
        .unwrap();
    let listed = listed.into_inner();
    assert!(listed.ach_returns.is_empty() && listed.next_page_token.is_empty());
    for closed in [
        theirs
            .list_holds(proto::ListHoldsRequest::default())
            .await
            .map(drop),
        theirs
            .list_imports(proto::ListImportsRequest::default())
            .await
            .map(drop),
    ] {
        assert_eq!(closed.unwrap_err().code(), Code::PermissionDenied);
    }
    let channel = channel(&world).await;
    for (bearer, seen) in [(own.bearer(), true), (other.bearer(), false)] {
        let mut webhooks = proto::webhook_service_client::WebhookServiceClient::with_interceptor(
            channel.clone(),
            bearer,
        );
        eventually("the events are there", || {
            let mut webhooks = webhooks.clone();
            async move {
                let ask = events();
                let found = webhooks.list_events(ask).await.unwrap().into_inner().events;
                found.is_empty() != seen
            }
        })
        .await;
        let found = webhooks
            .list_events(events())
            .await
            .unwrap()
            .into_inner()
            .events;
        assert_eq!(!found.is_empty(), seen);
    }
}

fn events() -> proto::ListEventsRequest {
    proto::ListEventsRequest {
        style: proto::WebhookStyle::Rainforest.into(),
        api_version: "2024-10-16".to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_done_once_however_often_it_comes() {
    let ann = TokenCaller::new("ann", &["operator", "importer"]);
    let bob = TokenCaller::new("bob", &["operator"]);
    let world = world_with(&[&ann, &bob], "").await;
    let import = world
        .import("worldpay_returns", "r.csv", returned("TR404"))
        .await;
    assert_eq!(import.totals.unwrap().held.unwrap().count, 1);
    let hold = world.hold().await;
    let ask = |note: &str| proto::ResolveHoldRequest {
        hold_id: hold.hold_id.clone(),
        action: Some(proto::resolve_hold_request::Action::DismissHold(
            proto::DismissHold {},
        )),
        request_id: "r1".to_owned(),
        note: note.to_owned(),
    };
    let client = returns(&world, ann.bearer()).await;
    let calls = (0..50).map(|_| {
        let (mut client, ask) = (client.clone(), ask("not ours"));
        tokio::spawn(async move { client.resolve_hold(ask).await })
    });
    let mut answers = Vec::new();
    for answer in calls.collect::<Vec<_>>() {
        answers.push(answer.await.unwrap().unwrap().into_inner());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let mut operations = operations(&world, ann.bearer()).await;
    let list = proto::ListAuditRequest {
        request_id: "r1".to_owned(),
        ..Default::default()
    };
    let records = operations
        .list_audit(list)
        .await
        .unwrap()
        .into_inner()
        .records;
    let [record] = &records[..] else {
        panic!("one effect: {records:?}");
    };
    assert_eq!(
        (&*record.identity, &*record.action),
        ("token:ann", "dismiss_hold")
    );
    assert_eq!((&*record.before, &*record.after), ("open", "dismissed"));
    assert_eq!((&*record.reason, &*record.outcome), ("not ours", "OK"));

    let other = client
        .clone()
        .resolve_hold(ask("another note"))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    // Another caller's ids are its own; the hold is closed by now.
    let mut bobs = returns(&world, bob.bearer()).await;
    let answer = bobs
        .resolve_hold(ask("not ours"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.hold.unwrap().closed_by, "token:ann");
    let mut long = ask("not ours");
    long.request_id = "x".repeat(201);
    let refused = client.clone().resolve_hold(long).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_hold_is_dismissed_by_two_people() {
    let ann = TokenCaller::new("ann", &["operator"]);
    let ben = TokenCaller::new("ben", &["operator", "approver"]);
    let more = "[two_people]\ndismiss_over_minor = 4999\n";
    let world = world_with(&[&ann, &ben], more).await;
    world
        .import("worldpay_returns", "r.csv", returned("TR404"))
        .await;
    let hold = world.hold().await;
    let dismiss = |note: &str| proto::ResolveHoldRequest {
        hold_id: hold.hold_id.clone(),
        action: Some(proto::resolve_hold_request::Action::DismissHold(
            proto::DismissHold {},
        )),
        note: note.to_owned(),
        ..Default::default()
    };
    let mut anns = returns(&world, ann.bearer()).await;
    let answer = anns
        .resolve_hold(dismiss("not ours"))
        .await
        .unwrap()
        .into_inner();
    let proposal_id = answer.proposal_id;
    assert!(proposal_id.starts_with("prop_"));
    assert_eq!(answer.hold.unwrap().state(), proto::HoldState::Open);

    let approve = || proto::ApproveProposalRequest {
        proposal_id: proposal_id.clone(),
        ..Default::default()
    };
    let mut operator = operations(&world, ann.bearer()).await;
    let denied = operator.approve_proposal(approve()).await.unwrap_err();
    assert!(is_denied(&denied), "{denied}");
    let mut approver = operations(&world, ben.bearer()).await;
    let listed = approver
        .list_proposals(proto::ListProposalsRequest::default())
        .await
        .unwrap();
    let listed = listed.into_inner().proposals;
    assert_eq!(listed[0].proposed_by, "token:ann");
    assert!(listed[0].summary.contains("50.00"), "{listed:?}");
    let done = approver
        .approve_proposal(approve())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        done.proposal.unwrap().state(),
        proto::ProposalState::Approved
    );
    let again = approver.approve_proposal(approve()).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
    let audit = proto::ListAuditRequest::default();
    let audit = approver
        .list_audit(audit)
        .await
        .unwrap()
        .into_inner()
        .records;
    let actions: Vec<(&str, &str)> = audit
        .iter()
        .map(|record| (&*record.identity, &*record.action))
        .filter(|(_, action)| *action != "refused" && *action != "approve_proposal_failed")
        .collect();
    assert_eq!(
        actions[..4],
        [
            ("token:ben", "approve_proposal"),
            ("token:ben", "dismiss_hold"),
            ("token:ben", "approve_proposal"),
            ("token:ann", "propose_dismiss_hold"),
        ],
        "{audit:?}"
    );

    // Whoever proposes does not approve, even with the role.
    world
        .import("worldpay_returns", "s.csv", returned("TR405"))
        .await;
    let hold = world.hold().await;
    let mut bens = returns(&world, ben.bearer()).await;
    let ask = proto::ResolveHoldRequest {
        hold_id: hold.hold_id,
        ..dismiss("not ours either")
    };
    let proposal_id = bens
        .resolve_hold(ask)
        .await
        .unwrap()
        .into_inner()
        .proposal_id;
    let ask = proto::ApproveProposalRequest {
        proposal_id,
        ..Default::default()
    };
    let own = approver.approve_proposal(ask).await.unwrap_err();
    assert_eq!(own.get_details_error_info().unwrap().reason, "OWN_PROPOSAL");
}
