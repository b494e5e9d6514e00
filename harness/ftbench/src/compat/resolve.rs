//! Resolves a tree of packages for a build, whether or not the build has wheels for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::lock_file::{LockFile, LockedPackage};
use super::request::Request;
use super::wheel::{Tags, Target};
use crate::outside;
use crate::process::bounded::{self, Ended};
use crate::workload::environment::{Installer, complaint};
use crate::workload::{Requirement, normalised};
use ftbench_schema::{Distribution, InterpreterFacts, Version};

/// How long resolving may take. Metadata of source archives may have to be built.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// Largest `pyproject.toml` that is read, bytes.
const LARGEST_PROJECT_BYTES: u64 = 1 << 20;

/// A resolved package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its version; `None` if it cannot be resolved.
    pub version: Option<String>,
    /// The packages that it requires, normalised.
    pub requires: BTreeSet<String>,
    /// What the index has.
    pub distribution: Distribution,
    /// The file name of the best wheel.
    pub wheel: Option<String>,
    /// The digest of that wheel, as the index gives it.
    pub hash: Option<String>,
    /// What the installer is given; `None` if there is nothing to install.
    pub requirement: Option<Requirement>,
    /// Why it was not resolved.
    pub error: Option<String>,
}

impl Resolved {
    /// A package that is not resolved.
    const fn unresolved() -> Self {
        Self {
            version: None,
            requires: BTreeSet::new(),
            distribution: Distribution::Nothing,
            wheel: None,
            hash: None,
            requirement: None,
            error: None,
        }
    }
}

/// The packages that are required for a build, by their normalised names.
pub type Resolution = BTreeMap<String, Resolved>;

/// Why a tree cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The requirements contradict each other.
    #[error("cannot resolve the packages for {tag}: {reason}")]
    Conflict {
        /// The build's tag.
        tag: String,
        /// The resolver's reason.
        reason: String,
    },
    /// The index does not answer.
    #[error("cannot resolve the packages for {tag} because the package index does not answer: {reason}")]
    Unreachable {
        /// The build's tag.
        tag: String,
        /// The resolver's reason.
        reason: String,
    },
    /// The build is not CPython 3.
    #[error("{0} cannot be checked; give a build of CPython with -p")]
    Interpreter(String),
    /// The resolver cannot be run, or its answer cannot be read.
    #[error("cannot resolve the packages for {tag}: {source}")]
    System {
        /// The build's tag.
        tag: String,
        /// The system's error.
        source: io::Error,
    },
    /// ftbench was interrupted.
    #[error("interrupted while packages were being resolved")]
    Interrupted,
}

/// Resolves for one build.
pub struct Resolver<'a> {
    /// The program that resolves.
    pub installer: &'a Installer,
    /// The build.
    pub interpreter: &'a InterpreterFacts,
    /// A folder for files, which no other program uses.
    pub folder: &'a Path,
    /// Whether ftbench was interrupted.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

/// Why one attempt to resolve failed.
enum Failed {
    /// The resolver's reason.
    Reason(String),
    /// Anything that other requirements would not change.
    Error(ResolveError),
}

impl Resolver<'_> {
    /// Resolves what is requested. A requirement that cannot be resolved by itself becomes a package with an error, and the
    /// others are resolved without it.
    ///
    /// # Errors
    /// When the requirements contradict each other, or nothing can be resolved at all.
    pub fn resolve(&self, request: &Request) -> Result<Resolution, ResolveError> {
        let target = Target::of(self.interpreter)
            .ok_or_else(|| ResolveError::Interpreter(self.interpreter.tag.clone()))?;
        let found = match self.all(&request.requirements, request, target) {
            Ok(found) => return Ok(found),
            Err(Failed::Error(error)) => return Err(error),
            Err(Failed::Reason(reason)) => self.one_by_one(request, target, &reason)?,
        };
        let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, error)| error.is_none());
        let good: Vec<Requirement> = good.into_iter().map(|(requirement, _)| requirement).collect();
        let mut resolution = match self.all(&good, request, target) {
            Ok(resolution) => resolution,
            Err(Failed::Error(error)) => return Err(error),
            Err(Failed::Reason(reason)) => {
                let tag = self.interpreter.tag.clone();
                return Err(ResolveError::Conflict { tag, reason });
            }
        };
        for (requirement, error) in bad {
            let unresolved = Resolved {
                error,
                ..Resolved::unresolved()
            };
            let name = name_of(&requirement);
            if let Some(Resolved { version: Some(_), .. }) = resolution.get(&name) {
                // Something else requires another version of it.
                let tag = self.interpreter.tag.clone();
                let reason = unresolved.error.unwrap_or_default();
                return Err(ResolveError::Conflict { tag, reason });
            }
            resolution.insert(name, unresolved);
        }
        Ok(resolution)
    }

    /// Which requirements cannot be resolved by themselves, and why.
    fn one_by_one(
        &self,
        request: &Request,
        target: Target,
        reason: &str,
    ) -> Result<Vec<(Requirement, Option<String>)>, ResolveError> {
        let mut found = Vec::new();
        for requirement in &request.requirements {
            let error = match self.all(std::slice::from_ref(requirement), request, target) {
                Ok(_) => None,
                Err(Failed::Reason(reason)) => Some(reason),
                Err(Failed::Error(error)) => return Err(error),
            };
            found.push((requirement.clone(), error));
        }
        if found.iter().all(|(_, error)| error.is_none()) {
            return Err(ResolveError::Conflict {
                tag: self.interpreter.tag.clone(),
                reason: reason.to_owned(),
            });
        }
        Ok(found)
    }

    fn all(
        &self,
        requirements: &[Requirement],
        request: &Request,
        target: Target,
    ) -> Result<Resolution, Failed> {
        if requirements.is_empty() {
            return Ok(Resolution::new());
        }
        let mut resolution = match self.installer {
            Installer::Uv { program, .. } => self.with_uv(program, requirements, request, target),
            Installer::Pip => self.with_pip(requirements, request, target),
        }?;
        // Those that their markers exclude here.
        for requirement in requirements {
            resolution
                .entry(name_of(requirement))
                .or_insert_with(Resolved::unresolved);
        }
        Ok(resolution)
    }

    /// Makes uv lock a project with these requirements, for this version of Python on this kind of machine.
    fn with_uv(
        &self,
        program: &Path,
        requirements: &[Requirement],
        request: &Request,
        target: Target,
    ) -> Result<Resolution, Failed> {
        let version: Version = self.parsed_version()?;
        let texts: Vec<String> = requirements.iter().map(dependency).collect();
        let project = serde_json::json!({
            "project": {
                "name": "ftbench-compat",
                "version": "0",
                "requires-python": format!("=={}.{}.*", version.major, version.minor),
                "dependencies": texts,
            },
            "tool": { "uv": {
                "package": false,
                "constraint-dependencies": request.constraints,
                "environments": [format!(
                    "sys_platform == 'linux' and platform_machine == '{}' and implementation_name == 'cpython'",
                    std::env::consts::ARCH
                )],
            } },
        });
        let project = toml::to_string(&project).map_err(|error| self.system(io::Error::other(error)))?;
        let lock = self.folder.join("uv.lock");
        fs::write(self.folder.join("pyproject.toml"), project)
            .and_then(|()| match fs::remove_file(&lock) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            })
            .map_err(|error| self.system(error))?;
        let mut command = Command::new(program);
        command
            .args(["lock", "--no-python-downloads", "--project"])
            .arg(self.folder)
            .arg("--python")
            .arg(&self.interpreter.path);
        self.run(&mut command)?;
        let text = fs::read_to_string(&lock).map_err(|error| self.system(error))?;
        let lock: LockFile =
            toml::from_str(&text).map_err(|error| self.system(io::Error::other(error.to_string())))?;
        let packages = lock
            .packages
            .iter()
            .filter(|package| package.source.not_packaged.is_none());
        Ok(packages
            .map(|package| (package.name.clone(), of_lock(package, requirements, target)))
            .collect())
    }

    fn parsed_version(&self) -> Result<Version, Failed> {
        let unknown = || ResolveError::Interpreter(self.interpreter.tag.clone());
        self.interpreter
            .version
            .parse()
            .map_err(|_| Failed::Error(unknown()))
    }

    /// Makes pip report what it would install.
    fn with_pip(
        &self,
        requirements: &[Requirement],
        request: &Request,
        target: Target,
    ) -> Result<Resolution, Failed> {
        let constraints = self.folder.join("constraints.txt");
        fs::write(&constraints, request.constraints.join("\n")).map_err(|error| self.system(error))?;
        let constraints = constraints.display().to_string();
        let texts: Vec<String> = requirements.iter().map(dependency).collect();
        let mut words = vec!["--constraint", &constraints, "--"];
        words.extend(texts.iter().map(String::as_str));
        let report = self.report(&words)?;
        let names: BTreeSet<String> = report
            .iter()
            .map(|item| normalised(&item.metadata.name))
            .collect();
        Ok(report
            .iter()
            .map(|item| {
                let name = normalised(&item.metadata.name);
                let requires = item.metadata.requires_dist.iter();
                let requires = requires.filter_map(|text| Some(text.parse::<Requirement>().ok()?.name()));
                let file = item.download_info.url.rsplit('/').next().unwrap_or_default();
                let wheel = Tags::of_file(file);
                let distribution = match wheel {
                    Some(tags) => target.distribution(&tags).unwrap_or_default(),
                    None => Distribution::SourceOnly,
                };
                let own = requirements.iter().find(|one| name_of(one) == name);
                let resolved = Resolved {
                    version: Some(item.metadata.version.clone()),
                    // pip does not say which of them apply here; one that does not is rarely installed.
                    requires: requires.filter(|required| names.contains(required)).collect(),
                    distribution,
                    wheel: wheel.map(|_| file.to_owned()),
                    hash: None,
                    requirement: installable(&name, &item.metadata.version, own, false),
                    error: None,
                };
                (name, resolved)
            })
            .collect())
    }

    /// The newest version of a package that has a wheel for this build.
    #[must_use]
    pub fn newest_with_wheel(&self, name: &str) -> Option<String> {
        match self.installer {
            Installer::Uv { program, .. } => {
                let file = self.folder.join(format!("{name}.txt"));
                fs::write(&file, name).ok()?;
                let mut command = Command::new(program);
                command
                    .args([
                        "pip",
                        "compile",
                        "--no-deps",
                        "--only-binary",
                        ":all:",
                        "--no-header",
                    ])
                    .args(["--no-annotate", "--no-python-downloads", "--python"])
                    .arg(&self.interpreter.path)
                    .arg(&file);
                let ended = self.run(&mut command).ok()?;
                let text = String::from_utf8_lossy(&ended.output).into_owned();
                let pin = text.lines().find(|line| line.starts_with(name))?;
                Some(pin.split_once("==")?.1.trim().to_owned())
            }
            Installer::Pip => {
                let report = self
                    .report(&["--no-deps", "--only-binary", ":all:", "--", name])
                    .ok()?;
                Some(report.into_iter().next()?.metadata.version)
            }
        }
    }

    /// What pip would install.
    fn report(&self, words: &[&str]) -> Result<Vec<ReportItem>, Failed> {
        let environment = self.folder.join("pip");
        if !environment.exists() {
            let mut create = Command::new(&self.interpreter.path);
            create.args(["-I", "-m", "venv"]).arg(&environment);
            self.run(&mut create)?;
        }
        let report = self.folder.join("report.json");
        let mut command = Command::new(environment.join("bin/python"));
        command
            .args([
                "-I",
                "-m",
                "pip",
                "install",
                "--dry-run",
                "--ignore-installed",
                "--no-input",
            ])
            .args(["--disable-pip-version-check", "--quiet", "--report"])
            .arg(&report)
            .args(words);
        self.run(&mut command)?;
        let text = fs::read(&report).map_err(|error| self.system(error))?;
        let report: Report = serde_json::from_slice(&text).map_err(|error| self.system(error.into()))?;
        Ok(report.install)
    }

    fn run(&self, command: &mut Command) -> Result<Ended, Failed> {
        command.env("NO_COLOR", "1").current_dir(self.folder);
        let ended = bounded::run_guarded(command, TIME_LIMIT, &self.is_stopped)
            .map_err(|error| self.system(error))?;
        match ended.status {
            Some(status) if status.success() => return Ok(ended),
            None if (self.is_stopped)() => return Err(Failed::Error(ResolveError::Interrupted)),
            _ => {}
        }
        let printed = String::from_utf8_lossy(&ended.errors);
        let reason = complaint::reason(&printed);
        if complaint::is_unreachable(&printed) {
            let tag = self.interpreter.tag.clone();
            return Err(Failed::Error(ResolveError::Unreachable { tag, reason }));
        }
        Err(Failed::Reason(reason))
    }

    fn system(&self, source: io::Error) -> Failed {
        let tag = self.interpreter.tag.clone();
        Failed::Error(ResolveError::System { tag, source })
    }
}

/// The name of the package that a requirement is for. A project's own name may differ from its folder's.
pub fn name_of(requirement: &Requirement) -> String {
    #[derive(Deserialize)]
    struct File {
        project: Project,
    }
    #[derive(Deserialize)]
    struct Project {
        name: String,
    }
    let own = match requirement {
        Requirement::Project(folder) => {
            outside::read_text(&folder.join("pyproject.toml"), LARGEST_PROJECT_BYTES).ok()
        }
        _ => None,
    };
    let file: Option<File> = own.and_then(|text| toml::from_str(&text).ok());
    file.map_or_else(|| requirement.name(), |file| normalised(&file.project.name))
}

/// A requirement as a project or pip writes it.
fn dependency(requirement: &Requirement) -> String {
    match requirement {
        Requirement::Named { text, .. } => text.clone(),
        Requirement::Wheel(path) | Requirement::Project(path) => {
            format!("{} @ file://{}", name_of(requirement), path.display())
        }
    }
}

/// What the installer is given for a resolved package.
fn installable(
    name: &str,
    version: &str,
    own: Option<&Requirement>,
    is_elsewhere: bool,
) -> Option<Requirement> {
    match own {
        Some(local @ (Requirement::Wheel(_) | Requirement::Project(_))) => Some(local.clone()),
        Some(own) if is_elsewhere => Some(own.clone()),
        _ => format!("{name}=={version}").parse().ok(),
    }
}

fn of_lock(package: &LockedPackage, requirements: &[Requirement], target: Target) -> Resolved {
    let wheels = package.wheels.iter().filter_map(|file| {
        let name = file.name()?;
        let distribution = target.distribution(&Tags::of_file(name)?)?;
        Some((distribution, name, file.hash.as_ref()))
    });
    let best = wheels.min_by_key(|(distribution, ..)| *distribution);
    let is_local = package.source.is_folder() || package.source.path.is_some();
    let is_elsewhere = package.source.url.is_some() || package.source.git.is_some();
    let distribution = match best {
        _ if is_local => Distribution::Local,
        Some((distribution, ..)) => distribution,
        None if package.sdist.is_some() || is_elsewhere => Distribution::SourceOnly,
        None => Distribution::Nothing,
    };
    let version = package.version.clone().unwrap_or_default();
    let own = requirements.iter().find(|one| name_of(one) == package.name);
    let extras = package.optional_dependencies.values().flatten();
    let requires = package.dependencies.iter().chain(extras);
    Resolved {
        requires: requires.map(|one| one.name.clone()).collect(),
        distribution,
        wheel: best.map(|(_, name, _)| name.to_owned()),
        hash: best.and_then(|(_, _, hash)| hash.cloned()),
        requirement: installable(&package.name, &version, own, is_elsewhere),
        error: None,
        version: Some(version),
    }
}

/// pip's report (<https://pip.pypa.io/en/stable/reference/installation-report/>).
#[derive(Debug, Deserialize)]
struct Report {
    install: Vec<ReportItem>,
}

#[derive(Debug, Deserialize)]
struct ReportItem {
    metadata: ReportMetadata,
    download_info: DownloadInfo,
}

#[derive(Debug, Deserialize)]
struct ReportMetadata {
    name: String,
    version: String,
    #[serde(default)]
    requires_dist: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct DownloadInfo {
    url: String,
}
