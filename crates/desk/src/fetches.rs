//! Downloads of feeds: what becomes of one, when the next may be, and what is told when one does not come or comes with too little.
//!
//! A download is received first, as anything else is ([`Desk::receive_from`]); what its server calls that version is kept after. Whoever
//! ends between the two is given the same bytes once more, which is no other submission.

use model::submission::Submission;
use model::time::{DAY, HOUR, Time};
use store::feeds::{Expected, Feed};
use store::fetches::Fetch;

use crate::decide::{Context, FeedSaid, undated};
use crate::{Desk, Error};

/// What the learnt name of a feed begins with that is downloaded.
pub(crate) const DOWNLOAD: &str = "download/";
/// How long one may fail before somebody is told, in milliseconds, unless it is due less often than that.
const PATIENCE: i64 = 6 * HOUR;
/// After this a list of all there is is read again though it has not changed, in milliseconds: a day, and what a day may be short of.
const AGAIN: i64 = 23 * HOUR;
/// How long a file is remembered that was taken of a feed of many, in milliseconds.
const REMEMBERED: i64 = 180 * DAY;

/// What came of asking for a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// What was there has been received, or is the same as what was received before.
    New {
        /// What its server calls it now.
        etag: String,
        /// When it was modified last, as its server writes it.
        modified: String,
        /// SHA-256 of its bytes.
        digest: [u8; 32],
    },
    /// Its server says that it is as it was.
    Same {
        /// What its server calls it now; empty to keep what was known.
        etag: String,
        /// As above.
        modified: String,
    },
    /// It could not be had, for a reason that names nobody.
    Failed(String),
}

impl Desk {
    /// How it goes with the downloads that ever were.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn fetches(&self) -> Result<Vec<Fetch>, Error> {
        Ok(self.store.reader()?.read(|transaction| transaction.fetches())?)
    }

    /// How it goes with the downloads of the feeds that are in the settings.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn fetches_in_use(&self) -> Result<Vec<Fetch>, Error> {
        let mut fetches = self.fetches()?;
        fetches.retain(|fetch| self.reading.feeds.contains_key(&fetch.feed));
        Ok(fetches)
    }

    /// How it goes with one feed, and what it is to be asked with: under another address than before it begins anew, and of a list of
    /// all there is the whole is wanted once a day.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn fetch(&self, feed: &str, asked: [u8; 32]) -> Result<Fetch, Error> {
        let (found, last) = self.store.reader()?.read(|transaction| {
            Ok::<_, store::Error>((transaction.fetch(feed)?, transaction.submissions_of_feed(feed, 1)?.pop()))
        })?;
        let found = found.unwrap_or_else(|| Fetch::new(feed));
        if found.asked == asked {
            let since = self.same_since(feed, self.now());
            let is_fresh = last.is_some_and(|last| last.received >= since);
            return Ok(if is_fresh { found } else { Fetch { etag: String::new(), modified: String::new(), ..found } });
        }
        Ok(Fetch { asked, etag: String::new(), modified: String::new(), digest: [0; 32], ..found })
    }

    /// Keeps what came of asking, and when it may be asked again.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; then it is asked again, and what comes is known already.
    pub fn fetched(&self, before: &Fetch, came: Came, next: Time) -> Result<Fetch, Error> {
        let now = self.now();
        let mut fetch = Fetch { next, ..before.clone() };
        let well = |fetch: &mut Fetch| {
            (fetch.checked, fetch.failures, fetch.since) = (Some(now), 0, None);
            fetch.trouble.clear();
        };
        match came {
            Came::New { etag, modified, digest } => {
                well(&mut fetch);
                let changed = fetch.changed.filter(|_| fetch.digest == digest);
                (fetch.etag, fetch.modified, fetch.digest, fetch.changed) = (etag, modified, digest, changed.or(Some(now)));
            }
            Came::Same { etag, modified } => {
                well(&mut fetch);
                for (known, said) in [(&mut fetch.etag, etag), (&mut fetch.modified, modified)] {
                    if !said.is_empty() {
                        *known = said;
                    }
                }
            }
            Came::Failed(trouble) => {
                fetch.failures = fetch.failures.saturating_add(1);
                fetch.since = fetch.since.or(Some(now));
                fetch.trouble = trouble;
            }
        }
        self.store.write("fetched", |transaction| transaction.set_fetch(&fetch))?;
        Ok(fetch)
    }

    /// From when on a download that brought the same bytes makes another one a copy. A list of all there is says each day anew that
    /// something is still there: else it would pass for quiet.
    pub(crate) fn same_since(&self, feed: &str, now: Time) -> Time {
        match self.reading.feeds.get(feed) {
            Some(feed) if feed.expected.complete => now.plus(-AGAIN),
            _ => Time::MIN,
        }
    }

    /// Lets a feed be asked at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not in the settings, [`Error::Unavailable`].
    pub fn fetch_soon(&self, feed: &str) -> Result<(), Error> {
        if !self.reading.feeds.contains_key(feed) {
            return Err(Error::NotFound(format!(
                "there is no [[feed]] '{feed}' in the settings of the process that owns the data"
            )));
        }
        let now = self.now();
        Ok(self.store.write("fetch soon", |transaction| {
            let fetch = transaction.fetch(feed)?.unwrap_or_else(|| Fetch::new(feed));
            transaction.set_fetch(&Fetch { next: now, ..fetch })
        })?)
    }

    /// Whether a file of a feed of many files was taken before.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn has_fetched(&self, feed: &str, item: &str) -> Result<bool, Error> {
        Ok(self.store.reader()?.read(|transaction| transaction.is_fetched(feed, item))?)
    }

    /// Notes that a file of a feed of many files was taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; then it is taken again, and is known already.
    pub fn note_fetched(&self, feed: &str, item: &str) -> Result<(), Error> {
        let now = self.now();
        Ok(self.store.write("fetched item", |transaction| transaction.set_fetched(feed, item, now, now.plus(-REMEMBERED)))?)
    }

    /// The feed that a submission is of, and what a run of it must bring. A download is always of one, so that somebody is told when it
    /// is empty; whether anything follows from what it does not name, the operator says.
    pub(crate) fn feed_of(
        &self,
        submission: &Submission,
        said: Option<&FeedSaid>,
        context: &Context<'_>,
    ) -> (Option<String>, Expected) {
        let Some(known) = self.reading.feeds.get(&submission.feed).filter(|_| !submission.feed.is_empty()) else {
            return (said.and_then(|said| context.feed(said, &submission.name)), Expected::default());
        };
        let name = format!("{DOWNLOAD}{}/{}", submission.feed, undated(&submission.name));
        // Whoever is between us and a server without TLS can take rows out of a list.
        let vouched = known.location.starts_with("https://") || said.is_some_and(|said| context.is_vouched(said));
        (Some(name), Expected { complete: known.expected.complete && vouched, ..known.expected })
    }

    /// Whether a learnt feed is not one that was downloaded once and is not in the settings any more.
    pub(crate) fn is_in_use(&self, name: &str) -> bool {
        !name.starts_with(DOWNLOAD) || self.reading.feeds.contains_key(&shown(name))
    }

    /// Feeds in the settings that cannot be downloaded, or bring nothing new: key and text of what is told.
    pub(crate) fn failing_fetches(&self, fetches: &[Fetch], now: Time) -> Vec<(String, String)> {
        let configured = fetches.iter().filter(|fetch| self.reading.feeds.contains_key(&fetch.feed));
        let told = configured.filter_map(|fetch| {
            let name = &fetch.feed;
            let quiet = self.reading.feeds.get(name).and_then(|feed| feed.quiet);
            if let (Some(quiet), Some(changed), None) = (quiet, fetch.changed, fetch.since)
                && now.0.saturating_sub(changed.0) > quiet
            {
                let text = format!(
                    "Feed '{name}' is downloaded, and has brought nothing new since {changed}. Ask who offers it whether it is still kept."
                );
                return Some((format!("fetch/{name}"), text));
            }
            let since = fetch.since.filter(|since| now.0.saturating_sub(since.0) >= PATIENCE && fetch.failures > 2)?;
            let text = format!(
                "Feed '{name}' cannot be downloaded since {since} ({} times): {}. 'sluis feed show {name}' says more.",
                fetch.failures, fetch.trouble
            );
            Some((format!("fetch/{name}"), text))
        });
        told.collect()
    }
}

/// Feeds that come with far fewer reports than usual, or with none: key and text of what is told.
pub(crate) fn fallen(feeds: &[Feed], now: Time, forgotten: i64) -> Vec<(String, String)> {
    let fallen = feeds.iter().filter_map(|feed| Some((feed, feed.fallen.filter(|since| *since > now.plus(-forgotten))?)));
    fallen
        .map(|(feed, since)| {
            let last = feed.counts.last().copied().unwrap_or(0);
            let usual = feed.usual(1).map_or_else(String::new, |usual| format!(", and usually with about {usual}"));
            let text = format!(
                "Feed {} ({}) came with {last} reports{usual}; it is so since {since}. Nothing is closed for what it does not name. \
                 Look whether its sender changed something, and what could not be read: sluis submission list.",
                feed.id,
                shown(&feed.name)
            );
            (format!("fallen/{}", feed.id), text)
        })
        .collect()
}

/// What is told of a feed's name: the name in the settings, or format and report type. The name of a file may be somebody's.
pub(crate) fn shown(name: &str) -> String {
    match name.strip_prefix(DOWNLOAD).and_then(|rest| rest.split('/').next()) {
        Some(name) => name.to_owned(),
        None => name.split('/').take(2).collect::<Vec<_>>().join("/"),
    }
}
