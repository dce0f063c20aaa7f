//! Alerts: what wakes a person, kept until it is over or acknowledged, and whom it was told to.
//!
//! One open alert a key: what is raised again while it is open only counts. Rows are bounded however many are raised.

use model::policy::Alarm;
use model::severity::Severity;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};
use crate::keys::public_id;

/// Open alerts of one kind and severity; those beyond are one alert that counts them.
pub const OPEN: i64 = 100;
/// Alerts that are kept, those that are over included.
const KEPT: i64 = 20_000;
/// Bytes of an alert's text and key.
const TEXT: usize = 600;

/// What is to wake a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raise<'a> {
    /// What kind of thing it is.
    pub kind: Alarm,
    /// What makes two of them one, for example `case/12/overdue`. A key that begins with `case/NUMBER/` is over when that
    /// case is closed.
    pub key: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter and what to do, for people. It goes through mail and other channels: cases by their public
    /// identifier, sources by name, and no persons, addresses, host names or locations.
    pub text: &'a str,
    /// By when something must have been done.
    pub due: Option<Time>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Row number.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// What kind of thing it is.
    pub kind: Alarm,
    /// What makes two of them one.
    pub key: String,
    /// How bad it is: the worst it was raised with.
    pub severity: Severity,
    /// What is the matter, and what to do.
    pub text: String,
    /// When it was first raised.
    pub raised: Time,
    /// When it was last raised.
    pub last: Time,
    /// How often it was raised.
    pub count: i64,
    /// By when something must have been done.
    pub due: Option<Time>,
    /// When a person said that it is cared for.
    pub acknowledged: Option<Time>,
    /// Who.
    pub person: String,
    /// Since when it is over.
    pub ended: Option<Time>,
}

/// Whether a kind is a state of the node, which ends by itself. What is none ends when a person acknowledges it.
pub fn is_state(kind: Alarm) -> bool {
    match kind {
        Alarm::Brake
        | Alarm::QuietFeed
        | Alarm::FallenFeed
        | Alarm::StaleSource
        | Alarm::Disk
        | Alarm::Unsigned
        | Alarm::Policy
        | Alarm::Witness => true,
        Alarm::Urgent | Alarm::Overdue | Alarm::Order | Alarm::Dispute | Alarm::Review | Alarm::Fork | Alarm::Shape => false,
    }
}

/// When a receiver was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The alert's row number.
    pub alert: i64,
    /// When last.
    pub at: Time,
    /// How often.
    pub times: i64,
}

/// How it goes with a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// Its name in the configuration.
    pub name: String,
    /// The hour (since 1970) that the next two numbers are of.
    pub hour: i64,
    /// Messages in it about other things than P0.
    pub sent: i64,
    /// Messages in it about P0.
    pub urgent: i64,
    /// Messages it ever got.
    pub messages: i64,
    /// How often its channel ever failed.
    pub failures: i64,
    /// How often in succession, up to now.
    pub failing: i64,
    /// Not to be tried before this.
    pub next_try: Option<Time>,
    /// When it last worked.
    pub last_ok: Option<Time>,
    /// Why it failed the last time; empty when it works.
    pub trouble: String,
}

/// How many alerts of a kind are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The kind.
    pub kind: Alarm,
    /// Open ones.
    pub open: i64,
    /// Those among them that nobody has acknowledged.
    pub unacknowledged: i64,
}

const COLUMNS: &str = "id, public, kind, key, severity, text, raised, last, count, due, acknowledged, person, ended";

fn from_row(row: &Row<'_>) -> db::Result<Alert> {
    Ok(Alert {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        kind: numbered(row, 2, Alarm::ALL)?,
        key: row.get(3)?,
        severity: numbered(row, 4, &Severity::ALL)?,
        text: row.get(5)?,
        raised: Time(row.get(6)?),
        last: Time(row.get(7)?),
        count: row.get(8)?,
        due: row.get::<Option<i64>>(9)?.map(Time),
        acknowledged: row.get::<Option<i64>>(10)?.map(Time),
        person: row.get(11)?,
        ended: row.get::<Option<i64>>(12)?.map(Time),
    })
}

impl Transaction<'_> {
    /// Raises an alert; true when it is new. One that is open under the same key is counted, and becomes worse and due sooner
    /// if this says so; worse than what was acknowledged, it is told again.
    ///
    /// When [`OPEN`] of a kind and severity are open already, one more alert stands for all further ones.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn raise_alert(&self, raise: &Raise<'_>, now: Time) -> Result<bool, Error> {
        let severity = raise.severity as i64;
        let key = clean(raise.key);
        let due = raise.due.map_or(i64::MAX, |due| due.0);
        if self.count_alert(&key, severity, due, now)? {
            return Ok(false);
        }
        let further = format!("further/{}/{}", raise.kind.word(), raise.severity);
        if self.count_alert(&further, severity, due, now)? {
            return Ok(false);
        }
        let open: i64 = self
            .prepare("-- alerts::open_of_kind\nSELECT count(*) FROM alerts WHERE kind = $1 AND severity = $2 AND ended IS NULL")?
            .query_row((raise.kind as i64, severity), |row| row.get(0))?;
        let (key, text) = if open < OPEN {
            (key, clean(raise.text))
        } else {
            let text = format!(
                "More than {OPEN} alerts '{}' of {} are open; this one counts the further ones. See them: sluis alert list; sluis case list --open",
                raise.kind.word(),
                raise.severity
            );
            (further, text)
        };
        let id = self.numbers("alerts", 1)?;
        self.execute(
            "-- alerts::raise
             INSERT INTO alerts (id, public, kind, key, severity, text, raised, last, count, due, acknowledged, person, ended)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1, $8, NULL, '', NULL)
             ON CONFLICT (key) WHERE ended IS NULL DO UPDATE SET count = alerts.count + 1",
            (id, public_id(now)?.0.to_be_bytes(), raise.kind as i64, key, severity, text, now.0, raise.due.map(|due| due.0)),
        )?;
        if id % 256 == 0 {
            self.forget_alerts(id - KEPT)?;
        }
        Ok(true)
    }

    /// Counts an alert that is open; false when there is none.
    fn count_alert(&self, key: &str, severity: i64, due: i64, now: Time) -> Result<bool, Error> {
        let changed = self.execute(
            "-- alerts::count
             UPDATE alerts SET count = count + 1, last = CASE WHEN last > $2 THEN last ELSE $2 END,
                 due = CASE WHEN $3 < coalesce(due, $4) THEN $3 ELSE due END,
                 acknowledged = CASE WHEN $5 < severity THEN NULL ELSE acknowledged END,
                 severity = CASE WHEN $5 < severity THEN $5 ELSE severity END
             WHERE key = $1 AND ended IS NULL",
            (key, now.0, due, i64::MAX, severity),
        )?;
        Ok(changed > 0)
    }

    /// Forgets what is over and older than the newest [`KEPT`].
    fn forget_alerts(&self, before: i64) -> Result<(), Error> {
        self.execute(
            "-- alerts::forget_told
             DELETE FROM alert_told WHERE alert <= $1
                 AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.id = alert_told.alert AND alerts.ended IS NULL)",
            [before],
        )?;
        self.execute("-- alerts::forget\nDELETE FROM alerts WHERE id <= $1 AND ended IS NOT NULL", [before])?;
        Ok(())
    }

    /// Says that what an alert was about is over; false when none is open under this key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_alert(&self, key: &str, now: Time) -> Result<bool, Error> {
        let ended =
            self.execute("-- alerts::end\nUPDATE alerts SET ended = $2 WHERE key = $1 AND ended IS NULL", (clean(key), now.0))?;
        Ok(ended > 0)
    }

    /// Ends what is open of a kind and not under one of these keys; how many. For kinds that are states: `still` is all
    /// that is still so.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_alerts_but(&self, kind: Alarm, still: &[String], now: Time) -> Result<u64, Error> {
        let mut select =
            self.prepare("-- alerts::keys\nSELECT id, key FROM alerts WHERE kind = $1 AND ended IS NULL ORDER BY id")?;
        let open: Vec<(i64, String)> =
            select.query_map([kind as i64], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let still: std::collections::HashSet<String> = still.iter().map(|key| clean(key)).collect();
        let mut ended = 0;
        for (id, key) in open {
            let is_so = still.contains(&key) || (key.starts_with("further/") && still.len() as i64 > OPEN);
            if !is_so {
                self.execute("-- alerts::end_one\nUPDATE alerts SET ended = $2 WHERE id = $1", (id, now.0))?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Ends the alerts about cases (keys `case/NUMBER/...`) that are closed now; how many.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_alerts_of_closed(&self, now: Time) -> Result<u64, Error> {
        let mut closed = self.prepare("-- alerts::closed\nSELECT EXISTS (SELECT 1 FROM cases WHERE id = $1 AND state <> 0)")?;
        let mut ended = 0;
        for alert in self.open_alerts()? {
            let case = alert.key.strip_prefix("case/").and_then(|rest| rest.split('/').next()?.parse::<i64>().ok());
            let Some(case) = case else { continue };
            if closed.query_row([case], |row| row.get::<bool>(0))? {
                self.execute("-- alerts::end_one\nUPDATE alerts SET ended = $2 WHERE id = $1", (alert.id, now.0))?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Says that a person cares for an alert: it is told no more, and is over unless it is a state that lasts. False when it
    /// was acknowledged before, or is over.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn acknowledge_alert(&self, alert: &Alert, person: &str, now: Time) -> Result<bool, Error> {
        let ended = (!is_state(alert.kind)).then_some(now.0);
        let changed = self.execute(
            "-- alerts::acknowledge
             UPDATE alerts SET acknowledged = $2, person = $3, ended = coalesce(ended, $4)
             WHERE id = $1 AND acknowledged IS NULL AND ended IS NULL",
            (alert.id, now.0, clean(person), ended),
        )?;
        Ok(changed > 0)
    }

    /// One alert by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn alert(&self, id: i64) -> Result<Option<Alert>, Error> {
        let text = format!("-- alerts::one\nSELECT {COLUMNS} FROM alerts WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// One alert by the identifier that others see.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn alert_by_public(&self, public: PublicId) -> Result<Option<Alert>, Error> {
        let text = format!("-- alerts::by_public\nSELECT {COLUMNS} FROM alerts WHERE public = $1");
        Ok(self.prepare(&text)?.query_row([public.0.to_be_bytes()], from_row).optional()?)
    }

    /// Alerts that are not over, the worst and oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn open_alerts(&self) -> Result<Vec<Alert>, Error> {
        let text = format!("-- alerts::open\nSELECT {COLUMNS} FROM alerts WHERE ended IS NULL ORDER BY severity, id");
        Ok(self.prepare(&text)?.query_map((), from_row)?.collect::<Result<_, _>>()?)
    }

    /// All alerts, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn alerts(&self, most: u32) -> Result<Vec<Alert>, Error> {
        let text = format!("-- alerts::all\nSELECT {COLUMNS} FROM alerts ORDER BY id DESC LIMIT $1");
        Ok(self.prepare(&text)?.query_map([i64::from(most)], from_row)?.collect::<Result<_, _>>()?)
    }

    /// How many alerts are open, by kind; kinds of which none is open are left out.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_alerts(&self) -> Result<Vec<Open>, Error> {
        let mut select = self.prepare(
            "-- alerts::by_kind
             SELECT kind, count(*), CAST(sum(CASE WHEN acknowledged IS NULL THEN 1 ELSE 0 END) AS BIGINT)
             FROM alerts WHERE ended IS NULL GROUP BY kind ORDER BY kind",
        )?;
        let rows = select.query_map((), |row| {
            Ok(Open { kind: numbered(row, 0, Alarm::ALL)?, open: row.get(1)?, unacknowledged: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a receiver was told of the alerts that are open.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn told(&self, receiver: &str) -> Result<Vec<Told>, Error> {
        let mut select = self.prepare(
            "-- alerts::told
             SELECT alert_told.alert, alert_told.at, alert_told.times FROM alerts
             JOIN alert_told ON alert_told.alert = alerts.id
             WHERE alerts.ended IS NULL AND alert_told.receiver = $1 ORDER BY alert_told.alert",
        )?;
        let rows =
            select.query_map([receiver], |row| Ok(Told { alert: row.get(0)?, at: Time(row.get(1)?), times: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps that a receiver was told of alerts.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_told(&self, receiver: &str, alerts: &[i64], now: Time) -> Result<(), Error> {
        for alert in alerts {
            self.execute(
                "-- alerts::set_told
                 INSERT INTO alert_told (alert, receiver, at, times) VALUES ($1, $2, $3, 1)
                 ON CONFLICT (alert, receiver) DO UPDATE SET at = excluded.at, times = alert_told.times + 1",
                (alert, receiver, now.0),
            )?;
        }
        Ok(())
    }

    /// How it goes with the receivers that were ever told anything.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn channels(&self) -> Result<Vec<Channel>, Error> {
        let mut select = self.prepare(
            "-- alerts::channels
             SELECT name, hour, sent, urgent, messages, failures, failing, next_try, last_ok, trouble
             FROM alert_receivers ORDER BY name",
        )?;
        let rows = select.query_map((), |row| {
            Ok(Channel {
                name: row.get(0)?,
                hour: row.get(1)?,
                sent: row.get(2)?,
                urgent: row.get(3)?,
                messages: row.get(4)?,
                failures: row.get(5)?,
                failing: row.get(6)?,
                next_try: row.get::<Option<i64>>(7)?.map(Time),
                last_ok: row.get::<Option<i64>>(8)?.map(Time),
                trouble: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps how it goes with a receiver.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_channel(&self, channel: &Channel) -> Result<(), Error> {
        self.execute(
            "-- alerts::set_channel
             INSERT INTO alert_receivers (name, hour, sent, urgent, messages, failures, failing, next_try, last_ok, trouble)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (name) DO UPDATE SET hour = excluded.hour, sent = excluded.sent, urgent = excluded.urgent,
                 messages = excluded.messages, failures = excluded.failures, failing = excluded.failing,
                 next_try = excluded.next_try, last_ok = excluded.last_ok, trouble = excluded.trouble",
            (
                &channel.name,
                channel.hour,
                channel.sent,
                channel.urgent,
                channel.messages,
                channel.failures,
                channel.failing,
                channel.next_try.map(|time| time.0),
                channel.last_ok.map(|time| time.0),
                clean(&channel.trouble),
            ),
        )?;
        Ok(())
    }
}

/// Text as it may stand in a mail's header and a log: one line, bounded.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(TEXT));
    for letter in text.chars() {
        if cleaned.len() + letter.len_utf8() > TEXT {
            break;
        }
        cleaned.push(if letter.is_control() { ' ' } else { letter });
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    const NOW: Time = Time(1_800_000_000_000);

    /// A store in a folder of its own, which goes away with it.
    struct Own {
        store: Option<Store>,
        directory: std::path::PathBuf,
    }

    impl Own {
        fn new(name: &str) -> Own {
            let directory = std::env::temp_dir().join(format!("sluis-alerts-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&directory);
            Own { store: Some(Store::open(&directory).unwrap()), directory }
        }

        fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> T {
            self.store.as_ref().unwrap().write("test", work).unwrap()
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            self.store = None;
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }

    fn raise<'a>(kind: Alarm, key: &'a str, severity: Severity) -> Raise<'a> {
        Raise { kind, key, severity, text: "look", due: None }
    }

    #[test]
    fn one_open_alert_a_key() {
        let own = Own::new("key");
        own.write(|transaction| {
            let overdue = raise(Alarm::Overdue, "case/1/overdue", Severity::P1);
            assert!(transaction.raise_alert(&overdue, NOW)?);
            assert!(!transaction.raise_alert(&overdue, NOW.plus(1))?, "counted");
            let open = transaction.open_alerts()?;
            assert_eq!((open.len(), open[0].count, open[0].last), (1, 2, NOW.plus(1)));
            assert!(transaction.acknowledge_alert(&open[0], "ann", NOW.plus(2))?);
            assert!(!transaction.acknowledge_alert(&open[0], "bob", NOW.plus(3))?, "once");
            assert!(transaction.open_alerts()?.is_empty(), "it has no end of its own");
            assert!(transaction.raise_alert(&overdue, NOW.plus(4))?, "another one");
            Ok(())
        });
    }

    #[test]
    fn a_state_is_open_until_it_is_over_and_silent_once_acknowledged() {
        let own = Own::new("state");
        own.write(|transaction| {
            transaction.raise_alert(&raise(Alarm::StaleSource, "source/7", Severity::P2), NOW)?;
            let alert = transaction.open_alerts()?.remove(0);
            transaction.acknowledge_alert(&alert, "ann", NOW)?;
            assert!(!transaction.raise_alert(&raise(Alarm::StaleSource, "source/7", Severity::P2), NOW.plus(60_000))?);
            assert_eq!(transaction.open_alerts()?[0].acknowledged, Some(NOW));
            transaction.raise_alert(&raise(Alarm::StaleSource, "source/7", Severity::P1), NOW.plus(60_000))?;
            assert_eq!(transaction.open_alerts()?[0].acknowledged, None, "it became worse");
            assert_eq!(transaction.end_alerts_but(Alarm::StaleSource, &["source/7".into()], NOW)?, 0);
            assert_eq!(transaction.end_alerts_but(Alarm::StaleSource, &[], NOW)?, 1);
            assert!(transaction.raise_alert(&raise(Alarm::StaleSource, "source/7", Severity::P2), NOW)?);
            Ok(())
        });
    }

    #[test]
    fn a_flood_is_one_alert_more_and_hides_nothing_worse() {
        let own = Own::new("flood");
        own.write(|transaction| {
            for case in 0..3_000 {
                transaction.raise_alert(&raise(Alarm::Urgent, &format!("case/{case}/urgent"), Severity::P1), NOW)?;
            }
            let open = transaction.open_alerts()?;
            assert_eq!(open.len() as i64, OPEN + 1);
            assert_eq!(open.iter().map(|alert| alert.count).sum::<i64>(), 3_000);
            assert!(transaction.raise_alert(&raise(Alarm::Urgent, "case/5000/urgent", Severity::P0), NOW)?);
            assert_eq!(transaction.open_alerts()?[0].key, "case/5000/urgent");
            Ok(())
        });
    }

    #[test]
    fn rows_are_bounded() {
        let own = Own::new("bounded");
        own.write(|transaction| {
            let state = raise(Alarm::Disk, "disk", Severity::P1);
            for turn in 0..KEPT + 600 {
                transaction.raise_alert(&state, NOW)?;
                let id = transaction.open_alerts()?[0].id;
                transaction.set_told("desk", &[id], NOW.plus(turn))?;
                transaction.end_alert("disk", NOW)?;
            }
            let rows = |text: &str| -> Result<i64, Error> { Ok(transaction.prepare(text)?.query_row((), |row| row.get(0))?) };
            assert!(rows("SELECT count(*) FROM alerts")? <= KEPT + 256);
            assert!(rows("SELECT count(*) FROM alert_told")? <= KEPT + 256);
            Ok(())
        });
    }

    #[test]
    fn texts_are_one_bounded_line() {
        assert_eq!(clean("a\r\nBcc: x\0"), "a  Bcc: x ");
        assert_eq!(clean(&"é".repeat(10_000)).len(), TEXT);
    }
}
