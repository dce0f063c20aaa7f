//! Advice about weak points: what was published, what is accepted of it, and which open cases it is about.

use std::collections::HashMap;

use model::advisory::{Advisory, Cve, TRAIT, cves_of};
use model::label::Tlp;
use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};

/// Open cases that are asked to be looked at again in one statement.
const TOGETHER: usize = 500;

/// A piece of advice that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Row number.
    pub id: i64,
    /// What it says.
    pub advisory: Advisory,
    /// Whether somebody vouches for it; nothing follows from what nobody does.
    pub accepted: bool,
    /// The submission that it stands in.
    pub submission: i64,
    /// When that was received.
    pub received: Time,
    /// When it was taken off its catalogue, or by a person.
    pub withdrawn: Option<Time>,
    /// Who accepted or withdrew it; empty when nobody had to.
    pub person: String,
}

/// Which advice is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only about this CVE number.
    pub cve: Option<Cve>,
    /// Only of this publisher, as it writes itself.
    pub publisher: Option<&'a str>,
    /// Only what is accepted, or only what waits for a person.
    pub accepted: Option<bool>,
    /// Only what is known to be exploited.
    pub exploited: bool,
    /// What was withdrawn too.
    pub withdrawn: bool,
    /// Only rows before this one, for the next page.
    pub before: Option<i64>,
}

const COLUMNS: &str = "id, publisher, document, cve, accepted, submission, received, released, title, products, affects, severity, \
                       score, remedy, reference, exploited, ransomware, due, tlp, withdrawn, person";

fn from_row(row: &Row<'_>) -> db::Result<Kept> {
    let products: String = row.get(9)?;
    let advisory = Advisory {
        publisher: row.get(1)?,
        id: row.get(2)?,
        cve: Cve::parse(&row.get::<String>(3)?),
        released: row.get::<Option<i64>>(7)?.map(Time),
        title: row.get(8)?,
        products: products.lines().map(str::to_owned).collect(),
        affects: row.get::<i64>(10)? != 0,
        severity: row.get(11)?,
        score: row.get::<Option<i64>>(12)?.and_then(|score| u8::try_from(score).ok()),
        remedy: row.get(13)?,
        reference: row.get(14)?,
        exploited: row.get::<i64>(15)? != 0,
        ransomware: row.get::<i64>(16)? != 0,
        due: row.get::<Option<i64>>(17)?.map(Time),
        tlp: numbered(row, 18, &Tlp::ALL)?,
    };
    Ok(Kept {
        id: row.get(0)?,
        advisory,
        accepted: row.get::<i64>(4)? != 0,
        submission: row.get(5)?,
        received: Time(row.get(6)?),
        withdrawn: row.get::<Option<i64>>(19)?.map(Time),
        person: row.get(20)?,
    })
}

fn word(cve: Option<Cve>) -> String {
    cve.map_or_else(String::new, |cve| cve.to_string())
}

impl Transaction<'_> {
    /// Keeps what a submission says. Of one document and CVE number the newest version stays: what was released earlier, or
    /// arrived earlier when it does not say, changes nothing. Doing it again changes nothing either.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn put_advisories(
        &self,
        submission: i64,
        received: Time,
        accepted: bool,
        person: &str,
        advisories: &[Advisory],
    ) -> Result<(), Error> {
        if advisories.is_empty() {
            return Ok(());
        }
        let first = self.numbers("advisories", advisories.len() as i64)?;
        let mut insert = self.prepare(
            "-- advisories::put
             INSERT INTO advisories (id, publisher, document, cve, accepted, submission, received, released, title, products,
                                     affects, severity, score, remedy, reference, exploited, ransomware, due, tlp, withdrawn, person)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, NULL, $20)
             ON CONFLICT (publisher, document, cve, accepted) DO UPDATE SET
                 submission = excluded.submission, received = excluded.received, released = excluded.released,
                 title = excluded.title, products = excluded.products, affects = excluded.affects, severity = excluded.severity,
                 score = excluded.score, remedy = excluded.remedy, reference = excluded.reference,
                 exploited = excluded.exploited, ransomware = excluded.ransomware, due = excluded.due, tlp = excluded.tlp,
                 withdrawn = CASE WHEN advisories.person = '' THEN NULL
                                  WHEN excluded.accepted = 0 AND excluded.released > advisories.released THEN NULL
                                  ELSE advisories.withdrawn END,
                 person = CASE WHEN advisories.withdrawn IS NULL THEN excluded.person ELSE advisories.person END
             WHERE coalesce(excluded.released, excluded.received) >= coalesce(advisories.released, advisories.received)
               AND excluded.received >= advisories.received",
        )?;
        for (id, advisory) in (first..).zip(advisories) {
            // A name with a line break in it would be two names.
            let products = advisory.products.iter().map(|name| name.replace(['\n', '\r'], " ")).collect::<Vec<_>>().join("\n");
            insert.execute((
                id,
                advisory.publisher.as_str(),
                advisory.id.as_str(),
                word(advisory.cve),
                i64::from(accepted),
                submission,
                received.0,
                advisory.released.map(|time| time.0),
                advisory.title.as_str(),
                products,
                i64::from(advisory.affects),
                advisory.severity.as_str(),
                advisory.score.map(i64::from),
                advisory.remedy.as_str(),
                advisory.reference.as_str(),
                i64::from(advisory.exploited),
                i64::from(advisory.ransomware),
                advisory.due.map(|time| time.0),
                advisory.tlp as i64,
                person,
            ))?;
        }
        Ok(())
    }

    /// Weak points that are known to be exploited, and whether by ransomware: by what is accepted and not withdrawn.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn exploited(&self) -> Result<HashMap<Cve, bool>, Error> {
        let mut select = self.prepare(
            "-- advisories::exploited
             SELECT cve, max(ransomware) FROM advisories
             WHERE exploited = 1 AND accepted = 1 AND withdrawn IS NULL AND cve <> '' GROUP BY cve",
        )?;
        let rows = select.query_map((), |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)? != 0)))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().filter_map(|(cve, ransomware)| Some((Cve::parse(&cve)?, ransomware))).collect())
    }

    /// Asks for open cases about these weak points to be looked at again, now. How many there are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn wake_cases_about(&self, weak: &HashMap<Cve, bool>, now: Time) -> Result<u64, Error> {
        if weak.is_empty() {
            return Ok(0);
        }
        let mut select = self.prepare("-- advisories::traits\nSELECT id, text FROM traits ORDER BY id")?;
        let rows = select.query_map((), |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))?.collect::<Result<Vec<_>, _>>()?;
        let named = |text: &str| text.contains(TRAIT) && cves_of(text).any(|cve| weak.contains_key(&cve));
        let traits: Vec<i64> = rows.into_iter().filter(|(_, text)| named(text)).map(|(id, _)| id).collect();
        let mut wake = self.prepare(
            "-- advisories::wake
             UPDATE cases SET next_due = $2
             WHERE traits = $1 AND state = 0 AND history = 0 AND (next_due IS NULL OR next_due > $2)",
        )?;
        let mut woken = 0;
        for some in traits.chunks(TOGETHER) {
            for traits in some {
                woken += wake.execute((*traits, now.0))? as u64;
            }
        }
        Ok(woken)
    }

    /// Takes off what a catalogue named before and names no more, unless that is more than a tenth of it or the catalogue is
    /// older than what is known: then it changes nothing. How many were taken off, and how many would have been.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_catalogue(&self, publisher: &str, submission: i64, now: Time) -> Result<(u64, u64), Error> {
        let mut select = self.prepare(
            "-- advisories::catalogue
             SELECT coalesce(CAST(sum(CASE WHEN submission = $2 THEN 1 ELSE 0 END) AS BIGINT), 0),
                    coalesce(CAST(sum(CASE WHEN submission <> $2 THEN 1 ELSE 0 END) AS BIGINT), 0),
                    max(CASE WHEN submission = $2 THEN released END), max(CASE WHEN submission <> $2 THEN released END)
             FROM advisories WHERE publisher = $1 AND accepted = 1 AND withdrawn IS NULL",
        )?;
        let (named, gone, newest, before) = select.query_row((publisher, submission), |row| {
            Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<Option<i64>>(2)?, row.get::<Option<i64>>(3)?))
        })?;
        let is_older = before > newest;
        if gone == 0 || is_older || gone.saturating_mul(10) > named {
            return Ok((0, gone.unsigned_abs()));
        }
        self.execute(
            "-- advisories::off
             UPDATE advisories SET withdrawn = $3
             WHERE publisher = $1 AND accepted = 1 AND withdrawn IS NULL AND submission <> $2",
            (publisher, submission, now.0),
        )?;
        Ok((gone.unsigned_abs(), gone.unsigned_abs()))
    }

    /// Advice, the newest row first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn advisories(&self, filter: &Filter<'_>, most: u32) -> Result<Vec<Kept>, Error> {
        let text = format!(
            "-- advisories::list
             SELECT {COLUMNS} FROM advisories
             WHERE ($1 = '' OR cve = $1) AND ($2 = '' OR publisher = $2) AND ($3 < 0 OR accepted = $3) AND exploited >= $4
               AND ($5 = 1 OR withdrawn IS NULL) AND id < $6
             ORDER BY id DESC LIMIT $7"
        );
        let accepted = filter.accepted.map_or(-1, i64::from);
        let before = filter.before.unwrap_or(i64::MAX);
        let (cve, publisher) = (word(filter.cve), filter.publisher.unwrap_or_default());
        let asked = (cve, publisher, accepted, i64::from(filter.exploited), i64::from(filter.withdrawn), before, most);
        let mut select = self.prepare(&text)?;
        Ok(select.query_map(asked, from_row)?.collect::<Result<_, _>>()?)
    }

    /// What helps against a weak point: accepted, not withdrawn, saying that something is affected; at most so many, those known
    /// to be exploited and the newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn advice(&self, cve: Cve, most: u32) -> Result<Vec<Kept>, Error> {
        let text = format!(
            "-- advisories::advice
             SELECT {COLUMNS} FROM advisories
             WHERE cve = $1 AND accepted = 1 AND withdrawn IS NULL AND affects = 1
             ORDER BY exploited DESC, coalesce(released, received) DESC, id DESC LIMIT $2"
        );
        Ok(self.prepare(&text)?.query_map((cve.to_string(), most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// One piece of advice.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn advisory(&self, id: i64) -> Result<Option<Kept>, Error> {
        let text = format!("-- advisories::one\nSELECT {COLUMNS} FROM advisories WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// Withdraws a piece of advice, or ends the waiting of one. A newer version does not bring back what a person withdrew; it
    /// waits anew where one only waited.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn withdraw_advisory(&self, id: i64, person: &str, now: Time) -> Result<(), Error> {
        self.execute(
            "-- advisories::withdraw\nUPDATE advisories SET withdrawn = $2, person = $3 WHERE id = $1",
            (id, now.0, person),
        )?;
        Ok(())
    }
}
