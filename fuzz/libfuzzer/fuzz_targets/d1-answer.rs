#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fastest_fuzz::target::run("d1-answer", input));
