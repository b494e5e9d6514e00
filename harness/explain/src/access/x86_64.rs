//! Instructions of x86-64.

use std::cell::RefCell;

use iced_x86::{
    Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, Register,
    UsedMemory,
};

use super::{Access, is_own_stack};
use crate::image::Instructions;
use crate::registers::x86_64::{REGISTERS, STACK_POINTER};

/// Finds the memory that an instruction uses.
#[derive(Debug)]
pub struct Accesses {
    info: RefCell<InstructionInfoFactory>,
}

impl Default for Accesses {
    fn default() -> Self {
        Self {
            info: RefCell::new(InstructionInfoFactory::new()),
        }
    }
}

impl Accesses {
    /// The memory that the worker was using, apart from its stack and its thread's own data; `None` if it used none, or
    /// if the registers no longer say which.
    #[must_use]
    pub fn at(&self, code: &Instructions<'_>, registers: &[u64; REGISTERS]) -> Option<Access> {
        if let Some((bytes, address)) = code.previous {
            let previous = decode(bytes, address)?;
            if is_atomic(&previous) {
                return self.of(&previous, registers, true);
            }
        }
        self.of(&decode(code.next, code.address)?, registers, false)
    }

    fn of(&self, instruction: &Instruction, registers: &[u64; REGISTERS], is_done: bool) -> Option<Access> {
        let mut factory = self.info.borrow_mut();
        let info = factory.info(instruction);
        let memory = info
            .used_memory()
            .iter()
            .find(|memory| !is_thread_local(memory))?;
        let overwritten = |register: Register| {
            register != Register::None
                && info.used_registers().iter().any(|used| {
                    used.register().full_register() == register.full_register() && is_write(used.access())
                })
        };
        if is_done && (overwritten(memory.base()) || overwritten(memory.index())) {
            return None;
        }
        let address = memory.virtual_address(0, |register, _, _| value(register, registers))?;
        if is_own_stack(address, registers[STACK_POINTER]) {
            return None;
        }
        Some(Access {
            address,
            size_bytes: memory.memory_size().size(),
            is_atomic: is_atomic(instruction),
            writes: is_write(memory.access()),
            only_exchanges: exchanges(instruction),
        })
    }
}

fn decode(bytes: &[u8], address: u64) -> Option<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
    let instruction = decoder.decode();
    (instruction.code() != Code::INVALID).then_some(instruction)
}

/// `xchg` with memory is atomic without a prefix (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3,
/// section 9.1.2).
fn is_atomic(instruction: &Instruction) -> bool {
    instruction.has_lock_prefix() || exchanges(instruction)
}

fn exchanges(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Xchg && instruction.memory_base() != Register::None
}

fn is_thread_local(memory: &UsedMemory) -> bool {
    matches!(memory.segment(), Register::FS | Register::GS)
}

const fn is_write(access: OpAccess) -> bool {
    matches!(
        access,
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
    )
}

/// The value of a register that is part of an address. Segments other than those of thread-local data begin at 0.
fn value(register: Register, registers: &[u64; REGISTERS]) -> Option<u64> {
    if register.is_segment_register() {
        return Some(0);
    }
    let full = register.full_register();
    let value = full
        .is_gpr64()
        .then(|| registers.get(full.number()).copied())
        .flatten()?;
    Some(if register.is_gpr32() {
        value & u64::from(u32::MAX)
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOP: &[u8] = &[0x90];
    /// Registers whose values are their numbers, times 2^32.
    fn registers() -> [u64; REGISTERS] {
        std::array::from_fn(|number| (number as u64 + 1) << 32)
    }

    fn after(previous: &[u8]) -> Option<Access> {
        let code = Instructions {
            next: NOP,
            address: 0x1000,
            previous: Some((previous, 0x1000 - previous.len() as u64)),
            before: None,
        };
        Accesses::default().at(&code, &registers())
    }

    fn before(next: &[u8]) -> Option<Access> {
        let code = Instructions {
            next,
            address: 0x1000,
            previous: Some((NOP, 0xfff)),
            before: None,
        };
        Accesses::default().at(&code, &registers())
    }

    #[test]
    fn operand_of_the_atomic_instruction_before_the_address_is_used() {
        // lock xadd qword [rdi+0x10], rax
        let access = after(&[0xf0, 0x48, 0x0f, 0xc1, 0x47, 0x10]);
        let expected = Access {
            address: (8 << 32) + 16,
            size_bytes: 8,
            is_atomic: true,
            writes: true,
            only_exchanges: false,
        };
        assert_eq!(access, Some(expected));
    }

    #[test]
    fn exchange_with_memory_is_atomic_and_one_between_registers_is_not() {
        // xchg byte [rbx+0xa], al
        let access = after(&[0x86, 0x43, 0x0a]);
        assert_eq!(
            access.map(|access| (access.is_atomic, access.size_bytes)),
            Some((true, 1))
        );
        // xchg rbx, rax
        assert_eq!(after(&[0x48, 0x87, 0xd8]), None);
    }

    #[test]
    fn address_is_unknown_when_the_instruction_has_overwritten_its_register() {
        // lock xadd qword [rax], rax
        assert_eq!(after(&[0xf0, 0x48, 0x0f, 0xc1, 0x00]), None);
    }

    #[test]
    fn load_that_waits_is_the_instruction_at_the_address() {
        // mov rax, [rax+rcx*8+0x20]
        let access = before(&[0x48, 0x8b, 0x44, 0xc8, 0x20]);
        let expected = Access {
            address: (1 << 32) + 8 * (2 << 32) + 0x20,
            size_bytes: 8,
            is_atomic: false,
            writes: false,
            only_exchanges: false,
        };
        assert_eq!(access, Some(expected));
        // mov [rbx], rax
        assert_eq!(
            before(&[0x48, 0x89, 0x03]).map(|access| access.writes),
            Some(true)
        );
    }

    #[test]
    fn stack_and_thread_local_data_are_left_out() {
        // mov rax, [rsp+0x8]; push rax; mov rax, fs:[0]
        assert_eq!(before(&[0x48, 0x8b, 0x44, 0x24, 0x08]), None);
        assert_eq!(before(&[0x50]), None);
        assert_eq!(before(&[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0]), None);
    }
}
