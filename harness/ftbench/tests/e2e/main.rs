//! End-to-end tests of the program: what it measures, refuses, records, shows and exports, with real interpreters where
//! they are needed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot continue should panic, and one that skips a part should print why"
)]

mod support;

mod assets;
mod bad_input;
mod compare;
mod completions;
mod doctor;
mod embed;
mod explain;
mod exports;
mod faults;
mod fleet;
mod history;
mod inject_faults;
mod native;
mod own_code;
mod plot;
mod python;
mod python_install;
mod report;
mod resume;
mod run;
mod smoke;
