//! The contents of a folder.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of the files in a folder, without their extensions.
pub fn stems(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}
