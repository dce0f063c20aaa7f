//! Policy files: whatever is read can be asked about every kind, and whatever is not has a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::category::Kind;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match desk::policy::read(&text, "fuzzed.toml") {
        Ok(policy) => {
            for kind in Kind::ALL {
                assert!(policy.rule_for(*kind, 53, "tag", false).is_some());
            }
        }
        Err(wrong) => {
            assert!(!wrong.problems.is_empty() && !wrong.to_string().is_empty());
            assert!(wrong.problems.iter().all(|problem| problem.line <= text.lines().count() + 1));
        }
    }
});
