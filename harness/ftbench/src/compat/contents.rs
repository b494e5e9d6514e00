//! What the packages of an environment contain.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::wheel::{Tags, Target};
use crate::process::bounded;
use crate::workload::normalised;
use ftbench_schema::Distribution;

/// The program that describes the packages of the Python that runs it.
const PROGRAM: &str = include_str!("installed.py");

/// How long it may take.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Contents {
    /// Its name, as it writes it.
    name: String,
    /// Modules that no other module contains.
    pub modules: Vec<String>,
    /// All of its modules.
    pub all_modules: Vec<String>,
    /// Extension modules for other builds.
    pub foreign_extensions: Vec<String>,
    /// What it declares about free threading.
    pub classifier: Option<String>,
    /// Where bugs are reported.
    pub tracker: Option<String>,
    /// The tags of the installed wheel.
    tags: Vec<String>,
}

/// Why the packages of an environment are not known.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the packages in the environment of {}: {reason}; remove it and repeat", python.display())]
pub struct ContentsError {
    python: std::path::PathBuf,
    reason: String,
}

impl Contents {
    /// The packages of an environment.
    ///
    /// # Errors
    /// When its Python does not list them.
    pub fn of(python: &Path) -> Result<Vec<Self>, ContentsError> {
        let failed = |reason: String| ContentsError {
            python: python.to_owned(),
            reason,
        };
        let path = tempfile::NamedTempFile::new().map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(python);
        command.args(["-I", "-c", PROGRAM]);
        command.arg(path.path());
        let ended = bounded::run_guarded(&command, TIME_LIMIT, &|| false)
            .map_err(|error| failed(error.to_string()))?;
        let listed = std::fs::read(path.path()).and_then(|text| Ok(serde_json::from_slice(&text)?));
        listed.map_err(|error: io::Error| {
            let printed = String::from_utf8_lossy(&ended.errors);
            let last = printed.lines().next_back();
            failed(last.map_or_else(|| error.to_string(), str::to_owned))
        })
    }

    /// Its name, normalised.
    pub fn normalised_name(&self) -> String {
        normalised(&self.name)
    }

    /// What the installed wheel is for this build, by its own tags.
    pub fn distribution(&self, target: Target) -> Option<Distribution> {
        let files = self.tags.iter().map(|tag| format!("name-0-{tag}.whl"));
        files
            .filter_map(|file| target.distribution(&Tags::of_file(&file)?))
            .min()
    }
}
