//! Lists the benchmarks of files for other tools, with the packages that they need.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::interpreters::{Install, interpreters};
use super::packages::{self, Packages};
use crate::assets::Assets;
use crate::cli::{ForeignArgs, OutputOptions};
use crate::command::{cache_folder, remark};
use crate::interpreter::Selection;
use crate::outside;
use crate::record::store;
use crate::workload::environment::{Environments, Wanted};
use crate::workload::{Arms, Lister, Requirement, RequirementError, Workload, foreign, pyperformance};
use ftbench_schema::InterpreterFacts;

/// Finds benchmarks with the first interpreter that can have their packages, and with the code of the first arm.
/// Interpreters are looked for when they are needed.
#[derive(Debug)]
pub struct PythonLister<'a> {
    /// The worker.
    pub assets: &'a Assets,
    /// The packages that every workload gets.
    pub packages: &'a Packages,
    /// The versions of the measured code.
    pub arms: &'a Arms,
    /// The interpreters that the command line names.
    pub interpreters: &'a [String],
    /// When missing ones are installed.
    pub install: Install,
    /// Which benchmarks, and the arguments of scripts.
    pub options: &'a ForeignArgs,
    /// Whether to report what is installed.
    pub output: OutputOptions,
    /// The interpreters once they have been found.
    pub selected: OnceCell<Selection>,
}

impl PythonLister<'_> {
    /// The first interpreter.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn interpreter(&self) -> Result<&InterpreterFacts, String> {
        let first = self.selection()?.interpreters.first();
        first.ok_or_else(|| "no interpreter was found".to_owned())
    }

    fn selection(&self) -> Result<&Selection, String> {
        let selection = match self.selected.get() {
            Some(selection) => selection,
            None => {
                let found =
                    interpreters(self.interpreters, self.install).map_err(|error| error.to_string())?;
                self.selected.get_or_init(|| found)
            }
        };
        Ok(selection)
    }

    /// The file that keeps the benchmarks of a script in one of ftbench's own environments, which do not change. Listing
    /// those of pyperformance takes more than a minute.
    fn kept_list(&self, python: &Path, file: &foreign::File<'_>) -> Option<PathBuf> {
        let cache = cache_folder().ok()?;
        if file.modules.is_some() || !Environments::below(&cache).have(file.path) {
            return None;
        }
        let contents = outside::sha256(file.path, LARGEST_KEPT_BYTES).ok()?;
        let worker = &self.assets.worker;
        let key = (python, worker, file.path, contents, file.arguments, file.keyword);
        let digest = hex::encode(Sha256::digest(serde_json::to_vec(&key).ok()?));
        Some(cache.join("lists").join(digest + ".json"))
    }

    /// The Python of the first interpreter for which the packages of a workload can be had.
    fn python(&self, workload: &Workload) -> Result<PathBuf, String> {
        let arm = self.arms.all.first().map(|arm| arm.facts.name.as_str());
        let wheel = self.arms.wheel(arm);
        let mut first_failure = None;
        for interpreter in &self.selection()?.interpreters {
            match packages::python_for(self.packages, interpreter, workload, wheel.clone(), self.output) {
                Ok(python) => return Ok(python),
                Err(reason) => first_failure = first_failure.or(Some(reason)),
            }
        }
        Err(first_failure.unwrap_or_else(|| "no interpreter was found".to_owned()))
    }
}

/// Largest script whose list is kept, and largest list that is read, bytes.
const LARGEST_KEPT_BYTES: u64 = 1 << 20;

fn read_list(path: &Path) -> Option<Vec<String>> {
    serde_json::from_slice(&outside::read(path, LARGEST_KEPT_BYTES).ok()?).ok()
}

fn write_list(path: &Path, names: &[String]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    store::write_bytes(path, &serde_json::to_vec(names)?).map_err(io::Error::other)
}

impl Lister for PythonLister<'_> {
    fn cases(&self, workload: &Workload) -> Result<Vec<String>, String> {
        let Some(format) = workload.format() else {
            return Ok(Vec::new());
        };
        let python = self.python(workload)?;
        let of_script = self.options.script_args.as_ref().map(|words| words.0.as_slice());
        let arguments = match workload.arguments() {
            [] => of_script.unwrap_or_default(),
            own => own,
        };
        let file = foreign::File {
            path: &workload.path,
            format,
            arguments,
            keyword: self.options.bench.as_deref(),
            modules: self.arms.folders().first().copied(),
        };
        let kept = self.kept_list(&python, &file);
        if let Some(names) = kept.as_deref().and_then(read_list) {
            return Ok(names);
        }
        if self.output.verbose {
            let path = workload.path.display();
            remark(
                self.output,
                &format!("listing the benchmarks of {path} with {}", python.display()),
            );
        }
        let names = foreign::cases(&python, &self.assets.worker, &file)?;
        if let Some(kept) = kept {
            // Whatever is not kept is listed again.
            let _ = write_list(&kept, &names);
        }
        Ok(names)
    }

    fn pyperformance(&self) -> Result<(PathBuf, String), String> {
        let is_suite = |requirement: &&Requirement| requirement.name() == pyperformance::SUITE;
        let requested = self.packages.with.iter().find(is_suite).cloned();
        let requirement = match requested {
            Some(requirement) => requirement,
            None => pyperformance::SUITE
                .parse()
                .map_err(|error: RequirementError| error.to_string())?,
        };
        let wanted = Wanted {
            interpreter: self.interpreter()?.clone(),
            requirements: BTreeSet::from([requirement]),
            lock: None,
            source_builds: self.packages.source_builds,
            independently: false,
            hashes: BTreeSet::new(),
        };
        let environment = packages::installed(&wanted, self.output)?;
        let library = environment.path.join("lib");
        let versions = fs::read_dir(&library).map_err(|error| format!("{}: {error}", library.display()))?;
        let folder = versions
            .filter_map(|version| {
                Some(
                    version
                        .ok()?
                        .path()
                        .join("site-packages")
                        .join(pyperformance::FOLDER),
                )
            })
            .find(|folder| folder.is_dir())
            .ok_or_else(|| format!("{} has no {}", library.display(), pyperformance::FOLDER))?;
        let mut packages = environment.record.packages.iter();
        let version = packages.find(|package| package.name == pyperformance::SUITE);
        Ok((
            folder,
            version.map(|package| package.version.clone()).unwrap_or_default(),
        ))
    }
}
