//! The memory that a worker used at the moment of a sample.
//!
//! A timer interrupts a processor between two instructions. An atomic one keeps later ones waiting, and the interrupt
//! comes right after it, so it is the one before the sampled address. A load or store that waits for its cache line is
//! the oldest unfinished one, so it is the one at the sampled address.

pub mod aarch64;
pub mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64 as machine;
#[cfg(not(target_arch = "aarch64"))]
pub use x86_64 as machine;

/// Addresses this far around the stack pointer are taken for the worker's own stack.
const STACK_BYTES: u64 = 8 << 20;

/// What may lie below the stack pointer: the red zone of the x86-64 ABI (section 3.2.2), and what a call has just left.
const BELOW_STACK_BYTES: u64 = 4096;

/// A use of memory that other workers can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The first byte.
    pub address: u64,
    /// How many bytes.
    pub size_bytes: usize,
    /// Whether the instruction is atomic.
    pub is_atomic: bool,
    /// Whether the memory may have been written.
    pub writes: bool,
    /// Whether the instruction only exchanges values. Those that change reference counts add or compare.
    pub only_exchanges: bool,
}

fn is_own_stack(address: u64, stack_pointer: u64) -> bool {
    let own = stack_pointer.saturating_sub(BELOW_STACK_BYTES)..stack_pointer.saturating_add(STACK_BYTES);
    own.contains(&address)
}
