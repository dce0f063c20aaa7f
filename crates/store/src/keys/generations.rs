//! Generations of keys: every key in `keys.db` is encrypted under one key more, which lies in a file of its own.
//!
//! What was deleted from a file may stay on the disk: in free pages, in a log, in blocks that flash memory has put aside. So
//! erasing does not rest on deleting. A new generation is begun, all keys that are still needed are encrypted anew under it, and
//! the key of the generation before is destroyed: whatever is left of the rest was encrypted under that.
//!
//! Each row says its generation, and the steps can be broken off anywhere: (1) the file of the new key is durable; (2) `state`
//! names it, and whatever is written from then on is under it; (3) rows of before are encrypted anew, some in each transaction;
//! (4) the files of the keys before are overwritten and removed; (5) `state` says that it was finished. What was broken off
//! is gone on with when the keys are opened. Generation 0 is without encryption: so were keys before there were generations, and so
//! they are in a copy, which is kept as a secret whole.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{Inner, Key, Keys, SECRET, create_private, random, raw_place, wrapped};
use crate::{At, Error};

/// The folder of the keys of generations, beside `keys.db`. It may be a link to a folder of another disk.
pub const FOLDER: &str = "kek";
/// Rows that are encrypted anew in one transaction.
const TOGETHER: u32 = 4_096;

/// The keys of generations.
pub(super) struct Generations {
    folder: PathBuf,
    current: i64,
    known: BTreeMap<i64, LessSafeKey>,
}

/// Makes the tables, and gives those of before the column of generations.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS node_secrets
             (name TEXT PRIMARY KEY, secret BLOB NOT NULL, generation INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS raw_keys
             (submission BLOB PRIMARY KEY, key BLOB NOT NULL, generation INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS seeds
             (tree INTEGER NOT NULL, number INTEGER NOT NULL, depth INTEGER NOT NULL, path INTEGER NOT NULL, seed BLOB NOT NULL,
              generation INTEGER NOT NULL, PRIMARY KEY (tree, number, depth, path)) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS cuts
             (number INTEGER NOT NULL, ordinal INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (number, ordinal)) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    )?;
    for table in ["node_secrets", "raw_keys"] {
        if !has_generations(&transaction, table)? {
            transaction.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN generation INTEGER NOT NULL DEFAULT 0"))?;
        }
    }
    Ok(transaction.commit()?)
}

/// Lets keys of before there were generations be read as those of generation 0.
pub(super) fn prepare_to_read(connection: &Connection) -> Result<(), Error> {
    if has_generations(connection, "raw_keys")? {
        return Ok(());
    }
    Ok(connection.execute_batch(
        "CREATE TEMP VIEW node_secrets AS SELECT name, secret, 0 AS generation FROM main.node_secrets;
         CREATE TEMP VIEW raw_keys AS SELECT submission, key, 0 AS generation FROM main.raw_keys;
         CREATE TEMP TABLE seeds (tree, number, depth, path, seed, generation);
         CREATE TEMP TABLE cuts (number, ordinal, digest);
         CREATE TEMP TABLE state (name, value);",
    )?)
}

fn has_generations(connection: &Connection, table: &str) -> Result<bool, Error> {
    let text = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = 'generation')";
    Ok(connection.query_row(text, [table], |row| row.get(0))?)
}

/// Notes that something was destroyed: the next generation is not without use.
pub(super) fn note_cut(transaction: &Transaction<'_>) -> Result<(), Error> {
    set_state(transaction, "cut", 1)
}

pub(super) fn state(connection: &Connection, name: &str) -> Result<i64, Error> {
    let mut select = connection.prepare_cached("SELECT value FROM state WHERE name = ?1")?;
    Ok(select.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
}

pub(super) fn set_state(connection: &Connection, name: &str, value: i64) -> Result<(), Error> {
    let text = "INSERT INTO state (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(text)?.execute((name, value))?;
    Ok(())
}

/// Whether the key of a generation was not there.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::File { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound)
}

/// Says what to do when it is not.
pub(super) fn explain(error: Error) -> Error {
    match error {
        Error::File { path, .. } if is_gone(&error) => Error::Damaged(format!(
            "{}: this file is missing, and without it keys.db beside it cannot be read. Put it back; when it is lost, stop the node and put \
             keys.db back from the backup of the keys, which needs no such file",
            path.display()
        )),
        error => error,
    }
}

impl Generations {
    pub(super) fn to_read(path: &Path) -> Generations {
        let folder = path.parent().unwrap_or(Path::new("")).join(FOLDER);
        Generations { folder, current: 0, known: BTreeMap::new() }
    }

    /// The generations of the process that owns the keys; the first is begun when there is none.
    pub(super) fn open(path: &Path, connection: &mut Connection) -> Result<Generations, Error> {
        let mut generations = Generations::to_read(path);
        generations.current = state(connection, "generation")?;
        let files = generations.files()?;
        if generations.current == 0 {
            // Also when a copy was put back: what lies in the folder is of keys that are here no more.
            generations.begin(connection, files.last().copied().unwrap_or(0) + 1)?;
            return Ok(generations);
        }
        let current = generations.current;
        for file in files.into_iter().filter(|file| *file > current) {
            generations.destroy(file)?;
        }
        generations.load(generations.current).map_err(explain)?;
        Ok(generations)
    }

    pub(super) fn current(&self) -> i64 {
        self.current
    }

    /// Encrypts a key under the current generation, bound to its place.
    pub(super) fn wrap(&self, place: &[u8], key: &Key) -> Result<Vec<u8>, Error> {
        let Some(with) = self.known.get(&self.current) else {
            // Only copies are written without a generation.
            return if self.current == 0 {
                Ok(key.to_vec())
            } else {
                Err(Error::Damaged("there is no key to encrypt keys under".into()))
            };
        };
        let nonce = random::<NONCE_LEN>()?;
        let mut bytes = key.to_vec();
        with.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut bytes)
            .map_err(|_| Error::Random)?;
        Ok([nonce.as_slice(), &bytes].concat())
    }

    /// The key that was encrypted.
    ///
    /// # Errors
    /// [`Error::File`] when the key of the generation is not there, see [`is_gone`]; [`Error::Damaged`].
    pub(super) fn unwrap(&mut self, place: &[u8], generation: i64, bytes: &[u8]) -> Result<Key, Error> {
        let damaged =
            || Error::Damaged("a key in keys.db is not what was stored: put keys.db back from the backup of the keys".into());
        if generation == 0 {
            return bytes.try_into().map_err(|_| damaged());
        }
        if !self.known.contains_key(&generation) {
            self.load(generation)?;
        }
        let with = self.known.get(&generation).ok_or_else(damaged)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = with.open_in_place(nonce, Aad::from(place), &mut sealed).map_err(|_| damaged())?;
        Key::try_from(&*key).map_err(|_| damaged())
    }

    fn path(&self, generation: i64) -> PathBuf {
        self.folder.join(generation.to_string())
    }

    /// The generations that there are files of, the oldest first.
    fn files(&self) -> Result<Vec<i64>, Error> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.at(&self.folder)?,
        };
        let mut files: Vec<i64> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|number| *number > 0).collect();
        files.sort_unstable();
        Ok(files)
    }

    fn load(&mut self, generation: i64) -> Result<(), Error> {
        let path = self.path(generation);
        let bytes = std::fs::read(&path).at(&path)?;
        let key = Key::try_from(bytes.as_slice())
            .map_err(|_| Error::Damaged(format!("{}: a key has 32 bytes, this has {}", path.display(), bytes.len())))?;
        self.known.insert(generation, usable(&key)?);
        Ok(())
    }

    /// Steps 1 and 2.
    pub(super) fn begin(&mut self, connection: &mut Connection, generation: i64) -> Result<(), Error> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).at(&self.folder)?;
        let path = self.path(generation);
        if path.exists() {
            self.destroy(generation)?;
        }
        let key = random()?;
        let mut file = create_private(&path)?;
        file.write_all(&key).and_then(|()| file.sync_all()).at(&path)?;
        crate::raw::sync_directory(&self.folder)?;
        if let Some(parent) = self.folder.parent() {
            crate::raw::sync_directory(parent)?;
        }
        let usable = usable(&key)?;
        let transaction = connection.transaction()?;
        set_state(&transaction, "generation", generation)?;
        set_state(&transaction, "cut", 0)?;
        transaction.commit()?;
        self.known.insert(generation, usable);
        self.current = generation;
        Ok(())
    }

    /// Overwrites the key of a generation and removes its file.
    fn destroy(&mut self, generation: i64) -> Result<(), Error> {
        self.known.remove(&generation);
        let path = self.path(generation);
        let mut file = std::fs::File::options().write(true).open(&path).at(&path)?;
        file.write_all(&[0; 32]).and_then(|()| file.sync_all()).at(&path)?;
        drop(file);
        std::fs::remove_file(&path).at(&path)?;
        crate::raw::sync_directory(&self.folder)
    }
}

fn usable(key: &Key) -> Result<LessSafeKey, Error> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Random)?))
}

impl Keys {
    /// Begins a new generation: encrypts all keys anew and destroys what the others were encrypted under. What was destroyed
    /// before this can be read by nobody then, whatever is left of it on the disk.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::File`]; what broke off is gone on with at the next call, or when the keys are opened.
    pub fn renew(&self) -> Result<(), Error> {
        let _alone = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        self.finish()?;
        {
            let mut inner = self.inner();
            let Inner { connection, generations } = &mut *inner;
            generations.begin(connection, generations.current() + 1)?;
        }
        self.finish()
    }

    /// As [`Keys::renew`], when anything was destroyed since the last generation began; whether it was.
    ///
    /// # Errors
    /// As [`Keys::renew`].
    pub fn renew_if_cut(&self) -> Result<bool, Error> {
        if state(&self.inner().connection, "cut")? == 0 {
            return Ok(false);
        }
        self.renew().map(|()| true)
    }

    /// Number of the last erasure that these keys have been through; 0 for none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erasures(&self) -> Result<i64, Error> {
        state(&self.inner().connection, "erasures")
    }

    /// Notes the last erasure that these keys have been through.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_erasures(&self, last: i64) -> Result<(), Error> {
        set_state(&self.inner().connection, "erasures", last)
    }

    /// Which generation the keys are of.
    pub fn generation(&self) -> i64 {
        self.inner().generations.current()
    }

    /// Steps 3 to 5 of what was begun. Others use the keys between the transactions.
    pub(super) fn finish(&self) -> Result<(), Error> {
        {
            let inner = self.inner();
            if state(&inner.connection, "finished")? == inner.generations.current() {
                return Ok(());
            }
        }
        self.inner().wrap_secret_anew()?;
        let mut after = Vec::new();
        while let Some(last) = self.inner().wrap_raw_keys_anew(&after)? {
            after = last;
        }
        let mut after = [i64::MIN; 4];
        while let Some(last) = self.inner().wrap_seeds_anew(after)? {
            after = last;
        }
        self.inner().end_others()?;
        // What was encrypted under the keys of before is of no use any more; it need not lie about either.
        self.checkpoint()
    }
}

impl Inner {
    pub(super) fn wrap_secret_anew(&mut self) -> Result<(), Error> {
        let Inner { connection, generations } = self;
        let transaction = connection.transaction()?;
        let row = transaction
            .query_row("SELECT secret, generation FROM node_secrets WHERE name = 'node'", (), wrapped)
            .optional()?
            .filter(|(_, generation)| *generation != generations.current);
        if let Some((secret, generation)) = row {
            let secret = generations.unwrap(SECRET, generation, &secret).map_err(explain)?;
            let text = "UPDATE node_secrets SET secret = ?1, generation = ?2 WHERE name = 'node'";
            transaction.execute(text, (generations.wrap(SECRET, &secret)?, generations.current))?;
        }
        Ok(transaction.commit()?)
    }

    /// The next keys of submissions after one, and the last of them; `None` when there are no more.
    pub(super) fn wrap_raw_keys_anew(&mut self, after: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Inner { connection, generations } = self;
        let transaction = connection.transaction()?;
        let mut last = None;
        {
            let mut select = transaction.prepare_cached(
                "SELECT submission, key, generation FROM raw_keys WHERE submission > ?1 ORDER BY submission LIMIT ?2",
            )?;
            let rows: Vec<([u8; 16], Vec<u8>, i64)> = select
                .query_map((after, TOGETHER), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let mut update = transaction.prepare_cached("UPDATE raw_keys SET key = ?2, generation = ?3 WHERE submission = ?1")?;
            for (submission, key, generation) in rows {
                if generation != generations.current {
                    let place = raw_place(&submission);
                    let key = generations.unwrap(&place, generation, &key).map_err(explain)?;
                    update.execute((submission, generations.wrap(&place, &key)?, generations.current))?;
                }
                last = Some(submission.to_vec());
            }
        }
        transaction.commit()?;
        Ok(last)
    }

    /// As [`Inner::wrap_raw_keys_anew`], for seeds.
    pub(super) fn wrap_seeds_anew(&mut self, after: [i64; 4]) -> Result<Option<[i64; 4]>, Error> {
        let Inner { connection, generations } = self;
        let transaction = connection.transaction()?;
        let mut last = None;
        {
            let mut select = transaction.prepare_cached(
                "SELECT tree, number, depth, path, seed, generation FROM seeds
                 WHERE (tree, number, depth, path) > (?1, ?2, ?3, ?4) ORDER BY tree, number, depth, path LIMIT ?5",
            )?;
            let rows: Vec<([i64; 4], Vec<u8>, i64)> = select
                .query_map((after[0], after[1], after[2], after[3], TOGETHER), |row| {
                    Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get(4)?, row.get(5)?))
                })?
                .collect::<Result<_, _>>()?;
            let mut update = transaction.prepare_cached(
                "UPDATE seeds SET seed = ?5, generation = ?6 WHERE tree = ?1 AND number = ?2 AND depth = ?3 AND path = ?4",
            )?;
            for (at, seed, generation) in rows {
                if generation != generations.current {
                    let place = super::seeds::place(at);
                    let seed = generations.unwrap(&place, generation, &seed).map_err(explain)?;
                    update.execute((at[0], at[1], at[2], at[3], generations.wrap(&place, &seed)?, generations.current))?;
                }
                last = Some(at);
            }
        }
        transaction.commit()?;
        Ok(last)
    }

    /// Steps 4 and 5: no row is of another generation now.
    fn end_others(&mut self) -> Result<(), Error> {
        for file in self.generations.files()? {
            if file != self.generations.current {
                self.generations.destroy(file)?;
            }
        }
        set_state(&self.connection, "finished", self.generations.current)
    }
}
