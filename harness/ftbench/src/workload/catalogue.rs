//! Finds the workloads that a command names: those of the standard suite, and files of the user's own.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use super::code::{Workload, WorkloadError, source_of};
use super::foreign;
use super::metadata::Metadata;
use super::pyperformance::{self, Benchmark};
use ftbench_schema::pattern::Pattern;
use ftbench_schema::{Format, suggest};

/// Finds benchmarks that were written for other tools.
pub trait Lister {
    /// Lists the benchmarks of a file.
    ///
    /// # Errors
    /// Says in one line why that failed.
    fn cases(&self, workload: &Workload) -> Result<Vec<String>, String>;

    /// Returns the folder of the benchmarks of pyperformance, and its version.
    ///
    /// # Errors
    /// Says in one line why it cannot be had.
    fn pyperformance(&self) -> Result<(PathBuf, String), String>;
}

/// The standard suite.
#[derive(Debug, Clone)]
pub struct Catalogue {
    workloads: Vec<Workload>,
}

impl Catalogue {
    /// Makes a catalogue of the suite's workloads, in order of their kinds and names.
    #[must_use]
    pub fn new(mut workloads: Vec<Workload>) -> Self {
        workloads.sort_by(|a, b| (a.metadata.kind.name(), &a.name).cmp(&(b.metadata.kind.name(), &b.name)));
        Self { workloads }
    }

    /// All workloads of the suite.
    #[must_use]
    pub fn all(&self) -> &[Workload] {
        &self.workloads
    }

    /// The workloads that the words name: names and globs of the suite, alone (`n*`) or with their folder (`cpu/*`), or
    /// paths of files and folders. No words name the whole suite. Files with the same name in different folders get
    /// folders in front. `lister` lists the benchmarks of a file for another tool.
    ///
    /// # Errors
    /// Names the word that matches nothing, and similar names.
    pub fn resolve(&self, words: &[String], lister: &dyn Lister) -> Result<Vec<Workload>, WorkloadError> {
        if words.is_empty() {
            return Ok(self.workloads.clone());
        }
        let mut chosen: Vec<Workload> = Vec::new();
        for word in words {
            for workload in self.resolve_one(word, lister, words.len() > 1)? {
                let is_same = |other: &Workload| {
                    (&other.path, &other.case, &other.code)
                        == (&workload.path, &workload.case, &workload.code)
                };
                if !chosen.iter().any(is_same) {
                    chosen.push(workload);
                }
            }
        }
        self.distinguish(&mut chosen)?;
        Ok(chosen)
    }

    /// Puts folders in front of names that several files have. Files of the suite keep their names.
    fn distinguish(&self, chosen: &mut [Workload]) -> Result<(), WorkloadError> {
        let alike: Vec<PathBuf> = chosen
            .iter()
            .filter(|workload| same_name(chosen, workload).is_some())
            .map(|workload| workload.path.clone())
            .collect();
        for workload in chosen.iter_mut() {
            let is_of_suite = self.workloads.iter().any(|one| one.path == workload.path);
            if alike.contains(&workload.path) && !is_of_suite {
                workload.name = workload.name_in(Some(&name_with_folders(&workload.path, &alike)));
            }
        }
        let found = chosen
            .iter()
            .find_map(|workload| Some((workload, same_name(chosen, workload)?)));
        found.map_or(Ok(()), |(first, second)| {
            Err(WorkloadError::SameName {
                name: first.name.clone(),
                first: first.path.clone(),
                second: second.path.clone(),
            })
        })
    }

    fn resolve_one(
        &self,
        word: &str,
        lister: &dyn Lister,
        keeps_going: bool,
    ) -> Result<Vec<Workload>, WorkloadError> {
        if let Some(benchmark) = word.strip_prefix(pyperformance::SUITE)
            && let Some(benchmark) = benchmark
                .strip_prefix("::")
                .or(benchmark.is_empty().then_some("*"))
        {
            return of_pyperformance(benchmark, lister);
        }
        if let Some((file, case)) = word.split_once("::") {
            return cases_of_file(Path::new(file), case, lister);
        }
        let path = Path::new(word);
        let is_file = path.extension().is_some_and(|suffix| suffix == "py");
        if is_file || (word.contains('/') && (path.exists() || !self.may_be_in_suite(word))) {
            return found_at(path, lister, keeps_going);
        }
        let pattern = Pattern::new(word).map_err(|error| WorkloadError::Pattern {
            pattern: word.to_owned(),
            reason: error.to_string(),
        })?;
        let fits = |workload: &&Workload| {
            let [own, file] = [&workload.name, workload.file_name()];
            if word.contains('/') {
                let folder = workload.folder();
                pattern.matches(&format!("{folder}/{own}")) || pattern.matches(&format!("{folder}/{file}"))
            } else {
                pattern.matches(own) || pattern.matches(file)
            }
        };
        let found: Vec<Workload> = self.workloads.iter().filter(fits).cloned().collect();
        if found.is_empty() && (path.is_dir() || word == foreign::ASV_CONFIGURATION) {
            return found_at(path, lister, keeps_going);
        }
        if found.is_empty() {
            return Err(WorkloadError::Unknown {
                name: word.to_owned(),
                nearest: self.nearest(word),
            });
        }
        Ok(found)
    }

    /// Whether a word with a `/` begins with a folder of the suite, or with a pattern that may fit one.
    fn may_be_in_suite(&self, word: &str) -> bool {
        let folder = word.split('/').next().unwrap_or_default();
        folder.contains(['*', '?', '[', '{'])
            || self.workloads.iter().any(|workload| workload.folder() == folder)
    }

    /// Suggestions for a word that matches nothing: all of a folder, or similar names.
    fn nearest(&self, word: &str) -> Vec<String> {
        let folder = word.trim_end_matches('/');
        if self.workloads.iter().any(|workload| workload.folder() == folder) {
            return vec![format!("{folder}/*")];
        }
        let names = self.workloads.iter().map(|workload| {
            if word.contains('/') {
                format!("{}/{}", workload.folder(), workload.name)
            } else {
                workload.name.clone()
            }
        });
        let names: Vec<String> = names.collect();
        suggest::nearest(word, names.iter().map(String::as_str))
    }
}

/// Another workload with the same name.
fn same_name<'a>(chosen: &'a [Workload], workload: &Workload) -> Option<&'a Workload> {
    let is_other = |other: &&Workload| other.name == workload.name && *other != workload;
    chosen.iter().find(is_other)
}

/// The shortest end of a file's path, without its suffix and with at least one folder, that no other path ends with.
fn name_with_folders(path: &Path, others: &[PathBuf]) -> String {
    fn parts(path: &Path) -> Vec<&OsStr> {
        let folders = path.parent().into_iter().flat_map(Path::components);
        let folders = folders.filter_map(|part| match part {
            Component::Normal(folder) => Some(folder),
            _ => None,
        });
        folders.chain(path.file_stem()).collect()
    }
    let own = parts(path);
    let others: Vec<Vec<&OsStr>> = others
        .iter()
        .filter(|other| *other != path)
        .map(|other| parts(other))
        .collect();
    let ends = (0..own.len().saturating_sub(1))
        .rev()
        .filter_map(|first| own.get(first..));
    let mut distinct = ends.filter(|end| !others.iter().any(|other| other.ends_with(end)));
    let end = distinct.next().unwrap_or(&own);
    let words: Vec<_> = end.iter().map(|part| part.to_string_lossy()).collect();
    words.join("/")
}

/// The workloads at a path: those of a file, of the files for asv that a configuration names, or of all files in a
/// folder and below it.
fn found_at(path: &Path, lister: &dyn Lister, keeps_going: bool) -> Result<Vec<Workload>, WorkloadError> {
    let folder = foreign::folder_of_benchmarks(path).map_err(|source| WorkloadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let Some(folder) = folder else {
        let found = listed(Workload::read(path)?, lister, keeps_going)?;
        if found.is_empty() {
            return Err(WorkloadError::Unlisted {
                path: path.to_owned(),
                reason: "it has none".to_owned(),
            });
        }
        return Ok(found);
    };
    let found = in_folder(&folder)?;
    if found.is_empty() {
        return Err(WorkloadError::Empty(folder));
    }
    listed(found, lister, true)
}

/// The workloads of all files in a folder and below it, sorted by path.
fn in_folder(folder: &Path) -> Result<Vec<Workload>, WorkloadError> {
    let unreadable = |source| WorkloadError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()
        .map_err(unreadable)?;
    entries.sort();
    let is_hidden = |path: &Path| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.starts_with('.') || name == "__pycache__"
    };
    let mut found = Vec::new();
    for path in entries.into_iter().filter(|path| !is_hidden(path)) {
        // A link to a folder may lead back here.
        if path.is_dir() && !path.is_symlink() && !path.join("pyvenv.cfg").exists() {
            found.extend(in_folder(&path)?);
        } else if path.is_file() && path.extension().is_some_and(|suffix| suffix == "py") {
            let (path, source) = source_of(&path)?;
            if foreign::has_benchmarks(&String::from_utf8_lossy(&source)) {
                found.extend(Workload::from_source(&path, &source)?);
            }
        }
    }
    Ok(found)
}

/// The workloads of files, with one for each benchmark of those that were written for other tools. With `keeps_going`, a
/// file whose benchmarks are not known is a workload that fails with the reason.
fn listed(
    read: Vec<Workload>,
    lister: &dyn Lister,
    keeps_going: bool,
) -> Result<Vec<Workload>, WorkloadError> {
    let mut listed = Vec::new();
    for workload in read {
        if !workload.is_unlisted() {
            listed.push(workload);
            continue;
        }
        let unlisted = |reason| WorkloadError::Unlisted {
            path: workload.path.clone(),
            reason,
        };
        match lister.cases(&workload) {
            Ok(names) => listed.extend(names.iter().map(|name| workload.clone().with_case(name))),
            Err(reason) if keeps_going => listed.push(Workload {
                metadata: Metadata {
                    summary: format!("its benchmarks are not known: {reason}"),
                    ..workload.metadata
                },
                ..workload
            }),
            Err(reason) if workload.format() == Some(Format::Pyperf) => {
                let path = workload.path.display();
                return Err(unlisted(format!(
                    "{reason}; to measure one without listing them, name it: {path}::NAME"
                )));
            }
            Err(reason) => return Err(unlisted(reason)),
        }
    }
    Ok(listed)
}

/// The benchmarks of pyperformance whose name or tag fits a pattern, or those of their scripts whose name does.
fn of_pyperformance(word: &str, lister: &dyn Lister) -> Result<Vec<Workload>, WorkloadError> {
    let pattern = Pattern::new(word).map_err(|error| WorkloadError::Pattern {
        pattern: word.to_owned(),
        reason: error.to_string(),
    })?;
    let (folder, version) = lister.pyperformance().map_err(WorkloadError::NoSuite)?;
    let all = pyperformance::benchmarks(&folder)?;
    let fits =
        |one: &&Benchmark| pattern.matches(&one.name) || one.tags.iter().any(|tag| pattern.matches(tag));
    let chosen: Vec<&Benchmark> = all.iter().filter(fits).collect();
    // The script of `logging` has `logging_format` and others.
    let beginning = |one: &&Benchmark| word.starts_with(&one.name);
    let scripts = if chosen.is_empty() {
        all.iter().filter(beginning).collect()
    } else {
        chosen.clone()
    };
    let mut found = Vec::new();
    for benchmark in scripts {
        let read = Workload::read(&benchmark.script)?;
        let prepared = read
            .into_iter()
            .map(|workload| workload.of_suite(benchmark, &version));
        let prepared = prepared.collect::<Result<Vec<Workload>, _>>()?;
        let mut of_script = listed(prepared, lister, true)?;
        for unlisted in of_script.iter_mut().filter(|workload| workload.case.is_none()) {
            unlisted.name = format!("{}.{}", pyperformance::SUITE, benchmark.name);
        }
        found.append(&mut of_script);
    }
    if chosen.is_empty() {
        found.retain(|workload| workload.case.as_ref().is_some_and(|case| pattern.matches(case)));
    }
    if found.is_empty() {
        let names = all.iter().map(|one| one.name.as_str());
        return Err(WorkloadError::NotInSuite {
            word: word.to_owned(),
            nearest: suggest::nearest(word, names),
        });
    }
    Ok(found)
}

/// The cases of a file or folder that fit a word or a pattern.
fn cases_of_file(path: &Path, case: &str, lister: &dyn Lister) -> Result<Vec<Workload>, WorkloadError> {
    let has_wildcards = case.contains(['*', '?', '[', '{']);
    // The parameters of a test stand in brackets, which need not be a valid pattern.
    let pattern = Pattern::new(case);
    if path.is_file() && !has_wildcards {
        let all = Workload::read(path)?;
        if all
            .iter()
            .all(|workload| workload.format() == Some(Format::Pyperf))
        {
            // Listing the others would need the packages that the file imports.
            return Ok(all.into_iter().map(|workload| workload.with_case(case)).collect());
        }
    }
    let all = found_at(path, lister, false)?;
    let own = |workload: &Workload| workload.case.clone();
    let names: Vec<String> = all.iter().filter_map(own).collect();
    let fits = |workload: &Workload| {
        let name = workload.case.as_deref().unwrap_or_default();
        let is_foreign = workload.format().is_some();
        let is_meant = |name: &str| {
            pattern.as_ref().is_ok_and(|pattern| pattern.matches(name))
                || name == case
                || (is_foreign
                    && name
                        .strip_prefix(case)
                        .is_some_and(|rest| rest.starts_with(['.', '(', '[', ':'])))
        };
        is_meant(name) || workload.asv_name().is_some_and(|name| is_meant(&name))
    };
    let found: Vec<Workload> = all.into_iter().filter(fits).collect();
    match (found.is_empty(), pattern) {
        (false, _) => Ok(found),
        (true, Err(error)) => Err(WorkloadError::Pattern {
            pattern: case.to_owned(),
            reason: error.to_string(),
        }),
        (true, Ok(_)) => Err(WorkloadError::NoCase {
            path: path.to_owned(),
            case: case.to_owned(),
            cases: names,
        }),
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
