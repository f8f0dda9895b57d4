//! Compiles the .proto files without a system `protoc`, and writes the descriptor set that
//! the servers offer by reflection.

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

    // Comments are wanted in the generated code, not on the wire of every reflection call.
    let mut slim = descriptors.clone();
    for file in &mut slim.file {
        file.source_code_info = None;
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), slim.encode_to_vec())?;

    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
