//! A lock that lets one test at a time measure what it makes assertions about, whichever test programs run and however
//! they run their tests. Tests of statuses, reasons and records share the machine with each other.

use std::cell::OnceCell;
use std::fs::File;

use super::users_cache;

thread_local! {
    static LOCK: OnceCell<File> = const { OnceCell::new() };
}

/// How a test uses the machine when it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// No other test measures meanwhile.
    Alone,
    /// Other tests that share the machine may measure meanwhile: no figure of this test matters.
    Shared,
}

/// Waits until this test may measure, and makes tests that cannot do so at the same time wait until it ends. The first
/// call of a test decides.
///
/// The lock belongs to the thread, which is the test's own: libtest runs each test in a new one, cargo-nextest each in
/// a new process. So a test may call this repeatedly, and the system releases the lock even when a test is killed.
pub fn lock(usage: Use) {
    LOCK.with(|lock| {
        lock.get_or_init(|| {
            let folder = users_cache().join("ftbench");
            std::fs::create_dir_all(&folder).unwrap();
            let file = File::create(folder.join("measuring-tests.lock")).unwrap();
            match usage {
                Use::Alone => file.lock().unwrap(),
                Use::Shared => file.lock_shared().unwrap(),
            }
            file
        });
    });
}

/// Whether a command of ftbench measures, or keeps cores busy: `run` without `--dry-run`, `selfcheck`, `explain` and
/// `compat`.
pub fn measures(words: &str) -> bool {
    let mut words = words.split_whitespace();
    match words.next() {
        Some("run") => !words.any(|word| word == "--dry-run"),
        Some("selfcheck" | "explain" | "compat") => true,
        _ => false,
    }
}
