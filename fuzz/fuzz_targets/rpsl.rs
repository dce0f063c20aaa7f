//! Databases of Internet registries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::administration::{Limits, rpsl};
use sluis_fuzz::administration;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record: 4 << 10, unpacked: 4 << 20, ..Limits::default() };
    administration(rpsl::read(&mut &*bytes, &rpsl::Options { limits, ..rpsl::Options::default() }));
});
