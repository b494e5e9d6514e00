//! The user's own modules that workloads import: files and packages in the folder that comes first on the module path.
//! For a workload file that is its folder, for a callable, a call or a command the working directory.
//!
//! Imports are found in import statements and followed from module to module. An import by a name that the program
//! computes is not found. Modules that are installed into the interpreter do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::arm::tree::{files_of_tree, sha256_of_files};
use super::code::{Code, LARGEST_FILE_BYTES, Workload};
use crate::outside;
use ftbench_schema::ModuleFacts;

/// Most modules and packages that are listed, over all workloads. A folder with more is not just a program's own code.
const MAX_MODULES: usize = 1_000;

/// Largest module that is hashed, bytes; compiled ones can be large.
const LARGEST_MODULE_BYTES: u64 = 256 << 20;

/// The modules that these workloads and the `loop_factory` (`package.module:function`) import from the workloads'
/// folders, sorted by path. Modules that all `arms` (folders of modules) have are left out, because Python finds them
/// there first, and the arms have digests of their own.
#[must_use]
pub fn imported_by<'a>(
    workloads: impl IntoIterator<Item = &'a Workload>,
    arms: &[&Path],
    loop_factory: Option<&str>,
) -> Vec<ModuleFacts> {
    let mut found: BTreeMap<PathBuf, ModuleFacts> = BTreeMap::new();
    for workload in workloads {
        let (folder, mut names) = own_imports(workload);
        names.extend(loop_factory.and_then(top_level));
        let mut looked_for: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = names.pop_first() {
            let in_arms = !arms.is_empty() && arms.iter().all(|arm| !find(arm, &name).is_empty());
            if !looked_for.insert(name.clone()) || in_arms {
                continue;
            }
            for module in find(folder, &name) {
                if found.len() >= MAX_MODULES {
                    break;
                }
                let contents = Contents::read(&module).unwrap_or_default();
                names.extend(contents.imports);
                let facts = ModuleFacts {
                    name: name.clone(),
                    path: module.display().to_string(),
                    sha256: contents.sha256,
                };
                found.insert(module, facts);
            }
        }
    }
    found.into_values().collect()
}

/// The folder whose modules a workload finds first, and the names that it imports itself.
fn own_imports(workload: &Workload) -> (&Path, BTreeSet<String>) {
    match &workload.code {
        Code::Callable(callable) => (&workload.path, BTreeSet::from([callable.top_level().to_owned()])),
        Code::Call(call) => (&workload.path, imports(&call.setup)),
        Code::Command(command) => {
            let server = command.server.iter().map(|server| server.line.as_str());
            let lines = std::iter::once(command.line.as_str()).chain(server);
            (&workload.path, lines.flat_map(modules_of_command).collect())
        }
        Code::File | Code::Foreign { .. } => {
            let folder = workload.path.parent().unwrap_or(Path::new(""));
            let source = outside::read(&workload.path, LARGEST_FILE_BYTES).unwrap_or_default();
            (folder, imports(&String::from_utf8_lossy(&source)))
        }
    }
}

/// The modules that a command line names: files of Python in the working directory, what follows `-m`, and modules with
/// an application, as servers spell them: `app:app`.
fn modules_of_command(line: &str) -> BTreeSet<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let files = words.iter().filter_map(|word| word.strip_suffix(".py"));
    let modules = words.windows(2).filter_map(|pair| match pair {
        ["-m", module] => module.split('.').next(),
        _ => None,
    });
    let applications = words
        .iter()
        .filter_map(|word| word.split_once(':')?.0.split('.').next());
    let all = files.chain(modules).chain(applications);
    all.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Finds a module by name in a folder: a package, a module in Python or a compiled one, or several of these.
fn find(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let [package, module] = [folder.join(name), folder.join(format!("{name}.py"))];
    if is_package(&package) {
        found.push(package);
    }
    if module.is_file() {
        found.push(module);
    }
    let beginning = format!("{name}.");
    let is_compiled = |path: &PathBuf| {
        let called = path
            .file_name()
            .and_then(|called| called.to_str())
            .unwrap_or_default();
        called.starts_with(&beginning) && is_module(path) && !called.ends_with(".py")
    };
    let beside = fs::read_dir(folder).into_iter().flatten().flatten();
    found.extend(beside.map(|entry| entry.path()).filter(is_compiled));
    found
}

/// Whether a folder has an `__init__.py` or another module directly in it. A folder needs no `__init__.py` to be a
/// package (PEP 420), but one without modules is a folder of something else.
fn is_package(folder: &Path) -> bool {
    let mut within = fs::read_dir(folder).into_iter().flatten().flatten();
    within.any(|entry| is_module(&entry.path()))
}

fn is_module(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| suffix == "py" || suffix == "so")
}

/// The digest and the imports of a module or package.
#[derive(Default)]
struct Contents {
    sha256: Option<String>,
    imports: BTreeSet<String>,
}

impl Contents {
    fn read(module: &Path) -> io::Result<Self> {
        if !module.is_dir() {
            let bytes = outside::read(module, LARGEST_MODULE_BYTES)?;
            return Ok(Self {
                sha256: Some(hex::encode(Sha256::digest(&bytes))),
                imports: imports_of(module, &bytes),
            });
        }
        let Some(mut files) = files_of_tree(module)? else {
            return Ok(Self::default());
        };
        // A package may keep what it computes beside its modules.
        files.retain(|file| is_module(file));
        let mut imports = BTreeSet::new();
        for file in &files {
            let source = outside::read(file, LARGEST_FILE_BYTES).unwrap_or_default();
            imports.extend(imports_of(file, &source));
        }
        Ok(Self {
            sha256: sha256_of_files(module, &files)?,
            imports,
        })
    }
}

fn imports_of(file: &Path, source: &[u8]) -> BTreeSet<String> {
    if file.extension().is_some_and(|suffix| suffix == "py") {
        imports(&String::from_utf8_lossy(source))
    } else {
        BTreeSet::new()
    }
}

/// The names of the top-level modules that this source imports. Words in a string that read like an import count as
/// one, which does no harm unless there is such a module. Pure.
fn imports(source: &str) -> BTreeSet<String> {
    let statements = source.lines().flat_map(|line| line.split([';', ':']));
    let mut found = BTreeSet::new();
    for statement in statements {
        let (first, rest) = statement
            .trim_start()
            .split_once(char::is_whitespace)
            .unwrap_or_default();
        match first {
            "import" => found.extend(rest.split(',').filter_map(top_level)),
            "from" => found.extend(top_level(rest)),
            _ => {}
        }
    }
    found
}

/// Returns `a` for ` a.b as c`; `None` where no name begins, as in a relative import.
fn top_level(words: &str) -> Option<String> {
    let words = words.trim_start();
    let end = words
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(words.len());
    let name = words.get(..end)?;
    let starts_well = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    starts_well.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::{file_tree, write_in};

    const SOURCE: &str = "
import json, helper as h, package.inner
from other.part import (
    names,
)
from . import sibling
if True: import late; import later
    # import remark
important = from_here
def setup(units): ...
";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn of(files: &[(&str, &str)]) -> Self {
            Self(file_tree(files))
        }

        fn write(&self, name: &str, contents: &str) {
            write_in(self.0.path(), name, contents);
        }

        fn file(&self, name: &str) -> Workload {
            Workload::read(&self.0.path().join(name)).unwrap().remove(0)
        }

        fn callable(&self, name: &str) -> Workload {
            Workload::of_callable(&name.parse().unwrap(), self.0.path())
        }
    }

    /// Paths of modules in their folder, with digests.
    fn modules(workload: &Workload, arms: &[&Path]) -> Vec<(String, Option<String>)> {
        let folder = workload.path.ancestors().find(|above| above.is_dir()).unwrap();
        let in_folder = |facts: ModuleFacts| {
            let path = Path::new(&facts.path).strip_prefix(folder).unwrap().to_owned();
            (path.display().to_string(), facts.sha256)
        };
        imported_by([workload], arms, None)
            .into_iter()
            .map(in_folder)
            .collect()
    }

    fn paths(workload: &Workload, arms: &[&Path]) -> Vec<String> {
        modules(workload, arms)
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    }

    #[test]
    fn imports_are_found_in_statements() {
        let names: Vec<String> = imports(SOURCE).into_iter().collect();
        assert_eq!(names, ["helper", "json", "late", "later", "other", "package"]);
        assert_eq!(
            imports("import\nfrom\nfrom .. import a\nimport 2a, \n"),
            BTreeSet::new()
        );
    }

    proptest! {
        #[test]
        fn imported_names_are_in_the_source(source in "(import |from |[a-c. ,;:\\n]|\\PC){0,30}") {
            for name in imports(&source) {
                prop_assert!(source.contains(&name));
            }
        }
    }

    #[test]
    fn only_imported_modules_are_followed() {
        let folder = Folder::of(&[
            ("work.py", "import helper, json, data, fast\n"),
            ("helper.py", "from package.inner import thing\n"),
            ("package/__init__.py", "from . import inner\n"),
            ("package/inner.py", "import helper, deep\n"),
            ("package/cache.db", "1"),
            ("deep/part.py", ""),
            ("fast.cpython-313t-x86_64-linux-gnu.so", "machine code"),
            ("data/numbers.txt", ""),
            ("setup.py", ""),
            ("unrelated.py", "import helper\n"),
        ]);
        let work = folder.file("work.py");
        assert_eq!(
            paths(&work, &[]),
            [
                "deep",
                "fast.cpython-313t-x86_64-linux-gnu.so",
                "helper.py",
                "package"
            ]
        );
        let before = modules(&work, &[]);
        assert!(before.iter().all(|(_, sha256)| sha256.is_some()));
        folder.write("unrelated.py", "later");
        folder.write("package/cache.db", "2");
        folder.write("package/__pycache__/inner.py", "");
        assert_eq!(modules(&work, &[]), before);
        folder.write("package/inner.py", "import helper, deep  # later\n");
        let after = modules(&work, &[]);
        let changed: Vec<&str> = before
            .iter()
            .zip(&after)
            .filter(|(was, is)| was != is)
            .map(|((path, _), _)| path.as_str())
            .collect();
        assert_eq!(changed, ["package"]);
    }

    #[test]
    fn modules_of_command_lines_are_files_what_follows_m_and_applications() {
        let of = |line: &str| modules_of_command(line).into_iter().collect::<Vec<String>>();
        assert_eq!(of("{python} app.py {port}"), ["app"]);
        assert_eq!(of("{python} -m server.main -m"), ["server"]);
        let names = of("{python} -m gunicorn shop.web:app --bind 127.0.0.1:{port}");
        assert!(
            names.contains(&"gunicorn".to_owned()) && names.contains(&"shop".to_owned()),
            "{names:?}"
        );
        assert_eq!(of(":8000"), [""; 0]);
    }

    #[test]
    fn loop_factory_is_found_beside_the_workload() {
        let folder = Folder::of(&[
            ("work.py", ""),
            ("loops.py", "import helper\n"),
            ("helper.py", ""),
        ]);
        let found = imported_by([&folder.file("work.py")], &[], Some("loops:new"));
        let names: Vec<&str> = found.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["helper", "loops"]);
    }

    #[test]
    fn callable_is_found_in_its_folder_unless_the_arms_have_it() {
        let folder = Folder::of(&[
            ("mine/__init__.py", ""),
            ("mine/module.py", "import helper\n"),
            ("helper.py", ""),
        ]);
        let callable = folder.callable("mine.module:function");
        assert_eq!(paths(&callable, &[]), ["helper.py", "mine"]);
        assert_eq!(paths(&folder.callable("json:dumps"), &[]), [""; 0]);
        let [with, without] = [
            Folder::of(&[("mine/__init__.py", "")]),
            Folder::of(&[("other.py", "")]),
        ];
        assert_eq!(paths(&callable, &[with.0.path()]), [""; 0]);
        let arms = [with.0.path(), without.0.path()];
        assert_eq!(paths(&callable, &arms), ["helper.py", "mine"]);
    }
}
