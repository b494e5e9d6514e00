//! The walls between the parts: a file that is said to be pure stays pure, and no stage imports a later one.
//!
//! A plain scan of the lines, not a parser: rustfmt keeps them in a form that it can read, and what it cannot see
//! (a name imported by somebody else and handed on) a reviewer can.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Folders and files, below `src`, that only turn values into values.
const PURE: [&str; 23] = [
    "plan/",
    "analyse/",
    "record/schema/",
    "native/",
    "present/",
    "doctor/checks/",
    "import/",
    "doctor/facts.rs",
    "doctor/mod.rs",
    "cargo_build/library.rs",
    "measure/calibrate.rs",
    "measure/conduct.rs",
    "measure/protocol.rs",
    "measure/rounds.rs",
    "measure/said.rs",
    "machine/topology.rs",
    "interpreter/select.rs",
    "interpreter/select_error.rs",
    "interpreter/wanted.rs",
    "interpreter/switches.rs",
    "interpreter/variant.rs",
    "suggest.rs",
    "pattern.rs",
];

/// Shows progress while it happens, which takes a terminal and a clock.
const NOT_PURE: [&str; 1] = ["present/progress.rs"];

/// What a pure file has no use for, and what it would do with it.
const IMPURE: [(&str, &str); 16] = [
    ("std::fs", "touches files"),
    ("File::", "touches files"),
    ("rustix::", "asks the system"),
    ("procfs::", "asks the system"),
    ("sysinfo::", "asks the system"),
    ("std::process", "starts processes"),
    ("std::net", "opens connections"),
    ("std::env", "reads the environment"),
    ("std::time::Instant", "reads the clock"),
    ("Instant::now", "reads the clock"),
    ("SystemTime", "reads the clock"),
    ("Timestamp::now", "reads the clock"),
    ("thread::sleep", "waits"),
    ("println!", "prints"),
    ("print!", "prints"),
    ("dbg!", "prints"),
];

/// What each part may import of the others, as the beginnings of paths after `crate::`. A part may import itself, and
/// all may import the plain data of `record::schema`, `suggest`, `pattern`, `leash`, `outside`, which reads files with a
/// limit, and `bounded`, which runs programs with limits.
///
/// Data flows plan -> measure -> record -> analyse -> present. The edges, `command`, `cli`, `error` and `main`, put
/// the parts together and may import all of them; no part imports an edge.
const IMPORTS: [(&str, &[&str]); 13] = [
    ("record", &[]),
    ("import", &[]),
    ("interpreter", &[]),
    ("workload", &[]),
    ("machine", &[]),
    ("native", &[]),
    ("plan", &["machine::topology", "interpreter", "workload"]),
    ("measure", &["plan", "machine", "workload", "native"]),
    ("analyse", &["interpreter::differences"]),
    ("doctor", &["machine", "interpreter", "plan", "analyse"]),
    (
        "present",
        &[
            "machine::topology",
            "plan",
            "analyse",
            "doctor::Report",
            "doctor::Severity",
            "doctor::Verdict",
            "doctor::facts",
            "doctor::checks",
        ],
    ),
    ("cargo_build", &["interpreter"]),
    ("assets", &["workload", "cargo_build"]),
];

const FOR_ALL: [&str; 6] = [
    "record::schema",
    "suggest",
    "leash",
    "outside",
    "bounded",
    "pattern",
];

/// The edges.
const EDGES: [&str; 5] = ["command", "cli", "error", "fuzzing", "main"];

/// The only files that know how the command line is read.
const KNOW_CLAP: [&str; 3] = ["command/", "cli/", "main.rs"];

/// A line that breaks a rule.
struct Violation {
    file: String,
    line: usize,
    rule: String,
    text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            rule,
            text,
        } = self;
        write!(formatter, "harness/src/{file}:{line}: {rule}: {text}")
    }
}

/// Lines of code, numbered from 1: no comments, no `#[cfg(test)]` modules.
fn code(source: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut in_test_item = false;
    for (number, line) in (1..).zip(source.lines()) {
        if line == "#[cfg(test)]" {
            in_test_item = true;
            continue;
        }
        if in_test_item {
            // An item at the left margin ends with `}` or `;` there, attributes before it begin with `#`.
            let ends = line == "}" || (!line.starts_with([' ', '#', '}']) && line.ends_with([';', '}']));
            in_test_item = !ends;
            continue;
        }
        if !line.trim_start().starts_with("//") {
            lines.push((number, line));
        }
    }
    lines
}

/// Files that are compiled for tests only: those that a `#[cfg(test)] mod name;` names.
fn test_files(file: &Path, source: &str) -> Vec<PathBuf> {
    let folder = file.parent().unwrap();
    let inner = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => folder.to_owned(),
        Some(stem) => folder.join(stem),
        None => panic!("{} has no name", file.display()),
    };
    let mut found = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let mut named = None;
        for line in lines.by_ref() {
            if let Some(path) = line.strip_prefix("#[path = \"") {
                named = Some(folder.join(path.trim_end_matches("\"]")));
            } else if !line.starts_with('#') {
                let name = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod "));
                if let Some((_, name)) = name {
                    found.push(named.unwrap_or_else(|| inner.join(format!("{name}.rs"))));
                }
                break;
            }
        }
    }
    found
}

/// The paths after each `crate::` of a line, such as `record::schema::Cell`; what is in braces counts one by one.
fn crate_paths(line: &str) -> Vec<String> {
    let is_path = |char: char| char.is_alphanumeric() || "_:".contains(char);
    let mut paths = Vec::new();
    for (start, _) in line.match_indices("crate::") {
        // `$crate::` and names that end in `crate` are something else.
        if line[..start].ends_with(|char: char| char.is_alphanumeric() || "_$".contains(char)) {
            continue;
        }
        let rest = &line[start + "crate::".len()..];
        let path: String = rest.chars().take_while(|&char| is_path(char)).collect();
        match rest[path.len()..].strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                paths.extend(group.split(',').map(|one| format!("{path}{}", one.trim())));
            }
            None => paths.push(path),
        }
    }
    paths
}

fn begins_with(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn part_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn is_in(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        if place.ends_with('/') {
            file.starts_with(place)
        } else {
            file == *place
        }
    })
}

/// Every line of a file, named as below `src`, that breaks a rule.
fn violations(file: &str, source: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, text) in code(source) {
        let broken = impurity(file, text)
            .into_iter()
            .chain(imports(file, text))
            .chain(knows_clap(file, text));
        found.extend(broken.map(|rule| Violation {
            file: file.to_owned(),
            line,
            rule,
            text: text.trim().to_owned(),
        }));
    }
    found
}

fn impurity(file: &str, text: &str) -> Option<String> {
    if !is_in(file, &PURE) || is_in(file, &NOT_PURE) {
        return None;
    }
    let (_, what) = IMPURE.iter().find(|(token, _)| text.contains(token))?;
    Some(format!("this file is pure, yet it {what}"))
}

fn imports(file: &str, text: &str) -> Vec<String> {
    let part = part_of(file);
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == part) else {
        return Vec::new();
    };
    let is_allowed = |path: &str| {
        begins_with(path, part)
            || FOR_ALL
                .iter()
                .chain(allowed.iter())
                .any(|beginning| begins_with(path, beginning))
    };
    let forbidden = crate_paths(text).into_iter().filter(|path| !is_allowed(path));
    forbidden
        .map(|path| {
            let list: Vec<&str> = FOR_ALL.iter().chain(*allowed).copied().collect();
            format!("`{part}` may not import `{path}`, only {}", list.join(", "))
        })
        .collect()
}

fn knows_clap(file: &str, text: &str) -> Option<String> {
    let uses = text.contains("clap::") || text.contains("use clap");
    (uses && !is_in(file, &KNOW_CLAP)).then(|| "only the command line's edge knows clap".to_owned())
}

/// Every file below `src` with its contents, but for those that are compiled for tests only.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                files.push((path, source));
            }
        }
    }
    let tests: BTreeSet<PathBuf> = files
        .iter()
        .flat_map(|(path, source)| test_files(path, source))
        .collect();
    for test in &tests {
        assert!(test.is_file(), "{} is declared and not there", test.display());
    }
    files.retain(|(path, _)| !tests.contains(path));
    files.sort();
    let below = |path: PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files
        .into_iter()
        .map(|(path, source)| (below(path), source))
        .collect()
}

#[test]
fn the_walls_stand() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(file, source)| violations(file, source))
        .map(|one| one.to_string())
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_part_has_its_rules() {
    let files = sources();
    let parts: BTreeSet<&str> = files.iter().map(|(file, _)| part_of(file)).collect();
    let known: BTreeSet<&str> = IMPORTS
        .iter()
        .map(|(part, _)| *part)
        .chain(EDGES)
        .chain(["suggest", "leash", "outside", "bounded", "pattern", "lib"])
        .collect();
    let without: Vec<&&str> = parts.difference(&known).collect();
    assert!(
        without.is_empty(),
        "say in IMPORTS what these may import: {without:?}"
    );
    for place in PURE.iter().chain(&NOT_PURE) {
        assert!(
            files.iter().any(|(file, _)| is_in(file, &[place])),
            "there is no {place} any more"
        );
    }
}

#[test]
fn what_breaks_a_rule_is_found() {
    let rules = |file: &str, source: &str| -> Vec<String> {
        violations(file, source)
            .into_iter()
            .map(|one| format!("{}: {}", one.line, one.rule))
            .collect()
    };
    assert_eq!(
        rules("plan/cells.rs", "use std::fs;\n\nfn f() { println!(); }"),
        [
            "1: this file is pure, yet it touches files",
            "3: this file is pure, yet it prints"
        ]
    );
    assert_eq!(
        rules(
            "analyse/summary.rs",
            "use crate::record::store;\nuse crate::record::schema::Cell;"
        ),
        [
            "1: `analyse` may not import `record::store`, only record::schema, suggest, leash, outside, bounded, pattern, interpreter::differences"
        ]
    );
    assert_eq!(
        rules("measure/trial.rs", "use crate::{present::units, machine::bind};").len(),
        1
    );
    assert_eq!(rules("present/table.rs", "    crate::command::run();").len(), 1);
    assert_eq!(
        rules("record/store.rs", "use clap::Parser;"),
        ["1: only the command line's edge knows clap"]
    );
    assert_eq!(
        rules(
            "present/progress.rs",
            "let now = std::time::Instant::now(); eprintln!();"
        ),
        [""; 0]
    );
    assert_eq!(
        rules("command/show.rs", "use crate::record::store;\nuse clap::Parser;"),
        [""; 0]
    );
    assert_eq!(
        rules(
            "plan/order.rs",
            "//! Not like std::fs.\n// println!\nuse crate::plan::cells;"
        ),
        [""; 0]
    );
}

#[test]
fn tests_are_not_held_to_the_rules() {
    let source =
        "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn g() {\n    }\n}\n\nuse std::env;";
    let numbers: Vec<usize> = code(source).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2, 9, 10]);
    let source = "#[cfg(test)]\n#[path = \"rounds_tests.rs\"]\nmod tests;\n#[cfg(test)]\npub(crate) mod made_up;\nmod x;";
    assert_eq!(
        code(source)
            .into_iter()
            .map(|(number, _)| number)
            .collect::<Vec<_>>(),
        [6]
    );
    let found = test_files(Path::new("src/measure/rounds.rs"), source);
    assert_eq!(
        found,
        [
            Path::new("src/measure/rounds_tests.rs"),
            Path::new("src/measure/rounds/made_up.rs")
        ]
    );
}
