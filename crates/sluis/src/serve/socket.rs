//! The Unix socket through which other commands reach the process that owns the desk.
//!
//! One JSON object a line in, one a line out, any number on a connection. The socket lies in the data directory as
//! `sluis.sock`, is open to its owner only, and asks the operating system who is calling: the same user or root.
//!
//! ```text
//! {"command":"wake"}                                   {"result":"done"}
//! {"command":"status"}                                 {"result":"status","version":"0.1.0",...}
//! {"command":"again","which":"unreadable"}             {"result":"again","submissions":3}
//! {"command":"do","act":{"verb":"cases",...}}          {"result":"did","outcome":...}
//! {"command":"import","source":"ripe",...,"bytes":7}   (then 7 bytes, then) {"result":"imported","summary":{...}}
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use desk::import::How;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use crate::acts::Act;
use crate::serve::intake::Trouble;

/// The socket's name in the data directory.
pub(crate) const NAME: &str = "sluis.sock";
/// Bytes of a socket's path that the operating system takes (`sun_path` of unix(7), without the closing NUL).
const PATH: usize = 107;
/// Bytes of a request's line: an act may carry 10 MiB of evidence, in base64.
const LINE: u64 = 16 << 20;
/// Bytes of an answer's line.
const ANSWER: u64 = 16 << 20;
/// Bytes that may follow an import.
const BODY: u64 = 16 << 30;
/// Commands served at the same time.
const TOGETHER: usize = 8;
/// How long a client may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What another command asks of the process that owns the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Look into the spool at once.
    Wake,
    /// Tell how you are.
    Status,
    /// Import an administration; what it says follows the line ([`crate::serve::wire`]).
    Import(Import),
    /// Read submissions once more.
    Again(Again),
    /// Do what a person asks for.
    Do(Box<Do>),
}

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Do {
    /// What.
    pub(crate) act: Act,
}

/// An import that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// The name its operator gave the source.
    pub(crate) source: String,
    /// How it was read: `csv`, `rpsl`, `map`, the name of a system; or `changes`, and then their file follows as it is.
    pub(crate) kind: String,
    /// Whether it is everything the source has, so that what is missing from it has ended.
    pub(crate) complete: bool,
    /// How many changes of each kind are to be told.
    pub(crate) most: usize,
    /// Whether somebody says that it really is everything, however little it is.
    #[serde(default)]
    pub(crate) vouched: bool,
    /// Whether to tell what would change and change nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// How many bytes follow the line.
    pub(crate) bytes: u64,
}

impl Import {
    /// How the desk is to take it.
    pub(crate) fn how(&self) -> How {
        match (self.dry_run, self.vouched) {
            (true, _) => How::DryRun,
            (false, true) => How::Vouched,
            (false, false) => How::Careful,
        }
    }
}

/// Which submissions are to be read once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    /// `unreadable`, `rejects`, `all`, or the public identifier of a submission.
    pub(crate) which: String,
}

/// What the process that owns the desk answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(crate) enum Response {
    /// It is done.
    Done,
    /// How the process is.
    Status(Box<Status>),
    /// What an import came to.
    Imported {
        /// As `sluis import --json` shows it.
        summary: serde_json::Value,
    },
    /// They will be read once more.
    Again {
        /// How many.
        submissions: u64,
    },
    /// What came of an act.
    Did {
        /// As the command that asked understands it.
        outcome: serde_json::Value,
    },
    /// It was not done.
    Refused {
        /// Why, and what would be right.
        reason: String,
    },
}

/// How the process is. This is for the owner of the data: it may name files and sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// Version of the program.
    pub(crate) version: String,
    /// Number of the process.
    pub(crate) process: u32,
    /// When it began.
    pub(crate) started: String,
    /// Where it answers HTTP.
    pub(crate) listen: String,
    /// Why it is not ready; empty when it is.
    pub(crate) not_ready: Vec<String>,
    /// What a person should look at, though it keeps nothing from working.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// What it has done since it began.
    pub(crate) submissions: u64,
    /// Reports among that.
    pub(crate) reports: u64,
    /// Cases opened.
    pub(crate) opened: u64,
    /// Cases joined.
    pub(crate) joined: u64,
    /// Whether it is working on something.
    pub(crate) working: bool,
    /// What does not work, by the part of the intake.
    pub(crate) troubles: Vec<(String, Trouble)>,
    /// Sources of administration, by their number in the metrics.
    pub(crate) sources: Vec<(i64, String)>,
}

/// What the socket asks of the process behind it. Every function blocks.
pub(crate) trait Remote: Send + Sync {
    /// Looks into the spool at once.
    fn wake(&self);
    /// Tells how it is.
    fn status(&self) -> Status;
    /// Imports an administration from `body`, which ends after as many bytes as were announced.
    ///
    /// # Errors
    /// What the caller is told: why not, and what would be right.
    fn import(&self, import: &Import, body: &mut dyn Read) -> Result<serde_json::Value, String>;
    /// Puts submissions back to be read once more; how many.
    ///
    /// # Errors
    /// As [`Remote::import`].
    fn again(&self, again: &Again) -> Result<u64, String>;
    /// Does what a person asks for.
    ///
    /// # Errors
    /// As [`Remote::import`].
    fn act(&self, act: &Act) -> Result<serde_json::Value, String>;
}

/// Asks the process that owns a data directory. `body` follows an import.
///
/// # Errors
/// When no process listens there, or it breaks off.
pub(crate) fn call(data: &Path, request: &Request, body: Option<&mut dyn Read>) -> anyhow::Result<Response> {
    let path = path(data)?;
    let absent = || format!("{}: no 'sluis serve' listens here", path.display());
    let mut stream = UnixStream::connect(&path).with_context(absent)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // An import may take its time, and so may an act on many cases; nothing else does.
    stream.set_read_timeout((!matches!(request, Request::Import(_) | Request::Do(_))).then_some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let sent = stream.write_all(&line).and_then(|()| match body {
        Some(body) => io::copy(body, &mut stream).map(|_| ()),
        None => Ok(()),
    });
    // Who refuses an import does not read it: the reason for a broken pipe stands in the answer.
    let mut answer = Vec::new();
    let read = BufReader::new(&stream).take(ANSWER).read_until(b'\n', &mut answer);
    if answer.is_empty() {
        sent.and(read.map(|_| ())).context("'sluis serve' did not answer")?;
        anyhow::bail!("'sluis serve' broke off without an answer");
    }
    serde_json::from_slice(&answer)
        .context("'sluis serve' gave an answer that this program does not know; is it another version?")
}

/// Where the socket of a data directory is.
///
/// # Errors
/// When the path is longer than the operating system takes.
pub(crate) fn path(data: &Path) -> anyhow::Result<PathBuf> {
    let data = std::path::absolute(data)?;
    let path = data.join(NAME);
    let length = path.as_os_str().len();
    anyhow::ensure!(
        length <= PATH,
        "{}: this path has {length} bytes, and a Unix socket may have {PATH}: choose a data directory with a shorter path",
        path.display()
    );
    Ok(path)
}

/// A socket that is open; it goes away with its guard.
pub(crate) struct Listening {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // The next process would do it, too: it owns the directory then.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket. To be called by the process that owns the directory: it takes a dead one's place.
///
/// # Errors
/// When the path is too long, or something else is in its place.
pub(crate) fn listen(data: &Path) -> anyhow::Result<Listening> {
    let path = path(data)?;
    match std::fs::symlink_metadata(&path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&path)?,
        Ok(_) => anyhow::bail!("{}: this is no socket; move it away, sluis needs its place", path.display()),
        Err(_) => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("{}: cannot be opened", path.display()))?;
    let listening = Listening { listener, path };
    std::fs::set_permissions(&listening.path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listening)
}

/// Serves the socket, as long as its future is polled.
pub(crate) async fn serve(listening: Listening, remote: Arc<dyn Remote>) {
    let permits = Arc::new(Semaphore::new(TOGETHER));
    loop {
        let Ok((stream, _)) = listening.listener.accept().await else {
            // Too many files are open, most likely.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Between bind and chmod others could have come in: the operating system knows who they are.
        let caller = stream.peer_cred().map(|caller| caller.uid());
        if !caller.is_ok_and(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw()) {
            continue;
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let remote = Arc::clone(&remote);
        let blocking = stream.into_std().and_then(|stream| {
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        if let Ok(stream) = blocking {
            tokio::task::spawn_blocking(move || {
                // A caller that went away is not our trouble.
                let _ = converse(&stream, &*remote);
                drop(permit);
            });
        }
    }
}

/// Answers the requests of one connection.
fn converse(stream: &UnixStream, remote: &dyn Remote) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        (&mut reader).take(LINE + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let (response, in_step) = if line.len() as u64 > LINE {
            (refused(format!("a request has at most {LINE} bytes")), false)
        } else {
            match serde_json::from_slice(&line) {
                Ok(request) => answer(request, &mut reader, remote),
                Err(error) => (refused(format!("this is no request: {error}")), false),
            }
        };
        let mut line = serde_json::to_vec(&response)?;
        line.push(b'\n');
        (&mut &*stream).write_all(&line)?;
        if !in_step {
            return Ok(());
        }
    }
}

/// The answer, and whether the next bytes are the next request.
fn answer(request: Request, reader: &mut dyn BufRead, remote: &dyn Remote) -> (Response, bool) {
    match request {
        Request::Wake => {
            remote.wake();
            (Response::Done, true)
        }
        Request::Status => (Response::Status(Box::new(remote.status())), true),
        Request::Again(again) => {
            let response = remote.again(&again).map(|submissions| Response::Again { submissions });
            (response.unwrap_or_else(refused), true)
        }
        Request::Do(asked) => {
            let response = remote.act(&asked.act).map(|outcome| Response::Did { outcome });
            (response.unwrap_or_else(refused), true)
        }
        Request::Import(import) if import.bytes > BODY => (refused(format!("an import has at most {BODY} bytes")), false),
        Request::Import(import) => {
            let mut body = Body { reader, left: import.bytes };
            let response = remote.import(&import, &mut body).map(|summary| Response::Imported { summary });
            let in_step = body.left == 0;
            (response.unwrap_or_else(refused), in_step)
        }
    }
}

fn refused(reason: String) -> Response {
    Response::Refused { reason }
}

/// The bytes that follow an import: an end before all of them came is an error, for half a file is another file.
struct Body<'a> {
    reader: &'a mut dyn BufRead,
    left: u64,
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.reader.read(into.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "fewer bytes came than were announced"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_what_the_manual_says() {
        let cases = [
            (r#"{"command":"wake"}"#, Some(Request::Wake)),
            (r#"{"command":"status"}"#, Some(Request::Status)),
            (r#"{"command":"again","which":"rejects"}"#, Some(Request::Again(Again { which: "rejects".into() }))),
            (
                r#"{"command":"import","source":"ripe","kind":"rpsl","complete":true,"most":10,"bytes":7}"#,
                Some(Request::Import(Import {
                    source: "ripe".into(),
                    kind: "rpsl".into(),
                    complete: true,
                    most: 10,
                    vouched: false,
                    dry_run: false,
                    bytes: 7,
                })),
            ),
            (r#"{"command":"import","source":"ripe"}"#, None),
            (r#"{"command":"again","which":"rejects","all":true}"#, None),
            (
                r#"{"command":"do","act":{"verb":"undo","act":7,"by":"anna","reason":"the wrong ones"}}"#,
                Some(Request::Do(Box::new(Do { act: Act::Undo { act: 7, by: "anna".into(), reason: "the wrong ones".into() } }))),
            ),
            (r#"{"command":"do","act":{"verb":"forget everything"}}"#, None),
            (r#"{"command":"stop"}"#, None),
            ("wake", None),
        ];
        for (text, expected) in cases {
            assert_eq!(serde_json::from_str(text).ok(), expected, "{text}");
            if let Some(request) = expected {
                let again = serde_json::to_string(&request).unwrap();
                assert_eq!(serde_json::from_str::<Request>(&again).unwrap(), request);
            }
        }
    }

    #[test]
    fn a_path_that_is_too_long_is_said_to_be() {
        let long = PathBuf::from(format!("/{}", "a".repeat(120)));
        let error = path(&long).unwrap_err().to_string();
        assert!(error.contains("132 bytes") && error.contains("shorter"), "{error}");
        assert!(path(Path::new("/var/lib/sluis")).is_ok());
    }

    #[test]
    fn a_body_that_breaks_off_is_not_a_shorter_body() {
        let mut bytes = &b"abc"[..];
        let mut read = Vec::new();
        assert!(Body { reader: &mut bytes, left: 4 }.read_to_end(&mut read).is_err());
        let mut bytes = &b"abcdef"[..];
        let mut read = Vec::new();
        Body { reader: &mut bytes, left: 4 }.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"abcd");
    }
}
