//! Many new rows at once: a prepared statement on SQLite, `COPY` in its binary form on PostgreSQL.

use std::io::Write;

use bytes::{BufMut, BytesMut};

use super::postgres::{Session, put_text};
use super::row::{Failure, Params, Result, Value};
use super::sqlite;

/// Rows on their way into a table.
pub(crate) enum Bulk<'a> {
    /// Written as they come.
    Sqlite(rusqlite::CachedStatement<'a>),
    /// Collected.
    Postgres(Copy),
}

/// Rows in the binary form of `COPY`: PostgreSQL's documentation of it, "Binary Format". Every column is a bigint, text or
/// bytea, and so says the kind of a value what it is.
pub(crate) struct Copy {
    rows: BytesMut,
}

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

impl<'a> Bulk<'a> {
    pub(crate) fn into_sqlite(connection: &'a rusqlite::Connection, table: &str, columns: &str) -> Result<Bulk<'a>> {
        let places: Vec<String> = (1..=columns.split(',').count()).map(|number| format!("${number}")).collect();
        let text = format!("-- db::insert_many\nINSERT INTO {table} ({columns}) VALUES ({})", places.join(", "));
        Ok(Bulk::Sqlite(sqlite::prepare(connection, &text)?))
    }

    pub(crate) fn into_postgres() -> Bulk<'static> {
        Bulk::Postgres(Copy { rows: BytesMut::from(SIGNATURE) })
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: impl Params) -> Result<()> {
        match self {
            Bulk::Sqlite(statement) => row.with(|values| sqlite::execute(statement, values)).map(|_| ()),
            Bulk::Postgres(copy) => row.with(|values| copy.add(values)),
        }
    }
}

impl Copy {
    fn add(&mut self, values: &[Value<'_>]) -> Result<()> {
        let out = &mut self.rows;
        out.put_i16(values.len() as i16);
        for value in values {
            match value {
                Value::Null => out.put_i32(-1),
                Value::Integer(number) => {
                    out.put_i32(8);
                    out.put_i64(*number);
                }
                Value::Bytes(bytes) => {
                    out.put_i32(i32::try_from(bytes.len()).map_err(|_| Failure::TooLong)?);
                    out.put_slice(bytes);
                }
                Value::Text(text) => {
                    let at = out.len();
                    out.put_i32(0);
                    put_text(text, out);
                    let length = i32::try_from(out.len() - at - 4).map_err(|_| Failure::TooLong)?;
                    if let Some(place) = out.get_mut(at..at + 4) {
                        place.copy_from_slice(&length.to_be_bytes());
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn copy(mut self, session: &mut Session, table: &str, columns: &str) -> Result<()> {
        if self.rows.len() == SIGNATURE.len() {
            return Ok(());
        }
        self.rows.put_i16(-1);
        let statement = session.prepare(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)"))?;
        let mut writer = session.client()?.copy_in(&statement)?;
        let rows = self.rows.freeze();
        for part in rows.chunks(1 << 18) {
            writer.write_all(part).map_err(Failure::from)?;
        }
        writer.finish()?;
        Ok(())
    }
}
