//! A throw-away Postfix for the tests: its own settings, queue and log in a folder, and no files or users of the system's.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, until};

const MAIN: &str = "\
compatibility_level = 3.6
queue_directory = FOLDER/postfix/queue
data_directory = FOLDER/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = mail
setgid_group = news
default_privs = nobody
maillog_file = FOLDER/postfix/log
maillog_file_prefixes = FOLDER
myhostname = mta.hoster.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains = hoster.example
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_destination_concurrency_failed_cohort_limit = 0
lmtp_destination_concurrency_failed_cohort_limit = 0
message_size_limit = 104857600
smtputf8_enable = no
";

const MASTER: &str = "\
127.0.0.1:PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
sluis unix - n n - 4 pipe flags=Rq user=nobody argv=SLUIS --data FOLDER/data receive
";

/// A running Postfix; it goes away with its guard.
pub(crate) struct Postfix {
    child: Child,
    folder: PathBuf,
    /// Where it takes mail for `hoster.example`.
    pub(crate) port: u16,
}

impl Postfix {
    /// Starts one in a folder, with these settings too; `None`, said loudly, where that cannot be.
    pub(crate) fn start(folder: &Folder, settings: &str) -> Option<Postfix> {
        let there = std::path::Path::new("/usr/lib/postfix/sbin/master").exists();
        if !there || !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "CI passes over nothing: Postfix and root are wanted here");
            eprintln!("SKIPPED: mail from a real server wants Postfix (cargo xtask test says how to get it) and root");
            return None;
        }
        let home = folder.0.join("postfix");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = folder.0.display().to_string();
        // Its parts work as users of their own.
        std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
        for name in ["", "queue", "queue/pid"] {
            std::fs::create_dir_all(home.join(name)).unwrap();
        }
        let owned = |name: &str, group: &str, mode: &str| {
            let done = Command::new("install").args(["-d", "-o", "mail", "-g", group, "-m", mode]).arg(home.join(name)).status();
            assert!(done.unwrap().success());
        };
        owned("data", "mail", "700");
        for queue in
            ["incoming", "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "private", "saved", "trace"]
        {
            owned(&format!("queue/{queue}"), "mail", "700");
        }
        for queue in ["maildrop", "public"] {
            owned(&format!("queue/{queue}"), "news", "730");
        }
        let write = |name: &str, text: &str| {
            let text = text.replace("FOLDER", &path).replace("PORT", &port.to_string());
            std::fs::write(home.join(name), text.replace("SLUIS", env!("CARGO_BIN_EXE_sluis"))).unwrap();
        };
        write("main.cf", &format!("{MAIN}{settings}"));
        write("master.cf", MASTER);
        let mut child = Command::new("/usr/lib/postfix/sbin/master")
            .args(["-d".as_ref(), "-c".as_ref(), home.as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("Postfix answers", || {
            let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "Postfix ended by itself: {log}");
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(Postfix { child, folder: home, port })
    }

    /// Everything it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Mails that it still has.
    pub(crate) fn queued(&self) -> usize {
        let mut count = 0;
        let mut folders: Vec<PathBuf> =
            ["incoming", "active", "deferred"].iter().map(|name| self.folder.join("queue").join(name)).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    true => folders.push(entry.path()),
                    false => count += 1,
                }
            }
        }
        count
    }

    /// Has it try again what it could not deliver.
    pub(crate) fn flush(&self) {
        let done = Command::new("/usr/sbin/postqueue").arg("-c").arg(&self.folder).arg("-f").status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().try_into().unwrap()) {
            // So that it ends its parts, too.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
