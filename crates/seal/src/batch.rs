//! Batches: many reports under one record, of which each can be shown, and erased, alone. `docs/seal.md` 3.

use sha2::{Digest, Sha256};

use crate::record::{Hash, REPORT, Value, field_digest};
use crate::seed::{self, Seed};

/// The four digests of a report: resource, time, category and the rest, under salts that follow from its seed.
pub fn digests(seed: &Seed, values: &[Value; 4]) -> [Hash; 4] {
    let salts = seed::report_salts(seed);
    std::array::from_fn(|ordinal| {
        field_digest(&salts[ordinal], REPORT[ordinal].0, values[ordinal].kind(), &values[ordinal].encode())
    })
}

/// The commitment to a report: the entry of the batch's tree.
pub fn commitment(digests: &[Hash; 4]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sluis/report/v1\0");
    digests.iter().for_each(|digest| hash.update(digest));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_hides_behind_its_seed() {
        let report = |name: &str| [Value::text(name), Value::Time(5), Value::text("phishing"), Value::Absent];
        let one = commitment(&digests(&[1; 32], &report("a.example")));
        assert_eq!(one, commitment(&digests(&[1; 32], &report("a.example"))));
        assert_ne!(one, commitment(&digests(&[2; 32], &report("a.example"))));
        assert_ne!(one, commitment(&digests(&[1; 32], &report("b.example"))));
    }
}
