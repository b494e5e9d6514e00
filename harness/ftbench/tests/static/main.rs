//! What needs no interpreter and starts no program: sources, stored runs and stored messages, read by the library.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

#[path = "../e2e/support/paths.rs"]
mod paths;

mod charts;
mod listing;
mod protocol;
mod summaries;
