//! How long tasks of the machine waited for a CPU, for memory and for input or output.
//!
//! Source: `Documentation/accounting/psi.rst` of the Linux kernel: the `some` line's `total` of the files in
//! `/proc/pressure`, microseconds. The kernel updates it when it is read, and otherwise at most every two seconds.

use std::fs;

/// Time for which some task waited since the machine was started, or between two readings, nanoseconds; `None` where
/// the kernel does not report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// Time waited for a CPU.
    pub cpu_ns: Option<u64>,
    /// Time waited for memory.
    pub memory_ns: Option<u64>,
    /// Time waited for input or output.
    pub io_ns: Option<u64>,
}

impl Pressure {
    /// The waiting since an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let added =
            |earlier: Option<u64>, later: Option<u64>| earlier.zip(later).map(|(a, b)| b.saturating_sub(a));
        Self {
            cpu_ns: added(earlier.cpu_ns, self.cpu_ns),
            memory_ns: added(earlier.memory_ns, self.memory_ns),
            io_ns: added(earlier.io_ns, self.io_ns),
        }
    }
}

/// The counters of the whole machine now.
#[must_use]
pub fn read() -> Pressure {
    let total_ns =
        |resource: &str| some_total_ns(&fs::read_to_string(format!("/proc/pressure/{resource}")).ok()?);
    Pressure {
        cpu_ns: total_ns("cpu"),
        memory_ns: total_ns("memory"),
        io_ns: total_ns("io"),
    }
}

/// The `total` of the `some` line, nanoseconds.
#[must_use]
pub fn some_total_ns(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = line
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    total.parse::<u64>().ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn total_of_the_some_line_is_parsed() {
        let text = "some avg10=3.18 avg60=3.84 avg300=14.67 total=428787545\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(some_total_ns(text), Some(428_787_545_000));
        // Linux 5.0 to 5.12 has no `full` line for CPUs.
        assert_eq!(
            some_total_ns("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"),
            Some(5_000)
        );
        assert_eq!(some_total_ns("full total=7\n"), None);
    }

    #[test]
    fn differences_are_never_negative() {
        let at = |cpu_ns| Pressure {
            cpu_ns: Some(cpu_ns),
            memory_ns: None,
            io_ns: Some(3),
        };
        assert_eq!(at(50).since(at(20)).cpu_ns, Some(30));
        assert_eq!(at(20).since(at(50)).cpu_ns, Some(0));
        assert_eq!(at(20).since(Pressure::default()), Pressure::default());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(text in "(some|full)?.{0,10}( total=[0-9]{0,25})?\n?.{0,10}") {
            let _ = some_total_ns(&text);
        }
    }
}
