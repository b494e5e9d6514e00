//! A run from the command line to the report, on one interpreter. `make check` runs this part of the tests only.

use std::path::Path;

use ftbench_schema::RunStatus;

use crate::support::{Sandbox, interpreters};

#[test]
fn a_run_on_one_interpreter_is_measured_shown_plotted_and_compared() {
    let sandbox = Sandbox::new();
    let python = interpreters().first().unwrap()["path"].as_str().unwrap();
    let words = format!("fib -p {python} -m serial,threads -n 1 --rounds 3");
    for out in ["first", "second"] {
        let run = sandbox.run(out, &words, 0);
        run.all_ok("fib");
        assert_eq!(run.manifest().status, RunStatus::Complete);
        assert_eq!(run.trials().len(), 3 * run.manifest().plan.cells.len());
        // Trials do not compile the worker.
        let worker = Path::new(&run.manifest().environment["PYTHONPATH"]).join("ftbench_worker/__pycache__");
        let mut compiled = std::fs::read_dir(worker)
            .unwrap()
            .map(|file| file.unwrap().file_name());
        assert!(compiled.any(|name| name.to_string_lossy().starts_with("trial.")));
        let shown = sandbox.ftbench(&format!("show {out} --format json"));
        shown.exits_with(0);
        assert_eq!(shown.stdout, run.text("summary.json"));
        assert!(run.text("charts/fib.svg").starts_with("<svg "));
        assert!(
            run.text("report.html")
                .trim_start()
                .starts_with("<!doctype html>")
        );
    }
    let compared = sandbox.ftbench("compare first second --fail-on never --format json");
    compared.exits_with(0);
    assert_eq!(compared.json()["cells"].as_array().unwrap().len(), 2);
}
