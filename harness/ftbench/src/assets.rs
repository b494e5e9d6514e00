//! The Python files and the sampler embedded in the binary, and their copy on disk, where interpreters can read them.

use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use crate::cargo_build::Files;
use crate::error::{ExitStatus, Failure};
use crate::workload::{Catalogue, Workload, WorkloadError};
use ftbench_schema::{InterpreterFacts, Version};

static WORKER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/embedded/worker");
/// The sampler's library, which `build.rs` compiles; empty for processors that it does not support.
static SAMPLER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sampler.so"));

static WORKLOADS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/embedded/workloads");

const SAMPLER_FILE: &str = "sampler.so";

// `cargo publish` leaves out packages that lie inside another package. So the files of these two packages are listed
// one by one, and their manifests have another name below `embedded`.

/// The Cargo package of the embedded host.
const EMBEDDED_HOST: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../embedded/host/manifest.toml")),
    ("Cargo.lock", include_str!("../embedded/host/lock.toml")),
    ("src/main.rs", include_str!("../embedded/host/src/main.rs")),
    ("src/pool.rs", include_str!("../embedded/host/src/pool.rs")),
];

/// The series of PyO3 that the embedded host's `Cargo.toml` names.
pub const PYO3_SERIES: &str = "0.30";
/// The last series that supports free-threaded builds before 3.14.
const OLDER_PYO3_SERIES: &str = "0.28";
const OLDER_PYO3_LOCK: &str = include_str!("../embedded/host/lock-0.28.toml");

/// The Cargo package of the suite's own extension module, below the folder of the workloads that import it.
const RUST_EXTENSION: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        include_str!("../embedded/rust_extension/manifest.toml"),
    ),
    ("Cargo.lock", include_str!("../embedded/rust_extension/lock.toml")),
    (
        "src/lib.rs",
        include_str!("../embedded/rust_extension/src/lib.rs"),
    ),
];
const RUST_EXTENSION_FOLDER: &str = "extension/rust_extension";

/// The copy of the embedded files on disk.
#[derive(Debug, Clone)]
pub struct Assets {
    /// The folder to put on `PYTHONPATH`, so that `-m ftbench_worker` finds the worker.
    pub worker: PathBuf,
    /// The root folder of the standard suite.
    pub workloads: PathBuf,
    /// The sampler's library; `None` for processors that it does not support.
    pub sampler: Option<PathBuf>,
}

/// The embedded files could not be written to disk.
#[derive(Debug, thiserror::Error)]
#[error("cannot write ftbench's Python files to {}: {source}; set XDG_CACHE_HOME to a writable folder", path.display())]
pub struct AssetError {
    path: PathBuf,
    source: io::Error,
}

impl Failure for AssetError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

impl Assets {
    /// Copies the files to ftbench's cache folder, unless an earlier process of the same build has done so.
    ///
    /// # Errors
    /// Names the folder that could not be written.
    pub fn unpack(cache: &Path) -> Result<Self, AssetError> {
        let root = cache.join("assets").join(digest());
        let failed = |source| AssetError {
            path: root.clone(),
            source,
        };
        if !root.is_dir() {
            let parent = root.parent().unwrap_or(cache);
            std::fs::create_dir_all(parent).map_err(failed)?;
            let staging = tempfile::tempdir_in(parent).map_err(failed)?;
            write_tree(&WORKER, &staging.path().join("worker/ftbench_worker")).map_err(failed)?;
            let workloads = staging.path().join("workloads");
            write_tree(&WORKLOADS, &workloads).map_err(failed)?;
            std::fs::write(staging.path().join(SAMPLER_FILE), SAMPLER).map_err(failed)?;
            write_package(&RUST_EXTENSION, &workloads.join(RUST_EXTENSION_FOLDER)).map_err(failed)?;
            // The folder appears complete or not at all. If another process was faster, its copy is the same.
            let renamed = std::fs::rename(staging.path(), &root);
            if renamed.is_err() && !root.is_dir() {
                return Err(failed(
                    renamed.err().unwrap_or_else(|| io::ErrorKind::Other.into()),
                ));
            }
        }
        Ok(Self {
            worker: root.join("worker"),
            workloads: root.join("workloads"),
            sampler: (!SAMPLER.is_empty()).then(|| root.join(SAMPLER_FILE)),
        })
    }
}

/// The sources of the embedded host for this interpreter. Their manifest requires the newest series of PyO3 that
/// supports the interpreter.
#[must_use]
pub fn embedded_host(interpreter: &InterpreterFacts) -> Files {
    let file = |(path, contents): (&str, &str)| (PathBuf::from(path), contents.as_bytes().to_vec());
    let mut files: Files = EMBEDDED_HOST.into_iter().map(file).collect();
    let version = interpreter.version.parse::<Version>();
    if interpreter.free_threaded && version.is_ok_and(|version| version < Version::new(3, 14, 0)) {
        let [(manifest_path, manifest), (lock_path, _), ..] = EMBEDDED_HOST;
        let manifest = manifest.replace(&format!("\"{PYO3_SERIES}\""), &format!("\"{OLDER_PYO3_SERIES}\""));
        files.extend([(manifest_path, manifest.as_str()), (lock_path, OLDER_PYO3_LOCK)].map(file));
    }
    files
}

/// Reads the standard suite from the binary. `root` is the folder in which its files are, or will be, on disk.
///
/// # Errors
/// Names the workload whose metadata is wrong.
pub fn catalogue(root: &Path) -> Result<Catalogue, WorkloadError> {
    let mut workloads = Vec::new();
    for folder in WORKLOADS.dirs() {
        for file in folder
            .files()
            .filter(|file| file.path().extension().is_some_and(|suffix| suffix == "py"))
        {
            workloads.extend(Workload::from_source(&root.join(file.path()), file.contents())?);
        }
    }
    Ok(Catalogue::new(workloads))
}

/// A digest of the embedded files, which distinguishes one build from another.
fn digest() -> String {
    let mut hasher = Sha256::new();
    for tree in [&WORKER, &WORKLOADS] {
        hash_tree(tree, &mut hasher);
    }
    hasher.update(SAMPLER);
    for (path, contents) in RUST_EXTENSION {
        hasher.update(path);
        hasher.update(contents);
    }
    let mut digest = hex::encode(hasher.finalize());
    digest.truncate(16);
    digest
}

fn hash_tree(tree: &Dir<'_>, hasher: &mut Sha256) {
    for file in tree.files() {
        hasher.update(file.path().as_os_str().as_encoded_bytes());
        hasher.update((file.contents().len() as u64).to_le_bytes());
        hasher.update(file.contents());
    }
    for folder in tree.dirs() {
        hash_tree(folder, hasher);
    }
}

fn write_tree(tree: &Dir<'_>, target: &Path) -> io::Result<()> {
    std::fs::create_dir_all(target)?;
    tree.extract(target)
}

fn write_package(files: &[(&str, &str)], target: &Path) -> io::Result<()> {
    for (path, contents) in files {
        let path = target.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(target))?;
        std::fs::write(path, contents)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cargo_build::pyo3_version;
    use ftbench_fixtures::interpreters::facts;

    #[test]
    fn host_is_built_with_the_newest_pyo3_that_supports_the_interpreter() {
        let series_for = |tag: &str| {
            let files = embedded_host(&facts(tag));
            let text = |path: &str| String::from_utf8(files[Path::new(path)].clone()).unwrap();
            let locked = pyo3_version(&text("Cargo.lock")).unwrap();
            let (series, _) = locked.rsplit_once('.').unwrap();
            assert!(text("Cargo.toml").contains(&format!("pyo3 = {{ version = \"{series}\"")));
            series.to_owned()
        };
        assert_eq!(series_for("3.13.15t"), OLDER_PYO3_SERIES);
        for tag in ["3.9.1", "3.13.15", "3.14.2", "3.14.0t", "3.15.0t"] {
            assert_eq!(series_for(tag), PYO3_SERIES, "{tag}");
        }
    }

    #[test]
    fn embedded_files_are_unpacked_once_and_completely() {
        let cache = tempfile::tempdir().unwrap();
        let first = Assets::unpack(cache.path()).unwrap();
        assert!(first.worker.join("ftbench_worker/__main__.py").is_file());
        let second = Assets::unpack(cache.path()).unwrap();
        assert_eq!(first.workloads, second.workloads);
        for workload in catalogue(&first.workloads).unwrap().all() {
            assert!(workload.path.is_file(), "{}", workload.path.display());
            assert!(
                !workload.metadata.summary.is_empty(),
                "{} has no summary",
                workload.name
            );
        }
    }
}
