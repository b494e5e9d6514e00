//! A mark in the environment of processes, by which a test finds them even when they have detached themselves.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// An environment variable by which workers are found in `/proc`. ftbench passes it on as a locale category.
pub struct Mark {
    value: String,
}

impl Mark {
    const NAME: &str = "LC_FTBENCH_TEST";

    /// Returns a mark that is unique among all tests and all calls.
    pub fn new(test: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            value: format!("{test}-{}-{number}", std::process::id()),
        }
    }

    /// The name and the value of the variable.
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
