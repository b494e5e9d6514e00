//! Benchmarks that were written for other tools.

use ftbench_schema::{CellStatus, Format};

use crate::support::{Sandbox, pair};

/// Two benchmarks and what pyperf's users do around them.
const SCRIPT: &str = "
import tempfile
import pyperf

def count(numbers):
    return sum(numbers)

def read(loops, path):
    start = pyperf.perf_counter()
    for _ in range(loops):
        with open(path) as file:
            file.read()
    return pyperf.perf_counter() - start

if __name__ == '__main__':
    runner = pyperf.Runner()
    runner.metadata['description'] = 'Two benchmarks'
    runner.bench_func('count', count, range(1000), inner_loops=2)
    with tempfile.NamedTemporaryFile() as file:
        runner.bench_time_func('read', read, file.name)
";

fn words(what: &str) -> String {
    format!(
        "{what} --rounds 1 --samples 2 --no-ceiling -m threads -n max -p {}",
        pair().words()
    )
}

#[test]
fn every_benchmark_of_a_pyperf_script_is_a_case() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("bench.py", SCRIPT);
    let listed = sandbox.ftbench("workloads list bench.py");
    listed.exits_with(0);
    for name in ["bench.count", "bench.read"] {
        assert!(listed.stdout.contains(name), "{}", listed.stdout);
    }
    let run = sandbox.run("out", &words("bench.py"), 0);
    run.all_ok("bench.count");
    run.all_ok("bench.read");
    let facts = &run.manifest().workloads[1];
    assert_eq!(
        (facts.format, facts.case.as_deref()),
        (Some(Format::Pyperf), Some("read"))
    );
}

#[test]
fn a_pyperf_benchmark_that_is_not_there_is_a_failed_cell() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("bench.py", SCRIPT);
    let run = sandbox.run("out", &words("bench.py::cuont bench.py::c*"), 1);
    run.all_ok("bench.count");
    let reason = "bench.py has no benchmark 'cuont'; it has count, read";
    run.all_have("bench.cuont", CellStatus::Failed, &[reason]);
}

#[test]
fn a_pyperf_script_whose_benchmarks_are_unknown_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("needs.py", "import pyperf\nimport nowhere_at_all\n");
    sandbox.file("empty.py", "import pyperf\n");
    sandbox.file("bench.py", SCRIPT);
    let unlisted = "cannot list the benchmarks of";
    for (what, reason) in [
        ("needs.py", [unlisted, "No module named 'nowhere_at_all'"]),
        ("empty.py", [unlisted, "it has none"]),
        (
            "--arm old=bench.py --arm new=empty.py",
            ["'old'", "is a script for pyperf"],
        ),
    ] {
        sandbox
            .ftbench(&format!("run {}", words(what)))
            .refuses(&reason, 1);
    }
}
