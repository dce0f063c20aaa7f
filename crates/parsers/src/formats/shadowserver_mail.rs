//! Shadowserver's daily mails: a report of one type as CSV, attached, zipped or in the text itself.

use memchr::memmem;

use super::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail, Part};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Mails from Shadowserver.
pub const FORMAT: Format = Format {
    name: "shadowserver_mail",
    title: "Shadowserver reports by mail, attached, zipped or inline",
    senders: &["shadowserver.org"],
    fields: &[("each CSV", "as shadowserver"), ("Message-ID", "submission_message_id")],
    proven: Proven::By("Shadowserver, IntelMQ, AbuseIO"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    if letter.is_from("shadowserver.org") || about_shadowserver(&letter.subject) {
        return Fit::Certain;
    }
    // Somebody may forward the attachments alone; their names tell.
    if memmem::find(prefix.bytes, b".csv").is_none() {
        return Fit::No;
    }
    let mail = Mail::parse(prefix.bytes, 64);
    if mail.parts.iter().any(|part| is_report_name(&part.media.name)) { Fit::Likely } else { Fit::No }
}

/// `[SAMPLE] Shadowserver Example Report: 2026-01-02`, and the same with `Fwd:` before it.
fn about_shadowserver(subject: &str) -> bool {
    let subject = subject.to_ascii_lowercase();
    let Some((_, after)) = subject.split_once("shadowserver ") else { return false };
    after.split_once(" report: ").is_some_and(|(_, date)| is_date(date.trim_start()))
}

fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() >= 10 && text.bytes().take(10).enumerate().all(shape)
}

/// `2026-01-02-scan_example-anything.csv`, or the same in a zip.
fn is_report_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_date(&lower) && is_report_file(&lower) && lower.as_bytes().get(10) == Some(&b'-')
}

fn is_report_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".csv", ".csv.zip", ".zip"].iter().any(|end| lower.ends_with(end))
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let mut found = false;
    for (index, part) in mail.parts.iter().enumerate() {
        if part.media.is_picture() {
            continue;
        }
        if !reading.count_part() {
            mail::refuse_rest(reading);
            return Ok(());
        }
        let name = mail::part_name(part, index);
        let content = part.utf8();
        let media = part.media.essence.as_str();
        if part.media.is_message() {
            found |= reading.nested_bytes(&name, media, &content)?;
        } else if is_attached(part) {
            found |= attachment(reading, &name, media, &content)?;
        } else if let Some(rows) = inline_csv(&content).filter(|_| media != "text/html") {
            found |= attachment(reading, &inline_name(&mail.fields).unwrap_or(name), "text/csv", rows)?;
        }
    }
    if mail.more {
        mail::refuse_rest(reading);
    } else if !found {
        reading.unreadable("the report itself is not attached; fetch it by the link in the mail and hand in the file");
    }
    Ok(())
}

/// Whether a part is a file, rather than the text of the mail.
fn is_attached(part: &Part<'_>) -> bool {
    is_report_file(&part.media.name) || (!part.media.name.is_empty() && !part.media.is_text()) || part.media.essence == "text/csv"
}

/// Reads one attached file; whether it is accounted for. A report that nothing understands is set aside under its name;
/// signatures and the like are only told.
fn attachment(reading: &mut Reading<'_>, name: &str, media: &str, content: &[u8]) -> Result<bool, Stop> {
    let is_report = is_report_file(name) || media == "text/csv";
    if content.trim_ascii().is_empty() {
        reading.note(name, "the report is empty: nothing was seen");
        return Ok(is_report);
    }
    let before = reading.statements();
    if reading.nested_bytes(name, media, content)? {
        if reading.statements() == before {
            reading.note(name, "the report has no rows: nothing was seen");
        }
        return Ok(true);
    }
    if is_report {
        let ordinal = reading.ordinal();
        let reason = reading.why_not();
        let reason = reason.unwrap_or_else(|| "no format of this version understands this attachment".to_owned());
        reading.reject(ordinal, name, content, reason);
    } else {
        reading.note(name, "no format of this version understands this attachment");
    }
    Ok(is_report)
}

/// The CSV in a text: from the line that names Shadowserver's first column to the empty line or signature after it.
fn inline_csv(text: &[u8]) -> Option<&[u8]> {
    let mut start = 0;
    loop {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let plain = line.strip_prefix(b"\"").unwrap_or(line);
        let names_time = plain.starts_with(b"timestamp\",") || plain.starts_with(b"timestamp,");
        if names_time && memmem::find(line, b"ip").is_some() {
            let end = [&b"\n\n"[..], b"\n\r\n", b"\n-- \n", b"\n-- \r\n"].iter().filter_map(|end| memmem::find(rest, end)).min();
            return rest.get(..end.map_or(rest.len(), |end| end + 1));
        }
        start += line.len() + 1;
    }
}

/// The file name that an inline report would have had, when the subject names its type:
/// `Shadowserver scan_example Report: 2026-01-02`.
fn inline_name(fields: &Fields<'_>) -> Option<String> {
    let subject = fields.text("Subject")?.to_ascii_lowercase();
    let (_, after) = subject.split_once("shadowserver ")?;
    let (kind, date) = after.split_once(" report: ")?;
    let date = date.trim().get(..10).filter(|date| is_date(date))?;
    let is_type = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    is_type.then(|| format!("{date}-{kind}.csv"))
}
