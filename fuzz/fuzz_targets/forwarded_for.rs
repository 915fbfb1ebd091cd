#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser_checks::forwarded_for(input));
