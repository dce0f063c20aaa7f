//! ARF mails, by force: nothing is refused at the door.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| submission(bytes, As { format: Some("arf"), ..As::default() }));
