//! Feeds: submissions that come again and again, how often each came, and which are late.

use model::time::{HOUR, MINUTE, Time};

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// Feeds that are kept; what comes beyond is a submission like any other.
const MOST: i64 = 10_000;
/// Bytes of a feed's name.
const NAME: usize = 200;
/// Times between runs that the usual one is learnt from.
const LEARNT: usize = 9;
/// Fewer say nothing.
const FEWEST: usize = 3;
/// What comes sooner than this after the last is a part of the same run, as long as nothing is learnt.
const PART: i64 = 30 * MINUTE;
/// No feed is missed before this.
const PATIENCE: i64 = 36 * HOUR;

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Row number.
    pub id: i64,
    /// Format, report type and file name without what changes with the day.
    pub name: String,
    /// How often it came.
    pub runs: i64,
    /// When it came first.
    pub first: Time,
    /// When its last run began to come.
    pub last: Time,
    /// Usual time between two runs, in milliseconds; `None` as long as too few came.
    pub every: Option<i64>,
    /// The latest times between two runs.
    gaps: Vec<i64>,
    /// Newest submission of it.
    submission: i64,
}

impl Feed {
    /// Whether it should have come again by now.
    pub fn is_late(&self, now: Time) -> bool {
        self.every.is_some_and(|every| now.0.saturating_sub(self.last.0) > every.saturating_mul(2).max(PATIENCE))
    }
}

const COLUMNS: &str = "id, name, runs, first, last, every, gaps, submission";

fn from_row(row: &Row<'_>) -> db::Result<Feed> {
    let every: i64 = row.get(5)?;
    Ok(Feed {
        id: row.get(0)?,
        name: row.get(1)?,
        runs: row.get(2)?,
        first: Time(row.get(3)?),
        last: Time(row.get(4)?),
        every: (every > 0).then_some(every),
        gaps: row.get::<String>(6)?.split(' ').filter_map(|gap| gap.parse().ok()).collect(),
        submission: row.get(7)?,
    })
}

impl Transaction<'_> {
    /// The feed that a submission belongs to, and the number of its run: that of the last when it came together with it, or
    /// was read before; and the usual time between runs, 0 when unknown. All 0 when there are too many feeds.
    pub(crate) fn feed_run(&self, name: &str, submission: i64, received: Time) -> Result<(i64, i64, i64), Error> {
        let name = cut(name);
        let Some(feed) = self.feed_named(name)? else {
            let count: i64 = self.prepare("-- feeds::count\nSELECT count(*) FROM feeds")?.query_row((), |row| row.get(0))?;
            if count >= MOST {
                return Ok((0, 0, 0));
            }
            let id = self.numbers("feeds", 1)?;
            self.execute(
                "-- feeds::add
                 INSERT INTO feeds (id, name, runs, first, last, every, gaps, submission) VALUES ($1, $2, 0, $3, $3, 0, '', 0)",
                (id, name, received.0),
            )?;
            return Ok((id, 1, 0));
        };
        Ok((feed.id, feed.runs + i64::from(feed.is_next(submission, received)), feed.every.unwrap_or(0)))
    }

    /// Notes that a submission of a feed has been read to its end.
    pub(crate) fn end_run(&self, name: &str, submission: i64, received: Time) -> Result<(), Error> {
        self.alone()?;
        let Some(mut feed) = self.feed_named(cut(name))? else { return Ok(()) };
        if !feed.is_next(submission, received) {
            self.execute(
                "-- feeds::part\nUPDATE feeds SET submission = $2 WHERE id = $1 AND submission < $2",
                (feed.id, submission),
            )?;
            return Ok(());
        }
        if feed.runs > 0 {
            feed.gaps.push(received.0.saturating_sub(feed.last.0));
            let old = feed.gaps.len().saturating_sub(LEARNT);
            feed.gaps.drain(..old);
        }
        let mut sorted = feed.gaps.clone();
        sorted.sort_unstable();
        let every = if sorted.len() < FEWEST { 0 } else { sorted.get(sorted.len() / 2).copied().unwrap_or(0) };
        let gaps: Vec<String> = feed.gaps.iter().map(i64::to_string).collect();
        self.execute(
            "-- feeds::run
             UPDATE feeds SET runs = runs + 1, last = $2, every = $3, gaps = $4, submission = $5 WHERE id = $1",
            (feed.id, received.0, every, gaps.join(" "), submission),
        )?;
        Ok(())
    }

    fn feed_named(&self, name: &str) -> Result<Option<Feed>, Error> {
        let text = format!("-- feeds::named\nSELECT {COLUMNS} FROM feeds WHERE name = $1");
        Ok(self.prepare(&text)?.query_row([name], from_row).optional()?)
    }

    /// One feed by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn feed(&self, id: i64) -> Result<Option<Feed>, Error> {
        let text = format!("-- feeds::one\nSELECT {COLUMNS} FROM feeds WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// All feeds, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn feeds(&self) -> Result<Vec<Feed>, Error> {
        let text = format!("-- feeds::all\nSELECT {COLUMNS} FROM feeds ORDER BY name");
        Ok(self.prepare(&text)?.query_map((), from_row)?.collect::<Result<_, _>>()?)
    }
}

impl Feed {
    /// Whether a submission begins another run. What was read before does not, nor what comes together with the last.
    fn is_next(&self, submission: i64, received: Time) -> bool {
        let part = self.every.map_or(PART, |every| every / 2);
        self.runs == 0 || (submission > self.submission && received.0.saturating_sub(self.last.0) >= part)
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME)).unwrap_or_default()
}
