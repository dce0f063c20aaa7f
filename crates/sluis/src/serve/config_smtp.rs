//! `[lmtp]` and `[smtp]`: where mail servers hand mail over, who may, and how much.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use serde::Deserialize;

use crate::doors::smtp::{Listen, Settings};
use crate::mail::relays::Relays;

/// Recipients that can be named.
const RECIPIENTS: usize = 1_000;
/// Bytes of a socket's path that the operating system takes (`sun_path` of unix(7), without the closing NUL).
const PATH: usize = 107;

/// The door for our own mail server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LmtpConfig {
    /// `unix:/run/sluis/lmtp.sock`, or an address and a port.
    listen: String,
    /// Who may use the socket: as chmod has it, in octal.
    mode: Option<String>,
    hostname: Option<String>,
    /// Addresses and ranges from which connections may come, beside this machine.
    #[serde(default)]
    allow_from: Vec<String>,
    /// MiB of a mail, 1 to 1024.
    #[serde(default = "max_mib")]
    max_mib: u16,
    /// Connections at a time, 1 to 500.
    #[serde(default = "connections")]
    connections: u16,
    /// Seconds in which the next line must come, 1 to 3600.
    #[serde(default = "timeout_seconds")]
    timeout_seconds: u16,
}

/// The door for the mail servers of others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmtpConfig {
    listen: SocketAddr,
    /// What we call ourselves: the name in the MX record and the certificate.
    hostname: String,
    /// Addresses that mail is taken for, and no others.
    recipients: Vec<String>,
    /// The certificate with what vouches for it, and its key, in PEM: with them there is STARTTLS.
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    /// Addresses and ranges from which connections may come; from everywhere without it.
    allow_from: Option<Vec<String>>,
    /// MiB of a mail, 1 to 1024.
    #[serde(default = "max_mib")]
    max_mib: u16,
    /// Connections at a time, 1 to 500.
    #[serde(default = "connections")]
    connections: u16,
    /// Connections of one peer at a time.
    #[serde(default = "connections_per_peer")]
    connections_per_peer: u16,
    /// Seconds in which the next line must come, 1 to 3600.
    #[serde(default = "timeout_seconds")]
    timeout_seconds: u16,
}

fn max_mib() -> u16 {
    64
}
fn connections() -> u16 {
    64
}
fn connections_per_peer() -> u16 {
    20
}
/// RFC 5321 section 4.5.3.2.7 asks for five minutes.
fn timeout_seconds() -> u16 {
    300
}

impl LmtpConfig {
    /// The door, as far as it can be understood. A relative path begins at `folder`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn settings(&self, folder: &Path, min_free: u64) -> Result<Settings> {
        let mode = self.mode.as_deref().unwrap_or("0660");
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o777);
        let mode = mode.ok_or_else(|| anyhow!("[lmtp] mode: write it as chmod has it, such as \"0660\""))?;
        let listen = match self.listen.strip_prefix("unix:") {
            Some(path) => {
                let path = folder.join(path);
                let length = path.as_os_str().len();
                ensure!(
                    (1..=PATH).contains(&length),
                    "[lmtp] listen: a socket's path has at most {PATH} bytes, this has {length}"
                );
                Listen::Unix(path, mode)
            }
            None => Listen::Tcp(self.listen.parse().map_err(|_| {
                anyhow!("[lmtp] listen = \"{}\": write \"unix:/run/sluis/lmtp.sock\" or \"127.0.0.1:2424\"", self.listen)
            })?),
        };
        let allow = Relays::parse(&self.allow_from).map_err(|why| anyhow!("[lmtp] allow_from: {why}"))?;
        if let Listen::Tcp(address) = &listen {
            // LMTP knows no passwords, and takes whatever it is handed (RFC 2033 section 5).
            ensure!(
                address.ip().is_loopback() || !allow.is_empty(),
                "[lmtp] listen = \"{address}\": name your mail servers under allow_from, or listen on this machine only"
            );
        }
        check("[lmtp]", self.max_mib, self.connections, self.timeout_seconds)?;
        let hostname = self.hostname.clone().unwrap_or_else(own_name);
        ensure!(is_name(&hostname), "[lmtp] hostname = \"{hostname}\": give the name of this machine");
        Ok(Settings {
            lmtp: true,
            listen,
            hostname,
            recipients: Vec::new(),
            most: u64::from(self.max_mib) << 20,
            allow: Some(allow),
            connections: (self.connections.into(), self.connections.into()),
            timeout: Duration::from_secs(self.timeout_seconds.into()),
            tls: None,
            min_free,
        })
    }
}

impl SmtpConfig {
    /// As [`LmtpConfig::settings`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn settings(&self, folder: &Path, min_free: u64) -> Result<Settings> {
        ensure!(
            is_name(&self.hostname),
            "[smtp] hostname: give the name that your MX record points at, such as mx.hoster.example"
        );
        ensure!(
            (1..=RECIPIENTS).contains(&self.recipients.len()),
            "[smtp] recipients: name 1 to {RECIPIENTS} addresses, such as [\"abuse@hoster.example\"]; mail for others is refused"
        );
        for recipient in &self.recipients {
            let parts = recipient.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && is_name(domain));
            ensure!(parts.is_some(), "[smtp] recipients: \"{recipient}\" is no address such as abuse@hoster.example");
        }
        let tls = match (&self.cert_file, &self.key_file) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((folder.join(certificate), folder.join(key))),
            _ => return Err(anyhow!("[smtp]: cert_file and key_file belong together: name both, or neither")),
        };
        let allow = self.allow_from.as_deref().map(Relays::parse).transpose();
        let allow = allow.map_err(|why| anyhow!("[smtp] allow_from: {why}"))?;
        check("[smtp]", self.max_mib, self.connections, self.timeout_seconds)?;
        let of_one = self.connections_per_peer;
        ensure!((1..=500).contains(&of_one), "[smtp] connections_per_peer = {of_one}: give 1 to 500");
        Ok(Settings {
            lmtp: false,
            listen: Listen::Tcp(self.listen),
            hostname: self.hostname.clone(),
            recipients: self.recipients.clone(),
            most: u64::from(self.max_mib) << 20,
            allow,
            connections: (self.connections.into(), of_one.into()),
            timeout: Duration::from_secs(self.timeout_seconds.into()),
            tls,
            min_free,
        })
    }
}

fn check(section: &str, max_mib: u16, connections: u16, seconds: u16) -> Result<()> {
    ensure!((1..=1024).contains(&max_mib), "{section} max_mib = {max_mib}: give 1 to 1024");
    ensure!((1..=500).contains(&connections), "{section} connections = {connections}: give 1 to 500");
    ensure!((1..=3600).contains(&seconds), "{section} timeout_seconds = {seconds}: give 1 to 3600");
    Ok(())
}

/// What this machine is called, as far as it can be said in a greeting.
fn own_name() -> String {
    let found = rustix::system::uname();
    Some(found.nodename().to_string_lossy().into_owned()).filter(|name| is_name(name)).unwrap_or_else(|| "sluis".to_owned())
}

fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::config::Config;

    #[test]
    fn settings_that_cannot_be_meant_are_explained() {
        let smtp = "[smtp]\nlisten = \"127.0.0.1:25\"\nhostname = \"mx.a.example\"\nrecipients = [\"abuse@a.example\"]\n";
        let cases = [
            ("[lmtp]\nlisten = \"unix:lmtp.sock\"\n".to_owned(), ""),
            ("[lmtp]\nlisten = \"127.0.0.1:2424\"\n".to_owned(), ""),
            ("[lmtp]\nlisten = \"[2001:db8::1]:2424\"\nallow_from = [\"2001:db8::/64\"]\n".to_owned(), ""),
            (smtp.to_owned(), ""),
            (format!("{smtp}cert_file = \"a.pem\"\nkey_file = \"b.pem\"\nallow_from = [\"192.0.2.0/24\"]\n"), ""),
            ("[lmtp]\nlisten = \"lmtp.sock\"\n".to_owned(), "unix:/run/sluis/lmtp.sock"),
            (format!("[lmtp]\nlisten = \"unix:/{}\"\n", "a".repeat(120)), "at most 107 bytes"),
            ("[lmtp]\nlisten = \"192.0.2.1:2424\"\n".to_owned(), "allow_from"),
            ("[lmtp]\nlisten = \"unix:a\"\nmode = \"rw\"\n".to_owned(), "0660"),
            ("[lmtp]\nlisten = \"unix:a\"\nmax_mib = 0\n".to_owned(), "1 to 1024"),
            ("[lmtp]\nlisten = \"unix:a\"\nconnections = 0\n".to_owned(), "1 to 500"),
            ("[lmtp]\nlisten = \"unix:a\"\ntimeout_seconds = 0\n".to_owned(), "1 to 3600"),
            ("[lmtp]\nlisten = \"unix:a\"\nhostname = \"a\\r\\n250 b\"\n".to_owned(), "the name of this machine"),
            ("[lmtp]\n".to_owned(), "listen"),
            ("[lmtp]\nlisten = \"unix:a\"\nrecipients = []\n".to_owned(), "recipients"),
            (format!("{smtp}key_file = \"b.pem\"\n"), "belong together"),
            (format!("{smtp}allow_from = [\"everybody\"]\n"), "192.0.2.0/28"),
            (smtp.replace("[\"abuse@a.example\"]", "[]"), "mail for others is refused"),
            (smtp.replace("abuse@a.example", "abuse"), "no address"),
            (smtp.replace("mx.a.example", ""), "MX record"),
        ];
        for (text, expected) in cases {
            let found = Config::parse(&text, Path::new("/etc/sluis.toml")).map_err(|error| format!("{error:#}"));
            match (expected, &found) {
                ("", Ok(_)) => {}
                ("", Err(error)) => panic!("{text}: {error}"),
                (expected, Err(error)) => assert!(error.contains(expected), "{text}: {error}"),
                (expected, Ok(_)) => panic!("{text}: nobody says {expected}"),
            }
        }
    }
}
