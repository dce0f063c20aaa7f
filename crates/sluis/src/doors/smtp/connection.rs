//! A connection of a mail server from its beginning to its end: lines are answered, mails are handed to the desk as they come.

use std::io::{self, Read};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::sender::Envelope;
use model::submission::Door;

use super::Shared;
use super::data::Decoder;
use super::session::{self, Fate, Next, Session};
use super::wire::{Broken, Line, Stream, Wire};

/// How long a whole session may last.
const SESSION: Duration = Duration::from_secs(2 * 3600);
/// How long a mail may come slowly: after this at least [`PACE`] is wanted on average.
const GRACE: Duration = Duration::from_secs(60);
/// Bytes a second.
const PACE: u64 = 1_024;
/// How many times as many bytes as are taken are read of a mail, so that its refusal can be said.
const OVER: u64 = 4;
/// The time for everything when most places are taken: who is slow then, is slow at the cost of others.
const SHORT: Duration = Duration::from_secs(10);

/// Serves a connection.
pub(super) fn serve(shared: &Shared, stream: Stream, peer: Option<IpAddr>) {
    let stopping = || shared.desk.is_stopping();
    let Ok(mut wire) = Wire::new(stream, &stopping) else { return };
    let mut session = Session::new(&shared.rules);
    wire.say(&session.greeting());
    let parting = match talk(shared, &mut session, &mut wire, peer) {
        Ok(()) | Err(Broken::Gone) => "",
        Err(Broken::Slow) => session::SLOW,
        Err(Broken::Stopping) => session::STOPPING,
    };
    wire.say(parting);
    wire.close();
}

fn talk(shared: &Shared, session: &mut Session<'_>, wire: &mut Wire<'_>, peer: Option<IpAddr>) -> Result<(), Broken> {
    let end = Instant::now() + SESSION;
    let patience = || if shared.is_crowded() { shared.timeout.min(SHORT) } else { shared.timeout };
    loop {
        let until = end.min(Instant::now() + patience());
        let mut answer = match wire.line(until)? {
            Line::Whole(line) => session.line(&line, &|bytes| shared.has_room(bytes)),
            Line::Bad => session.broken_line(),
        };
        if answer.next == Next::Tls {
            // What came in the clear must not be taken for what came by TLS (CVE-2011-0411): whoever sends it ahead is no mail server.
            if !wire.unused().is_empty() {
                wire.say(session::INJECTED);
                return Ok(());
            }
            match shared.tls() {
                Some(config) => {
                    wire.say(&answer.text);
                    wire.secure(config, until)?;
                    session.secured();
                }
                None => wire.say(session::NO_TLS),
            }
            continue;
        }
        wire.say(&answer.text);
        if answer.next == Next::Data {
            wire.flush()?;
            let envelope = Envelope {
                mail_from: session.mail_from().map(str::to_owned),
                recipients: session.recipients().to_vec(),
                // In LMTP it is our own mail server that speaks: who handed the mail to it is not known here.
                peer: peer.filter(|_| !shared.rules.lmtp),
                helo: if shared.rules.lmtp { String::new() } else { session.hello().to_owned() },
                ..Envelope::default()
            };
            let fate = take(shared, wire, envelope, patience())?;
            answer = session.finished(fate);
            wire.say(&answer.text);
        }
        if answer.next == Next::End {
            return Ok(());
        }
    }
}

/// Takes a mail. It is said to be kept when it is durable, and not before.
fn take(shared: &Shared, wire: &mut Wire<'_>, envelope: Envelope, patience: Duration) -> Result<Fate, Broken> {
    let mut data = Data {
        wire,
        decoder: Decoder::default(),
        mail: Vec::new(),
        used: 0,
        size: 0,
        most: shared.rules.most,
        begun: Instant::now(),
        patience,
        broken: None,
    };
    let door = if shared.rules.lmtp { Door::Lmtp } else { Door::Smtp };
    let arrived = shared.desk.arrive_from(door, "", envelope, &mut data);
    data.finish();
    if let Some(broken) = data.broken {
        // Nothing is kept of half a mail: the reader has failed, so the desk has taken it back.
        return Err(broken);
    }
    Ok(match arrived {
        Err(_) if data.size > data.most => Fate::Large,
        Err(_) if data.decoder.has_bare_lf() => Fate::BareLf,
        Err(_) if shared.desk.is_stopping() => Fate::Stopping,
        Err(error) => shared.failed(&error.to_string()),
        Ok(arrived) => shared.keep(arrived),
    })
}

/// A mail as it comes, without what the protocol adds to it.
struct Data<'a, 'b> {
    wire: &'a mut Wire<'b>,
    decoder: Decoder,
    /// What was read of it.
    mail: Vec<u8>,
    /// How much of that was handed on.
    used: usize,
    /// Its bytes so far.
    size: u64,
    most: u64,
    begun: Instant,
    patience: Duration,
    broken: Option<Broken>,
}

impl Data<'_, '_> {
    /// Reads some more of it.
    fn more(&mut self) -> Result<(), Broken> {
        self.mail.clear();
        self.used = 0;
        if self.wire.unused().is_empty() {
            let now = Instant::now();
            if now > self.begun + GRACE + Duration::from_secs(self.size / PACE) {
                return Err(Broken::Slow);
            }
            self.wire.fill(now + self.patience)?;
        }
        let read = self.decoder.take(self.wire.unused(), &mut self.mail);
        self.wire.consume(read);
        self.size += self.mail.len() as u64;
        Ok(())
    }

    /// Reads it to its end, whatever became of it: what follows is a command again.
    fn finish(&mut self) {
        while self.broken.is_none() && !self.decoder.is_at_end() {
            if self.size > self.most.saturating_mul(OVER) {
                self.broken = Some(Broken::Slow);
            } else if let Err(broken) = self.more() {
                self.broken = Some(broken);
            }
        }
    }
}

impl Read for Data<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.size > self.most || self.decoder.has_bare_lf() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let rest = self.mail.get(self.used..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.len().min(into.len());
                for (into, from) in into.iter_mut().zip(rest) {
                    *into = *from;
                }
                self.used += count;
                return Ok(count);
            }
            if self.decoder.is_at_end() {
                return Ok(0);
            }
            if let Err(broken) = self.more() {
                self.broken = Some(broken);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }
}
