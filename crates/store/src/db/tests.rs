//! Both databases are the same to everything above: schemas, statements, and what a transaction promises.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

#[path = "../../tests/cluster/mod.rs"]
mod cluster;
mod migrations;
mod statements;

/// An empty directory that goes away.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sluis-db-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn postgres(database: &cluster::Database) -> Engine {
    Engine::postgres(&database.connection, None).unwrap()
}

/// Runs a test on SQLite, and on PostgreSQL when there is a server.
macro_rules! on_both {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&super::Engine::Sqlite); })+
        }
        mod on_postgresql {
            $(#[test] fn $name() {
                if let Some(database) = super::cluster::database() {
                    super::$name(&super::postgres(&database));
                }
            })+
        }
    };
}

on_both! {
    what_a_closure_wrote_is_there_only_when_it_ended_well
    a_failure_that_was_passed_over_undoes_everything
    what_is_overtaken_is_tried_again
    values_come_back
    numbers_follow_each_other
    many_rows_at_once
    a_reader_sees_one_picture
    a_view_of_a_log_never_goes_back
    two_who_advance_a_view_at_once_never_roll_it_back
    conflicts_and_cosignatures_are_kept_once
    newer_data_is_refused
}

fn store(engine: &Engine) -> (Store, Folder) {
    let folder = Folder::new();
    (Store::open_on(&folder.0, engine).unwrap(), folder)
}

fn counter(store: &Store, name: &str) -> i64 {
    store.reader().unwrap().read(|transaction| transaction.counter(name)).unwrap()
}

fn what_a_closure_wrote_is_there_only_when_it_ended_well(engine: &Engine) {
    let (store, _folder) = store(engine);
    store.write("well", |transaction| transaction.set_counter("a", 1)).unwrap();
    let failed: Outcome<()> = store.write("badly", |transaction| {
        transaction.set_counter("a", 2)?;
        Err(Error::Random)
    });
    assert!(matches!(failed, Err(Error::Random)));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _: Outcome<()> = store.write("panic", |transaction| {
            transaction.set_counter("a", 3)?;
            panic!("on purpose")
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(counter(&store, "a"), 1);
    store.write("after all that", |transaction| transaction.set_counter("a", 4)).unwrap();
    assert_eq!(counter(&store, "a"), 4);
}

fn a_failure_that_was_passed_over_undoes_everything(engine: &Engine) {
    let (store, _folder) = store(engine);
    let result = store.write("passed over", |transaction| {
        transaction.set_counter("a", 1)?;
        let refused = transaction.execute("INSERT INTO counters (name, value) VALUES ($1, $2)", ("a", 2));
        assert!(refused.is_err());
        Ok::<_, Error>(())
    });
    // SQLite goes on after a statement that failed; PostgreSQL does not, and must not be taken to have committed.
    match engine {
        Engine::Sqlite => assert_eq!(counter(&store, "a"), 1),
        Engine::Postgres(_) => {
            let error = result.unwrap_err();
            assert!(error.is_surely_undone(), "{error}");
            assert_eq!(counter(&store, "a"), 0);
        }
    }
    store.write("after that", |transaction| transaction.set_counter("a", 7)).unwrap();
    assert_eq!(counter(&store, "a"), 7);
}

fn what_is_overtaken_is_tried_again(engine: &Engine) {
    let (store, _folder) = store(engine);
    let mut runs = 0;
    let result = store.write_beside("overtaken", |transaction| {
        runs += 1;
        transaction.raise("generation")?;
        if runs < 3 { Err(Failure::Overtaken.into()) } else { Ok(runs) }
    });
    match engine {
        // Nobody else writes there.
        Engine::Sqlite => assert!(result.is_err()),
        Engine::Postgres(_) => {
            assert_eq!(result.unwrap(), 3);
            assert_eq!(counter(&store, "generation"), 1, "what was overtaken left nothing");
        }
    }
}

fn values_come_back(engine: &Engine) {
    let (store, _folder) = store(engine);
    let text = "naïve ☃ \u{1F512} 'quoted' \\ back\nline";
    store
        .write("values", |transaction| {
            let mut insert = transaction
                .prepare("INSERT INTO set_aside (submission, ordinal, queue, place, text, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")?;
            assert_eq!(insert.execute((i64::MAX, u32::MAX, 1u8, text, "", "nothing\0after", i64::MIN))?, 1);
            transaction.execute("INSERT INTO raw (submission, frames) VALUES ($1, $2)", (1i64, &[0u8, 255, 0][..]))?;
            transaction.execute(
                "INSERT INTO assignments (id, source, first, last, name, party, level, valid_from, valid_to, service, product, panel,
                     account, reference, recorded, superseded, reason)
                 VALUES ($1, 1, $2, $3, $4, 1, 1, $5, $6, '', '', '', '', '', 0, NULL, '')",
                (1i64, Some([7u8; 16]), None::<[u8; 16]>, None::<String>, None::<i64>, Some(-5i64)),
            )?;
            Ok::<_, Error>(())
        })
        .unwrap();
    let mut reader = store.reader().unwrap();
    reader
        .read(|transaction| {
            let mut select = transaction.prepare("SELECT submission, ordinal, place, text, reason, at FROM set_aside")?;
            let row: (i64, u32, String, String, String, i64) =
                select.query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))?;
            let reason = if matches!(engine, Engine::Sqlite) { "nothing\0after" } else { "nothing\u{fffd}after" };
            assert_eq!(row, (i64::MAX, u32::MAX, text.to_owned(), String::new(), reason.to_owned(), i64::MIN));
            let frames: Vec<u8> = transaction.prepare("SELECT frames FROM raw")?.query_row((), |row| row.get(0))?;
            assert_eq!(frames, [0, 255, 0]);
            let mut select = transaction.prepare("SELECT first, last, name, valid_from, valid_to FROM assignments")?;
            let row = select.query_row((), |row| {
                Ok((
                    row.get::<Option<[u8; 16]>>(0)?,
                    row.get::<Option<[u8; 16]>>(1)?,
                    row.get::<Option<String>>(2)?,
                    row.get::<Option<i64>>(3)?,
                    row.get::<Option<i64>>(4)?,
                ))
            })?;
            assert_eq!(row, (Some([7; 16]), None, None, None, Some(-5)));
            let mut truth = transaction.prepare("SELECT EXISTS (SELECT 1 FROM raw WHERE submission = $1)")?;
            assert!(truth.query_row([1i64], |row| row.get::<bool>(0))?);
            assert!(!truth.query_row([2i64], |row| row.get::<bool>(0))?);
            let none =
                transaction.prepare("SELECT frames FROM raw WHERE submission = $1")?.query_row([9i64], |row| row.get::<i64>(0));
            assert!(none.optional()?.is_none());
            let other = transaction.prepare("SELECT frames FROM raw")?.query_row((), |row| row.get::<i64>(0));
            assert!(matches!(other, Err(Failure::Unexpected(0))));
            Ok::<_, Error>(())
        })
        .unwrap();
}

fn numbers_follow_each_other(engine: &Engine) {
    let (store, _folder) = store(engine);
    for expected in [1, 4] {
        let first = store.write("numbers", |transaction| {
            let first = transaction.numbers("chains", 3)?;
            for number in first..first + 3 {
                transaction.execute("INSERT INTO chains (id, digest) VALUES ($1, $2)", (number, number.to_be_bytes()))?;
            }
            Ok::<_, Error>(first)
        });
        assert_eq!(first.unwrap(), expected);
    }
}

fn view(size: u64, root: u8) -> crate::witness::View {
    crate::witness::View {
        origin: "log.sluis.example/2026".to_owned(),
        size,
        root: [root; 32],
        note: String::new(),
        at: model::time::Time(1),
    }
}

fn a_view_of_a_log_never_goes_back(engine: &Engine) {
    use crate::witness::Views::{Watched, Witnessed};
    let (store, _folder) = store(engine);
    let advance = |before: Option<(u64, u8)>, next: (u64, u8)| {
        let before = before.map(|(size, root)| (size, [root; 32]));
        store.write("view", |transaction| transaction.advance_view(Witnessed, before, &view(next.0, next.1))).unwrap()
    };
    assert!(!advance(Some((1, 1)), (5, 5)), "nothing is known yet");
    assert!(advance(None, (5, 5)));
    assert!(!advance(None, (7, 7)));
    for (before, next, done) in [
        ((4, 4), (7, 7), false),
        ((5, 4), (7, 7), false),
        ((5, 5), (4, 4), false),
        ((5, 5), (5, 6), false),
        ((5, 5), (5, 5), true),
        ((5, 5), (7, 7), true),
        ((5, 5), (9, 9), false),
    ] {
        assert_eq!(advance(Some(before), next), done, "{before:?} {next:?}");
    }
    let kept = store.reader().unwrap().read(|transaction| transaction.view(Witnessed, "log.sluis.example/2026")).unwrap();
    assert_eq!(kept, Some(view(7, 7)));
    assert!(store.reader().unwrap().read(|transaction| transaction.views(Watched)).unwrap().is_empty());
}

/// The race that C2SP tlog-witness warns of, by as many threads as want: each looks, and then replaces what it saw.
fn two_who_advance_a_view_at_once_never_roll_it_back(engine: &Engine) {
    use crate::witness::Views::Witnessed;
    let (store, _folder) = store(engine);
    store.write("view", |transaction| transaction.advance_view(Witnessed, None, &view(1, 1))).unwrap();
    let won: Vec<u64> = std::thread::scope(|scope| {
        let race = |thread: u64| {
            let store = &store;
            move || {
                let mut won = Vec::new();
                for round in 0..20 {
                    let seen = store
                        .reader()
                        .unwrap()
                        .read(|transaction| transaction.view(Witnessed, "log.sluis.example/2026"))
                        .unwrap()
                        .unwrap();
                    let next = view(seen.size + 1 + (thread + round) % 3, 9);
                    let done = store
                        .write("view", |transaction| transaction.advance_view(Witnessed, Some((seen.size, seen.root)), &next));
                    if done.unwrap() {
                        won.push(next.size);
                    }
                }
                won
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(race(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    // Each size was reached by one only, and the largest stays.
    let sizes: BTreeSet<u64> = won.iter().copied().collect();
    assert_eq!(sizes.len(), won.len());
    let kept = store.reader().unwrap().read(|transaction| transaction.views(Witnessed)).unwrap();
    assert_eq!(kept.first().map(|kept| kept.size), sizes.last().copied());
}

fn conflicts_and_cosignatures_are_kept_once(engine: &Engine) {
    use crate::witness::{CONFLICTS, Cosignature};
    let (store, _folder) = store(engine);
    let at = model::time::Time;
    let cosignature = |line: &str, time| Cosignature { witness: "w+1".to_owned(), line: line.to_owned(), at: at(time) };
    store
        .write("witness", |transaction| {
            assert!(transaction.add_conflict("a", true, "one", at(1))?);
            assert!(!transaction.add_conflict("a", true, "one", at(2))?);
            for number in 0..CONFLICTS + 5 {
                transaction.add_conflict("b", false, &number.to_string(), at(3))?;
            }
            assert_eq!(transaction.conflicts(1_000)?.len() as i64, 1 + CONFLICTS);
            for (line, time) in [("second", 2), ("first", 1), ("third", 3)] {
                transaction.add_cosignature(1, 64, &cosignature(line, time))?;
            }
            assert_eq!(transaction.cosignatures(1, 64)?, [cosignature("third", 3)]);
            assert_eq!((transaction.cosigned_by(1, "w+1")?, transaction.cosigned_by(2, "w+1")?), (64, 0));
            assert_eq!((transaction.last_cosigned("w+1")?, transaction.last_cosigned("x")?), (Some(at(3)), None));
            Ok::<_, Error>(())
        })
        .unwrap();
}

fn many_rows_at_once(engine: &Engine) {
    let (store, _folder) = store(engine);
    let fill = |transaction: &Transaction<'_>, from: i64| {
        transaction.insert_many(
            "assignments",
            "id, source, party, level, service, product, panel, account, reference, recorded, reason, first, valid_from",
            |rows| {
                for number in from..from + 1_000 {
                    let first = (number % 2 == 0).then(|| number.to_be_bytes());
                    rows.add((number, 1, 1, 1, "", "ü", "", "", number.to_string(), 0, "", first, None::<i64>))?;
                }
                Ok(())
            },
        )
    };
    store.write("many", |transaction| fill(transaction, 1)).unwrap();
    store.write("none", |transaction| transaction.insert_many("raw", "submission, frames", |_| Ok(()))).unwrap();
    let again = store.write("the same", |transaction| fill(transaction, 1_000));
    assert!(again.is_err(), "one of them is there already");
    store
        .reader()
        .unwrap()
        .read(|transaction| {
            let mut select =
                transaction.prepare("SELECT count(*), CAST(sum(id) AS BIGINT), count(first), max(reference) FROM assignments")?;
            let row = select
                .query_row((), |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<String>(3)?)))?;
            assert_eq!(row, (1_000, 500_500, 500, "999".to_owned()));
            let mut sum = 0;
            transaction.prepare("SELECT id FROM assignments")?.each((), |row| {
                sum += row.get::<i64>(0)?;
                Ok::<_, Error>(())
            })?;
            assert_eq!(sum, 500_500);
            Ok::<_, Error>(())
        })
        .unwrap();
}

fn a_reader_sees_one_picture(engine: &Engine) {
    let (store, folder) = store(engine);
    store.write("before", |transaction| transaction.set_counter("a", 1)).unwrap();
    let mut beside = Reader::open_on(&folder.0, engine).unwrap();
    beside
        .read(|transaction| {
            assert_eq!(transaction.counter("a")?, 1);
            store.write("meanwhile", |transaction| transaction.set_counter("a", 2))?;
            assert_eq!(transaction.counter("a")?, 1);
            assert!(transaction.set_counter("a", 3).is_err(), "a reader changes nothing");
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(beside.read(|transaction| transaction.counter("a")).unwrap(), 2);
    let status = beside.status().unwrap();
    assert_eq!(status.schema, status.known);
    assert!(status.tables.iter().any(|table| table.name == "reports"), "{status:?}");
    assert!(status.bytes > 0);
}

fn newer_data_is_refused(engine: &Engine) {
    let (store, folder) = store(engine);
    drop(store);
    match engine {
        Engine::Sqlite => {
            let connection = rusqlite::Connection::open(folder.0.join("sluis.db")).unwrap();
            connection.pragma_update(None, "user_version", 999).unwrap();
        }
        Engine::Postgres(server) => server.run_for_test("UPDATE node SET version = 999"),
    }
    assert!(matches!(Store::open_on(&folder.0, engine), Err(Error::Newer { found: 999, .. })));
    assert!(matches!(Reader::open_on(&folder.0, engine), Err(Error::Newer { found: 999, .. })));
}

#[test]
fn a_database_has_one_owner_and_one_directory() {
    let Some(database) = cluster::database() else { return };
    let engine = postgres(&database);
    let (one, other) = (Folder::new(), Folder::new());
    assert!(matches!(Reader::open_on(&one.0, &engine), Err(Error::Server(_))), "there is nothing yet");
    let store = Store::open_on(&one.0, &engine).unwrap();
    assert!(matches!(Store::open_on(&other.0, &engine), Err(Error::Owned(_))), "somebody owns it");
    drop(store);
    let refused = Store::open_on(&other.0, &engine).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("another data directory"), "{refused}");
    assert!(Store::open_on(&one.0, &engine).is_ok());
}

#[test]
fn a_directory_of_postgresql_is_not_opened_without_it() {
    let Some(database) = cluster::database() else { return };
    let folder = Folder::new();
    drop(Store::open_on(&folder.0, &postgres(&database)).unwrap());
    for refused in [Store::open(&folder.0).map(|_| ()), Reader::open(&folder.0).map(|_| ())] {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("--config"), "{error}");
    }
    // Nor the other way round.
    let folder = Folder::new();
    drop(Store::open(&folder.0).unwrap());
    let error = Store::open_on(&folder.0, &postgres(&database)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("sluis.db"), "{error}");
}

#[test]
fn connections_that_the_server_ended_are_made_anew() {
    let Some(database) = cluster::database() else { return };
    let folder = Folder::new();
    let store = Store::open_on(&folder.0, &postgres(&database)).unwrap();
    let mut alone = Reader::open_on(&folder.0, &postgres(&database)).unwrap();
    let cut = || {
        let mut client = database.client();
        let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'sluis' AND datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(text, &[]).unwrap();
    };
    for value in 1..4 {
        cut();
        store.write("after the cut", |transaction| transaction.set_counter("a", value)).unwrap();
        cut();
        assert_eq!(counter(&store, "a"), value);
        cut();
        assert_eq!(alone.read(|transaction| transaction.counter("a")).unwrap(), value);
    }
    // The owner's connection alone, while others are there.
    let text = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.client().execute(text, &[]).unwrap();
    let both = std::thread::scope(|scope| {
        let other = scope.spawn(|| store.write_beside("one", |transaction| transaction.set_counter("c", 1)));
        (store.write_beside("two", |transaction| transaction.set_counter("d", 1)), other.join())
    });
    assert!(both.0.is_ok() && both.1.unwrap().is_ok());
    // Cut in the middle, it is not known to be undone by an answer of the server, and nothing of it is there.
    let failed = store.write("cut in two", |transaction| {
        transaction.set_counter("a", 99)?;
        cut();
        transaction.set_counter("b", 99)
    });
    assert!(failed.is_err());
    assert_eq!((counter(&store, "a"), counter(&store, "b")), (3, 0));
}

#[test]
fn connection_strings_that_cannot_be_are_refused_without_their_secrets() {
    for (text, expected) in
        [("host=/x sslmode=require", "TLS"), ("nonsense", "connection string"), ("port=x", "connection string")]
    {
        let error = Engine::postgres(text, Some(b"hunter2")).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"));
    }
    let engine = Engine::postgres("host=/nowhere user=sluis dbname=x password=hunter2", None).unwrap();
    assert!(!format!("{engine:?}").contains("hunter2"));
    let error = Store::open_on(&Folder::new().0, &engine).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("/nowhere") && !error.contains("hunter2"), "{error}");
}
