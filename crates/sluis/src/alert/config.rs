//! `[[alert]]`: who is told of alerts, when and how. Every section is one receiver with one channel.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use desk::alert::hours::Hours;
use desk::alert::plan::Receiver;
use desk::alert::text::Language;
use lettre::SmtpTransport;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use model::calendar::Term;
use model::policy::Alarm;
use model::severity::Severity;
use ring::hmac;
use serde::Deserialize;

use super::{Channel, Sender, command, mail, webhook};
use crate::egress::{Destination, Egress};

/// Receivers there may be: each has a thread.
const RECEIVERS: usize = 16;
/// Bytes of a secret's file.
const SECRET: u64 = 4096;
/// The shortest time between two messages about the same thing.
const LEAST: i64 = model::time::MINUTE;

/// One receiver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Its name in messages, metrics and logs: letters, digits, hyphens.
    pub(crate) name: String,
    /// When it is on call.
    #[serde(default = "always")]
    hours: String,
    /// The severities that it is told of; by default P0, P1 and P2.
    #[serde(default = "severities")]
    severities: Vec<String>,
    /// The kinds that it is told of; by default all.
    #[serde(default)]
    kinds: Vec<String>,
    /// How long nobody must have acknowledged an alert before this one is told of it.
    #[serde(default = "at_once")]
    after: String,
    /// How long until it is told again.
    #[serde(default = "repeat")]
    repeat: String,
    /// How long at most: the time doubles with each message, except for P0.
    #[serde(default = "repeat_most")]
    repeat_most: String,
    /// Messages an hour, and as many more about P0.
    #[serde(default = "per_hour")]
    per_hour: u16,
    /// `en` or `nl`.
    #[serde(default)]
    language: Tongue,
    mail: Option<Mail>,
    webhook: Option<Webhook>,
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tongue {
    #[default]
    En,
    Nl,
}

/// By mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    server: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Security,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    from: String,
    to: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Security {
    /// Begins without, and does not go on before there is TLS.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: on this machine only.
    None,
}

/// By webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url: String,
    secret_file: PathBuf,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow: Vec<String>,
}

/// By a command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    program: PathBuf,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default = "seconds")]
    seconds: u16,
}

fn always() -> String {
    "always".to_owned()
}
fn severities() -> Vec<String> {
    vec!["P0".to_owned(), "P1".to_owned(), "P2".to_owned()]
}
fn at_once() -> String {
    "0".to_owned()
}
fn repeat() -> String {
    "15 minutes".to_owned()
}
fn repeat_most() -> String {
    "4 hours".to_owned()
}
fn per_hour() -> u16 {
    12
}
fn seconds() -> u16 {
    30
}

impl Config {
    /// Looks whether it can be understood, and lets relative paths begin at `folder`. Reads no file.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(crate) fn check(&mut self, folder: &Path) -> Result<()> {
        let of = format!("[[alert]] '{}'", self.name);
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            (1..=40).contains(&self.name.len()) && self.name.chars().all(is_name),
            "{of}: a name has 1 to 40 small letters, digits and hyphens"
        );
        let channels = [self.mail.is_some(), self.webhook.is_some(), self.command.is_some()];
        ensure!(
            channels.into_iter().filter(|is| *is).count() == 1,
            "{of}: give it exactly one of [alert.mail], [alert.webhook] and [alert.command]"
        );
        ensure!((1..=1_000).contains(&self.per_hour), "{of}: per_hour = {}: give 1 to 1000", self.per_hour);
        if let Some(mail) = &mut self.mail {
            for file in [&mut mail.password_file, &mut mail.ca_file].into_iter().flatten() {
                *file = folder.join(&*file);
            }
            ensure!(!mail.to.is_empty() && mail.to.len() <= 20, "{of}: 'to' names 1 to 20 mail addresses");
            ensure!(mail.user.is_some() == mail.password_file.is_some(), "{of}: user and password_file go together");
            ensure!(
                mail.tls != Security::None || is_loopback(&mail.server),
                "{of}: tls = \"none\" is for a server on this machine (127.0.0.1, ::1 or localhost); use \"starttls\" or \"tls\""
            );
        }
        if let Some(webhook) = &mut self.webhook {
            webhook.secret_file = folder.join(&webhook.secret_file);
            if let Some(file) = &mut webhook.ca_file {
                *file = folder.join(&*file);
            }
            Destination::parse(&webhook.url).map_err(|wrong| anyhow::anyhow!("{of}: url: {wrong}"))?;
        }
        if let Some(command) = &self.command {
            ensure!(command.program.is_absolute(), "{of}: program = {:?}: name it by its whole path", command.program);
            ensure!((1..=300).contains(&command.seconds), "{of}: seconds = {}: give 1 to 300", command.seconds);
        }
        self.receiver().map(|_| ()).with_context(|| of)
    }

    /// Who, and when.
    fn receiver(&self) -> Result<Receiver> {
        let term = |name: &str, text: &str, least: i64| match Term::parse(text) {
            Some(Term::Elapsed(length)) if length >= least => Ok(length),
            _ => bail!("{name} = \"{text}\": write a time, as in \"15 minutes\" or \"4 hours\""),
        };
        let severity = |word: &String| Severity::parse(word).with_context(|| format!("severities: '{word}' is none: P0 to P4"));
        let kind = |word: &String| {
            let words = || Alarm::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join("', '");
            Alarm::parse(word).with_context(|| format!("kinds: '{word}' is none: '{}'", words()))
        };
        let kinds: Vec<Alarm> = self.kinds.iter().map(kind).collect::<Result<_>>()?;
        Ok(Receiver {
            name: self.name.clone(),
            hours: Hours::parse(&self.hours).map_err(|wrong| anyhow::anyhow!("hours: {wrong}"))?,
            severities: self.severities.iter().map(severity).collect::<Result<_>>()?,
            kinds: if kinds.is_empty() { Alarm::ALL.to_vec() } else { kinds },
            after: term("after", &self.after, 0)?,
            repeat: term("repeat", &self.repeat, LEAST)?,
            repeat_most: term("repeat_most", &self.repeat_most, LEAST)?,
            per_hour: self.per_hour.into(),
        })
    }

    /// The receiver with its channel, from the files that are named.
    ///
    /// # Errors
    /// When a file cannot be read, or others may read what is secret in it.
    pub(crate) fn sender(&self) -> Result<Sender> {
        let of = || format!("[[alert]] '{}'", self.name);
        let channel = match (&self.mail, &self.webhook, &self.command) {
            (Some(mail), _, _) => Channel::Mail(mail.open().with_context(of)?),
            (_, Some(webhook), _) => Channel::Webhook(webhook.open().with_context(of)?),
            (_, _, Some(command)) => Channel::Command(command.open().with_context(of)?),
            (None, None, None) => bail!("{}: it has no channel", of()),
        };
        let language = match self.language {
            Tongue::En => Language::English,
            Tongue::Nl => Language::Dutch,
        };
        Ok(Sender { receiver: self.receiver().with_context(of)?, language, channel })
    }
}

/// Looks whether receivers can be told apart, and each can be understood.
///
/// # Errors
/// As [`Config::check`].
pub(crate) fn check(receivers: &mut [Config], folder: &Path) -> Result<()> {
    ensure!(receivers.len() <= RECEIVERS, "[[alert]]: there may be {RECEIVERS} receivers");
    for receiver in &mut *receivers {
        receiver.check(folder)?;
    }
    for (at, receiver) in receivers.iter().enumerate() {
        let earlier = receivers.iter().take(at).any(|other| other.name == receiver.name);
        ensure!(!earlier, "[[alert]] '{}': this name is another receiver's already", receiver.name);
    }
    Ok(())
}

impl Mail {
    fn open(&self) -> Result<mail::Mail> {
        let mailbox = |text: &String| text.parse::<Mailbox>().with_context(|| format!("'{text}' is no mail address"));
        let tls = || -> Result<TlsParameters> {
            let mut tls = TlsParameters::builder(self.server.clone());
            if let Some(path) = &self.ca_file {
                let pem = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
                tls =
                    tls.add_root_certificate(Certificate::from_pem(&pem).with_context(|| format!("{}: no PEM", path.display()))?);
            }
            Ok(tls.build_rustls()?)
        };
        let (tls, port) = match self.tls {
            Security::Starttls => (Tls::Required(tls()?), 587),
            Security::Tls => (Tls::Wrapper(tls()?), 465),
            Security::None => (Tls::None, 25),
        };
        // "Dangerous" in that it leaves TLS to us, which the line above does not forget.
        let mut transport = SmtpTransport::builder_dangerous(self.server.as_str())
            .port(self.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(mail::SILENCE));
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let password = String::from_utf8(secret(file)?).context("the password is no UTF-8")?;
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        let to = self.to.iter().map(mailbox).collect::<Result<_>>()?;
        Ok(mail::Mail::new(transport.build(), mailbox(&self.from)?, to))
    }
}

impl Webhook {
    fn open(&self) -> Result<webhook::Webhook> {
        let key = secret(&self.secret_file)?;
        ensure!(key.len() >= 16, "{}: a secret has at least 16 bytes", self.secret_file.display());
        Ok(webhook::Webhook {
            egress: Egress::new(self.ca_file.as_deref(), &self.allow)?,
            url: self.url.clone(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }
}

impl Command {
    fn open(&self) -> Result<command::Command> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let found = std::fs::metadata(&self.program).with_context(|| format!("{}: cannot be read", self.program.display()))?;
        ensure!(found.is_file() && found.permissions().mode() & 0o111 != 0, "{}: cannot be run", self.program.display());
        // Whoever can change it can do whatever this node can.
        let own = [0, rustix::process::geteuid().as_raw()].contains(&found.uid());
        ensure!(
            own && found.permissions().mode() & 0o002 == 0,
            "{}: it must be root's or this user's, and nobody else may write to it",
            self.program.display()
        );
        let time = Duration::from_secs(self.seconds.into());
        Ok(command::Command { program: self.program.clone(), arguments: self.arguments.clone(), time })
    }
}

/// What a file of one line holds that nobody else may read.
///
/// # Errors
/// When it cannot be read, everybody may read it, or it is empty or too large.
pub(crate) fn secret(path: &Path) -> Result<Vec<u8>> {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    ensure!(found.len() <= SECRET, "{}: a secret has at most {SECRET} bytes", path.display());
    ensure!(
        found.permissions().mode() & 0o007 == 0,
        "{}: everybody may read this secret; chmod 600 it, or 640 with the group of the service",
        path.display()
    );
    let text = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let text = text.trim_ascii_end().to_vec();
    ensure!(!text.is_empty(), "{}: is empty", path.display());
    Ok(text)
}

/// Whether a host is this machine, by its name alone.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::config::Config as Whole;

    const COMMAND: &str = "[alert.command]\nprogram = \"/bin/true\"\n";

    fn parse(text: &str) -> Result<Whole> {
        Whole::parse(text, Path::new("/etc/sluis/sluis.toml"))
    }

    #[test]
    fn the_example_can_be_switched_on() {
        let text = include_str!("../../../../deploy/sluis.example.toml");
        let on: String = text.lines().filter_map(|line| line.strip_prefix("#   ")).fold(String::new(), |on, line| {
            // What stands behind a setting explains it.
            let setting = line.find("   ").map_or(line, |at| &line[..at]);
            on + setting + "\n"
        });
        let config = parse(&on).unwrap_or_else(|error| panic!("{error:#}\n{on}"));
        let receivers: Vec<_> = config.alert.iter().map(|own| own.receiver().unwrap()).collect();
        let names: Vec<_> = receivers.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["desk", "on-call", "screen"]);
        assert_eq!((receivers[0].repeat, receivers[1].after), (15 * LEAST, 15 * LEAST));
        assert_eq!(receivers[2].severities, [Severity::P0, Severity::P1, Severity::P2], "the default is as shown");
        let mail = config.alert[0].mail.as_ref().unwrap();
        assert_eq!(mail.password_file, Some(PathBuf::from("/etc/sluis/mail-password")));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_hint() {
        let mail = "[alert.mail]\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\nserver = \"mail.example\"\n";
        let webhook = |url: &str| format!("[[alert]]\nname = \"a\"\n[alert.webhook]\nurl = \"{url}\"\nsecret_file = \"s\"\n");
        let with = |line: &str| format!("[[alert]]\nname = \"a\"\n{line}\n{COMMAND}");
        for (name, text, expected) in [
            ("no channel", "[[alert]]\nname = \"a\"\n".to_owned(), "exactly one of"),
            ("two channels", format!("{}{mail}", with("")), "exactly one of"),
            ("two of a name", format!("{}{}", with(""), with("")), "another receiver's"),
            ("a name that is none", with("").replace("\"a\"", "\"A b\""), "small letters"),
            ("hours", with("hours = \"9 to 5\""), "Mon-Fri 08:00-18:00"),
            ("a severity", with("severities = [\"P9\"]"), "P0 to P4"),
            ("a kind", with("kinds = [\"fire\"]"), "stale source"),
            ("a time", with("repeat = \"often\""), "15 minutes"),
            ("too often", with("repeat = \"0\""), "15 minutes"),
            ("never", with("per_hour = 0"), "1 to 1000"),
            ("a typo", with("hour = \"always\""), "hours"),
            ("a relative program", with("").replace("/bin/true", "true"), "whole path"),
            ("for ever", format!("{}seconds = 1000\n", with("")), "1 to 300"),
            ("no TLS", format!("[[alert]]\nname = \"a\"\n{mail}tls = \"none\"\n"), "on this machine"),
            ("half a login", format!("[[alert]]\nname = \"a\"\n{mail}user = \"a\"\n"), "go together"),
            ("in the clear", webhook("http://a.example/"), "only https://"),
            ("a password in an address", webhook("https://a:b@a.example/"), "secret_file"),
        ] {
            let error = format!("{:#}", parse(&text).unwrap_err());
            assert!(error.contains(expected) && error.contains("/etc/sluis/sluis.toml"), "{name}: {error}");
        }
    }

    #[test]
    fn secrets_are_for_nobody_else_and_programs_for_nobody_to_change() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("sluis-secret-{}", std::process::id()));
        let set = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        };
        set("secret\n", 0o600);
        assert_eq!(secret(&path).unwrap(), b"secret");
        set("secret\n", 0o604);
        assert!(secret(&path).unwrap_err().to_string().contains("chmod 600"));
        set("\n", 0o600);
        assert!(secret(&path).unwrap_err().to_string().contains("empty"));
        let command = Command { program: path.clone(), arguments: Vec::new(), seconds: 1 };
        assert!(command.open().is_err(), "it cannot be run");
        set("", 0o702);
        assert!(command.open().is_err(), "everybody may change it");
        set("", 0o700);
        assert!(command.open().is_ok());
        let _ = std::fs::remove_file(&path);
    }
}
