//! Migrations: never altered, the same tables on both databases, and nothing lost on the way up.

use super::*;
use crate::keys::sha256;

/// Schemas that were released, and the fingerprints of what made them: a migration that is out is never altered.
const RELEASED: &[(&str, &str)] = &[
    ("0001_first_light", "2a8d471227ec425718f15055629dde29e11738fa284a0d550fbb9f76fbc213ef"),
    ("0002_the_desk", "d710981d83e329f7f9e0f55a3e4a0a1eed923d264b05fd01ac12aaef94f776a4"),
    ("0003_the_seal", "5d4a76713c77e28a4b206c9d8900153927dc2a0629b9d8b2fffde66af0525650"),
];

#[test]
fn what_was_released_is_not_altered() {
    for (number, (name, fingerprint)) in RELEASED.iter().enumerate() {
        let (there, text) = sqlite::MIGRATIONS[number];
        let found: String = sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((there, found.as_str()), (*name, *fingerprint), "add a migration in place of altering one");
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |migrations: &[(&'static str, &str)]| migrations.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names(sqlite::MIGRATIONS), names(super::super::postgres::MIGRATIONS));
    for (engine, migrations) in [("sqlite", sqlite::MIGRATIONS), ("postgres", super::super::postgres::MIGRATIONS)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        let files: BTreeSet<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(files, names(migrations).iter().map(|name| format!("{name}.sql")).collect());
    }
}

/// Table, column, kind, whether it may be NULL, its default.
type Columns = BTreeSet<(String, String, String, bool, String)>;

fn columns_of_sqlite(connection: &rusqlite::Connection) -> Columns {
    let mut select = connection
        .prepare("SELECT m.name, c.name, c.type, c.\"notnull\" = 0 AND c.pk = 0, coalesce(c.dflt_value, '') FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'")
        .unwrap();
    let rows = select
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?.to_lowercase(), row.get(3)?, row.get(4)?)))
        .unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn columns_of_postgres(client: &mut ::postgres::Client) -> Columns {
    let rows = client
        .query(
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable = 'YES', coalesce(c.column_default, '')::text
             FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace
             WHERE c.table_schema = 'public' AND NOT t.relispartition AND c.table_name <> 'node'",
            &[],
        )
        .unwrap();
    let kind = |name: &str| match name {
        "bigint" => "integer".to_owned(),
        "bytea" => "blob".to_owned(),
        other => other.to_owned(),
    };
    let default = |text: String| text.trim_end_matches("::text").to_owned();
    rows.iter().map(|row| (row.get(0), row.get(1), kind(row.get(2)), row.get(3), default(row.get(4)))).collect()
}

#[test]
fn both_databases_have_the_same_columns_and_indexes() {
    let Some(database) = cluster::database() else { return };
    let (one, other) = (Folder::new(), Folder::new());
    drop(Store::open(&one.0).unwrap());
    drop(Store::open_on(&other.0, &postgres(&database)).unwrap());
    let connection = rusqlite::Connection::open(one.0.join("sluis.db")).unwrap();
    let mut client = database.client();
    let (here, there) = (columns_of_sqlite(&connection), columns_of_postgres(&mut client));
    let differ: Vec<_> = here.symmetric_difference(&there).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").unwrap();
    let here: BTreeSet<String> = select.query_map((), |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    let rows = client
        .query(
            "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'i'
             AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid) AND NOT c.relispartition",
            &[],
        )
        .unwrap();
    let mut there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    // In place of a primary key: remarks may be longer than what an index takes there.
    assert!(there.remove("notes_once"));
    assert_eq!(here, there);
}

/// Statements that put two rows into every table of a schema, with something in each column; the same to both databases.
fn filling(columns: &Columns) -> Vec<String> {
    let mut tables: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (table, column, kind, ..) in columns {
        tables.entry(table).or_default().push((column, kind));
    }
    let mut statements = Vec::new();
    for (table, columns) in tables {
        for row in 1..=2 {
            let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            let values = columns.iter().map(|(name, kind)| match *kind {
                "integer" => (row * 10 + name.len()).to_string(),
                "text" => format!("'{name} {row} é'"),
                _ => format!("decode('0{row}ff', 'hex')"),
            });
            let values: Vec<String> = values.collect();
            statements.push(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", ")));
        }
    }
    statements
}

/// Every row of some columns, as text.
fn rows(columns: &Columns, mut ask: impl FnMut(&str) -> Vec<String>) -> Vec<String> {
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (table, column, kind, ..) in columns {
        let text = match kind.as_str() {
            "blob" => format!("coalesce(lower(HEX({column})), '')"),
            _ => format!("coalesce(CAST({column} AS TEXT), '-')"),
        };
        tables.entry(table).or_default().push(text);
    }
    let mut all = Vec::new();
    for (table, columns) in tables {
        let columns = columns.join(" || ', ' || ");
        let mut rows = ask(&format!("SELECT '{table}: ' || {columns} FROM {table}"));
        rows.sort();
        all.extend(rows);
    }
    all
}

#[test]
fn from_every_released_schema_nothing_is_lost() {
    for released in 1..=RELEASED.len() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        sqlite::migrate(&mut connection, &sqlite::MIGRATIONS[..released]).unwrap();
        let columns = columns_of_sqlite(&connection);
        let of_sqlite = |connection: &rusqlite::Connection, text: &str| -> Vec<String> {
            let mut select = connection.prepare(text).unwrap();
            select.query_map((), |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        for statement in filling(&columns) {
            let statement = statement.replace("decode('", "x'").replace("', 'hex')", "'");
            connection.execute(&statement, ()).unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
        let before = rows(&columns, |text| of_sqlite(&connection, text));
        assert!(before.len() > 30, "{before:?}");
        sqlite::migrate(&mut connection, sqlite::MIGRATIONS).unwrap();
        assert_eq!(rows(&columns, |text| of_sqlite(&connection, text)), before, "{}", RELEASED[released - 1].0);
        let after = rows(&columns_of_sqlite(&connection), |text| of_sqlite(&connection, text));

        let Some(database) = cluster::database() else { continue };
        let mut client = database.client();
        let server = Server::parse(&database.connection, None).unwrap();
        server.migrate_for_test(released);
        for statement in filling(&columns) {
            let statement = match statement.strip_prefix("INSERT INTO reports").or(statement.strip_prefix("INSERT INTO fields")) {
                // Their partitions are made by who writes.
                Some(_) => {
                    let _ = client.batch_execute(
                        "CREATE TABLE IF NOT EXISTS reports_rest PARTITION OF reports DEFAULT;
                         CREATE TABLE IF NOT EXISTS fields_rest PARTITION OF fields DEFAULT",
                    );
                    statement
                }
                None => statement,
            };
            client.execute(&statement, &[]).unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
        let mut of_postgres = |text: &str| -> Vec<String> {
            let text =
                text.replace("lower(HEX(", "lower(encode(").replace("))", ", 'hex'))").replace("AS TEXT, 'hex')", "AS TEXT)");
            client.query(&text, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        assert_eq!(rows(&columns, &mut of_postgres), before);
        server.migrate_for_test(sqlite::MIGRATIONS.len());
        assert_eq!(rows(&columns, &mut of_postgres), before);
        assert_eq!(rows(&columns_of_sqlite(&connection), &mut of_postgres), after, "both make the same of it");
    }
}
