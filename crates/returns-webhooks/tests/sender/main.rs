//! The sender against real receivers.

mod canary;
mod endings;
mod lanes;
mod owners;
mod receivers;
mod world;
