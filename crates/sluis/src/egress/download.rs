//! A download that is read while it comes: for feeds, which may be larger than is kept in memory.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderName, LOCATION, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, StatusCode};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Destination, Egress, Failed, Question};

/// How long nothing may come.
const IDLE: Duration = Duration::from_secs(60);
/// Redirects that are followed, to the same host, where that is configured.
const REDIRECTS: usize = 3;

/// What is asked for.
pub(crate) struct Wanted<'a> {
    /// Where it is.
    pub(crate) url: &'a str,
    /// Whether it may come without TLS.
    pub(crate) plain: bool,
    /// What is said beside the question.
    pub(crate) headers: &'a [(&'a str, String)],
    /// JSON that is posted; without it, it is asked for with `GET`.
    pub(crate) json: Option<Vec<u8>>,
    /// Bytes that are taken.
    pub(crate) most: u64,
    /// How long all of it may take.
    pub(crate) time: Duration,
    /// Whether redirects to the same host and port are followed.
    pub(crate) redirects: bool,
}

/// The head of an answer.
pub(crate) struct Answered {
    /// Its status.
    pub(crate) status: StatusCode,
    headers: HeaderMap,
}

impl Answered {
    /// The text of a header; empty when it is not there, there more than once, or no text.
    pub(crate) fn header(&self, name: HeaderName) -> &str {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            _ => "",
        }
    }
}

/// A body that is coming. It ends well only when all of it came: one that breaks off, comes too slowly or is too large is an error to whoever
/// reads it.
pub(crate) struct Download {
    runtime: Option<Runtime>,
    body: Incoming,
    connection: JoinHandle<()>,
    ready: Bytes,
    left: u64,
    most: u64,
    until: Instant,
    ended: bool,
}

impl Egress {
    /// Asks for something and gives back the head of the answer, and its body to be read. Blocks, and so does reading.
    ///
    /// # Errors
    /// Why not: the destination may not be asked, cannot be reached, or does not speak HTTP; a redirect that is not followed. Whatever
    /// other status it has is no error.
    pub(crate) fn download(&self, wanted: &Wanted<'_>) -> Result<(Answered, Download), Failed> {
        let until = Instant::now() + wanted.time;
        let parse = |url: &str| match wanted.plain {
            true => Destination::parse_plain_too(url),
            false => Destination::parse(url),
        };
        let mut destination = parse(wanted.url).map_err(|error| Failed(error.to_owned()))?;
        for _ in 0..=REDIRECTS {
            let (answered, download) = self.download_from(&destination, wanted, until)?;
            if !matches!(answered.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((answered, download));
            }
            let failed = |why: &str| Failed(format!("it answered {}: {why}", answered.status.as_u16()));
            if !wanted.redirects {
                return Err(failed(
                    "redirects are not followed; name the right address, or set redirects = true for its own host",
                ));
            }
            let place = answered.header(LOCATION);
            // RFC 9110 section 10.2.2: it may be relative. What begins with two slashes names another host.
            let next = match place.starts_with('/') && !place.starts_with("//") {
                true => Destination { path: place.to_owned(), ..destination.clone() },
                false => parse(place).map_err(failed)?,
            };
            if next.authority() != destination.authority() || next.plain != destination.plain {
                return Err(failed("it leads to another host, which is not followed; name the right address"));
            }
            destination = next;
        }
        Err(Failed("it leads from one redirect to the next".to_owned()))
    }

    fn download_from(
        &self,
        destination: &Destination,
        wanted: &Wanted<'_>,
        until: Instant,
    ) -> Result<(Answered, Download), Failed> {
        let question = Question {
            method: if wanted.json.is_some() { Method::POST } else { Method::GET },
            content_type: wanted.json.as_ref().map(|_| "application/json"),
            headers: wanted.headers,
            body: wanted.json.clone().unwrap_or_default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failed("no thread could be started".to_owned()))?;
        let patience = IDLE.min(until.saturating_duration_since(Instant::now())).min(self.time.max(Duration::from_secs(1)) * 3);
        let begun = runtime.block_on(async { timeout(patience, self.begin(destination, question)).await });
        let (answer, connection) = match begun {
            Ok(Ok(begun)) => begun,
            failed => {
                // A resolver that hangs is not waited for.
                runtime.shutdown_background();
                return Err(match failed {
                    Ok(Err(failed)) => failed,
                    _ => Failed(format!("it did not answer within {} s", patience.as_secs())),
                });
            }
        };
        let (head, body) = answer.into_parts();
        let most = wanted.most;
        let download = Download {
            runtime: Some(runtime),
            connection,
            ready: Bytes::new(),
            left: most,
            most,
            until,
            ended: body.is_end_stream(),
            body,
        };
        let length = head.headers.contains_key(CONTENT_LENGTH) || head.headers.contains_key(TRANSFER_ENCODING);
        if head.status.is_success() && destination.plain && !length && !download.ended {
            return Err(Failed("without TLS and without a length nobody can tell whether it is all there".to_owned()));
        }
        if head.status.is_success() && download.body.size_hint().lower() > most {
            return Err(too_large(most));
        }
        Ok((Answered { status: head.status, headers: head.headers }, download))
    }
}

fn too_large(most: u64) -> Failed {
    Failed(format!("it has more than {} MiB: max_mib says how much may come", most >> 20))
}

impl Read for Download {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            let (false, Some(runtime)) = (self.ended, &self.runtime) else { return Ok(0) };
            let patience = IDLE.min(self.until.saturating_duration_since(Instant::now()));
            match runtime.block_on(async { timeout(patience, self.body.frame()).await }) {
                Ok(None) => self.ended = true,
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.left =
                        self.left.checked_sub(data.len() as u64).ok_or_else(|| io::Error::other(too_large(self.most).0))?;
                    self.ready = data;
                }
                Ok(Some(Err(_))) => return Err(io::Error::other("it broke off before its end")),
                Err(_) => return Err(io::Error::other("it came too slowly")),
            }
        }
        let count = (&*self.ready).read(into)?;
        drop(self.ready.split_to(count));
        Ok(count)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.connection.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
