//! The door of feeds: what `[[feed]]` names is downloaded when it is due, and received as any other submission.
//!
//! - [`schedule`] says when.
//! - [`run`] is the thread of `serve` that sees to it.
//! - [`dnsbl`] asks lists by DNS about ranges of our own.
//! - [`shadowserver`] has feeds of many files, by Shadowserver's API.
//!
//! What a server calls a version (`ETag`, `Last-Modified`) is kept after the bytes are durable, never before.

mod dnsbl;
pub(crate) mod run;
pub(crate) mod schedule;
mod shadowserver;

use std::io::{self, Read};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use desk::Desk;
use desk::fetches::Came;
use hyper::header::{self, HeaderValue};
use model::sender::Envelope;
use model::submission::Door;
use model::time::Time;
use ring::digest;
use store::fetches::Fetch;
use store::submissions::Receipt;

use crate::alert::config::secret;
use crate::egress::{Answered, Destination, Egress, Failed, Wanted};
use crate::serve::config_feed::{Api, FeedConfig, PLACE};
use crate::serve::logs;
use dnsbl::Dnsbl;
use schedule::{Every, retry_after};
use shadowserver::Shadowserver;

/// A feed, ready to be asked for.
pub(crate) struct Fetcher {
    /// Its name in the settings.
    pub(crate) name: String,
    every: Every,
    egress: Egress,
    /// Whole, with what is secret in it.
    url: String,
    /// SHA-256 of where it is.
    asked: [u8; 32],
    plain: bool,
    redirects: bool,
    headers: Vec<(String, String)>,
    most: u64,
    time: Duration,
    /// The name that what comes has.
    file: String,
    api: Source,
}

/// Whom it is asked of.
enum Source {
    /// What is at an address.
    Address,
    /// Shadowserver's API.
    Shadowserver(Shadowserver),
    /// A list, by DNS.
    Dnsbl(Dnsbl),
}

/// What came of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Submissions that were received.
    pub(crate) received: u32,
    /// Why it could not be had; empty when it could.
    pub(crate) trouble: String,
    /// Not to be asked again before this.
    pub(crate) next: Time,
}

/// What came of asking, before it is kept.
struct Asked {
    came: Came,
    received: u32,
    /// Milliseconds that its server asks to wait for.
    wait: Option<i64>,
}

impl Asked {
    fn failed(why: impl Into<String>) -> Asked {
        Asked { came: Came::Failed(why.into()), received: 0, wait: None }
    }
}

impl Fetcher {
    /// Reads the files that are named. Asks nothing yet.
    ///
    /// # Errors
    /// When one cannot be read, or others may read what is secret in it.
    pub(crate) fn open(config: &FeedConfig) -> Result<Fetcher> {
        Fetcher::opened(config).with_context(|| config.of())
    }

    fn opened(config: &FeedConfig) -> Result<Fetcher> {
        let line = |path: &std::path::Path| -> Result<String> {
            let text = String::from_utf8(secret(path)?).ok();
            text.with_context(|| format!("{}: this is no text", path.display()))
        };
        let hidden = config.secret_file.as_deref().map(line).transpose()?;
        let url = match &hidden {
            Some(hidden) if config.api.is_none() => config.url.replace(PLACE, hidden),
            _ => config.url.clone(),
        };
        let is_address = config.api == Some(Api::Dnsbl) || Destination::parse_plain_too(&url).is_ok();
        ensure!(is_address, "secret_file: what it holds fits into no address");
        let mut headers: Vec<(String, String)> = config.headers.clone().into_iter().collect();
        for (name, path) in &config.header_files {
            headers.push((name.clone(), line(path)?));
        }
        if let Some(path) = &config.authorization_file {
            headers.push((header::AUTHORIZATION.as_str().to_owned(), line(path)?));
        }
        for (name, value) in &headers {
            ensure!(HeaderValue::from_str(value).is_ok(), "the header '{name}' has a value that cannot be sent");
        }
        let api = match (config.api, &config.key_file, &hidden) {
            (Some(Api::Shadowserver), Some(key), Some(hidden)) => {
                Source::Shadowserver(Shadowserver::new(config, line(key)?, hidden))
            }
            (Some(Api::Dnsbl), ..) => Source::Dnsbl(Dnsbl::new(config, hidden.as_deref())?),
            _ => Source::Address,
        };
        let plain = Destination::parse_plain_too(&url).is_ok_and(|destination| destination.is_plain());
        let egress = match plain || config.api == Some(Api::Dnsbl) {
            true => Egress::without_tls(&config.allow),
            false => Egress::new(config.ca_file.as_deref(), &config.allow)?,
        };
        let mut asked = [0; 32];
        asked.copy_from_slice(digest::digest(&digest::SHA256, format!("{}{}", config.url, config.zone).as_bytes()).as_ref());
        Ok(Fetcher {
            name: config.name.clone(),
            every: config.every()?,
            egress,
            file: config.file_name.clone().unwrap_or_else(|| match config.api {
                Some(Api::Dnsbl) => format!("dnsbl-{}.txt", config.name),
                _ => file_of(&config.url, &config.name),
            }),
            url,
            asked,
            plain: plain && config.plain_http,
            redirects: config.redirects,
            headers,
            most: u64::from(config.max_mib) << 20,
            time: Duration::from_secs(u64::from(config.minutes) * 60),
            api,
        })
    }

    /// Asks for it once, receives what is new, and keeps what came of that. Blocks for as long as the settings allow. `chance` is drawn
    /// anew each time.
    ///
    /// # Errors
    /// When the database cannot be read or written; what was received is received all the same.
    pub(crate) fn look(&self, desk: &Desk, chance: u16) -> Result<Looked, desk::Error> {
        let before = desk.fetch(&self.name, self.asked)?;
        let asked = match &self.api {
            Source::Address => self.ask(desk, &before),
            Source::Shadowserver(api) => api.look(self, desk)?,
            Source::Dnsbl(list) => list.look(self, desk),
        };
        let now = desk.now();
        let (trouble, next) = match &asked.came {
            Came::Failed(why) => (why.clone(), self.every.again(now, before.failures.saturating_add(1), asked.wait, chance)),
            _ => (String::new(), self.every.next(now, chance)),
        };
        // What the end of this process cut short is nobody's failure.
        if trouble.is_empty() || !desk.is_stopping() {
            desk.fetched(&before, asked.came, next)?;
        }
        Ok(Looked { received: asked.received, trouble, next })
    }

    /// Whether it is to be asked now.
    pub(crate) fn is_due(&self, fetch: Option<&Fetch>, now: Time) -> bool {
        fetch.is_none_or(|fetch| self.every.is_due(fetch.next, now))
    }

    fn ask(&self, desk: &Desk, before: &Fetch) -> Asked {
        let mut headers: Vec<(&str, String)> = self.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        for (name, value) in [("if-none-match", &before.etag), ("if-modified-since", &before.modified)] {
            // A value that came as a header can be sent as one; what stands in the database may have been written by hand.
            if !value.is_empty() && HeaderValue::from_str(value).is_ok() {
                headers.push((name, value.clone()));
            }
        }
        let is_conditional = headers.len() > self.headers.len();
        let wanted = self.wanted(&self.url, &headers);
        let (answered, body) = match self.egress.download(&wanted) {
            Ok(begun) => begun,
            Err(Failed(why)) => return Asked::failed(why),
        };
        let etag = answered.header(header::ETAG).to_owned();
        let modified = answered.header(header::LAST_MODIFIED).to_owned();
        match answered.status.as_u16() {
            304 if is_conditional => Asked { came: Came::Same { etag, modified }, received: 0, wait: None },
            200 => match self.receive(desk, &self.file, body) {
                Ok((receipt, digest)) => {
                    let received = u32::from(matches!(receipt, Receipt::New(_)));
                    Asked { came: Came::New { etag, modified, digest }, received, wait: None }
                }
                Err(why) => Asked::failed(why),
            },
            _ => refused(&answered),
        }
    }

    fn wanted<'a>(&self, url: &'a str, headers: &'a [(&'a str, String)]) -> Wanted<'a> {
        Wanted { url, plain: self.plain, headers, json: None, most: self.most, time: self.time, redirects: self.redirects }
    }

    /// Receives a body under a name. When this returns well it is durable; and its SHA-256.
    ///
    /// # Errors
    /// Why not, in words that name nobody; nothing is kept then.
    fn receive(&self, desk: &Desk, file: &str, body: impl Read) -> Result<(Receipt, [u8; 32]), String> {
        let mut counted = Counted { body, hash: digest::Context::new(&digest::SHA256), trouble: String::new() };
        let envelope = Envelope { feed: self.name.clone(), ..Envelope::default() };
        match desk.receive_from(Door::Feed, file, envelope, &mut counted) {
            Ok(receipt) => {
                let mut digest = [0; 32];
                digest.copy_from_slice(counted.hash.finish().as_ref());
                Ok((receipt, digest))
            }
            Err(_) if !counted.trouble.is_empty() => Err(counted.trouble),
            Err(error) => Err(logs::cause(&error.to_string()).0),
        }
    }
}

/// An answer that is none.
fn refused(answered: &Answered) -> Asked {
    let status = answered.status.as_u16();
    let hint = match status {
        401 | 403 => ": look at what is sent to prove who asks",
        404 | 410 => ": there is nothing there; look at its address",
        204 => ", which means that it has nothing to say",
        429 => ": it is asked too often; say so with every",
        _ => "",
    };
    Asked { wait: retry_after(answered.header(header::RETRY_AFTER)), ..Asked::failed(format!("it answered {status}{hint}")) }
}

/// A body of which it is kept what its bytes are, and why it broke off.
struct Counted<R> {
    body: R,
    hash: digest::Context,
    trouble: String,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.body.read(into) {
            Ok(count) => {
                self.hash.update(into.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(error) => {
                self.trouble = error.to_string();
                Err(error)
            }
        }
    }
}

/// The name of what is at an address: its last part, as far as it can be a file's, or else the feed's own.
fn file_of(url: &str, feed: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or("", |(_, rest)| rest);
    let last = path.split('/').skip(1).last().unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
    let is_name = (1..=100).contains(&last.len()) && last.chars().all(is_plain) && last.chars().any(char::is_alphanumeric);
    if is_name { last.to_owned() } else { feed.to_owned() }
}

#[cfg(test)]
mod tests;
