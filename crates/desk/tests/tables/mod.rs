//! What a data directory holds, to be compared.

use std::collections::BTreeMap;
use std::path::Path;

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
            let mut text = String::new();
            for (at, column) in columns.iter().enumerate().filter(|(_, column)| !LEFT_OUT.contains(&column.as_str())) {
                text += &format!("{column}={:?} ", row.get_ref(at).unwrap());
            }
            rows.push(text);
        }
        rows.sort();
        tables.insert(name.clone(), rows);
    }
    tables
}
