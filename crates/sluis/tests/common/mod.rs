//! A user at a terminal: runs the real program in a directory of its own.
// Each journey uses what it needs of this; a test that cannot go on stops.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// When the clock of the journeys starts.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// An administration: a provider, a reseller, and an address that moved from one customer to another.
pub(crate) const CUSTOMERS: &str = "\
party,party_name,parent,roles,resource,level,from,to,service,contact_mail
P-1,Example Hosting,,provider,192.0.2.0/24,allocated,2020-01-01,,,abuse@hosting.example
R-1,Reseller One,P-1,reseller,192.0.2.0/26,sub-allocated,2021-05-01,,,abuse@reseller.example
C-1,First Customer,R-1,customer,192.0.2.7,assigned,2024-01-01,2026-10-01,vps-1,one@customer.example
C-2,Second Customer,R-1,customer,192.0.2.7,assigned,2026-10-01,,vps-2,two@customer.example
";

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run went well; what it wrote.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// The run ended with `code`; what it complained.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.err
    }
}

/// Every line of a text as JSON.
#[track_caller]
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// A working directory with a data directory in it, both gone at the end.
pub(crate) struct User {
    pub(crate) directory: PathBuf,
}

impl User {
    pub(crate) fn new() -> User {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluis-cli-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        User { directory }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
        command.args(["--now", NOW, "--data"]).arg(self.data()).args(arguments).current_dir(&self.directory);
        command.env_remove("SLUIS_DATA").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        finished(self.command(arguments).spawn().unwrap())
    }

    pub(crate) fn pipe(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        finished(child)
    }

    /// The only line of a run as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut found = lines(&self.run(arguments).good());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn finished(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A report as XARF v4 has it.
pub(crate) fn login_attack(address: &str, seen: &str) -> String {
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"{seen}",
"reporter":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"sender":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"source_identifier":"{address}","source_port":40222,"category":"connection","type":"login_attack","protocol":"tcp",
"first_seen":"{seen}","destination_ip":"203.0.113.9","destination_port":22,"evidence_source":"honeypot"}}"#
    )
}

/// Whether nothing in a text would be obeyed by a terminal.
pub(crate) fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| {
        c == '\n' || !(c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    })
}

pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}
