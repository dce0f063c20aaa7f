//! Bundles: as the fuzzer writes them, and with one file of a good bundle replaced by what it wrote, under a manifest that fits. What
//! is read is written back byte for byte. The first byte says which.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use seal::bundle;
use seal::testing::{repacked, stories::Story};

const FILES: [&str; 4] = ["records.bin", "reports.bin", "proofs.bin", "checkpoint.txt"];

fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| bundle::write(&Story::new(3).fed()).unwrap_or_default())
}

fn holds(bytes: &[u8]) {
    if let Ok(read) = bundle::read(bytes) {
        assert_eq!(bundle::write(&read).as_deref(), Ok(bytes));
        for record in &read.records {
            let _ = (record.commitment(), record.get("event"), record.kind());
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Some(name) = FILES.get(usize::from(*which)) else { return holds(bytes) };
    // The words at the beginning of a file are there already.
    holds(&repacked(good(), |files| {
        for (_, content) in files.iter_mut().filter(|(known, _)| known == name) {
            let magic = content.iter().position(|byte| *byte == 0).map_or(0, |at| at + 1);
            content.truncate(if name.ends_with(".bin") { magic } else { 0 });
            content.extend_from_slice(bytes);
        }
    }));
});
