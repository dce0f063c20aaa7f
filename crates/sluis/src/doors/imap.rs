//! Mailboxes on servers (IMAP): mails are taken as they come, and put away only when they are durable here.
//!
//! Each mailbox has a connection and a thread of its own, and fails for itself: it is said once, shown by status and metrics
//! like the parts of the intake, and tried again after a growing pause. Nothing here is kept but from which mail on a mailbox
//! is new: a mail that comes twice, because something ended between its receipt and its move, is the same submission.
//!
//! - [`mailbox`]: one look at a mailbox.
//! - [`client`], [`wire`], [`reply`], [`names`]: the protocol.
//! - [`login`], [`oauth`]: who we are.
//! - [`failed`]: what goes wrong.

mod client;
mod failed;
pub(crate) mod login;
mod mailbox;
mod names;
pub(crate) mod oauth;
mod reply;
#[cfg(test)]
mod tests;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use desk::Desk;

use client::Client;
pub(crate) use client::Security;
use failed::{Failed, Kind};
use login::Login;
use mailbox::{Mailbox, Refused};

use crate::serve::intake::Intake;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause after the connection broke off.
const LONGEST: Duration = Duration::from_secs(60);
/// The first and the longest pause after a login was refused: whoever knocks often is locked out.
const LOGIN: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(900));
/// A connection that held so long was sound: its end is no failure.
const SOUND: Duration = Duration::from_secs(60);
/// How long the server is waited for with IDLE before we look anyway (RFC 2177 says 29 minutes at most; firewalls forget sooner).
const RENEW: Duration = Duration::from_secs(600);

/// An account on a server, ready to be used.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) login: Login,
    pub(crate) mailboxes: Vec<String>,
    /// The folder for mails that were taken.
    pub(crate) done: String,
    /// Whether mails that lay there before the first look are taken, too.
    pub(crate) backlog: bool,
    /// Bytes of a mail.
    pub(crate) most: u64,
    /// Between two looks where the server does not say what is new.
    pub(crate) poll: Duration,
    /// Whether the server is waited for.
    pub(crate) idle: bool,
}

/// A mailbox that is watched.
pub(crate) struct Watched {
    pub(crate) desk: Arc<Desk>,
    pub(crate) account: Account,
    pub(crate) folder: String,
    /// What it is called in logs, metrics and status.
    pub(crate) part: String,
    /// Tells the intake that there is something to work off.
    pub(crate) wake: Box<dyn Fn() + Send + Sync>,
}

/// Starts a thread for each mailbox. They end soon after the desk is asked to stop.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(desk: &Arc<Desk>, intake: &Arc<Intake>, accounts: Vec<Account>) -> std::io::Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    for account in accounts {
        for (at, folder) in account.mailboxes.iter().enumerate() {
            let part = match account.mailboxes.len() {
                1 => format!("imap-{}", account.name),
                _ => format!("imap-{}-{}", account.name, at + 1),
            };
            let number = intake.enlist(&part);
            let (waking, telling) = (Arc::clone(intake), Arc::clone(intake));
            let wake = Box::new(move || waking.wake());
            let watched = Watched { desk: Arc::clone(desk), account: account.clone(), folder: folder.clone(), part, wake };
            let tell = move |trouble: Result<(), &Failed>| telling.tell(number, trouble.map_err(|failed| failed.trouble.clone()));
            threads.push(std::thread::Builder::new().name("imap".to_owned()).spawn(move || watch(&watched, &tell))?);
        }
    }
    Ok(threads)
}

/// What lasts longer than a connection.
#[derive(Default)]
struct Memory {
    refused: Refused,
    /// Whether it was said how many mails are left alone.
    said: bool,
    /// Since when the connection is sound.
    sound: Option<Instant>,
}

/// Watches a mailbox until the desk is asked to stop.
fn watch(watched: &Watched, tell: &dyn Fn(Result<(), &Failed>)) {
    let mut memory = Memory::default();
    let mut pause = Duration::ZERO;
    while !watched.desk.is_stopping() {
        memory.sound = None;
        // For mistakes of ours, so that one of them does not end the watch.
        let result = catch_unwind(AssertUnwindSafe(|| session(watched, &mut memory, tell)));
        let crashed = || Err(Failed::new(Kind::Other, "it crashed", "please report this with the line before it in the log"));
        let Err(failed) = result.unwrap_or_else(|_| crashed()) else { return };
        // What breaks off because of the stop is no failure.
        if watched.desk.is_stopping() {
            return;
        }
        let was_sound = memory.sound.is_some_and(|since| since.elapsed() >= SOUND);
        pause = match failed.kind {
            Kind::Stopping => return,
            // Servers end connections that are old, and those of tokens that are.
            Kind::Broken if was_sound => FIRST,
            Kind::Login => (pause * 2).clamp(LOGIN.0, LOGIN.1),
            Kind::Broken | Kind::Large | Kind::Other => (pause * 2).clamp(FIRST, LONGEST),
        };
        if !(was_sound && failed.kind == Kind::Broken) {
            tell(Err(&failed));
        }
        rest(watched, pause);
    }
}

/// One connection, from its beginning to its end.
fn session(watched: &Watched, memory: &mut Memory, tell: &dyn Fn(Result<(), &Failed>)) -> Result<(), Failed> {
    let account = &watched.account;
    let stopping = Arc::clone(&watched.desk);
    let stop = Arc::new(move || stopping.is_stopping());
    let mut client = Client::connect(&account.host, account.port, &account.security, stop)?;
    account.login.log_in(&mut client)?;
    let mut mailbox = Mailbox::open(watched, &mut client, &mut memory.refused)?;
    if !std::mem::replace(&mut memory.said, true) {
        let left = mailbox.older()?;
        if left > 0 {
            let hint = "they came before the first look; backlog = true takes them too";
            tracing::info!(part = watched.part, mails = left, hint, "mails stay where they are");
        }
    }
    let mut renewed = Instant::now();
    while !watched.desk.is_stopping() {
        let looked = mailbox.look()?;
        if looked.taken > 0 {
            tracing::info!(part = watched.part, submissions = looked.taken, "taken in");
        }
        tell(looked.trouble.as_ref().map_or(Ok(()), Err));
        memory.sound.get_or_insert_with(Instant::now);
        let wait = RENEW.saturating_sub(renewed.elapsed());
        if wait.is_zero() {
            mailbox.retry();
            renewed = Instant::now();
        } else if account.idle && mailbox.tells() {
            mailbox.wait(wait)?;
        } else {
            rest(watched, account.poll);
            mailbox.ask()?;
        }
    }
    mailbox.leave();
    Err(Failed::stopping())
}

/// Waits, unless the desk is asked to stop.
fn rest(watched: &Watched, time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time && !watched.desk.is_stopping() {
        std::thread::sleep(Duration::from_millis(100).min(time));
    }
}
