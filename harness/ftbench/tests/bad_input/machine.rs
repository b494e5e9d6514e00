//! Machines and environments that fail ftbench: status 3, where a wrong call has 2 and a bad answer 1.

use super::after;
use super::support::{Sandbox, told};

#[test]
fn output_that_cannot_be_written_ends_with_3_unless_its_reader_is_gone() {
    let sandbox = Sandbox::new();
    let topology = sandbox.command("topology");
    told(after("exec >/dev/full", &topology)).fails(3, &["cannot write the output", "No space left"], 1);
    let unread = told(after("exec > >(exec true); wait $!", &topology));
    unread.ends_with(0);
    assert_eq!(unread.stderr, "");
}

#[test]
fn a_cache_that_cannot_be_written_ends_with_3() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("workloads list");
    command.env("XDG_CACHE_HOME", "/proc/ftbench");
    told(command).fails(3, &["cannot write", "/proc/ftbench", "set XDG_CACHE_HOME"], 1);
}

#[test]
fn a_working_directory_that_is_gone_ends_with_3() {
    let sandbox = Sandbox::new();
    let doctor = sandbox.command("doctor");
    let words = "mkdir gone && cd gone && rmdir ../gone";
    told(after(words, &doctor)).fails(3, &["cannot tell the working directory"], 1);
}
