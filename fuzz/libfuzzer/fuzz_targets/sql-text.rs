#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fastest_fuzz::target::run("sql-text", input));
