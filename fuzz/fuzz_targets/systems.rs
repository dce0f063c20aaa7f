//! Exports of systems: the first two bytes choose the system and its export, the rest is the file; and files of changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::administration::map::{FileName, Rows};
use parsers::administration::systems::{self, Takes};
use parsers::administration::{Limits, changes};
use sluis_fuzz::administration;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record: 4 << 10, unpacked: 4 << 20, ..Limits::default() };
    let _ = changes::read(&mut &*bytes, &limits);
    let _ = systems::recognise("guest-104.json", bytes);
    let [first, second, file @ ..] = bytes else { return };
    let all = systems::all();
    let system = &all[usize::from(*first) % all.len()];
    let export = &system.exports[usize::from(*second) % system.exports.len()];
    if let Takes::Rows(mapping) = &export.takes {
        let mut rows = Rows::default();
        rows.add(&mut &*file, &FileName::of("guest-104.json", false), mapping, &limits);
        rows.add(&mut &*file, &FileName::of("another", true), mapping, &limits);
        administration(rows.finish());
    }
});
