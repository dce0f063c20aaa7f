//! `[[imap]]`: mailboxes on servers, and how this node says there who it is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::alert::config::{is_loopback, secret};
use crate::doors::imap::login::{Login, Proof};
use crate::doors::imap::oauth::{Grant, Tokens};
use crate::doors::imap::{Account, Security};
use crate::egress::{self, Destination, Egress};

/// Accounts there may be.
const ACCOUNTS: usize = 16;
/// Mailboxes of one account: each has a connection, and servers allow few.
const MAILBOXES: usize = 8;
/// Bytes of names in settings.
const NAME: usize = 500;

/// An account on a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImapConfig {
    /// Its name in metrics and logs: small letters, digits, hyphens.
    pub(crate) name: String,
    /// The server: the name in its certificate.
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Tls,
    /// Who trusts the server's certificate, in PEM; without it, whom the system trusts.
    ca_file: Option<PathBuf>,
    /// The account; of a shared mailbox in Microsoft 365, the address of that mailbox.
    user: String,
    #[serde(default)]
    authentication: Authentication,
    password_file: Option<PathBuf>,
    oauth: Option<OauthConfig>,
    /// The folders that are watched.
    #[serde(default = "inbox")]
    mailboxes: Vec<String>,
    /// The folder for mails that were taken; it is made if it is not there.
    #[serde(default = "done")]
    done: String,
    /// Whether mails that lay there before the first look are taken, too.
    #[serde(default)]
    backlog: bool,
    /// What becomes of mails with child abuse material: they are removed for good. There is no other choice.
    #[serde(default)]
    #[allow(dead_code, reason = "that it can be read as this one word is all there is to it")]
    child_abuse: ChildAbuse,
    /// Whether the server is waited for, where it can tell what is new by itself.
    #[serde(default = "yes")]
    idle: bool,
    /// Seconds between two looks where it cannot, 5 to 3600.
    #[serde(default = "poll_seconds")]
    poll_seconds: u16,
    /// MiB of a mail; larger ones stay in the mailbox. 1 to 1024.
    #[serde(default = "most_mib")]
    most_mib: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tls {
    /// From the first byte.
    #[default]
    Implicit,
    /// Begins without, and does not go on before there is TLS.
    Starttls,
    /// None: on this machine only.
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Authentication {
    #[default]
    Password,
    Xoauth2,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChildAbuse {
    #[default]
    Expunge,
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OauthConfig {
    token_url: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    scope: Option<String>,
    flow: Flow,
    refresh_token_file: Option<PathBuf>,
    /// Who vouches for its TLS, in PEM; without it, whom the system trusts.
    ca_file: Option<PathBuf>,
    /// Itself as `host:port`, if it is on a private network.
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Flow {
    /// The application has rights of its own.
    ClientCredentials,
    /// A person permitted it once.
    RefreshToken,
}

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}
fn done() -> String {
    "Sluis".to_owned()
}
fn yes() -> bool {
    true
}
fn poll_seconds() -> u16 {
    60
}
fn most_mib() -> u16 {
    64
}

/// Looks whether all of them can be understood, and lets relative paths begin at `folder`. Reads no file.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn check(accounts: &mut [ImapConfig], folder: &Path) -> Result<()> {
    ensure!(accounts.len() <= ACCOUNTS, "[[imap]]: there may be {ACCOUNTS} accounts");
    for at in 0..accounts.len() {
        let (earlier, rest) = accounts.split_at_mut(at);
        let Some(account) = rest.first_mut() else { break };
        account.check(folder)?;
        ensure!(earlier.iter().all(|other| other.name != account.name), "{}: this name is another one's already", account.of());
    }
    Ok(())
}

impl ImapConfig {
    fn of(&self) -> String {
        format!("[[imap]] '{}'", self.name)
    }

    fn check(&mut self, folder: &Path) -> Result<()> {
        let of = self.of();
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            (1..=40).contains(&self.name.len()) && self.name.chars().all(is_name),
            "{of}: a name has 1 to 40 small letters, digits and hyphens"
        );
        let is_said = |text: &str| (1..=NAME).contains(&text.len()) && !text.chars().any(char::is_control);
        ensure!(is_said(&self.host), "{of}: host: name the server, such as imap.hoster.example");
        ensure!(is_said(&self.user), "{of}: user: name the account");
        ensure!(self.port != Some(0), "{of}: port: give 1 to 65535, or leave it out");
        ensure!(
            self.tls != Tls::None || is_loopback(&self.host),
            "{of}: tls = \"none\" is possible on this machine only; use \"implicit\" or \"starttls\""
        );
        ensure!(
            (1..=MAILBOXES).contains(&self.mailboxes.len()),
            "{of}: mailboxes: name 1 to {MAILBOXES} folders, such as [\"INBOX\"]"
        );
        for (at, mailbox) in self.mailboxes.iter().enumerate() {
            ensure!(is_said(mailbox), "{of}: mailboxes: an empty name");
            let same = |other: &String| is_same(other, mailbox);
            ensure!(!self.mailboxes.iter().take(at).any(same), "{of}: mailboxes: \"{mailbox}\" is there twice");
        }
        ensure!(is_said(&self.done), "{of}: done: name the folder for mails that were taken");
        ensure!(
            !self.mailboxes.iter().any(|mailbox| is_same(mailbox, &self.done)),
            "{of}: done = \"{}\": this folder is watched; mails that were taken must go to another one",
            self.done
        );
        ensure!((5..=3600).contains(&self.poll_seconds), "{of}: poll_seconds = {}: give 5 to 3600", self.poll_seconds);
        ensure!((1..=1024).contains(&self.most_mib), "{of}: most_mib = {}: give 1 to 1024", self.most_mib);
        match (self.authentication, &self.password_file, &mut self.oauth) {
            (Authentication::Password, Some(_), None) => {}
            (Authentication::Password, None, None) => bail!("{of}: name the file with the password under password_file"),
            (Authentication::Password, _, Some(_)) => bail!("{of}: [imap.oauth] is for authentication = \"xoauth2\""),
            (Authentication::Xoauth2, Some(_), _) => bail!("{of}: password_file is for authentication = \"password\""),
            (Authentication::Xoauth2, None, None) => bail!("{of}: say under [imap.oauth] where tokens come from"),
            (Authentication::Xoauth2, None, Some(oauth)) => oauth.check(folder).with_context(|| format!("{of}: [imap.oauth]"))?,
        }
        for path in [&mut self.ca_file, &mut self.password_file].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        Ok(())
    }

    /// The account, with what the files hold that are named. Secrets are looked at, and read again each time they are needed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn open(&self) -> Result<Account> {
        self.opened().with_context(|| self.of())
    }

    fn opened(&self) -> Result<Account> {
        let tls = || Ok::<_, anyhow::Error>(Arc::new(egress::trusting(self.ca_file.as_deref())?));
        let (security, port) = match self.tls {
            Tls::Implicit => (Security::Implicit(tls()?), 993),
            Tls::Starttls => (Security::Starttls(tls()?), 143),
            Tls::None => (Security::None, 143),
        };
        let proof = match (&self.password_file, &self.oauth) {
            (Some(path), _) => {
                secret(path)?;
                Proof::Password(path.clone())
            }
            (None, Some(oauth)) => Proof::Token(Arc::new(oauth.open()?)),
            (None, None) => bail!("name the file with the password under password_file"),
        };
        Ok(Account {
            name: self.name.clone(),
            host: self.host.clone(),
            port: self.port.unwrap_or(port),
            security,
            login: Login { user: self.user.clone(), proof },
            mailboxes: self.mailboxes.clone(),
            done: self.done.clone(),
            backlog: self.backlog,
            most: u64::from(self.most_mib) << 20,
            poll: Duration::from_secs(self.poll_seconds.into()),
            idle: self.idle,
        })
    }
}

/// Whether two names are of one folder: INBOX is written in any case (RFC 3501, 5.1).
fn is_same(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}

impl OauthConfig {
    fn check(&mut self, folder: &Path) -> Result<()> {
        if let Err(error) = Destination::parse(&self.token_url) {
            bail!("token_url = \"{}\": {error}", self.token_url);
        }
        for allowed in &self.allow {
            ensure!(
                allowed.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()),
                "allow = [\"{allowed}\"]: write host:port"
            );
        }
        ensure!(!self.client_id.is_empty(), "client_id: name the application");
        match (self.flow, &self.refresh_token_file) {
            (Flow::ClientCredentials, None) => {
                ensure!(self.client_secret_file.is_some(), "client_secret_file: name the file with the application's secret");
            }
            (Flow::ClientCredentials, Some(_)) => bail!("refresh_token_file is for flow = \"refresh_token\""),
            (Flow::RefreshToken, Some(_)) => {}
            (Flow::RefreshToken, None) => bail!("refresh_token_file: name the file with the refresh token"),
        }
        for path in [&mut self.client_secret_file, &mut self.refresh_token_file, &mut self.ca_file].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        Ok(())
    }

    fn open(&self) -> Result<Tokens> {
        for path in [&self.client_secret_file, &self.refresh_token_file].into_iter().flatten() {
            secret(path)?;
        }
        let grant = match &self.refresh_token_file {
            Some(path) => Grant::RefreshToken(path.clone()),
            None => Grant::ClientCredentials,
        };
        Ok(Tokens {
            url: self.token_url.clone(),
            client_id: self.client_id.clone(),
            client_secret_file: self.client_secret_file.clone(),
            scope: self.scope.clone(),
            grant,
            egress: Egress::new(self.ca_file.as_deref(), &self.allow)?,
            kept: Mutex::new(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::serve::config::Config;
    use std::path::Path;

    const GOOD: &str = "[[imap]]\nname = \"desk\"\nhost = \"imap.hoster.example\"\nuser = \"abuse\"\n";

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let with = |more: &str| Config::parse(&format!("{GOOD}{more}"), Path::new("/etc/sluis/x.toml"));
        let oauth =
            "authentication = \"xoauth2\"\n[imap.oauth]\ntoken_url = \"https://login.example/token\"\nclient_id = \"1\"\n";
        assert!(with("password_file = \"p\"\n").is_ok());
        assert!(with("password_file = \"p\"\nchild_abuse = \"expunge\"\n").is_ok());
        assert!(with(&format!("{oauth}flow = \"client_credentials\"\nclient_secret_file = \"s\"\n")).is_ok());
        assert!(with(&format!("{oauth}flow = \"refresh_token\"\nrefresh_token_file = \"s\"\n")).is_ok());
        for (name, more, expected) in [
            ("no password", "", "password_file"),
            ("no TLS to another machine", "tls = \"none\"\npassword_file = \"p\"\n", "on this machine only"),
            ("no mailbox", "mailboxes = []\npassword_file = \"p\"\n", "[\"INBOX\"]"),
            ("one twice", "mailboxes = [\"INBOX\", \"inbox\"]\npassword_file = \"p\"\n", "twice"),
            ("in a circle", "done = \"Inbox\"\npassword_file = \"p\"\n", "another one"),
            ("two lines", "done = \"a\\r\\nb\"\npassword_file = \"p\"\n", "done"),
            ("too often", "poll_seconds = 1\npassword_file = \"p\"\n", "5 to 3600"),
            ("nothing may be kept", "child_abuse = \"move\"\npassword_file = \"p\"\n", "expunge"),
            ("no tokens", "authentication = \"xoauth2\"\n", "[imap.oauth]"),
            ("two ways", &format!("password_file = \"p\"\n{oauth}flow = \"refresh_token\"\n"), "password_file is for"),
            ("no secret", &format!("{oauth}flow = \"client_credentials\"\n"), "client_secret_file"),
            ("no refresh token", &format!("{oauth}flow = \"refresh_token\"\n"), "refresh_token_file"),
            (
                "tokens in the clear",
                &format!("{}flow = \"refresh_token\"\nrefresh_token_file = \"s\"\n", oauth.replace("https", "http")),
                "https",
            ),
            ("a name twice", &format!("password_file = \"p\"\n{GOOD}password_file = \"p\"\n"), "another one's already"),
        ] {
            let error = format!("{:#}", with(more).unwrap_err());
            assert!(error.contains(expected) && error.contains("x.toml"), "{name}: {error}");
        }
    }
}
