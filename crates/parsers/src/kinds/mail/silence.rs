//! Whether a mail may be answered by a machine, as its header tells.

use model::sender::Silence;

use super::Fields;

/// Hand-overs after which a mail goes round in circles. RFC 5321 section 6.3 asks for a limit of at least 100 in the end;
/// mail servers in use give up at 50, and a mail that is not answered costs nobody anything.
const HOPS: usize = 50;

/// Beginnings of the local parts of mailboxes that nobody reads, without what stands between their words.
const UNREAD: &[&str] = &[
    "noreply",
    "nonreply",
    "donotreply",
    "dontreply",
    "nepasrepondre",
    "neantwoorden",
    "nietbeantwoorden",
    "nietantwoorden",
    "keineantwort",
    "nichtantworten",
    "bounce",
    "mailerdaemon",
    "devnull",
    "nobody",
    "unattended",
    "unmonitored",
];

/// Why a mail is never answered by a machine, or that it may be.
///
/// `mail_from` is its reverse-path where a door saw one, without angle brackets; without it the `Return-Path` stands for it.
/// `own` holds what we send as: mail addresses, which are compared with `From`, and domain names, which are compared with the
/// hosts of `From` and `Message-ID`. The order of reasons is that of how much depends on silence: a loop before all others.
pub fn silence(fields: &Fields<'_>, mail_from: Option<&str>, own: &[&str]) -> Silence {
    let from = mailbox(fields, "From");
    if is_loop(fields, &from, own) {
        return Silence::Loop;
    }
    if is_bounce(fields, mail_from, &from) {
        return Silence::Bounce;
    }
    if is_automatic(fields) {
        return Silence::Auto;
    }
    if is_bulk(fields) {
        return Silence::Bulk;
    }
    // An answer goes to Reply-To where there is one (RFC 5322 section 3.6.2).
    let answered = Some(mailbox(fields, "Reply-To")).filter(|address| !address.is_empty()).unwrap_or(from);
    if reads_nothing(&answered) { Silence::Unread } else { Silence::Answer }
}

/// Whether the reverse-path is empty, as that of everything is that must not be answered (RFC 5321 section 4.5.5).
pub fn has_no_reverse_path(fields: &Fields<'_>, mail_from: Option<&str>) -> bool {
    match mail_from {
        Some(path) => matches!(path.trim(), "" | "<>"),
        None => fields.first("Return-Path").is_some_and(|path| path.trim_ascii() == b"<>"),
    }
}

/// Whether `Auto-Submitted` (RFC 3834 section 5) begins with this word.
pub fn auto_submitted(fields: &Fields<'_>, word: &str) -> bool {
    let value = fields.first("Auto-Submitted").unwrap_or_default();
    let end = value.iter().position(|byte| matches!(byte, b';' | b'(' | b' ' | b'\t' | b'\r' | b'\n')).unwrap_or(value.len());
    value[..end].eq_ignore_ascii_case(word.as_bytes())
}

/// Whether `Precedence` is this word; RFC 2076 knows it, no standard does.
pub fn precedence(fields: &Fields<'_>, word: &str) -> bool {
    fields.first("Precedence").is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether this is a report of the mail system on a delivery (RFC 3464) or on what became of a mail (RFC 8098).
pub fn is_system_report(fields: &Fields<'_>, report_type: &str) -> bool {
    let value = fields.first("Content-Type").unwrap_or_default();
    let is_report = value.get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/report"));
    let value = &value[..value.len().min(1_024)];
    is_report && value.windows(report_type.len().max(1)).any(|part| part.eq_ignore_ascii_case(report_type.as_bytes()))
}

/// Whether a mail address, in lower case, is one at which mail systems send: `mailer-daemon@`, `postmaster@`.
pub fn is_mail_system(address: &str) -> bool {
    let local = local_part(address);
    ["mailerdaemon", "postmaster", "mailadmin", "maildelivery"].iter().any(|start| local.starts_with(start))
}

fn is_loop(fields: &Fields<'_>, from: &str, own: &[&str]) -> bool {
    let is_own = |host: &str| !host.is_empty() && own.iter().any(|own| !own.contains('@') && own.eq_ignore_ascii_case(host));
    let host = |address: &str| address.rsplit_once('@').map_or(String::new(), |(_, host)| host.trim_end_matches('>').to_owned());
    let id = fields.text("Message-ID").unwrap_or_default();
    own.iter().any(|own| own.contains('@') && own.eq_ignore_ascii_case(from))
        || is_own(&host(from))
        || is_own(&host(id.trim()))
        || fields.iter().any(|(name, _)| name.len() > 7 && name[..7].eq_ignore_ascii_case(b"x-sluis"))
        || fields.all("Received").take(HOPS).count() == HOPS
}

fn is_bounce(fields: &Fields<'_>, mail_from: Option<&str>, from: &str) -> bool {
    has_no_reverse_path(fields, mail_from)
        || is_system_report(fields, "delivery-status")
        || fields.first("X-Failed-Recipients").is_some()
        || local_part(from).starts_with("mailerdaemon")
}

fn is_automatic(fields: &Fields<'_>) -> bool {
    let submitted = fields.first("Auto-Submitted").is_some_and(|value| !value.trim_ascii().is_empty());
    let automatic = ["X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Autoreply-From", "X-Auto-Response-Suppress", "X-Loop"];
    (submitted && !auto_submitted(fields, "no"))
        || is_system_report(fields, "disposition-notification")
        || ["auto_reply", "auto-reply"].iter().any(|word| precedence(fields, word))
        || automatic.iter().any(|name| {
            fields
                .first(name)
                .is_some_and(|value| !["no", "none", ""].iter().any(|not| value.eq_ignore_ascii_case(not.as_bytes())))
        })
}

fn is_bulk(fields: &Fields<'_>) -> bool {
    ["bulk", "list", "junk"].iter().any(|word| precedence(fields, word))
        || ["List-Id", "List-Post", "List-Unsubscribe", "List-Help", "X-Mailing-List"]
            .iter()
            .any(|name| fields.first(name).is_some())
}

/// Whether nobody reads at a mail address in lower case; at an empty one nobody does either.
fn reads_nothing(address: &str) -> bool {
    let local = local_part(address);
    // `abuse-noreply@`, `no.reply+123@`: the words may stand anywhere, and those that are names of people only at the beginning.
    local.is_empty() || UNREAD.iter().any(|word| local.starts_with(word) || (word.len() >= 7 && local.contains(word)))
}

/// What stands before the `@`, without what divides words in it.
fn local_part(address: &str) -> String {
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    local.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

fn mailbox(fields: &Fields<'_>, name: &str) -> String {
    fields.mailbox(name).map(|(_, address)| address.to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_answered_is_known_by_its_header() {
        let hops = "Received: by a.example\n".repeat(HOPS);
        for (header, mail_from, expected) in [
            ("From: Jan <jan@a.example>\nSubject: spam", Some("jan@a.example"), Silence::Answer),
            ("From: jan@a.example\nAuto-Submitted: no", None, Silence::Answer),
            ("From: noreply@a.example\nReply-To: abuse@a.example", None, Silence::Answer),
            ("From: jan@a.example\nReturn-Path: <jan@a.example>\nX-Autoreply: no", None, Silence::Answer),
            ("From: jan@a.example\nReturn-Path: <>", None, Silence::Bounce),
            // The envelope is nearer to the truth than a field that anybody may write.
            ("From: jan@a.example\nReturn-Path: <>", Some("jan@a.example"), Silence::Answer),
            ("From: jan@a.example", Some(""), Silence::Bounce),
            ("From: x@a.example\nContent-Type: multipart/report; report-type=\"delivery-status\"", None, Silence::Bounce),
            ("From: Mailer-Daemon@a.example (Mail Delivery System)\nSubject: x", None, Silence::Bounce),
            ("From: x@a.example\nX-Failed-Recipients: y@b.example", None, Silence::Bounce),
            ("From: jan@a.example\nAuto-Submitted: auto-replied", None, Silence::Auto),
            ("From: jan@a.example\nAuto-Submitted: auto-generated (failure)", None, Silence::Auto),
            ("From: jan@a.example\nPrecedence: auto_reply", None, Silence::Auto),
            ("From: jan@a.example\nX-Autorespond: away", None, Silence::Auto),
            ("From: jan@a.example\nX-Auto-Response-Suppress: All", None, Silence::Auto),
            ("From: j@a.example\nContent-Type: multipart/report; report-type=disposition-notification", None, Silence::Auto),
            ("From: jan@a.example\nPrecedence: Bulk", None, Silence::Bulk),
            ("From: jan@a.example\nList-Id: <l.a.example>", None, Silence::Bulk),
            ("From: No.Reply+7@a.example", None, Silence::Unread),
            ("From: abuse-do-not-reply@a.example", None, Silence::Unread),
            ("From: jan@a.example\nReply-To: noreply@a.example", None, Silence::Unread),
            ("Subject: from nobody", None, Silence::Unread),
            ("From: ABUSE@us.example", None, Silence::Loop),
            ("From: x@desk.us.example", None, Silence::Loop),
            ("From: x@a.example\nMessage-ID: <1@desk.us.example>", None, Silence::Loop),
            ("From: x@a.example\nX-Sluis-Case: 7", None, Silence::Loop),
            (&*format!("{hops}From: x@a.example"), None, Silence::Loop),
        ] {
            let (fields, _) = Fields::parse(header.as_bytes());
            assert_eq!(silence(&fields, mail_from, &["abuse@us.example", "desk.us.example"]), expected, "{header}");
        }
    }

    #[test]
    fn any_header_is_safe() {
        for header in ["", "From:", "Auto-Submitted:", "x-sluis: 1\nFrom: @", "Content-Type: multipart/report"] {
            let (fields, _) = Fields::parse(header.as_bytes());
            let _ = silence(&fields, None, &["", "@"]);
        }
    }
}
