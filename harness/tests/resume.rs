//! Runs that are stopped, by a kill, a full disk or the loss of their folder, and gone on with.
#![allow(
    clippy::zombie_processes,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop, and one that shows less than it could should say why"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ftbench::record::schema::{Cell, Manifest, RunStatus, Trial, TrialStatus, WarningKind};
use ftbench::record::store::{self, Checksums};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};

use support::{FTBENCH, Sandbox, Told, executable, pair, told};

/// Takes the same time on a busy machine, so that few samples are enough.
const SLEEPS: &str = "
import time

def work(data, units):
    time.sleep(0.02 * units)
    return units

def check(results, units):
    assert sum(results) == units
";

/// A workload that fails in every other process, by its hash seed, which a trial that is made anew has again.
const FAILS: &str = "
import os

def work(data, units):
    if int(os.environ['PYTHONHASHSEED']) % 2 == 0:
        raise ValueError('even')
    sum(range(20000 * units))
";

/// Set by contributors on whose machine no file system can be mounted, even in a name space of one's own. CI must not set
/// it: a test that is passed over shows nothing.
const SKIP_MOUNTS: &str = "FTBENCH_SKIP_MOUNT_TESTS";

/// Marks all processes of a test, which inherit it, so that those left over are found.
const MARK: &str = "LC_FTBENCH_TEST";

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn send(driver: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(driver.id()).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

fn ended(driver: Child) -> Told {
    Told::of(driver.wait_with_output().unwrap())
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn has_trials(folder: &Path, count: usize) -> bool {
    let text = std::fs::read(folder.join("trials.jsonl")).unwrap_or_default();
    text.iter().filter(|&&byte| byte == b'\n').count() >= count
}

fn manifest(folder: &Path) -> Manifest {
    serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap()
}

/// The trials of a record in which nothing is damaged, every line with its checksum.
fn trials(folder: &Path, checksums: Checksums) -> Vec<Trial> {
    let recorded = store::read_trials(&folder.join("trials.jsonl"), checksums).unwrap();
    assert_eq!(recorded.warnings, []);
    recorded.trials
}

/// What does not depend on time, by number.
fn essence(trials: &[Trial]) -> BTreeMap<u64, (u32, Cell, u32, Vec<u32>, TrialStatus)> {
    let of = |trial: &Trial| {
        let placement = trial.placement.clone();
        let rest = (
            trial.round,
            trial.cell.clone(),
            trial.hash_seed,
            placement,
            trial.status,
        );
        (trial.trial, rest)
    };
    let essence: BTreeMap<_, _> = trials.iter().map(of).collect();
    assert_eq!(essence.len(), trials.len(), "a number was given twice");
    essence
}

/// Every trial of a workload has the units that the manifest says.
fn assert_units(folder: &Path, trials: &[Trial]) {
    let manifest = manifest(folder);
    for trial in trials {
        let workload = manifest
            .workloads
            .iter()
            .find(|one| one.name == trial.cell.workload);
        assert_eq!(Some(trial.units), workload.unwrap().units);
    }
}

fn marked(mark: &str) -> usize {
    let variable = format!("{MARK}={mark}").into_bytes();
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter(|folder| {
            let environment = std::fs::read(folder.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == variable)
        })
        .count()
}

/// How often it is killed, how many of these come at any moment, and within which time of its start or of a trial's end.
const KILLS: usize = 20;
const KILLS_AT_FIRST: usize = 4;
const LONGEST_WAIT_MS: u32 = 700;

#[test]
fn killed_twenty_times_and_gone_on_with_makes_the_trials_of_a_run_left_alone() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    println!("moments drawn with seed {seed}");
    let mut moments = ChaCha8Rng::seed_from_u64(seed);
    let sandbox = Sandbox::new();
    let (sleeps, fails) = (sandbox.file("sleeps.py", SLEEPS), sandbox.file("fails.py", FAILS));
    let words = format!(
        "{sleeps} {fails} -p {} -m serial,threads -n 1 --rounds 24 --samples 1 --no-ceiling --seed 7 --profile quick",
        pair().words()
    );
    let alone = sandbox.ftbench(&format!("run {words} --out alone"));
    let ending = alone.status.unwrap();
    assert!(ending == 0 || ending == 1, "{}", alone.stderr);
    let killed = sandbox.path().join("killed");
    let mark = format!("resume-{}", std::process::id());
    let command = |words: &str| {
        let mut command = sandbox.command(words);
        command.env(MARK, &mark);
        command
    };
    let mut driver = start(command(&format!("run {words} --out killed")));
    wait_until("the manifest", || killed.join("run.json").exists());
    let mut counts = Vec::new();
    for kill in 0..KILLS {
        // The first ones are likely to hit calibration. Of the others every second one waits for a further trial, so that
        // the run gets on between them.
        if kill >= KILLS_AT_FIRST && kill % 2 == 0 {
            let so_far = counts.last().copied().unwrap_or_default();
            wait_until("a further trial", || has_trials(&killed, so_far + 1));
        }
        std::thread::sleep(Duration::from_millis(u64::from(
            moments.next_u32() % LONGEST_WAIT_MS,
        )));
        let is_over = driver.try_wait().unwrap().is_some();
        assert!(!is_over, "it ended after {kill} kills; give it more rounds");
        send(&driver, Signal::KILL);
        ended(driver);
        // A line may be torn at its end now, which costs its trial alone.
        let recorded = store::read_trials(&killed.join("trials.jsonl"), Checksums::Required);
        counts.push(recorded.unwrap().trials.len());
        driver = start(command("run --resume killed"));
    }
    println!("trials at each kill: {counts:?}");
    ended(driver).ends_with(ending);
    // No recorded trial is lost.
    assert!(counts.is_sorted(), "{counts:?}");
    let told = sandbox.ftbench("run --resume killed");
    told.ends_with(ending);
    told.says(&["killed is complete"]);
    let (whole, resumed) = (sandbox.path().join("alone"), &killed);
    let whole = trials(&whole, Checksums::Required);
    let resumed_trials = trials(resumed, Checksums::Required);
    assert_eq!(essence(&resumed_trials), essence(&whole));
    assert_units(resumed, &resumed_trials);
    let manifest = manifest(resumed);
    assert_eq!(manifest.status, RunStatus::Complete);
    assert!(manifest.sessions.len() > 1);
    assert!(manifest.sessions.iter().all(|session| session.checksums));
    wait_until("the end of all processes", || marked(&mark) == 0);
    let names = std::fs::read_dir(resumed).unwrap().flatten();
    let staging = names.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(staging.count(), 0, "a file that was being written is left");
}

/// A run of one serial cell in a folder `out` that is stopped after some trials.
fn stopped_run(sandbox: &Sandbox, python: &str) -> Told {
    let sleeps = sandbox.file("sleeps.py", SLEEPS);
    let words =
        format!("run {sleeps} -p {python} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out");
    let driver = start(sandbox.command(&words));
    let out = sandbox.path().join("out");
    wait_until("two trials", || has_trials(&out, 2));
    send(&driver, Signal::INT);
    ended(driver)
}

#[test]
fn an_interrupted_run_tells_how_to_go_on_and_another_process_is_refused_meanwhile() {
    let sandbox = Sandbox::new();
    let sleeps = sandbox.file("sleeps.py", SLEEPS);
    let words = format!(
        "run {sleeps} -p {} -m serial -n 1 --rounds 200 --samples 1 --no-ceiling --out out",
        pair().gil
    );
    let driver = start(sandbox.command(&words));
    let out = sandbox.path().join("out");
    wait_until("a trial", || has_trials(&out, 1));
    let second = sandbox.ftbench("run --resume out");
    second.refuses(
        &[
            "out is in use by another ftbench",
            &format!("(process {})", driver.id()),
        ],
        2,
    );
    sandbox
        .ftbench(&words)
        .refuses(&["out exists and is not empty"], 2);
    sandbox.ftbench("show out").ends_with(0);
    sandbox.ftbench("report out --out page.html").ends_with(0);
    send(&driver, Signal::INT);
    let told = ended(driver);
    told.ends_with(130);
    told.says(&["go on with 'ftbench run --resume out'"]);
}

#[test]
fn a_run_that_was_stopped_is_gone_on_with_once() {
    let sandbox = Sandbox::new();
    stopped_run(&sandbox, &pair().gil).ends_with(130);
    let out = sandbox.path().join("out");
    let before = trials(&out, Checksums::Required);
    let told = sandbox.ftbench("run --resume out --format json");
    told.ends_with(0);
    assert_eq!(told.json()["run"]["status"], "complete");
    assert_eq!(told.json()["cells"][0]["rounds"], 8);
    let after = trials(&out, Checksums::Required);
    assert_eq!(after.len(), 8);
    assert_eq!(after[..before.len()], before);
    let sessions = manifest(&out).sessions;
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session.ended_at.is_some()));
    let again = sandbox.ftbench("run --resume out");
    again.ends_with(0);
    again.says(&["out is complete; nothing is left to measure"]);
    assert_eq!(trials(&out, Checksums::Required), after);
}

#[test]
fn a_run_of_a_version_without_checksums_is_gone_on_with() {
    let sandbox = Sandbox::new();
    stopped_run(&sandbox, &pair().gil).ends_with(130);
    let out = sandbox.path().join("out");
    let mut older: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    let object = older.as_object_mut().unwrap();
    object.remove("sessions").unwrap();
    object.insert("status".to_owned(), "running".into());
    std::fs::write(out.join("run.json"), older.to_string()).unwrap();
    let lines: Vec<String> = trials(&out, Checksums::Required)
        .iter()
        .map(|trial| format!("{}\n", serde_json::to_string(trial).unwrap()))
        .collect();
    // And the beginning of a further one, as a kill leaves it.
    let torn = "{\"schema\":1,\"trial\":7,\"rou";
    std::fs::write(out.join("trials.jsonl"), format!("{}{torn}", lines.concat())).unwrap();
    let told = sandbox.ftbench("run --resume out --format json");
    told.ends_with(0);
    told.says(&[&format!("removed {} bytes of an unfinished line", torn.len())]);
    assert_eq!(told.json()["cells"][0]["rounds"], 8);
    assert!(!told.stdout.contains("damaged_record"));
    let text = std::fs::read_to_string(out.join("trials.jsonl")).unwrap();
    let with_checksum = text.lines().filter(|line| line.contains("\"crc32\":")).count();
    assert_eq!(with_checksum, 8 - lines.len());
    let sessions = manifest(&out).sessions;
    assert_eq!(
        sessions
            .iter()
            .map(|session| session.checksums)
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn what_is_not_as_it_was_is_refused_with_what_changed() {
    let sandbox = Sandbox::new();
    let real = executable(&pair().gil);
    let python = sandbox.script("python3", &format!("exec {} \"$@\"", real.display()));
    stopped_run(&sandbox, &python).ends_with(130);
    let contents = || {
        let out = sandbox.path().join("out");
        ["run.json", "trials.jsonl"].map(|name| std::fs::read(out.join(name)).unwrap())
    };
    let before = contents();
    let refuses = |words: &[&str]| {
        let told = sandbox.ftbench("run --resume out");
        told.refuses(&["cannot go on with out"], 4);
        told.says(words);
    };
    sandbox.file("sleeps.py", format!("{SLEEPS}\n# later\n"));
    refuses(&["sleeps (", "sleeps.py): sha256 was ", ", is "]);
    std::fs::remove_file(sandbox.path().join("sleeps.py")).unwrap();
    refuses(&["sleeps: cannot read the workload", "sleeps.py"]);
    sandbox.file("sleeps.py", SLEEPS);
    std::fs::rename(&python, sandbox.path().join("elsewhere")).unwrap();
    refuses(&["python3 does not start: no such file"]);
    sandbox.script(
        "python3",
        &format!("exec {} \"$@\"", executable(&pair().free_threaded).display()),
    );
    let told = sandbox.ftbench("run --resume out");
    told.says(&["free_threaded was false, is true", "gil was on, is off"]);
    sandbox.script("python3", &format!("exec {} \"$@\"", real.display()));
    let mut other: Manifest = serde_json::from_slice(&before[0]).unwrap();
    other.machine.cpu_model = "PDP-11".to_owned();
    other.machine.topology.allowed_pus.push(4_000);
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    let told = sandbox.ftbench("run --resume out");
    told.ends_with(2);
    told.says(&[
        "the machine: cpu_model was PDP-11, is ",
        "topology.allowed_pus was [",
    ]);
    other = serde_json::from_slice(&before[0]).unwrap();
    let identity = other.interpreters[0].identity.as_mut().unwrap();
    assert!(
        identity.file.is_some() && identity.sha256.is_some(),
        "{identity:?}"
    );
    identity.sha256 = Some("0".repeat(64));
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    refuses(&[": sha256 was 000000000000, is "]);
    other.interpreters[0].identity.as_mut().unwrap().version_text = "3.13.15 (main, yesterday)".to_owned();
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    refuses(&["identity.version_text was 3.13.15 (main, yesterday), is 3."]);
    sandbox.file("out/run.json", &before[0]);
    assert_eq!(contents(), before, "a refusal changes nothing");
    sandbox.ftbench("run --resume out").ends_with(0);
}

/// Calls a function of one module that another one has.
const IMPORTING: &str = "
from helper import duration_s
import time

def measured():
    time.sleep(duration_s())
";

fn git(folder: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=a", "-c", "user.email=a@b.c"])
        .args(words)
        .current_dir(folder);
    // Set inside of git's hooks.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let told = told(command);
    assert_eq!(told.status, Some(0), "git {words:?}: {}", told.stderr);
}

#[test]
fn a_function_whose_module_changed_is_not_gone_on_with() {
    let sandbox = Sandbox::new();
    let helper = |seconds: &str| format!("def duration_s():\n    return {seconds}\n");
    sandbox.file("mine/__init__.py", "");
    sandbox.file("mine/module.py", IMPORTING);
    sandbox.file("helper.py", helper("0.01"));
    sandbox.file("unrelated.py", "");
    for words in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "1"],
    ] {
        git(sandbox.path(), words);
    }
    let words = format!(
        "run --callable mine.module:measured -p {} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out",
        pair().gil
    );
    let driver = start(sandbox.command(&words));
    let out = sandbox.path().join("out");
    wait_until("two trials", || has_trials(&out, 2));
    send(&driver, Signal::INT);
    ended(driver).ends_with(130);
    let names = || -> Vec<String> {
        let modules = manifest(&out).modules.unwrap().into_iter();
        modules.map(|module| module.name).collect()
    };
    assert_eq!(names(), ["helper", "mine"]);
    let before = trials(&out, Checksums::Required);
    sandbox.file("helper.py", helper("0.02"));
    let told = sandbox.ftbench("run --resume out");
    told.refuses(
        &[
            "cannot go on with out",
            "the module helper (",
            "helper.py): sha256 was ",
        ],
        3,
    );
    sandbox.file("helper.py", helper("0.01"));
    sandbox.file("mine/module.py", format!("{IMPORTING}# later\n"));
    let told = sandbox.ftbench("run --resume out");
    told.refuses(
        &["cannot go on with out", "the module mine (", "mine): sha256 was "],
        3,
    );
    assert_eq!(trials(&out, Checksums::Required), before);
    sandbox.file("mine/module.py", IMPORTING);
    // The commit moves, and nothing that is measured.
    sandbox.file("unrelated.py", "later = 1\n");
    git(sandbox.path(), &["commit", "--quiet", "-a", "-m", "2"]);
    sandbox.ftbench("run --resume out").ends_with(0);
    assert_eq!(trials(&out, Checksums::Required).len(), 8);
    let manifest = manifest(&out);
    let warned = manifest
        .warnings
        .iter()
        .find(|warning| warning.kind == WarningKind::SessionsDiffer);
    let [first, second] = &manifest.sessions[..] else {
        panic!("{:?}", manifest.sessions)
    };
    let [was, is] = [first, second].map(|session| &session.commit.as_ref().unwrap().id[..12]);
    assert_eq!(manifest.commit.unwrap().id[..12], *was);
    let differences = format!("commit {was}, then {is}");
    assert!(warned.unwrap().message.ends_with(&differences), "{differences}");
}

#[test]
fn what_is_no_run_is_not_gone_on_with() {
    let sandbox = Sandbox::new();
    sandbox.ftbench("run --resume nowhere").refuses(
        &["nowhere/trials.jsonl", "give the folder that 'ftbench run' wrote"],
        2,
    );
    sandbox.file("empty/trials.jsonl", "");
    sandbox
        .ftbench("run --resume empty")
        .refuses(&["stopped before its plan was written", "begin again"], 2);
    let theirs = "a line\nthe last one, without a line end";
    let trials = sandbox.file("theirs/trials.jsonl", theirs);
    let resume = || sandbox.ftbench("run --resume theirs");
    resume().refuses(&["no run.json", "give the folder that 'ftbench run' wrote"], 2);
    sandbox.file("theirs/run.json", r#"{"name": "another tool's"}"#);
    resume().refuses(&["theirs/run.json is damaged: missing field `schema`"], 2);
    sandbox.file("theirs/run.json", r#"{"schema": 99}"#);
    resume().refuses(&["run.json has format 99", "newer ftbench"], 2);
    assert_eq!(std::fs::read_to_string(trials).unwrap(), theirs);
    sandbox
        .ftbench("run fib --resume out")
        .refuses(&["cannot be used with"], 2);
}

#[test]
fn a_folder_that_was_moved_or_removed_is_told_and_not_made_anew() {
    for is_moved in [true, false] {
        let sandbox = Sandbox::new();
        let sleeps = sandbox.file("sleeps.py", SLEEPS);
        let words = format!(
            "run {sleeps} -p {} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out",
            pair().gil
        );
        let driver = start(sandbox.command(&words));
        let out = sandbox.path().join("out");
        wait_until("a trial", || has_trials(&out, 1));
        if is_moved {
            std::fs::rename(&out, sandbox.path().join("moved")).unwrap();
        } else {
            std::fs::remove_dir_all(&out).unwrap();
        }
        let told = ended(driver);
        told.ends_with(2);
        told.says(&["out was removed or moved while ftbench was writing to it"]);
        assert!(!out.exists());
        if is_moved {
            sandbox.ftbench("run --resume moved").ends_with(0);
            assert_eq!(
                trials(&sandbox.path().join("moved"), Checksums::Required).len(),
                8
            );
        }
    }
}

/// Runs on a file system of its own that is filled up after some trials, then goes on when there is room. Prints what
/// each step ended with.
const FULL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size=72m none disk || exit 99
"$FTBENCH" run "$WORKLOAD" -p "$PYTHON" -m serial -n 1 --rounds 40 --samples 1 --no-ceiling --out disk/out 2>errors &
for _ in $(seq 3000); do
    [ "$(wc -l 2>/dev/null <disk/out/trials.jsonl)" -ge 2 ] 2>/dev/null && break
    sleep 0.02
done
dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null
wait $!
echo "run: $?"
cat errors
cp disk/out/trials.jsonl full.jsonl
"$FTBENCH" show disk/out --format json >shown.json
echo "show: $?"
"$FTBENCH" run --resume disk/out 2>errors >/dev/null
echo "still full: $?"
cat errors
rm disk/filler
"$FTBENCH" run --resume disk/out --format json >resumed.json
echo "resume: $?"
cp disk/out/trials.jsonl resumed.jsonl
umount disk
"#;

#[test]
fn a_disk_that_fills_up_costs_the_trial_in_flight_and_the_run_is_gone_on_with() {
    let sandbox = Sandbox::new();
    let sleeps = sandbox.file("sleeps.py", SLEEPS);
    let script = sandbox.file("full.sh", FULL_DISK);
    let like = sandbox.command("");
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "bash", &script])
        .current_dir(sandbox.path())
        .env_clear()
        .envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("FTBENCH", FTBENCH)
        .env("WORKLOAD", sleeps)
        .env("PYTHON", &pair().gil);
    if std::env::var_os(SKIP_MOUNTS).is_some() {
        println!("nothing is shown here: {SKIP_MOUNTS} is set");
        return;
    }
    let told = told(command);
    assert!(
        told.status != Some(99) && !told.stdout.is_empty(),
        "this test needs 'unshare --map-root-user --mount' and a tmpfs in it, and has neither: {}\nWhere user name spaces \
         are forbidden (sysctl kernel.apparmor_restrict_unprivileged_userns, in containers the seccomp profile), allow \
         them, or set {SKIP_MOUNTS}=1 and leave the test to CI",
        told.stderr
    );
    println!("{}", told.stdout);
    for words in [
        "run: 2",
        "error: cannot write disk/out/",
        "No space left on device",
        "make room, then go on with 'ftbench run --resume disk/out'",
        "show: 0",
        "still full: 2",
        "resume: 0",
    ] {
        assert!(
            told.stdout.contains(words),
            "no {words:?}\n{}\n{}",
            told.stdout,
            told.stderr
        );
    }
    let read = |name: &str| {
        let recorded = store::read_trials(&sandbox.path().join(name), Checksums::Required).unwrap();
        assert_eq!(recorded.warnings, []);
        recorded.trials
    };
    let (full, resumed) = (read("full.jsonl"), read("resumed.jsonl"));
    assert!(full.len() >= 2 && full.len() < 40, "{}", full.len());
    assert_eq!(resumed.len(), 40);
    assert_eq!(resumed[..full.len()], full);
}
