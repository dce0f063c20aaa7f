//! Submissions: what arrived, and how far the work on it is.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use model::submission::{Door, Progress, PublicId, Submission};
use model::time::Time;

use crate::db::{self, OptionalExtension, Row, Transaction, numbered};
use crate::keys::Key;
use crate::raw::{self, Frames, Opened, Written};
use crate::{At, Error};

/// A location of child abuse material: where in its submission, a keyed hash to find it again, and the ciphertext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Place of the report in its submission.
    pub ordinal: u32,
    /// HMAC under a key of the node.
    pub hash: [u8; 32],
    /// The URL, encrypted.
    pub sealed: Vec<u8>,
}

/// What became of a submission that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is new, and will be worked on under this number.
    New(i64),
    /// The same bytes came through the same door before: counted there, and not reported again.
    Known(i64),
}

impl Receipt {
    /// Number of the submission.
    pub fn id(self) -> i64 {
        match self {
            Receipt::New(id) | Receipt::Known(id) => id,
        }
    }
}

const COLUMNS: &str = "id, public, door, received, name, size, format, progress, cursor, reports, rejects, times, reason, feed";

fn from_row(row: &Row<'_>) -> db::Result<Submission> {
    let door = numbered(row, 2, &Door::ALL)?;
    let progress = numbered(row, 7, &Progress::ALL)?;
    Ok(Submission {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        door,
        received: Time(row.get(3)?),
        name: row.get(4)?,
        size: row.get::<i64>(5)?.unsigned_abs(),
        format: row.get(6)?,
        progress,
        cursor: row.get(8)?,
        reports: row.get(9)?,
        rejects: row.get(10)?,
        times: row.get(11)?,
        reason: row.get(12)?,
        feed: row.get(13)?,
    })
}

/// The digest of a submission of a feed: that of its bytes with its own number, since the same bytes may come again.
fn of_feed(digest: &[u8; 32], id: i64) -> [u8; 32] {
    let mut bytes = [0; 40];
    let (first, rest) = bytes.split_at_mut(32);
    first.copy_from_slice(digest);
    rest.copy_from_slice(&id.to_be_bytes());
    crate::keys::sha256(&bytes)
}

impl Transaction<'_> {
    /// Takes a written submission in, or counts it when the same bytes are here already. A download of a `feed` (empty for none) is
    /// compared only with the one before it, and only if that came at `since` or later.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn receive(
        &self,
        written: &Written,
        door: Door,
        name: &str,
        (feed, since): (&str, Time),
        received: Time,
    ) -> Result<Receipt, Error> {
        let known: Option<i64> = match feed {
            "" => self
                .prepare("-- submissions::known\nSELECT id FROM submissions WHERE door = $1 AND digest = $2")?
                .query_row((door as u8, written.digest), |row| row.get(0))
                .optional()?,
            feed => {
                let last = self.last_of_feed(door, feed, name)?;
                let same = last.filter(|(id, digest, at)| *digest == of_feed(&written.digest, *id) && *at >= since);
                same.map(|(id, ..)| id)
            }
        };
        if let Some(id) = known {
            self.execute("-- submissions::again\nUPDATE submissions SET times = times + 1 WHERE id = $1", [id])?;
            return Ok(Receipt::Known(id));
        }
        let id = self.numbers("submissions", 1)?;
        let digest = if feed.is_empty() { written.digest } else { of_feed(&written.digest, id) };
        let place = match written.frames {
            Frames::Small(_) => 0,
            Frames::File(_) => 1,
        };
        self.execute(
            "-- submissions::receive
             INSERT INTO submissions (id, public, door, digest, received, name, size, place, format, progress, cursor, reports,
                                      rejects, times, attempts, reason, sha256, feed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, 0, 0, 0, 1, 0, '', $9, $10)",
            (
                id,
                written.public.0.to_be_bytes(),
                door as u8,
                digest,
                received.0,
                name,
                written.size as i64,
                place,
                written.sha256,
                feed,
            ),
        )?;
        if let Frames::Small(frames) = &written.frames {
            self.execute("-- submissions::frames\nINSERT INTO raw (submission, frames) VALUES ($1, $2)", (id, frames))?;
        }
        Ok(Receipt::New(id))
    }

    /// The newest submission of a feed under a name, its digest, and when it came.
    fn last_of_feed(&self, door: Door, feed: &str, name: &str) -> Result<Option<(i64, [u8; 32], Time)>, Error> {
        let mut select = self.prepare(
            "-- submissions::last_of_feed
             SELECT id, digest, received FROM submissions WHERE feed = $1 AND feed <> '' AND name = $2 AND door = $3
             ORDER BY id DESC LIMIT 1",
        )?;
        let last = select.query_row((feed, name, door as u8), |row| Ok((row.get(0)?, row.get(1)?, Time(row.get(2)?))));
        Ok(last.optional()?)
    }

    /// The newest submissions of a feed that is downloaded, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn submissions_of_feed(&self, feed: &str, most: u32) -> Result<Vec<Submission>, Error> {
        let text = format!(
            "-- submissions::of_feed
             SELECT {COLUMNS} FROM submissions WHERE feed = $1 AND feed <> '' ORDER BY id DESC LIMIT $2"
        );
        Ok(self.prepare(&text)?.query_map((feed, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// Keeps the hidden locations of a new submission.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn hide(&self, submission: i64, locations: &[Location]) -> Result<(), Error> {
        let mut insert = self
            .prepare("-- submissions::hide\nINSERT INTO locations (submission, ordinal, hash, sealed) VALUES ($1, $2, $3, $4)")?;
        for location in locations {
            insert.execute((submission, location.ordinal, location.hash, &location.sealed))?;
        }
        Ok(())
    }

    /// Hidden locations of a submission.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn hidden(&self, submission: i64) -> Result<Vec<Location>, Error> {
        let mut select = self.prepare(
            "-- submissions::hidden\nSELECT ordinal, hash, sealed FROM locations WHERE submission = $1 ORDER BY ordinal",
        )?;
        let rows = select
            .query_map([submission], |row| Ok(Location { ordinal: row.get(0)?, hash: row.get(1)?, sealed: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Numbers above `after` of submissions that are not read to their end, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn unread_after(&self, after: i64, most: u32) -> Result<Vec<i64>, Error> {
        let mut select = self
            .prepare("-- submissions::unread\nSELECT id FROM submissions WHERE progress = 0 AND id > $1 ORDER BY id LIMIT $2")?;
        Ok(select.query_map((after, most), |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// One submission.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn submission(&self, id: i64) -> Result<Option<Submission>, Error> {
        let text = format!("-- submissions::one\nSELECT {COLUMNS} FROM submissions WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// One submission by the identifier that others see.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn submission_by_public(&self, public: PublicId) -> Result<Option<Submission>, Error> {
        let text = format!("-- submissions::by_public\nSELECT {COLUMNS} FROM submissions WHERE public = $1");
        Ok(self.prepare(&text)?.query_row([public.0.to_be_bytes()], from_row).optional()?)
    }

    /// The newest submissions before number `before`, newest first; with `progress`, only those.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn submissions(&self, progress: Option<Progress>, before: i64, most: u32) -> Result<Vec<Submission>, Error> {
        let text = format!(
            "-- submissions::list
             SELECT {COLUMNS} FROM submissions WHERE id < $1 AND ($2 < 0 OR progress = $2) ORDER BY id DESC LIMIT $3"
        );
        let progress = progress.map_or(-1, |progress| progress as i64);
        Ok(self.prepare(&text)?.query_map((before, progress, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// Counts a beginning of work; how many there were since the last time something was achieved.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn attempt(&self, id: i64) -> Result<u32, Error> {
        self.execute("-- submissions::attempt\nUPDATE submissions SET attempts = attempts + 1 WHERE id = $1", [id])?;
        Ok(self
            .prepare("-- submissions::attempts\nSELECT attempts FROM submissions WHERE id = $1")?
            .query_row([id], |row| row.get(0))?)
    }

    /// Notes that a process begins with everything that is not read to its end: what has been noted twice may be what
    /// processes die of, and is a suspect until something is achieved.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_all(&self) -> Result<(), Error> {
        self.execute(
            "-- submissions::begin_all\nUPDATE submissions SET attempts = attempts + 1 WHERE progress = 0 AND attempts < 2",
            (),
        )?;
        Ok(())
    }

    /// Whether processes have ended while this waited or was worked on, more than once and with nothing achieved.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_suspect(&self, id: i64) -> Result<bool, Error> {
        Ok(self
            .prepare("-- submissions::suspect\nSELECT attempts >= 2 FROM submissions WHERE id = $1")?
            .query_row([id], |row| row.get(0))?)
    }

    /// Forgets how often work began on what is not read to its end.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forgive(&self) -> Result<(), Error> {
        self.execute("-- submissions::forgive\nUPDATE submissions SET attempts = 0 WHERE progress = 0 AND attempts > 0", ())?;
        Ok(())
    }

    /// Sets a submission aside for a person.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_unreadable(&self, id: i64, reason: &str) -> Result<(), Error> {
        self.execute("-- submissions::unreadable\nUPDATE submissions SET progress = 2, reason = $2 WHERE id = $1", (id, reason))?;
        Ok(())
    }

    /// Puts a submission back to be read once more, from its beginning: what is a report already stays one, and is not
    /// repeated; rejects and unreadable submissions get another chance.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn read_again(&self, id: i64) -> Result<(), Error> {
        self.execute(
            "-- submissions::read_again\nUPDATE submissions SET progress = 0, attempts = 0, reason = '' WHERE id = $1",
            [id],
        )?;
        Ok(())
    }

    /// The frames of a submission, opened under its key.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Damaged`].
    pub fn open_raw(&self, submission: &Submission, key: &Key, directory: &Path) -> Result<Box<dyn Read>, Error> {
        let small: Option<Vec<u8>> = self
            .prepare("-- submissions::raw\nSELECT frames FROM raw WHERE submission = $1")?
            .query_row([submission.id], |row| row.get(0))
            .optional()?;
        let path = raw::path(directory, submission.public);
        match small {
            Some(frames) => Ok(Box::new(Opened::new(Cursor::new(frames), key).at(&path)?)),
            None => {
                let file = File::open(&path).at(&path)?;
                Ok(Box::new(Opened::new(BufReader::with_capacity(1 << 20, file), key).at(&path)?))
            }
        }
    }
}
