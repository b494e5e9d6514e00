//! The only part that starts processes, binds cores and reads clocks.

pub mod protocol;
