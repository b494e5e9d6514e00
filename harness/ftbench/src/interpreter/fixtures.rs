//! Fixtures for tests: facts of interpreters, and shell scripts that answer the probe.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Found, FoundInterpreter, Source};
use crate::file_tree::write_in;
use ftbench_fixtures::interpreters::facts;
use ftbench_schema::{GilState, Stage, Version};

/// An interpreter that was found in pyenv's folder.
pub(crate) fn found_one(full_tag: &str) -> FoundInterpreter {
    let facts = facts(full_tag);
    FoundInterpreter {
        version: facts.version.parse().unwrap(),
        facts,
        source: Source::Pyenv,
        given_as: Vec::new(),
    }
}

/// Interpreters with these full tags, found in pyenv's folder.
pub(crate) fn found(full_tags: &[&str]) -> Found {
    Found::new(full_tags.iter().map(|tag| found_one(tag)).collect(), Vec::new())
}

/// A shell script that answers the probe as a build with this full tag would.
pub(crate) fn answering(full_tag: &str) -> String {
    let facts = facts(full_tag);
    let version: Version = facts.version.parse().unwrap();
    let (level, serial) = match version.stage {
        Stage::Alpha(serial) => ("alpha", serial),
        Stage::Beta(serial) => ("beta", serial),
        Stage::Candidate(serial) => ("candidate", serial),
        Stage::Final => ("final", 0),
    };
    let answer = json!({
        "implementation": facts.implementation.to_string(),
        "version": [version.major, version.minor, version.patch, level, serial],
        "gil_enabled": facts.gil == GilState::On,
        "configuration": {
            "Py_GIL_DISABLED": u8::from(facts.free_threaded), "Py_DEBUG": u8::from(facts.build.debug)
        },
    });
    format!("echo 'ftbench-probe {answer}'")
}

/// A temporary folder with files in it, deleted when dropped.
pub(crate) struct Folder {
    _kept: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let path = kept.path().canonicalize().unwrap();
        Self { _kept: kept, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that is not executable, and makes its parent folders.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        write_in(self.path(), name, text)
    }

    /// Writes an executable shell script.
    pub(crate) fn script(&self, name: &str, commands: &str) -> PathBuf {
        let path = self.file(name, &format!("#!/bin/sh\n{commands}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Makes a symbolic link to `target`.
    pub(crate) fn link(&self, name: &str, target: &Path) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        path
    }
}
