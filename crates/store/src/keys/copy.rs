//! Copies of the keys: one file, without encryption, to be kept as a secret whole. And the way back.

use std::path::Path;

use rusqlite::Connection;

use super::generations::{self, Generations};
use super::{Inner, Key, Keys, SECRET, again, make_private, raw_place, seeds};
use crate::{At, Error};

impl Keys {
    /// Writes a copy, as it is at one moment, into a file that is not there yet, durably. It opens without any other file.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(), Error> {
        make_private(to)?;
        let mut connection = Connection::open(to)?;
        connection.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(()))?;
        generations::prepare(&mut connection)?;
        let mut copy = Inner { connection, generations: Generations::to_read(to) };
        let mut inner = self.inner();
        again(|| fill(&mut inner, &mut copy))?;
        drop(copy);
        std::fs::File::open(to).and_then(|file| file.sync_all()).at(to)
    }

    /// Writes the keys of a copy where a node will have them, encrypted under a generation of its own.
    pub(crate) fn bring_back(&self, to: &Path) -> Result<(), Error> {
        make_private(to)?;
        let mut connection = Connection::open(to)?;
        generations::prepare(&mut connection)?;
        let generations = Generations::open(to, &mut connection)?;
        let mut copy = Inner { connection, generations };
        let mut inner = self.inner();
        again(|| fill(&mut inner, &mut copy))?;
        drop(copy);
        std::fs::File::open(to).and_then(|file| file.sync_all()).at(to)
    }
}

/// Fills keys that are empty, or were filled in part, with all that there are at one moment.
fn fill(from: &mut Inner, to: &mut Inner) -> Result<(), Error> {
    let source = from.connection.transaction()?;
    let target = to.connection.transaction()?;
    let current = to.generations.current();
    {
        let mut select = source.prepare("SELECT secret, generation FROM node_secrets WHERE name = 'node'")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let secret = from.generations.unwrap(SECRET, row.get(1)?, &row.get::<_, Vec<u8>>(0)?)?;
            let text = "INSERT INTO node_secrets (name, secret, generation) VALUES ('node', ?1, ?2)";
            target.execute(text, (to.generations.wrap(SECRET, &secret)?, current))?;
        }
        let mut select = source.prepare("SELECT submission, key, generation FROM raw_keys ORDER BY submission")?;
        let mut insert = target.prepare("INSERT INTO raw_keys (submission, key, generation) VALUES (?1, ?2, ?3)")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let submission: [u8; 16] = row.get(0)?;
            let place = raw_place(&submission);
            let key = from.generations.unwrap(&place, row.get(2)?, &row.get::<_, Vec<u8>>(1)?)?;
            insert.execute((submission, to.generations.wrap(&place, &key)?, current))?;
        }
        let mut select =
            source.prepare("SELECT tree, number, depth, path, seed, generation FROM seeds ORDER BY tree, number, depth, path")?;
        let mut insert =
            target.prepare("INSERT INTO seeds (tree, number, depth, path, seed, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            let at: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let place = seeds::place(at);
            let seed = from.generations.unwrap(&place, row.get(5)?, &row.get::<_, Vec<u8>>(4)?)?;
            insert.execute((at[0], at[1], at[2], at[3], to.generations.wrap(&place, &seed)?, current))?;
        }
    }
    {
        let mut select = source.prepare("SELECT number, ordinal, digest FROM cuts")?;
        let mut insert = target.prepare("INSERT INTO cuts (number, ordinal, digest) VALUES (?1, ?2, ?3)")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            insert.execute((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, Key>(2)?))?;
        }
    }
    generations::set_state(&target, "erasures", generations::state(&source, "erasures")?)?;
    target.commit()?;
    Ok(source.commit()?)
}
