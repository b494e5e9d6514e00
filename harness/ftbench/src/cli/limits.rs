//! Options that limit trials.

use bytesize::ByteSize;
use clap::Args;

use crate::process::limits::RequestedLimits;

/// Limits of the resources of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct LimitOptions {
    /// Memory that a trial may use, such as 4GiB [default: 80 % of the total]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<ByteSize>,
    /// Processes that a trial may have at the same time [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    process_limit: Option<u32>,
    /// Output that a trial may print, such as 1MiB [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    output_limit: Option<ByteSize>,
}

impl LimitOptions {
    /// The limits that the command line requests.
    #[must_use]
    pub fn requested(self) -> RequestedLimits {
        RequestedLimits {
            memory_bytes: self.memory_limit.map(|size| size.as_u64()),
            processes: self.process_limit,
            output_bytes: self.output_limit.map(|size| size.as_u64()),
        }
    }
}

/// Smaller limits are likely to be typing errors, because no interpreter starts with so little.
const MIN_SIZE: ByteSize = ByteSize::kib(64);

fn size(word: &str) -> Result<ByteSize, String> {
    match word.parse::<ByteSize>() {
        Ok(size) if size >= MIN_SIZE => Ok(size),
        _ => Err(format!(
            "give a size of at least {}, such as 500MB or 4GiB",
            MIN_SIZE.display().iec()
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn size_without_a_unit_is_refused() {
        assert_eq!(size("4GiB"), Ok(ByteSize::gib(4)));
        assert_eq!(size("500 MB"), Ok(ByteSize::mb(500)));
        for wrong in ["", "4", "-1GiB", "much", "4 parsecs", "nan"] {
            assert!(size(wrong).unwrap_err().contains("4GiB"), "{wrong}");
        }
    }
}
