//! Mails of notifiers: the first line names one of them, and the rest is handed in as a mail of that one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parsers::formats::{aside, notifiers};
use sluis_fuzz::{As, named, submission};

fuzz_target!(|bytes: &[u8]| {
    let formats: Vec<_> = notifiers::ALL.iter().chain(aside::ALL).copied().collect();
    let (format, bytes) = named(bytes, &formats);
    submission(bytes, As { name: "mail.eml", content_type: "message/rfc822", format: Some(format), ..As::default() });
});
