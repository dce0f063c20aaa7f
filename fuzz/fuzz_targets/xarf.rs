//! XARF, by force: one object, many, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| submission(bytes, As { format: Some("xarf"), ..As::default() }));
