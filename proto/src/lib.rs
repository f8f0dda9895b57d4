#![doc = include_str!("../README.md")]

pub mod timestamp;

/// The contract between the returns service and the adapters.
pub mod adapter {
    /// The version of the contract that this code speaks. It changes with what a message means.
    pub const CONTRACT_VERSION: u32 = 1;

    /// Version 1.
    #[allow(
        missing_docs,
        clippy::all,
        reason = "generated from the documented .proto files"
    )]
    pub mod v1 {
        tonic::include_proto!("echeck.adapter.v1");
    }
}

/// What internal services, the Rails app and engineers call.
pub mod returns {
    /// Version 1.
    #[allow(
        missing_docs,
        clippy::all,
        reason = "generated from the documented .proto files"
    )]
    pub mod v1 {
        tonic::include_proto!("echeck.returns.v1");
    }
}

/// Every message and service of this crate with its comments: an encoded `FileDescriptorSet`,
/// for gRPC reflection and for JSON.
pub const DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("descriptor");

#[cfg(test)]
mod tests;
