//! An IMAP client of the few commands that this door needs (RFC 3501, with IDLE, MOVE and UIDPLUS where the server has them).
//!
//! It is our own, and small: a mail is handed on as it comes, while the libraries there are hold it in memory as a whole, up
//! to half a gigabyte; and every wait has an end.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::failed::{Failed, Kind};
use super::names::quoted;
use super::reply::{self, Entry, Reply, Status};
use super::wire::{Literal, SILENCE, Stop, Wire};

/// Bytes of a reply, literals of names included.
const REPLY: usize = 128 << 10;
/// The slowest server that is waited for, in bytes a second.
const SLOWEST: u64 = 32 << 10;
/// How long a list of mails may take.
const LISTING: Duration = Duration::from_secs(300);
/// Mails of one list that are kept: those beyond are met the next time.
pub(crate) const LISTED: usize = 5_000;

/// How the connection is kept from others.
#[derive(Clone)]
pub(crate) enum Security {
    /// TLS from the first byte.
    Implicit(Arc<ClientConfig>),
    /// Begins without, and does not go on before there is TLS.
    Starttls(Arc<ClientConfig>),
    /// None: on this machine only.
    None,
}

/// A connection to a server.
pub(crate) struct Client {
    wire: Wire,
    tag: u32,
    /// What the server can do, in capitals.
    capabilities: Vec<Vec<u8>>,
    /// Whether it told of mails since this was last asked.
    news: bool,
}

/// A folder that was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    /// What its numbers belong to.
    pub(crate) validity: u32,
    /// The number that the next mail will have.
    pub(crate) next: Option<u32>,
    /// Mails in it.
    pub(crate) exists: u32,
    /// Whether it may only be read.
    pub(crate) read_only: bool,
    /// Whether mails may get marks of our own.
    pub(crate) keywords: bool,
}

/// What came of asking for mails.
pub(crate) struct Bodies<T> {
    /// Those that came as a whole.
    pub(crate) taken: Vec<(u32, T)>,
    /// Those that the server does not give, or not as it said.
    pub(crate) refused: Vec<u32>,
    /// Why the rest did not come.
    pub(crate) failure: Option<Failed>,
}

impl Client {
    /// Connects, and does not go on before the connection is as it should be.
    ///
    /// # Errors
    /// When nobody answers, nobody is trusted, or it is no IMAP.
    pub(crate) fn connect(host: &str, port: u16, security: &Security, stop: Stop) -> Result<Client, Failed> {
        let mut wire = Wire::connect(host, port, matches!(security, Security::None), stop)?;
        if let Security::Implicit(tls) = security {
            wire.secure(host, Arc::clone(tls))?;
        }
        let mut client = Client { wire, tag: 0, capabilities: Vec::new(), news: false };
        client.greeting()?;
        if let Security::Starttls(tls) = security {
            let (status, text) = client.command("STARTTLS")?;
            if status != Status::Ok {
                let hint = "give it tls = \"implicit\" and port 993 in the settings, or let the server offer STARTTLS";
                return Err(Failed::new(Kind::Other, "the server does not begin TLS", hint).said(&text));
            }
            client.wire.secure(host, Arc::clone(tls))?;
        }
        client.ask_capabilities()?;
        Ok(client)
    }

    fn greeting(&mut self) -> Result<(), Failed> {
        self.wire.allow(SILENCE);
        let line = self.wire.line()?;
        let Some(Reply::Untagged(text)) = Reply::parse(&line) else {
            return Err(Failed::garbled("what answers there is no IMAP server").said(&line));
        };
        if reply::after(&text, "OK").is_some() {
            return Ok(());
        }
        if reply::after(&text, "PREAUTH").is_some() {
            return Err(Failed::garbled("the server takes us for somebody before we said who we are"));
        }
        Err(Failed::broken("the server is closed now").said(&text))
    }

    /// Asks what the server can do: it may say something else before and after a login.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn ask_capabilities(&mut self) -> Result<(), Failed> {
        let mut found = Vec::new();
        let (status, text) = self.command_with("CAPABILITY", &mut |untagged| {
            if let Some(words) = reply::after(untagged, "CAPABILITY") {
                found = words.split(|byte| *byte == b' ').map(<[u8]>::to_ascii_uppercase).collect();
            }
        })?;
        if status != Status::Ok {
            return Err(Failed::garbled("the server does not say what it can do").said(&text));
        }
        self.capabilities = found;
        Ok(())
    }

    /// Whether the server can do something.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.capabilities.iter().any(|can| can == what.as_bytes())
    }

    /// Sends a line as it is.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn send(&mut self, line: &str) -> Result<(), Failed> {
        self.wire.send(format!("{line}\r\n").as_bytes())
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.wire.send(bytes)
    }

    /// Begins a command; its tag.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn begin(&mut self, command: &str) -> Result<String, Failed> {
        let tag = self.next_tag();
        self.wire.allow(SILENCE);
        self.send(&format!("{tag} {command}"))?;
        Ok(tag)
    }

    fn next_tag(&mut self) -> String {
        self.tag = self.tag.wrapping_add(1);
        format!("s{}", self.tag)
    }

    /// The next reply. What is said by the way is noted here: new mails, and that the server closes.
    ///
    /// # Errors
    /// When it does not come in time, or is none.
    pub(crate) fn reply(&mut self) -> Result<Reply, Failed> {
        let line = self.wire.line()?;
        let line = self.whole(line)?;
        self.understood(&line)
    }

    fn understood(&mut self, line: &[u8]) -> Result<Reply, Failed> {
        let reply = Reply::parse(line).ok_or_else(|| Failed::garbled("the server said what is no IMAP").said(line))?;
        if let Reply::Untagged(text) = &reply {
            if reply::after(text, "BYE").is_some() {
                return Err(Failed::broken("the server ended the connection").said(text));
            }
            self.news |= reply::numbered(text, "EXISTS").is_some_and(|(exists, _)| exists > 0);
        }
        Ok(reply)
    }

    /// A line with the literals that it goes on with. Only names and the like are as long as that, and no mail.
    fn whole(&mut self, mut line: Vec<u8>) -> Result<Vec<u8>, Failed> {
        while let Some(size) = reply::literal_size(&line) {
            if size > (REPLY - line.len().min(REPLY)) as u64 {
                return Err(Failed::garbled("the server said more than was asked"));
            }
            let mut literal = self.wire.literal(size);
            let read = std::io::Read::read_to_end(&mut literal, &mut line);
            if let Some(failed) = literal.failure() {
                return Err(failed);
            }
            read.map_err(|_| Failed::broken("the connection to the server broke off"))?;
            let more = self.wire.line()?;
            line.extend_from_slice(&more);
            if line.len() > REPLY {
                return Err(Failed::garbled("the server said more than was asked"));
            }
        }
        Ok(line)
    }

    /// One command; how it went, and what is said of that.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn command(&mut self, command: &str) -> Result<(Status, Vec<u8>), Failed> {
        self.command_with(command, &mut |_| {})
    }

    fn command_with(&mut self, command: &str, untagged: &mut dyn FnMut(&[u8])) -> Result<(Status, Vec<u8>), Failed> {
        let tag = self.begin(command)?;
        self.end(&tag, untagged)
    }

    /// Waits for the end of a command.
    ///
    /// # Errors
    /// When the connection breaks off, or another ends.
    pub(crate) fn end(&mut self, tag: &str, untagged: &mut dyn FnMut(&[u8])) -> Result<(Status, Vec<u8>), Failed> {
        loop {
            match self.reply()? {
                Reply::Untagged(text) => untagged(&text),
                Reply::Done(ended, status, text) if ended == tag.as_bytes() => return Ok((status, text)),
                _ => return Err(Failed::garbled("the server answered what was not asked")),
            }
        }
    }

    /// Opens a folder; nothing when it cannot be, with what is said of that.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn open(&mut self, folder: &str) -> Result<Result<Opened, Vec<u8>>, Failed> {
        let mut opened = Opened::default();
        let (status, text) = self.command_with(&format!("SELECT {}", quoted(folder)), &mut |untagged| {
            if let Some((exists, _)) = reply::numbered(untagged, "EXISTS") {
                opened.exists = exists;
            }
            let Some(text) = reply::after(untagged, "OK") else { return };
            if let Some(validity) = reply::numbered_code(text, "UIDVALIDITY") {
                opened.validity = validity;
            }
            if let Some(next) = reply::numbered_code(text, "UIDNEXT") {
                opened.next = Some(next);
            }
            if let Some(flags) = reply::code(text).filter(|code| code.starts_with(b"PERMANENTFLAGS")) {
                opened.keywords = flags.windows(2).any(|two| two == br"\*");
            }
        })?;
        if status != Status::Ok {
            return Ok(Err(text));
        }
        opened.read_only = reply::code(&text).is_some_and(|code| code == b"READ-ONLY");
        Ok(Ok(opened))
    }

    /// Sees to it that a folder is there.
    ///
    /// # Errors
    /// When the connection breaks off, or it cannot be made.
    pub(crate) fn provide(&mut self, folder: &str) -> Result<(), Failed> {
        let mut there = false;
        self.command_with(&format!("LIST \"\" {}", quoted(folder)), &mut |untagged| {
            there |= reply::after(untagged, "LIST").is_some();
        })?;
        if there {
            return Ok(());
        }
        let (status, text) = self.command(&format!("CREATE {}", quoted(folder)))?;
        if status != Status::Ok && reply::code(&text).is_none_or(|code| code != b"ALREADYEXISTS") {
            let hint = "make it by hand, or name another one with 'done'; some servers want it below INBOX: \"INBOX.Sluis\"";
            return Err(Failed::new(Kind::Other, "the folder for mails that were taken cannot be made", hint).said(&text));
        }
        // So that people's programs show it; a server without subscriptions shows it anyway.
        self.command(&format!("SUBSCRIBE {}", quoted(folder)))?;
        Ok(())
    }

    /// The mails from a number on, at most [`LISTED`], and the smallest number among the rest.
    ///
    /// # Errors
    /// When the connection breaks off, or the server does not want to.
    pub(crate) fn list(&mut self, from: u32) -> Result<(Vec<Entry>, Option<u32>), Failed> {
        self.news = false;
        let (mut entries, mut more) = (Vec::new(), None::<u32>);
        let tag = self.begin(&format!("UID FETCH {from}:* (UID RFC822.SIZE INTERNALDATE FLAGS)"))?;
        self.wire.allow(LISTING);
        let (status, text) = self.end(&tag, &mut |untagged| {
            let Some((_, items)) = reply::numbered(untagged, "FETCH") else { return };
            // The last mail is listed though its number is smaller (RFC 3501, 6.4.8).
            if let Some(entry) = Entry::parse(items).filter(|entry| entry.uid >= from) {
                if entries.len() < LISTED {
                    entries.push(entry);
                } else {
                    more = Some(more.map_or(entry.uid, |more| more.min(entry.uid)));
                }
            }
        })?;
        match status {
            Status::Ok => Ok((entries, more)),
            _ => Err(Failed::garbled("the server does not list its mails").said(&text)),
        }
    }

    /// The mails that are marked as deleted.
    ///
    /// # Errors
    /// When the connection breaks off, or the server does not want to.
    pub(crate) fn deleted(&mut self) -> Result<Vec<u32>, Failed> {
        let mut found = Vec::new();
        let (status, text) = self.command_with("UID SEARCH DELETED", &mut |untagged| {
            let words = reply::after(untagged, "SEARCH").unwrap_or_default().split(|byte| *byte == b' ');
            found.extend(words.filter_map(|word| std::str::from_utf8(word).ok()?.parse::<u32>().ok()));
        })?;
        match status {
            Status::Ok => Ok(found),
            _ => Err(Failed::garbled("the server does not list its mails").said(&text)),
        }
    }

    /// Asks for mails, all at once, and hands each to `take` as it comes. One with more than `most` bytes is refused, whatever
    /// was said of it before. A mail counts when the server has named it: none must be moved for another.
    pub(crate) fn take<T>(&mut self, mails: &[Entry], most: u64, take: &mut Take<'_, T>) -> Bodies<T> {
        let mut bodies = Bodies { taken: Vec::new(), refused: Vec::new(), failure: None };
        let uids: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
        let largest = mails.iter().map(|mail| mail.size).max().unwrap_or(0).min(most);
        let time = SILENCE + Duration::from_secs(largest / SLOWEST);
        let ended = self.begin(&format!("UID FETCH {} (UID BODY.PEEK[])", set(&uids))).and_then(|tag| {
            loop {
                self.wire.allow(time);
                match self.body(&uids, most, take, &mut bodies)? {
                    Reply::Untagged(_) => {}
                    Reply::Done(ended, _, _) if ended == tag.as_bytes() => return Ok(()),
                    _ => return Err(Failed::garbled("the server answered what was not asked")),
                }
            }
        });
        match ended {
            Ok(()) => {
                let missing = uids.into_iter().filter(|uid| bodies.taken.iter().all(|(taken, _)| taken != uid));
                bodies.refused.extend(missing);
            }
            Err(failed) => bodies.failure = Some(failed),
        }
        bodies
    }

    /// The next reply, which may have a mail in it.
    fn body<T>(&mut self, uids: &[u32], most: u64, take: &mut Take<'_, T>, bodies: &mut Bodies<T>) -> Result<Reply, Failed> {
        let mut line = self.wire.line()?;
        let Some(size) = reply::literal_size(&line).filter(|_| is_body(&line)) else {
            let line = self.whole(line)?;
            return self.understood(&line);
        };
        let uid = uid_in(&line);
        if size > most {
            // Its bytes are not waited for: the next connection begins without this mail.
            bodies.refused.extend(uid);
            let hint = "it stays in the mailbox: look at it there, or raise most_mib";
            return Err(Failed::new(Kind::Large, "a mail is larger than the server said and than is taken", hint));
        }
        let mut literal = self.wire.literal(size);
        let came = take(&mut literal);
        if let Some(failed) = literal.failure() {
            return Err(failed);
        }
        let came = came?;
        literal.skip()?;
        // The words around the mail, without it: some say its number behind it.
        let end = line.iter().rposition(|byte| *byte == b'{').unwrap_or(0);
        line.truncate(end);
        let rest = self.wire.line()?;
        if !matches!(rest.first(), Some(b' ' | b')')) {
            return Err(Failed::garbled("the server gave a mail that is not as long as it said"));
        }
        line.extend_from_slice(&rest);
        let line = self.whole(line)?;
        let is_wanted = |uid: &u32| uids.contains(uid) && bodies.taken.iter().all(|(taken, _)| taken != uid);
        match uid_in(&line).filter(is_wanted) {
            Some(uid) => bodies.taken.push((uid, came)),
            None => return Err(Failed::garbled("the server gave a mail and did not say which")),
        }
        self.understood(&line)
    }

    /// Waits for new mails with IDLE (RFC 2177), for so long at most; whether there are any.
    ///
    /// # Errors
    /// When the connection breaks off, or the server does not want to.
    pub(crate) fn idle(&mut self, time: Duration) -> Result<bool, Failed> {
        if std::mem::take(&mut self.news) {
            return Ok(true);
        }
        let tag = self.begin("IDLE")?;
        loop {
            match self.reply()? {
                Reply::Continue(_) => break,
                Reply::Untagged(_) => {}
                Reply::Done(_, _, text) => return Err(Failed::garbled("the server does not let us wait").said(&text)),
            }
        }
        let until = std::time::Instant::now() + time;
        while !self.news {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            let Some(line) = self.wire.line_within(left)? else { continue };
            self.wire.allow(SILENCE);
            let line = self.whole(line)?;
            self.understood(&line)?;
        }
        let news = std::mem::take(&mut self.news);
        self.wire.allow(SILENCE);
        self.send("DONE")?;
        self.end(&tag, &mut |_| {})?;
        Ok(news || std::mem::take(&mut self.news))
    }

    /// Says goodbye; nobody minds when that fails.
    pub(crate) fn leave(&mut self) {
        let _ = self.begin("LOGOUT");
    }
}

/// Takes a mail as it comes.
pub(crate) type Take<'a, T> = dyn FnMut(&mut Literal<'_>) -> Result<T, Failed> + 'a;

/// Numbers as a set: `1:3,7`. They are in order.
pub(crate) fn set(uids: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => runs.push((*uid, *uid)),
        }
    }
    let runs = runs.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}:{last}") });
    runs.collect::<Vec<_>>().join(",")
}

/// The words of a line about a mail.
fn items(line: &[u8]) -> Option<&[u8]> {
    reply::numbered(line.strip_prefix(b"* ")?, "FETCH").map(|(_, items)| items)
}

/// The mail that a line names.
fn uid_in(line: &[u8]) -> Option<u32> {
    reply::uid_of(items(line)?)
}

/// Whether a line has the beginning of a mail, rather than of something that is said by the way.
fn is_body(line: &[u8]) -> bool {
    // Long lines have none.
    items(line).is_some_and(|items| items.len() < 1024 && items.to_ascii_uppercase().windows(6).any(|six| six == b"BODY[]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers() {
        for (uids, expected) in [
            (&[7][..], "7"),
            (&[1, 2, 3], "1:3"),
            (&[1, 3, 4, 9], "1,3:4,9"),
            (&[u32::MAX - 1, u32::MAX], "4294967294:4294967295"),
        ] {
            assert_eq!(set(uids), expected);
        }
    }
}
