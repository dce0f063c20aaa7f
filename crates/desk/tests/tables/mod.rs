//! What the database of a node holds, to be compared.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use postgres::types::Type;
use rusqlite::types::ValueRef;

/// Columns that are random, or that count how often somebody tried.
const LEFT_OUT: [&str; 6] = ["public", "digest", "hash", "sealed", "times", "attempts"];

/// Every row of every table as text, but for what is random. What `raw` holds is ciphertext under random keys.
pub(crate) fn tables(data: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = rusqlite::Connection::open(data.join("sluis.db")).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = names.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut tables = BTreeMap::new();
    for name in names.iter().filter(|name| *name != "raw") {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut found = select.query(()).unwrap();
        while let Some(row) = found.next().unwrap() {
            let value = |at: usize| match row.get_ref(at).unwrap() {
                ValueRef::Null => "NULL".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => bytes.escape_ascii().to_string(),
            };
            rows.push(text(&columns, value));
        }
        rows.retain(|row: &String| !is_random(row));
        rows.sort();
        tables.insert(name.clone(), rows);
    }
    tables
}

/// The same of a database in PostgreSQL. What says which data directory it goes with is left out.
pub(crate) fn tables_of_postgres(client: &mut postgres::Client) -> BTreeMap<String, Vec<String>> {
    let names = client
        .query("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition", &[])
        .unwrap();
    let mut tables = BTreeMap::new();
    for name in names.iter().map(|row| row.get::<_, String>(0)).filter(|name| !["raw", "node"].contains(&name.as_str())) {
        let mut rows = Vec::new();
        for row in client.query(&format!("SELECT * FROM {name}"), &[]).unwrap() {
            let columns: Vec<String> = row.columns().iter().map(|column| column.name().to_owned()).collect();
            let value = |at: usize| match *row.columns()[at].type_() {
                Type::INT8 => row.get::<_, Option<i64>>(at).map(|number| number.to_string()),
                Type::TEXT => row.get::<_, Option<String>>(at).map(|text| format!("{text:?}")),
                Type::BYTEA => row.get::<_, Option<Vec<u8>>>(at).map(|bytes| bytes.escape_ascii().to_string()),
                ref other => panic!("{name}: a column of type {other}"),
            };
            rows.push(text(&columns, |at| value(at).unwrap_or_else(|| "NULL".to_owned())));
        }
        rows.retain(|row: &String| !is_random(row));
        rows.sort();
        tables.insert(name, rows);
    }
    tables
}

/// The fingerprint of a node's keys, which are random.
fn is_random(row: &str) -> bool {
    row.contains("name=\"keys\"")
}

fn text(columns: &[String], value: impl Fn(usize) -> String) -> String {
    let kept = columns.iter().enumerate().filter(|(_, column)| !LEFT_OUT.contains(&column.as_str()));
    kept.map(|(at, column)| format!("{column}={} ", value(at))).collect()
}
