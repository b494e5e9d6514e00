//! Instructions of AArch64: those of the class "Loads and Stores" (Arm Architecture Reference Manual for A-profile,
//! DDI 0487, section C4.1).
//!
//! Atomic are those of the Large System Extensions, and the pairs of exclusive loads and stores that older processors
//! have instead. Compilers put one or the other into functions such as `__aarch64_ldadd8_acq_rel` by default, which
//! choose at run time. They are instructions like any other here.

use super::{Access, is_own_stack};
use crate::image::Instructions;
use crate::registers::aarch64::{REGISTERS, STACK_POINTER};

/// The number that is not a register, but zero.
const ZERO: u32 = 31;

/// Finds the memory that an instruction uses.
#[derive(Debug, Default)]
pub struct Accesses(());

impl Accesses {
    /// The memory that the worker was using, apart from its stack; `None` if it used none, or if the registers no longer
    /// say which.
    #[must_use]
    pub fn at(&self, code: &Instructions<'_>, registers: &[u64; REGISTERS]) -> Option<Access> {
        let previous = code.previous.and_then(|(bytes, _)| decode(bytes));
        let (used, is_done) = match previous.filter(|previous| previous.kind != Kind::Plain) {
            Some(atomic) => (atomic, true),
            None => (decode(code.next)?, false),
        };
        if is_done && used.overwrites_base {
            return None;
        }
        let base = *registers.get(used.base)?;
        let index = match used.index {
            Some(index) => index.value(registers)?,
            None => 0,
        };
        let address = base.wrapping_add_signed(used.offset).wrapping_add(index);
        (!is_own_stack(address, registers[STACK_POINTER])).then_some(Access {
            address,
            size_bytes: used.size_bytes,
            is_atomic: used.kind != Kind::Plain,
            writes: used.writes,
            only_exchanges: used.kind == Kind::Exchange,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Atomic, or half of an exclusive pair.
    Atomic,
    /// Atomic, and exchanges values only.
    Exchange,
}

/// A register that is added to the base.
#[derive(Debug, Clone, Copy)]
struct Index {
    register: u32,
    /// How it is extended: the field `option`.
    option: u32,
    shift: u32,
}

impl Index {
    fn value(self, registers: &[u64; REGISTERS]) -> Option<u64> {
        let value = if self.register == ZERO {
            0
        } else {
            *registers.get(usize::try_from(self.register).ok()?)?
        };
        let extended = match self.option {
            0b010 => value & u64::from(u32::MAX),
            0b110 => i64::from(value as u32 as i32).cast_unsigned(),
            _ => value,
        };
        Some(extended << self.shift)
    }
}

/// What an instruction does with memory.
#[derive(Debug, Clone, Copy)]
struct MemoryUse {
    base: usize,
    offset: i64,
    index: Option<Index>,
    size_bytes: usize,
    writes: bool,
    kind: Kind,
    /// Whether the base is no longer what it was when the instruction is done.
    overwrites_base: bool,
}

/// The memory use of the first instruction; `None` if it uses none whose address is in registers.
fn decode(code: &[u8]) -> Option<MemoryUse> {
    let word = u32::from_le_bytes(*code.first_chunk()?);
    match (bits(word, 29, 27), bits(word, 25, 24)) {
        (0b001, 0b00) if bits(word, 26, 26) == 0 => exclusive(word),
        (0b101, 0b00 | 0b01) => pair(word),
        (0b111, 0b01) => {
            let scale = scale(word)?;
            let offset = i64::from(bits(word, 21, 10)) << scale;
            register(word, scale, offset, None)
        }
        (0b111, 0b00) => match (bits(word, 21, 21), bits(word, 11, 10)) {
            (0, post) => {
                let offset = if post == 0b01 {
                    0
                } else {
                    signed(bits(word, 20, 12), 9)
                };
                register(word, scale(word)?, offset, None)
            }
            (_, 0b00) if bits(word, 26, 26) == 0 => atomic(word),
            (_, 0b10) => {
                let scale = scale(word)?;
                let index = Index {
                    register: bits(word, 20, 16),
                    option: bits(word, 15, 13),
                    shift: if bits(word, 12, 12) == 1 { scale } else { 0 },
                };
                register(word, scale, 0, Some(index))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Bits `low` to `high` of an instruction, both included.
const fn bits(word: u32, high: u32, low: u32) -> u32 {
    (word >> low) & ((1 << (high - low + 1)) - 1)
}

/// Interprets the lowest `width` bits as a signed number.
fn signed(value: u32, width: u32) -> i64 {
    let unused = u32::BITS - width;
    i64::from((value << unused).cast_signed() >> unused)
}

const fn base(word: u32) -> usize {
    bits(word, 9, 5) as usize
}

/// The binary logarithm of the size of a register's load or store; `None` for prefetches.
fn scale(word: u32) -> Option<u32> {
    let (size, is_vector, operation) = (bits(word, 31, 30), bits(word, 26, 26) == 1, bits(word, 23, 22));
    match (is_vector, operation) {
        (true, 0b10 | 0b11) => (size == 0).then_some(4),
        (false, 0b10 | 0b11) if size == 0b11 => None,
        _ => Some(size),
    }
}

/// Loads and stores of one register.
fn register(word: u32, scale: u32, offset: i64, index: Option<Index>) -> Option<MemoryUse> {
    let is_vector = bits(word, 26, 26) == 1;
    let operation = bits(word, 23, 22);
    let writes = if is_vector {
        operation & 1 == 0
    } else {
        operation == 0
    };
    Some(MemoryUse {
        base: base(word),
        offset,
        index,
        size_bytes: 1_usize.checked_shl(scale)?,
        writes,
        kind: Kind::Plain,
        overwrites_base: true,
    })
}

/// Loads and stores of two registers.
fn pair(word: u32) -> Option<MemoryUse> {
    let (size, is_vector) = (bits(word, 31, 30), bits(word, 26, 26) == 1);
    let writes = bits(word, 22, 22) == 0;
    let scale = match (is_vector, size) {
        (_, 0b11) => return None,
        // It stores a memory tag, too.
        (false, 0b01) if writes => return None,
        (true, size) => 2 + size,
        (false, 0b10) => 3,
        (false, _) => 2,
    };
    let is_post_indexed = bits(word, 24, 23) == 0b01;
    Some(MemoryUse {
        base: base(word),
        offset: if is_post_indexed {
            0
        } else {
            signed(bits(word, 21, 15), 7) << scale
        },
        index: None,
        size_bytes: 2 << scale,
        writes,
        kind: Kind::Plain,
        overwrites_base: true,
    })
}

/// Exclusive and ordered loads and stores, and those that compare and swap.
fn exclusive(word: u32) -> Option<MemoryUse> {
    let size = bits(word, 31, 30);
    let is_load = bits(word, 22, 22) == 1;
    let (status, target) = (bits(word, 20, 16), bits(word, 4, 0));
    let own = |size_bytes, writes, kind, overwritten: &[u32]| MemoryUse {
        base: base(word),
        offset: 0,
        index: None,
        size_bytes,
        writes,
        kind,
        overwrites_base: overwritten
            .iter()
            .any(|register| *register != ZERO && *register == bits(word, 9, 5)),
    };
    let single = 1 << size;
    Some(match (bits(word, 23, 23), bits(word, 21, 21)) {
        // Exclusive. The store reports whether it succeeded in a register.
        (0, 0) if is_load => own(single, false, Kind::Atomic, &[target]),
        (0, 0) => own(single, true, Kind::Atomic, &[status]),
        (0, _) if size >= 0b10 && is_load => {
            own(2 * single, false, Kind::Atomic, &[target, bits(word, 14, 10)])
        }
        (0, _) if size >= 0b10 => own(2 * single, true, Kind::Atomic, &[status]),
        // Compare and swap two registers; they begin at an even one.
        (0, _) => own(8 << size, true, Kind::Atomic, &[status, status + 1]),
        // Ordered.
        (_, 0) => own(single, !is_load, Kind::Plain, &[]),
        // Compare and swap.
        _ => own(single, true, Kind::Atomic, &[status]),
    })
}

/// Atomic operations that load, change and store; `None` for those of 64 bytes.
fn atomic(word: u32) -> Option<MemoryUse> {
    let (is_other, operation) = (bits(word, 15, 15) == 1, bits(word, 14, 12));
    // `ldapr` has its encoding among them, and loads.
    let kind = match (is_other, operation) {
        (true, 0b100) => Kind::Plain,
        (true, 0b000) => Kind::Exchange,
        (true, _) => return None,
        (false, _) => Kind::Atomic,
    };
    let target = bits(word, 4, 0);
    Some(MemoryUse {
        base: base(word),
        offset: 0,
        index: None,
        size_bytes: 1 << bits(word, 31, 30),
        writes: kind != Kind::Plain,
        kind,
        overwrites_base: target != ZERO && target == bits(word, 9, 5),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The instructions are those that aarch64-linux-gnu-gcc 12.2 -O2 makes of these functions:
    //
    //   void count(uint64_t *shared) { __atomic_fetch_add(shared, 4, __ATOMIC_SEQ_CST); }
    //   int lock(uint8_t *bits) { uint8_t free = 0; return __atomic_compare_exchange_n(bits, &free, 1, 0,
    //                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
    //   uint8_t swap(uint8_t *bits) { return __atomic_exchange_n(bits, 0, __ATOMIC_RELEASE); }
    //   uint64_t load(uint64_t *const *p, long i) { return p[3][i]; }
    //   void store(uint32_t *local) { local[3] += 1; }
    //   uint64_t acquire(uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
    const NOP: u32 = 0xd503_201f;

    /// Registers whose values are their numbers plus one, times 2^32.
    fn registers() -> [u64; REGISTERS] {
        std::array::from_fn(|number| (number as u64 + 1) << 32)
    }

    fn at(previous: u32, next: u32) -> Option<Access> {
        let (previous, next) = (previous.to_le_bytes(), next.to_le_bytes());
        let code = Instructions {
            next: &next,
            address: 0x1000,
            previous: Some((&previous, 0xffc)),
            before: None,
        };
        Accesses::default().at(&code, &registers())
    }

    const fn access(address: u64, size_bytes: usize, writes: bool) -> Access {
        Access {
            address,
            size_bytes,
            is_atomic: false,
            writes,
            only_exchanges: false,
        }
    }

    const fn atomic(address: u64, size_bytes: usize) -> Access {
        Access {
            is_atomic: true,
            ..access(address, size_bytes, true)
        }
    }

    const X0: u64 = 1 << 32;
    const X1: u64 = 2 << 32;

    #[test]
    fn atomic_instruction_before_the_address_is_used() {
        // -march=armv8.1-a: ldaddal x1, x1, [x0]; casalb w1, w2, [x0]; swplb wzr, w0, [x0]
        assert_eq!(at(0xf8e1_0001, NOP), Some(atomic(X0, 8)));
        assert_eq!(at(0x08e1_fc02, NOP), Some(atomic(X0, 1)));
        assert_eq!(at(0x387f_8000, NOP), None, "w0 has the old value");
        // swplb wzr, w0, [x1]
        let swapped = Access {
            only_exchanges: true,
            ..atomic(X1, 1)
        };
        assert_eq!(at(0x387f_8020, NOP), Some(swapped));
        // In __aarch64_ldadd8_acq_rel: ldaddal x0, x0, [x1]
        assert_eq!(at(0xf8e0_0020, NOP), Some(atomic(X1, 8)));
    }

    #[test]
    fn halves_of_an_exclusive_pair_are_atomic() {
        let loaded = |address, size_bytes| Access {
            writes: false,
            ..atomic(address, size_bytes)
        };
        // -march=armv8-a -mno-outline-atomics: ldaxr x2, [x0]; stlxr w1, x2, [x0]; ldaxrb w2, [x0]; stlxrb w3, w1, [x0]
        assert_eq!(at(0xc85f_fc02, NOP), Some(loaded(X0, 8)));
        assert_eq!(at(0xc801_fc02, NOP), Some(atomic(X0, 8)));
        assert_eq!(at(0x085f_fc02, NOP), Some(loaded(X0, 1)));
        assert_eq!(at(0x0803_fc01, NOP), Some(atomic(X0, 1)));
        // After add x2, x2, #0x4, the store is next.
        assert_eq!(at(0x9100_1042, 0xc801_fc02), Some(atomic(X0, 8)));
        // ldaxr x0, [x0]
        assert_eq!(at(0xc85f_fc00, NOP), None);
    }

    #[test]
    fn load_or_store_that_waits_is_the_instruction_at_the_address() {
        // ldr x0, [x0, #24]; ldr x0, [x0, x1, lsl #3]; str w1, [x0, #12]; ldar x0, [x0]
        assert_eq!(at(NOP, 0xf940_0c00), Some(access(X0 + 24, 8, false)));
        assert_eq!(at(NOP, 0xf861_7800), Some(access(X0 + 8 * X1, 8, false)));
        assert_eq!(at(NOP, 0xb900_0c01), Some(access(X0 + 12, 4, true)));
        assert_eq!(at(NOP, 0xc8df_fc00), Some(access(X0, 8, false)));
        // An ordered load that is done is no atomic operation.
        assert_eq!(at(0xc8df_fc00, NOP), None);
    }

    #[test]
    fn stack_and_other_instructions_are_left_out() {
        // stp x29, x30, [sp, #-16]!; ldp x29, x30, [sp], #16; bl; adrp x16; ret
        for next in [0xa9bf_7bfd, 0xa8c1_7bfd, 0x9400_0000, 0x9000_0110, 0xd65f_03c0] {
            assert_eq!(at(NOP, next), None, "{next:08x}");
        }
    }

    #[test]
    fn any_word_is_decoded_or_refused() {
        for high in 0..=u16::MAX {
            for low in [0, 0x7c00, 0xfc1f, 0xffff] {
                let _ = at(NOP, u32::from(high) << 16 | low);
                let _ = at(u32::from(high) << 16 | low, NOP);
            }
        }
    }
}
