//! Files that are scripts too, and calls that take longer than a sample.

use ftbench_schema::{Scaling, Warning, WarningKind};

use crate::support::{Run, Sandbox, counts, pair};

/// Does its work at import, as a script without a guard does.
const UNGUARDED: &str = "
import threading, time

def work(data, units):
    return sum(range(units * 1000))

time.sleep(0.3)
for _ in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
";

/// Does the same behind a guard, and imports a module that takes as long.
const GUARDED: &str = "
import time
import slow_library

def work(data, units):
    return sum(range(units * 1000))

if __name__ == '__main__':
    time.sleep(0.3)
";

/// One call takes longer than a sample.
const LONG: &str = "
import time

def long():
    time.sleep(0.1)
";

fn run(sandbox: &Sandbox, out: &str, words: &str) -> Run {
    let words = format!(
        "{words} -p {} --rounds 1 --samples 2 --no-ceiling",
        pair().words()
    );
    sandbox.run(out, &words, 0)
}

fn warnings(run: &Run, kind: WarningKind) -> Vec<Warning> {
    let mut warnings = run.summary().warnings;
    warnings.retain(|warning| warning.kind == kind);
    warnings
}

#[test]
fn a_script_without_a_guard_is_named_once_and_a_slow_library_is_not() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("slow_library.py", "import time\ntime.sleep(0.3)\n");
    let files = [("bench.py", UNGUARDED), ("guarded.py", GUARDED)];
    let files = files.map(|(name, source)| sandbox.file(name, source)).join(" ");
    let run = run(
        &sandbox,
        "out",
        &format!("{files} -m serial,processes:spawn -n 1"),
    );
    let found = warnings(&run, WarningKind::ImportRunsCode);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].workloads, ["bench"]);
    for words in [
        "importing bench.py took ",
        " and left 3 threads running, in every process; put ",
        "`if __name__ == '__main__':`",
    ] {
        assert!(found[0].message.contains(words), "{}", found[0].message);
        assert!(run.output.stdout.contains(words), "{}", run.output.stdout);
    }
    for trial in run.trials().iter().filter(|trial| trial.cell.workload == "bench") {
        assert!(trial.import_ns > Some(300_000_000), "{:?}", trial.import_ns);
        assert_eq!(trial.import_threads, Some(3));
    }
}

#[test]
fn calls_longer_than_a_sample_are_divided_or_not_and_the_output_says_how() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("calls.py", LONG);
    let words = format!(
        "--callable calls:long -m threads -n {} --sample-time 20ms",
        counts()
    );
    let count = if counts() == "1" { 1 } else { 2 };
    for (scaling, units, how) in [
        (Scaling::Strong, count, "a sample is 2 calls, which divide evenly"),
        (Scaling::Weak, 1, "each worker does 1 in a sample"),
    ] {
        let name = format!("{scaling:?}").to_lowercase();
        let run = run(&sandbox, &name, &format!("{words} --scaling {name}"));
        assert_eq!(run.manifest().workloads[0].units, Some(units));
        run.all_ok("calls:long");
        if count > 1 {
            let found = warnings(&run, WarningKind::LongUnit);
            assert_eq!(found.len(), 1, "{found:?}");
            let beginning = "warning: one call of calls:long takes ";
            assert!(run.output.stdout.contains(beginning), "{}", run.output.stdout);
            for words in [
                "one call of calls:long takes ",
                "longer than a sample (20.0 ms): ",
                how,
            ] {
                assert!(found[0].message.contains(words), "{}", found[0].message);
            }
        }
    }
}
