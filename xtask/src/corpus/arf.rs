//! ARF mails, beside what two other readers (mail-auth and Sisimai) made of them.

use std::path::Path;

use model::report::{Report, Word};
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use serde_json::Value;

use super::Comparison;

/// 2026-11-01T00:00:00Z: a fixed time of receipt, so that every run reads the same.
const RECEIVED: Time = Time(1_793_491_200_000);

/// Compares the feedback report of a mail with what both oracles agree about: its type, address and time. One mail is
/// one record.
///
/// A mail that neither oracle takes for feedback must not become a report. One that only one of them reads proves
/// nothing and counts nowhere.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, collected) = read_bytes(path, bytes);
    let (strict, loose) = (&oracle["mail_auth_0.13.3"], &oracle["sisimai_4.25.15"][0]);
    let loose_is_feedback = loose["feedback_type"].as_str().is_some_and(|said| !said.is_empty());
    if strict.is_null() && !loose_is_feedback {
        let difference = (collected.reports().next().is_some() || outcome.format == "arf")
            .then(|| "no feedback report, and read as one".to_owned());
        return one(difference.into_iter().collect());
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
        return one(if set_aside && !needs { Vec::new() } else { vec![format!("not read: {why}")] });
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
    one(differences)
}

fn one(differences: Vec<String>) -> Comparison {
    Comparison { matched: usize::from(differences.is_empty()), total: 1, differences }
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

/// Reads bytes as `sluis read` would read a file of that name.
pub(super) fn read_bytes(path: &Path, bytes: &[u8]) -> (Outcome, Collected) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let limits = Limits::default();
    let hint = Hint {
        name: &name,
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: RECEIVED,
        maps: Maps::builtin(),
        declared: None,
        limits,
    };
    let mut collected = Collected::default();
    let outcome = read(&mut &*bytes, &hint, &mut collected)
        .unwrap_or_else(|stop| Outcome { unreadable: format!("reading stopped: {stop:?}"), ..Outcome::default() });
    (outcome, collected)
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

    #[test]
    fn vectors_arf_mails_that_are_no_reports_make_none() {
        let none = |path: &Path, bytes: &[u8], _: &Value| {
            let (_, collected) = read_bytes(path, bytes);
            one(collected.reports().map(|_| "became a report".to_owned()).collect())
        };
        let Some(sum) = walk("mail-negative", none) else { return };
        assert!(sum.differences.is_empty(), "{:#?}", sum.differences);
    }

    #[test]
    fn vectors_arf_strange_mails_are_read_without_a_fault() {
        let any = |path: &Path, bytes: &[u8], _: &Value| {
            let (outcome, _) = read_bytes(path, bytes);
            one(outcome.unreadable.strip_prefix("reading stopped").map(str::to_owned).into_iter().collect())
        };
        for folder in ["mail-mime", "mail-dmarc-tlsrpt", "mail-notifier"] {
            let Some(sum) = walk(folder, any) else { continue };
            assert!(sum.differences.is_empty(), "{:#?}", sum.differences);
        }
    }
}
