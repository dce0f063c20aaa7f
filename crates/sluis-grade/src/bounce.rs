//! Bounces: reports of delivery as RFC 3464 has them, in a `multipart/report` (RFC 6522).

use crate::mail::{Field, Mail, bare};

/// Most recipients of one report that are looked at.
const RECIPIENTS: usize = 1_000;

/// What a report of delivery says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Each recipient in lower case, what became of it, and the status.
    pub(crate) recipients: Vec<(String, Action, String)>,
    /// The identifier of the mail that came back, when that is in it.
    pub(crate) about: Option<String>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It came back.
    Failed,
    /// It is tried again.
    Delayed,
    /// It was delivered, or handed on, as the system says that reports.
    Passed,
}

/// Reads a report of delivery; `None` when the mail is none.
pub(crate) fn parse(mail: &Mail<'_>) -> Option<Report> {
    if mail.media() != "multipart/report" {
        return None;
    }
    let mut report = Report::default();
    for part in mail.parts() {
        match part.media().as_str() {
            "message/delivery-status" if report.recipients.is_empty() => report.recipients = recipients(part.body),
            "text/rfc822-headers" | "message/rfc822" | "message/rfc822-headers" => {
                let own = Mail::parse(part.body).and_then(|inner| inner.text("message-id"));
                report.about = report.about.or(own.map(|id| bare(&id).to_owned()));
            }
            _ => {}
        }
    }
    (!report.recipients.is_empty()).then_some(report)
}

/// The groups of fields after the first, one for each recipient (RFC 3464 section 2.3).
fn recipients(body: &[u8]) -> Vec<(String, Action, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
        if let Some(group) = rest.get(..length).and_then(Mail::parse)
            && let Some(one) = recipient(&group)
        {
            found.push(one);
        }
        at += length;
        // Empty lines more than one part groups too.
        while body.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
            at += 2;
        }
        if found.len() == RECIPIENTS {
            break;
        }
    }
    found
}

fn recipient(group: &Mail<'_>) -> Option<(String, Action, String)> {
    let text = |name: &str| group.fields.iter().find(|field| field.name == name).map(Field::text);
    let action = match text("action")?.to_ascii_lowercase().split_ascii_whitespace().next()? {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" | "relayed" | "expanded" => Action::Passed,
        _ => return None,
    };
    let whom = text("original-recipient").or_else(|| text("final-recipient"))?;
    let whom =
        whom.split_once(';').map_or(whom.as_str(), |(_, address)| address).trim().trim_matches(['<', '>']).to_ascii_lowercase();
    let status = text("status")?;
    let status = status.split([' ', '\t', '(']).next().unwrap_or_default().to_owned();
    let is_status = status.split('.').count() == 3
        && status.starts_with(['2', '4', '5'])
        && status.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_status.then_some((whom, action, status))
}
