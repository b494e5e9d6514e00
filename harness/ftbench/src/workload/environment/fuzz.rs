//! Entry points for `ftbench-fuzzing`.

use std::collections::BTreeSet;
use std::path::Path;

use super::complaint::complaint;
use super::lock::Lock;
use super::{Record, Wanted};
use ftbench_schema::{BuildFacts, GilState, Implementation, InterpreterFacts, PackageFacts, RuntimeFacts};

/// Summarises in a line what an installer printed before it failed.
pub fn installer_output(output: &str) {
    let wanted = Wanted {
        interpreter: InterpreterFacts {
            tag: "3.13t".to_owned(),
            path: String::new(),
            version: "3.13.15".to_owned(),
            implementation: Implementation::CPython,
            free_threaded: true,
            gil: GilState::Off,
            jit: None,
            switches: Vec::new(),
            build: BuildFacts {
                pgo: false,
                lto: false,
                jit: false,
                tail_calls: false,
                debug: false,
                shared: false,
                compiler: String::new(),
                optimisation: String::new(),
            },
            runtime: RuntimeFacts::default(),
            identity: None,
        },
        requirements: ["numpy"]
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect::<BTreeSet<_>>(),
        lock: None,
        source_builds: false,
        independently: false,
        hashes: BTreeSet::new(),
    };
    let summary = complaint(output, &wanted);
    assert!(!summary.is_empty() && !summary.contains('\n'), "{summary:?}");
}

/// Parses a lock file and checks whether it pins requirements.
pub fn lock_file(text: &str) {
    let script = Path::new("/workload.py");
    if let Ok(lock) = Lock::new(script, Path::new("/workload.py.lock"), text) {
        let own: Vec<_> = ["numpy>=2", "six"]
            .iter()
            .filter_map(|word| word.parse().ok())
            .collect();
        if let Err(error) = lock.covers(&own) {
            assert!(error.to_string().contains("uv lock"));
        }
    }
}

/// Parses the list of packages that an environment's Python prints, and an environment's record.
pub fn packages(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Vec<PackageFacts>>(bytes);
    let _ = serde_json::from_slice::<Record>(bytes);
}
