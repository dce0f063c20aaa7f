//! Other CSV, as its own header says and as a description says, which is half of the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::formats::csv::Declared;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| {
    submission(bytes, As { format: Some("csv"), ..As::default() });
    // A NUL parts the description from the file.
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return };
    let (description, rest) = bytes.split_at(at);
    let Ok(declared) = Declared::parse(&String::from_utf8_lossy(description)) else { return };
    submission(&rest[1..], As { format: Some("csv"), declared: Some(&declared), ..As::default() });
    submission(&rest[1..], As { declared: Some(&declared), ..As::default() });
});
