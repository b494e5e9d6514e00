//! The mapped files of a process: which function is at an address, and which functions called it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

#[cfg(target_arch = "aarch64")]
use framehop::aarch64::{CacheAarch64 as Cache, UnwinderAarch64 as MachineUnwinder};
#[cfg(not(target_arch = "aarch64"))]
use framehop::x86_64::{CacheX86_64 as Cache, UnwinderX86_64 as MachineUnwinder};
use framehop::{ExplicitModuleSectionInfo, Module, Unwinder};
use gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian, UnwindSection};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

use crate::registers::machine::FRAME_POINTER;
use crate::samples::Sample;

/// Functions of a stack that are looked at. Those of one Python function come first, and are fewer.
const MAX_FUNCTIONS: usize = 64;

/// The kind of file that a function is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The interpreter: its executable or `libpython`.
    Interpreter,
    /// The C library, the dynamic linker, and the kernel's code for user space.
    System,
    /// Any other: extension modules and libraries.
    Library,
}

/// An executable or a shared library.
#[derive(Debug)]
pub struct Library {
    name: String,
    origin: Origin,
    /// Whether it has the names of the functions that other files do not use.
    has_symbol_table: bool,
    /// Its functions, by where they begin; no two overlap.
    functions: Vec<Function>,
    /// Its executable section, and where that begins.
    text: (u64, Arc<[u8]>),
    /// The sections with which stacks are unwound.
    unwind_tables: BTreeMap<&'static str, (Range<u64>, Arc<[u8]>)>,
    /// Segments with code: where they are in the file, and begin in memory, as the file says.
    segments: Vec<(Range<u64>, u64)>,
}

/// A function of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Function {
    /// Its addresses, as the file says.
    addresses: Range<u64>,
    /// Its name; `None` without a symbol.
    name: Option<String>,
}

/// The tables of an ELF file that describe its stack frames.
const UNWIND_TABLES: [&str; 2] = [EH_FRAME, ".eh_frame_hdr"];
const EH_FRAME: &str = ".eh_frame";

/// Functions that only an interpreter defines, one of which is left in a stripped one.
const INTERPRETER_FUNCTIONS: [&str; 2] = ["_PyEval_EvalFrameDefault", "PyEval_RestoreThread"];

/// The beginnings of the names of the system's own libraries.
const SYSTEM_LIBRARIES: [&str; 4] = ["libc.so", "libc-", "ld-linux", "libpthread"];

impl Library {
    /// Reads an ELF file. `path` is where it is. `None` if it is not one.
    #[must_use]
    pub fn parse(path: &str, bytes: &[u8]) -> Option<Self> {
        let file = object::File::parse(bytes).ok()?;
        let bounds = file.section_by_name(EH_FRAME).map_or_else(Vec::new, |section| {
            frame_bounds(section.data().unwrap_or_default(), section.address())
        });
        let functions = with_unnamed(named_functions(&file), bounds);
        let file_name = path.rsplit('/').next().unwrap_or(path);
        let has = |name: &&str| {
            functions
                .iter()
                .any(|function| function.name.as_deref() == Some(name))
        };
        let origin = if INTERPRETER_FUNCTIONS.iter().any(has) {
            Origin::Interpreter
        } else if SYSTEM_LIBRARIES.iter().any(|name| file_name.starts_with(name)) {
            Origin::System
        } else {
            Origin::Library
        };
        let section = |name: &str| {
            let section = file.section_by_name(name)?;
            let start = section.address();
            let data: Arc<[u8]> = section.data().ok()?.into();
            Some((start..start.saturating_add(data.len() as u64), data))
        };
        let tables = UNWIND_TABLES.into_iter();
        let (text_at, text) = section(".text").unwrap_or_default();
        Some(Self {
            name: short_name(file_name).to_owned(),
            origin,
            has_symbol_table: file.symbols().next().is_some(),
            functions,
            text: (text_at.start, text),
            unwind_tables: tables.filter_map(|name| Some((name, section(name)?))).collect(),
            segments: file
                .segments()
                .filter(|segment| segment.permissions().executable())
                .map(|segment| {
                    let (start, size) = segment.file_range();
                    (start..start.saturating_add(size), segment.address())
                })
                .collect(),
        })
    }

    /// The address, as the file says, of what is at this offset of the file.
    fn address_of_offset(&self, offset: u64) -> Option<u64> {
        // A mapping begins at a page, which may be before the segment.
        let near = |(in_file, _): &&(Range<u64>, u64)| {
            offset < in_file.end && offset.saturating_add(PAGE_BYTES) > in_file.start
        };
        let (in_file, address) = self.segments.iter().find(near)?;
        Some(address.wrapping_sub(in_file.start).wrapping_add(offset))
    }

    fn function(&self, address: u64) -> Option<&Function> {
        let after = self
            .functions
            .partition_point(|function| function.addresses.start <= address);
        let function = self.functions.get(after.checked_sub(1)?)?;
        function.addresses.contains(&address).then_some(function)
    }

    /// The code from an address on.
    fn code_from(&self, address: u64) -> Option<&[u8]> {
        let (start, text) = &self.text;
        let from = usize::try_from(address.checked_sub(*start)?).ok()?;
        text.get(from..).filter(|code| !code.is_empty())
    }

    fn code(&self, addresses: &Range<u64>) -> Option<&[u8]> {
        let size = usize::try_from(addresses.end.checked_sub(addresses.start)?).ok()?;
        self.code_from(addresses.start)?.get(..size)
    }
}

/// The largest page to which segments are aligned.
const PAGE_BYTES: u64 = if cfg!(target_arch = "aarch64") {
    1 << 16
} else {
    4096
};

/// The name of a library without what follows it: `_random` of `_random.cpython-313t-x86_64-linux-gnu.so`.
fn short_name(file_name: &str) -> &str {
    match file_name.split_once(".cpython-") {
        Some((module, _)) => module,
        None => file_name,
    }
}

/// Adds functions of which only the bounds are known, except where a named function is.
fn with_unnamed(named: Vec<Function>, bounds: Vec<Range<u64>>) -> Vec<Function> {
    let is_unnamed = |addresses: &Range<u64>| {
        let after = named.partition_point(|function| function.addresses.start < addresses.end);
        let before = after.checked_sub(1).and_then(|last| named.get(last));
        before.is_none_or(|last| last.addresses.end <= addresses.start)
    };
    let mut unnamed: Vec<Function> = bounds
        .into_iter()
        .filter(is_unnamed)
        .map(|addresses| Function {
            addresses,
            name: None,
        })
        .collect();
    unnamed.extend(named);
    sort(&mut unnamed);
    unnamed
}

/// The bounds of functions in a section `.eh_frame` at this address, which stripped files have, too.
fn frame_bounds(section: &[u8], address: u64) -> Vec<Range<u64>> {
    let bases = BaseAddresses::default().set_eh_frame(address);
    let section = EhFrame::new(section, LittleEndian);
    let mut entries = section.entries(&bases);
    let mut bounds = Vec::new();
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        if let Ok(function) = partial.parse(|section, bases, offset| section.cie_from_offset(bases, offset)) {
            let start = function.initial_address();
            bounds.push(start..start.saturating_add(function.len()));
        }
    }
    bounds
}

/// The functions with known bounds in a file's symbol tables.
fn named_functions(file: &object::File<'_>) -> Vec<Function> {
    let mut functions: Vec<Function> = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            let start = symbol.address();
            // The part of a function that the compiler has split off or specialised is that function's.
            let name = symbol.name().ok()?.split('.').next()?;
            Some(Function {
                addresses: start..start.checked_add(symbol.size())?,
                name: Some(name.to_owned()),
            })
        })
        .collect();
    sort(&mut functions);
    functions
}

/// Sorts functions. Of those that overlap, such as aliases, one is kept.
fn sort(functions: &mut Vec<Function>) {
    functions.sort_by_key(|function| (function.addresses.start, function.addresses.end));
    functions.dedup_by(|later, earlier| later.addresses.start < earlier.addresses.end);
}

/// A mapping of a file into memory as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its addresses.
    pub addresses: Range<u64>,
    /// Where it begins in the file, bytes.
    pub offset: u64,
    /// The path of the file, or a name in brackets.
    pub path: String,
}

/// Reads the executable mappings that have a name in a text like `/proc/PID/maps` (proc_pid_maps(5)).
#[must_use]
pub fn mappings(text: &str) -> Vec<Mapping> {
    let mapping = |line: &str| {
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        let is_code = fields.next()?.contains('x');
        let offset = hex(fields.next()?)?;
        let path = fields.nth(2)?.trim();
        (is_code && !path.is_empty()).then(|| Mapping {
            addresses: hex(start).zip(hex(end)).map_or(0..0, |(start, end)| start..end),
            offset,
            path: path.to_owned(),
        })
    };
    text.lines().filter_map(mapping).collect()
}

/// A function in a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The kind of file that it is in; `None` outside of all files, as for code made at run time.
    pub origin: Option<Origin>,
    /// The name of that file; empty outside of all files.
    pub library: &'a str,
    /// Its name; `None` where no symbol's bounds contain the address.
    pub function: Option<&'a str>,
}

/// The mapped files of one process.
pub struct Image<'l> {
    /// The mappings of known files by where they begin, with the difference between addresses in memory and in the file.
    mapped: Vec<(Range<u64>, u64, &'l Library)>,
    unwinder: MachineUnwinder<Arc<[u8]>>,
    cache: RefCell<Cache>,
    /// Where instructions begin in the functions that were asked for, by function.
    instructions: RefCell<HashMap<u64, Arc<[u64]>>>,
}

impl<'l> Image<'l> {
    /// Puts files, by path, where they are mapped. Files that are not among `libraries` are unknown.
    #[must_use]
    pub fn new(mappings: &[Mapping], libraries: &'l BTreeMap<String, Library>) -> Self {
        let mut mapped = Vec::new();
        let mut unwinder = MachineUnwinder::new();
        for mapping in mappings {
            let Some(library) = libraries.get(&mapping.path) else {
                continue;
            };
            let Some(address) = library.address_of_offset(mapping.offset) else {
                continue;
            };
            let bias = mapping.addresses.start.wrapping_sub(address);
            let table = |name| library.unwind_tables.get(name).cloned().unzip();
            let (eh_frame_svma, eh_frame) = table(EH_FRAME);
            let (eh_frame_hdr_svma, eh_frame_hdr) = table(".eh_frame_hdr");
            let (text_at, text) = &library.text;
            let info = ExplicitModuleSectionInfo {
                base_svma: 0,
                text_svma: Some(*text_at..text_at.saturating_add(text.len() as u64)),
                text: Some(Arc::clone(text)),
                eh_frame_svma,
                eh_frame,
                eh_frame_hdr_svma,
                eh_frame_hdr,
                ..Default::default()
            };
            unwinder.add_module(Module::new(
                library.name.clone(),
                mapping.addresses.clone(),
                bias,
                info,
            ));
            mapped.push((mapping.addresses.clone(), bias, library));
        }
        mapped.sort_by_key(|(addresses, _, _)| addresses.start);
        Self {
            mapped,
            unwinder,
            cache: RefCell::default(),
            instructions: RefCell::default(),
        }
    }

    fn library(&self, address: u64) -> Option<(&'l Library, u64)> {
        let after = self
            .mapped
            .partition_point(|(addresses, _, _)| addresses.start <= address);
        let (addresses, bias, library) = self.mapped.get(after.checked_sub(1)?)?;
        addresses.contains(&address).then_some((*library, *bias))
    }

    /// The function at an address.
    #[must_use]
    pub fn frame(&self, address: u64) -> Frame<'l> {
        match self.library(address) {
            None => Frame {
                origin: None,
                library: "",
                function: None,
            },
            Some((library, bias)) => Frame {
                origin: Some(library.origin),
                library: &library.name,
                function: library
                    .function(address.wrapping_sub(bias))
                    .and_then(|function| function.name.as_deref()),
            },
        }
    }

    /// Whether the names of all functions of the interpreter are known.
    #[must_use]
    pub fn has_symbols(&self) -> bool {
        let is_stripped =
            |library: &Library| library.origin == Origin::Interpreter && !library.has_symbol_table;
        !self.mapped.iter().any(|(_, _, library)| is_stripped(library))
    }

    /// The functions of a sample's stack, innermost first, until `is_last` or the end of what the sample has.
    pub fn stack(&self, sample: &Sample<'_>, is_last: impl Fn(&Frame<'l>) -> bool) -> Vec<Frame<'l>> {
        let mut cache = self.cache.borrow_mut();
        let mut read = |address| sample.stack_word(address).ok_or(());
        let mut addresses = self.unwinder.iter_frames(
            sample.instruction_pointer(),
            unwind_registers(sample),
            &mut cache,
            &mut read,
        );
        let mut frames = Vec::new();
        while let Ok(Some(address)) = addresses.next() {
            let frame = self.frame(address.address_for_lookup());
            frames.push(frame);
            if is_last(&frame) || frames.len() == MAX_FUNCTIONS {
                break;
            }
        }
        frames
    }

    /// The instructions around an address; `None` outside of all code.
    #[must_use]
    pub fn instructions_at(&self, address: u64) -> Option<Instructions<'l>> {
        let (library, bias) = self.library(address)?;
        let in_file = address.wrapping_sub(bias);
        Some(Instructions {
            next: library.code_from(in_file)?,
            address,
            previous: self
                .previous(library, in_file)
                .map(|(code, start)| (code, start.wrapping_add(bias))),
            before: in_file
                .checked_sub(SYSCALL.len() as u64)
                .and_then(|before| library.code_from(before)),
        })
    }

    /// The instruction before an address of a file; `None` outside of known functions, and at their first instruction.
    fn previous(&self, library: &'l Library, in_file: u64) -> Option<(&'l [u8], u64)> {
        let function = library.function(in_file)?;
        let starts = self.starts(function, library.code(&function.addresses)?);
        let before = starts.partition_point(|&start| start < in_file);
        let start = *starts.get(before.checked_sub(1)?)?;
        Some((library.code_from(start)?, start))
    }

    fn starts(&self, function: &Function, code: &[u8]) -> Arc<[u64]> {
        let start = function.addresses.start;
        let mut known = self.instructions.borrow_mut();
        // Two libraries may have a function at the same address.
        let key = code.as_ptr() as u64;
        let starts = known
            .entry(key)
            .or_insert_with(|| instruction_starts(code, start));
        Arc::clone(starts)
    }
}

#[cfg(not(target_arch = "aarch64"))]
fn instruction_starts(code: &[u8], start: u64) -> Arc<[u64]> {
    let decoder = iced_x86::Decoder::with_ip(64, code, start, iced_x86::DecoderOptions::NONE);
    decoder.into_iter().map(|instruction| instruction.ip()).collect()
}

/// All instructions have 4 bytes.
#[cfg(target_arch = "aarch64")]
fn instruction_starts(code: &[u8], start: u64) -> Arc<[u64]> {
    (start..start.saturating_add(code.len() as u64))
        .step_by(4)
        .collect()
}

#[cfg(not(target_arch = "aarch64"))]
fn unwind_registers(sample: &Sample<'_>) -> framehop::x86_64::UnwindRegsX86_64 {
    framehop::x86_64::UnwindRegsX86_64::new(
        sample.instruction_pointer(),
        sample.stack_pointer(),
        sample.registers[FRAME_POINTER],
    )
}

/// Return addresses may be signed in the bits that addresses of Linux's user space leave free.
#[cfg(target_arch = "aarch64")]
fn unwind_registers(sample: &Sample<'_>) -> framehop::aarch64::UnwindRegsAarch64 {
    framehop::aarch64::UnwindRegsAarch64::new_with_ptr_auth_mask(
        framehop::aarch64::PtrAuthMask::from_max_known_address((1 << 48) - 1),
        sample.registers[crate::registers::aarch64::LINK_REGISTER],
        sample.stack_pointer(),
        sample.registers[FRAME_POINTER],
    )
}

/// The instruction that calls the system: `syscall`, or `svc #0`.
#[cfg(not(target_arch = "aarch64"))]
const SYSCALL: [u8; 2] = [0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const SYSCALL: [u8; 4] = [0x01, 0x00, 0x00, 0xd4];

/// The instructions around an address, each slice up to the end of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instructions<'a> {
    /// From the address on.
    pub next: &'a [u8],
    /// The address.
    pub address: u64,
    /// From the instruction before on, and where that begins; `None` if it is not known.
    pub previous: Option<(&'a [u8], u64)>,
    /// From where an instruction that calls the system would begin if the address follows it.
    pub before: Option<&'a [u8]>,
}

impl Instructions<'_> {
    /// Whether the worker is in a system call: the kernel interrupts one after its instruction, or before it if the
    /// call is to be repeated.
    #[must_use]
    pub fn in_system_call(&self) -> bool {
        let calls = |bytes: &[u8]| bytes.starts_with(&SYSCALL);
        let is_after = match (self.previous, self.before) {
            (Some((previous, _)), _) => calls(previous),
            // The C library's functions often have no symbols.
            (None, before) => before.is_some_and(calls),
        };
        is_after || calls(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_with_a_name_is_a_mapping() {
        let text = "\
55d0-55d8 r--p 00000000 08:01 7   /usr/bin/python3
55d8-55f0 r-xp 00008000 08:01 7   /usr/bin/python3
7f00-7f10 rwxp 00000000 00:00 0 \n\
7f10-7f20 r-xp 00000000 00:00 0                  [vdso]
half a line";
        let found = mappings(text);
        let expected = |addresses, offset, path: &str| Mapping {
            addresses,
            offset,
            path: path.to_owned(),
        };
        assert_eq!(
            found,
            [
                expected(0x55d8..0x55f0, 0x8000, "/usr/bin/python3"),
                expected(0x7f10..0x7f20, 0, "[vdso]"),
            ]
        );
    }

    #[test]
    fn modules_are_called_as_they_are_imported() {
        assert_eq!(short_name("_random.cpython-313t-x86_64-linux-gnu.so"), "_random");
        assert_eq!(short_name("libm.so.6"), "libm.so.6");
    }

    /// The section of a library with three functions at 0x1000, 0x1010 and 0x1020, the second of which is static:
    /// `gcc -O2 -shared -fPIC -nostdlib`, GCC 12.2, stripped.
    const EH_FRAME_OF_THREE: &[u8] = &[
        0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x7a, 0x52, 0x00, 0x01, 0x78, 0x10, 0x01, 0x1b,
        0x0c, 0x07, 0x08, 0x90, 0x01, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0xb8, 0xef,
        0xff, 0xff, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x30, 0x00, 0x00,
        0x00, 0xb4, 0xef, 0xff, 0xff, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
        0x44, 0x00, 0x00, 0x00, 0xb0, 0xef, 0xff, 0xff, 0x12, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    #[test]
    fn functions_without_symbols_have_bounds() {
        let bounds = frame_bounds(EH_FRAME_OF_THREE, 0x2028);
        assert_eq!(bounds, [0x1000..0x1004, 0x1010..0x1014, 0x1020..0x1032]);
        let mut damaged = EH_FRAME_OF_THREE.to_vec();
        for place in 0..damaged.len() {
            let byte = std::mem::replace(&mut damaged[place], 0xff);
            assert!(frame_bounds(&damaged, 0x2028).len() <= 3, "{place}");
            damaged[place] = byte;
        }
        let function = |addresses: Range<u64>, name: Option<&str>| Function {
            addresses,
            name: name.map(str::to_owned),
        };
        let named = vec![
            function(0x1000..0x1004, Some("first")),
            function(0x1024..0x1030, Some("inner")),
        ];
        let expected = [
            function(0x1000..0x1004, Some("first")),
            function(0x1010..0x1014, None),
            function(0x1024..0x1030, Some("inner")),
        ];
        assert_eq!(with_unnamed(named, bounds), expected);
    }

    #[test]
    fn code_outside_of_all_files_has_no_function() {
        let libraries = BTreeMap::new();
        let image = Image::new(&mappings("10-20 r-xp 0 0:0 0 /gone"), &libraries);
        assert_eq!(image.frame(0x18).origin, None);
        assert_eq!(image.instructions_at(0x18), None);
    }

    #[test]
    fn what_is_not_an_elf_file_is_refused() {
        assert!(Library::parse("/text", b"#!/bin/sh").is_none());
    }

    #[test]
    fn system_call_is_known_before_and_after_its_instruction() {
        let code = |previous, before: &'static [u8], next| Instructions {
            next,
            address: 0x1000,
            previous,
            before: Some(before),
        };
        let nop: &[u8] = &[0x90, 0x90];
        assert!(code(None, nop, &SYSCALL).in_system_call(), "to be repeated");
        assert!(code(None, &SYSCALL, nop).in_system_call());
        assert!(code(Some((&SYSCALL, 0xffe)), &SYSCALL, nop).in_system_call());
        // The end of a longer instruction looks the same.
        assert!(!code(Some((&[0xb8, 0, 0, 0x0f, 0x05], 0xffb)), &SYSCALL, nop).in_system_call());
        assert!(!code(None, nop, nop).in_system_call());
    }
}
