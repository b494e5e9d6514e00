//! Benchmarks that were written for other tools.

use ftbench_schema::{CellStatus, Format};

use super::workshop::{From, PackageSandbox, With, run_words};
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

#[test]
fn a_script_gets_its_arguments() {
    let sandbox = Sandbox::sharing_the_machine();
    let script = "
import pyperf
runner = pyperf.Runner()
runner.argparser.add_argument('--times', type=int, required=True)
for number in range(runner.parse_args().times):
    runner.bench_func(f'len {number}', len, 'a')
";
    sandbox.file("bench.py", script);
    let run = sandbox.run("out", &words("bench.py --script-args --times=2"), 0);
    run.all_ok("bench.len 0");
    run.all_ok("bench.len 1");
    assert_eq!(run.manifest().workloads[0].arguments, ["--times=2"]);
    sandbox.ftbench(&format!("run {}", words("bench.py"))).refuses(
        &["the script needs other arguments, see --script-args", "--times"],
        1,
    );
    sandbox
        .ftbench("run fib --script-args 1")
        .refuses(&["--script-args are for scripts that use pyperf"], 1);
}

const SUMS: &str = "
import pyperf
runner = pyperf.Runner()
runner.argparser.add_argument('--fast', action='store_true')
name = 'fast' if runner.parse_args().fast else 'slow'
runner.bench_func(f'sums_{name}_one', sum, [1])
runner.bench_func(f'sums_{name}_two', sum, [1, 2])
";

#[test]
fn benchmarks_of_pyperformance_are_found_in_its_package() {
    let workshop = PackageSandbox::new(With::Uv, From::Wheels);
    workshop.wheel_with(
        "pyperformance",
        "9.9",
        "py3-none-any",
        &[
            (
                "pyperformance/data-files/benchmarks/MANIFEST",
                "[benchmarks]\nname\tmetafile\nneeds\t<local>\nsums\t<local>\nsums_fast\t<local:sums>\n",
            ),
            (
                "pyperformance/data-files/benchmarks/bm_sums/pyproject.toml",
                "[project]\nrequires-python = '>=3.8'\n[tool.pyperformance]\ntags = 'math'\n",
            ),
            (
                "pyperformance/data-files/benchmarks/bm_sums/bm_sums_fast.toml",
                "[tool.pyperformance]\nextra_opts = ['--fast']\n",
            ),
            (
                "pyperformance/data-files/benchmarks/bm_sums/run_benchmark.py",
                SUMS,
            ),
            (
                "pyperformance/data-files/benchmarks/bm_needs/pyproject.toml",
                "[project]\n",
            ),
            (
                "pyperformance/data-files/benchmarks/bm_needs/requirements.txt",
                "absent-package==1.0\n",
            ),
            (
                "pyperformance/data-files/benchmarks/bm_needs/run_benchmark.py",
                "import absent_package, pyperf\npyperf.Runner().timeit('needs', 'pass')\n",
            ),
        ],
    );
    let tags = [pair().gil.as_str()];
    let all = workshop.run("all", &tags, "pyperformance", 1);
    for name in ["slow_one", "slow_two", "fast_one", "fast_two"] {
        all.all_ok(&format!("pyperformance.sums_{name}"));
    }
    all.all_have("pyperformance.needs", CellStatus::Failed, &["absent-package"]);
    let facts = &all.manifest().workloads;
    let fast = facts
        .iter()
        .find(|one| one.name == "pyperformance.sums_fast_one")
        .unwrap();
    assert_eq!(fast.arguments, ["--fast"]);
    assert_eq!(fast.summary, "sums_fast of pyperformance 9.9 (math)");

    let names = |word: &str, out: &str| {
        let run = workshop.run(out, &tags, &format!("pyperformance::{word}"), 0);
        let workloads = run.manifest().workloads;
        workloads.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(names("sums_slow_two", "one"), ["pyperformance.sums_slow_two"]);
    assert_eq!(names("math", "tag").len(), 4);
    let unknown = workshop.ftbench(&run_words("no", &tags, "pyperformance::smus"));
    unknown.refuses(
        &["pyperformance has no benchmark 'smus'", "did you mean 'sums'"],
        1,
    );
}
