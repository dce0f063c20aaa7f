//! A running `sluis serve` for the tests, with a client for its pages and a folder that goes away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::SystemClock;
use model::submission::Door;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long anything may take on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of one test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sluis-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Lays a submission into the spool.
    pub(crate) fn spool(&self, name: &str, bytes: &[u8]) {
        desk::spool::put(&self.data(), &SystemClock, Door::Pipe, name, &mut &*bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running node; it is killed when the test lets go of it.
pub(crate) struct Node {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub(crate) address: String,
}

impl Node {
    /// Starts a node with these settings below `[http]`, and waits until it is ready.
    pub(crate) fn start(folder: &Folder, settings: &str) -> Node {
        Node::start_with(folder, settings, &[])
    }

    /// As [`Node::start`], with more in its environment.
    pub(crate) fn start_with(folder: &Folder, settings: &str, environment: &[(&str, &str)]) -> Node {
        let config = folder.0.join("sluis.toml");
        std::fs::write(&config, format!("[http]\nlisten = \"127.0.0.1:0\"\n{settings}")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluis"))
            .args(["--data".as_ref(), folder.data().as_os_str(), "serve".as_ref(), "--config".as_ref(), config.as_os_str()])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, into) = (child.stderr.take().unwrap(), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                into.lock().unwrap().push(line);
            }
        });
        let mut node = Node { child, lines, address: String::new() };
        node.address = until("the node is ready", || {
            let line = node.said("ready")?;
            Some(line["listen"].as_str().unwrap().to_owned())
        });
        node
    }

    /// The first log line with this message.
    pub(crate) fn said(&self, message: &str) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        let mut parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        parsed.find(|line| line["message"] == message)
    }

    /// Everything that was logged.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Asks for a page: status, head and body.
    pub(crate) fn get(&self, page: &str) -> (u16, String, String) {
        self.send(&format!("GET {page} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address))
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // A server that has heard enough may close the connection before it has read everything.
        let _ = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// A number of `/metrics`, by its name and labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, _, text) = self.get("/metrics");
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until a number of `/metrics` is this.
    pub(crate) fn until_metric(&self, name: &str, value: f64) {
        until(&format!("{name} is {value}"), || (self.metric(name) == Some(value)).then_some(()));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the node ends", || self.child.try_wait().unwrap())
    }

    /// Asks it to stop; how long that took.
    pub(crate) fn stop(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        (self.wait(), begun.elapsed())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries until something is there.
pub(crate) fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the program to its end: exit code, standard output, standard error.
pub(crate) fn sluis(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_sluis")).arg("--data").arg(data).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A Shadowserver report with `rows` rows about `addresses` addresses. Its time is yesterday's.
pub(crate) fn report(rows: u32, addresses: u32) -> Vec<u8> {
    let seen = desk::Clock::now(&SystemClock).plus(-model::time::DAY).to_string();
    let seen = seen.get(..19).unwrap().replace('T', " ");
    let mut text =
        String::from("\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"module\",\"motd\"\n");
    for row in 0..rows {
        let at = row % addresses;
        // 2001:db8::/32 has room for as many as are asked for.
        let line = format!(
            "\"{seen}\",\"2001:db8::{:x}:{:x}\",\"tcp\",873,\"host-{at}.example\",\"rsync\",64496,\"NL\",\"all\",\"row {row}\"\n",
            at >> 16,
            at & 0xffff,
        );
        text.push_str(&line);
    }
    text.into_bytes()
}
