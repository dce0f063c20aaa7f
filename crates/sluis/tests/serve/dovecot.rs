//! A real IMAP server (Dovecot) for the tests: in a folder of its own, with TLS, passwords and tokens, and with the server that
//! gives the tokens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{Folder, until};

const CONFIGURATION: &str = r"
base_dir = FOLDER/run
state_dir = FOLDER/run
log_path = FOLDER/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <FOLDER/cert.pem
ssl_key = <FOLDER/key.pem
auth_mechanisms = MECHANISMS
auth_failure_delay = 0
mail_location = maildir:FOLDER/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
maildir_stat_dirs = yes
mail_max_userip_connections = 50
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  chroot =
  inet_listener imap {
    port = PLAIN
  }
  inet_listener imaps {
    port = SECURE
    ssl = yes
  }
}
passdb {
  driver = passwd-file
  args = FOLDER/users
}
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = FOLDER/oauth2.conf
}
userdb {
  driver = static
  args = uid=mail gid=mail home=FOLDER/mail/%u allow_all_users=yes
}
";

const OAUTH: &str = "introspection_mode = post
introspection_url = http://127.0.0.1:PORT/introspect
active_attribute = active
active_value = true
username_attribute = username
";

/// What a test wants of it.
pub(crate) struct Wanted {
    pub(crate) mechanisms: &'static str,
    /// More of its settings.
    pub(crate) more: &'static str,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { mechanisms: "plain login", more: "" }
    }
}

/// A server; it goes away with its guard.
pub(crate) struct Dovecot {
    child: Child,
    folder: PathBuf,
    /// Where TLS may be begun.
    pub(crate) plain: u16,
    /// Where it begins with the first byte.
    pub(crate) secure: u16,
    pub(crate) tokens: Arc<Tokens>,
}

/// The server that gives tokens, and tells Dovecot which are good.
#[derive(Default)]
pub(crate) struct Tokens {
    /// Tokens that are good now.
    good: Mutex<Vec<String>>,
    /// How many were given.
    pub(crate) given: AtomicU32,
    /// What was asked last.
    pub(crate) asked: Mutex<String>,
    /// Where they are given.
    pub(crate) port: AtomicU32,
}

impl Tokens {
    /// No token is good any more.
    pub(crate) fn withdraw(&self) {
        self.good.lock().unwrap().clear();
    }

    /// The answer to a request.
    fn answer(&self, path: &str, body: &str) -> (u16, String) {
        if path == "/introspect" {
            let is_asked = |good: &String| body.split('&').any(|part| part.strip_prefix("token=") == Some(good));
            let active = self.good.lock().unwrap().iter().any(is_asked);
            return (200, format!("{{\"active\":{active},\"username\":\"shared@hoster.example\"}}"));
        }
        *self.asked.lock().unwrap() = body.to_owned();
        if !body.contains("client_secret=s%26cret") {
            return (401, "{\"error\":\"invalid_client\",\"error_description\":\"jan@hoster.example\"}".to_owned());
        }
        let token = format!("token{}", self.given.fetch_add(1, Ordering::SeqCst));
        self.good.lock().unwrap().push(token.clone());
        (200, format!("{{\"access_token\":\"{token}\",\"expires_in\":3600,\"token_type\":\"Bearer\"}}"))
    }

    fn serve(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
        reader.read_line(&mut first)?;
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        let (status, text) = self.answer(path, &String::from_utf8_lossy(&body));
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        let stream = reader.into_inner();
        stream.write_all(head.as_bytes())?;
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

impl Dovecot {
    /// Starts a server in a folder; `None`, said loudly, where that cannot be.
    pub(crate) fn start(folder: &Folder, wanted: &Wanted) -> Option<Dovecot> {
        let there = Command::new("dovecot").arg("--version").output().is_ok_and(|output| output.status.success());
        if !there || !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "CI passes over nothing: Dovecot and root are wanted here");
            eprintln!("SKIPPED: mailboxes want a real server, Dovecot (apt-get install dovecot-imapd), and root");
            return None;
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.0.join(name), text).unwrap();
        write("cert.pem", &cert.pem());
        write("key.pem", &key.serialize_pem());
        write("users", "abuse:{PLAIN}pa ss\"wörd\nother:{PLAIN}other\n");
        std::fs::create_dir_all(folder.0.join("mail")).unwrap();
        chown(folder.0.join("mail"), Some(8), Some(8)).unwrap();

        let tokens = Arc::new(Tokens::default());
        let introspection = introspection(&tokens);
        tokens.port.store(giving(&tokens, folder).into(), Ordering::SeqCst);
        write("oauth2.conf", &OAUTH.replace("PORT", &introspection.to_string()));

        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (plain, secure) = (free(), free());
        let configuration = CONFIGURATION
            .replace("FOLDER", &folder.0.display().to_string())
            .replace("MECHANISMS", wanted.mechanisms)
            .replace("PLAIN\n", &format!("{plain}\n"))
            .replace("SECURE\n", &format!("{secure}\n"));
        write("dovecot.conf", &format!("{configuration}{}", wanted.more));
        let mut child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(folder.0.join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("the IMAP server answers", || {
            assert!(child.try_wait().unwrap().is_none(), "the IMAP server ended by itself");
            let mut greeting = [0; 4];
            TcpStream::connect(("127.0.0.1", plain)).ok()?.read_exact(&mut greeting).ok()
        });
        Some(Dovecot { child, folder: folder.0.clone(), plain, secure, tokens })
    }

    /// Runs a command of Dovecot's own; what it says.
    pub(crate) fn admin(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("doveadm")
            .arg("-c")
            .arg(self.folder.join("dovecot.conf"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "doveadm {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Delivers a mail.
    pub(crate) fn deliver(&self, user: &str, folder: &str, mail: &[u8]) {
        self.admin(&["save", "-u", user, "-m", folder], mail);
    }

    /// How many mails a folder has with these search words, such as `ALL`; none when there is no such folder.
    pub(crate) fn count(&self, user: &str, folder: &str, search: &[&str]) -> usize {
        let arguments = [&["search", "-u", user, "mailbox", folder][..], search].concat();
        self.admin(&arguments, b"").lines().count()
    }

    /// Lets it forget the numbers of the mails in an inbox.
    pub(crate) fn forget_numbers(&self, user: &str) {
        for entry in std::fs::read_dir(self.folder.join("mail").join(user)).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Makes the mails of an inbox a year older: their server got them then.
    pub(crate) fn age(&self, user: &str) {
        let year = std::time::Duration::from_secs(365 * 86_400);
        let mailbox = self.folder.join("mail").join(user);
        for folder in ["new", "cur"] {
            for entry in std::fs::read_dir(mailbox.join(folder)).unwrap().flatten() {
                let file = std::fs::File::options().write(true).open(entry.path()).unwrap();
                file.set_modified(std::time::SystemTime::now() - year).unwrap();
            }
        }
    }

    /// Whether a text is in any file of the mailboxes.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let found = Command::new("grep").args(["-r", "-q", "-F", text]).arg(self.folder.join("mail")).status().unwrap();
        found.success()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // It ends its helpers when it is asked to, and leaves them when it is killed.
        if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.folder.join("dovecot.log")).unwrap_or_default());
        }
    }
}

fn introspection(tokens: &Arc<Tokens>) -> u16 {
    let (listener, tokens) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::clone(tokens));
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = tokens.serve(&mut stream);
        }
    });
    port
}

fn giving(tokens: &Arc<Tokens>, folder: &Folder) -> u16 {
    let (listener, tokens) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::clone(tokens));
    let port = listener.local_addr().unwrap().port();
    let certificate = CertificateDer::from_pem_file(folder.0.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.0.join("key.pem")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let _ = tokens.serve(&mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    port
}
