//! PostgreSQL: how it is reached, kept and asked.
//!
//! One process owns a node. Its owner's connection holds one advisory lock for as long as it lives; every connection that
//! writes holds another one shared, so that who takes over waits until the last of the former owner's is gone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::types::{FromSql, IsNull, ToSql, Type};
use postgres::{Client, Config, NoTls};

use super::partitions::{self, Partitions};
use super::row::{Failure, Result, Value};
use crate::Error;

/// The migrations, oldest first; see `sqlite::MIGRATIONS`.
pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first_light", include_str!("../../migrations/postgres/0001_first_light.sql")),
    ("0002_the_desk", include_str!("../../migrations/postgres/0002_the_desk.sql")),
    ("0003_the_seal", include_str!("../../migrations/postgres/0003_the_seal.sql")),
    ("0004_every_door", include_str!("../../migrations/postgres/0004_every_door.sql")),
];

/// How long a new owner waits for the last connections of the former one: the server ends them when it sees that their
/// process is gone, and finishes what they had begun to commit.
const TAKING_OVER: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 300;
/// Connections that are kept when nobody uses them.
const IDLE: usize = 8;
/// First half of the advisory locks' keys; the second is the schema's hash, so that one database may hold two nodes.
const OWNER: i32 = 0x51_75_69_73;
const WRITER: i32 = 0x51_75_69_74;
const ALONE: i32 = 0x51_75_69_75;

/// A PostgreSQL server, and the database there that is the node's.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
}

impl Server {
    /// Understands a connection string, such as `host=/run/postgresql dbname=sluis user=sluis`.
    ///
    /// # Errors
    /// [`Error::Server`] when it is none, or asks for TLS.
    pub(crate) fn parse(text: &str, password: Option<&[u8]>) -> std::result::Result<Server, Error> {
        let mut config = Config::from_str(text).map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::Server(format!("this is no connection string ({why}); write host=/run/postgresql dbname=sluis user=sluis"))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::Server(
                "this program speaks no TLS to PostgreSQL: use its Unix socket, localhost or a tunnel, and leave sslmode out"
                    .into(),
            ));
        }
        config.ssl_mode(SslMode::Disable);
        if let Some(password) = password {
            config.password(password);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host_path("/run/postgresql");
        }
        config.application_name("sluis");
        Ok(Server { config })
    }

    /// Where it is, for people: nothing secret.
    pub fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        format!("database {} at {}", self.config.get_dbname().unwrap_or("of the user's name"), hosts.join(", "))
    }

    /// A connection that is not of a pool, to fill a database that nobody owns yet.
    pub(crate) fn alone(&self) -> std::result::Result<Session, Error> {
        own(self, &[OWNER])
    }

    fn connect(&self, settings: &str) -> std::result::Result<Session, Error> {
        let mut client = self.config.connect(NoTls).map_err(|error| {
            Error::Server(format!(
                "no connection to PostgreSQL ({}): {error}; is it running, and may this user in?",
                self.place()
            ))
        })?;
        client.batch_execute(settings).map_err(Failure::from)?;
        Ok(Session { client: Some(Box::new(client)), statements: HashMap::new() })
    }
}

#[cfg(test)]
impl Server {
    /// Runs statements, as whoever may.
    pub(crate) fn run_for_test(&self, text: &str) {
        self.connect(SETTINGS).unwrap().run(text).unwrap();
    }

    /// Brings the schema up to some migration.
    pub(crate) fn migrate_for_test(&self, migrations: usize) {
        migrate(&mut self.connect(SETTINGS).unwrap(), &MIGRATIONS[..migrations]).unwrap();
    }
}

/// What holds for every connection. Rows are looked for by keys of which there are many, whatever the planner remembers of
/// a table's size: a batch must not be planned for the empty table of yesterday.
const SETTINGS: &str = "SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = 0;
    SET idle_in_transaction_session_timeout = 0; SET jit = off; SET random_page_cost = 1.1; SET work_mem = '64MB'";
/// What holds for those that write: an acknowledgement means durable, whatever the server's default is.
const WRITING: &str = "; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// What holds for those that only read: a page of a list is found by walking an index, whatever the conditions that the
/// planner sees; it must not be led to sort everything by one that matches a partial index.
const BROWSING: &str = "; SET plan_cache_mode = force_generic_plan";
/// One unchanging picture.
const READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// One connection with what is prepared on it.
pub(crate) struct Session {
    /// There until it is dropped.
    client: Option<Box<Client>>,
    statements: HashMap<String, postgres::Statement>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Saying goodbye blocks, and the last owner of a store may be a thread that must not.
        if let Some(client) = self.client.take() {
            let _ = std::thread::Builder::new().spawn(move || drop(client)).map(std::thread::JoinHandle::join);
        }
    }
}

impl Session {
    pub(crate) fn client(&mut self) -> Result<&mut Client> {
        self.client.as_deref_mut().ok_or(Failure::Aborted)
    }

    fn is_closed(&self) -> bool {
        self.client.as_ref().is_none_or(|client| client.is_closed())
    }

    fn run(&mut self, text: &str) -> Result<()> {
        Ok(self.client()?.batch_execute(text)?)
    }

    pub(crate) fn prepare(&mut self, text: &str) -> Result<postgres::Statement> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let client = self.client()?;
        let mut statement = client.prepare(text)?;
        if statement.params().iter().any(is_short) {
            // "$1 < 0" would make a short integer of what may be the number of a row.
            let types: Vec<Type> =
                statement.params().iter().map(|of| if is_short(of) { Type::INT8 } else { of.clone() }).collect();
            statement = client.prepare_typed(text, &types)?;
        }
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn is_short(of: &Type) -> bool {
    matches!(*of, Type::INT2 | Type::INT4)
}

/// The connections of a process to its node's database.
pub(crate) struct Pool {
    server: Server,
    owner: Mutex<Session>,
    writers: Mutex<Vec<Session>>,
    readers: Mutex<Vec<Session>>,
    /// Held to read by transactions that may run beside each other, and to write by one that must be alone.
    pub(crate) turn: RwLock<()>,
    pub(crate) numbers: Numbers,
    partitions: Mutex<Partitions>,
}

/// The last number given out of each table, as only one process gives them out. What a transaction that was undone had
/// taken is not given out again.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<HashMap<&'static str, i64>>);

impl Numbers {
    fn last(&self, table: &str) -> Option<i64> {
        held(&self.0).get(table).copied()
    }

    /// Takes `count` numbers; `last` asks the database for the largest when nobody has asked yet.
    pub(crate) fn take(&self, table: &'static str, count: i64, last: impl FnOnce() -> Result<i64>) -> Result<i64> {
        let mut numbers = held(&self.0);
        let known = match numbers.get(table) {
            Some(known) => *known,
            None => last()?,
        };
        numbers.insert(table, known + count);
        Ok(known + 1)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole at any moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Becomes the owner of the node's database, and brings its schema up to date.
    pub(crate) fn open(server: &Server) -> std::result::Result<Pool, Error> {
        let mut owner = own(server, &[OWNER, WRITER])?;
        migrate(&mut owner, MIGRATIONS)?;
        let partitions = partitions::known(owner.client()?)?;
        Ok(Pool {
            server: server.clone(),
            owner: Mutex::new(owner),
            writers: Mutex::default(),
            readers: Mutex::default(),
            turn: RwLock::new(()),
            numbers: Numbers::default(),
            partitions: Mutex::new(partitions),
        })
    }

    /// Notes which data directory the database goes with, or compares it with the one that was noted.
    pub(crate) fn belongs_to(&self, identity: &[u8]) -> std::result::Result<(), Error> {
        let mut owner = held(&self.owner);
        let client = owner.client()?;
        client.execute("UPDATE node SET identity = $1 WHERE identity IS NULL", &[&identity]).map_err(Failure::from)?;
        let kept: Vec<u8> = client.query_one("SELECT identity FROM node", &[]).map_err(Failure::from)?.get(0);
        if kept == identity {
            return Ok(());
        }
        Err(Error::Server(format!(
            "the {} belongs to another data directory: its keys are not here. Name the right directory, or another database",
            self.server.place()
        )))
    }

    /// Where the database is, for people.
    pub(crate) fn place(&self) -> String {
        self.server.place()
    }

    /// A connection with a transaction begun, to write.
    pub(crate) fn begin(&self) -> std::result::Result<Session, Error> {
        self.partitions_ahead()?;
        begun(&self.writers, "BEGIN", || self.writer())
    }

    /// A connection with one unchanging picture of the database.
    pub(crate) fn begin_reading(&self) -> std::result::Result<Session, Error> {
        begun(&self.readers, READING, || self.server.connect(&format!("{SETTINGS}{BROWSING}")))
    }

    pub(crate) fn end(&self, session: Session) {
        put_back(&self.writers, session);
    }

    pub(crate) fn end_reading(&self, session: Session) {
        put_back(&self.readers, session);
    }

    /// The owner's connection, made anew when it was lost. Nobody can have been the owner meanwhile: a database goes with
    /// one data directory, and this process holds the lock of that. Its own writers may be there still.
    fn owner(&self) -> std::result::Result<MutexGuard<'_, Session>, Error> {
        let mut owner = held(&self.owner);
        let is_held = owner.client().and_then(|client| Ok(client.simple_query("SELECT 1")?)).is_ok();
        if !is_held {
            *owner = own(&self.server, &[OWNER])?;
        }
        Ok(owner)
    }

    fn writer(&self) -> std::result::Result<Session, Error> {
        let _owner = self.owner()?;
        let mut writer = self.server.connect(&format!("{SETTINGS}{WRITING}"))?;
        let lock = format!("SELECT pg_advisory_lock_shared({WRITER}, hashtext(current_schema()))");
        writer.run(&lock)?;
        Ok(writer)
    }

    fn partitions_ahead(&self) -> std::result::Result<(), Error> {
        let mut partitions = held(&self.partitions);
        let last = self.numbers.last("batches").unwrap_or(0);
        if partitions.reach(last) {
            return Ok(());
        }
        let mut owner = self.owner()?;
        Ok(partitions.make(owner.client()?, last)?)
    }
}

fn begun(
    idle: &Mutex<Vec<Session>>,
    begin: &str,
    connect: impl Fn() -> std::result::Result<Session, Error>,
) -> std::result::Result<Session, Error> {
    // What lay idle may have been closed by the server meanwhile.
    loop {
        let Some(mut session) = held(idle).pop() else { break };
        if !session.is_closed() && session.run(begin).is_ok() {
            return Ok(session);
        }
    }
    let mut session = connect()?;
    session.run(begin)?;
    Ok(session)
}

fn put_back(idle: &Mutex<Vec<Session>>, session: Session) {
    let mut idle = held(idle);
    if !session.is_closed() && idle.len() < IDLE {
        idle.push(session);
    }
}

/// Takes the advisory lock of the node's owner, and with [`WRITER`] waits for the last writer of a former one.
fn own(server: &Server, locks: &[i32]) -> std::result::Result<Session, Error> {
    let mut session = server.connect(SETTINGS)?;
    let begun = Instant::now();
    for lock in locks {
        let ask = format!("SELECT pg_try_advisory_lock({lock}, hashtext(current_schema()))");
        while !session.client()?.query_one(&ask, &[]).map_err(Failure::from)?.get::<_, bool>(0) {
            if begun.elapsed() > TAKING_OVER {
                return Err(Error::Owned(server.place().into()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    if locks.contains(&WRITER) {
        session.run(&format!("SELECT pg_advisory_unlock({WRITER}, hashtext(current_schema()))"))?;
    }
    Ok(session)
}

/// Begins to read on a connection that is not of a pool, on another one when it was lost.
pub(crate) fn begin_alone(session: Option<Session>, server: &Server) -> std::result::Result<Session, Error> {
    if let Some(mut session) = session
        && session.run(READING).is_ok()
    {
        return Ok(session);
    }
    let mut session = server.connect(&format!("{SETTINGS}{BROWSING}"))?;
    session.run(READING)?;
    Ok(session)
}

/// Opens the database to read only, beside the process that owns it.
pub(crate) fn open_reader(server: &Server) -> std::result::Result<Session, Error> {
    let mut session = server.connect(&format!("{SETTINGS}{BROWSING}"))?;
    let there: bool = session.client()?.query_one("SELECT to_regclass('node') IS NOT NULL", &[]).map_err(Failure::from)?.get(0);
    if !there {
        return Err(Error::Server(format!(
            "there is no data in the {} yet; 'sluis receive' or 'sluis import' begins it",
            server.place()
        )));
    }
    check_version(&mut session, MIGRATIONS)?;
    Ok(session)
}

fn check_version(session: &mut Session, migrations: &[(&str, &str)]) -> std::result::Result<i64, Error> {
    let found: i64 = session.client()?.query_one("SELECT version FROM node", &[]).map_err(Failure::from)?.get(0);
    let known = migrations.len() as i64;
    if found > known { Err(Error::Newer { found, known }) } else { Ok(found) }
}

/// Brings the schema up to date. Whoever gets here owns the database.
pub(crate) fn migrate(session: &mut Session, migrations: &[(&str, &str)]) -> std::result::Result<(), Error> {
    let encoding: String = session.client()?.query_one("SHOW server_encoding", &[]).map_err(Failure::from)?.get(0);
    if encoding != "UTF8" {
        return Err(Error::Server(format!("the database has encoding {encoding}; make one with ENCODING 'UTF8'")));
    }
    session.run(
        "BEGIN; CREATE TABLE IF NOT EXISTS node (version BIGINT NOT NULL, identity BYTEA);
         INSERT INTO node (version) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM node); COMMIT",
    )?;
    let found = check_version(session, migrations)?;
    for (number, (_, text)) in migrations.iter().enumerate().skip(found as usize) {
        session.run(&format!("BEGIN; {text}; UPDATE node SET version = {}; COMMIT", number + 1))?;
    }
    Ok(())
}

/// A transaction under way on a connection.
pub(crate) struct Open {
    session: RefCell<Session>,
    failed: Cell<bool>,
}

impl Open {
    pub(crate) fn new(session: Session) -> Open {
        Open { session: RefCell::new(session), failed: Cell::new(false) }
    }

    /// Whether a statement failed: then the server undoes everything, whatever follows.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Commits; the connection, when it is as good as before.
    pub(crate) fn commit(self) -> (Result<()>, Session) {
        let failed = self.has_failed();
        let mut session = self.session.into_inner();
        // PostgreSQL answers COMMIT well when it undoes a failed transaction.
        let result = if failed { session.run("ROLLBACK").and(Err(Failure::Aborted)) } else { session.run("COMMIT") };
        (result, session)
    }

    /// Undoes everything.
    pub(crate) fn roll_back(self) -> Option<Session> {
        let mut session = self.session.into_inner();
        session.run("ROLLBACK").is_ok().then_some(session)
    }

    /// Runs `work` on the connection.
    pub(crate) fn on<T>(&self, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        // Only an answer that is still being read can have it; see `Statement::each`.
        let mut session = self.session.try_borrow_mut().map_err(|_| Failure::Busy)?;
        let result = work(&mut session);
        if matches!(result, Err(Failure::Postgres(_) | Failure::Aborted)) {
            self.failed.set(true);
        }
        result
    }
}

/// Waits for the lock of [`super::Transaction::alone`], which the end of the transaction lets go.
pub(crate) fn alone(session: &mut Session) -> Result<()> {
    session.run(&format!("SELECT pg_advisory_xact_lock({ALONE}, hashtext(current_schema()))"))
}

/// Runs a statement; the number of rows it changed.
pub(crate) fn execute(session: &mut Session, statement: &postgres::Statement, values: &[Value<'_>]) -> Result<usize> {
    let mut rows = session.client()?.query_raw(statement, values)?;
    while postgres::fallible_iterator::FallibleIterator::next(&mut rows)?.is_some() {}
    Ok(rows.rows_affected().unwrap_or(0) as usize)
}

/// Runs a statement; all rows of its answer.
pub(crate) fn query(session: &mut Session, statement: &postgres::Statement, values: &[Value<'_>]) -> Result<Vec<postgres::Row>> {
    let rows = session.client()?.query_raw(statement, values)?;
    Ok(postgres::fallible_iterator::FallibleIterator::collect(rows)?)
}

/// Runs a statement, and hands each row of its answer to `take`, as long as that says so.
pub(crate) fn each(
    session: &mut Session,
    statement: &postgres::Statement,
    values: &[Value<'_>],
    mut take: impl FnMut(&postgres::Row) -> bool,
) -> Result<()> {
    let mut rows = session.client()?.query_raw(statement, values)?;
    while let Some(row) = postgres::fallible_iterator::FallibleIterator::next(&mut rows)? {
        if !take(&row) {
            break;
        }
    }
    Ok(())
}

pub(crate) fn value(row: &postgres::Row, at: usize) -> Result<Value<'_>> {
    Ok(row.try_get::<_, Raw<'_>>(at)?.0)
}

/// A value as a column has it.
struct Raw<'a>(Value<'a>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> std::result::Result<Raw<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(match *of {
            Type::BOOL => Value::Integer(i64::from(bool::from_sql(of, raw)?)),
            Type::INT2 => Value::Integer(i16::from_sql(of, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(of, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(of, raw)?),
            Type::BYTEA => Value::Bytes(raw),
            _ => Value::Text(<&str>::from_sql(of, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Raw<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(Value::Null))
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::BOOL | Type::INT2 | Type::INT4 | Type::INT8 | Type::BYTEA | Type::TEXT | Type::VARCHAR | Type::NAME)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, of) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT8) => out.put_i64(*number),
            (Value::Integer(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
            (Value::Integer(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
            (Value::Integer(number), &Type::BOOL) => out.put_u8(u8::from(*number != 0)),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::UNKNOWN) => put_text(text, out),
            (Value::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, of) => return Err(format!("{value:?} cannot be given as {of}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

/// Text of PostgreSQL cannot hold the character U+0000, which what comes from outside may: it is shown as what could not
/// be read.
pub(crate) fn put_text(text: &str, out: &mut BytesMut) {
    let mut parts = text.split('\0');
    out.put_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        out.put_slice("\u{fffd}".as_bytes());
        out.put_slice(part.as_bytes());
    }
}

/// Whether the cause is a full disk.
pub(crate) fn is_full(error: &postgres::Error) -> bool {
    error.code() == Some(&SqlState::DISK_FULL)
}

/// Whether the server said that it did not do it. A connection that was lost says nothing about a commit.
pub(crate) fn is_surely_undone(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| !["08", "57", "58", "XX", "40003"].iter().any(|class| code.code().starts_with(class)))
}

/// Whether the same transaction is to be tried again: another one was in its way.
pub(crate) fn is_in_the_way(error: &postgres::Error) -> bool {
    let ways = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION];
    error.code().is_some_and(|code| ways.contains(code))
}
