//! Workloads that start threads of their own, which share the PU of their worker.

use std::process::Command;

use ftbench_schema::{Summary, ThreadPool, Warning, WarningKind};

use crate::support::{Run, Sandbox, counts, pair};

/// A workload with four threads at a time that release the GIL.
const POOL: &str = "\
import concurrent.futures, hashlib

BYTES = bytes(200_000)

def work(data, units):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(hashlib.sha256, [BYTES] * 4 * units))
";

/// A workload with two processes at a time. One unit takes long enough for the system to count its CPU time.
const PROCESSES: &str = "\
import subprocess

def work(data, units):
    command = ['sh', '-c', f'i=0; while [ $i -lt {units * 20000} ]; do i=$((i+1)); done']
    for process in [subprocess.Popen(command) for _ in range(2)]:
        process.wait()
";

/// A workload that computes while a thread of its own waits.
const WAITS: &str = "\
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()

def work(data, units):
    return sum(number * number for number in range(units * 10_000))
";

/// A library whose number of threads can be read as that of OpenBLAS in numpy's wheels, and which also computes with that
/// many threads.
const LIBRARY: &str = r#"
#include <pthread.h>

int scipy_openblas_get_num_threads64_(void) { return 3; }
const char *scipy_openblas_get_config64_(void) { return "OpenBLAS 0.3.30  USE64BITINT MAX_THREADS=64"; }

static void *burn(void *units) {
    volatile double total = 0;
    for (long number = 0; number < 200000 * *(long *)units; number++)
        total += number;
    return 0;
}

void compute(long units) {
    pthread_t threads[2];
    for (int each = 0; each < 2; each++)
        pthread_create(&threads[each], 0, burn, &units);
    burn(&units);
    for (int each = 0; each < 2; each++)
        pthread_join(threads[each], 0);
}
"#;

/// A workload that computes in the library.
const NATIVE: &str = "
import ctypes, os

library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'libscipy_openblas64_-0123.so'))

def work(data, units):
    library.compute(ctypes.c_long(units))
";

fn thread_warnings(summary: &Summary) -> Vec<&Warning> {
    let kind = |warning: &&Warning| warning.kind == WarningKind::StartsThreads;
    summary.warnings.iter().filter(kind).collect()
}

fn run(sandbox: &Sandbox, out: &str, more: &str) -> Run {
    let files = [
        ("pool.py", POOL),
        ("processes.py", PROCESSES),
        ("waits.py", WAITS),
    ];
    let files = files.map(|(name, contents)| sandbox.file(name, contents));
    let words = format!(
        "{} -p {} -m serial -n 1 --rounds 3 --no-ceiling {more}",
        files.join(" "),
        pair().words()
    );
    sandbox.run(out, &words, 0)
}

#[test]
fn work_with_threads_of_its_own_is_warned_about_everywhere() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, "bound", "");
    let summary = run.summary();
    let found = thread_warnings(&summary);
    let workloads: Vec<_> = found.iter().flat_map(|warning| &warning.workloads).collect();
    assert_eq!(workloads, ["pool", "processes"], "{found:#?}");
    let [gil, free_threaded] = pair().tags();
    for warning in found {
        let seen_on = format!("on {gil}, {free_threaded} (up to ");
        assert!(warning.message.contains(&seen_on), "{}", warning.message);
        assert!(warning.message.contains(" on 1 PU)"), "{}", warning.message);
        assert!(warning.message.contains("-m internal"), "{}", warning.message);
    }
    let beginning = "pool starts threads or processes of its own";
    for (place, text) in [
        ("table", &run.output.stdout),
        ("chart", &run.text("charts/pool.svg")),
        ("page", &run.text("report.html")),
    ] {
        assert!(text.contains(beginning), "not in the {place}:\n{text}");
    }
    assert!(!run.text("charts/waits.svg").contains("threads or processes"));
    for trial in run.trials() {
        let extra = trial.extra_threads.unwrap();
        let before_work = u32::from(trial.cell.workload == "waits");
        assert_eq!(extra.before_work, before_work, "{}", trial.cell);
        assert!(
            extra.max_at_once >= before_work && extra.cpu_time_ns.is_some(),
            "{}: {extra:?}",
            trial.cell
        );
    }
}

#[test]
fn thread_pools_of_libraries_are_recorded_and_named_in_the_warning() {
    let sandbox = Sandbox::new();
    let source = sandbox.file("library.c", LIBRARY);
    let file = "libscipy_openblas64_-0123.so";
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-pthread", "-o"])
        .args([sandbox.path().join(file), source.into()])
        .status()
        .unwrap_or_else(|error| panic!("cc does not start ({error}); `make test` installs it"));
    assert!(compiled.success());
    let words = format!(
        "{} -p {} -m threads -n 1 --rounds 1 --no-ceiling",
        sandbox.file("native.py", NATIVE),
        pair().words()
    );
    let run = sandbox.run("native", &words, 0);
    let pool = ThreadPool {
        library: "openblas".to_owned(),
        file: file.to_owned(),
        version: Some("0.3.30".to_owned()),
        threads: 3,
    };
    for trial in run.trials() {
        assert_eq!(trial.thread_pools, std::slice::from_ref(&pool), "{}", trial.cell);
    }
    let summary = run.summary();
    let found = thread_warnings(&summary);
    assert_eq!(found.len(), 1, "{found:?}");
    for words in [" on 1 PU; openblas has 3 threads)", "OMP_NUM_THREADS=1"] {
        assert!(found[0].message.contains(words), "{}", found[0].message);
    }
}

#[test]
fn threads_that_may_use_all_pus_are_not_warned_about() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, "unbound", "--pin none");
    assert_eq!(thread_warnings(&run.summary()), Vec::<&Warning>::new());
    assert!(run.trials().iter().all(|trial| trial.extra_threads.is_some()));
}

#[test]
fn threads_of_the_models_are_not_counted_as_those_of_the_work() {
    let sandbox = Sandbox::new();
    let words = format!(
        "{} -p {} -m threads,processes,processes:spawn,asyncio,asyncio-threads -n {} --rounds 1 --no-ceiling",
        sandbox.file("waits.py", WAITS),
        pair().words(),
        counts()
    );
    let run = sandbox.run("models", &words, 0);
    assert_eq!(thread_warnings(&run.summary()), Vec::<&Warning>::new());
    for trial in run.trials() {
        // Where the workers are processes, each has imported the workload.
        let max = trial.extra_threads.unwrap().max_at_once;
        assert!(max <= trial.cell.workers, "{}: {max}", trial.cell);
    }
}
