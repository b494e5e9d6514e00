//! The program from outside: what it measures, refuses, keeps, shows and exports, on real interpreters where it needs some.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop, and one that shows less than it could should say why"
)]

mod support;

mod bad_input;
mod compare;
mod doctor;
mod embed;
mod exports;
mod faults;
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
mod worker;
