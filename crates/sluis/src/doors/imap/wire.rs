//! The bytes between a server and us: lines and literals, each with a bound in size and in time, and an end when the desk stops.
//!
//! It blocks, in a thread of its own, in short steps: between two of them it looks whether the time is up. A mail goes from
//! here to the desk as it comes, and is never in memory as a whole.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::failed::{Failed, Kind};

/// How long a server may take to be reached, by each of its addresses.
const REACH: Duration = Duration::from_secs(20);
/// Between two looks whether the time is up.
const STEP: Duration = Duration::from_millis(200);
/// How long a server may take for anything that is not large.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);
/// Addresses of a name that are tried.
const ADDRESSES: usize = 4;
/// Bytes of a line.
const LINE: usize = 64 << 10;
/// Bytes that are read at once.
const BUFFER: usize = 32 << 10;

/// Whether to stop.
pub(crate) type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// While it changes from one to the other, and after that failed.
    Gone,
}

/// A connection to a server.
pub(crate) struct Wire {
    stream: Stream,
    buffer: Vec<u8>,
    /// What of the buffer is read, but not used.
    unread: std::ops::Range<usize>,
    /// The beginning of a line that has no end yet.
    begun: Vec<u8>,
    deadline: Instant,
    stop: Stop,
}

impl Wire {
    /// Connects, without TLS. Only to this machine itself if `only_here`.
    ///
    /// # Errors
    /// When nobody answers there.
    pub(crate) fn connect(host: &str, port: u16, only_here: bool, stop: Stop) -> Result<Wire, Failed> {
        let found = (host, port).to_socket_addrs().map_err(|_| Failed::broken("the server's name has no address"))?;
        let mut stream = None;
        for address in found.filter(|address| !only_here || address.ip().is_loopback()).take(ADDRESSES) {
            if stop() {
                return Err(Failed::stopping());
            }
            if let Ok(connected) = TcpStream::connect_timeout(&address, REACH) {
                stream = Some(connected);
                break;
            }
        }
        let stream = stream.ok_or_else(|| Failed::broken("the server does not answer"))?;
        Wire::over(stream, stop)
    }

    /// A connection that is there.
    pub(crate) fn over(stream: TcpStream, stop: Stop) -> Result<Wire, Failed> {
        let ready = || -> io::Result<()> {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(STEP))?;
            stream.set_write_timeout(Some(SILENCE))
        };
        ready().map_err(|_| Failed::broken("the connection cannot be used"))?;
        let deadline = Instant::now() + SILENCE;
        let (buffer, begun) = (vec![0; BUFFER], Vec::new());
        Ok(Wire { stream: Stream::Plain(stream), buffer, unread: 0..0, begun, deadline, stop })
    }

    /// Goes on with TLS, to a server that proves this name.
    ///
    /// # Errors
    /// When it does not, and when it said more than it should have before (RFC 3501, 11.1: what came in the clear is not
    /// taken for what comes after).
    pub(crate) fn secure(&mut self, host: &str, tls: Arc<ClientConfig>) -> Result<(), Failed> {
        if !self.unread.is_empty() || !self.begun.is_empty() {
            return Err(Failed::garbled("the server said more before TLS than it was asked"));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failed::broken("the host is no name"))?;
        let untrusted = |_| {
            let hint = "look at the server's certificate: its name must be the host of the settings, and its authority one that this \
                        system trusts or that ca_file names";
            Failed::new(Kind::Broken, "no trusted TLS connection to the server could be made", hint)
        };
        let Stream::Plain(mut stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(Failed::garbled("TLS was begun twice"));
        };
        let mut connection = ClientConnection::new(tls, name).map_err(|error| untrusted(io::Error::other(error)))?;
        self.allow(SILENCE);
        while connection.is_handshaking() {
            self.in_time()?;
            match connection.complete_io(&mut stream) {
                Ok((0, 0)) => return Err(Failed::broken("the server closed the connection")),
                Ok(_) => {}
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(untrusted(error)),
            }
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(())
    }

    /// From now on the server has so long.
    pub(crate) fn allow(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    fn in_time(&self) -> Result<(), Failed> {
        if (self.stop)() {
            return Err(Failed::stopping());
        }
        if Instant::now() >= self.deadline {
            return Err(Failed::broken("the server said nothing in time"));
        }
        Ok(())
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let sent = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        sent.map_err(|_| Failed::broken("the connection to the server broke off"))
    }

    /// One step of reading: what came, if anything did.
    fn step(&mut self) -> Result<bool, Failed> {
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut self.buffer),
            Stream::Tls(stream) => stream.read(&mut self.buffer),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        match read {
            Ok(0) => Err(Failed::broken("the server closed the connection")),
            Ok(count) => {
                self.unread = 0..count;
                Ok(true)
            }
            Err(error) if is_pause(&error) => Ok(false),
            Err(_) => Err(Failed::broken("the connection to the server broke off")),
        }
    }

    /// Reads on until there is something.
    fn fill(&mut self) -> Result<(), Failed> {
        while self.unread.is_empty() {
            self.in_time()?;
            self.step()?;
        }
        Ok(())
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// When it is too long, or does not come in time.
    pub(crate) fn line(&mut self) -> Result<Vec<u8>, Failed> {
        loop {
            if let Some(line) = self.line_within(STEP)? {
                return Ok(line);
            }
            self.in_time()?;
        }
    }

    /// The next line, if it comes within this time. The beginning of one is kept for the next call.
    ///
    /// # Errors
    /// As [`Wire::line`].
    pub(crate) fn line_within(&mut self, time: Duration) -> Result<Option<Vec<u8>>, Failed> {
        let until = Instant::now() + time;
        loop {
            let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
            let (taken, ended) = match newline(unread) {
                Some(at) => (at + 1, true),
                None => (unread.len(), false),
            };
            self.begun.extend_from_slice(unread.get(..taken).unwrap_or_default());
            self.unread.start += taken;
            if self.begun.len() > LINE {
                return Err(Failed::garbled("the server sent a line without end"));
            }
            if ended {
                let mut line = std::mem::take(&mut self.begun);
                while matches!(line.last(), Some(b'\r' | b'\n')) {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if (self.stop)() {
                return Err(Failed::stopping());
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            self.step()?;
        }
    }

    /// The next so many bytes, as they come.
    pub(crate) fn literal(&mut self, size: u64) -> Literal<'_> {
        Literal { wire: self, left: size, failed: None }
    }
}

/// Whether nothing has come yet, and may come.
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// A literal on its way: so many bytes and not one more.
pub(crate) struct Literal<'a> {
    wire: &'a mut Wire,
    left: u64,
    failed: Option<Failed>,
}

impl Literal<'_> {
    /// Reads what nobody wanted.
    ///
    /// # Errors
    /// When it does not come.
    pub(crate) fn skip(mut self) -> Result<(), Failed> {
        let skipped = io::copy(&mut self, &mut io::sink());
        match (skipped, self.failed) {
            (_, Some(failed)) => Err(failed),
            (Err(_), None) => Err(Failed::broken("the connection to the server broke off")),
            (Ok(_), None) => Ok(()),
        }
    }

    /// Why it broke off, if it did.
    pub(crate) fn failure(&mut self) -> Option<Failed> {
        self.failed.take()
    }
}

impl Read for Literal<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || into.is_empty() {
            return Ok(0);
        }
        if let Err(failed) = self.wire.fill() {
            let reason = failed.trouble.reason.clone();
            self.failed = Some(failed);
            return Err(io::Error::other(reason));
        }
        let unread = self.wire.buffer.get(self.wire.unread.clone()).unwrap_or_default();
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = unread.len().min(into.len()).min(left);
        if let (Some(to), Some(from)) = (into.get_mut(..count), unread.get(..count)) {
            to.copy_from_slice(from);
        }
        self.wire.unread.start += count;
        self.left -= count as u64;
        Ok(count)
    }
}
