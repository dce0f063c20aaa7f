//! Reports about mail itself (DMARC, TLS): recognised, and no report of abuse.

use std::path::Path;

use serde_json::Value;

use super::{Comparison, read_as};

/// Each is set aside as what it is.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let kind = if oracle["expected_by_mail_auth_tests"]["policy_published"].is_object() { "dmarc" } else { "tlsrpt" };
    let mut differences = Vec::new();
    if outcome.format != kind || outcome.aside.is_empty() {
        differences.push(format!("a report of {kind} is taken for '{}' {}", outcome.format, outcome.unreadable));
    }
    if sink.reports().next().is_some() || !sink.rejects.is_empty() {
        differences.push("became a report of abuse".to_owned());
    }
    Comparison::one(differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_reports_about_mail_are_set_aside() {
        let Some(sum) = super::super::walk("mail-dmarc-tlsrpt", compare) else { return };
        println!("mail-dmarc-tlsrpt: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
