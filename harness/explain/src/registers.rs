//! The registers in a sample, by processor, and their places.

#[cfg(target_arch = "aarch64")]
pub use aarch64 as machine;
#[cfg(not(target_arch = "aarch64"))]
pub use x86_64 as machine;

/// x86-64.
pub mod x86_64 {
    /// Registers in a sample: the 16 general-purpose ones in the order of their numbers in instructions, and `rip`.
    pub const REGISTERS: usize = 17;

    /// The index of the stack pointer `rsp`.
    pub const STACK_POINTER: usize = 4;

    /// The index of `rbp`, which code without frame pointers uses for anything.
    pub const FRAME_POINTER: usize = 5;

    /// The index of `rdi`, which has the first argument of a system call.
    pub const FIRST_ARGUMENT: usize = 7;

    /// The index of the instruction pointer `rip`.
    pub const INSTRUCTION_POINTER: usize = 16;
}

/// AArch64.
pub mod aarch64 {
    /// Registers in a sample: the 31 general-purpose ones, `sp`, which is number 31 of a base address, and `pc`.
    pub const REGISTERS: usize = 33;

    /// The index of the frame pointer `x29`.
    pub const FRAME_POINTER: usize = 29;

    /// The index of the link register `x30`, which has the address to return to.
    pub const LINK_REGISTER: usize = 30;

    /// The index of the stack pointer `sp`.
    pub const STACK_POINTER: usize = 31;

    /// The index of the program counter `pc`.
    pub const INSTRUCTION_POINTER: usize = 32;

    /// The index of `x0`, which has the first argument of a system call.
    pub const FIRST_ARGUMENT: usize = 0;
}
