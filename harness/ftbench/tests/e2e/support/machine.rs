//! A lock that lets one test measure at a time, whichever test programs run and however they run their tests.

use std::cell::OnceCell;
use std::fs::File;

use super::users_cache;

thread_local! {
    static LOCK: OnceCell<File> = const { OnceCell::new() };
}

/// Waits until no other test on this machine measures, and makes the others wait until the calling test ends.
///
/// The lock belongs to the thread, which is the test's own: libtest runs each test in a new one, cargo-nextest each in
/// a new process. So a test may call this repeatedly, and the system releases the lock even when a test is killed.
pub fn measure_alone() {
    LOCK.with(|lock| {
        lock.get_or_init(|| {
            let folder = users_cache().join("ftbench");
            std::fs::create_dir_all(&folder).unwrap();
            let file = File::create(folder.join("measuring-tests.lock")).unwrap();
            file.lock().unwrap();
            file
        });
    });
}

/// Whether a command of ftbench measures: `run` without `--dry-run`, and `selfcheck`.
pub fn measures(words: &str) -> bool {
    let mut words = words.split_whitespace();
    match words.next() {
        Some("run") => !words.any(|word| word == "--dry-run"),
        Some("selfcheck") => true,
        _ => false,
    }
}
