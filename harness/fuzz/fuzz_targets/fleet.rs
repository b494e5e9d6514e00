#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ftbench_fuzz::run("fleet", bytes));
