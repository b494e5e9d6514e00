//! Runs ftbench's fuzz targets by name. What each takes is said in `harness/fuzzing`.

use std::sync::OnceLock;

/// Hands bytes to a target.
///
/// # Panics
/// When there is no such target, and when the target finds a fault.
pub fn run(name: &str, bytes: &[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        ftbench_fuzzing::named(name)
            .unwrap_or_else(|| panic!("there is no target {name}"))
            .run
    });
    target(bytes);
}
