//! Benchmarks that were written for other tools.

use ftbench_schema::{CellStatus, Format};

use super::package_sandbox::{Installer, Origin, PackageSandbox, run_words};
use crate::support::{Sandbox, executable, pair};

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
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
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
    // A script is run once to list its benchmarks.
    let is_listed = || {
        let words = run_words("none", &tags, "pyperformance::math --dry-run -v");
        workshop
            .ftbench(&words)
            .stderr
            .contains("listing the benchmarks of")
    };
    assert!(is_listed() && !is_listed());
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

#[test]
fn a_project_for_asv_is_measured_as_its_configuration_says() {
    let sandbox = Sandbox::sharing_the_machine();
    let sums = "
from .common import NUMBERS

class Sums:
    params = ([1, 2, 3], ['a[0]', 'b'])
    def setup(self, count, text):
        if count == 3:
            raise NotImplementedError('no threes')
    def time_sum(self, count, text):
        sum(NUMBERS)
    def track_length(self, count, text):
        return count
    track_length.unit = 'items'

def time_sorted():
    sorted(NUMBERS)
";
    for (name, source) in [
        (
            "asv.conf.json",
            "{\n  // No JSON.\n  \"benchmark_dir\": \"bench\",\n}\n",
        ),
        ("bench/__init__.py", ""),
        ("bench/common.py", "NUMBERS = list(range(100))\n"),
        ("bench/sums.py", sums),
        ("bench/deep/__init__.py", ""),
        ("bench/deep/sums.py", "def time_deep():\n    sum(range(9))\n"),
        ("bench/broken.py", "import nowhere_at_all\n\ndef time_it(): ...\n"),
    ] {
        sandbox.file(&format!("project/{name}"), source);
    }
    let run = sandbox.run("out", &words("project"), 1);
    for name in [
        "time_sorted",
        "Sums.time_sum(1, 'a[0]')",
        "Sums.track_length(2, 'b')",
    ] {
        run.all_ok(&format!("sums.{name}"));
    }
    run.all_have(
        "broken",
        CellStatus::Failed,
        &["No module named 'nowhere_at_all'"],
    );
    run.all_have(
        "sums.Sums.time_sum(3, 'b')",
        CellStatus::Skipped,
        &["skips itself: its setup raised NotImplementedError: no threes"],
    );
    let workloads = run.manifest().workloads;
    assert_eq!(workloads.len(), 15);
    assert!(workloads.iter().all(|one| one.format == Some(Format::Asv)));

    let names = |words_of_run: &str, out: &str| {
        let run = sandbox.run(out, &words(words_of_run), 0);
        let workloads = run.manifest().workloads;
        workloads.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let of_method = names("project/bench/sums.py::Sums.time_sum", "method");
    assert_eq!(of_method.len(), 6, "{of_method:?}");
    let selected = names("project/asv.conf.json --bench ^sums.*sorted", "selected");
    assert_eq!(selected, ["sums.time_sorted"]);
    // Below a package, asv's names have that in front.
    for (words, out) in [
        ("project --bench ^deep\\.sums", "deep"),
        ("project::deep.sums.time_deep", "named"),
    ] {
        assert_eq!(names(words, out), ["sums.time_deep"]);
    }
    let nothing = format!("run {}", words("project --bench time_nothing"));
    sandbox
        .ftbench(&nothing)
        .refuses(&["--bench 'time_nothing' selects no benchmark"], 1);
}

#[test]
fn tests_with_a_benchmark_are_run_by_pytest() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Index);
    let tests = "
import pytest

@pytest.fixture
def numbers():
    return list(range(100))

@pytest.mark.parametrize('how', ['up', 'down'])
def test_sum(benchmark, numbers, how):
    assert benchmark(sum, numbers) == 4950

class TestWhole:
    @pytest.mark.benchmark
    def test_sorted(self, numbers):
        sorted(numbers)

@pytest.mark.skip('not today')
def test_skipped(benchmark):
    benchmark(len, 'c')

def test_other():
    raise AssertionError

def test_twice(benchmark):
    benchmark(len, 'a')
    benchmark(len, 'b')
";
    workshop.sandbox.file("test_speed.py", tests);
    let tags = pair().tags();
    let run = workshop.run("all", &tags, "test_speed.py --with pytest", 1);
    for name in ["test_sum[up]", "test_sum[down]", "TestWhole::test_sorted"] {
        run.all_ok(&format!("test_speed.{name}"));
    }
    run.all_have("test_speed.test_twice", CellStatus::Failed, &["a second time"]);
    run.all_have("test_speed.test_skipped", CellStatus::Skipped, &["not today"]);
    assert_eq!(run.manifest().workloads.len(), 5);

    let names = |words: &str, out: &str| {
        let run = workshop.run(out, &tags[..1], &format!("{words} --with pytest"), 0);
        let workloads = run.manifest().workloads;
        workloads.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    let list = workshop.ftbench(&format!(
        "workloads list test_speed.py --with pytest -p {} -k sum --format json",
        executable(tags[1]).display()
    ));
    list.exits_with(0);
    let listed = list.json();
    let listed: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["case"].as_str().filter(|_| one["format"] == "pytest"))
        .collect();
    assert_eq!(listed, ["test_sum[up]", "test_sum[down]"]);

    let one = names("test_speed.py::test_sum[up] test_speed.py::TestWhole", "one");
    assert_eq!(
        one,
        ["test_speed.test_sum[up]", "test_speed.TestWhole::test_sorted"]
    );
    assert_eq!(
        names("test_speed.py -k sorted", "keyword"),
        ["test_speed.TestWhole::test_sorted"]
    );
    let without = workshop.ftbench(&run_words("without", &tags[..1], "test_speed.py"));
    without.refuses(&["add --with pytest"], 1);
}
