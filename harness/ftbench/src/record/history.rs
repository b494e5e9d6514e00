//! Reads the runs of a history: finds their folders, and reads from each summary only what a history needs.

mod slim;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use slim::parse;

use super::store::{MANIFEST, SUMMARY};
use ftbench_schema::history::{HistoryRun, Metric, SeriesKey, SkippedFolder};
use ftbench_schema::{RunStatus, SCHEMA_VERSION};

/// Name of the index of a fleet's folder.
pub const FLEET_INDEX: &str = "fleet.json";

/// Maximum depth below the history's folder that is searched.
const MAX_DEPTH: usize = 12;
/// Maximum number of entries that are examined. A folder with more is not a folder of runs.
const MAX_ENTRIES: usize = 2_000_000;
/// Largest summary that is read, bytes: some hundred thousand cells.
const LARGEST_SUMMARY_BYTES: u64 = 256 << 20;

/// The run folders below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundRuns {
    /// The folders of runs, in the order of their paths.
    pub folders: Vec<PathBuf>,
    /// Folders that could not be searched.
    pub skipped: Vec<SkippedFolder>,
    /// Folders with an index of runs, [`FLEET_INDEX`].
    pub fleets: Vec<PathBuf>,
}

/// Finds every run folder below a folder, or the folder itself. Symbolic links are not followed, and folders inside a
/// run folder are not searched.
///
/// # Errors
/// When the folder itself cannot be listed.
pub fn find(root: &Path) -> io::Result<FoundRuns> {
    let mut found = FoundRuns::default();
    let mut entries = 0;
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let listed = match std::fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(error),
            Err(error) => {
                found.skip(root, &folder, format!("cannot be listed: {error}"));
                continue;
            }
        };
        let mut below = Vec::new();
        let mut is_run = false;
        let mut is_fleet = false;
        for entry in listed.flatten() {
            entries += 1;
            is_run |= entry.file_name() == MANIFEST || entry.file_name() == SUMMARY;
            is_fleet |= entry.file_name() == FLEET_INDEX;
            // The type of the entry itself: a symbolic link is neither file nor folder.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                below.push(entry.path());
            }
        }
        if is_fleet && !is_run {
            found.fleets.push(folder.clone());
        }
        if is_run {
            found.folders.push(folder);
        } else if depth == MAX_DEPTH && !below.is_empty() {
            let reason =
                format!("has folders deeper than {MAX_DEPTH} levels; give a folder nearer to the runs");
            found.skip(root, &folder, reason);
        } else {
            waiting.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
        if entries > MAX_ENTRIES {
            let reason = format!("has more than {MAX_ENTRIES} entries; give a folder nearer to the runs");
            found.skip(root, root, reason);
            break;
        }
    }
    found.folders.sort();
    Ok(found)
}

impl FoundRuns {
    fn skip(&mut self, root: &Path, folder: &Path, reason: String) {
        self.skipped.push(SkippedFolder {
            folder: relative_name(root, folder),
            reason,
        });
    }
}

/// The name of a folder in a history: its path relative to the history's folder.
#[must_use]
pub fn relative_name(root: &Path, folder: &Path) -> String {
    let path = folder.strip_prefix(root).unwrap_or(folder);
    if path.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        path.to_string_lossy().into_owned()
    }
}

/// Why a run is not in the history.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no summary, but one can be made.
    #[error("has no {SUMMARY}; make one with 'ftbench show RUN --format json > RUN/{SUMMARY}'")]
    NoSummary,
    /// It was not measured to its end.
    #[error("{0}; 'ftbench show' shows what was measured")]
    Unfinished(&'static str),
    /// The file cannot be read.
    #[error("{SUMMARY} cannot be read: {0}")]
    Read(io::Error),
    /// The file is larger than any summary.
    #[error("{SUMMARY} has {0} MiB, more than any summary")]
    TooLarge(u64),
    /// The summary is damaged.
    #[error("{SUMMARY} is damaged: {0}; regenerate it with 'ftbench show RUN --format json > RUN/{SUMMARY}'")]
    Damaged(serde_json::Error),
    /// A later ftbench wrote it.
    #[error("has format {0}; this ftbench reads up to {SCHEMA_VERSION}: use a newer ftbench")]
    TooNew(u64),
}

/// The keys of all runs, each stored once.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<SeriesKey, Arc<SeriesKey>>>);

impl Keys {
    fn shared(&self, keys: Vec<SeriesKey>) -> Vec<Arc<SeriesKey>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter()
            .map(|key| {
                if let Some(shared) = known.get(&key) {
                    return Arc::clone(shared);
                }
                let shared = Arc::new(key.clone());
                known.insert(key, Arc::clone(&shared));
                shared
            })
            .collect()
    }
}

/// Reads one run of a history; `name` is the name of its folder, see [`relative_name`].
///
/// # Errors
/// When the run is skipped, with the reason.
pub fn read(folder: &Path, name: &str, metric: Metric, keys: &Keys) -> Result<HistoryRun, ReadError> {
    let path = folder.join(SUMMARY);
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::NoSummary),
        Err(error) => return Err(ReadError::Read(error)),
    };
    if !metadata.is_file() {
        return Err(ReadError::Read(io::ErrorKind::InvalidInput.into()));
    }
    if metadata.len() > LARGEST_SUMMARY_BYTES {
        return Err(ReadError::TooLarge(metadata.len() >> 20));
    }
    let bytes = std::fs::read(&path).map_err(ReadError::Read)?;
    parse(&bytes, name, metric, keys)
}

/// How an unfinished run ended; `None` for a complete one. An unfinished run is not compared with others, because any
/// part of it may be missing.
#[must_use]
pub const fn unfinished(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Complete => None,
        RunStatus::Interrupted => Some("was interrupted"),
        RunStatus::Running => Some("did not end"),
    }
}
