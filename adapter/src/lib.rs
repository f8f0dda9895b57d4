//! What every adapter shares: the gRPC surface, the cursor that lives in the target
//! database, the batch apply, and the SQL dialects. It knows no returns rules and no
//! column of a target: those belong to the [`mapping::Plan`] of each adapter.

pub mod apply;
pub mod batch;
pub mod check;
pub mod command;
pub mod config;
pub mod cursor;
pub mod dialect;
pub mod identifier;
pub mod mapping;
pub mod progress;
pub mod row;
pub mod schema;
pub mod serve;
pub mod service;
pub mod status;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timestamp;
