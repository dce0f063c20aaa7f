//! Feeds: the first line names one of them, and the rest is handed in as that one, fetched or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::formats::feeds;
use sluis_fuzz::{As, named, submission};

fuzz_target!(|bytes: &[u8]| {
    let (format, bytes) = named(bytes, feeds::ALL);
    submission(bytes, As { format: Some(format), ..As::default() });
});
