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
    while answers.message().await?.is_some() {}
    Ok(())
}

/// The errors of the services whose names begin with `package`, each with its method.
async fn errors_of(address: std::net::SocketAddr, package: &str) -> Vec<(String, Status)> {
    let pool = DescriptorPool::decode(echeck_proto::DESCRIPTOR_SET).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut errors = Vec::new();
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with(package));
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let empty = DynamicMessage::new(method.input());
        for message in [
            empty.clone(),
            nonsense(empty.clone(), false),
            nonsense(empty, true),
        ] {
            if let Err(status) = call(&channel, &method, message).await {
                errors.push((method.full_name().to_owned(), status));
            }
        }
    }
    errors
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
    let errors = errors_of(world.stack.returns, "echeck.returns.").await;
    // Those that do not fail list something, or say how everything is.
    check(&errors, "echeck-returns", 30);
}

#[tokio::test]
async fn every_error_of_an_adapter_has_a_reason() {
    let world = World::start().await;
    for address in [world.stack.gateway, world.stack.rallypay] {
        let errors = errors_of(address, "echeck.adapter.").await;
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
