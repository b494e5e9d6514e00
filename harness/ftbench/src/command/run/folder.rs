//! The folder of a run.

use std::path::{Path, PathBuf};

use crate::cli::OutputOptions;
use crate::command::remark;
use crate::record::folder::RunFolder;
use crate::record::store::StoreError;
use ftbench_schema::Manifest;

/// How much of a time in RFC 3339 is date, hours, minutes and seconds, characters.
const WHOLE_SECONDS: usize = 19;

/// Creates the folder of a new run: the one that is asked for, or `results/<UTC time>-<host>`.
pub fn create(
    asked_for: Option<&Path>,
    manifest: &Manifest,
    output: OutputOptions,
) -> Result<RunFolder, StoreError> {
    let folder = match asked_for {
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

/// Warns where nothing keeps a second ftbench from writing to the folder.
pub fn warn_of_missing_lock(folder: &RunFolder, output: OutputOptions) {
    if !folder.is_locked() {
        let path = folder.path().display();
        remark(
            output,
            &format!(
                "warning: {path} is on a file system without locks, so a second ftbench is not kept from writing to it; \
                 do not resume this run while it goes on"
            ),
        );
    }
}
