//! Bytes as they come, in whatever format they are taken for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| submission(bytes, As::default()));
