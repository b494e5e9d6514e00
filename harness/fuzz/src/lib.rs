//! Runs ftbench's fuzz targets by name. `harness/fuzzing` describes what each of them takes.

use std::sync::OnceLock;

/// Passes bytes to a target.
///
/// # Panics
/// Panics if there is no such target, and if the target finds an error.
pub fn run(name: &str, bytes: &[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        ftbench_fuzzing::named(name)
            .unwrap_or_else(|| panic!("there is no target {name}"))
            .run
    });
    target(bytes);
}
