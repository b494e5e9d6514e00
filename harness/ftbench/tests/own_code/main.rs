//! The user's own code: packages that are installed for it, functions measured as they are, and a file to start from.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

#[path = "../support/mod.rs"]
mod support;

mod arms;
mod callables;
mod environments;
mod failures;
mod new;
mod workshop;
