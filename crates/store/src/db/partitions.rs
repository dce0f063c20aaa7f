//! Partitions of `reports` and `fields` on PostgreSQL: made ahead of the writer, and dropped whole when their time is over.

use postgres::Client;

use super::row::Result;
use crate::reports::{BATCH, CHUNK};

/// Batches whose reports are in one partition.
pub(crate) const BATCHES: i64 = 1 << 10;
/// Partitions that are there before anything goes into them. One transaction never takes the numbers of as many batches.
const AHEAD: i64 = 2;

/// The partitions that there are, by their numbers: batch / [`BATCHES`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Partitions {
    last: Option<i64>,
}

/// Asks the database which there are.
pub(crate) fn known(client: &mut Client) -> Result<Partitions> {
    Ok(Partitions { last: list(client)?.into_iter().map(|(number, _)| number).max() })
}

/// Number and estimated rows of each partition of `reports`, oldest first.
pub(crate) fn list(client: &mut Client) -> Result<Vec<(i64, i64)>> {
    let rows = client.query(
        "SELECT c.relname::text, greatest(c.reltuples, 0)::bigint FROM pg_inherits i
         JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'reports'::regclass ORDER BY 1",
        &[],
    )?;
    let number = |name: &str| name.strip_prefix("reports_")?.parse().ok();
    Ok(rows.iter().filter_map(|row| Some((number(row.get(0))?, row.get(1)))).collect())
}

impl Partitions {
    /// Whether there are enough behind the one that batch `last` is in.
    pub(crate) fn reach(&self, last: i64) -> bool {
        self.last.is_some_and(|made| made >= last / BATCHES + AHEAD)
    }

    /// Makes those that are missing. They are attached, so that nobody who writes has to wait.
    pub(crate) fn make(&mut self, client: &mut Client, last: i64) -> Result<()> {
        let batch: i64 = client.query_one("SELECT coalesce(max(id), 0) FROM batches", &[])?.get(0);
        let last = last.max(batch);
        let first = self.last.map_or(last / BATCHES, |made| made + 1);
        for number in first..=last / BATCHES + AHEAD {
            let mut text = "BEGIN;".to_owned();
            for (table, size) in [("reports", BATCH), ("fields", BATCH / CHUNK)] {
                let (from, to) = (number * BATCHES * size, (number + 1) * BATCHES * size);
                let name = name(table, number);
                text += &format!(
                    "CREATE TABLE {name} (LIKE {table} INCLUDING ALL);
                     ALTER TABLE {name} ADD CONSTRAINT {name}_range CHECK (id >= {from} AND id < {to});
                     ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to});"
                );
            }
            client.batch_execute(&(text + "COMMIT"))?;
            self.last = Some(number);
        }
        Ok(())
    }
}

/// Makes those of all batches up to `last`: for rows that come from a backup.
pub(crate) fn make_all(client: &mut Client, last: i64) -> Result<()> {
    let mut made = Partitions { last: Some(known(client)?.last.unwrap_or(-1)) };
    made.make(client, last)
}

/// The name of a partition: so that names sort as their numbers do.
pub(crate) fn name(table: &str, number: i64) -> String {
    format!("{table}_{number:010}")
}
