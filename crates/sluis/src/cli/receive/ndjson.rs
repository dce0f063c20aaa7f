//! `sluis receive --ndjson`: a program writes one JSON object a line for as long as it runs, and nothing waits for its end.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Result;
use desk::{Error, spool};
use model::submission::Door;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Args, Summary, acknowledge, finish, is_owned, work};
use crate::cli::Globals;
use crate::data::Data;
use crate::output::complain;
use crate::serve::socket::{self, Request};

/// Lines of a submission.
const LINES: usize = 1_000;
/// Bytes of a submission; a line that is longer is cut.
const BYTES: usize = 16 << 20;
/// How long a line waits for others.
const WAIT: Duration = Duration::from_secs(5);
/// The first and the longest pause when a submission cannot be kept.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(200);

/// Takes submissions from standard input until its end, or until SIGTERM or Ctrl-C; what has come by then is kept.
pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let data = globals.data()?;
    // What is wrong with the command is said at once, not at the first line.
    reading(args, globals)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let blocks = read();
    let mut cutter = Cutter::default();
    let mut summary = Summary::default();
    let mut is_over = false;
    while !is_over {
        match blocks.recv_timeout(TICK) {
            Ok(Ok(block)) => cutter.add(&block, Instant::now()),
            Ok(Err(error)) => return Err(Error::Unavailable(format!("standard input: {error}")).into()),
            Err(RecvTimeoutError::Timeout) => is_over = stop.load(Ordering::Relaxed),
            Err(RecvTimeoutError::Disconnected) => is_over = true,
        }
        while let Some(lines) = cutter.cut(Instant::now(), is_over) {
            keep(args, globals, &data, &lines, &stop, &mut summary)?;
        }
    }
    finish(args, &summary)
}

fn reading(args: &Args, globals: &Globals) -> Result<desk::Reading> {
    Ok(desk::Reading { feeds: globals.config()?.readers()?.feeds, ..args.reading.reading()? })
}

/// Reads standard input. One block at a time is ahead of what is kept: whoever writes faster waits.
fn read() -> Receiver<io::Result<Vec<u8>>> {
    let (send, blocks) = sync_channel(0);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut block = vec![0; 64 << 10];
        loop {
            let read = match stdin.read(&mut block) {
                Ok(0) => return,
                Ok(count) => Ok(block.get(..count).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            if send.send(read).is_err() {
                return;
            }
        }
    });
    blocks
}

/// Keeps a submission, however long that takes: there is nobody who could be told to send it again.
fn keep(args: &Args, globals: &Globals, data: &Data, lines: &[u8], stop: &AtomicBool, summary: &mut Summary) -> Result<()> {
    let mut pause = Duration::ZERO;
    loop {
        let Err(error) = try_keep(args, globals, data, lines, summary) else { return Ok(()) };
        if stop.load(Ordering::Relaxed) || matches!(error.downcast_ref(), Some(Error::Invalid(_))) {
            return Err(error);
        }
        if pause.is_zero() {
            complain(&error.context("trying again; nothing more is read meanwhile"));
        }
        pause = (pause * 2).clamp(PAUSE.0, PAUSE.1);
        let until = Instant::now() + pause;
        while Instant::now() < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
    }
}

fn try_keep(args: &Args, globals: &Globals, data: &Data, lines: &[u8], summary: &mut Summary) -> Result<()> {
    // The data belongs to others between two submissions.
    let mut desk = match data.desk(globals.clock(), reading(args, globals)?) {
        Ok(desk) => desk,
        Err(Error::Conflict(_)) if is_owned(data) => {
            spool::put(&data.directory, &*globals.clock(), Door::Pipe, "", &mut &*lines)?;
            summary.spooled += 1;
            let _ = socket::call(&data.directory, &Request::Wake, None);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    data.mail.set(&mut desk, false)?;
    desk.recover()?;
    let arrived = desk.arrive(Door::Pipe, "", &mut &*lines)?;
    acknowledge(&desk, vec![arrived], summary)?;
    // It is durable, and must not come twice.
    if let Err(error) = work(&desk, summary) {
        complain(&error);
    }
    crate::data::seal(&desk);
    Ok(())
}

/// Cuts what comes into submissions of whole lines.
#[derive(Debug, Default)]
struct Cutter {
    bytes: Vec<u8>,
    /// Where the last whole line ends, and how many there are.
    whole: usize,
    lines: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

impl Cutter {
    fn add(&mut self, block: &[u8], now: Instant) {
        self.since.get_or_insert(now);
        self.lines += block.iter().filter(|byte| **byte == b'\n').count();
        if let Some(end) = block.iter().rposition(|byte| *byte == b'\n') {
            self.whole = self.bytes.len() + end + 1;
        }
        self.bytes.extend_from_slice(block);
    }

    /// The next submission, if there is enough for one, or the first line has waited long enough, or all is over.
    fn cut(&mut self, now: Instant, is_over: bool) -> Option<Vec<u8>> {
        let is_due = self.since.is_some_and(|since| now.duration_since(since) >= WAIT) && self.whole > 0;
        let end = match () {
            () if is_over && self.lines <= LINES => self.bytes.len(),
            () if self.lines >= LINES => {
                let ends = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                ends.map(|(at, _)| at + 1).nth(LINES - 1).unwrap_or(self.whole)
            }
            () if self.bytes.len() >= BYTES && self.whole == 0 => self.bytes.len(),
            () if self.bytes.len() >= BYTES || is_due => self.whole,
            () => 0,
        };
        if end == 0 {
            return None;
        }
        let rest = self.bytes.split_off(end);
        let cut = std::mem::take(&mut self.bytes);
        *self = Cutter::default();
        if !rest.is_empty() {
            self.add(&rest, now);
        }
        // Lines with nothing on them are no submission.
        if cut.trim_ascii().is_empty() { self.cut(now, is_over) } else { Some(cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_do_not_wait_for_the_end() {
        let begun = Instant::now();
        let mut cutter = Cutter::default();
        cutter.add(b"{\"a\":1}\n{\"a\":", begun);
        assert_eq!(cutter.cut(begun + Duration::from_secs(4), false), None);
        assert_eq!(cutter.cut(begun + Duration::from_secs(5), false).as_deref(), Some(&b"{\"a\":1}\n"[..]));
        // Half a line waits for its other half, however long.
        assert_eq!(cutter.cut(begun + Duration::from_secs(50), false), None);
        cutter.add(b"2}\n", begun + Duration::from_secs(51));
        assert_eq!(cutter.cut(begun + Duration::from_secs(60), false).as_deref(), Some(&b"{\"a\":2}\n"[..]));
        assert_eq!(cutter.cut(begun + Duration::from_secs(70), true), None);
        cutter.add(b"\n\n{}", begun);
        assert_eq!(cutter.cut(begun, true).as_deref(), Some(&b"\n\n{}"[..]));
        cutter.add(b"\n\n", begun);
        assert_eq!(cutter.cut(begun, true), None);
    }

    #[test]
    fn submissions_have_an_end() {
        let begun = Instant::now();
        let mut cutter = Cutter::default();
        cutter.add("{}\n".repeat(2_500).as_bytes(), begun);
        let mut sizes = Vec::new();
        while let Some(cut) = cutter.cut(begun, true) {
            sizes.push(cut.len() / 3);
        }
        assert_eq!(sizes, [1_000, 1_000, 500]);
        cutter.add(&vec![b'x'; BYTES], begun);
        assert_eq!(cutter.cut(begun, false).map(|cut| cut.len()), Some(BYTES), "a line without an end is cut");
    }
}
