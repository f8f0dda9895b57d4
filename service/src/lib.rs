//! What every service needs once: the clock, configuration, telemetry, and a gRPC server with
//! health, reflection, deadlines and a bounded drain. Nothing here knows what a payment is.

pub mod clock;
pub mod config;
pub mod server;
pub mod shutdown;
pub mod telemetry;
