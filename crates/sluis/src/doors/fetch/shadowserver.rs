//! Shadowserver's reports by their API: what there is of the last days is listed, and each file taken once.
//!
//! A question is JSON with the key in it, and the header `HMAC2` is its HMAC-SHA256 under the secret, in hexadecimal. A file's CSV is
//! under its identifier at another host, without either. Written after Shadowserver's own programs (`call-api.py`, `report-manager.py`
//! of The-Shadowserver-Foundation/api_utils); nobody has tried it with a key yet.

use std::io::Read;

use desk::Desk;
use desk::fetches::Came;
use model::time::{DAY, Time};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};
use store::submissions::Receipt;

use super::{Asked, Failed, Fetcher, refused};
use crate::egress::Wanted;
use crate::serve::config_feed::FeedConfig;

/// Where files are.
const FILES: &str = "https://dl.shadowserver.org/";
/// Bytes of a list.
const LIST: u64 = 8 << 20;
/// Bytes of an identifier, and of a file's name.
const NAME: usize = 200;

/// The API, with what proves who asks.
pub(super) struct Shadowserver {
    key: String,
    secret: hmac::Key,
    files: String,
    days: u8,
    types: Vec<String>,
    lists: Vec<String>,
}

/// A file that there is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct File {
    id: String,
    file: String,
}

impl Shadowserver {
    pub(super) fn new(config: &FeedConfig, key: String, secret: &str) -> Shadowserver {
        Shadowserver {
            key,
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            files: config.download_url.clone().unwrap_or_else(|| FILES.to_owned()),
            days: config.days,
            types: config.types.clone(),
            lists: config.lists.clone(),
        }
    }

    /// Lists what there is and takes what is new, the oldest day first. The first file that cannot be had ends the look: an address that
    /// asks for several in vain is shut out for the day.
    pub(super) fn look(&self, feed: &Fetcher, desk: &Desk) -> Result<Asked, desk::Error> {
        let (mut received, today) = (0, desk.now());
        for day in (0..=i64::from(self.days)).rev() {
            let listed = match self.list(feed, today.plus(-day * DAY)) {
                Ok(listed) => listed,
                Err(failed) => return Ok(Asked { received, ..failed }),
            };
            for file in listed {
                if desk.is_stopping() || desk.has_fetched(&feed.name, &file.id)? {
                    continue;
                }
                match self.take(feed, desk, &file) {
                    Ok(Receipt::New(_)) => received += 1,
                    Ok(Receipt::Known(_)) => {}
                    Err(failed) => return Ok(Asked { received, ..failed }),
                }
                desk.note_fetched(&feed.name, &file.id)?;
            }
        }
        let none = String::new;
        let came = match received {
            0 => Came::Same { etag: none(), modified: none() },
            // No two days' files are the same.
            _ => Came::New { etag: none(), modified: none(), digest: store::keys::sha256(&today.0.to_be_bytes()) },
        };
        Ok(Asked { came, received, wait: None })
    }

    /// The question for a day, in JSON.
    fn question(&self, day: Time) -> Vec<u8> {
        let (year, month, day) = day.date();
        let mut question = json!({ "apikey": self.key, "date": format!("{year:04}-{month:02}-{day:02}") });
        if let Value::Object(members) = &mut question {
            if !self.lists.is_empty() {
                members.insert("reports".to_owned(), json!(self.lists));
            }
            if let [only] = &self.types[..] {
                members.insert("type".to_owned(), json!(only));
            }
        }
        question.to_string().into_bytes()
    }

    fn list(&self, feed: &Fetcher, day: Time) -> Result<Vec<File>, Asked> {
        let question = self.question(day);
        let headers = [("HMAC2", signature(&self.secret, &question))];
        let url = format!("{}reports/list", feed.url);
        let wanted = Wanted { json: Some(question), most: LIST, ..feed.wanted(&url, &headers) };
        let (answered, mut body) = feed.egress.download(&wanted).map_err(|Failed(why)| Asked::failed(why))?;
        if answered.status.as_u16() != 200 {
            return Err(refused(&answered));
        }
        let mut text = Vec::new();
        body.read_to_end(&mut text).map_err(|error| Asked::failed(error.to_string()))?;
        let files: Vec<File> = serde_json::from_slice(&text)
            .map_err(|_| Asked::failed("its list of files is none: look at key_file and secret_file"))?;
        let is_wanted = |file: &File| {
            is_id(&file.id)
                && is_file(&file.file)
                && (self.types.is_empty() || self.types.iter().any(|kind| is_of(&file.file, kind)))
        };
        Ok(files.into_iter().filter(is_wanted).collect())
    }

    fn take(&self, feed: &Fetcher, desk: &Desk, file: &File) -> Result<Receipt, Asked> {
        let url = format!("{}{}", self.files, file.id);
        let (answered, body) = feed.egress.download(&feed.wanted(&url, &[])).map_err(|Failed(why)| Asked::failed(why))?;
        if answered.status.as_u16() != 200 {
            return Err(refused(&answered));
        }
        feed.receive(desk, &file.file, body).map(|(receipt, _)| receipt).map_err(Asked::failed)
    }
}

/// What proves that a question is ours.
fn signature(secret: &hmac::Key, question: &[u8]) -> String {
    hmac::sign(secret, question).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this can stand behind an address, and is no other.
fn is_id(id: &str) -> bool {
    (1..=NAME).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_?=".contains(c))
}

fn is_file(name: &str) -> bool {
    (1..=NAME).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !name.starts_with('.')
}

/// Whether a file is of a type: `2026-03-04-scan_rsync-list.csv` is of `scan_rsync`.
fn is_of(file: &str, kind: &str) -> bool {
    file.get(11..).and_then(|rest| rest.strip_prefix(kind)).is_some_and(|rest| rest.starts_with(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_as_others_compute_it() {
        // printf '{"apikey":"k"}' | openssl dgst -sha256 -hmac secret
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let expected = "df5ba661932b1fecca2bf3b419232d80aebe139a2d1c1a806b71d21f35d3546c";
        assert_eq!(signature(&key, br#"{"apikey":"k"}"#), expected);
    }

    #[test]
    fn what_a_list_may_name() {
        for (id, good) in
            [("Gi3M?-QPI5_g", true), ("", false), ("../x", false), ("http://x", false), ("a b", false), ("x#y", false)]
        {
            assert_eq!(is_id(id), good, "{id}");
        }
        for (file, good) in
            [("2026-03-04-scan_rsync-a.csv", true), (".hidden", false), ("a/b", false), ("", false), ("a\u{202e}b", false)]
        {
            assert_eq!(is_file(file), good, "{file}");
        }
        assert!(is_of("2026-03-04-scan_rsync-a.csv", "scan_rsync") && !is_of("2026-03-04-scan_rsync6-a.csv", "scan_rsync"));
        assert!(!is_of("x", "scan_rsync"));
    }
}
