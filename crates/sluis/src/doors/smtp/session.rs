//! What is answered to whom: a session of SMTP (RFC 5321) or LMTP (RFC 2033), without bytes that move, for [`super::connection`].
//!
//! It takes a line and says what is answered and what comes next. It never answers 250 to a mail by itself: whoever has made the mail durable
//! says so with [`Session::finished`].

use std::fmt::Write;

use super::command::{Command, Hello, Mail, parse};

/// Recipients of a mail (RFC 5321 section 4.5.3.1.8 asks for 100).
pub(crate) const RECIPIENTS: usize = 100;
/// Lines that are not understood, or not allowed.
const MISTAKES: u32 = 10;
/// Lines without a mail between them.
const IDLE: u32 = 500;
/// Mails of a session.
const MAILS: u32 = 1_000;

/// What is the same for all sessions of a door.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Whether it is LMTP: a reply for each recipient, and no refusal of any.
    pub(crate) lmtp: bool,
    /// What we call ourselves.
    pub(crate) hostname: String,
    /// Who may be written to, in SMTP.
    pub(crate) recipients: Vec<String>,
    /// Bytes of a mail.
    pub(crate) most: u64,
    /// Whether there can be TLS.
    pub(crate) tls: bool,
}

/// What comes after an answer was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another line.
    Line,
    /// A mail; then [`Session::finished`].
    Data,
    /// TLS; then [`Session::secured`].
    Tls,
    /// Nothing.
    End,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whole lines.
    pub(crate) text: String,
    /// What comes next.
    pub(crate) next: Next,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is durable.
    Kept,
    /// It has more bytes than are taken.
    Large,
    /// It has a LF without a CR.
    BareLf,
    /// There is no room for it on the disk.
    NoRoom,
    /// It could not be kept for another reason.
    Failed,
    /// We are stopping.
    Stopping,
}

const NO_ROOM: &str = "452 4.3.1 Not enough room here now, try again later\r\n";
const LARGE: &str = "552 5.3.4 The mail is larger than is taken here\r\n";
/// For whoever did not say in time what was awaited.
pub(crate) const SLOW: &str = "421 4.4.2 That took too long, goodbye\r\n";
/// For everybody, when we stop.
pub(crate) const STOPPING: &str = "421 4.3.2 Stopping, try again later\r\n";
/// For whoever comes when all places are taken.
pub(crate) const BUSY: &str = "421 4.7.0 Too many connections, try again later\r\n";
/// For whoever may not come.
pub(crate) const STRANGER: &str = "554 5.7.1 Not from there, goodbye\r\n";
/// For whoever went on talking before TLS began.
pub(crate) const INJECTED: &str = "554 5.5.1 Something followed STARTTLS, goodbye\r\n";
/// When TLS cannot be begun, by a fault of ours.
pub(crate) const NO_TLS: &str = "454 4.7.0 TLS cannot be had now\r\n";

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session<'a> {
    rules: &'a Rules,
    secure: bool,
    hello: Option<String>,
    mail: Option<Mail>,
    recipients: Vec<String>,
    mistakes: u32,
    idle: u32,
    mails: u32,
}

impl<'a> Session<'a> {
    /// A session that begins.
    pub(crate) fn new(rules: &'a Rules) -> Session<'a> {
        let (mistakes, idle, mails) = (0, 0, 0);
        Session { rules, secure: false, hello: None, mail: None, recipients: Vec::new(), mistakes, idle, mails }
    }

    /// What is said first.
    pub(crate) fn greeting(&self) -> String {
        format!("220 {} {} Sluis\r\n", self.rules.hostname, if self.rules.lmtp { "LMTP" } else { "ESMTP" })
    }

    /// Takes a line without its CR LF. `room` says whether a mail of so many bytes fits on the disk now.
    pub(crate) fn line(&mut self, line: &[u8], room: &dyn Fn(u64) -> bool) -> Answer {
        self.idle += 1;
        if self.idle > IDLE {
            return end("421 4.7.0 Too many commands, goodbye\r\n");
        }
        match parse(line) {
            Ok(command) => self.command(command, room),
            Err(refusal) => self.mistake(refusal),
        }
    }

    /// Answers a line that does not end as lines do, or is too long.
    pub(crate) fn broken_line(&mut self) -> Answer {
        self.mistake("500 5.5.2 A line has at most 1000 bytes and ends with CR LF\r\n")
    }

    /// Answers a mail that has come to its end: once for SMTP, for each recipient in LMTP.
    pub(crate) fn finished(&mut self, fate: Fate) -> Answer {
        self.mails += 1;
        self.idle = 0;
        let replies = if self.rules.lmtp { self.recipients.len() } else { 1 };
        self.reset();
        let text = match fate {
            Fate::Kept => "250 2.0.0 Kept\r\n",
            Fate::Large => LARGE,
            Fate::BareLf => "550 5.6.0 The mail has a LF without a CR before it (RFC 5321 section 2.3.8)\r\n",
            Fate::NoRoom => NO_ROOM,
            Fate::Failed => "451 4.3.0 It cannot be kept now, try again later\r\n",
            Fate::Stopping => STOPPING,
        };
        Answer { text: text.repeat(replies), next: if fate == Fate::Stopping { Next::End } else { Next::Line } }
    }

    /// TLS has begun: what was said before does not count (RFC 3207 section 4.2).
    pub(crate) fn secured(&mut self) {
        (self.secure, self.hello) = (true, None);
        self.reset();
    }

    /// What the client calls itself; empty before it has.
    pub(crate) fn hello(&self) -> &str {
        self.hello.as_deref().unwrap_or_default()
    }

    /// The reverse-path of the mail that is under way.
    pub(crate) fn mail_from(&self) -> Option<&str> {
        self.mail.as_ref().map(|mail| mail.from.as_str())
    }

    /// Its recipients, so far.
    pub(crate) fn recipients(&self) -> &[String] {
        &self.recipients
    }

    fn command(&mut self, command: Command, room: &dyn Fn(u64) -> bool) -> Answer {
        match command {
            Command::Hello(hello, name) => self.greeted(hello, name),
            Command::Mail(mail) => self.begun(mail, room),
            Command::Rcpt(to) => self.recipient(to),
            Command::Data if self.mail.is_none() => self.mistake("503 5.5.1 Say MAIL first\r\n"),
            Command::Data if self.recipients.is_empty() => self.mistake("503 5.5.1 Nobody whom it is for was accepted\r\n"),
            Command::Data if !room(self.mail.as_ref().map_or(0, |mail| mail.size)) => say(NO_ROOM),
            Command::Data => Answer { text: "354 Go on, end with CR LF . CR LF\r\n".to_owned(), next: Next::Data },
            Command::StartTls if self.secure => self.mistake("503 5.5.1 This is TLS already\r\n"),
            Command::StartTls if !self.rules.tls => self.mistake("502 5.5.1 There is no TLS here\r\n"),
            Command::StartTls => Answer { text: "220 2.0.0 Begin\r\n".to_owned(), next: Next::Tls },
            Command::Reset => {
                self.reset();
                say("250 2.0.0 Forgotten\r\n")
            }
            Command::Noop => say("250 2.0.0 So be it\r\n"),
            Command::Help => say("214 2.0.0 Abuse reports are taken here, and nothing is passed on\r\n"),
            Command::Verify => say("252 2.5.2 Send it, and see\r\n"),
            Command::Quit => end("221 2.0.0 Goodbye\r\n"),
            Command::Foreign => end("554 5.5.1 This is a mail server, goodbye\r\n"),
        }
    }

    fn greeted(&mut self, hello: Hello, name: String) -> Answer {
        // RFC 2033 section 4.1: LHLO there and only there, so that neither is taken for the other.
        if self.rules.lmtp != (hello == Hello::Lhlo) {
            return self.mistake(match self.rules.lmtp {
                true => "500 5.5.1 This is LMTP: say LHLO\r\n",
                false => "500 5.5.1 This is SMTP: say EHLO\r\n",
            });
        }
        self.reset();
        self.hello = Some(name);
        let host = &self.rules.hostname;
        if hello == Hello::Helo {
            return Answer { text: format!("250 {host}\r\n"), next: Next::Line };
        }
        let mut text = format!("250-{host}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n");
        if self.rules.tls && !self.secure {
            text.push_str("250-STARTTLS\r\n");
        }
        // Writing to a text cannot fail.
        let _ = write!(text, "250-SIZE {}\r\n250 ENHANCEDSTATUSCODES\r\n", self.rules.most);
        Answer { text, next: Next::Line }
    }

    fn begun(&mut self, mail: Mail, room: &dyn Fn(u64) -> bool) -> Answer {
        if self.hello.is_none() {
            return self.mistake("503 5.5.1 Say who you are first\r\n");
        }
        if self.mail.is_some() {
            return self.mistake("503 5.5.1 There is a mail under way; RSET forgets it\r\n");
        }
        if self.mails >= MAILS {
            return end("421 4.7.0 Enough for one session, come again\r\n");
        }
        if mail.size > self.rules.most {
            return say(LARGE);
        }
        if !room(mail.size) {
            return say(NO_ROOM);
        }
        self.mail = Some(mail);
        say("250 2.1.0 Go on\r\n")
    }

    fn recipient(&mut self, to: String) -> Answer {
        if self.mail.is_none() {
            return self.mistake("503 5.5.1 Say MAIL first\r\n");
        }
        if self.recipients.len() >= RECIPIENTS {
            return say("452 4.5.3 Too many recipients, send it again to the others\r\n");
        }
        if !self.rules.lmtp && !self.is_known(&to) {
            return self.mistake("550 5.1.1 Nobody of this name is here, and nothing is passed on\r\n");
        }
        self.recipients.push(to);
        say("250 2.1.5 Go on\r\n")
    }

    /// Whether mail for somebody is taken. RFC 5321 section 4.5.1 asks for a postmaster wherever there is anybody.
    fn is_known(&self, to: &str) -> bool {
        let mut known = self.rules.recipients.iter();
        match to.rsplit_once('@') {
            None => true,
            Some((local, domain)) if local.eq_ignore_ascii_case("postmaster") => {
                known.any(|one| one.rsplit_once('@').is_some_and(|(_, other)| other.eq_ignore_ascii_case(domain)))
            }
            Some(_) => known.any(|one| one.eq_ignore_ascii_case(to)),
        }
    }

    fn mistake(&mut self, reply: &'static str) -> Answer {
        self.mistakes += 1;
        if self.mistakes > MISTAKES { end("421 4.7.0 Too many mistakes, goodbye\r\n") } else { say(reply) }
    }

    fn reset(&mut self) {
        self.mail = None;
        self.recipients.clear();
    }
}

fn say(text: &str) -> Answer {
    Answer { text: text.to_owned(), next: Next::Line }
}

fn end(text: &str) -> Answer {
    Answer { text: text.to_owned(), next: Next::End }
}
