//! The bytes of a connection, with and without TLS: lines that have an end, and time that has one, for [`super::connection`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Bytes of a line without its end: RFC 5321 section 4.5.3.1.4 asks for 512, and extensions add to it.
const LINE: usize = 1_000;
/// Bytes of a line that is too long, until nobody listens any longer.
const ENOUGH: usize = 64 << 10;
/// Bytes that are read at once.
const BLOCK: usize = 64 << 10;
/// How often it is looked whether we stop.
const TICK: Duration = Duration::from_millis(200);
/// How long the other side may not take what we say.
const DEAF: Duration = Duration::from_secs(30);

/// Why nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The other side has gone, or speaks no TLS.
    Gone,
    /// It took too long.
    Slow,
    /// We stop.
    Stopping,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without its CR LF.
    Whole(Vec<u8>),
    /// It is too long, or ends with LF alone.
    Bad,
}

/// A connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// In between.
    None,
}

impl Stream {
    fn prepare(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                stream.set_nonblocking(false)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TICK))?;
                stream.set_write_timeout(Some(DEAF))
            }
            Stream::Unix(stream) => {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(TICK))?;
                stream.set_write_timeout(Some(DEAF))
            }
            Stream::Tls(_) | Stream::None => Ok(()),
        }
    }

    /// Says a line if that is possible at once, and no more.
    pub(crate) fn dismiss(&mut self, text: &str) {
        // It does not block yet: whoever takes nothing is told nothing.
        let _ = match self {
            Stream::Tcp(stream) => stream.write(text.as_bytes()),
            Stream::Unix(stream) => stream.write(text.as_bytes()),
            Stream::Tls(_) | Stream::None => Ok(0),
        };
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::None => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(into),
            Stream::Unix(stream) => stream.read(into),
            Stream::Tls(stream) => stream.read(into),
            Stream::None => Ok(0),
        }
    }
}

/// A connection with what was read of it and is not used yet, and what is to be said.
pub(crate) struct Wire<'a> {
    stream: Stream,
    read: Vec<u8>,
    /// How much of that is used.
    used: usize,
    block: Vec<u8>,
    said: Vec<u8>,
    stop: &'a dyn Fn() -> bool,
}

impl<'a> Wire<'a> {
    /// A connection; `stop` says whether we stop.
    ///
    /// # Errors
    /// When it has gone already.
    pub(crate) fn new(stream: Stream, stop: &'a dyn Fn() -> bool) -> io::Result<Wire<'a>> {
        stream.prepare()?;
        Ok(Wire { stream, read: Vec::new(), used: 0, block: vec![0; BLOCK], said: Vec::new(), stop })
    }

    /// Keeps something to be said before the next time that the other side is waited for.
    pub(crate) fn say(&mut self, text: &str) {
        self.said.extend_from_slice(text.as_bytes());
    }

    /// Says what was kept.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) fn flush(&mut self) -> Result<(), Broken> {
        if self.said.is_empty() {
            return Ok(());
        }
        let said = std::mem::take(&mut self.said);
        self.stream.write(&said).map_err(|_| Broken::Gone)
    }

    /// What was read and is not used yet.
    pub(crate) fn unused(&self) -> &[u8] {
        self.read.get(self.used..).unwrap_or_default()
    }

    /// Marks as used.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.used = (self.used + bytes).min(self.read.len());
        if self.used == self.read.len() {
            self.read.clear();
            self.used = 0;
        }
    }

    /// Reads some more, once everything was said.
    ///
    /// # Errors
    /// When nothing comes until then.
    pub(crate) fn fill(&mut self, until: Instant) -> Result<(), Broken> {
        self.flush()?;
        loop {
            if (self.stop)() {
                return Err(Broken::Stopping);
            }
            if Instant::now() >= until {
                return Err(Broken::Slow);
            }
            match self.stream.read(&mut self.block) {
                Ok(0) => return Err(Broken::Gone),
                Ok(count) => {
                    self.read.drain(..std::mem::take(&mut self.used));
                    self.read.extend_from_slice(self.block.get(..count).unwrap_or_default());
                    return Ok(());
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(_) => return Err(Broken::Gone),
            }
        }
    }

    /// The next line. However slowly it comes, it must be whole by then.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn line(&mut self, until: Instant) -> Result<Line, Broken> {
        let mut passed = 0;
        loop {
            let unused = self.unused();
            if let Some(end) = unused.iter().position(|byte| *byte == b'\n') {
                let line = unused.get(..end).unwrap_or_default();
                let line = match line.strip_suffix(b"\r") {
                    Some(line) if passed == 0 && line.len() <= LINE && !line.contains(&b'\r') => Line::Whole(line.to_owned()),
                    _ => Line::Bad,
                };
                self.consume(end + 1);
                return Ok(line);
            }
            if unused.len() > LINE + 1 {
                passed += unused.len();
                self.consume(unused.len());
                if passed > ENOUGH {
                    return Err(Broken::Gone);
                }
            }
            self.fill(until)?;
        }
    }

    /// Begins TLS. Whatever was read before belongs to nobody and must not be there.
    ///
    /// # Errors
    /// When the other side does not speak it in time.
    pub(crate) fn secure(&mut self, config: Arc<ServerConfig>, until: Instant) -> Result<(), Broken> {
        self.flush()?;
        let Stream::Tcp(mut stream) = std::mem::replace(&mut self.stream, Stream::None) else { return Err(Broken::Gone) };
        let mut connection = ServerConnection::new(config).map_err(|_| Broken::Gone)?;
        while connection.is_handshaking() {
            if (self.stop)() {
                return Err(Broken::Stopping);
            }
            if Instant::now() >= until {
                return Err(Broken::Slow);
            }
            match connection.complete_io(&mut stream) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(_) => return Err(Broken::Gone),
            }
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, stream)));
        Ok(())
    }

    /// Says what is left to say, and that it was all.
    pub(crate) fn close(mut self) {
        let _ = self.flush();
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }
}
