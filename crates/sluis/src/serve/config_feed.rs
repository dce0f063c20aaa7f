//! `[[feed]]`: lists that are downloaded, from where, how often, and what is told to those who read them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hyper::header::{HeaderName, HeaderValue};
use model::address::Range;
use model::calendar::Term;
use model::category::Kind;
use model::time::{DAY, MINUTE};
use parsers::formats::csv::Declared;
use serde::Deserialize;
use store::feeds::Expected;

use crate::doors::fetch::schedule::Every;
use crate::egress::Destination;

/// Feeds there may be.
const MOST: usize = 200;
/// Headers of one.
const HEADERS: usize = 16;
/// Addresses that one list is asked about.
const ADDRESSES: u128 = 1 << 20;
/// What stands in an address where its secret belongs.
pub(crate) const PLACE: &str = "{secret}";
/// Parameters of an address that are secret by their name.
const SECRET: [&str; 14] = [
    "key",
    "apikey",
    "api_key",
    "api-key",
    "auth",
    "auth_key",
    "auth-key",
    "token",
    "access_token",
    "password",
    "pass",
    "secret",
    "sig",
    "signature",
];

/// One feed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedConfig {
    /// Its name in messages, logs and lists: small letters, digits, hyphens.
    pub(crate) name: String,
    /// Where it is. `{secret}` in it stands for what `secret_file` holds.
    #[serde(default)]
    pub(crate) url: String,
    /// Whether it may be `http://`: then whoever is in between can change it.
    #[serde(default)]
    pub(crate) plain_http: bool,
    /// Whom it is asked of otherwise than by an address: `shadowserver`.
    pub(crate) api: Option<Api>,
    /// How often: `1 hour`, or a time of the day (UTC) as `06:30`.
    #[serde(default = "hourly")]
    every: String,
    /// Its format, when its bytes and address do not tell.
    pub(crate) format: Option<String>,
    /// The kind of abuse of all it lists, when it does not say: `category/type`.
    kind: Option<String>,
    /// A description of its columns.
    pub(crate) map: Option<PathBuf>,
    /// The name that what comes has; without it that in the address.
    pub(crate) file_name: Option<String>,
    /// MiB that are taken at the most.
    #[serde(default = "mib")]
    pub(crate) max_mib: u32,
    /// Minutes that one download may take.
    #[serde(default = "minutes")]
    pub(crate) minutes: u32,
    /// Whether redirects to the same host are followed.
    #[serde(default)]
    pub(crate) redirects: bool,
    /// The file whose line is sent as `Authorization`.
    pub(crate) authorization_file: Option<PathBuf>,
    /// The file with what stands for `{secret}`, or with the secret of an API.
    pub(crate) secret_file: Option<PathBuf>,
    /// The file with the key of an API.
    pub(crate) key_file: Option<PathBuf>,
    /// Headers that are sent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Headers that are sent whose values are in files.
    #[serde(default)]
    pub(crate) header_files: BTreeMap<String, PathBuf>,
    /// Who vouches for its TLS, in PEM; without it, whom the system trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// Itself as `host:port`, if it is on a private network.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// Whether it names all there is each time, so that what it names no more is over.
    complete: Option<bool>,
    /// Whether what nobody of ours held is passed over.
    only_ours: Option<bool>,
    /// Reports that one download brings at the least.
    #[serde(default = "one")]
    expect_rows: u32,
    /// The same in per cent of the usual.
    #[serde(default = "half")]
    expect_percent: u8,
    /// How long it may bring nothing new until somebody is told, or `never`.
    #[serde(default = "week")]
    quiet: String,
    /// Days before today whose files of an API are asked for.
    #[serde(default = "days")]
    pub(crate) days: u8,
    /// Types of files of an API; none means all.
    #[serde(default)]
    pub(crate) types: Vec<String>,
    /// Lists of an API; none means all.
    #[serde(default)]
    pub(crate) lists: Vec<String>,
    /// Where files of an API are downloaded, when it is not the usual place.
    pub(crate) download_url: Option<String>,
    /// The name under which a list is asked by DNS; `{secret}.` may stand before it.
    #[serde(default)]
    pub(crate) zone: String,
    /// What it is asked about: ranges of our own.
    #[serde(default)]
    ranges: Vec<String>,
    /// The name server that is asked; without it that of this machine.
    server: Option<String>,
    /// Questions in a second.
    #[serde(default = "twenty")]
    pub(crate) per_second: u16,
}

/// An API that feeds come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Api {
    /// Shadowserver's reports.
    Shadowserver,
    /// A list that is asked by DNS about ranges of our own.
    Dnsbl,
}

fn hourly() -> String {
    "1 hour".to_owned()
}
fn week() -> String {
    "7 days".to_owned()
}
fn mib() -> u32 {
    64
}
fn minutes() -> u32 {
    10
}
fn one() -> u32 {
    1
}
fn half() -> u8 {
    50
}
fn days() -> u8 {
    3
}
fn twenty() -> u16 {
    20
}

impl FeedConfig {
    /// How it is called in messages.
    pub(crate) fn of(&self) -> String {
        format!("[[feed]] '{}'", self.name)
    }

    /// When it is asked.
    ///
    /// # Errors
    /// When that is no time.
    pub(crate) fn every(&self) -> Result<Every> {
        let clock = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let two = |text: &str, below: i64| {
                let number = if text.len() == 2 { text.parse::<i64>().ok() } else { None };
                number.filter(|number| (0..below).contains(number))
            };
            Some(Every::Daily((two(hour, 24)? * 60 + two(minute, 60)?) * MINUTE))
        };
        let term = |text: &str| match Term::parse(text) {
            Some(Term::Elapsed(length)) if (MINUTE..=31 * DAY).contains(&length) => Some(Every::Each(length)),
            _ => None,
        };
        let text = self.every.trim();
        clock(text).or_else(|| term(text)).with_context(|| {
            format!("every = \"{text}\": write how often, from \"1 minute\" to \"31 days\", or a time of the day (UTC) as in \"06:30\"")
        })
    }

    /// Where it is, without anything that is secret.
    pub(crate) fn location(&self) -> String {
        if self.api == Some(Api::Dnsbl) {
            return format!("dns:{}", self.zone_shown());
        }
        let Some((path, query)) = self.url.split_once('?') else { return self.url.clone() };
        let shown: Vec<&str> = query
            .split('&')
            .filter(|part| {
                let name = part.split('=').next().unwrap_or_default().to_ascii_lowercase();
                !SECRET.contains(&name.as_str()) && !part.contains(PLACE)
            })
            .collect();
        if shown.is_empty() { path.to_owned() } else { format!("{path}?{}", shown.join("&")) }
    }

    /// The name under which a list is asked, without what is secret in it.
    pub(crate) fn zone_shown(&self) -> &str {
        self.zone.strip_prefix(PLACE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&self.zone)
    }

    /// What a list is asked about.
    ///
    /// # Errors
    /// When one is no range, or they are too many.
    pub(crate) fn ranges(&self) -> Result<Vec<Range>> {
        let range = |text: &String| Range::parse(text).map_err(|error| anyhow::anyhow!("ranges: \"{text}\": {error}"));
        let ranges: Vec<Range> = self.ranges.iter().map(range).collect::<Result<_>>()?;
        let count = ranges.iter().fold(0u128, |count, range| count.saturating_add(range.span()).saturating_add(1));
        ensure!(
            (1..=ADDRESSES).contains(&count),
            "ranges: name 1 to {ADDRESSES} addresses of your own, as in [\"192.0.2.0/24\"]"
        );
        Ok(ranges)
    }

    /// The name server that is asked, if one is named.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn server(&self) -> Result<Option<SocketAddr>> {
        let Some(text) = &self.server else { return Ok(None) };
        let found = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)));
        Ok(Some(found.with_context(|| format!("server = \"{text}\": write the address of a name server, as in \"127.0.0.1\""))?))
    }

    fn kind(&self) -> Result<Option<Kind>> {
        let Some(text) = &self.kind else { return Ok(None) };
        let found = text.split_once('/').and_then(|(category, name)| Kind::from_words(category.trim(), name.trim()));
        let unknown =
            || format!("kind = \"{text}\": write category and type as in \"content/malware\"; docs/formats.md lists them");
        Ok(Some(found.with_context(unknown)?))
    }

    fn quiet(&self) -> Result<Option<i64>> {
        match (self.quiet.as_str(), Term::parse(&self.quiet)) {
            ("never", _) => Ok(None),
            (_, Some(Term::Elapsed(length))) if length >= MINUTE => Ok(Some(length)),
            (text, _) => bail!("quiet = \"{text}\": write a time as in \"7 days\", or \"never\""),
        }
    }

    /// What those who read it are told.
    ///
    /// # Errors
    /// When a description cannot be read.
    pub(crate) fn reading(&self, text_of: impl Fn(&Path) -> Result<String>) -> Result<desk::Feed> {
        let declared = match &self.map {
            Some(path) => Some(
                Declared::parse(&text_of(path)?)
                    .map_err(|error| anyhow::anyhow!("{}: {}: {error}", self.of(), path.display()))?,
            ),
            None => None,
        };
        let expected = Expected {
            least: self.expect_rows.into(),
            percent: self.expect_percent.into(),
            complete: self.complete.unwrap_or(self.api.is_some()),
        };
        Ok(desk::Feed {
            location: self.location(),
            format: match (&self.format, self.api) {
                (None, Some(Api::Dnsbl)) => parsers::formats::by_name("dnsbl").map(|format| format.name.to_owned()),
                (format, _) => format.clone(),
            },
            kind: self.kind()?,
            declared,
            expected,
            // What is asked for by an API is about our own networks already.
            only_ours: self.only_ours.unwrap_or(self.api.is_none()),
            quiet: self.quiet()?,
        })
    }

    /// Looks whether it can be understood, and lets relative paths begin at `folder`. Reads no file.
    fn check(&mut self, folder: &Path) -> Result<()> {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            (1..=40).contains(&self.name.len()) && self.name.chars().all(is_name),
            "a name has 1 to 40 small letters, digits and hyphens"
        );
        for file in [&mut self.map, &mut self.authorization_file, &mut self.secret_file, &mut self.key_file, &mut self.ca_file]
            .into_iter()
            .flatten()
            .chain(self.header_files.values_mut())
        {
            *file = folder.join(&*file);
        }
        match self.api {
            None => self.check_url()?,
            Some(Api::Shadowserver) => self.check_api()?,
            Some(Api::Dnsbl) => self.check_dnsbl()?,
        }
        let of_dnsbl = [!self.zone.is_empty(), !self.ranges.is_empty(), self.server.is_some()];
        ensure!(self.api == Some(Api::Dnsbl) || !of_dnsbl.contains(&true), "zone, ranges and server are for api = \"dnsbl\"");
        self.every()?;
        self.kind()?;
        self.quiet()?;
        if let Some(name) = &self.format {
            let names = || parsers::formats::all().map(|format| format.name).collect::<Vec<_>>().join(", ");
            ensure!(
                parsers::formats::by_name(name).is_some(),
                "format = \"{name}\": there is no such format; there are {}",
                names()
            );
        }
        ensure!((1..=4_096).contains(&self.max_mib), "max_mib = {}: give 1 to 4096", self.max_mib);
        ensure!((1..=240).contains(&self.minutes), "minutes = {}: give 1 to 240", self.minutes);
        ensure!(self.expect_percent <= 100, "expect_percent = {}: give 0 to 100", self.expect_percent);
        ensure!((1..=30).contains(&self.days), "days = {}: give 1 to 30", self.days);
        let names = self.headers.keys().chain(self.header_files.keys());
        ensure!(names.clone().count() <= HEADERS, "headers: there may be {HEADERS}");
        for name in names {
            let taken = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "range"];
            let known = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| !taken.contains(&name.as_str()));
            ensure!(known.is_some(), "headers: '{name}' is no header that can be sent");
        }
        for (name, value) in &self.headers {
            ensure!(HeaderValue::from_str(value).is_ok(), "headers: '{name}': this value cannot be sent");
        }
        Ok(())
    }

    fn check_url(&self) -> Result<()> {
        ensure!(!self.url.is_empty(), "url: say where it is, as in url = \"https://lists.example/drop.txt\"");
        let url = self.url.replace(PLACE, "x");
        let destination = Destination::parse_plain_too(&url).map_err(|wrong| anyhow::anyhow!("url: {wrong}"))?;
        ensure!(!url.contains('#'), "url: nothing after a # is sent: leave it out");
        let authority_is_fixed = !self.url.split('/').nth(2).unwrap_or_default().contains(PLACE);
        ensure!(authority_is_fixed, "url: {PLACE} stands in a path or after the ?, not in the host");
        ensure!(
            !destination.is_plain() || self.plain_http,
            "url: without TLS whoever is in between can put anybody's address into it: use https://, or say plain_http = true"
        );
        let has_secret = self.url.contains(PLACE);
        ensure!(!has_secret || self.secret_file.is_some(), "url: {PLACE} stands for what a file holds: name it with secret_file");
        ensure!(has_secret || self.secret_file.is_none(), "secret_file: say with {PLACE} where in url it belongs");
        let only = [self.key_file.is_some(), self.download_url.is_some(), !self.types.is_empty(), !self.lists.is_empty()];
        ensure!(!only.contains(&true), "key_file, download_url, types and lists are for an api");
        Ok(())
    }

    fn check_api(&mut self) -> Result<()> {
        ensure!(
            self.key_file.is_some() && self.secret_file.is_some(),
            "api: name the files with its key and its secret: key_file and secret_file"
        );
        if self.url.is_empty() {
            "https://transform.shadowserver.org/api2/".clone_into(&mut self.url);
        }
        for url in [&self.url].into_iter().chain(&self.download_url) {
            Destination::parse(url).map_err(|wrong| anyhow::anyhow!("{url}: {wrong}"))?;
            ensure!(url.ends_with('/') && !url.contains(['?', '#']), "{url}: it ends with a slash: what is asked is added to it");
        }
        let is_word = |text: &String| {
            (1..=100).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        };
        ensure!(self.types.iter().chain(&self.lists).all(is_word), "types, lists: names have letters, digits and _-.");
        Ok(())
    }
}

impl FeedConfig {
    fn check_dnsbl(&self) -> Result<()> {
        let zone = self.zone_shown();
        let is_name = zone.contains('.') && zone.split('.').all(|label| (1..=63).contains(&label.len()));
        let is_plain = zone.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
        ensure!(
            is_name && is_plain,
            "zone = \"{}\": write the name under which the list is asked, as in \"bl.lists.example\"",
            self.zone
        );
        let has_secret = self.zone.contains(PLACE);
        ensure!(has_secret == self.secret_file.is_some(), "zone: {PLACE} and secret_file go together");
        ensure!(self.url.is_empty(), "url: a list that is asked by DNS has a zone, and no url");
        ensure!((1..=200).contains(&self.per_second), "per_second = {}: give 1 to 200", self.per_second);
        self.server()?;
        self.ranges().map(drop)
    }
}

/// Looks whether the sections can be understood, and lets relative paths begin at `folder`. Reads no file.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn check(feeds: &mut [FeedConfig], folder: &Path) -> Result<()> {
    ensure!(feeds.len() <= MOST, "[[feed]]: there may be {MOST}");
    for at in 0..feeds.len() {
        let (earlier, rest) = feeds.split_at_mut(at);
        let Some(feed) = rest.first_mut() else { break };
        let of = feed.of();
        feed.check(folder).with_context(|| of.clone())?;
        ensure!(earlier.iter().all(|other| other.name != feed.name), "{of}: this name is another one's already");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::config::Config;

    fn read(text: &str) -> Result<Config> {
        Config::parse(text, Path::new("/etc/sluis/x.toml"))
    }

    #[test]
    fn feeds_are_read() {
        let text = "[[feed]]\nname = \"drop\"\nurl = \"https://lists.example/{secret}/drop.txt?v=2&token=abc\"\nsecret_file = \"drop-key\"\n\
                    every = \"06:30\"\nformat = \"csv\"\nkind = \"content/malware\"\nheaders = { X-Who = \"us\" }\n\
                    [[feed]]\nname = \"shadowserver\"\napi = \"shadowserver\"\nkey_file = \"k\"\nsecret_file = \"/s\"\n";
        let config = read(text).unwrap();
        let [drop, shadowserver] = &config.feed[..] else { panic!() };
        assert_eq!(drop.location(), "https://lists.example/{secret}/drop.txt?v=2");
        assert_eq!(drop.every().unwrap(), Every::Daily(390 * MINUTE));
        assert_eq!(drop.secret_file.as_deref(), Some(Path::new("/etc/sluis/drop-key")));
        let told = drop.reading(|_| unreachable!()).unwrap();
        assert_eq!((told.kind.map(|kind| kind.type_name()), told.expected.complete), (Some("malware"), false));
        assert_eq!(shadowserver.url, "https://transform.shadowserver.org/api2/");
        assert!(shadowserver.reading(|_| unreachable!()).unwrap().expected.complete);
        assert_eq!(read("").unwrap().feed, []);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let good = "[[feed]]\nname = \"a\"\nurl = \"https://a.example/x\"\n";
        assert!(read(good).is_ok());
        let dnsbl =
            |ranges: &str| format!("[[feed]]\nname = \"a\"\napi = \"dnsbl\"\nzone = \"bl.lists.example\"\nranges = {ranges}\n");
        assert!(read(&dnsbl("[\"192.0.2.0/24\", \"2001:db8::/112\"]\nserver = \"127.0.0.1\"")).is_ok());
        for (name, text, word) in [
            ("a name", good.replace("\"a\"", "\"A b\""), "small letters"),
            ("twice", format!("{good}{good}"), "another one's"),
            ("nowhere", "[[feed]]\nname = \"a\"\n".to_owned(), "say where it is"),
            ("without TLS", good.replace("https", "http"), "plain_http = true"),
            ("a password", good.replace("//a", "//u:p@a"), "secret_file"),
            ("a secret from nowhere", good.replace("/x", "/{secret}"), "name it with secret_file"),
            ("a secret for nothing", format!("{good}secret_file = \"s\"\n"), "{secret}"),
            ("a secret host", good.replace("a.example", "{secret}.example"), "not in the host"),
            ("a file", good.replace("https://a.example", "file://"), "url: "),
            ("never", format!("{good}every = \"0\"\n"), "every = \"0\""),
            ("no time", format!("{good}every = \"25:00\"\n"), "06:30"),
            ("no format", format!("{good}format = \"csw\"\n"), "there is no such format"),
            ("no kind", format!("{good}kind = \"bad\"\n"), "category and type"),
            ("everything", format!("{good}max_mib = 0\n"), "1 to 4096"),
            ("a part", format!("{good}headers = {{ Range = \"bytes=0-1\" }}\n"), "no header that can be sent"),
            ("two lines", format!("{good}headers = {{ X = \"a\\nb\" }}\n"), "cannot be sent"),
            ("an api's", format!("{good}types = [\"scan_rdp\"]\n"), "for an api"),
            ("no key", "[[feed]]\nname = \"a\"\napi = \"shadowserver\"\n".to_owned(), "key_file and secret_file"),
            ("a zone for a file", format!("{good}zone = \"a.example\"\n"), "api = \"dnsbl\""),
            ("no zone", "[[feed]]\nname = \"a\"\napi = \"dnsbl\"\n".to_owned(), "bl.lists.example"),
            ("nothing to ask about", dnsbl("[]"), "name 1 to"),
            ("no range", dnsbl("[\"192.0.2\"]"), "ranges: \"192.0.2\""),
            ("the world", dnsbl("[\"2001:db8::/32\"]"), "name 1 to"),
            ("no server", dnsbl("[\"192.0.2.0/24\"]\nserver = \"dns\""), "127.0.0.1"),
            ("unknown", format!("{good}colour = 1\n"), "colour"),
        ] {
            let error = format!("{:#}", read(&text).unwrap_err());
            assert!(error.contains(word) && error.contains("/etc/sluis/x.toml"), "{name}: {error}");
        }
    }
}
