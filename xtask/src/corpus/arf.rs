//! ARF mails, beside what two other readers (mail-auth and Sisimai) made of them.

use std::path::Path;

use model::report::{Report, Word};
use serde_json::Value;

use super::{Comparison, read_as};

/// Compares the feedback report of a mail with what both oracles agree about: its type, address and time. One mail is
/// one record.
///
/// A mail that neither oracle takes for feedback must not become a report. One that only one of them reads proves
/// nothing and counts nowhere.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, collected) = read_as(path, bytes, |_| {});
    let (strict, loose) = (&oracle["mail_auth_0.13.3"], &oracle["sisimai_4.25.15"][0]);
    let loose_is_feedback = loose["feedback_type"].as_str().is_some_and(|said| !said.is_empty());
    if strict.is_null() && !loose_is_feedback {
        let difference = (collected.reports().next().is_some() || outcome.format == "arf")
            .then(|| "no feedback report, and read as one".to_owned());
        return Comparison::one(difference.into_iter().collect());
    }
    if strict.is_null() || !loose_is_feedback {
        return Comparison::default();
    }
    let agreed = |strict: &Value, loose: &Value| {
        let (strict, loose) = (plain(strict.as_str()?), plain(loose.as_str()?));
        (strict == loose && !strict.is_empty()).then_some(strict)
    };
    let fields = [
        ("feedback type", agreed(&strict["feedback_type"], &loose["feedback_type"])),
        ("source address", agreed(&strict["source_ip"], &loose["source"])),
        ("time", agreed(&strict["arrival_date"], &loose["time"])),
    ];
    let mut reports = collected.reports();
    let Some(report) = reports.next() else {
        let why = collected.rejects.first().map_or(outcome.unreadable.as_str(), |reject| reject.reason.as_str());
        // A type that says it is no abuse is read as it should be when it is set aside with that reason.
        let set_aside = why.starts_with("says it is not abuse") || why.starts_with("no source");
        let needs = fields[1].1.is_some();
        return Comparison::one(if set_aside && !needs { Vec::new() } else { vec![format!("not read: {why}")] });
    };
    let ours = [said_type(&report), plain(&report.core.address.to_string()), time(&report)];
    let mut differences = Vec::new();
    for ((name, theirs), ours) in fields.into_iter().zip(ours) {
        if let Some(theirs) = theirs
            && theirs != ours
        {
            differences.push(format!("{name}: ours is '{ours}', theirs '{theirs}'"));
        }
    }
    if reports.next().is_some() {
        differences.push("more than one report".to_owned());
    }
    Comparison::one(differences)
}

/// Letters and digits alone, small: `AuthFailure` and `auth-failure` are one.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| *letter != '-').collect::<String>().to_ascii_lowercase()
}

fn said_type(report: &Report<'_>) -> String {
    let tags = report.fields().filter(|(word, _)| *word == Word::TAG).map(|(_, value)| value.text());
    tags.filter_map(|tag| tag.strip_prefix("arf:")).map(plain).next().unwrap_or_default()
}

fn time(report: &Report<'_>) -> String {
    report.core.observed().map(|time| plain(&time.to_string())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::walk;

    #[test]
    fn vectors_arf_agree_with_both_oracles() {
        let Some(sum) = walk("mail-arf", compare) else { return };
        println!("arf: {} of {} mails", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
