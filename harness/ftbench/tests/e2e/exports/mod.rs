//! `ftbench export` and `ftbench import` against the tools whose formats these are: pyperf and asv from the Python index,
//! in a virtual environment in ftbench's cache folder.

mod asv;
mod import;
mod nightly;
mod others;
mod pyperf;
mod tools;
mod workflows;

use std::path::PathBuf;

use crate::support::Sandbox;
use crate::support::paths::two_cores;

/// The run that the golden charts are of, in the folder `run` of a sandbox.
struct Golden {
    sandbox: Sandbox,
}

impl Golden {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let source = two_cores();
        for name in ["run.json", "trials.jsonl"] {
            sandbox.file(&format!("run/{name}"), std::fs::read(source.join(name)).unwrap());
        }
        Self { sandbox }
    }

    /// What `ftbench export run` with these words writes to standard output.
    fn export(&self, words: &str) -> String {
        let told = self.sandbox.ftbench(&format!("export run {words}"));
        told.ends_with(0);
        told.stdout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }
}
