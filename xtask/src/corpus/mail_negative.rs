//! Mails that report no abuse: none becomes a report, and what nobody has to look at is set aside.

use std::path::Path;

use serde_json::Value;

use super::{Comparison, read_as, word};

/// A bounce or an automatic answer is set aside; any other mail reaches a person with a reason.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut differences = Vec::new();
    if outcome.statements > 0 || sink.reports().next().is_some() {
        differences.push(format!("became {} reports or rejects of '{}'", outcome.statements, outcome.format));
    }
    let answer = word(oracle, "expected").starts_with("not an abuse report");
    if answer && outcome.aside.is_empty() {
        differences.push(format!("not set aside: {}", outcome.unreadable));
    }
    if outcome.aside.is_empty() && outcome.unreadable.is_empty() {
        differences.push("neither set aside nor left to a person".to_owned());
    }
    Comparison::one(differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_no_mail_that_is_none_becomes_a_report() {
        let Some(sum) = super::super::walk("mail-negative", compare) else { return };
        println!("mail-negative: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
