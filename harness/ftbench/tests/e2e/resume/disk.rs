//! A run folder that disappears, and a disk that is full.

use std::process::Command;

use ftbench::record::store::{self, Checksums};

use super::{sleeps, trials};
use crate::support::driver::{Checkpoint, Driver};
use crate::support::machine::{Use, lock};
use crate::support::{FTBENCH, SKIP_MOUNTS, Sandbox, are_mounts_skipped, output_of, pair};

#[test]
fn a_moved_or_removed_folder_is_reported_and_not_made_again() {
    for is_moved in [true, false] {
        let sandbox = Sandbox::sharing_the_machine();
        let sleeps = sleeps(&sandbox);
        let words = format!(
            "run {sleeps} -p {} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out",
            pair().gil
        );
        let hold = Checkpoint::at(&sandbox, "out", 1, "sleeps:trial:work");
        let mut driver = Driver::start(sandbox.command(&words));
        hold.wait(&mut driver);
        let out = sandbox.path().join("out");
        if is_moved {
            std::fs::rename(&out, sandbox.path().join("moved")).unwrap();
        } else {
            std::fs::remove_dir_all(&out).unwrap();
        }
        hold.release();
        let output = driver.end();
        output.exits_with(3);
        output.stderr_has(&["out was removed or moved while ftbench was writing to it"]);
        assert!(!out.exists());
        if is_moved {
            sandbox.ftbench("run --resume moved").exits_with(0);
            assert_eq!(
                trials(&sandbox.path().join("moved"), Checksums::Required).len(),
                8
            );
        }
    }
}

/// Makes a run on a file system of its own that is filled up while the run is held after two trials, and resumes it
/// when there is room again. Prints the exit status of each step.
const FULL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size=72m none disk || exit 99
"$FTBENCH" run "$WORKLOAD" -p "$PYTHON" -m serial -n 1 --rounds 40 --samples 1 --no-ceiling --out disk/out 2>errors &
while [ ! -e held ] && kill -0 $!; do
    sleep 0.02
done
dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null
rm hold
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
mount -o remount,ro disk || exit 99
"$FTBENCH" run --resume disk/out 2>errors >/dev/null
echo "read only: $?"
cat errors
mount -o remount,rw disk || exit 99
"$FTBENCH" run --resume disk/out --format json >resumed.json
echo "resume: $?"
cp disk/out/trials.jsonl resumed.jsonl
umount disk
"#;

#[test]
fn a_full_disk_costs_only_the_trial_in_flight_and_the_run_is_resumed() {
    lock(Use::Shared);
    let sandbox = Sandbox::sharing_the_machine();
    let _hold = Checkpoint::at(&sandbox, "disk/out", 2, "sleeps:trial:work");
    let sleeps = sleeps(&sandbox);
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
    if are_mounts_skipped() {
        return;
    }
    let output = output_of(command);
    assert!(
        output.status != Some(99) && !output.stdout.is_empty(),
        "this test needs 'unshare --map-root-user --mount' and a tmpfs in it, and has neither: {}\nWhere user name spaces \
         are forbidden (sysctl kernel.apparmor_restrict_unprivileged_userns, in containers the seccomp profile), allow \
         them, or set {SKIP_MOUNTS}=1 and leave the test to CI",
        output.stderr
    );
    println!("{}", output.stdout);
    for words in [
        "run: 3",
        "error: cannot write disk/out/",
        "No space left on device",
        "make room, then resume with 'ftbench run --resume disk/out'",
        "show: 0",
        "still full: 3",
        "read only: 3",
        "Read-only file system",
        "resume: 0",
    ] {
        assert!(
            output.stdout.contains(words),
            "no {words:?}\n{}\n{}",
            output.stdout,
            output.stderr
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
