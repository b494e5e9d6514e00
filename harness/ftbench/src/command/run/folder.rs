//! Creates the folder of a run.

use std::path::{Path, PathBuf};

use crate::cli::OutputOptions;
use crate::command::remark;
use crate::record::folder::RunFolder;
use crate::record::store::StoreError;
use ftbench_schema::Manifest;

/// The length of a time in RFC 3339 up to and including whole seconds, characters.
const WHOLE_SECONDS: usize = 19;

/// Creates the folder of a new run: the requested one, or `results/<UTC time>-<host>`.
pub fn create(
    requested: Option<&Path>,
    manifest: &Manifest,
    output: OutputOptions,
) -> Result<RunFolder, StoreError> {
    let folder = match requested {
        Some(path) => RunFolder::create(path)?,
        None => RunFolder::create_new(&default_path(manifest))?,
    };
    warn_of_missing_lock(&folder, output);
    Ok(folder)
}

fn default_path(manifest: &Manifest) -> PathBuf {
    let time: String = manifest.started_at.chars().take(WHOLE_SECONDS).collect();
    let host = manifest
        .machine
        .hostname
        .replace(|char: char| !char.is_ascii_alphanumeric() && char != '-', "-");
    Path::new("results").join(format!("{}Z-{host}", time.replace(':', "-")))
}

/// Warns if the folder is not locked against a second ftbench.
pub fn warn_of_missing_lock(folder: &RunFolder, output: OutputOptions) {
    if !folder.is_locked() {
        let path = folder.path().display();
        remark(
            output,
            &format!(
                "warning: {path} is on a file system without locks, so a second ftbench could write to it; do not \
                 resume this run while it is running"
            ),
        );
    }
}
