//! Seeds of trees, from which the keys of sealed fields follow: one for a block of records or a batch of reports, and what takes its
//! place when keys are cut out of it.
//!
//! What a seed is good for is said in `docs/seal.md` 2.4; here it is a node of a tree and 32 bytes.

use super::generations::{self, Generations, note_cut};
use super::{Inner, Key, Keys, random};
use crate::Error;

/// What a tree is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tree {
    /// 1,024 sealed records, by the number of the block.
    Block = 0,
    /// A batch of reports, by its number.
    Batch = 1,
}

/// A node of a tree and its seed: how deep it is, the bits that lead to it, and the bytes.
pub type Node = (u8, u32, Key);

/// The depth of the mark that stands where a tree has no node left: it was erased, and not lost.
const ERASED: i64 = 255;

impl Keys {
    /// Makes the seeds of blocks that have none yet, from the first to the last, durably.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Random`].
    pub fn ensure_blocks(&self, first: u64, last: u64) -> Result<(), Error> {
        let numbers: Vec<i64> = (first..=last).map(number).collect();
        self.ensure(Tree::Block, &numbers)
    }

    /// Makes the seeds of batches that have none yet, durably.
    ///
    /// # Errors
    /// As [`Keys::ensure_blocks`].
    pub fn ensure_batches(&self, batches: &[i64]) -> Result<(), Error> {
        self.ensure(Tree::Batch, batches)
    }

    /// The seeds of a block, the highest nodes first. Records below none of them were erased.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the block's seeds are lost.
    pub fn seeds_of_block(&self, block: u64) -> Result<Vec<Node>, Error> {
        self.seeds(Tree::Block, number(block))
    }

    /// The seeds of a batch, the highest nodes first. Reports below none of them were erased.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the batch's seeds are lost.
    pub fn seeds_of_batch(&self, batch: i64) -> Result<Vec<Node>, Error> {
        self.seeds(Tree::Batch, batch)
    }

    /// Keeps the seed of a batch, durably, unless it has one; the one that it has.
    ///
    /// # Errors
    /// [`Error::Database`], and [`Error::Damaged`] when reports of it were erased already.
    pub fn keep_batch_seed(&self, batch: i64, seed: Key) -> Result<Key, Error> {
        let mut inner = self.inner();
        let Inner { connection, generations } = &mut *inner;
        let transaction = connection.transaction()?;
        if !has_any(&transaction, Tree::Batch, batch)? {
            insert(&transaction, generations, Tree::Batch, batch, &(0, 0, seed))?;
        }
        transaction.commit()?;
        match *inner.seeds(Tree::Batch, batch)? {
            [(0, 0, seed)] => Ok(seed),
            _ => Err(Error::Damaged(format!("reports of batch {batch} were erased before it was sealed"))),
        }
    }

    /// Puts other nodes in the place of those of some trees, all at once: for each tree `change` is given what it has, and says
    /// what it has from then on. How many nodes went. A tree that has none is passed over.
    ///
    /// # Errors
    /// [`Error::Database`], and that of `change`: then nothing was changed.
    pub fn cut(
        &self,
        trees: &[(Tree, i64)],
        change: &mut dyn FnMut(Tree, i64, Vec<Node>) -> Result<Vec<Node>, Error>,
    ) -> Result<u64, Error> {
        let mut inner = self.inner();
        let Inner { connection, generations } = &mut *inner;
        let transaction = connection.transaction()?;
        let mut gone = 0;
        for &(tree, number) in trees {
            if !has_any(&transaction, tree, number)? {
                continue;
            }
            let before = nodes(&transaction, generations, tree, number).map_err(generations::explain)?;
            let after = change(tree, number, before.clone())?;
            for node in before.iter().filter(|node| !after.contains(node)) {
                let mut delete = transaction
                    .prepare_cached("DELETE FROM seeds WHERE tree = ?1 AND number = ?2 AND depth = ?3 AND path = ?4")?;
                delete.execute((tree as i64, number, node.0, node.1))?;
                gone += 1;
            }
            for node in after.iter().filter(|node| !before.contains(node)) {
                insert(&transaction, generations, tree, number, node)?;
            }
            if after.is_empty() && !before.is_empty() {
                let mark = place([tree as i64, number, ERASED, 0]);
                let text = "INSERT INTO seeds (tree, number, depth, path, seed, generation) VALUES (?1, ?2, ?3, 0, ?4, ?5)";
                let seed = generations.wrap(&mark, &[0; 32])?;
                transaction.prepare_cached(text)?.execute((tree as i64, number, ERASED, seed, generations.current()))?;
            }
        }
        if gone > 0 {
            note_cut(&transaction)?;
        }
        transaction.commit()?;
        Ok(gone)
    }

    /// Keeps, durably, the salted digests of fields of records whose keys are about to be cut out: number, ordinal and digest. They
    /// stand for the fields ever after, also beside rows of before, which do not have them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn note_cuts(&self, cuts: &[(i64, u32, [u8; 32])]) -> Result<(), Error> {
        if cuts.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner();
        let transaction = inner.connection.transaction()?;
        {
            let text = "INSERT INTO cuts (number, ordinal, digest) VALUES (?1, ?2, ?3) ON CONFLICT (number, ordinal) DO NOTHING";
            let mut insert = transaction.prepare_cached(text)?;
            for cut in cuts {
                insert.execute(*cut)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// What [`Keys::note_cuts`] kept.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn noted_cuts(&self) -> Result<Vec<(i64, u32, [u8; 32])>, Error> {
        let inner = self.inner();
        let mut select = inner.connection.prepare("SELECT number, ordinal, digest FROM cuts ORDER BY number, ordinal")?;
        let rows = select.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets the seeds of blocks and batches with greater numbers, and what was noted of records from `next` on: these numbers
    /// will be given out again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_after(&self, block: i64, batch: i64, next: i64) -> Result<(), Error> {
        let mut inner = self.inner();
        let transaction = inner.connection.transaction()?;
        let gone = transaction
            .execute("DELETE FROM seeds WHERE (tree = 0 AND number > ?1) OR (tree = 1 AND number > ?2)", (block, batch))?;
        if gone > 0 {
            note_cut(&transaction)?;
        }
        transaction.execute("DELETE FROM cuts WHERE number >= ?1", [next])?;
        Ok(transaction.commit()?)
    }

    fn ensure(&self, tree: Tree, numbers: &[i64]) -> Result<(), Error> {
        let mut inner = self.inner();
        let Inner { connection, generations } = &mut *inner;
        let mut missing = Vec::new();
        for &number in numbers {
            if !has_any(connection, tree, number)? {
                missing.push(number);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for number in missing {
            insert(&transaction, generations, tree, number, &(0, 0, random()?))?;
        }
        Ok(transaction.commit()?)
    }

    fn seeds(&self, tree: Tree, number: i64) -> Result<Vec<Node>, Error> {
        self.read(|inner| inner.seeds(tree, number))
    }
}

impl Inner {
    fn seeds(&mut self, tree: Tree, number: i64) -> Result<Vec<Node>, Error> {
        if !has_any(&self.connection, tree, number)? {
            let what = match tree {
                Tree::Block => "block",
                Tree::Batch => "batch",
            };
            return Err(Error::Damaged(format!(
                "the seeds of {what} {number} are not in keys.db: what was sealed under them cannot be shown; put keys.db back from the \
                 backup of the keys"
            )));
        }
        nodes(&self.connection, &mut self.generations, tree, number)
    }
}

/// What the encryption of a seed is bound to.
pub(super) fn place(at: [i64; 4]) -> Vec<u8> {
    let mut place = b"seed/".to_vec();
    at.iter().for_each(|part| place.extend_from_slice(&part.to_be_bytes()));
    place
}

fn number(block: u64) -> i64 {
    i64::try_from(block).unwrap_or(i64::MAX)
}

fn has_any(connection: &rusqlite::Connection, tree: Tree, number: i64) -> Result<bool, Error> {
    let mut select = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM seeds WHERE tree = ?1 AND number = ?2)")?;
    Ok(select.query_row((tree as i64, number), |row| row.get(0))?)
}

fn nodes(connection: &rusqlite::Connection, generations: &mut Generations, tree: Tree, number: i64) -> Result<Vec<Node>, Error> {
    let mut select = connection.prepare_cached(
        "SELECT depth, path, seed, generation FROM seeds WHERE tree = ?1 AND number = ?2 AND depth < ?3 ORDER BY depth, path",
    )?;
    let rows: Vec<(u8, u32, Vec<u8>, i64)> = select
        .query_map((tree as i64, number, ERASED), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(depth, path, seed, generation)| {
            let at = place([tree as i64, number, depth.into(), path.into()]);
            Ok((depth, path, generations.unwrap(&at, generation, &seed)?))
        })
        .collect()
}

fn insert(
    connection: &rusqlite::Connection,
    generations: &Generations,
    tree: Tree,
    number: i64,
    (depth, path, seed): &Node,
) -> Result<(), Error> {
    let at = place([tree as i64, number, (*depth).into(), (*path).into()]);
    let text = "INSERT INTO seeds (tree, number, depth, path, seed, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let seed = generations.wrap(&at, seed)?;
    connection.prepare_cached(text)?.execute((tree as i64, number, depth, path, seed, generations.current()))?;
    Ok(())
}
