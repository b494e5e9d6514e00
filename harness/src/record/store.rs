//! The only part that writes or reads a run folder.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::{Manifest, SCHEMA_VERSION, Summary, Trial};
use crate::outside;

/// Name of the manifest.
pub const MANIFEST: &str = "run.json";
/// Name of the record of truth.
pub const TRIALS: &str = "trials.jsonl";
/// Name of the tidy table of samples.
pub const SAMPLES: &str = "samples.csv";
/// Name of the analysis.
pub const SUMMARY: &str = "summary.json";
/// Name of the page that tells of a run.
pub const REPORT: &str = "report.html";
/// Name of the folder of charts.
pub const CHARTS: &str = "charts";

/// Space that must be free before a run starts, bytes: a large run's records and charts.
const NEEDED_BYTES: u64 = 64 << 20;

/// Largest manifest that is read, bytes.
const LARGEST_MANIFEST_BYTES: u64 = 64 << 20;

/// Largest stored analysis that is read, bytes: some 50,000 cells.
const LARGEST_SUMMARY_BYTES: u64 = 256 << 20;

/// What went wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It holds something already.
    #[error("{} exists and is not empty; choose another --out, for a run is never overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}: {source}; choose another --out, or make room", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has no room for a run.
    #[error("only {free_mib} MiB are free for {}; a run needs {} MiB: make room, or choose another --out", path.display(), NEEDED_BYTES >> 20)]
    Full {
        /// The folder.
        path: PathBuf,
        /// What is free, MiB.
        free_mib: u64,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}; give the folder that 'ftbench run' wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link or a device stands where a file of the folder is to be written.
    #[error("{} is no plain file or folder of the run's own, so nothing is written there; remove it, or give --out", .0.display())]
    Elsewhere(PathBuf),
    /// A line or a file is not what it should be.
    #[error("{}{} is damaged: {reason}", path.display(), line.map(|line| format!(" line {line}")).unwrap_or_default())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// A later ftbench wrote it.
    #[error("{} has format {found}; this ftbench reads up to {SCHEMA_VERSION}: use a newer ftbench", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

/// A run folder that is being written.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    trials: File,
}

impl RunFolder {
    /// Makes the folder, which must not exist or be empty, and checks that there is room.
    ///
    /// # Errors
    /// Says why a run cannot be kept there.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Write {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(StoreError::NotEmpty(path.to_owned()));
        }
        let space = rustix::fs::statvfs(path).map_err(|errno| failed(errno.into()))?;
        let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
        if free_bytes < NEEDED_BYTES {
            return Err(StoreError::Full {
                path: path.to_owned(),
                free_mib: free_bytes >> 20,
            });
        }
        let trials_path = path.join(TRIALS);
        let trials = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&trials_path)
            .map_err(|source| StoreError::Write {
                path: trials_path,
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            trials,
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// When it cannot be written; the earlier one is still there.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), StoreError> {
        self.write_json(MANIFEST, manifest)
    }

    /// Appends a trial and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; earlier trials are still there.
    pub fn append(&mut self, trial: &Trial) -> Result<(), StoreError> {
        let failed = |source| StoreError::Write {
            path: self.path.join(TRIALS),
            source,
        };
        let mut line = serde_json::to_vec(trial).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.trials.write_all(&line).map_err(failed)?;
        self.trials.sync_data().map_err(failed)
    }

    /// Writes a value as JSON for people to read, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| StoreError::Write {
            path: path.clone(),
            source: error.into(),
        })?;
        bytes.push(b'\n');
        self.write_bytes(name, &bytes)
    }

    /// Writes a file of the folder, whole or not at all; folders in `name` are made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_inside(&self.path, name, bytes)
    }
}

/// Writes a file of a run folder, whole or not at all; folders in `name` are made. A run folder may come from somebody
/// else: what is a link in it, or no plain file, is left alone, so that nothing outside the folder is written to.
///
/// # Errors
/// When it cannot be written, or would be written elsewhere.
pub fn write_inside(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = folder.join(name);
    let between = path.ancestors().skip(1).take_while(|above| *above != folder);
    let is = |path: &Path, fits: fn(&std::fs::Metadata) -> bool| {
        // What is not there yet is made.
        std::fs::symlink_metadata(path).map_or(true, |there| fits(&there))
    };
    if !is(&path, std::fs::Metadata::is_file) {
        return Err(StoreError::Elsewhere(path));
    }
    match between
        .into_iter()
        .find(|above| !is(above, std::fs::Metadata::is_dir))
    {
        Some(above) => Err(StoreError::Elsewhere(above.to_owned())),
        None => write_bytes(&path, bytes),
    }
}

/// Writes a file, whole or not at all; the folders above it are made. What is there and no plain file, such as
/// `/dev/stdout` or a pipe, is written to and stays what it is.
///
/// # Errors
/// When it cannot be written; what was there before is still there.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes).map_err(|source| StoreError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Renaming over a device would put a plain file in its place, for everybody on the machine.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut staging = tempfile::Builder::new().prefix(".ftbench-").tempfile_in(folder)?;
    staging.write_all(bytes)?;
    staging.as_file().sync_all()?;
    // A temporary file is for its owner alone; a result is for whoever may read the folder.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    staging.as_file().set_permissions(readable)?;
    staging.persist(path)?;
    File::open(folder)?.sync_all()
}

/// What a run folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name of the folder.
    pub name: String,
    /// What was asked for, and how it went.
    pub manifest: Manifest,
    /// Every trial that was recorded, in order.
    pub trials: Vec<Trial>,
}

/// Reads a run folder. A last line that was cut off in the middle, as a power cut leaves it, is not there.
///
/// # Errors
/// Names the file and line that cannot be read.
pub fn read(path: &Path) -> Result<Run, StoreError> {
    let Header { name, manifest } = read_header(path)?;
    Ok(Run {
        name,
        manifest,
        trials: read_trials(&path.join(TRIALS))?,
    })
}

/// What a run folder says of itself, apart from the trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Name of the folder.
    pub name: String,
    /// What was asked for, and how it went.
    pub manifest: Manifest,
}

/// Reads a run folder's manifest.
///
/// # Errors
/// Says why it cannot be read.
pub fn read_header(path: &Path) -> Result<Header, StoreError> {
    let manifest_path = path.join(MANIFEST);
    let unreadable = |source| StoreError::Read {
        path: manifest_path.clone(),
        source,
    };
    let bytes = outside::read(&manifest_path, LARGEST_MANIFEST_BYTES).map_err(unreadable)?;
    let manifest = parse(&bytes, &manifest_path, None)?;
    let name = path.canonicalize().map_err(unreadable)?;
    let name = name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Header { name, manifest })
}

/// How large a run folder's record of trials is, bytes.
///
/// # Errors
/// When there is none.
pub fn trials_size_bytes(path: &Path) -> Result<u64, StoreError> {
    let path = path.join(TRIALS);
    let metadata = std::fs::metadata(&path);
    metadata
        .map(|metadata| metadata.len())
        .map_err(|source| StoreError::Read { path, source })
}

/// The analysis that a run folder holds; `None` when there is none that can be read, for it can be made again.
#[must_use]
pub fn stored_summary(path: &Path) -> Option<Summary> {
    let path = path.join(SUMMARY);
    let bytes = outside::read(&path, LARGEST_SUMMARY_BYTES).ok()?;
    parse(&bytes, &path, None).ok()
}

/// Reads the trials of a record, in order, as [`read`] does.
///
/// # Errors
/// Names the line that cannot be read.
pub fn read_trials(path: &Path) -> Result<Vec<Trial>, StoreError> {
    let unreadable = |source| StoreError::Read {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(outside::open(path).map_err(unreadable)?);
    let mut trials = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(unreadable)? == 0 || line.last() != Some(&b'\n') {
            return Ok(trials);
        }
        trials.push(parse(&line, path, Some(trials.len() + 1))?);
    }
}

pub(super) fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    path: &Path,
    line: Option<usize>,
) -> Result<T, StoreError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u64,
    }
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        path: path.to_owned(),
        line,
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
    fn links_in_a_run_folder_lead_nowhere() {
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
            assert!(matches!(error, StoreError::Elsewhere(_)), "{error}");
        }
        assert_eq!(std::fs::read(&secret).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
        write_inside(&run, "more/of/it.svg", b"picture").unwrap();
        write_inside(&run, "more/of/it.svg", b"again").unwrap();
        assert_eq!(std::fs::read(run.join("more/of/it.svg")).unwrap(), b"again");
    }

    #[test]
    fn a_manifest_that_is_no_file_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let pipe = read_header(folder.path()).unwrap_err().to_string();
        assert!(pipe.contains("run.json: it is no plain file"), "{pipe}");
        std::fs::remove_file(&path).unwrap();
        let file = File::create(&path).unwrap();
        file.set_len(LARGEST_MANIFEST_BYTES + 1).unwrap();
        let large = read_header(folder.path()).unwrap_err().to_string();
        assert!(large.contains("65536 KiB"), "{large}");
    }

    #[test]
    fn what_is_no_plain_file_stays_what_it_is() {
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
