//! Paths of the files that the tests read. Both test programs include this file.

use std::path::{Path, PathBuf};

/// The folder of the package that these tests belong to.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder `harness` of the repository, with the worker's Python and the fuzz targets.
pub fn harness() -> PathBuf {
    package().join("..")
}

/// A stored run on a noisy machine with two cores, cut down to three workloads.
pub fn two_cores() -> PathBuf {
    package().join("tests/static/charts/two-cores")
}
