//! Makes environments with uv where there is one, else with `venv` and pip.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::super::requirement::Requirement;
use super::complaint::complaint;
use super::lock::{Lock, LockError};
use super::{EnvironmentError, Record, Wanted, failed, python_in};
use crate::outside;
use crate::process::guarded_program::{GuardedProgram, guarded};

/// The script that prints the installed packages.
const PACKAGES: &str = include_str!("packages.py");

/// How often a running installer is checked.
const TICK: Duration = Duration::from_millis(20);

/// Size of the end of an installer's log in which its error is looked for, bytes.
const MAX_LOG_BYTES: u64 = 4 << 20;

/// Callbacks of making an environment.
pub struct Hooks<'a> {
    /// Reports something to the user, in a line.
    pub report: &'a dyn Fn(&str),
    /// Whether ftbench was interrupted.
    pub is_stopped: &'a dyn Fn() -> bool,
}

impl Hooks<'_> {
    /// Waits a little, unless ftbench was interrupted.
    pub(super) fn pause(&self) -> Result<(), EnvironmentError> {
        if (self.is_stopped)() {
            return Err(EnvironmentError::Interrupted);
        }
        thread::sleep(TICK);
        Ok(())
    }
}

/// The program that installs packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installer {
    /// uv.
    Uv {
        /// The program.
        program: PathBuf,
        /// Its name and version, such as `uv 0.13.8`.
        version: String,
    },
    /// The interpreter's own `venv`, and the pip that comes with it.
    Pip,
}

impl Installer {
    /// The program that can install what a lock file pins, if there is one.
    pub(super) fn find(tools: &Path, lock: Option<&Lock>) -> Result<Self, LockError> {
        match (Self::find_any(tools), lock) {
            (Self::Pip, Some(lock)) => Err(LockError::NeedsUv {
                script: lock.script().to_owned(),
            }),
            (found, _) => Ok(found),
        }
    }

    /// uv from the `PATH` or from ftbench's own tools, else pip.
    pub(super) fn find_any(tools: &Path) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain([tools.to_owned()]);
        // A version manager's shim may exist and do nothing.
        let found = folders.map(|folder| folder.join("uv")).find_map(|program| {
            let version = version_of_uv(&program)?;
            Some(Self::Uv { program, version })
        });
        found.unwrap_or(Self::Pip)
    }
}

fn version_of_uv(program: &Path) -> Option<String> {
    if !program.is_file() {
        return None;
    }
    let answer = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let mut words = text.split_whitespace();
    match (answer.status.success(), words.next(), words.next()) {
        (true, Some("uv"), Some(version)) => Some(format!("uv {version}")),
        _ => None,
    }
}

/// One environment to make.
pub(super) struct Installation<'a> {
    /// What it must contain.
    pub(super) wanted: &'a Wanted,
    /// The folder to make it in.
    pub(super) folder: &'a Path,
    /// The file for the installer's output.
    pub(super) log: &'a Path,
    /// Callbacks.
    pub(super) hooks: &'a Hooks<'a>,
}

impl Installation<'_> {
    /// Makes the environment and returns its contents.
    pub(super) fn install(&self, installer: &Installer) -> Result<Record, EnvironmentError> {
        File::create(self.log).map_err(failed(self.log))?;
        let (version, failed) = match installer {
            Installer::Uv { program, version } => (version.clone(), self.with_uv(program)?),
            Installer::Pip => self.with_pip()?,
        };
        Ok(Record {
            requirements: self.wanted.texts(),
            packages: self.packages()?,
            installer: version,
            lock_sha256: self.wanted.lock.as_ref().map(|lock| lock.sha256().to_owned()),
            failed,
        })
    }

    /// Installs with uv, which must neither download an interpreter nor use the project of the working directory.
    /// Returns what is missing, and why.
    fn with_uv(&self, program: &Path) -> Result<BTreeMap<String, String>, EnvironmentError> {
        let mut create = Command::new(program);
        create
            .args(["venv", "--no-project", "--no-python-downloads", "--python"])
            .arg(&self.wanted.interpreter.path)
            .arg(self.folder);
        self.run(create)?;
        let pins = self.folder.join("pinned-requirements.txt");
        if let Some(lock) = &self.wanted.lock {
            let mut export = Command::new(program);
            export
                .args([
                    "export",
                    "--frozen",
                    "--no-header",
                    "--no-annotate",
                    "--no-python-downloads",
                ])
                .arg("--python")
                .arg(&self.wanted.interpreter.path)
                .arg("--script")
                .arg(lock.script())
                .arg("--output-file")
                .arg(&pins);
            self.run(export)?;
        }
        let mut install = Command::new(program);
        // Trials write no bytecode, and must not compile the packages each time they start.
        install
            .args(["pip", "install", "--compile-bytecode", "--python"])
            .arg(python_in(self.folder));
        if !self.wanted.source_builds {
            install.args(["--only-binary", ":all:"]);
        }
        if self.wanted.lock.is_some() {
            install.arg("--requirements").arg(&pins);
        }
        let build = || {
            let mut build = Command::new(program);
            build
                .args(["build", "--wheel", "--no-python-downloads", "--python"])
                .arg(&self.wanted.interpreter.path)
                .arg("--out-dir");
            build
        };
        self.install_packages(install, &self.installable(&build)?)
    }

    /// Installs packages: all of them at once, or, if that fails and each is independent, one after the other.
    fn install_packages(
        &self,
        mut install: Command,
        words: &[String],
    ) -> Result<BTreeMap<String, String>, EnvironmentError> {
        if !self.wanted.independently {
            install.args(words);
            return self.run(install).map(|()| BTreeMap::new());
        }
        install.arg("--no-deps");
        let with = |words: &[String]| {
            let mut command = Command::new(install.get_program());
            command.args(install.get_args()).args(words);
            command
        };
        if words.is_empty() || self.run(with(words)).is_ok() {
            return Ok(BTreeMap::new());
        }
        let mut failed = BTreeMap::new();
        for word in words {
            let one = self.wanted_alone(word);
            let log = self.log.with_extension(format!("{}.log", failed.len()));
            let installation = Installation {
                wanted: &one,
                folder: self.folder,
                log: &log,
                hooks: self.hooks,
            };
            File::create(&log).map_err(super::failed(&log))?;
            match installation.run(with(std::slice::from_ref(word))) {
                Ok(()) => {}
                Err(EnvironmentError::Failed { complaint, .. }) => {
                    failed.insert(word.clone(), complaint);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(failed)
    }

    /// The same environment with one of its packages alone, for messages.
    fn wanted_alone(&self, word: &str) -> Wanted {
        Wanted {
            requirements: word.parse().into_iter().collect(),
            ..self.wanted.clone()
        }
    }

    /// What the installer is given: requirements, and the wheels of projects, which `build` makes when it gets a folder
    /// for them and the project.
    fn installable(&self, build: &dyn Fn() -> Command) -> Result<Vec<String>, EnvironmentError> {
        let mut words = Vec::new();
        for (number, requirement) in self.wanted.requirements.iter().enumerate() {
            let Requirement::Project(project) = requirement else {
                words.push(requirement.to_string());
                continue;
            };
            let folder = self.folder.join("built").join(number.to_string());
            let mut build = build();
            build.arg(&folder).arg(project);
            self.run(build)?;
            let made = fs::read_dir(&folder).map_err(failed(&folder))?;
            let wheels = made.filter_map(|entry| Some(entry.ok()?.path()));
            let wheels = wheels.filter(|path| path.extension().is_some_and(|suffix| suffix == "whl"));
            words.extend(wheels.map(|path| path.display().to_string()));
        }
        Ok(words)
    }

    /// Installs with pip. `-I` keeps out the user's `PYTHON…` variables and packages; pip's own configuration applies.
    /// Returns pip's version, and what is missing and why.
    fn with_pip(&self) -> Result<(String, BTreeMap<String, String>), EnvironmentError> {
        let mut create = Command::new(&self.wanted.interpreter.path);
        create.args(["-I", "-m", "venv"]).arg(self.folder);
        self.run(create)?;
        let mut install = Command::new(python_in(self.folder));
        install.args([
            "-I",
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
        ]);
        if !self.wanted.source_builds {
            install.args(["--only-binary", ":all:"]);
        }
        let build = || {
            let mut build = Command::new(python_in(self.folder));
            build.args([
                "-I",
                "-m",
                "pip",
                "wheel",
                "--no-input",
                "--no-deps",
                "--disable-pip-version-check",
            ]);
            build.arg("--wheel-dir");
            build
        };
        let missing = self.install_packages(install, &self.installable(&build)?)?;
        let pip = self.packages()?.into_iter().find(|package| package.name == "pip");
        let version = pip.map_or_else(|| "pip".to_owned(), |pip| format!("pip {}", pip.version));
        Ok((version, missing))
    }

    /// The installed packages, from the environment's own metadata.
    fn packages(&self) -> Result<Vec<ftbench_schema::PackageFacts>, EnvironmentError> {
        let python = python_in(self.folder);
        let answer = Command::new(&python)
            .args(["-I", "-c", PACKAGES])
            .stdin(Stdio::null())
            .output()
            .map_err(failed(&python))?;
        serde_json::from_slice(&answer.stdout).map_err(|error| failed(&python)(error.into()))
    }

    /// Runs a step; its output goes to the log.
    fn run(&self, mut command: Command) -> Result<(), EnvironmentError> {
        let mut log = OpenOptions::new()
            .append(true)
            .open(self.log)
            .map_err(failed(self.log))?;
        let words = shown(&command);
        let started = writeln!(log, "$ {words}")
            .and_then(|()| Ok((log.try_clone()?, log)))
            .map_err(failed(self.log))?;
        command
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .env_remove("CLICOLOR_FORCE");
        let program = PathBuf::from(command.get_program());
        let (mut command, guarded_program) = guarded(&command).map_err(failed(&program))?;
        command.stdout(started.0).stderr(started.1);
        let status = self
            .wait(&mut command, guarded_program)
            .map_err(|error| match error {
                WaitError::System(source) => failed(&program)(source),
                WaitError::Stopped(error) => error,
            })?;
        if status.success() {
            return Ok(());
        }
        if (self.hooks.is_stopped)() {
            return Err(EnvironmentError::Interrupted);
        }
        Err(EnvironmentError::Failed {
            complaint: complaint(&outside::end(self.log, MAX_LOG_BYTES), self.wanted),
            log: self.log.to_owned(),
        })
    }

    fn wait(&self, command: &mut Command, guarded_program: GuardedProgram) -> Result<ExitStatus, WaitError> {
        let mut child = command.spawn().map_err(WaitError::System)?;
        loop {
            if let Some(status) = child.try_wait().map_err(WaitError::System)? {
                return Ok(status);
            }
            if let Err(error) = self.hooks.pause() {
                // Fails if it has ended meanwhile.
                let _ = guarded_program.end(&mut child);
                return Err(WaitError::Stopped(error));
            }
        }
    }
}

/// Why a step did not end by itself.
enum WaitError {
    System(io::Error),
    Stopped(EnvironmentError),
}

fn shown(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    words.join(" ")
}
