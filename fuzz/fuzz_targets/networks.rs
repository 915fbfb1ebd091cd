#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| parser_checks::networks(input));
