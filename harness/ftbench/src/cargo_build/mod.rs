//! Builds Cargo packages once for each interpreter: the embedded host, and extensions of workloads.
//!
//! A build is kept in ftbench's cache, under a digest of the sources, of ftbench's version and of the interpreter, and
//! is reused from there. Interpreters whose extensions or libraries differ never share a file.

mod cargo;
mod library;
pub mod package;
mod store;

use std::io;
use std::path::{Path, PathBuf};

pub use cargo::find_cargo;
pub use library::{Library, Linking};
pub use package::{Files, Manifest, manifest, pyo3_version};

use crate::error::{ExitStatus, Failure};
use crate::interpreter::run_script;
use cargo::Cargo;
use ftbench_schema::{ExtensionFacts, Host, HostFacts, InterpreterFacts, Linked};
use package::{digest, files_of};
use store::Place;

/// The script that reports what a build needs to know about an interpreter.
const LIBRARY_SCRIPT: &str = include_str!("library.py");

/// The name of the embedded host's program in its `Cargo.toml`.
const HOST_PROGRAM: &str = "ftbench-embed";

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no cargo.
    #[error("{what} must be built first, and there is no cargo; install Rust: https://rustup.rs")]
    NoCargo {
        /// What to build, for the message.
        what: String,
    },
    /// The interpreter does not report its library.
    #[error("{what} cannot be built: {} does not report its build: {reason}", path.display())]
    NoAnswer {
        /// What to build, for the message.
        what: String,
        /// The executable.
        path: PathBuf,
        /// What happened instead.
        reason: String,
    },
    /// The interpreter has no library to embed.
    #[error(
        "{tag} has no libpython that a program could embed, neither static nor in {folder}; install a build that has \
         one: ftbench python install {tag}"
    )]
    NoLibrary {
        /// The interpreter.
        tag: String,
        /// The folder for a shared library.
        folder: String,
    },
    /// The package is not one that can be built.
    #[error("cannot build {what} from {}: {reason}", folder.display())]
    Package {
        /// What to build, for the message.
        what: String,
        /// The package's folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// cargo failed.
    #[error(
        "cargo could not build {what}: {reason}; its output is in {}; to build it by hand: {command}",
        log.display()
    )]
    Cargo {
        /// What to build, for the message.
        what: String,
        /// The error that cargo printed.
        reason: String,
        /// The file with all of its output.
        log: PathBuf,
        /// The command to run by hand.
        command: String,
    },
    /// The cache cannot be written.
    #[error("cannot build {what} in {}: {source}; set XDG_CACHE_HOME to a writable folder", path.display())]
    Cache {
        /// What to build, for the message.
        what: String,
        /// The folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl Failure for BuildError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NoAnswer { .. } | Self::NoLibrary { .. } => ExitStatus::BadAnswer,
            Self::Package { .. } => ExitStatus::WrongInput,
            Self::NoCargo { .. } | Self::Cargo { .. } | Self::Cache { .. } => ExitStatus::MachineFailed,
        }
    }
}

/// Builds packages, or finds earlier builds in the cache.
pub struct Builder<'a> {
    /// ftbench's folder in the user's cache.
    pub cache: &'a Path,
    /// Called with a line about each long step.
    pub say: &'a dyn Fn(&str),
}

impl Builder<'_> {
    /// Builds the program that embeds an interpreter from these sources.
    ///
    /// # Errors
    /// If the interpreter has no library, or cargo is missing or fails.
    pub fn host(&self, interpreter: &InterpreterFacts, sources: &Files) -> Result<HostFacts, BuildError> {
        let what = format!("the embedded host for {}", interpreter.tag);
        let target = query(&what, interpreter)?;
        let Some(linking) = target.library.linking(interpreter.build.shared) else {
            return Err(BuildError::NoLibrary {
                tag: interpreter.tag.clone(),
                folder: target.library.searched.unwrap_or_default(),
            });
        };
        let digest = digest(
            sources,
            &[
                env!("CARGO_PKG_VERSION"),
                &target.identity,
                &linking.words.join(" "),
            ],
        );
        let place = Place::new(self.cache, "embed", &digest, &target.identity);
        check_cargo(&what, &place)?;
        let cached = place.obtain(&what, self.say, |staging| {
            let source = staging.join("source");
            for (path, contents) in sources {
                store::write(&source.join(path), contents)?;
            }
            let configuration = staging.join("pyo3.txt");
            let text = target.library.pyo3_configuration(linking.linked);
            store::write(&configuration, text.as_bytes())?;
            let mut cargo = Cargo::new("rustc", &source, &place);
            cargo.set("PYO3_CONFIG_FILE", &configuration);
            cargo.add(["--bin", HOST_PROGRAM, "--"]);
            for word in &linking.words {
                cargo.add(["-C", &format!("link-arg={word}")]);
            }
            let program = cargo.product(|artifact| artifact.executable.clone())?;
            store::copy(&program, &staging.join(HOST_PROGRAM))
        })?;
        Ok(HostFacts {
            interpreter: interpreter.tag.clone(),
            host: Host::Embed,
            executable: place.folder().join(HOST_PROGRAM).display().to_string(),
            linked: linking.linked,
            pyo3_version: locked_pyo3(sources).unwrap_or_default(),
            cached,
        })
    }

    /// Builds the modules of the package in this folder.
    ///
    /// # Errors
    /// If the folder has no valid package, or cargo is missing or fails.
    pub fn extension(
        &self,
        interpreter: &InterpreterFacts,
        folder: &Path,
    ) -> Result<ExtensionFacts, BuildError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let what = format!("the extension {name} for {}", interpreter.tag);
        let invalid_package = |reason: String| BuildError::Package {
            what: what.clone(),
            folder: folder.to_owned(),
            reason,
        };
        let sources = files_of(folder).map_err(|error| invalid_package(error.to_string()))?;
        let toml = sources
            .get(Path::new("Cargo.toml"))
            .ok_or_else(|| invalid_package("it has no Cargo.toml".to_owned()))?;
        let manifest = manifest(&String::from_utf8_lossy(toml)).map_err(invalid_package)?;
        let target = query(&what, interpreter)?;
        let digest_of_build = digest(&sources, &[env!("CARGO_PKG_VERSION"), &target.identity]);
        let place = Place::new(self.cache, "extensions", &digest_of_build, &target.identity);
        check_cargo(&what, &place)?;
        let cached = place.obtain(&what, self.say, |staging| {
            let mut cargo = Cargo::new("build", folder, &place);
            cargo.set("PYO3_PYTHON", Path::new(&target.library.executable));
            cargo.set("PYO3_BUILD_EXTENSION_MODULE", Path::new("1"));
            cargo.add(["--lib"]);
            let library = cargo.product(|artifact| artifact.shared_library())?;
            for module in &manifest.modules {
                let file = format!("{module}{}", target.library.extension_suffix);
                store::copy(&library, &staging.join(file))?;
            }
            Ok(())
        })?;
        Ok(ExtensionFacts {
            interpreter: interpreter.tag.clone(),
            package: folder.display().to_string(),
            sha256: digest(&sources, &[]),
            modules: manifest.modules,
            folder: place.folder().display().to_string(),
            pyo3_version: locked_pyo3(&sources),
            cached,
        })
    }
}

/// An interpreter's report on its library, and an identity that distinguishes the interpreter from all others.
struct BuildTarget {
    library: Library,
    identity: String,
}

fn query(what: &str, interpreter: &InterpreterFacts) -> Result<BuildTarget, BuildError> {
    let path = PathBuf::from(&interpreter.path);
    let no_answer = |reason: String| BuildError::NoAnswer {
        what: what.to_owned(),
        path: path.clone(),
        reason,
    };
    let output = run_script(&path, LIBRARY_SCRIPT, &[]).map_err(no_answer)?;
    let library =
        Library::parse(&output).ok_or_else(|| no_answer("it has no complete sysconfig module".to_owned()))?;
    let words = [
        library.executable.as_str(),
        &library.version_text,
        &library.extension_suffix,
    ];
    let identity = digest(&Files::new(), &words).chars().take(16).collect();
    Ok(BuildTarget { library, identity })
}

/// Checks that cargo is there, unless the build is in the cache.
fn check_cargo(what: &str, place: &Place) -> Result<(), BuildError> {
    if place.folder().is_dir() || find_cargo().is_some() {
        Ok(())
    } else {
        Err(BuildError::NoCargo {
            what: what.to_owned(),
        })
    }
}

fn locked_pyo3(sources: &Files) -> Option<String> {
    let lock = sources.get(Path::new("Cargo.lock"))?;
    pyo3_version(&String::from_utf8_lossy(lock))
}

/// Describes a difference between embedded and spawned cells besides the host; `None` if there is none.
#[must_use]
pub fn difference(interpreter: &InterpreterFacts, linked: Linked) -> Option<String> {
    let own_linking = if interpreter.build.shared {
        Linked::Shared
    } else {
        Linked::Static
    };
    let tag = &interpreter.tag;
    if linked != own_linking {
        return Some(format!(
            "the embedded host for {tag} has a {} libpython, the interpreter's own executable a {} one: a shared \
             one takes 18 to 25 % longer for pure Python code, so embedded and spawned cells of {tag} differ in more \
             than the host",
            linked.name(),
            own_linking.name(),
        ));
    }
    (interpreter.build.lto && linked == Linked::Static).then(|| {
        format!(
            "{tag} was built with link-time optimisation, which its static libpython does not have in the embedded \
             host: embedded and spawned cells of {tag} differ in more than the host"
        )
    })
}
