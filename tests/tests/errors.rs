//! Every error carries `google.rpc.ErrorInfo`: each method of every service is called with
//! nothing, with names of things that are not there, and with enums that are not either.

use echeck_proto::returns::v1 as proto;
use echeck_tests::World;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MethodDescriptor, ReflectMessage as _, Value,
};
use proto::get_transfer_request::Key;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

/// A message in which every field has a value that names nothing; with `enums` those too.
fn nonsense(mut message: DynamicMessage, enums: bool) -> DynamicMessage {
    for field in message.descriptor().fields() {
        let value = match field.kind() {
            _ if field.is_list() || field.is_map() => continue,
            Kind::String => Value::String("nonsense".to_owned()),
            Kind::Bytes => Value::Bytes(vec![1].into()),
            Kind::Uint32 => Value::U32(7),
            Kind::Uint64 => Value::U64(7),
            Kind::Enum(_) if enums => Value::EnumNumber(99),
            Kind::Message(inner) => Value::Message(nonsense(DynamicMessage::new(inner), enums)),
            _ => continue,
        };
        message.set_field(&field, value);
    }
    message
}

/// Calls a method, and reads its answer to the end.
async fn call(
    channel: &Channel,
    method: &MethodDescriptor,
    message: DynamicMessage,
) -> Result<(), Status> {
    let service = method.parent_service().full_name().to_owned();
    let path: PathAndQuery = format!("/{service}/{}", method.name()).parse().unwrap();
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let codec = ProstCodec::<DynamicMessage, ()>::default();
    let messages = Request::new(tokio_stream::iter([message]));
    let mut answers = client.streaming(messages, path, codec).await?.into_inner();
    if method.name() == "StreamReturns" {
        // It has no end.
        return Ok(());
    }
    while answers.message().await?.is_some() {}
    Ok(())
}

/// A message with numbers that no database holds, and page tokens of such numbers.
fn extreme(mut message: DynamicMessage) -> DynamicMessage {
    for field in message.descriptor().fields() {
        let value = match field.kind() {
            Kind::Uint64 => Value::U64(u64::MAX),
            Kind::Uint32 => Value::U32(u32::MAX),
            // 9223372036854775808 as a place in a list.
            Kind::String if field.name() == "page_token" => {
                Value::String("OTIyMzM3MjAzNjg1NDc3NTgwOA".to_owned())
            }
            Kind::String => Value::String("x".to_owned()),
            _ => continue,
        };
        message.set_field(&field, value);
    }
    message
}

/// The message with one text that is far too long, for each text that it can have.
fn long_texts(message: &DynamicMessage) -> Vec<DynamicMessage> {
    let fields = message
        .descriptor()
        .fields()
        .collect::<Vec<_>>()
        .into_iter();
    let texts = fields.filter(|field| matches!(field.kind(), Kind::String) && !field.is_list());
    let with = |field| {
        let mut message = message.clone();
        message.set_field(&field, Value::String("A".repeat(3_000_000)));
        message
    };
    texts.map(with).collect()
}

/// The errors of the services whose names begin with `package`, each with its method.
async fn errors_of(
    address: std::net::SocketAddr,
    package: &str,
    messages: impl Fn(DynamicMessage) -> Vec<DynamicMessage>,
) -> Vec<(String, Status)> {
    let pool = DescriptorPool::decode(echeck_proto::DESCRIPTOR_SET).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut errors = Vec::new();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with(package));
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let empty = DynamicMessage::new(method.input());
        for message in messages(empty) {
            if let Err(status) = call(&channel, &method, message).await {
                errors.push((method.full_name().to_owned(), status));
            }
        }
    }
    errors
}

/// Nothing, and what is not there.
fn wrong(empty: DynamicMessage) -> Vec<DynamicMessage> {
    let [known, unknown] = [false, true].map(|enums| nonsense(empty.clone(), enums));
    vec![empty, known, unknown]
}

/// What is too large or too long.
fn outsized(empty: DynamicMessage) -> Vec<DynamicMessage> {
    let mut messages = long_texts(&empty);
    messages.push(extreme(empty));
    messages
}

/// Checks that each error has a reason of `domain`, and that a wrong argument names its field.
fn check(errors: &[(String, Status)], domain: &str, methods: usize) {
    for (method, status) in errors {
        let info = status.get_details_error_info();
        let info = info.unwrap_or_else(|| panic!("{method} has no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, domain, "{method}: {status:?}");
        assert!(!info.reason.is_empty(), "{method}: {status:?}");
        if status.code() == Code::InvalidArgument {
            let bad = status.get_details_bad_request();
            let fields = bad.map_or(0, |bad| bad.field_violations.len());
            assert!(fields > 0, "{method} names no field: {status:?}");
        }
    }
    let mut failed: Vec<&str> = errors.iter().map(|(method, _)| &**method).collect();
    failed.dedup();
    assert!(failed.len() >= methods, "{failed:#?}");
}

#[tokio::test]
async fn every_error_of_the_returns_service_has_a_reason() {
    let world = World::start().await;
    let errors = errors_of(world.stack.returns, "echeck.returns.", wrong).await;
    // Those that do not fail list something, or say how everything is.
    check(&errors, "echeck-returns", 30);
}

#[tokio::test]
async fn a_number_that_no_value_of_an_enum_has_is_an_invalid_argument() {
    let world = World::start().await;
    let pool = DescriptorPool::decode(echeck_proto::DESCRIPTOR_SET).unwrap();
    let endpoint = Endpoint::from_shared(world.stack.url()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("echeck.returns."));
    let mut tried = 0;
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        for field in method.input().fields() {
            if !matches!(field.kind(), Kind::Enum(_)) {
                continue;
            }
            let mut message = DynamicMessage::new(method.input());
            message.set_field(&field, Value::EnumNumber(99));
            let refused = call(&channel, &method, message).await;
            let place = format!("{} {}", method.full_name(), field.name());
            let refused = refused.expect_err(&place);
            assert_eq!(refused.code(), Code::InvalidArgument, "{place}: {refused}");
            tried += 1;
        }
    }
    assert!(tried >= 9, "{tried}");
}

#[tokio::test]
async fn every_error_of_an_adapter_has_a_reason() {
    let world = World::start().await;
    for address in [world.stack.gateway, world.stack.rallypay] {
        let errors = errors_of(address, "echeck.adapter.", wrong).await;
        check(&errors, "echeck-adapter", 2);
    }
}

#[tokio::test]
async fn an_adapter_that_is_unavailable_has_a_reason_too() {
    let mut world = World::start().await;
    let adapter = echeck::stack::Service::GatewayAdapter;
    world.stack.stop_service(adapter).await.unwrap();
    let ask = proto::GetTransferRequest {
        key: Some(Key::TransferId("TR1".to_owned())),
        ..Default::default()
    };
    let status = world.client.get_transfer(ask).await.unwrap_err();
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "ADAPTER_UNAVAILABLE");
    assert_eq!(info.metadata["database"], "gateway");
}

#[tokio::test]
async fn what_is_too_long_or_too_large_is_an_invalid_argument_and_not_repeated() {
    let world = World::start().await;
    let errors = errors_of(world.stack.returns, "echeck.returns.", outsized).await;
    check(&errors, "echeck-returns", 30);
    for (method, status) in errors {
        assert_ne!(status.code(), Code::Internal, "{method}: {status:?}");
        assert!(status.message().len() < 4_000, "{method}");
        assert!(status.details().len() < 8_000, "{method}");
    }
    let get = async |import_id: String| {
        let ask = proto::GetImportRequest { import_id };
        world.client.clone().get_import(ask).await.unwrap_err()
    };
    for length in [1_000, 100_000, 3_000_000] {
        let refused = get("i".repeat(length)).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().len() < 400, "{refused:?}");
    }
    assert_eq!(get("imp_x".to_owned()).await.code(), Code::NotFound);
    world.stack.stop().await.unwrap();
}
