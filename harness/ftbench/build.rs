//! Refuses to build for systems other than Linux, compiles the sampler, and rebuilds the crate when an embedded file
//! changes, which `include_dir!` alone does not notice.

use std::error::Error;
use std::path::{Path, PathBuf};
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
    if let Err(error) = compile_sampler() {
        println!("cargo::error=cannot compile {SAMPLER}: {error}; install a C compiler, or name it in CC");
        exit(1);
    }
}

const SAMPLER: &str = "embedded/sampler/sampler.c";

/// Makes the library `sampler.so`, or an empty file for processors that the sampler does not support.
fn compile_sampler() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SAMPLER}");
    let library = PathBuf::from(std::env::var("OUT_DIR")?).join("sampler.so");
    if !["x86_64", "aarch64"].contains(&std::env::var("CARGO_CFG_TARGET_ARCH")?.as_str()) {
        return Ok(std::fs::write(library, [])?);
    }
    // Fast in debug builds too, because it interrupts what is measured.
    let compiler = cc::Build::new()
        .opt_level(2)
        .debug(false)
        .pic(true)
        .warnings(true)
        .try_get_compiler()?;
    let status = compiler
        .to_command()
        .arg("-shared")
        .arg("-o")
        .arg(library)
        .arg(SAMPLER)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the compiler failed with {status}").into())
    }
}
