//! Run folders that cannot be written or cannot be read back.

use ftbench::record::store::{self, Checksums};

use super::{GOOD, SHORT, after};
use crate::support::{Sandbox, output_of, pair};

#[test]
fn an_unwritable_folder_is_refused_before_the_first_trial() {
    let sandbox = Sandbox::sharing_the_machine();
    let notes = sandbox.file("full/notes.txt", "mine");
    let in_the_way = sandbox.file("file", "mine");
    for (out, status, words) in [
        ("full", 2, ["full exists and is not empty", "never overwritten"]),
        ("file", 3, ["cannot write file", "choose another --out"]),
        (
            "file/below",
            3,
            ["cannot write file/below", "choose another --out"],
        ),
        (
            "/proc/ftbench/out",
            3,
            ["cannot write /proc/ftbench/out", "choose another --out"],
        ),
    ] {
        println!("{out}");
        let output = sandbox.ftbench(&format!("run fib -p {} --out {out}", pair().gil));
        output.fails(status, &words, 2);
    }
    for path in [notes, in_the_way] {
        assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
    }
}

#[test]
fn a_run_is_never_overwritten() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let words = format!("{good} -p {} {SHORT}", pair().gil);
    let run = sandbox.run("out", &words, 0);
    let contents = || ["run.json", "trials.jsonl", "summary.json", "samples.csv"].map(|name| run.read(name));
    let before = contents();
    let again = sandbox.ftbench(&format!("run --out out {words}"));
    again.refuses(&["out exists and is not empty"], 2);
    assert_eq!(before, contents());
}

/// The largest file, in bash's blocks of 1,024 bytes: enough for the manifest and the six trials of a round, each up to
/// 5 KiB, and less than half of those of eight rounds.
const MAX_FILE_BLOCKS: u32 = 40;

#[test]
fn a_disk_that_fills_up_ends_the_run_and_what_was_recorded_is_readable() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let ftbench = sandbox.command(&format!(
        "run {good} -p {} -m serial,threads -n 1 --rounds 8 --samples 3 --profile quick --out out",
        pair().words()
    ));
    let output = output_of(after(&format!("ulimit -f {MAX_FILE_BLOCKS}"), &ftbench));
    output.exits_with(3);
    output.stderr_has(&[
        "error: cannot write out/trials.jsonl",
        "File too large",
        "make room, then resume with 'ftbench run --resume out'",
    ]);
    let shown = sandbox.ftbench("show out --format json");
    shown.exits_with(0);
    let summary = shown.json();
    assert_ne!(summary["run"]["status"], "complete");
    let mut cells = summary["cells"].as_array().unwrap().iter();
    assert!(
        cells.all(|cell| cell["rounds"].as_u64() > Some(0)),
        "{}",
        shown.stdout
    );
    sandbox.ftbench("show out").exits_with(0);
    let out = sandbox.path().join("out");
    let trials = || {
        let recorded = store::read_trials(&out.join("trials.jsonl"), Checksums::Required).unwrap();
        assert_eq!(recorded.warnings, []);
        recorded.trials
    };
    let before = trials();
    let resumed = sandbox.ftbench("run --resume out --format json");
    resumed.exits_with(0);
    let summary = resumed.json();
    assert_eq!(summary["run"]["status"], "complete");
    let mut cells = summary["cells"].as_array().unwrap().iter();
    assert!(cells.all(|cell| cell["rounds"] == 8), "{}", resumed.stdout);
    assert_eq!(trials()[..before.len()], before);
}

#[test]
fn a_missing_or_damaged_run_is_reported() {
    let sandbox = Sandbox::sharing_the_machine();
    let nowhere = sandbox.ftbench("show nowhere");
    nowhere.refuses(&["nowhere/run.json", "No such file"], 2);
    let good = sandbox.file("good.py", GOOD);
    let words = format!("{good} -p {} -m serial -n 1 --rounds 3", pair().gil);
    let run = sandbox.run("out", &words, 0);
    let (manifest, trials) = (run.text("run.json"), run.text("trials.jsonl"));
    // A power cut may leave the last line unfinished.
    sandbox.file("out/trials.jsonl", &trials[..trials.len() - 40]);
    let shown = sandbox.ftbench("show out --format json");
    shown.exits_with(0);
    assert_eq!(shown.json()["cells"][0]["rounds"], 2);
    let lines: Vec<&str> = trials.lines().collect();
    sandbox.file(
        "out/trials.jsonl",
        format!("{}\nnonsense\n{}\n", lines[0], lines[1]),
    );
    let damaged = sandbox.ftbench("show out --format json");
    damaged.exits_with(0);
    let summary = damaged.json();
    assert_eq!(summary["cells"][0]["rounds"], 2);
    let warnings = summary["warnings"].as_array().unwrap();
    let warning = warnings
        .iter()
        .find(|warning| warning["kind"] == "damaged_record");
    let message = warning.unwrap()["message"].as_str().unwrap();
    assert!(message.contains("line 2 (it has no checksum)"), "{message}");
    let rows = sandbox.ftbench("show out --format csv");
    rows.exits_with(0);
    rows.stderr_has(&["warning: trials.jsonl has 1 damaged line"]);
    sandbox.file("out/trials.jsonl", &trials);
    let newer = manifest.replacen("\"schema\": 1", "\"schema\": 99", 1);
    sandbox.file("out/run.json", newer);
    let newer = sandbox.ftbench("show out");
    newer.refuses(&["run.json has format 99", "newer ftbench"], 2);
    sandbox.file("out/run.json", &manifest[..manifest.len() / 2]);
    sandbox.ftbench("show out").refuses(&["run.json is damaged"], 2);
}
