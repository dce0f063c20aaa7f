//! Who mails are from, for the desk: what a door saw, what was found out about it, and what is still to be asked.

use std::net::IpAddr;

use model::sender::{Envelope, Proof, Sender, Silence};
use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};

/// The sender of a submission, with what it takes to find out more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What is known.
    pub sender: Sender,
    /// The reverse-path, as the door saw it.
    pub mail_from: Option<String>,
    /// The machine that handed it over.
    pub peer: Option<IpAddr>,
    /// What that called itself.
    pub helo: String,
    /// When it was asked about first.
    pub asked: Option<Time>,
    /// When it is to be asked about; `None` once all is known that will be.
    pub next_try: Option<Time>,
}

impl Heard {
    /// What a door saw, as far as it is kept.
    pub fn envelope(&self) -> Envelope {
        Envelope { mail_from: self.mail_from.clone(), peer: self.peer, helo: self.helo.clone(), ..Envelope::default() }
    }
}

const COLUMNS: &str = "address, proof, domain, detail, silence, mail_from, peer, helo, asked, next_try";

fn from_row(row: &Row<'_>, first: usize) -> db::Result<Heard> {
    Ok(Heard {
        sender: Sender {
            from: row.get(first)?,
            proof: numbered(row, first + 1, Proof::ALL)?,
            domain: row.get(first + 2)?,
            detail: row.get(first + 3)?,
            silence: numbered(row, first + 4, Silence::ALL)?,
        },
        mail_from: row.get(first + 5)?,
        peer: row.get::<Option<Vec<u8>>>(first + 6)?.and_then(|bytes| address_of(&bytes)),
        helo: row.get(first + 7)?,
        asked: row.get::<Option<i64>>(first + 8)?.map(Time),
        next_try: row.get::<Option<i64>>(first + 9)?.map(Time),
    })
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    match *bytes {
        [a, b, c, d] => Some(IpAddr::from([a, b, c, d])),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn bytes_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

impl Transaction<'_> {
    /// Keeps who a new submission is from.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keep_sender(&self, submission: i64, heard: &Heard) -> Result<(), Error> {
        let Sender { from, proof, domain, detail, silence } = &heard.sender;
        self.execute(
            "-- senders::keep
             INSERT INTO senders (submission, address, proof, domain, detail, silence, mail_from, peer, helo, asked, next_try)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            (
                submission,
                from,
                *proof as u8,
                domain,
                detail,
                *silence as u8,
                &heard.mail_from,
                heard.peer.map(bytes_of),
                &heard.helo,
                heard.asked.map(|at| at.0),
                heard.next_try.map(|at| at.0),
            ),
        )?;
        Ok(())
    }

    /// Who a submission is from; `None` when it is no mail.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn sender(&self, submission: i64) -> Result<Option<Heard>, Error> {
        let text = format!("-- senders::one\nSELECT {COLUMNS} FROM senders WHERE submission = $1");
        Ok(self.prepare(&text)?.query_row([submission], |row| from_row(row, 0)).optional()?)
    }

    /// The submissions from number `first` to number `last` of which it is still to be found out who they are from.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn senders_to_ask(&self, first: i64, last: i64) -> Result<Vec<(i64, Heard)>, Error> {
        let text = format!(
            "-- senders::to_ask
             SELECT submission, {COLUMNS} FROM senders WHERE submission >= $1 AND submission <= $2 AND next_try IS NOT NULL
             ORDER BY submission"
        );
        let mut select = self.prepare(&text)?;
        Ok(select.query_map((first, last), |row| Ok((row.get(0)?, from_row(row, 1)?)))?.collect::<Result<_, _>>()?)
    }

    /// Keeps what was found out; with `next_try` it is asked again then.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn found_sender(
        &self,
        submission: i64,
        (proof, domain, detail): (Proof, &str, &str),
        asked: Time,
        next_try: Option<Time>,
    ) -> Result<(), Error> {
        self.execute(
            "-- senders::found
             UPDATE senders SET proof = $2, domain = $3, detail = $4, asked = coalesce(asked, $5), next_try = $6
             WHERE submission = $1",
            (submission, proof as u8, domain, detail, asked.0, next_try.map(|at| at.0)),
        )?;
        Ok(())
    }
}
