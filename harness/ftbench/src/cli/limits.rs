//! Options that keep trials in bounds.

use bytesize::ByteSize;
use clap::Args;

use crate::process::limits::Asked;

/// What a trial may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct LimitOptions {
    /// Memory of a trial, such as 4GiB [default: 80 % of what there is]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<ByteSize>,
    /// Processes of a trial at one time [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    process_limit: Option<u32>,
    /// What a trial may print, such as 1MiB [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    output_limit: Option<ByteSize>,
}

impl LimitOptions {
    /// As they were asked for.
    #[must_use]
    pub fn asked(self) -> Asked {
        Asked {
            memory_bytes: self.memory_limit.map(|size| size.as_u64()),
            processes: self.process_limit,
            output_bytes: self.output_limit.map(|size| size.as_u64()),
        }
    }
}

/// Below this no interpreter starts, and a slip of the keyboard is likely.
const SMALLEST: ByteSize = ByteSize::kib(64);

fn size(word: &str) -> Result<ByteSize, String> {
    match word.parse::<ByteSize>() {
        Ok(size) if size >= SMALLEST => Ok(size),
        _ => Err(format!(
            "give a size of at least {}, such as 500MB or 4GiB",
            SMALLEST.display().iec()
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("4GiB"), Ok(ByteSize::gib(4)));
        assert_eq!(size("500 MB"), Ok(ByteSize::mb(500)));
        for wrong in ["", "4", "-1GiB", "much", "4 parsecs", "nan"] {
            assert!(size(wrong).unwrap_err().contains("4GiB"), "{wrong}");
        }
    }
}
