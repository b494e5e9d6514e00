#![allow(clippy::unwrap_used)]
use super::*;
use crate::file_tree::file_tree;
use ftbench_schema::{CommandFacts, FigureFacts, ServerFacts};
use sha2::{Digest, Sha256};

fn catalogue() -> Catalogue {
    let workload =
        |path: &str| Workload::from_source(Path::new(path), b"def work(data, units): ...").unwrap();
    let cases = b"# /// script\n# [tool.ftbench.cases]\n# one = \"1\"\n# two = \"2\"\n# ///\n";
    Catalogue::new(
        [
            workload("/suite/cpu/nbody.py"),
            workload("/suite/cpu/fib.py"),
            workload("/suite/memory/sha256.py"),
            Workload::from_source(Path::new("/suite/patterns/small.py"), cases).unwrap(),
        ]
        .concat(),
    )
}

/// Is not asked.
struct Unused;

impl Lister for Unused {
    fn cases(&self, workload: &Workload) -> Result<Vec<String>, String> {
        Err(format!("{} was to be listed", workload.path.display()))
    }

    fn pyperformance(&self) -> Result<(PathBuf, String), String> {
        Err("pyperformance was wanted".to_owned())
    }
}

fn names(words: &[&str]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    catalogue()
        .resolve(&words, &Unused)
        .unwrap()
        .into_iter()
        .map(|workload| workload.name)
        .collect()
}

#[test]
fn words_and_globs_select_workloads() {
    assert_eq!(names(&[]), ["fib", "nbody", "sha256", "small.one", "small.two"]);
    assert_eq!(names(&["small"]), ["small.one", "small.two"]);
    assert_eq!(names(&["small.t*"]), ["small.two"]);
    assert_eq!(names(&["nbody", "fib", "nbody"]), ["nbody", "fib"]);
    assert_eq!(names(&["*b*"]), ["fib", "nbody"]);
}

#[test]
fn folders_select_their_workloads() {
    assert_eq!(names(&["cpu/*"]), ["fib", "nbody"]);
    assert_eq!(names(&["patterns/small"]), ["small.one", "small.two"]);
    assert_eq!(
        names(&["patterns/*.two", "memory/sha256"]),
        ["small.two", "sha256"]
    );
    assert_eq!(names(&["*/fib"]), ["fib"]);
    let error = |word: &str| {
        catalogue()
            .resolve(&[word.to_owned()], &Unused)
            .unwrap_err()
            .to_string()
    };
    for word in ["cpu", "cpu/"] {
        assert!(error(word).contains("did you mean 'cpu/*'?"), "{}", error(word));
    }
    assert!(
        error("cpu/fbi").contains("did you mean 'cpu/fib'"),
        "{}",
        error("cpu/fbi")
    );
    assert!(
        error("elsewhere/fib").contains("cannot read"),
        "{}",
        error("elsewhere/fib")
    );
}

#[test]
fn callable_is_a_workload() {
    let workload = Workload::of_callable(&"a.b:f".parse().unwrap(), Path::new("/here"));
    let facts = workload.facts();
    assert_eq!((facts.name.as_str(), facts.path.as_str()), ("a.b:f", "/here"));
    assert_eq!(facts.callable.as_deref(), Some("a.b:f"));
    assert!(facts.ceiling.is_some());
}

#[test]
fn unknown_name_suggests_the_nearest() {
    let error = catalogue()
        .resolve(&["fibb".to_owned()], &Unused)
        .unwrap_err()
        .to_string();
    assert!(error.contains("'fibb'") && error.contains("fib"), "{error}");
    let malformed = catalogue().resolve(&["[".to_owned()], &Unused).unwrap_err();
    assert!(matches!(malformed, WorkloadError::Pattern { .. }), "{malformed}");
}

#[test]
fn files_are_read_by_path_and_their_faults_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.py");
    fs::write(&path, "def work(data, units): ...").unwrap();
    let found = catalogue()
        .resolve(&[path.display().to_string()], &Unused)
        .unwrap();
    assert_eq!(found.first().unwrap().name, "mine");
    assert_eq!(found.first().unwrap().sha256.len(), 64);
    let missing = folder.path().join("missing.py").display().to_string();
    assert!(
        catalogue()
            .resolve(&[missing], &Unused)
            .unwrap_err()
            .to_string()
            .contains("missing.py")
    );
}

#[test]
fn folders_have_the_workloads_of_all_their_files() {
    let folder = file_tree(&[
        ("b/second.py", CASES),
        ("b/helper.py", "def help(): ..."),
        ("b/__pycache__/no.py", PLAIN),
        ("b/.git/no.py", PLAIN),
        ("b/venv/pyvenv.cfg", ""),
        ("b/venv/no.py", PLAIN),
        ("a/first.py", PLAIN),
        ("c/unlisted.py", "import pyperf"),
        ("empty/helper.py", ""),
    ]);
    let named = |name: &str| {
        let word = folder.path().join(name).display().to_string();
        let found = catalogue().resolve(&[word], &Unused)?;
        Ok::<_, WorkloadError>(found.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    // What cannot be listed fails later, with its reason.
    assert_eq!(
        named("").unwrap(),
        ["first", "second.one", "second.two", "unlisted"]
    );
    let empty = named("empty").unwrap_err().to_string();
    assert!(
        empty.contains("no file in") && empty.contains("has benchmarks"),
        "{empty}"
    );
    let one_file = named("c/unlisted.py").unwrap_err().to_string();
    assert!(one_file.contains("cannot list"), "{one_file}");
}

const PLAIN: &str = "def work(data, units): ...";
const CASES: &str = "# /// script\n# [tool.ftbench.cases]\n# one = \"\"\n# two = \"\"\n# ///\n";

/// The names of these files below a folder, when they are chosen together with `word`.
fn names_with(word: &str, files: &[(&str, &str)]) -> Result<Vec<String>, WorkloadError> {
    let folder = file_tree(files);
    let paths = files
        .iter()
        .map(|(name, _)| folder.path().join(name).display().to_string());
    let words: Vec<String> = std::iter::once(word.to_owned()).chain(paths).collect();
    let found = catalogue().resolve(&words, &Unused)?;
    Ok(found.into_iter().map(|workload| workload.name).collect())
}

#[test]
fn files_with_one_name_have_folders_in_front() {
    let plain = [
        ("a/bench.py", PLAIN),
        ("b/bench.py", PLAIN),
        ("b/other.py", PLAIN),
    ];
    assert_eq!(
        names_with("nbody", &plain).unwrap(),
        ["nbody", "a/bench", "b/bench", "other"]
    );
    let cases = [("a/bench.py", CASES), ("b/bench.py", CASES)];
    assert_eq!(
        names_with("nbody", &cases).unwrap(),
        [
            "nbody",
            "a/bench.one",
            "a/bench.two",
            "b/bench.one",
            "b/bench.two"
        ]
    );
    let deeper = names_with(
        "nbody",
        &[
            ("x/a/bench.py", PLAIN),
            ("y/a/bench.py", PLAIN),
            ("b/bench.py", PLAIN),
        ],
    );
    assert_eq!(deeper.unwrap(), ["nbody", "x/a/bench", "y/a/bench", "b/bench"]);
    let of_suite = names_with("fib", &[("mine/fib.py", PLAIN)]);
    assert_eq!(of_suite.unwrap(), ["fib", "mine/fib"]);
    let of_case = names_with("fib", &[("a/bench.one.py", PLAIN), ("b/bench.py", CASES)]);
    assert_eq!(
        of_case.unwrap(),
        ["fib", "a/bench.one", "b/bench.one", "b/bench.two"]
    );
}

#[test]
fn files_that_their_folders_do_not_distinguish_are_refused() {
    let refused = names_with("fib", &[("a/bench.one.py", PLAIN), ("a/bench.py", CASES)]);
    assert!(
        matches!(refused, Err(WorkloadError::SameName { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_case_of_a_file_is_selected_by_its_name() {
    let folder = file_tree(&[("bench.py", CASES), ("plain.py", PLAIN)]);
    let resolve = |word: &str| -> Result<Vec<String>, String> {
        let word = format!("{}/{word}", folder.path().display());
        let found = catalogue()
            .resolve(&[word], &Unused)
            .map_err(|error| error.to_string())?;
        Ok(found
            .into_iter()
            .map(|workload| workload.name)
            .collect::<Vec<_>>())
    };
    assert_eq!(resolve("bench.py::two"), Ok(vec!["bench.two".to_owned()]));
    assert_eq!(resolve("bench.py::*").unwrap().len(), 2);
    let error = |word: &str| resolve(word).unwrap_err();
    assert!(error("bench.py::three").ends_with("bench.py has no case 'three'; its cases are one, two"));
    assert!(error("plain.py::one").ends_with("plain.py has no case 'one'; it is a single workload"));
}

#[test]
fn a_command_is_identified_by_its_line_its_figures_and_its_server() {
    let plain = CommandFacts {
        line: "{python} app.py".to_owned(),
        expected_output: None,
        figures: Vec::new(),
        server: None,
    };
    let figures = vec![FigureFacts {
        name: "p99_ms".to_owned(),
        pattern: "p99: (.*)".to_owned(),
    }];
    let server = |line: &str| {
        Some(ServerFacts {
            line: line.to_owned(),
            ready: "tcp://localhost:{port}".to_owned(),
        })
    };
    let commands = [
        plain.clone(),
        CommandFacts {
            figures,
            ..plain.clone()
        },
        CommandFacts {
            server: server("a"),
            ..plain.clone()
        },
        CommandFacts {
            server: server("b"),
            ..plain.clone()
        },
    ];
    let workloads = commands
        .each_ref()
        .map(|command| Workload::of_command(command, Path::new("/work")));
    let digests: std::collections::BTreeSet<&String> =
        workloads.iter().map(|workload| &workload.sha256).collect();
    assert_eq!(digests.len(), commands.len());
    // As earlier versions recorded it.
    assert_eq!(workloads[0].sha256, hex::encode(Sha256::digest(&plain.line)));
    for workload in &workloads {
        // Its record makes the same workload again, for a resumed run.
        let again = Workload::recorded(&workload.facts()).unwrap().unwrap();
        assert_eq!(&again, workload);
    }
}
