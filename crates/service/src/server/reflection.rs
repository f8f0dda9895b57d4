//! Reflection, by which grpcurl and its like learn what a server offers.

use tonic::service::RoutesBuilder;
use tonic_reflection::server::{Builder, Error};

/// Adds both versions of reflection, as older clients know only v1alpha. Lists `services` and
/// those that every server has, not every service there is a contract for.
pub(super) fn add(routes: &mut RoutesBuilder, services: &[&'static str]) -> Result<(), Error> {
    routes.add_service(builder(services).build_v1()?);
    routes.add_service(builder(services).build_v1alpha()?);
    Ok(())
}

fn builder(services: &[&'static str]) -> Builder<'static> {
    const OF_EVERY_SERVER: [&str; 3] = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let start = Builder::configure()
        .register_encoded_file_descriptor_set(echeck_proto::DESCRIPTOR_SET)
        // The details of errors, so that grpcurl shows them decoded.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
    services
        .iter()
        .chain(&OF_EVERY_SERVER)
        .fold(start, |builder, name| builder.with_service_name(*name))
}
