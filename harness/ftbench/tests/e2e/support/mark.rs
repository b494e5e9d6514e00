//! A mark on processes, by which they are found however they have run away.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A variable that ftbench passes on to workers, as it does every locale category, and that finds them in `/proc`.
pub struct Mark {
    value: String,
}

impl Mark {
    const NAME: &str = "LC_FTBENCH_TEST";

    /// A mark that no other test has, nor another part of this one.
    pub fn new(test: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            value: format!("{test}-{}-{number}", std::process::id()),
        }
    }

    /// With its value, as `NAME=VALUE`.
    pub fn variable(&self) -> (&'static str, &str) {
        (Self::NAME, &self.value)
    }

    pub fn set_on(&self, command: &mut Command) {
        command.env(Self::NAME, &self.value);
    }

    /// The command lines of all processes with this mark.
    pub fn processes(&self) -> Vec<String> {
        let variable = format!("{}={}", Self::NAME, self.value).into_bytes();
        let marked = |folder: &std::path::Path| {
            let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == variable)
        };
        std::fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|folder| marked(folder))
            .map(|folder| {
                let words = std::fs::read(folder.join("cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&words).replace('\0', " ")
            })
            .collect()
    }

    pub fn has_a_worker(&self) -> bool {
        self.processes()
            .iter()
            .any(|command| command.contains("ftbench_worker"))
    }
}
