//! The configuration of a node: one TOML file, one struct a section, and errors that say where and what to write.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use desk::retain::Periods;
use parsers::formats::csv::Declared;
use parsers::formats::shadowserver::Maps;
use serde::Deserialize;
use store::Engine;

use crate::cli::administration::Way;
use crate::doors::smtp::Settings;
use crate::serve::administrations::Source;
use crate::serve::config_feed::{self, FeedConfig};
use crate::serve::config_imap::{self, ImapConfig};
use crate::serve::config_log::LogConfig;
use crate::serve::config_mail::MailConfig;
use crate::serve::config_smtp::{LmtpConfig, SmtpConfig};
use crate::serve::config_witness::{self, WitnessConfig};

/// The name of the configuration file in a data directory.
pub(crate) const FILE: &str = "sluis.toml";

/// The configuration file of the data directory that the Debian package sets up.
const SYSTEM: &str = "/etc/sluis/sluis.toml";

/// Largest file of settings, in bytes.
const MOST: u64 = 1 << 20;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The listener.
    pub(crate) http: Http,
    /// Where submissions come from.
    pub(crate) intake: Intake,
    /// What readers are told.
    pub(crate) reading: Reading,
    /// Where the rows are.
    pub(crate) database: Database,
    /// How it is found out who mails are from.
    pub(crate) mail: MailConfig,
    /// How submissions are worked off.
    pub(crate) work: Work,
    /// The rules.
    pub(crate) policy: Policy,
    /// How long things are kept.
    pub(crate) retention: Retention,
    /// What is logged, and how.
    pub(crate) logs: Logs,
    /// The tamper-evident log.
    pub(crate) log: LogConfig,
    /// This node as a witness of others' logs.
    pub(crate) witness: WitnessConfig,
    /// Who is told of alerts, when and how.
    pub(crate) alert: Vec<crate::alert::config::Config>,
    /// Sources of administration.
    pub(crate) administration: Vec<Administration>,
    /// Feeds that are downloaded.
    pub(crate) feed: Vec<FeedConfig>,
    /// Mailboxes on servers.
    pub(crate) imap: Vec<ImapConfig>,
    /// Where our own mail server hands mail over.
    pub(crate) lmtp: Option<LmtpConfig>,
    /// Where the mail servers of others do.
    pub(crate) smtp: Option<SmtpConfig>,
    /// Both of them, understood.
    #[serde(skip)]
    pub(crate) servers: Vec<Settings>,
}

/// The rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// The policy file; without it `policy.toml` in the data directory, if there is one.
    pub(crate) file: Option<PathBuf>,
}

/// How long things are kept, in days; 0 for ever.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Raw submissions, from their arrival.
    pub(crate) raw_days: u32,
    /// Cases with their reports and letters, from their end.
    pub(crate) case_days: u32,
    /// What counts against a party.
    pub(crate) strike_days: u32,
    /// Encrypted locations of child abuse material, from the end of their case.
    pub(crate) location_days: u32,
    /// Such cases, until only their frame stays.
    pub(crate) child_abuse_case_days: u32,
    /// Addresses of reporters who got a receipt.
    pub(crate) receipt_days: u32,
    /// Alerts, from their end.
    pub(crate) alert_days: u32,
    /// Contacts of parties, from when they were gone.
    pub(crate) party_days: u32,
    /// The hour of the day (UTC, 0 to 23) from which on it is done.
    pub(crate) hour: u8,
}

impl Default for Retention {
    fn default() -> Retention {
        let Periods { raw, case, strike, location, child_abuse_case, receipt, alert, party } = Periods::default();
        Retention {
            raw_days: raw,
            case_days: case,
            strike_days: strike,
            location_days: location,
            child_abuse_case_days: child_abuse_case,
            receipt_days: receipt,
            alert_days: alert,
            party_days: party,
            hour: 2,
        }
    }
}

impl Retention {
    /// The periods.
    pub(crate) fn periods(&self) -> Periods {
        Periods {
            raw: self.raw_days,
            case: self.case_days,
            strike: self.strike_days,
            location: self.location_days,
            child_abuse_case: self.child_abuse_case_days,
            receipt: self.receipt_days,
            alert: self.alert_days,
            party: self.party_days,
        }
    }
}

/// Where the rows are: in the data directory (SQLite), unless PostgreSQL is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    /// How to reach PostgreSQL.
    pub(crate) postgres: Option<String>,
    /// A file with the password, so that it stands in no other.
    pub(crate) password_file: Option<PathBuf>,
}

/// How submissions are worked off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Work {
    /// Submissions that are worked on at the same time, 1 to 64; more than one only with PostgreSQL.
    pub(crate) workers: Option<u8>,
}

/// A source of administration: how old it may be, and where what it has to say appears.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Administration {
    /// The name that `sluis import --source` gives it too.
    pub(crate) source: String,
    /// The system that writes its files.
    pub(crate) system: Option<String>,
    /// A description of its files.
    pub(crate) map: Option<PathBuf>,
    /// Where its files appear. A relative path begins at the folder of the configuration file.
    pub(crate) folder: Option<PathBuf>,
    /// Hours after which it is stale; never when it does not say.
    pub(crate) fresh_hours: Option<f64>,
}

impl Eq for Administration {}

/// The listener for `/healthz`, `/readyz` and `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Address and port; port 0 takes any that is free.
    pub(crate) listen: SocketAddr,
}

/// Where submissions come from, beside the spool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Intake {
    /// Maildirs that are watched. A relative path begins at the folder of the configuration file.
    pub(crate) maildirs: Vec<PathBuf>,
    /// Seconds between two looks at the spool and the maildirs, 1 to 3600.
    pub(crate) poll_seconds: u16,
    /// MiB that must be free on the disk of the data directory for the node to call itself ready.
    pub(crate) min_free_mib: u32,
}

/// What readers are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reading {
    /// Column maps of Shadowserver's report types, in place of those the program brings.
    pub(crate) shadowserver_maps: Option<PathBuf>,
    /// A description of a CSV of the operator's own.
    pub(crate) declared_csv: Option<PathBuf>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logs {
    /// How a line looks; by default text on a terminal and JSON elsewhere.
    pub(crate) format: Option<LogFormat>,
    /// The least important lines that are written.
    pub(crate) level: Level,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Something does not work.
    Error,
    /// Something may soon not work.
    Warn,
    /// What was done.
    #[default]
    Info,
    /// Every submission.
    Debug,
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080) }
    }
}

impl Default for Intake {
    fn default() -> Intake {
        Intake { maildirs: Vec::new(), poll_seconds: 1, min_free_mib: 512 }
    }
}

impl Config {
    /// Reads the file that was named, or else `sluis.toml` in the data directory if there is one, or else for the node of
    /// the Debian package `/etc/sluis/sluis.toml`, or else gives the defaults.
    ///
    /// # Errors
    /// When a named file cannot be read, or a file says what nobody understands; with line and hint.
    pub(crate) fn load(named: Option<&Path>, data: &Path) -> anyhow::Result<Config> {
        let Some(path) = named.map(Path::to_owned).or_else(|| Config::found(data)) else { return Ok(Config::default()) };
        let text = text_of(&path)?;
        Config::parse(&text, &path)
    }

    /// The files of settings that a backup takes with it: this one and those that it names, but no passwords.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn files(named: Option<&Path>, data: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let Some(path) = named.map(Path::to_owned).or_else(|| Config::found(data)) else { return Ok(Vec::new()) };
        let config = Config::load(Some(&path), data)?;
        let Reading { shadowserver_maps, declared_csv } = config.reading;
        let maps = config.feed.into_iter().map(|feed| feed.map);
        Ok([Some(path), shadowserver_maps, declared_csv].into_iter().chain(maps).flatten().collect())
    }

    /// The file that counts for a data directory when none is named, if there is one.
    fn found(data: &Path) -> Option<PathBuf> {
        let system = (data == Path::new(crate::data::SYSTEM)).then(|| PathBuf::from(SYSTEM));
        [Some(data.join(FILE)), system].into_iter().flatten().find(|path| path.try_exists().unwrap_or(true))
    }

    /// Reads the text of a configuration; `path` is for messages, and where relative paths begin.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn parse(text: &str, path: &Path) -> anyhow::Result<Config> {
        let mut config: Config = toml::from_str(text).map_err(|error| {
            // The message of `toml` shows line and column, the line itself, and which names are expected there.
            anyhow::anyhow!(
                "{}: {}\nhint: deploy/sluis.example.toml shows every setting",
                path.display(),
                error.to_string().trim_end()
            )
        })?;
        let poll = config.intake.poll_seconds;
        anyhow::ensure!((1..=3600).contains(&poll), "{}: [intake] poll_seconds = {poll}: give 1 to 3600 seconds", path.display());
        let hour = config.retention.hour;
        anyhow::ensure!(hour < 24, "{}: [retention] hour = {hour}: give 0 to 23", path.display());
        let folder = path.parent().unwrap_or(Path::new("."));
        crate::alert::config::check(&mut config.alert, folder).with_context(|| path.display().to_string())?;
        config_imap::check(&mut config.imap, folder).with_context(|| path.display().to_string())?;
        config.log.check(folder).with_context(|| path.display().to_string())?;
        config.mail.check().with_context(|| path.display().to_string())?;
        config.servers = config.servers(folder).with_context(|| path.display().to_string())?;
        config_feed::check(&mut config.feed, folder).with_context(|| path.display().to_string())?;
        config_witness::check(&mut config, folder).with_context(|| path.display().to_string())?;
        for maildir in &mut config.intake.maildirs {
            anyhow::ensure!(
                !maildir.as_os_str().is_empty(),
                "{}: [intake] maildirs: an empty path; name the folder that has 'new' and 'cur'",
                path.display()
            );
            *maildir = folder.join(&*maildir);
        }
        match config.work.workers {
            Some(0 | 65..) => anyhow::bail!("{}: [work] workers: give 1 to 64", path.display()),
            Some(2..) if config.database.postgres.is_none() => anyhow::bail!(
                "{}: [work] workers: SQLite has one writer; leave it out, or name a server under [database] postgres",
                path.display()
            ),
            _ => {}
        }
        anyhow::ensure!(
            config.database.postgres.is_some() || config.database.password_file.is_none(),
            "{}: [database] password_file: only PostgreSQL asks for one; name it under [database] postgres",
            path.display()
        );
        config.check_administrations(path)?;
        for administration in &mut config.administration {
            for file in [&mut administration.map, &mut administration.folder].into_iter().flatten() {
                *file = folder.join(&*file);
            }
        }
        let Reading { shadowserver_maps, declared_csv } = &mut config.reading;
        let files = [shadowserver_maps, declared_csv, &mut config.database.password_file, &mut config.policy.file];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// The doors for mail servers. A relative path in them begins at `folder`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    fn servers(&self, folder: &Path) -> anyhow::Result<Vec<Settings>> {
        let min_free = u64::from(self.intake.min_free_mib) << 20;
        let lmtp = self.lmtp.iter().map(|config| config.settings(folder, min_free));
        lmtp.chain(self.smtp.iter().map(|config| config.settings(folder, min_free))).collect()
    }

    /// The database that holds the rows.
    ///
    /// # Errors
    /// When a connection string cannot be understood, or the password's file cannot be read. Neither is shown.
    pub(crate) fn engine(&self) -> anyhow::Result<Engine> {
        let Some(connection) = &self.database.postgres else { return Ok(Engine::Sqlite) };
        let password = match &self.database.password_file {
            Some(path) => Some(text_of(path)?),
            None => None,
        };
        let password = password.as_deref().map(|text| text.trim_end_matches(['\r', '\n']).as_bytes());
        Engine::postgres(connection, password).context("[database] postgres")
    }

    fn check_administrations(&self, path: &Path) -> anyhow::Result<()> {
        let path = path.display();
        for (at, administration) in self.administration.iter().enumerate() {
            let source = &administration.source;
            anyhow::ensure!(
                !source.trim().is_empty(),
                "{path}: [[administration]] {}: say what it is called with source = \"…\"",
                at + 1
            );
            let twice = self.administration.iter().take(at).any(|other| other.source == *source);
            anyhow::ensure!(!twice, "{path}: [[administration]] source = \"{source}\" is there twice");
            anyhow::ensure!(
                administration.system.is_none() || administration.map.is_none(),
                "{path}: [[administration]] \"{source}\": 'system' or 'map', not both"
            );
            anyhow::ensure!(
                administration.folder.as_ref().is_none_or(|folder| !folder.as_os_str().is_empty()),
                "{path}: [[administration]] \"{source}\": folder: an empty path"
            );
            let hours = administration.fresh_hours.unwrap_or(1.0);
            anyhow::ensure!(
                hours > 0.0 && hours <= 87_600.0,
                "{path}: [[administration]] \"{source}\": fresh_hours = {hours}: give hours, up to ten years; leave it out for never"
            );
        }
        Ok(())
    }

    /// The sources of administration, with what their files are read by.
    ///
    /// # Errors
    /// When there is no such system, or a description cannot be read.
    pub(crate) fn administrations(&self) -> anyhow::Result<Vec<Source>> {
        let source = |one: &Administration| {
            let way = Way::new(one.system.as_deref(), one.map.as_deref())
                .with_context(|| format!("[[administration]] \"{}\"", one.source))?;
            // Between none and ten years, so the number fits.
            let fresh = one.fresh_hours.map_or(0, |hours| (hours * 3_600_000.0) as i64);
            Ok(Source::new(one.source.clone(), way, one.folder.clone(), fresh))
        };
        self.administration.iter().map(source).collect()
    }

    /// What readers are told, from the files that are named.
    ///
    /// # Errors
    /// When a file cannot be read, or says what nobody understands.
    pub(crate) fn readers(&self) -> anyhow::Result<desk::Reading> {
        let mut readers = desk::Reading::default();
        if let Some(path) = &self.reading.shadowserver_maps {
            let maps = Maps::parse(&text_of(path)?).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            readers.maps = Some(maps);
        }
        if let Some(path) = &self.reading.declared_csv {
            let declared = Declared::parse(&text_of(path)?).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            readers.declared = Some(declared);
        }
        for feed in &self.feed {
            readers.feeds.insert(feed.name.clone(), feed.reading(text_of)?);
        }
        Ok(readers)
    }
}

/// The text of a small file.
fn text_of(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path).with_context(|| format!("{}: cannot be read", path.display()))?.len();
    anyhow::ensure!(size <= MOST, "{}: has {size} bytes, a file of settings has at most {MOST}", path.display());
    std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_the_defaults() {
        let text = include_str!("../../../../deploy/sluis.example.toml");
        let parsed = Config::parse(text, Path::new("/etc/sluis/sluis.example.toml")).unwrap();
        assert_eq!(parsed, Config::default());
        // Every setting that is shown switched off can be switched on.
        let on: String = text
            .lines()
            .map(|line| {
                match line
                    .strip_prefix("# ")
                    .filter(|line| !line.starts_with(' '))
                    .filter(|line| (line.contains(" = ") && !line.contains(". ")) || line.starts_with("[["))
                {
                    Some(setting) => format!("{setting}\n"),
                    None => format!("{line}\n"),
                }
            })
            .collect();
        let parsed = Config::parse(&on, Path::new("/etc/sluis/sluis.example.toml")).unwrap();
        assert_eq!(parsed.intake.maildirs, [PathBuf::from("/var/mail/abuse/Maildir"), PathBuf::from("/etc/sluis/feeds")]);
        assert_eq!(parsed.reading.declared_csv, Some(PathBuf::from("/etc/sluis/own.toml")));
        assert_eq!(parsed.reading.shadowserver_maps, Some(PathBuf::from("/etc/sluis/shadowserver.toml")));
        assert_eq!(parsed.policy.file, Some(PathBuf::from("/etc/sluis/policy.toml")));
        assert_eq!(parsed.logs.format, Some(LogFormat::Json));
        assert_eq!(parsed.database.password_file, Some(PathBuf::from("/etc/sluis/database-password")));
        assert_eq!(parsed.work.workers, Some(2));
        assert_eq!((parsed.mail.trusted_relays.len(), parsed.mail.own.len()), (1, 1));
        assert!(Engine::postgres(parsed.database.postgres.as_deref().unwrap(), None).is_ok());
        assert_eq!(parsed.administration[0].folder, Some(PathBuf::from("/var/spool/sluis/billing")));
        assert!(parsed.administrations().is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_a_hint() {
        let cases = [
            ("an unknown setting", "[http]\nlisten_on = \"127.0.0.1:1\"\n", &["line 2", "listen_on", "listen", "hint"][..]),
            ("an unknown section", "[htpp]\n", &["line 1", "htpp", "http"]),
            ("no address", "[http]\nlisten = \"localhost\"\n", &["line 2", "socket address"]),
            ("no level", "[logs]\nlevel = \"loud\"\n", &["line 2", "loud", "debug"]),
            ("never looking", "[intake]\npoll_seconds = 0\n", &["poll_seconds = 0", "1 to 3600"]),
            ("a path of nothing", "[intake]\nmaildirs = [\"\"]\n", &["maildirs", "empty"]),
            ("not TOML", "listen", &["line 1"]),
            ("no hour", "[retention]\nhour = 24\n", &["hour = 24", "0 to 23"]),
            ("never is not less than nothing", "[retention]\nraw_days = -1\n", &["line 2", "-1"]),
            ("no workers", "[work]\nworkers = 0\n", &["workers", "1 to 64"]),
            ("two writers", "[work]\nworkers = 2\n", &["workers", "one writer", "[database] postgres"]),
            ("a password for nothing", "[database]\npassword_file = \"x\"\n", &["password_file", "[database] postgres"]),
            ("two who find it out", "[mail]\ndns = \"system\"\nauthentication_results = \"mx\"\n", &["[mail]", "choose one"]),
            ("no name server", "[mail]\ndns = [\"resolver.example\"]\n", &["resolver.example", "192.0.2.53"]),
            ("no name servers", "[mail]\ndns = []\n", &["dns", "empty"]),
            ("no relay", "[mail]\ntrusted_relays = [\"mx.example\"]\n", &["trusted_relays", "mx.example"]),
            ("no server", "[mail]\nauthentication_results = \"\"\n", &["authentication_results", "name"]),
            ("no name", "[[administration]]\nfolder = \"x\"\n", &["source"]),
            ("twice", "[[administration]]\nsource = \"a\"\n[[administration]]\nsource = \"a\"\n", &["twice"]),
            ("two ways", "[[administration]]\nsource = \"a\"\nsystem = \"whmcs\"\nmap = \"x\"\n", &["not both"]),
            ("never fresh", "[[administration]]\nsource = \"a\"\nfresh_hours = 0\n", &["fresh_hours = 0"]),
        ];
        for (name, text, expected) in cases {
            let error = format!("{:#}", Config::parse(text, Path::new("/etc/sluis/x.toml")).unwrap_err());
            for word in ["/etc/sluis/x.toml"].iter().chain(expected) {
                assert!(error.contains(word), "{name}: {error:?} does not say {word:?}");
            }
        }
    }
}
