//! Receiving: bytes become a submission that survives anything, before anybody understands them.

use std::io::Read;
use std::time::{Duration, Instant};

use model::sender::Envelope;
use model::submission::Door;
use model::time::Time;
use store::keys::public_id;
use store::raw::{self, Written};
use store::senders::Heard;
use store::submissions::{Location, Receipt};
use store::taken::Taken;

use crate::{Desk, Error};

/// Bytes that were written and wait for their row: nothing is acknowledged yet.
pub struct Arrived {
    pub(crate) written: Written,
    pub(crate) door: Door,
    pub(crate) envelope: Envelope,
    /// Who it is from, when it is a mail.
    pub(crate) heard: Option<Heard>,
    pub(crate) name: String,
    pub(crate) received: Time,
    /// Locations that stand nowhere else, when the submission told of child abuse material.
    pub(crate) locations: Vec<Location>,
    /// Whether it told of child abuse material, and a rewrite took its place.
    pub(crate) rewritten: bool,
    /// The submission from which a person took it, and who.
    pub(crate) taken_from: Option<(i64, String)>,
    /// How long writing and screening it took.
    pub(crate) took: Duration,
}

impl Arrived {
    /// Bytes of the submission.
    pub fn size(&self) -> u64 {
        self.written.size
    }

    /// Whether it told of child abuse material, so that a rewrite without it is kept ([`crate::screen`]): then the door must
    /// not keep the original either. A letter that only speaks of it is rewritten too, and stays where it came to.
    pub fn is_rewritten(&self) -> bool {
        self.rewritten
    }
}

impl Desk {
    /// Takes one submission in. When this returns well its bytes are durable; what they say is not looked at yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the reader or the disk fails; nothing is kept then, and the sender has to try again.
    pub fn receive(&self, door: Door, name: &str, reader: &mut dyn Read) -> Result<Receipt, Error> {
        self.receive_from(door, name, Envelope::default(), reader)
    }

    /// As [`Desk::receive`], for doors that know something beside the bytes.
    ///
    /// # Errors
    /// As [`Desk::receive`].
    pub fn receive_from(&self, door: Door, name: &str, envelope: Envelope, reader: &mut dyn Read) -> Result<Receipt, Error> {
        let arrived = self.arrive_from(door, name, envelope, reader)?;
        let receipts = self.acknowledge(vec![arrived])?;
        receipts.into_iter().next().ok_or_else(|| Error::Unavailable("the submission was not acknowledged".into()))
    }

    /// The first half of [`Desk::receive`]: the bytes are written, encrypted under a key in memory only, and looked through
    /// for what must not be kept ([`crate::screen`]).
    ///
    /// # Errors
    /// As [`Desk::receive`].
    pub fn arrive(&self, door: Door, name: &str, reader: &mut dyn Read) -> Result<Arrived, Error> {
        self.arrive_from(door, name, Envelope::default(), reader)
    }

    /// As [`Desk::arrive`], for doors that know something beside the bytes.
    ///
    /// # Errors
    /// As [`Desk::receive`].
    pub fn arrive_from(&self, door: Door, name: &str, envelope: Envelope, reader: &mut dyn Read) -> Result<Arrived, Error> {
        let begun = Instant::now();
        let received = self.now();
        let public = public_id(received)?;
        let written = raw::write(self.store.directory(), self.store.keys(), public, &mut self.until_stop(reader))?;
        let took = Duration::ZERO;
        let (name, locations) = (base_name(name).to_owned(), Vec::new());
        let (heard, taken_from) = (None, None);
        let arrived = Arrived { written, door, envelope, heard, name, received, locations, rewritten: false, taken_from, took };
        Ok(Arrived { took: begun.elapsed(), ..self.screen(arrived)? })
    }

    /// The second half: keys are kept, then rows committed, for all of them in one transaction each. Copies of what is
    /// here already are counted and taken back.
    ///
    /// # Errors
    /// As [`Desk::receive`]; then none of them is acknowledged.
    pub fn acknowledge(&self, mut arrived: Vec<Arrived>) -> Result<Vec<Receipt>, Error> {
        let begun = Instant::now();
        match self.keep(&mut arrived) {
            Ok(receipts) => {
                let copies = receipts.iter().filter(|receipt| matches!(receipt, Receipt::Known(_))).count();
                self.count(|totals| {
                    totals.received += arrived.len() as u64;
                    totals.copies += copies as u64;
                    totals.bytes += arrived.iter().map(Arrived::size).sum::<u64>();
                    totals.receiving += begun.elapsed() + arrived.iter().map(|arrived| arrived.took).sum::<Duration>();
                });
                Ok(receipts)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&self, arrived: &mut [Arrived]) -> Result<Vec<Receipt>, store::Error> {
        let keys: Vec<_> = arrived.iter().map(|arrived| (arrived.written.public, arrived.written.key)).collect();
        // Keys first: a row without its key could never be read, a key without its row harms nobody.
        let settled =
            self.store.keys().keep(&keys).and_then(|()| {
                arrived.iter_mut().try_for_each(|arrived| raw::settle(self.store.directory(), &mut arrived.written))
            });
        if let Err(error) = settled {
            self.take_back(arrived.iter());
            return Err(error);
        }
        let receipts = self.store.write("receive", |transaction| {
            let receive = |arrived: &Arrived| -> Result<Receipt, store::Error> {
                let receipt = transaction.receive(
                    &arrived.written,
                    arrived.door,
                    &arrived.name,
                    (&arrived.envelope.feed, self.same_since(&arrived.envelope.feed, arrived.received)),
                    arrived.received,
                )?;
                if let Receipt::New(id) = receipt {
                    transaction.hide(id, &arrived.locations)?;
                    if let Some(heard) = &arrived.heard {
                        transaction.keep_sender(id, heard)?;
                    }
                }
                if let Some((from, person)) = &arrived.taken_from {
                    let (outcome, person) = (Some(receipt.id()), person.clone());
                    transaction.set_taken(*from, &Taken { outcome, at: arrived.received, person, reason: String::new() })?;
                }
                Ok(receipt)
            };
            arrived.iter().map(receive).collect::<Result<Vec<_>, store::Error>>()
        });
        match &receipts {
            Ok(receipts) => {
                let copies = arrived.iter().zip(receipts).filter(|(_, receipt)| matches!(receipt, Receipt::Known(_)));
                self.take_back(copies.map(|(copy, _)| copy));
            }
            Err(error) if error.is_surely_undone() => self.take_back(arrived.iter()),
            // Files and keys stay: whoever opens the store next sees which of them have no row.
            Err(_) => {}
        }
        receipts
    }

    /// Removes what has no row, and its keys. What cannot be removed now, whoever opens the store next removes: it is no
    /// reason to say that something was not received.
    fn take_back<'a>(&self, arrived: impl Iterator<Item = &'a Arrived>) {
        let mut unused = Vec::new();
        for arrived in arrived {
            let _ = raw::discard(&arrived.written);
            unused.push(arrived.written.public);
        }
        if !unused.is_empty() {
            let _ = self.store.keys().destroy(&unused);
        }
    }
}

/// A file's name without its folders: where it lay says something about the machine, not about the report.
fn base_name(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    // Names are shown in tables and logs.
    let mut end = name.len().min(200);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
