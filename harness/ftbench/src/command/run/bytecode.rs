//! The worker's bytecode. Trials write none, so each would have to compile the worker's modules, which takes longer than
//! starting Python does.

use std::collections::BTreeSet;
use std::process::Command;

use crate::interpreter::PROBE_TIME_LIMIT;
use crate::process::bounded;
use ftbench_schema::Manifest;

/// Compiles the worker with each interpreter of the run, unless that has been done. Where it fails, as in a cache that
/// cannot be written, trials compile it.
pub(super) fn compile(manifest: &Manifest) {
    let Some(worker) = manifest.environment.get("PYTHONPATH") else {
        return;
    };
    let paths: BTreeSet<&str> = manifest
        .interpreters
        .iter()
        .map(|interpreter| interpreter.path.as_str())
        .collect();
    for path in paths {
        let mut command = Command::new(path);
        command
            .args(["-s", "-m", "compileall", "-q", worker])
            .env_clear()
            .envs(&manifest.environment);
        let _ = bounded::run(&mut command, PROBE_TIME_LIMIT);
    }
}
