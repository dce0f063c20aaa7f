//! Administrations by description: the description is the fuzzer's too, up to the first NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::administration::{Limits, map};
use sluis_fuzz::administration;

fuzz_target!(|bytes: &[u8]| {
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return };
    let (description, rest) = bytes.split_at(at);
    let Ok(mapping) = map::Mapping::parse(&String::from_utf8_lossy(description)) else { return };
    let limits = Limits { record: 4 << 10, unpacked: 4 << 20, ..Limits::default() };
    administration(map::read(&mut &rest[1..], &mapping, &limits));
});
