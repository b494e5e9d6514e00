//! Finds Python executables, without starting any.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

use crate::outside;

/// Where an executable came from, in order of preference.
///
/// Explicit paths come last: tags refer to what discovery finds, and a path needs no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// ftbench's own folder, where `ftbench python install` puts them.
    Ftbench,
    /// uv's folder.
    Uv,
    /// pyenv's folder of versions.
    Pyenv,
    /// A conda environment.
    Conda,
    /// A folder on `PATH`.
    Path,
    /// A path that the user gave.
    ExplicitPath,
}

impl Source {
    /// The name that the user sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ftbench => "ftbench",
            Self::Uv => "uv",
            Self::Pyenv => "pyenv",
            Self::Conda => "conda",
            Self::Path => "PATH",
            Self::ExplicitPath => "path",
        }
    }

    /// Whether ftbench or uv installed it, so that it is known to be a complete interpreter.
    #[must_use]
    pub const fn is_installed(self) -> bool {
        matches!(self, Self::Ftbench | Self::Uv)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The user's base folders, which search places are relative to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFolders {
    /// Home.
    pub home: PathBuf,
    /// Caches: `XDG_CACHE_HOME`, or `.cache` in home.
    pub cache: PathBuf,
    /// Data: `XDG_DATA_HOME`, or `.local/share` in home.
    pub data: PathBuf,
}

/// The places to search for interpreters. The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPlaces {
    /// ftbench's own folder, with one subfolder per interpreter.
    pub ftbench: Option<PathBuf>,
    /// uv's folder, with the same layout.
    pub uv: Option<PathBuf>,
    /// pyenv's root.
    pub pyenv_root: Option<PathBuf>,
    /// Conda's list of environments, one folder per line.
    pub conda_list: Option<PathBuf>,
    /// Conda environments that may exist.
    pub conda_environments: Vec<PathBuf>,
    /// Folders that may hold conda environments.
    pub conda_environment_folders: Vec<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
}

/// Where conda's installers put themselves, in home and in `/opt`.
const CONDA_ROOTS: [&str; 5] = ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "conda"];

impl SearchPlaces {
    /// The places given by the environment of this process. Without a home folder, only those on `PATH`.
    #[must_use]
    pub fn from_environment() -> Self {
        let folders = Xdg::new().ok().map(|xdg| UserFolders {
            home: xdg.home_dir().to_owned(),
            cache: xdg.cache_dir(),
            data: xdg.data_dir(),
        });
        Self::new(folders.as_ref(), |name| std::env::var_os(name))
    }

    /// The places given by these folders and environment variables.
    pub fn new(folders: Option<&UserFolders>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let home = folders.map(|folders| folders.home.as_path());
        let conda_roots: Vec<PathBuf> = home
            .into_iter()
            .chain([Path::new("/opt")])
            .flat_map(|parent| CONDA_ROOTS.map(|root| parent.join(root)))
            .collect();
        Self {
            ftbench: folders.map(|folders| folders.cache.join("ftbench/python")),
            uv: folder("UV_PYTHON_INSTALL_DIR")
                .or_else(|| folders.map(|folders| folders.data.join("uv/python"))),
            pyenv_root: folder("PYENV_ROOT").or_else(|| home.map(|home| home.join(".pyenv"))),
            conda_list: home.map(|home| home.join(".conda/environments.txt")),
            conda_environment_folders: conda_roots.iter().map(|root| root.join("envs")).collect(),
            conda_environments: folder("CONDA_PREFIX").into_iter().chain(conda_roots).collect(),
            path: variable("PATH")
                .map(|path| {
                    std::env::split_paths(&path)
                        .filter(|folder| folder.is_absolute())
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// The folders that may hold executables, each with its source, in order of preference.
    fn folders(&self) -> Vec<(Source, PathBuf)> {
        let prefixes = |source: Source, parent: Option<PathBuf>| {
            let installed = parent.map(|parent| subfolders(&parent)).unwrap_or_default();
            installed
                .into_iter()
                .map(move |prefix| (source, prefix.join("bin")))
        };
        let pyenv_versions = self.pyenv_root.as_ref().map(|root| root.join("versions"));
        let listed = self.conda_list.as_deref().map(lines_as_paths).unwrap_or_default();
        let in_folders = self.conda_environment_folders.iter();
        let conda = listed
            .into_iter()
            .chain(self.conda_environments.iter().cloned())
            .chain(in_folders.flat_map(|folder| subfolders(folder)))
            .map(|prefix| (Source::Conda, prefix.join("bin")));
        prefixes(Source::Ftbench, self.ftbench.clone())
            .chain(prefixes(Source::Uv, self.uv.clone()))
            .chain(prefixes(Source::Pyenv, pyenv_versions))
            .chain(conda)
            .chain(self.path_without_shims().map(|folder| (Source::Path, folder)))
            .collect()
    }

    /// The folders of `PATH` without pyenv's shims. These are scripts that look up the version to run on every call,
    /// and fail for every version that is not selected; the interpreters behind them are in pyenv's folder of versions.
    fn path_without_shims(&self) -> impl Iterator<Item = PathBuf> {
        let is_shims = |folder: &Path| {
            let in_pyenv = self
                .pyenv_root
                .as_ref()
                .is_some_and(|root| folder.starts_with(root));
            in_pyenv && folder.ends_with("shims")
        };
        self.path.iter().filter(move |folder| !is_shims(folder)).cloned()
    }
}

/// An executable that may be a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The path to run.
    pub path: PathBuf,
    /// Where the executable was found.
    pub source: Source,
    /// The paths that the user gave for it, verbatim; empty for one that was only discovered.
    pub given_as: Vec<PathBuf>,
}

/// Lists the executables that may be interpreters, each file once, in order of preference; explicit paths come last.
///
/// A file is listed by its real path, so that `python`, `python3` and `python3.13` are one candidate, and a virtual
/// environment counts as the interpreter that it was made from. Only a virtual environment that the user gave by path
/// is listed itself, because the user wants the packages that are installed in it.
#[must_use]
pub fn candidates(places: &SearchPlaces, given: &[PathBuf]) -> Vec<Candidate> {
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut candidates: Vec<Candidate> = places
        .folders()
        .into_iter()
        .flat_map(|(source, folder)| pythons_in(&folder, source))
        .collect();
    candidates.retain(|candidate| seen.insert(candidate.path.clone()));
    for path in given {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let executable = if is_virtual_environment(&absolute) {
            absolute
        } else {
            resolve_links(&absolute)
        };
        match candidates
            .iter_mut()
            .find(|other| are_same_interpreter(&other.path, &executable))
        {
            Some(found) => found.given_as.push(path.clone()),
            None => candidates.push(Candidate {
                path: executable,
                source: Source::ExplicitPath,
                given_as: vec![path.clone()],
            }),
        }
    }
    candidates
}

/// The executables in a folder that are named like a Python, sorted by name, each file once.
fn pythons_in(folder: &Path, source: Source) -> Vec<Candidate> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<OsString> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
        .filter(|name| is_python_name(name))
        .collect();
    names.sort();
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in names
        .into_iter()
        .map(|name| folder.join(name))
        .filter(|path| path.is_file())
    {
        let path = resolve_links(&path);
        match paths.iter_mut().find(|other| are_same_interpreter(other, &path)) {
            // `python3.13t` says more than `python3.13`.
            Some(other) if other.as_os_str().len() < path.as_os_str().len() => *other = path,
            Some(_) => {}
            None => paths.push(path),
        }
    }
    paths
        .into_iter()
        .map(|path| Candidate {
            path,
            source,
            given_as: Vec::new(),
        })
        .collect()
}

/// Whether two paths are the same interpreter: equal paths, or two names of one file in one folder (CPython installs
/// `python3.13t` and `python3.13` this way). One file in two folders is two interpreters, because it finds its library
/// relative to its folder. Two symbolic links are two interpreters; see [`resolve_links`].
fn are_same_interpreter(a: &Path, b: &Path) -> bool {
    let file = |path: &Path| {
        let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some((metadata.dev(), metadata.ino()))
    };
    a == b || (a.parent() == b.parent() && file(a).is_some_and(|of_a| file(b) == Some(of_a)))
}

/// Resolves the links of a path, unless they lead to a program that is not named like a Python: a version manager may
/// link all its shims to itself and choose what to do by the name it is called with.
fn resolve_links(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .ok()
        .filter(|real| real.file_name().is_some_and(is_like_python))
        .unwrap_or_else(|| path.to_owned())
}

/// Whether the executable is in a virtual environment (PEP 405).
fn is_virtual_environment(executable: &Path) -> bool {
    let bin = executable.parent();
    let prefix = bin.and_then(Path::parent);
    [bin, prefix]
        .into_iter()
        .flatten()
        .any(|folder| folder.join("pyvenv.cfg").is_file())
}

/// Whether a file name is `python`, `python3`, `python3.13`, `python3.13t`, `python3.13d` or `python3.13td`, or one of
/// these with `pypy`.
fn is_python_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let Some(rest) = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy")) else {
        return false;
    };
    if matches!(rest, "" | "3") {
        return true;
    }
    let flagged = rest.strip_prefix("3.").unwrap_or_default();
    let flagged = flagged.strip_suffix('d').unwrap_or(flagged);
    let minor = flagged.strip_suffix('t').unwrap_or(flagged);
    !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a program's real name starts like a Python's, whatever follows.
fn is_like_python(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    ["python", "pypy"].iter().any(|prefix| name.starts_with(prefix))
}

/// The subfolders of a folder, sorted by name. Hidden ones are left out because they are unfinished or private.
fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Largest conda list of environments that is read, bytes; enough for thousands of paths.
const LARGEST_LIST_BYTES: u64 = 1 << 20;

fn lines_as_paths(file: &Path) -> Vec<PathBuf> {
    let text = outside::read_text(file, LARGEST_LIST_BYTES).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
