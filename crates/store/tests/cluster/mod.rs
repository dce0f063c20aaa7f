//! A PostgreSQL server for tests, and a database of its own for each: the server that `SLUIS_POSTGRES` names (a connection
//! string of somebody who may create databases), or a throw-away one in a temporary directory, if `initdb` is on the machine.
//!
//! The throw-away server ends with this process, however that ends: a shell between the two waits for the end of a pipe.

#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// Whether a throw-away server waits for the disk; to be set before the first use.
pub(crate) static SYNC: AtomicBool = AtomicBool::new(false);

/// A database that goes when this is dropped.
pub(crate) struct Database {
    /// How to reach it.
    pub(crate) connection: String,
    name: String,
}

/// A new, empty database; `None`, said loudly, when there is no server. CI does not pass over it.
pub(crate) fn database() -> Option<Database> {
    let server = server()?;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("sluis_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut client = Client::connect(&format!("{server} dbname=postgres"), NoTls).unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).unwrap();
    Some(Database { connection: format!("{server} dbname={name}"), name })
}

impl Database {
    /// A connection to look into it.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.connection, NoTls).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(server) = server() else { return };
        if let Ok(mut client) = Client::connect(&format!("{server} dbname=postgres"), NoTls) {
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// The connection string of the server, without a database's name.
fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<(String, Option<Child>)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if let Ok(given) = std::env::var("SLUIS_POSTGRES")
            && !given.is_empty()
        {
            return Some((given, None));
        }
        let Some(programs) = programs() else {
            let ci = std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
            assert!(!ci, "no PostgreSQL on this machine (apt-get install postgresql), and CI passes over nothing");
            println!("SKIPPED: no PostgreSQL here. Install it (apt-get install postgresql), or set SLUIS_POSTGRES");
            return None;
        };
        let (connection, child) = start(&programs);
        Some((connection, Some(child)))
    });
    server.as_ref().map(|(connection, _)| connection.as_str())
}

/// The folder with `initdb` and `postgres`; Debian does not put them where commands are looked for.
fn programs() -> Option<PathBuf> {
    let searched = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let mut versions: Vec<PathBuf> = versions.into_iter().map(|entry| entry.path().join("bin")).collect();
    let number = |path: &PathBuf| path.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions.into_iter().chain(searched).find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn start(programs: &Path) -> (String, Child) {
    // Names of sockets are short.
    let folder = std::env::temp_dir().join(format!("sluis-pg-{}", std::process::id()));
    let sync = if SYNC.load(Ordering::Relaxed) { "on" } else { "off" };
    let script = format!(
        "mkdir -m 700 {folder} && cd {folder} && {programs}/initdb -D data -U sluis -A trust -E UTF8 --locale=C --no-sync >log 2>&1 &&
         {{ {programs}/postgres -D data -k {folder} -c listen_addresses= -c fsync={sync} -c shared_buffers=256MB \
             -c max_wal_size=4GB -c max_connections=60 >>log 2>&1 & server=$!; trap '' INT TERM; cat; kill -QUIT $server; wait $server; }}
         rm -rf {folder}",
        folder = folder.display(),
        programs = programs.display(),
    );
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = if root {
        // The server refuses to be root; the Debian package made it a user.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", &script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    };
    let child = command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = format!("host={} user=sluis", folder.display());
    let begun = Instant::now();
    loop {
        match Client::connect(&format!("{server} dbname=postgres"), NoTls) {
            Ok(_) => return (server, child),
            Err(error) => {
                let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {error}\n{}", log());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
