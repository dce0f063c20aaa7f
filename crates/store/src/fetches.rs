//! Downloads of feeds: what is known of each, so that the next one asks for what is new only, and when that may be.

use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// Bytes of what a server calls a version, and of why a download failed.
const TEXT: usize = 500;

/// How it goes with one feed that is downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Its name in the settings.
    pub feed: String,
    /// SHA-256 of what is asked; all zero before the first time.
    pub asked: [u8; 32],
    /// The entity tag of what came last (RFC 9110 section 8.8.3), as it was written; empty for none.
    pub etag: String,
    /// When that was last modified, as its server wrote it; empty for nothing.
    pub modified: String,
    /// SHA-256 of the bytes that came last; all zero before the first time.
    pub digest: [u8; 32],
    /// When it was last looked at without trouble.
    pub checked: Option<Time>,
    /// When it last brought other bytes than before.
    pub changed: Option<Time>,
    /// How often in succession it failed, up to now.
    pub failures: i64,
    /// Since when it fails.
    pub since: Option<Time>,
    /// Why it failed the last time, in words that name nobody; empty when it did not.
    pub trouble: String,
    /// It is not to be asked before this.
    pub next: Time,
}

impl Fetch {
    /// A feed that was never asked.
    pub fn new(feed: &str) -> Fetch {
        Fetch {
            feed: feed.to_owned(),
            asked: [0; 32],
            digest: [0; 32],
            etag: String::new(),
            modified: String::new(),
            checked: None,
            changed: None,
            failures: 0,
            since: None,
            trouble: String::new(),
            next: Time(0),
        }
    }
}

const COLUMNS: &str = "feed, asked, etag, modified, checked, changed, failures, since, trouble, next, digest";

fn from_row(row: &Row<'_>) -> db::Result<Fetch> {
    Ok(Fetch {
        feed: row.get(0)?,
        asked: row.get(1)?,
        etag: row.get(2)?,
        modified: row.get(3)?,
        checked: row.get::<Option<i64>>(4)?.map(Time),
        changed: row.get::<Option<i64>>(5)?.map(Time),
        failures: row.get(6)?,
        since: row.get::<Option<i64>>(7)?.map(Time),
        trouble: row.get(8)?,
        next: Time(row.get(9)?),
        digest: row.get(10)?,
    })
}

impl Transaction<'_> {
    /// How it goes with all feeds that ever were downloaded, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn fetches(&self) -> Result<Vec<Fetch>, Error> {
        let text = format!("-- fetches::all\nSELECT {COLUMNS} FROM fetches ORDER BY feed");
        Ok(self.prepare(&text)?.query_map((), from_row)?.collect::<Result<_, _>>()?)
    }

    /// How it goes with one; `None` before its first download.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn fetch(&self, feed: &str) -> Result<Option<Fetch>, Error> {
        let text = format!("-- fetches::one\nSELECT {COLUMNS} FROM fetches WHERE feed = $1");
        Ok(self.prepare(&text)?.query_row([feed], from_row).optional()?)
    }

    /// Keeps how it goes with one. What a server calls a version is dropped when it is too long to be kept as it is.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_fetch(&self, fetch: &Fetch) -> Result<(), Error> {
        let version = |text: &str| if text.len() > TEXT { String::new() } else { text.to_owned() };
        let trouble = fetch.trouble.get(..fetch.trouble.floor_char_boundary(TEXT)).unwrap_or_default();
        self.execute(
            "-- fetches::set
             INSERT INTO fetches (feed, asked, etag, modified, checked, changed, failures, since, trouble, next, digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (feed) DO UPDATE SET asked = excluded.asked, etag = excluded.etag, modified = excluded.modified,
                 checked = excluded.checked, changed = excluded.changed, failures = excluded.failures, since = excluded.since,
                 trouble = excluded.trouble, next = excluded.next, digest = excluded.digest",
            (
                &fetch.feed,
                fetch.asked,
                version(&fetch.etag),
                version(&fetch.modified),
                fetch.checked.map(|time| time.0),
                fetch.changed.map(|time| time.0),
                fetch.failures,
                fetch.since.map(|time| time.0),
                trouble,
                fetch.next.0,
                fetch.digest,
            ),
        )?;
        Ok(())
    }

    /// Whether a file of a feed was taken before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_fetched(&self, feed: &str, item: &str) -> Result<bool, Error> {
        let mut select = self.prepare("-- fetches::is_item\nSELECT at FROM fetched WHERE feed = $1 AND item = $2")?;
        Ok(select.query_row((feed, item), |row| row.get::<i64>(0)).optional()?.is_some())
    }

    /// Notes that a file of a feed was taken, and forgets those that were before `forget`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_fetched(&self, feed: &str, item: &str, at: Time, forget: Time) -> Result<(), Error> {
        self.execute(
            "-- fetches::item
             INSERT INTO fetched (feed, item, at) VALUES ($1, $2, $3) ON CONFLICT (feed, item) DO UPDATE SET at = excluded.at",
            (feed, item, at.0),
        )?;
        self.execute("-- fetches::old_items\nDELETE FROM fetched WHERE feed = $1 AND at < $2", (feed, forget.0))?;
        Ok(())
    }
}
