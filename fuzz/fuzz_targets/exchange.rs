//! MISP, STIX, IODEF, CSAF and KEV: whatever bytes are handed in as one of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::formats::exchange;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| {
    for format in exchange::ALL {
        submission(bytes, As { format: Some(format.name), ..As::default() });
    }
});
