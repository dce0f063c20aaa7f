//! How fast bundles are read and written: `cargo bench -p seal --features testing --bench bundle`.

use std::sync::OnceLock;

use divan::Bencher;
use divan::counter::BytesCount;
use seal::bundle::{self, Bundle, Opening};
use seal::record::Value;
use seal::testing::stories::Story;

fn main() {
    divan::main();
}

/// A case of twenty records, and the same with a letter of 16 MiB.
fn bundles() -> &'static [Bundle; 2] {
    static BUNDLES: OnceLock<[Bundle; 2]> = OnceLock::new();
    BUNDLES.get_or_init(|| {
        let plain = Story::new(10).whole();
        let mut large = plain.clone();
        if let Some(Opening::Shown { value, .. }) = large.records.get_mut(3).and_then(|record| record.openings.get_mut(18)) {
            *value = Value::Bytes(vec![7; 16 << 20]);
        }
        [plain, large]
    })
}

#[divan::bench(args = [0, 1])]
fn read(bencher: Bencher<'_, '_>, which: usize) {
    let bytes = bundle::write(&bundles()[which]).unwrap_or_default();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| bundle::read(divan::black_box(&bytes)));
}

#[divan::bench(args = [0, 1])]
fn write(bencher: Bencher<'_, '_>, which: usize) {
    bencher.bench(|| bundle::write(divan::black_box(&bundles()[which])));
}

/// A log with a batch of so many rows, from nothing: what tests wait for.
#[divan::bench(args = [100, 10_000], sample_count = 3)]
fn story(rows: u32) -> usize {
    Story::new(rows).world.entries.len()
}
