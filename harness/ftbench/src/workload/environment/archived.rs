//! Environments as archives, for machines that cannot install packages. An archive has the packages and the record of an
//! environment; what leads to the interpreter is made where it is unpacked.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Environment, Environments, RECORD, Wanted, finished_in, key_of};
use crate::archive::{self, ArchiveError, append_tree, failed, plain_name};
use ftbench_schema::EnvironmentArchive;

impl Environment {
    /// Writes the archive of this environment, which is what was `wanted`, into a folder.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn archive(&self, wanted: &Wanted, folder: &Path) -> Result<EnvironmentArchive, ArchiveError> {
        let unreadable =
            |error: super::EnvironmentError| failed(&self.path)(io::Error::other(error.to_string()));
        let identity = wanted.identity().map_err(unreadable)?;
        let (file, sha256) = archive::write(folder, "packages", |archive| {
            archive.append_path_with_name(self.path.join(RECORD), RECORD)?;
            append_tree(archive, &self.path, Path::new("lib"), &|_| false)
        })?;
        Ok(EnvironmentArchive {
            path: wanted.interpreter.path.clone(),
            identity: identity.to_string(),
            file,
            sha256,
        })
    }
}

impl Environments {
    /// Unpacks an archive, which is in `folder`, for the interpreter with this executable, unless there is such an
    /// environment.
    ///
    /// # Errors
    /// When the archive is not the planned one, or a file cannot be read or written.
    pub fn unpack(
        &self,
        archive: &EnvironmentArchive,
        folder: &Path,
        executable: &Path,
    ) -> Result<(), ArchiveError> {
        let facts = fs::metadata(executable).map_err(failed(executable))?;
        let identity = serde_json::from_str::<Map<String, Value>>(&archive.identity);
        let mut identity = identity.map_err(|_| ArchiveError::Name(archive.identity.clone()))?;
        identity.insert("path".to_owned(), executable.display().to_string().into());
        identity.insert("size".to_owned(), facts.size().into());
        let changed = serde_json::json!([facts.mtime(), facts.mtime_nsec()]);
        identity.insert("changed".to_owned(), changed);
        let key = key_of(&Value::Object(identity));
        let target = self.folder.join(plain_name(&key)?);
        if finished_in(&target).is_some() {
            return Ok(());
        }
        let sides = (archive.file.as_str(), archive.sha256.as_str());
        archive::unpack(sides, folder, &target, |made| lead_to(made, executable))
    }
}

/// Makes a folder with packages a virtual environment of this interpreter (PEP 405).
fn lead_to(folder: &Path, executable: &Path) -> io::Result<()> {
    let home = executable.parent().map_or_else(PathBuf::new, Path::to_owned);
    let bin = folder.join("bin");
    fs::create_dir(&bin)?;
    symlink(executable, bin.join("python"))?;
    let settings = format!(
        "home = {}\ninclude-system-site-packages = false\n",
        home.display()
    );
    fs::write(folder.join("pyvenv.cfg"), settings)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::{BTreeMap, BTreeSet};

    use ftbench_schema::InterpreterFacts;

    use super::super::{Record, write_record};
    use super::*;

    #[test]
    fn unpacked_environment_is_found_by_the_interpreter_that_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [
            "here",
            "there",
            "made/lib/python3.13t/site-packages",
            "made/bin",
            "plans",
        ] {
            fs::create_dir_all(path(name)).unwrap();
        }
        let wanted_on = |machine: &str| {
            let executable = path(machine).join("python");
            fs::write(&executable, machine).unwrap();
            Wanted {
                interpreter: InterpreterFacts {
                    path: executable.display().to_string(),
                    ..ftbench_fixtures::interpreters::facts("3.13.15t")
                },
                requirements: BTreeSet::from(["six".parse().unwrap()]),
                lock: None,
                source_builds: false,
                independently: false,
                hashes: BTreeSet::new(),
            }
        };
        fs::write(path("made/lib/python3.13t/site-packages/six.py"), "").unwrap();
        fs::write(path("made/bin/python"), "").unwrap();
        let record = Record {
            requirements: vec!["six".to_owned()],
            packages: Vec::new(),
            installer: "uv 1".to_owned(),
            lock_sha256: None,
            failed: BTreeMap::new(),
        };
        write_record(&path("made"), &record).unwrap();
        let here = wanted_on("here");
        let archive = finished_in(&path("made"))
            .unwrap()
            .archive(&here, &path("plans"))
            .unwrap();
        let there = wanted_on("there");
        let environments = Environments::below(&path("cache"));
        assert_eq!(environments.find(&there).unwrap(), None);
        for _ in 0..2 {
            environments
                .unpack(&archive, &path("plans"), Path::new(&there.interpreter.path))
                .unwrap();
        }
        let found = environments.find(&there).unwrap().unwrap();
        assert_eq!(found.record, record);
        assert!(found.path.join("lib/python3.13t/site-packages/six.py").is_file());
        assert_eq!(fs::read_link(&found.python).unwrap(), path("there/python"));
        assert_eq!(environments.find(&here).unwrap(), None);
    }
}
