//! Mails with anything in them: what a mail server hands over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{As, submission};

fuzz_target!(|bytes: &[u8]| {
    submission(bytes, As { name: "mail.eml", content_type: "message/rfc822", ..As::default() });
    submission(bytes, As { name: "mail.eml", format: Some("shadowserver_mail"), ..As::default() });
});
