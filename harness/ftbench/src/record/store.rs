//! Reads run folders, and writes their files.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

pub use super::error::{StoreError, similar_folders};
use super::line;
pub use super::line::Checksums;
use super::lines::{Damage, Lines};
pub use super::trials_file::TrialsFile;
use crate::outside;
use ftbench_schema::{Manifest, SCHEMA_VERSION, Summary, Trial, Warning, WarningKind};

/// Name of the manifest.
pub const MANIFEST: &str = "run.json";
/// Name of the record of all trials; a compressed one has `.gz` appended.
pub const TRIALS: &str = "trials.jsonl";
/// Name of the tidy table of samples.
pub const SAMPLES: &str = "samples.csv";
/// Name of the analysis.
pub const SUMMARY: &str = "summary.json";
/// Name of the page that describes a run.
pub const REPORT: &str = "report.html";
/// Name of the folder of charts.
pub const CHARTS: &str = "charts";

/// Prefix of the names of files that are still being written.
pub(crate) const STAGING_PREFIX: &str = ".ftbench-";

/// Largest manifest that is read, bytes.
const LARGEST_MANIFEST_BYTES: u64 = 64 << 20;

/// Largest stored analysis that is read, bytes: some 50,000 cells.
const LARGEST_SUMMARY_BYTES: u64 = 256 << 20;

/// Writes a file of a run folder, whole or not at all; folders in `name` are made. A run folder may come from an
/// untrusted source, so links and special files in it are left alone, and nothing outside the folder is written to.
///
/// # Errors
/// When it cannot be written, or would be written elsewhere.
pub fn write_inside(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = folder.join(name);
    check_inside(folder, &path)?;
    write_bytes(&path, bytes)
}

/// Checks that a file of a run folder can be written without leaving the folder.
pub(super) fn check_inside(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let is = |path: &Path, fits: fn(&std::fs::Metadata) -> bool| {
        // What does not exist yet will be made.
        std::fs::symlink_metadata(path).map_or(true, |metadata| fits(&metadata))
    };
    if !is(path, std::fs::Metadata::is_file) {
        return Err(StoreError::NotRegular(path.to_owned()));
    }
    let mut between = path.ancestors().skip(1).take_while(|above| *above != folder);
    match between.find(|above| !is(above, std::fs::Metadata::is_dir)) {
        Some(above) => Err(StoreError::NotRegular(above.to_owned())),
        None => Ok(()),
    }
}

/// Writes a file, whole or not at all; the folders above it are made. An existing path that is not a regular file, such
/// as `/dev/stdout` or a pipe, is written to and stays what it is.
///
/// # Errors
/// When it cannot be written; what was there before is still there.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_atomically(path, bytes).map_err(|source| StoreError::Write {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Renaming over a device would replace it with a regular file for the whole machine.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let folder = outside::folder_above(path);
    std::fs::create_dir_all(folder)?;
    let mut staging = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempfile_in(folder)?;
    staging.write_all(bytes)?;
    publish(staging, path)
}

/// Gives a temporary file in the same folder its name, for every user who may read the folder.
pub(crate) fn publish(staging: NamedTempFile, path: &Path) -> io::Result<()> {
    staging.as_file().sync_all()?;
    // Only its owner can read a temporary file.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    staging.as_file().set_permissions(readable)?;
    staging.persist(path)?;
    File::open(outside::folder_above(path))?.sync_all()
}

/// The contents of a run folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name of the folder.
    pub name: String,
    /// What was requested, and how the run went.
    pub manifest: Manifest,
    /// Every trial that was recorded, in order.
    pub trials: Vec<Trial>,
}

/// Reads a run folder. Damage to its record costs only the damaged lines, and is reported among the manifest's
/// warnings.
///
/// # Errors
/// When there is no run, or its manifest cannot be read.
pub fn read(path: &Path) -> Result<Run, StoreError> {
    read_run(read_header(path)?, &open_trials(path)?)
}

/// Reads a run whose header was read and whose record is open.
///
/// # Errors
/// When the record cannot be read.
pub fn read_run(header: Header, trials: &TrialsFile) -> Result<Run, StoreError> {
    let Header { name, mut manifest } = header;
    let RecordedTrials { trials, warnings } = trials_in(trials, checksums(&manifest))?;
    manifest.warnings.extend(warnings);
    Ok(Run {
        name,
        manifest,
        trials,
    })
}

impl Run {
    /// The damage of the record, for commands that show no other warnings.
    pub fn damage(&self) -> impl Iterator<Item = &str> {
        damage(&self.manifest.warnings)
    }
}

/// The messages of those warnings that are about damaged records.
pub fn damage(warnings: &[Warning]) -> impl Iterator<Item = &str> {
    warnings
        .iter()
        .filter(|warning| warning.kind == WarningKind::DamagedRecord)
        .map(|warning| warning.message.as_str())
}

/// Whether a run's record must have checksums. Earlier versions of ftbench, which wrote none, recorded no sessions
/// either.
#[must_use]
pub fn checksums(manifest: &Manifest) -> Checksums {
    let sessions = &manifest.sessions;
    if !sessions.is_empty() && sessions.iter().all(|session| session.checksums) {
        Checksums::Required
    } else {
        Checksums::Optional
    }
}

/// The name and manifest of a run folder, without its trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Name of the folder.
    pub name: String,
    /// What was requested, and how the run went.
    pub manifest: Manifest,
}

/// Reads a run folder's manifest.
///
/// # Errors
/// When it cannot be read.
pub fn read_header(path: &Path) -> Result<Header, StoreError> {
    let manifest_path = path.join(MANIFEST);
    let unreadable = |source| StoreError::unreadable(&manifest_path, source);
    let bytes = outside::read(&manifest_path, LARGEST_MANIFEST_BYTES).map_err(unreadable)?;
    let manifest = parse(&bytes, &manifest_path)?;
    let name = path.canonicalize().map_err(unreadable)?;
    let name = name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Header { name, manifest })
}

/// Opens a run folder's record, plain or compressed.
///
/// # Errors
/// When there is none that can be read.
pub fn open_trials(path: &Path) -> Result<TrialsFile, StoreError> {
    open_record(&path.join(TRIALS))
}

fn open_record(path: &Path) -> Result<TrialsFile, StoreError> {
    TrialsFile::open(path).map_err(|source| StoreError::unreadable(path, source))
}

/// The analysis that a run folder holds; `None` when none can be read, because it can be made again.
#[must_use]
pub fn stored_summary(path: &Path) -> Option<Summary> {
    let path = path.join(SUMMARY);
    let bytes = outside::read(&path, LARGEST_SUMMARY_BYTES).ok()?;
    parse(&bytes, &path).ok()
}

/// The trials of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedTrials {
    /// Every trial that can be read, once, in the order of the file.
    pub trials: Vec<Trial>,
    /// What is wrong with the record; empty when it is as it was written.
    pub warnings: Vec<Warning>,
}

/// Reads the trials of a record, plain or compressed. A damaged line costs only itself.
///
/// # Errors
/// When the file cannot be read.
pub fn read_trials(path: &Path, checksums: Checksums) -> Result<RecordedTrials, StoreError> {
    trials_in(&open_record(path)?, checksums)
}

fn trials_in(file: &TrialsFile, checksums: Checksums) -> Result<RecordedTrials, StoreError> {
    let unreadable = |source| StoreError::unreadable(file.path(), source);
    let mut lines = Lines::of(file);
    let mut damage = Damage::default();
    let mut seen = HashSet::new();
    let mut trials = Vec::new();
    while let Some(raw) = lines.next().map_err(unreadable)? {
        let decoded = raw.bytes.map(|bytes| line::decode::<Trial>(bytes, checksums));
        for (_, trial) in damage.intact_entries(raw, decoded) {
            if seen.insert(trial.trial) {
                trials.push(trial);
            } else {
                damage.note_repeated(trial.trial);
            }
        }
    }
    Ok(RecordedTrials {
        trials,
        warnings: damage.warnings(file).map_err(unreadable)?,
    })
}

pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T, StoreError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u64,
    }
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let version: Version = serde_json::from_slice(bytes).map_err(damaged)?;
    if version.schema > u64::from(SCHEMA_VERSION) {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found: version.schema,
        });
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::FileTypeExt;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn links_in_a_run_folder_are_not_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let [run, other] = ["run", "other"].map(|name| folder.path().join(name));
        for path in [&run, &other] {
            std::fs::create_dir(path).unwrap();
        }
        let secret = other.join("secret");
        std::fs::write(&secret, "mine").unwrap();
        symlink(&secret, run.join(REPORT)).unwrap();
        symlink(&other, run.join(CHARTS)).unwrap();
        for name in [
            REPORT.to_owned(),
            format!("{CHARTS}/secret"),
            format!("{CHARTS}/new"),
        ] {
            let error = write_inside(&run, &name, b"theirs").unwrap_err();
            assert!(matches!(error, StoreError::NotRegular(_)), "{error}");
        }
        assert_eq!(std::fs::read(&secret).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
        write_inside(&run, "more/of/it.svg", b"picture").unwrap();
        write_inside(&run, "more/of/it.svg", b"again").unwrap();
        assert_eq!(std::fs::read(run.join("more/of/it.svg")).unwrap(), b"again");
    }

    #[test]
    fn a_manifest_that_is_not_a_file_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let pipe = read_header(folder.path()).unwrap_err().to_string();
        assert!(pipe.contains("run.json: not a regular file"), "{pipe}");
        std::fs::remove_file(&path).unwrap();
        let file = File::create(&path).unwrap();
        file.set_len(LARGEST_MANIFEST_BYTES + 1).unwrap();
        let large = read_header(folder.path()).unwrap_err().to_string();
        assert!(large.contains("65536 KiB"), "{large}");
    }

    #[test]
    fn special_files_are_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        write_bytes(&pipe, b"report").unwrap();
        assert_eq!(reader.join().unwrap(), b"report");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(write_bytes(folder.path(), b"report").is_err());
        assert!(folder.path().is_dir());
    }
}
