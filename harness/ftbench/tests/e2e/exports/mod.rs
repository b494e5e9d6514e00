//! `ftbench export` and `ftbench import`, tested with the tools that own the formats: pyperf and asv from the Python
//! index, in a virtual environment in ftbench's cache folder.

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

/// The run of the golden charts, in the folder `run` of a sandbox.
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

    /// Runs `ftbench export run` with these options and returns its standard output.
    fn export(&self, words: &str) -> String {
        let output = self.sandbox.ftbench(&format!("export run {words}"));
        output.exits_with(0);
        output.stdout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }
}
