//! A database dump of AbuseIO, and the reports that its open tickets become.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::administration::{Limits, abuseio};
use sluis_fuzz::{As, administration, submission};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record: 4 << 10, unpacked: 4 << 20, ..Limits::default() };
    let taken = abuseio::read(&mut &*bytes, &limits);
    let mut out = Vec::new();
    if abuseio::reports(&taken, &mut &*bytes, &mut &*bytes, &limits, &mut out).is_ok() {
        submission(&out, As { format: Some("abuseio"), ..As::default() });
    }
    administration((taken.snapshot, taken.findings));
    submission(bytes, As { format: Some("abuseio"), ..As::default() });
});
