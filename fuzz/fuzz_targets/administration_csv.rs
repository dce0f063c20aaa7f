//! Administrations in the columns of Sluis.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::administration::{Limits, csv};
use sluis_fuzz::administration;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record: 4 << 10, unpacked: 4 << 20, ..Limits::default() };
    administration(csv::read(&mut &*bytes, None, &limits));
    administration(csv::read(&mut &*bytes, Some(b';'), &limits));
});
