#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

pub mod adoption;
pub mod audit;
pub mod check;
pub mod delivery;
pub mod dishonor;
pub mod endpoint;
pub mod event;
pub mod follower;
pub mod hold;
pub mod ids;
pub mod import;
pub mod incident;
pub mod job;
pub mod journal;
pub mod keyring;
pub mod plan;
pub mod proposal;
pub mod report;
pub mod run_outcome;
pub mod settlement;
