//! Alerts by mail through a real mail server (Exim), with STARTTLS and a login.
//!
//! It wants root, for Exim lets nobody else choose its configuration; `cargo xtask test` says how to get it.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, sluis, until};

const CONFIGURATION: &str = r"
primary_hostname = localhost
keep_environment =
spool_directory = FOLDER/spool
log_file_path = FOLDER/spool/%slog
pid_file_path =
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
deliver_drop_privilege = true
tls_advertise_hosts = *
tls_certificate = FOLDER/cert.pem
tls_privatekey = FOLDER/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept authenticated = *
  deny message = log in first, node@node.example
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  file = FOLDER/spool/box
  user = Debian-exim
  group = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{node}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
";

/// A mail server; it goes away with its guard.
struct Exim {
    child: Child,
    port: u16,
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server in a folder; `None`, said loudly, where that cannot be.
fn exim(folder: &Folder) -> Option<Exim> {
    let there = Command::new("/usr/sbin/exim4").arg("-bV").output().is_ok_and(|output| output.status.success());
    if !there || !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI passes over nothing: Exim and root are wanted here");
        eprintln!("SKIPPED: mail through a real server wants Exim (apt-get install exim4-daemon-light) and root");
        return None;
    }
    let path = folder.0.display().to_string();
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.0.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.0.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::create_dir(folder.0.join("spool")).unwrap();
    // The server works as a user of its own.
    let mode = |name: &str, mode| std::fs::set_permissions(folder.0.join(name), PermissionsExt::from_mode(mode)).unwrap();
    mode("spool", 0o777);
    mode("key.pem", 0o644);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = folder.0.join("exim.conf");
    std::fs::write(&configuration, CONFIGURATION.replace("FOLDER", &path).replace("PORT", &port.to_string())).unwrap();
    let mut child = Command::new("/usr/sbin/exim4")
        .arg("-C")
        .arg(&configuration)
        .arg("-bdf")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the mail server answers", || {
        assert!(child.try_wait().unwrap().is_none(), "the mail server ended by itself");
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    Some(Exim { child, port })
}

#[test]
fn mail_through_a_real_server() {
    let folder = Folder::new("mail");
    let Some(exim) = exim(&folder) else { return };
    let test = |password: &str, more: &str| {
        let secret = folder.0.join("password");
        std::fs::write(&secret, password).unwrap();
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        let settings = format!(
            "[[alert]]\nname = \"desk\"\nlanguage = \"nl\"\n[alert.mail]\nserver = \"localhost\"\nport = {}\nfrom = \"Sluis <sluis@node.example>\"\n\
             to = [\"desk@hoster.example\"]\n{more}",
            exim.port
        );
        std::fs::write(folder.0.join("sluis.toml"), settings).unwrap();
        sluis(&folder.data(), &["--config", folder.0.join("sluis.toml").to_str().unwrap(), "alert", "test"])
    };
    const LOGIN: &str = "user = \"node\"\npassword_file = \"password\"\n";
    const TRUST: &str = "ca_file = \"cert.pem\"\n";
    let (code, out, error) = test("secret\n", &format!("{LOGIN}{TRUST}"));
    assert_eq!((code, out.as_str()), (0, "desk: told by mail\n"), "{error}");
    let mail = until("the mail is delivered", || {
        std::fs::read_to_string(folder.0.join("spool/box")).ok().filter(|mail| mail.contains("\n\n"))
    });
    for part in [
        "From: Sluis <sluis@node.example>",
        "To: desk@hoster.example",
        "Auto-Submitted: auto-generated",
        ".desk.1@node.example>",
        "with esmtpsa",
        "P4 beoordeling",
        "Dit wordt herhaald",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }

    for (name, password, more, expected) in [
        ("a wrong password", "wrong", format!("{LOGIN}{TRUST}"), "the mail server said 535"),
        ("no login", "", TRUST.to_owned(), "the mail server said 550"),
        ("a server nobody vouches for", "secret", LOGIN.to_owned(), "no trusted TLS connection"),
        ("a login without TLS", "secret", format!("{LOGIN}tls = \"none\"\n"), "does not offer what is asked"),
    ] {
        let (code, out, error) = test(password, &more);
        assert!(code == 1 && out.contains(expected), "{name}: {out}{error}");
        assert!(!out.contains("node@node.example"), "{name}: what the server says stays with it");
    }
}
