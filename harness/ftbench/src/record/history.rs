//! Reads the runs of a history: finds their folders and takes from each summary the little that a history needs.

mod slim;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use slim::parse;

use super::store::{MANIFEST, SUMMARY};
use ftbench_schema::history::{HistoryRun, Metric, PassedOver, SeriesKey};
use ftbench_schema::{RunStatus, SCHEMA_VERSION};

/// Folders deeper than this below the history's are not looked into.
const DEEPEST: usize = 12;
/// More entries than this are not looked at: the folder is not one of runs.
const MOST_ENTRIES: usize = 2_000_000;
/// Largest summary that is read, bytes: some hundred thousand cells.
const LARGEST_SUMMARY_BYTES: u64 = 256 << 20;

/// What was found below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The folders of runs, in the order of their paths.
    pub folders: Vec<PathBuf>,
    /// What could not be looked into.
    pub passed_over: Vec<PassedOver>,
}

/// Finds every run folder below a folder, or the folder itself. Symbolic links are not followed, and folders inside a
/// run's are not looked into.
///
/// # Errors
/// When the folder itself cannot be listed.
pub fn find(root: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let mut entries = 0;
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let listed = match std::fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(error),
            Err(error) => {
                found.pass_over(root, &folder, format!("cannot be listed: {error}"));
                continue;
            }
        };
        let mut below = Vec::new();
        let mut is_run = false;
        for entry in listed.flatten() {
            entries += 1;
            is_run |= entry.file_name() == MANIFEST || entry.file_name() == SUMMARY;
            // The entry's own type: that of a symbolic link is neither file nor folder.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                below.push(entry.path());
            }
        }
        if is_run {
            found.folders.push(folder);
        } else if depth == DEEPEST && !below.is_empty() {
            let reason = format!("has folders deeper than {DEEPEST}: give a folder nearer to the runs");
            found.pass_over(root, &folder, reason);
        } else {
            waiting.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
        if entries > MOST_ENTRIES {
            let reason = format!("has more than {MOST_ENTRIES} entries: give a folder nearer to the runs");
            found.pass_over(root, root, reason);
            break;
        }
    }
    found.folders.sort();
    Ok(found)
}

impl Found {
    fn pass_over(&mut self, root: &Path, folder: &Path, reason: String) {
        self.passed_over.push(PassedOver {
            folder: below(root, folder),
            reason,
        });
    }
}

/// How a folder is called in a history: its path below the history's.
#[must_use]
pub fn below(root: &Path, folder: &Path) -> String {
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
    /// It has no summary; it can be made.
    #[error("has no {SUMMARY}; make one with 'ftbench show RUN --format json > RUN/{SUMMARY}'")]
    NoSummary,
    /// It was not measured to its end.
    #[error("{0}; 'ftbench show' tells what was measured")]
    Unfinished(&'static str),
    /// The file cannot be read.
    #[error("{SUMMARY} cannot be read: {0}")]
    Read(io::Error),
    /// The file is larger than any summary.
    #[error("{SUMMARY} has {0} MiB, more than any summary")]
    TooLarge(u64),
    /// It is not what it should be.
    #[error("{SUMMARY} is damaged: {0}; make it again with 'ftbench show RUN --format json > RUN/{SUMMARY}'")]
    Damaged(serde_json::Error),
    /// A later ftbench wrote it.
    #[error("has format {0}; this ftbench reads up to {SCHEMA_VERSION}: use a newer ftbench")]
    TooNew(u64),
}

/// The keys of all runs, each kept once.
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

/// Reads one run of a history; `name` is what [`below`] calls its folder.
///
/// # Errors
/// Says why the run is passed over.
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

/// How a run ended that was not measured to its end; it is no run among others, for it may be anything. `None` for one
/// that was.
#[must_use]
pub const fn unfinished(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Complete => None,
        RunStatus::Interrupted => Some("was interrupted"),
        RunStatus::Running => Some("did not end"),
    }
}
