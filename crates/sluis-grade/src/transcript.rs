//! Transcripts of SMTP (RFC 5321): what the sender's own program wrote down while it handed a letter over. The form is checked, and
//! that the dialogue ends as it says; that it took place is the sender's word.

use seal::tsp::written;

use crate::mail::address;

/// The first line of a transcript.
const TITLE: &str = "sluis-smtp/v1";
/// Most bytes and most lines of one.
const MOST: usize = 256 << 10;
const LINES: usize = 4_000;

/// A handing over, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transcript {
    /// The system that it was handed to.
    pub(crate) host: String,
    /// Whether it is said to be the recipient's, and not one of the sender's own.
    pub(crate) is_recipients: bool,
    /// How that was checked: by DANE (RFC 7672) or MTA-STS (RFC 8461). `None` when it was not, or nothing was encrypted.
    pub(crate) checked: Option<&'static str>,
    /// When it ended, in UTC milliseconds since 1970.
    pub(crate) at: i64,
    /// Recipients that were taken, in lower case.
    pub(crate) recipients: Vec<String>,
    /// How it ended.
    pub(crate) end: End,
}

/// How a dialogue ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other side took it (250), with what it said.
    Accepted(String),
    /// It refused for good (5xx).
    Refused(String),
    /// It put it off, or the line broke.
    Open,
}

/// What was asked and waits for its answer.
#[derive(Clone, Debug)]
enum Asked {
    Greeting,
    Hello,
    StartTls,
    Mail,
    Recipient(String),
    Data,
    Message,
    Other,
}

/// Reads a transcript; `None` when it is in another form, or its dialogue is none.
pub(crate) fn parse(bytes: &[u8]) -> Option<Transcript> {
    if bytes.len() > MOST {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.replace("\r\n", "\n");
    let (head, dialogue) = text.split_once("\n\n")?;
    let lines: Vec<&str> = head.split('\n').collect();
    let [TITLE, to, tls, checked, at] = lines.as_slice() else { return None };
    let to: Vec<&str> = to.strip_prefix("to ")?.split(' ').collect();
    let [kind, host, ip] = to.as_slice() else { return None };
    let is_recipients = match *kind {
        "mx" => true,
        "relay" => false,
        _ => return None,
    };
    ip.parse::<std::net::IpAddr>().ok()?;
    let host = crate::dkim::is_name(host).then(|| host.to_ascii_lowercase())?;
    let version = tls.strip_prefix("tls ")?;
    let checked = match checked.strip_prefix("checked ")? {
        "dane" => Some("DANE"),
        "mta-sts" => Some("MTA-STS"),
        "none" => None,
        _ => return None,
    };
    let at = written(at.strip_prefix("at ")?)?;
    let Talk { encrypted, recipients, end } = talk(dialogue)?;
    let is_encrypted = encrypted && matches!(version, "TLSv1.2" | "TLSv1.3");
    Some(Transcript { host, is_recipients, checked: checked.filter(|_| is_encrypted), at, recipients, end })
}

struct Talk {
    encrypted: bool,
    recipients: Vec<String>,
    end: End,
}

/// Follows the dialogue: `S: ` what the other side said, `C: ` what we did; the mail itself is left out, but for the point after it.
fn talk(dialogue: &str) -> Option<Talk> {
    let mut waiting = std::collections::VecDeque::from([Asked::Greeting]);
    let mut talk = Talk { encrypted: false, recipients: Vec::new(), end: End::Open };
    let (mut has_sender, mut has_data) = (false, false);
    for (at, line) in dialogue.trim_end_matches('\n').split('\n').enumerate() {
        if at == LINES {
            return None;
        }
        if let Some(said) = line.strip_prefix("C: ") {
            waiting.push_back(asked(said));
            continue;
        }
        let said = line.strip_prefix("S: ")?;
        let (code, rest) = said.split_at_checked(3)?;
        if !code.bytes().all(|byte| byte.is_ascii_digit()) || !(rest.is_empty() || rest.starts_with([' ', '-'])) {
            return None;
        }
        if rest.starts_with('-') {
            continue;
        }
        let text = said.chars().take(200).collect();
        match (waiting.pop_front()?, code.as_bytes().first()?) {
            (Asked::StartTls, b'2') => talk.encrypted = true,
            (Asked::Mail, b'2') => {
                has_sender = true;
                talk.recipients.clear();
            }
            (Asked::Recipient(recipient), b'2') if has_sender => talk.recipients.push(recipient),
            (Asked::Recipient(_) | Asked::Mail, b'5') => talk.end = End::Refused(text),
            (Asked::Data, b'3') => has_data = !talk.recipients.is_empty(),
            (Asked::Message, b'2') if has_data && code == "250" => return Some(Talk { end: End::Accepted(text), ..talk }),
            (Asked::Message | Asked::Data, b'5') => return Some(Talk { end: End::Refused(text), ..talk }),
            (Asked::Message, _) => return Some(Talk { end: End::Open, ..talk }),
            (Asked::Greeting | Asked::Hello | Asked::Other, _) | (_, b'2'..=b'5') => {}
            _ => return None,
        }
    }
    Some(talk)
}

fn asked(said: &str) -> Asked {
    let upper = said.trim().to_ascii_uppercase();
    let is = |verb: &str| upper == verb || upper.strip_prefix(verb).is_some_and(|rest| rest.starts_with([' ', ':']));
    match () {
        () if is("EHLO") || is("HELO") => Asked::Hello,
        () if is("STARTTLS") => Asked::StartTls,
        () if is("MAIL FROM") => Asked::Mail,
        () if is("RCPT TO") => {
            let target = said.split_once(':').map_or("", |(_, target)| target);
            let target = target.split_once('>').map_or(target, |(target, _)| target);
            address(target.trim_start().trim_start_matches('<')).map_or(Asked::Other, Asked::Recipient)
        }
        () if is("DATA") => Asked::Data,
        () if upper == "." => Asked::Message,
        () => Asked::Other,
    }
}
