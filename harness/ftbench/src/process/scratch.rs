//! The temporary folder of a trial. The driver chooses its name, and the guard makes and removes it; if the guard is
//! killed before it can, the driver removes it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rand::TryRng;
use rand::rngs::SysRng;
use tempfile::TempDir;

/// The folder of temporary folders if the environment names none (`P_tmpdir`, hier(7)).
const DEFAULT_FOLDER: &str = "/tmp";

/// Chooses an unused path in the folder that a trial's environment names; `None` if the system has no random number.
pub(super) fn choose(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let named = environment.get("TMPDIR").filter(|folder| !folder.is_empty());
    let folder = named.map_or(DEFAULT_FOLDER, String::as_str);
    let number = SysRng.try_next_u64().ok()?;
    std::path::absolute(Path::new(folder).join(format!("ftbench-{number:016x}"))).ok()
}

/// Makes the folder, for this user alone. It is removed when dropped.
pub(super) fn make(path: &Path) -> io::Result<TempDir> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempdir_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_is_made_where_the_environment_says_and_only_once() {
        let sandbox = tempfile::tempdir().unwrap();
        let folder = sandbox.path().to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("TMPDIR".to_owned(), folder)]);
        let path = choose(&environment).unwrap();
        assert_ne!(choose(&environment).unwrap(), path);
        let made = make(&path).unwrap();
        assert_eq!(made.path(), path);
        assert_eq!(path.parent(), Some(sandbox.path()));
        assert!(make(&path).is_err(), "an existing folder is not reused");
        drop(made);
        assert!(!path.exists());
    }

    #[test]
    fn the_folder_is_in_the_default_place_if_the_environment_names_none() {
        let unset = choose(&BTreeMap::new()).unwrap();
        let empty = choose(&BTreeMap::from([("TMPDIR".to_owned(), String::new())])).unwrap();
        for path in [unset, empty] {
            assert_eq!(path.parent(), Some(Path::new(DEFAULT_FOLDER)));
        }
    }
}
