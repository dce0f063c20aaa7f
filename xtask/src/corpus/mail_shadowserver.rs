//! Shadowserver's mails, beside the records that IntelMQ's parser reads of their attachments.

use std::path::Path;

use serde_json::{Value, json};

use super::{Comparison, shadowserver};

/// Compares what a mail became with the oracle's records of all its attachments, in order.
///
/// Attachments whose header no peer knows have no records; then the rows are counted, and each must be a report or a
/// reject.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let none = Vec::new();
    let attachments = oracle["attachments"].as_array().unwrap_or(&none);
    if attachments.iter().any(|attachment| attachment["count"].is_null()) {
        return rows(path, bytes, attachments);
    }
    let mut records: Vec<Value> =
        attachments.iter().flat_map(|attachment| attachment["records"].as_array().unwrap_or(&none)).cloned().collect();
    let count: u64 = attachments.iter().filter_map(|attachment| attachment["count"].as_u64()).sum();
    let (_, collected) = shadowserver::read(path, bytes);
    for (report, record) in collected.reports().zip(&mut records) {
        let ours = shadowserver::ours(&report, "source_url");
        if record["source_url"].as_str().is_some_and(|theirs| lost_first_segment(&ours, theirs)) {
            record["source_url"] = Value::String(ours);
        }
    }
    let mut comparison = shadowserver::compare(path, bytes, &json!({ "count": count, "records": records }));
    // The comparison is that of the CSV alone; around it stands the mail.
    comparison.differences.retain(|difference| difference != "read as 'shadowserver_mail'");
    comparison
}

/// Whether theirs is our location without the first segment of its path. The peer takes that segment of a column
/// without leading `/` (`wp-content/a.php`) for the method of a request line, and leaves it out.
fn lost_first_segment(ours: &str, theirs: &str) -> bool {
    let Some((host, path)) = ours.split_once("://").and_then(|(_, rest)| rest.split_once('/')) else { return false };
    let Some((_, theirs)) = theirs.split_once("://") else { return false };
    match path.split_once('/') {
        Some((_, rest)) => theirs.strip_prefix(host).and_then(|theirs| theirs.strip_prefix('/')) == Some(rest),
        None => theirs.trim_end_matches('/') == host,
    }
}

fn rows(path: &Path, bytes: &[u8], attachments: &[Value]) -> Comparison {
    let expected: u64 = attachments.iter().filter_map(|attachment| attachment["csv"]["data_rows"].as_u64()).sum();
    let (format, collected) = shadowserver::read(path, bytes);
    let found = collected.reports().count() + collected.rejects.len();
    let mut differences = Vec::new();
    if format != "shadowserver_mail" {
        differences.push(format!("read as '{format}'"));
    }
    if found as u64 != expected {
        differences.push(format!("{found} reports and rejects for {expected} rows"));
    }
    Comparison { differences, ..Comparison::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_segment_may_be_lost() {
        for (ours, theirs, lost) in [
            ("http://a.example/wp/b.php", "http://a.example/b.php", true),
            ("http://a.example/b.php", "http://a.example", true),
            ("http://a.example/wp/b.php", "http://a.example/wp/b.php", false),
            ("http://a.example/wp/b.php", "http://b.example/b.php", false),
            ("", "http://a.example", false),
        ] {
            assert_eq!(lost_first_segment(ours, theirs), lost, "{ours} {theirs}");
        }
    }

    #[test]
    fn vectors_shadowserver_mails_agree_with_the_oracle() {
        let Some(sum) = super::super::walk("mail-shadowserver", compare) else { return };
        println!("mail-shadowserver: {} of {} records", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
