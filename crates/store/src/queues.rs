//! Queues: what a person has to look at.

use model::time::Time;

use crate::Error;
use crate::apply::Advance;
use crate::db::Transaction;

/// Why a statement was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Queue {
    /// It could not be read.
    Rejects = 1,
    /// It gives no time that can be believed, so nobody can say who held the resource then.
    Undated = 2,
}

impl Queue {
    /// Every queue of statements.
    pub const ALL: [Queue; 2] = [Queue::Rejects, Queue::Undated];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Queue::Rejects => "rejects",
            Queue::Undated => "undated",
        }
    }
}

/// A statement that a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its place in the submission.
    pub ordinal: u32,
    /// Why.
    pub queue: Queue,
    /// Where, for people.
    pub place: String,
    /// Its text, or what identifies it.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

/// A statement in a queue, with its submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Row number of its submission.
    pub submission: i64,
    /// The statement.
    pub entry: SetAside,
    /// When it was set aside.
    pub at: Time,
}

/// How much waits in the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Open cases without a holder.
    pub no_holder: i64,
    /// Cases that turned out to be another party's.
    pub holder_changed: i64,
    /// Submissions no format understood.
    pub unreadable: i64,
    /// Statements that could not be read.
    pub rejects: i64,
    /// Reports without a credible time.
    pub undated: i64,
    /// Submissions that are perhaps the order of an authority.
    pub orders: i64,
    /// Submissions not yet read to their end.
    pub unread: i64,
}

impl Transaction<'_> {
    /// Sets statements aside and keeps remarks; how many rejects are new. What a killed run kept already stays as it is.
    pub(crate) fn set_aside(&self, advance: &Advance) -> Result<i64, Error> {
        let mut insert = self.prepare(
            "-- queues::set_aside
             INSERT INTO set_aside (submission, ordinal, queue, place, text, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (submission, ordinal) DO NOTHING",
        )?;
        let mut rejects = 0;
        for entry in &advance.set_aside {
            let new = insert.execute((
                advance.submission,
                entry.ordinal,
                entry.queue as u8,
                &entry.place,
                &entry.text,
                &entry.reason,
                advance.now.0,
            ))?;
            rejects += if entry.queue == Queue::Rejects { new as i64 } else { 0 };
        }
        let mut insert = self.prepare(
            "-- queues::note
             INSERT INTO notes (submission, place, text) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )?;
        for (place, text) in &advance.notes {
            insert.execute((advance.submission, place, text))?;
        }
        Ok(rejects)
    }

    /// Takes statements out of the queue of rejects: a better parser read them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn take_from_rejects(&self, submission: i64, ordinals: &[u32]) -> Result<(), Error> {
        if ordinals.is_empty() {
            return Ok(());
        }
        let mut delete =
            self.prepare("-- queues::take\nDELETE FROM set_aside WHERE submission = $1 AND ordinal = $2 AND queue = 1")?;
        let mut taken = 0;
        for ordinal in ordinals {
            taken += delete.execute((submission, ordinal))?;
        }
        self.execute(
            "-- queues::taken\nUPDATE submissions SET rejects = rejects - $2 WHERE id = $1",
            (submission, taken as i64),
        )?;
        Ok(())
    }

    /// Places of a submission's rejects.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn rejected_places(&self, submission: i64) -> Result<Vec<u32>, Error> {
        let mut select = self
            .prepare("-- queues::places\nSELECT ordinal FROM set_aside WHERE submission = $1 AND queue = 1 ORDER BY ordinal")?;
        Ok(select.query_map([submission], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Forgets the remarks about a submission, before it is read again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_notes(&self, submission: i64) -> Result<(), Error> {
        self.execute("-- queues::forget_notes\nDELETE FROM notes WHERE submission = $1", [submission])?;
        Ok(())
    }

    /// Remarks about a submission: place and text, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn notes(&self, submission: i64, most: u32) -> Result<Vec<(String, String)>, Error> {
        let mut select =
            self.prepare("-- queues::notes\nSELECT place, text FROM notes WHERE submission = $1 ORDER BY place, text LIMIT $2")?;
        Ok(select.query_map((submission, most), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }

    /// Statements in a queue, newest first, at most `most`; with `submission`, only its own.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn queued(&self, queue: Queue, submission: Option<i64>, most: u32) -> Result<Vec<Queued>, Error> {
        let mut select = self.prepare(
            "-- queues::list
             SELECT submission, ordinal, place, text, reason, at FROM set_aside
             WHERE queue = $1 AND ($2 < 0 OR submission = $2) ORDER BY at DESC, submission DESC, ordinal LIMIT $3",
        )?;
        let rows = select.query_map((queue as u8, submission.unwrap_or(-1), most), |row| {
            Ok(Queued {
                submission: row.get(0)?,
                entry: SetAside { ordinal: row.get(1)?, queue, place: row.get(2)?, text: row.get(3)?, reason: row.get(4)? },
                at: Time(row.get(5)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How much waits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn waiting(&self) -> Result<Waiting, Error> {
        let count = |text: &str| -> Result<i64, Error> { Ok(self.prepare(text)?.query_row((), |row| row.get(0))?) };
        Ok(Waiting {
            no_holder: count("-- queues::no_holder\nSELECT count(*) FROM cases WHERE holder = 0 AND state = 0")?,
            holder_changed: count("-- queues::holder_changed\nSELECT count(*) FROM holder_changes WHERE outcome = 0")?,
            unreadable: count("-- queues::unreadable\nSELECT count(*) FROM submissions WHERE progress = 2")?,
            rejects: count("-- queues::rejects\nSELECT count(*) FROM set_aside WHERE queue = 1")?,
            undated: count("-- queues::undated\nSELECT count(*) FROM set_aside WHERE queue = 2")?,
            orders: self.count_orders()?,
            unread: count("-- queues::unread\nSELECT count(*) FROM submissions WHERE progress = 0")?,
        })
    }
}
