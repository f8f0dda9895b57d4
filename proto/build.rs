//! Compiles the .proto files without a system `protoc`, and writes the descriptor set that
//! servers offer by reflection and that the command line prints JSON by.

use std::path::PathBuf;

use prost::Message as _;

const FILES: &[&str] = &[
    "echeck/adapter/v1/adapter_service.proto",
    "echeck/returns/v1/incident_service.proto",
    "echeck/returns/v1/operations_service.proto",
    "echeck/returns/v1/returns_service.proto",
    "echeck/returns/v1/webhook_service.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=echeck");
    println!("cargo:rerun-if-changed=build.rs");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?;
    let descriptors = compiler.file_descriptor_set();

    // Our comments go along, so that `grpcurl describe` explains every field. What has no comment
    // needs no place in its source, and what is not ours is explained elsewhere.
    let mut served = descriptors.clone();
    for file in &mut served.file {
        let ours = file.package().starts_with("echeck.");
        file.source_code_info = file.source_code_info.take().filter(|_| ours);
        if let Some(source) = &mut file.source_code_info {
            source
                .location
                .retain(|place| place.leading_comments.is_some());
        }
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), served.encode_to_vec())?;

    let mut config = tonic_prost_build::Config::new();
    // The name by which a message is found in the descriptor set.
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
