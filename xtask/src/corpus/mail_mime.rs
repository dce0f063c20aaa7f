//! Mails as strange as they come: the header as we see it, beside two other readers (mail-parser's tests and Python).

use std::path::Path;

use model::time::Time;
use parsers::kinds::mail::Mail;
use serde_json::Value;

use super::{Comparison, read_as};

/// Reads the whole mail, and compares subject, author and date where both others state the same.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let (outcome, _) = read_as(path, bytes, |_| {});
    comparison.hold(!outcome.unreadable.starts_with("reading stopped"), || outcome.unreadable.clone());
    let mail = Mail::parse(bytes, 1_000);
    let one = &oracle["mime"];
    let headers = oracle["expected_by_mail_parser_tests"]["parts"][0]["headers"].as_array();
    // Of a header that is there twice, the first is meant.
    let other = |name: &str| headers.into_iter().flatten().find(|header| header["name"] == name).map(|header| &header["value"]);
    if let Some(subject) = other("subject").and_then(|value| value["Text"].as_str())
        && one["subject"].as_str() == Some(subject)
    {
        comparison.same("subject", &mail.fields.text("Subject").as_deref(), &Some(subject));
    }
    if let Some(address) = other("from").and_then(|value| value["Address"]["List"][0]["address"].as_str())
        && one["from"].as_str().is_some_and(|from| from.contains(address))
    {
        let ours = mail.fields.mailbox("From").map(|(_, address)| address);
        comparison.same("author", &ours.as_deref(), &Some(address));
    }
    if let Some(date) = other("date").map(|value| &value["DateTime"]).and_then(instant)
        && one["date_utc"].as_str().and_then(|text| Time::parse(text.as_bytes())) == Some(date)
    {
        comparison.same("date", &mail.fields.time("Date"), &Some(date));
    }
    comparison
}

/// A date as mail-parser's tests write it down.
fn instant(date: &Value) -> Option<Time> {
    let number = |name: &str| date[name].as_u64();
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}",
        number("year")?,
        number("month")?,
        number("day")?,
        number("hour")?,
        number("minute")?,
        number("second")?,
        if date["tz_before_gmt"] == true { '-' } else { '+' },
        number("tz_hour")?,
        number("tz_minute")?
    );
    Time::parse(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_the_header_is_seen_as_others_see_it() {
        let Some(sum) = super::super::walk("mail-mime", compare) else { return };
        println!("mail-mime: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
