//! Feeds: submissions that come again and again, how often each came, which are late, and which came with too little.

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
/// Runs whose rows are remembered.
const COUNTED: usize = 10;
/// Fewer runs say nothing about how many rows are usual.
const ENOUGH: usize = 5;
/// A list that usually has no more rows than this may fall by chance.
const SMALL: i64 = 20;

/// What a run of a feed must bring to be believed when it does not name something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Reports at the least.
    pub least: i64,
    /// Reports at the least, in per cent of the usual run's (0 to 100).
    pub percent: i64,
    /// Whether a run names all there is. Of what only names what is new nothing follows when it does not name something.
    pub complete: bool,
}

impl Default for Expected {
    fn default() -> Expected {
        Expected { least: 1, percent: 50, complete: true }
    }
}

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
    /// Reports that its latest runs came with, oldest first; those that did not count among them.
    pub counts: Vec<i64>,
    /// Since when it comes with far fewer reports than usual, or with none.
    pub fallen: Option<Time>,
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

    /// Reports that a run usually has, by the runs before the last `but`; `None` as long as too few came to say.
    pub fn usual(&self, but: usize) -> Option<i64> {
        let mut sorted = self.counts.get(..self.counts.len().saturating_sub(but))?.to_vec();
        sorted.sort_unstable();
        if sorted.len() < ENOUGH { None } else { sorted.get(sorted.len() / 2).copied() }
    }

    /// Whether a run with so many reports is too small for anything to follow from what it does not name.
    fn falls(&self, reports: i64, expected: Expected) -> bool {
        let usual = self.usual(0).filter(|usual| *usual > SMALL);
        let fell = usual.is_some_and(|usual| reports.saturating_mul(100) < usual.saturating_mul(expected.percent));
        fell || reports < expected.least
    }

    /// Whether so few runs came that nobody knows what is usual, and this one is far smaller than one of them: no reason to wake anybody, and
    /// none to believe it.
    fn is_short(&self, reports: i64, expected: Expected) -> bool {
        let largest = self.counts.iter().max().filter(|largest| **largest > SMALL && self.counts.len() < ENOUGH);
        largest.is_some_and(|largest| reports.saturating_mul(100) < largest.saturating_mul(expected.percent))
    }
}

const COLUMNS: &str = "id, name, runs, first, last, every, gaps, submission, counts, fallen";

fn from_row(row: &Row<'_>) -> db::Result<Feed> {
    let every: i64 = row.get(5)?;
    let numbers = |text: String| text.split(' ').filter_map(|number| number.parse().ok()).collect();
    Ok(Feed {
        id: row.get(0)?,
        name: row.get(1)?,
        runs: row.get(2)?,
        first: Time(row.get(3)?),
        last: Time(row.get(4)?),
        every: (every > 0).then_some(every),
        gaps: numbers(row.get(6)?),
        submission: row.get(7)?,
        counts: numbers(row.get(8)?),
        fallen: row.get::<Option<i64>>(9)?.map(Time),
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

    /// Notes that a submission of a feed has been read to its end, and how many reports it came with; `None` when it cannot be read.
    /// With far fewer than usual it is no run: half a list must not say of the other half that it is mended.
    pub(crate) fn end_run(
        &self,
        name: &str,
        submission: i64,
        received: Time,
        reports: Option<i64>,
        expected: Expected,
    ) -> Result<(), Error> {
        self.alone()?;
        let Some(mut feed) = self.feed_named(cut(name))? else { return Ok(()) };
        if !feed.is_next(submission, received) {
            self.execute(
                "-- feeds::part\nUPDATE feeds SET submission = $2 WHERE id = $1 AND submission < $2",
                (feed.id, submission),
            )?;
            return Ok(());
        }
        let falls = reports.is_none_or(|reports| feed.falls(reports, expected));
        let counts_for_nothing = falls || reports.is_none_or(|reports| feed.is_short(reports, expected));
        feed.counts.push(reports.unwrap_or(0));
        let old = feed.counts.len().saturating_sub(COUNTED);
        feed.counts.drain(..old);
        let counts = written(&feed.counts);
        if counts_for_nothing {
            let fallen = if falls { feed.fallen.or(Some(received)) } else { feed.fallen };
            self.execute(
                "-- feeds::fell\nUPDATE feeds SET submission = $2, counts = $3, fallen = $4 WHERE id = $1",
                (feed.id, submission, counts, fallen.map(|since| since.0)),
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
        self.execute(
            "-- feeds::run
             UPDATE feeds SET runs = runs + 1, last = $2, every = $3, gaps = $4, submission = $5, counts = $6, fallen = NULL
             WHERE id = $1",
            (feed.id, received.0, every, written(&feed.gaps), submission, counts),
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

fn written(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_fewer_rows_than_usual_are_no_run() {
        let feed = |counts: &[i64]| Feed {
            id: 1,
            name: String::new(),
            runs: 9,
            first: Time(0),
            last: Time(0),
            every: None,
            counts: counts.to_vec(),
            fallen: None,
            gaps: Vec::new(),
            submission: 0,
        };
        let usual = [100, 120, 90, 100, 110];
        for (name, counts, reports, expected, falls) in [
            ("as usual", &usual[..], 100, Expected::default(), false),
            ("half of it", &usual[..], 50, Expected::default(), false),
            ("less than half of it", &usual[..], 49, Expected::default(), true),
            ("nothing", &usual[..], 0, Expected::default(), true),
            ("more", &usual[..], 100_000, Expected::default(), false),
            ("too few runs to say", &usual[..4], 1, Expected::default(), false),
            ("a small list", &[20, 20, 20, 20, 20][..], 1, Expected::default(), false),
            ("a list that is just large enough", &[21, 21, 21, 21, 21][..], 10, Expected::default(), true),
            ("one fall before", &[100, 120, 3, 100, 110][..], 4, Expected::default(), true),
            ("it is so from now on", &[100, 100, 100, 100, 4, 4, 4, 4, 4, 4][..], 4, Expected::default(), false),
            ("nothing, at first", &[][..], 0, Expected::default(), true),
            ("nothing, and that may be", &[][..], 0, Expected { least: 0, ..Expected::default() }, false),
            ("fewer than must be", &usual[..], 99, Expected { least: 100, percent: 0, complete: true }, true),
        ] {
            assert_eq!(feed(counts).falls(reports, expected), falls, "{name}");
        }
        for (counts, reports, short) in [
            (&[][..], 1, false),
            (&[100][..], 49, true),
            (&[100, 3][..], 60, false),
            (&[20][..], 1, false),
            (&usual[..], 1, false),
        ] {
            assert_eq!(feed(counts).is_short(reports, Expected::default()), short, "{counts:?} {reports}");
        }
    }
}
