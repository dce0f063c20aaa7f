//! The places where text about a person may stand: every column of text of every table, and who looks through it.
//!
//! A test compares the list with the schema: whoever adds a column of text says here what becomes of it.

use model::address::Address;

use crate::Error;
use crate::db::{Row, Transaction};
use crate::keys::Keys;

/// A table with text in it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its name.
    pub table: &'static str,
    /// Its key: one to three columns of numbers.
    key: &'static [&'static str],
    /// Columns that are looked through and rewritten.
    texts: &'static [&'static str],
    /// Those among them that may not be the same twice.
    unique: &'static [&'static str],
    /// What the first column of its key counts.
    pub of: Of,
}

/// What a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A party.
    Party,
    /// A case.
    Case,
    /// A submission.
    Submission,
    /// Nothing else.
    Itself,
}

const fn place(table: &'static str, key: &'static [&'static str], texts: &'static [&'static str], of: Of) -> Place {
    Place { table, key, texts, unique: &[], of }
}

/// All of them, but for what has a form of its own: `fields`, `notes`, case keys and addresses.
pub const PLACES: &[Place] = &[
    Place {
        unique: &["reference"],
        ..place(
            "parties",
            &["id"],
            &[
                "reference",
                "name",
                "legal_name",
                "trade_names",
                "registry_number",
                "vat_number",
                "mails",
                "phones",
                "domains",
                "handles",
                "kyc_method",
                "kyc_result",
            ],
            Of::Party,
        )
    },
    place("contacts", &["party", "position"], &["target", "hours"], Of::Party),
    place("assignments", &["id"], &["name", "service", "product", "panel", "account", "reference", "reason"], Of::Itself),
    place("submissions", &["id"], &["name", "reason"], Of::Submission),
    place("set_aside", &["submission", "ordinal"], &["place", "text", "reason"], Of::Submission),
    place("cases", &["id"], &["handler"], Of::Case),
    // What many cases share: the sender's domain, tags.
    Place { unique: &["text"], ..place("traits", &["id"], &["text"], Of::Itself) },
    place("steps", &["case_id", "ordinal"], &["text", "person"], Of::Case),
    Place { unique: &["subject"], ..place("outbox", &["id"], &["subject", "reason", "person"], Of::Itself) },
    Place { unique: &["name"], ..place("feeds", &["id"], &["name"], Of::Itself) },
    place("holder_changes", &["case_id", "found"], &["person", "reason"], Of::Case),
    place("strikes", &["party", "case_id", "cause"], &["reason"], Of::Party),
    place("acts", &["id"], &["person", "reason"], Of::Itself),
    place("act_cases", &["act", "case_id"], &["before"], Of::Itself),
    Place { unique: &["key"], ..place("alerts", &["id"], &["key", "text", "person"], Of::Itself) },
    place("orders", &["submission"], &["why", "person", "reason"], Of::Submission),
    place("erasures", &["id"], &["why", "person"], Of::Itself),
    place("erasing", &["id"], &["ground", "authority"], Of::Itself),
    place("holds", &["id"], &["reason", "person", "ended_by"], Of::Itself),
    place("evidence", &["id"], &["recipient", "message_id", "person"], Of::Itself),
    place("issued", &["id"], &["recipient", "person"], Of::Itself),
    Place {
        unique: &["publisher", "document"],
        ..place(
            "advisories",
            &["id"],
            &["publisher", "document", "title", "products", "severity", "remedy", "reference", "person"],
            Of::Itself,
        )
    },
    place("senders", &["submission"], &["address", "domain", "detail", "mail_from", "helo"], Of::Submission),
    place("taken", &["submission"], &["person", "reason"], Of::Submission),
    // What proves nothing may call itself, and its columns, what it likes.
    Place { unique: &["sender"], ..place("shapes", &["id"], &["sender", "feed", "columns"], Of::Itself) },
];

/// Columns of text that hold no person, with why.
#[cfg(test)]
const OTHERS: &[(&str, &str, &str)] = &[
    ("sources", "name", "the operator's name for a source"),
    ("sources", "kind", "a word of ours"),
    ("parties", "country", "a code"),
    ("parties", "language", "a code"),
    ("parties", "aup_version", "a version"),
    ("submissions", "format", "a word of ours"),
    ("submissions", "feed", "a name in the settings"),
    ("advisories", "cve", "the number of a weak point"),
    ("mailboxes", "account", "a name in the settings"),
    ("mailboxes", "folder", "a name in the settings"),
    ("batches", "format", "a word of ours"),
    ("notes", "place", "erased with the row"),
    ("notes", "text", "erased with the row"),
    ("counters", "name", "a word of ours"),
    ("policies", "text", "the operator's own policy"),
    ("policies", "file", "the operator's own file"),
    ("cases", "rule", "a rule of the policy"),
    ("steps", "rule", "a rule of the policy"),
    ("feeds", "gaps", "numbers"),
    ("feeds", "counts", "numbers"),
    ("fetches", "feed", "a name in the settings"),
    ("fetches", "etag", "what a server calls a version of a list"),
    ("fetches", "modified", "a time"),
    ("fetches", "trouble", "a word of ours"),
    ("shapes", "format", "a word of ours"),
    ("fetched", "feed", "a name in the settings"),
    ("fetched", "item", "what a sender of feeds calls a file"),
    ("acts", "verb", "a word of ours"),
    ("alert_told", "receiver", "a name in the settings"),
    ("alert_receivers", "name", "a name in the settings"),
    ("alert_receivers", "trouble", "what a mail server or a command said, without addresses"),
    ("erasures", "what", "written without the person"),
    ("shards", "origin", "the operator's name for a log"),
    ("checkpoints", "note", "an origin, a size, a root and signatures"),
    ("cosignatures", "witness", "a witness"),
    ("cosignatures", "line", "a signature"),
    ("anchors", "tsa", "a name in the settings"),
    ("witnessed", "origin", "a log"),
    ("witnessed", "note", "an origin, a size, a root and signatures"),
    ("watched", "origin", "a log"),
    ("watched", "note", "an origin, a size, a root and signatures"),
    ("forks", "origin", "a log"),
    ("forks", "proof", "checkpoints and hashes"),
    ("evidence", "kind", "a word of ours"),
    ("evidence", "media", "a word of ours"),
    ("rechecks", "name", "goes as soon as the cases are traced again"),
];

/// A row in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The table.
    pub table: &'static str,
    /// Its key; what it has no columns for is 0.
    pub key: [i64; 3],
}

impl Transaction<'_> {
    /// Looks through the rows of a place whose keys come after `after`, at most `most`: what `change` gives for a text
    /// stands there from then on, if `write`. Which rows those are, and the key of the last row looked at.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_through(
        &self,
        place: &Place,
        after: [i64; 3],
        most: u32,
        change: &dyn Fn(&str) -> Option<String>,
        write: bool,
    ) -> Result<(Vec<Found>, Option<[i64; 3]>), Error> {
        let Place { table, key, texts, .. } = *place;
        let width = key.len();
        let numbers = |first: usize| (first..first + width).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
        let (keys, columns) = (key.join(", "), texts.join(", "));
        let text = format!(
            "SELECT {keys}, {columns} FROM {table} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT ${}",
            numbers(1),
            width + 1
        );
        let read = |row: &Row<'_>| {
            let mut key = [0; 3];
            for (at, part) in key.iter_mut().enumerate().take(width) {
                *part = row.get(at)?;
            }
            let mut changed = Vec::new();
            for at in 0..texts.len() {
                if let Some(other) = row.get::<Option<String>>(width + at)?.and_then(|text| change(&text)) {
                    changed.push((at, other));
                }
            }
            Ok((key, changed))
        };
        let mut select = self.prepare(&text)?;
        let most = i64::from(most);
        let rows = match width {
            1 => select.query_map((after[0], most), read)?.collect::<Result<Vec<_>, _>>()?,
            2 => select.query_map((after[0], after[1], most), read)?.collect::<Result<Vec<_>, _>>()?,
            _ => select.query_map((after[0], after[1], after[2], most), read)?.collect::<Result<Vec<_>, _>>()?,
        };
        drop(select);
        let last = rows.last().map(|(key, _)| *key);
        let mut found = Vec::new();
        for (row, changed) in rows {
            if changed.is_empty() {
                continue;
            }
            found.push(Found { table, key: row });
            if !write {
                continue;
            }
            for (at, other) in changed {
                let column = texts.get(at).copied().unwrap_or_default();
                let other = if place.unique.contains(&column) { format!("{other} #{}", row[0]) } else { other };
                let is_row = key.iter().enumerate().map(|(at, key)| format!("{key} = ${}", at + 2)).collect::<Vec<_>>();
                let text = format!("UPDATE {table} SET {column} = $1 WHERE {}", is_row.join(" AND "));
                match width {
                    1 => self.execute(&text, (&other, row[0]))?,
                    2 => self.execute(&text, (&other, row[0], row[1]))?,
                    _ => self.execute(&text, (&other, row[0], row[1], row[2]))?,
                };
            }
        }
        Ok((found, last))
    }

    /// Looks through the remarks on submissions: one that `change` would change is erased, if `write`. Which submissions.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_through_notes(
        &self,
        after: i64,
        most: u32,
        change: &dyn Fn(&str) -> Option<String>,
        write: bool,
    ) -> Result<(Vec<Found>, Option<i64>), Error> {
        let mut select = self.prepare("-- erasures::noted\nSELECT id FROM submissions WHERE id > $1 ORDER BY id LIMIT $2")?;
        let ids: Vec<i64> = select.query_map((after, most), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for &id in &ids {
            for (place, text) in self.notes(id, u32::MAX)? {
                if change(&text).is_none() && change(&place).is_none() {
                    continue;
                }
                found.push(Found { table: "notes", key: [id, 0, 0] });
                if write {
                    self.execute(
                        "-- erasures::note\nDELETE FROM notes WHERE submission = $1 AND place = $2 AND text = $3",
                        (id, &place, &text),
                    )?;
                }
            }
        }
        Ok((found, ids.last().copied()))
    }

    /// Looks through the keys of cases, which name sites and accounts: one that `matches` is replaced by a hash that only
    /// this node can make, if `write`. The cases, with those whose address is `address`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_through_keys(
        &self,
        after: i64,
        most: u32,
        matches: &dyn Fn(&[u8]) -> bool,
        address: Option<Address>,
        write: Option<&Keys>,
    ) -> Result<(Vec<Found>, Option<i64>), Error> {
        let mut select =
            self.prepare("-- erasures::keys\nSELECT id, key, address FROM cases WHERE id > $1 ORDER BY id LIMIT $2")?;
        let wanted = address.map(Address::bytes);
        let rows: Vec<(i64, Vec<u8>, bool)> = select
            .query_map((after, most), |row| {
                let address: Option<[u8; 16]> = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, address.is_some() && address == wanted))
            })?
            .collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for (id, key, is_address) in &rows {
            let about = key.get(10..).unwrap_or_default();
            let in_key = wanted.is_some_and(|wanted| about == wanted || about.get(..16) == Some(&wanted)) || matches(about);
            if !in_key && !*is_address {
                continue;
            }
            found.push(Found { table: "cases", key: [*id, 0, 0] });
            if let Some(keys) = write {
                let mut mac = keys.mac("forgotten case");
                mac.update(key);
                let tag = mac.sign();
                let none: Option<Vec<u8>> = None;
                self.execute(
                    "-- erasures::rekey\nUPDATE cases SET key = $2, address = $3 WHERE id = $1",
                    (*id, tag.as_ref(), none),
                )?;
            }
        }
        Ok((found, rows.last().map(|(id, ..)| *id)))
    }

    /// Reports that are about an address.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn reports_about(&self, address: Address) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare("-- erasures::reports_about\nSELECT id FROM reports WHERE address = $1 ORDER BY id")?;
        Ok(select.query_map([address.bytes()], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// How many reports are about an address; they say so no more, if `write`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_through_addresses(&self, address: Address, write: bool) -> Result<u64, Error> {
        let bytes = address.bytes();
        let count: u64 = self
            .prepare("-- erasures::addresses\nSELECT count(*) FROM reports WHERE address = $1")?
            .query_row([bytes], |row| row.get(0))?;
        if write && count > 0 {
            self.execute("-- erasures::address\nUPDATE reports SET address = NULL WHERE address = $1", [bytes])?;
        }
        Ok(count)
    }

    /// Looks through the fields of reports, from chunk `after` on, at most `most` chunks. What `change` gives for a value
    /// stands there from then on, if `write`; the reports, and the last chunk looked at.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_through_fields(
        &self,
        after: i64,
        most: u32,
        change: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
        write: bool,
    ) -> Result<(Vec<i64>, Option<i64>), Error> {
        let mut found = Vec::new();
        let last = self.change_fields(after, most, change, write, &mut found)?;
        Ok((found, last))
    }

    /// The submission that a report came in, and its case (0 for none).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn origin(&self, report: i64) -> Result<(i64, i64), Error> {
        let mut select = self.prepare(
            "-- erasures::origin
             SELECT coalesce((SELECT submission FROM batches WHERE id = $1), 0), coalesce((SELECT case_id FROM reports WHERE id = $2), 0)",
        )?;
        Ok(select.query_row((report / crate::reports::BATCH, report), |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Whether a party is in the administration now.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_present(&self, party: i64) -> Result<bool, Error> {
        let mut select =
            self.prepare("-- erasures::present\nSELECT EXISTS (SELECT 1 FROM parties WHERE id = $1 AND gone IS NULL)")?;
        Ok(select.query_row([party], |row| row.get(0))?)
    }

    /// Open cases of a party.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn open_cases_held_by(&self, party: i64) -> Result<Vec<i64>, Error> {
        let mut select =
            self.prepare("-- erasures::open_of\nSELECT id FROM cases WHERE holder = $1 AND state = 0 ORDER BY id")?;
        Ok(select.query_map([party], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_of_text_has_somebody_who_looks_through_it() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for (_, text) in crate::db::MIGRATIONS_OF_SQLITE {
            connection.execute_batch(text).unwrap();
        }
        let mut select = connection
            .prepare("SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT'")
            .unwrap();
        let there: BTreeSet<(String, String)> =
            select.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        let looked = PLACES.iter().flat_map(|place| place.texts.iter().map(|text| (place.table.to_owned(), (*text).to_owned())));
        let others = OTHERS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned()));
        let known: BTreeSet<_> = looked.chain(others).collect();
        let forgotten: Vec<_> = there.difference(&known).collect();
        assert!(forgotten.is_empty(), "who erases a person from {forgotten:?}? Say it in PLACES, or in OTHERS why there is none");
        let stale: Vec<_> = known.difference(&there).collect();
        assert!(stale.is_empty(), "there is no {stale:?}");
    }
}
