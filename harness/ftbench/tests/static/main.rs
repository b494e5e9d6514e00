//! Tests that need no interpreter and start no program: the library reads sources, stored runs and stored messages.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue should panic"
)]

#[path = "../e2e/support/paths.rs"]
mod paths;

mod charts;
mod listing;
mod protocol;
mod summaries;
