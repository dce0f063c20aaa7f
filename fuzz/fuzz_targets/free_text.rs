//! Mails and texts that no format knows: what is found in them, for a person.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::time::Time;
use parsers::formats::free_text::{MOST, findings};

fuzz_target!(|bytes: &[u8]| {
    let all = findings(bytes, Time(1_772_600_767_000));
    assert!(all.len() <= MOST, "{} findings", all.len());
    for finding in &all {
        assert!(!finding.value.is_empty() && (1..=99).contains(&finding.confidence), "{finding:?}");
        assert!(finding.written.len() <= 3 * (2 << 10) && !finding.value.contains(['\n', '\r', '\0']), "{finding:?}");
    }
});
