//! Refuses to build for systems other than Linux, and rebuilds the crate when an embedded file changes, which
//! `include_dir!` alone does not notice.

use std::path::Path;
use std::process::exit;

fn main() {
    // The system of the target, not of the building machine. Checked here rather than in the sources, so that nothing
    // is compiled and this is the only error.
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if system != "linux" {
        println!(
            "cargo::error=ftbench runs on Linux only, and this build is for {system}: it binds threads and reads clocks, \
             noise and costs through Linux's own interfaces. Build it on Linux, in a virtual machine or in WSL 2"
        );
        exit(1);
    }
    for name in ["worker", "workloads"] {
        let link = Path::new("embedded").join(name);
        // Cargo looks at the time of a link, not of its target.
        let folder = link.canonicalize().unwrap_or(link);
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}
