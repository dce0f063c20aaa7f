//! Shadowserver CSV, by force, under the name of a report type that the bytes choose.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| {
    let (which, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let name = ["2026-03-04-scan_telnet-netherlands-asn.csv", "2026-03-04-event4_sinkhole_http.csv", "blocklist.csv", ""]
        [usize::from(which % 4)];
    submission(rest, As { name, format: Some("shadowserver"), ..As::default() });
});
