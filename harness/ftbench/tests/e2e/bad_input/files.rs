//! Files that are refused before anything runs, and workloads that require another Python.

use ftbench_schema::CellStatus;

use super::{GOOD, SHORT, Source, run};
use crate::support::Sandbox;

#[test]
fn files_that_are_not_workloads_are_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    let block = |lines: &str| format!("# /// script\n{lines}# ///\ndef work(data, units): ...\n");
    let table = |line: &str| block(&format!("# [tool.ftbench]\n# {line}\n"));
    std::fs::create_dir(sandbox.path().join("folder.py")).unwrap();
    let cases: [(&str, String, &[&str]); 8] = [
        ("key.py", table("modles = [\"serial\"]"), &["modles", "models"]),
        ("kind.py", table("kind = \"gpu\""), &["gpu", "cpu"]),
        ("model.py", table("models = [\"fibers\"]"), &["fibers"]),
        ("toml.py", table("summary = \"open"), &["its metadata block"]),
        (
            "unclosed.py",
            "# /// script\n# a = 1\nimport x\n".to_owned(),
            &["not closed"],
        ),
        ("two.py", block("").repeat(2), &["2 '# /// script' blocks"]),
        (
            "python.py",
            block("# requires-python = \"three\"\n"),
            &["requires-python"],
        ),
        (
            "large.py",
            "#".repeat(5 << 20),
            &["a workload is one Python file"],
        ),
    ];
    for (name, contents, words) in cases {
        println!("{name}");
        let path = sandbox.file(name, contents);
        let output = sandbox.ftbench(&format!("run {path}"));
        output.refuses(&[&[name], words].concat(), 2);
    }
    let missing = sandbox.ftbench("run missing.py");
    missing.refuses(&["missing.py", "No such file"], 2);
    let folder = sandbox.ftbench("run ./folder.py");
    folder.refuses(&["folder.py", "has benchmarks"], 2);
}

#[test]
fn a_workload_that_needs_another_python_is_skipped() {
    let sandbox = Sandbox::sharing_the_machine();
    let newer = format!("# /// script\n# requires-python = \">=3.99\"\n# ///\n{GOOD}");
    let workloads: [Source<'_>; 2] = [("newer", newer.as_bytes()), ("good", GOOD.as_bytes())];
    let run = run(&sandbox, &workloads, SHORT, 0);
    run.all_ok("good");
    run.all_have("newer", CellStatus::Skipped, &["it requires Python >=3.99"]);
    let alone = sandbox.ftbench("run ./newer.py");
    alone.refuses(&["every cell would be skipped", ">=3.99"], 2);
}
