//! One look at a mailbox: what is new is taken to the desk, and put away only when it is durable there.
//!
//! A mail is moved to the folder for those that were taken, or, where the server can neither move (RFC 6851) nor remove one
//! mail alone (RFC 4315), marked. Child abuse material is removed from the mailbox, and moved nowhere.

use std::collections::BTreeSet;

use desk::receive::Arrived;
use model::sender::Envelope;
use model::submission::Door;
use store::mailboxes::Met;
use store::submissions::Receipt;

use super::Watched;
use super::client::{Bodies, Client, Opened, set};
use super::failed::{Failed, Kind};
use super::names::quoted;
use super::reply::{self, Entry, Status};
use super::wire::Literal;

/// Mails acknowledged together.
const TOGETHER: usize = 500;
/// Bytes of mails acknowledged together.
const WEIGHT: u64 = 16 << 20;
/// Mails that are remembered because they cannot be taken.
const REMEMBERED: usize = 10_000;
/// The mark of mails that were taken.
const RECEIVED: &str = "$SluisReceived";
/// The mark of mails that are to be removed.
const REMOVE: &str = "$SluisRemove";

/// A mailbox that is open.
pub(crate) struct Mailbox<'a> {
    watched: &'a Watched,
    client: &'a mut Client,
    opened: Opened,
    met: Met,
    /// All mails below this number are done with.
    floor: u32,
    /// Mails that cannot be taken.
    refused: &'a mut Refused,
    /// Whether there may be mails that were taken and could not be moved.
    unfinished: bool,
    /// What a person has to know of this look.
    trouble: Option<Failed>,
    /// What a person has to know of all looks.
    standing: Option<Failed>,
}

/// Mails that were tried and cannot be taken: larger than they may be, or not given by the server.
#[derive(Default)]
pub(crate) struct Refused {
    validity: u32,
    uids: BTreeSet<u32>,
}

/// What came of a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Mails that were taken.
    pub(crate) taken: u64,
    /// What a person has to know, though it goes on.
    pub(crate) trouble: Option<Failed>,
}

impl<'a> Mailbox<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// When it is not there, may only be read, or the connection breaks off.
    pub(crate) fn open(watched: &'a Watched, client: &'a mut Client, refused: &'a mut Refused) -> Result<Mailbox<'a>, Failed> {
        let opened = client.open(&watched.folder)?.map_err(|text| {
            let hint = "look at 'mailboxes' in the settings, and whether the account may open them; the names are as the server has them";
            Failed::new(Kind::Other, "the server does not open the mailbox", hint).said(&text)
        })?;
        if opened.read_only {
            let hint = "let the account change this mailbox: mails that were taken must be moved or marked";
            return Err(Failed::new(Kind::Other, "the mailbox may only be read", hint));
        }
        let next = match opened.next {
            Some(next) => next,
            // A server that does not say it at once says it by its last mail.
            None => client.list(u32::MAX)?.0.iter().map(|entry| entry.uid).max().unwrap_or(0).saturating_add(1),
        };
        let met = watched.desk.meet_mailbox(&watched.account.name, &watched.folder, opened.validity, next)?;
        let is_known_from = |watched: &Watched| !watched.account.backlog && !met.renumbered;
        let floor = if is_known_from(watched) { met.first_uid } else { 1 };
        if refused.validity != opened.validity {
            *refused = Refused { validity: opened.validity, ..Refused::default() };
        }
        let mut standing = None;
        if client.can("MOVE") || client.can("UIDPLUS") {
            match client.provide(&watched.account.done) {
                // Mails that cannot be moved are marked, and taken all the same.
                Err(failed) if failed.kind == Kind::Other => standing = Some(failed),
                provided => provided?,
            }
        }
        Ok(Mailbox { watched, client, opened, met, floor, refused, unfinished: true, trouble: None, standing })
    }

    /// Mails that lay here before the first look and stay where they are.
    ///
    /// # Errors
    /// As [`Mailbox::look`].
    pub(crate) fn older(&mut self) -> Result<u32, Failed> {
        if self.watched.account.backlog || self.opened.exists == 0 {
            return Ok(0);
        }
        let (newer, more) = self.client.list(self.floor)?;
        let newer = newer.iter().filter(|entry| self.is_new(entry)).count();
        Ok(if more.is_some() { 0 } else { self.opened.exists.saturating_sub(u32::try_from(newer).unwrap_or(u32::MAX)) })
    }

    /// Takes what is new. How many mails that were, and what cannot be taken.
    ///
    /// # Errors
    /// When the connection breaks off, the server does not do what it is asked, or the desk cannot take anything now.
    pub(crate) fn look(&mut self) -> Result<Looked, Failed> {
        self.trouble = None;
        let (mut taken, mut large, mut left) = (0, 0, 0);
        let (mut from, mut waiting) = (self.floor, None::<u32>);
        loop {
            let (entries, beyond) = self.client.list(from)?;
            self.finish(&entries)?;
            let mut fitting = Vec::new();
            for entry in entries.iter().filter(|entry| self.is_new(entry) && !self.is_done(entry)) {
                let is_large = entry.size > self.watched.account.most;
                if !is_large && !self.refused.uids.contains(&entry.uid) {
                    fitting.push(entry.clone());
                    continue;
                }
                if is_large {
                    large += 1
                } else {
                    left += 1
                }
                waiting = Some(waiting.map_or(entry.uid, |waiting| waiting.min(entry.uid)));
            }
            fitting.sort_by_key(|entry| entry.uid);
            let mut rest = fitting.as_slice();
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(together(rest));
                taken += self.take(batch)?;
                rest = after;
            }
            match (beyond, entries.iter().map(|entry| entry.uid).max()) {
                (Some(beyond), _) if beyond > from => from = beyond,
                (None, Some(last)) => {
                    from = last.saturating_add(1);
                    break;
                }
                _ => break,
            }
        }
        // What the server did not give just now counts as waiting, too.
        let refused = self.refused.uids.range(self.floor..).next().copied();
        self.floor = [waiting, refused].into_iter().flatten().min().unwrap_or(from).min(from);
        let standing = || self.standing.clone();
        let trouble = self.trouble.take().or_else(standing).or_else(|| trouble(large, left, self.watched.account.most));
        Ok(Looked { taken, trouble })
    }

    /// Ends what was begun before and not ended: mails that were taken are put away, and those that may not be kept removed.
    fn finish(&mut self, entries: &[Entry]) -> Result<(), Failed> {
        let marked = |mark: &str| -> Vec<u32> {
            let mut uids: Vec<u32> = entries.iter().filter(|entry| entry.has(mark)).map(|entry| entry.uid).collect();
            uids.sort_unstable();
            uids
        };
        self.remove(&marked("$sluisremove"))?;
        let can_move = self.client.can("MOVE") || self.client.can("UIDPLUS");
        if std::mem::take(&mut self.unfinished) && can_move {
            for uids in marked("$sluisreceived").chunks(TOGETHER) {
                self.put_away(uids)?;
            }
        }
        Ok(())
    }

    /// Tries again what the server did not give.
    pub(crate) fn retry(&mut self) {
        self.refused.uids.clear();
    }

    /// Waits for new mails, for so long at most.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn wait(&mut self, time: std::time::Duration) -> Result<bool, Failed> {
        self.client.idle(time)
    }

    /// Lets the server say what is new, where it does not say so by itself.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub(crate) fn ask(&mut self) -> Result<(), Failed> {
        self.client.command("NOOP").map(|_| ())
    }

    /// Says goodbye.
    pub(crate) fn leave(&mut self) {
        self.client.leave();
    }

    /// Whether the server says by itself what is new.
    pub(crate) fn tells(&self) -> bool {
        self.client.can("IDLE")
    }

    fn is_new(&self, entry: &Entry) -> bool {
        self.watched.account.backlog
            || entry.uid >= self.met.first_uid
            || (self.met.renumbered && entry.received.is_some_and(|received| received >= self.met.since))
    }

    /// Whether a mail was taken before, or somebody deleted it. Where there can be no mark of ours, a deleted one may be one that
    /// was to be removed when something ended: it is taken again, and then it is.
    fn is_done(&self, entry: &Entry) -> bool {
        entry.has("$sluisreceived") || (self.opened.keywords && entry.has("\\deleted"))
    }

    /// Takes some mails: receives all, and puts them away when all of them are durable.
    /// What came before the connection broke off is kept, too, and put away when it comes again.
    fn take(&mut self, mails: &[Entry]) -> Result<u64, Failed> {
        let watched = self.watched;
        let name = format!("{}.eml", watched.part);
        let mut receive = |literal: &mut Literal<'_>| -> Result<Arrived, Failed> {
            Ok(watched.desk.arrive_from(Door::Imap, &name, Envelope::default(), literal)?)
        };
        let most = watched.account.most;
        let Bodies { mut taken, mut refused, mut failure } = self.client.take(mails, most, &mut receive);
        if !refused.is_empty() && mails.len() > 1 && failure.is_none() {
            // One that the server cannot give may have kept the others back.
            for mail in mails.iter().filter(|mail| refused.contains(&mail.uid)) {
                let one = self.client.take(std::slice::from_ref(mail), most, &mut receive);
                taken.extend(one.taken);
                failure = one.failure;
                if failure.is_some() {
                    refused = one.refused;
                    break;
                }
            }
            refused.retain(|uid| taken.iter().all(|(taken, _)| taken != uid));
        }
        let room = REMEMBERED.saturating_sub(self.refused.uids.len());
        self.refused.uids.extend(refused.into_iter().take(room));
        let mut remove = Vec::new();
        let mut away = Vec::new();
        let mut arrived = Vec::new();
        for (uid, mail) in taken {
            if mail.is_rewritten() {
                remove.push(uid)
            } else {
                away.push(uid)
            }
            arrived.push(mail);
        }
        let receipts: Vec<Receipt> = if arrived.is_empty() { Vec::new() } else { watched.desk.acknowledge(arrived)? };
        if !receipts.is_empty() {
            (watched.wake)();
        }
        if let Some(failed) = failure {
            return Err(failed);
        }
        remove.sort_unstable();
        away.sort_unstable();
        self.remove(&remove)?;
        self.put_away(&away)?;
        Ok(receipts.len() as u64)
    }

    /// Moves mails to the folder of those that were taken. Where that cannot be they are marked, so that the next ones can come:
    /// to expunge would remove what others have deleted, and may want back.
    fn put_away(&mut self, uids: &[u32]) -> Result<(), Failed> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = set(uids);
        let moved = if self.client.can("MOVE") {
            self.client.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Seen)"))?;
            self.hand_over("MOVE", &set)?
        } else if self.client.can("UIDPLUS") {
            self.client.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Seen)"))?;
            match self.hand_over("COPY", &set)? {
                (Status::Ok, _) => {
                    self.client.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"))?;
                    self.client.command(&format!("UID EXPUNGE {set}"))?
                }
                refused => refused,
            }
        } else {
            return self.mark(&set);
        };
        if let (Status::No | Status::Bad, text) = moved {
            let hint =
                "look whether the folder named with 'done' can be written to, and has room; what was taken is not taken twice";
            let failed = Failed::new(Kind::Other, "the server does not move mails that were taken", hint).said(&text);
            self.trouble.get_or_insert(failed);
            self.mark(&set)?;
        }
        Ok(())
    }

    /// Marks mails as taken.
    fn mark(&mut self, set: &str) -> Result<(), Failed> {
        let mark = if self.opened.keywords { format!("\\Seen {RECEIVED}") } else { "\\Seen".to_owned() };
        let (status, text) = self.client.command(&format!("UID STORE {set} +FLAGS.SILENT ({mark})"))?;
        if status == Status::Ok {
            return Ok(());
        }
        let hint = "let the account change this mailbox; what was taken is not taken twice";
        Err(Failed::new(Kind::Other, "the server does not mark mails that were taken", hint).said(&text))
    }

    /// MOVE or COPY; the folder is made if somebody has removed it meanwhile.
    fn hand_over(&mut self, verb: &str, set: &str) -> Result<(Status, Vec<u8>), Failed> {
        let command = format!("UID {verb} {set} {}", quoted(&self.watched.account.done));
        let (status, text) = self.client.command(&command)?;
        if status == Status::No && reply::code(&text).is_some_and(|code| code == b"TRYCREATE") {
            return match self.client.provide(&self.watched.account.done) {
                Ok(()) => self.client.command(&command),
                Err(failed) if failed.kind == Kind::Other => Ok((status, text)),
                Err(failed) => Err(failed),
            };
        }
        Ok((status, text))
    }

    /// Removes mails from the mailbox for good: those with child abuse material. A mark says what is begun, for a process or
    /// a connection may end at any time. Where it cannot be done a person is told, and the next mails can come.
    fn remove(&mut self, uids: &[u32]) -> Result<(), Failed> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = set(uids);
        let mark = if self.opened.keywords { format!("\\Deleted {REMOVE}") } else { "\\Deleted".to_owned() };
        let (mut status, mut text) = self.client.command(&format!("UID STORE {set} +FLAGS.SILENT ({mark})"))?;
        if status == Status::Ok {
            (status, text) = if self.client.can("UIDPLUS") {
                self.client.command(&format!("UID EXPUNGE {set}"))?
            } else if self.client.deleted()?.iter().all(|uid| uids.contains(uid)) {
                // Nobody else has deleted anything.
                self.client.command("EXPUNGE")?
            } else {
                (Status::No, b"it can only remove all deleted mails, and others have deleted some".to_vec())
            };
        }
        if status != Status::Ok {
            let hint = "delete the mails that are marked as deleted from the mailbox by hand, today: they may not be kept";
            let reason = "the server does not remove mails with child abuse material";
            self.trouble = Some(Failed::new(Kind::Other, reason, hint).said(&text));
        }
        Ok(())
    }
}

/// How many of these mails go together: one at least.
fn together(mails: &[Entry]) -> usize {
    let mut weight = 0u64;
    let fitting = mails.iter().take(TOGETHER).take_while(|mail| {
        weight = weight.saturating_add(mail.size);
        weight <= WEIGHT
    });
    fitting.count().max(1).min(mails.len())
}

fn trouble(large: usize, refused: usize, most: u64) -> Option<Failed> {
    if large > 0 {
        let reason = format!("a mail has more than {} MiB, and stays in the mailbox", most >> 20);
        return Some(Failed::new(Kind::Large, &reason, "look at it there and move it away, or raise most_mib"));
    }
    let hint = "look at it in the mailbox; it is tried again now and then";
    (refused > 0).then(|| Failed::new(Kind::Other, "the server does not give a mail that it lists", hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_together() {
        let mail = |size| Entry { uid: 1, size, ..Entry::default() };
        for (name, sizes, expected) in [
            ("one that is larger than all", vec![WEIGHT + 1, 1], 1),
            ("as many as weigh so much", vec![WEIGHT / 2, WEIGHT / 2, 1], 2),
            ("as many as there may be", vec![1; TOGETHER + 5], TOGETHER),
            ("what a server may lie", vec![u64::MAX, u64::MAX], 1),
            ("all", vec![1, 2, 3], 3),
        ] {
            let mails: Vec<Entry> = sizes.into_iter().map(mail).collect();
            assert_eq!(together(&mails), expected, "{name}");
        }
    }
}
