//! Archives: as the fuzzer writes them, and as they would be if it knew how to pack.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| {
    let mut whole = b"PK\x03\x04".to_vec();
    whole.extend_from_slice(bytes.strip_prefix(b"PK\x03\x04").unwrap_or(bytes));
    submission(&whole, As { name: "feed.zip", ..As::default() });
});
