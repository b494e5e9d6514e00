#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ftbench_fuzz::run("asv_benchmarks", bytes));
