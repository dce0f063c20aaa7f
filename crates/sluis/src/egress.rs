//! The one way by which this program asks anything of another machine over HTTPS, or over HTTP where the answer proves itself.
//!
//! Nothing goes out that the configuration does not name. A name is resolved once, its addresses are checked, and the
//! connection is made to the address that was checked: a name that points elsewhere a moment later (DNS rebinding) changes
//! nothing. Redirects are not followed. Everything has a bound in bytes and in time.

mod download;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

pub(crate) use download::{Answered, Wanted};

/// How long a request may take, from the name's resolution to the answer's end.
const TIME: Duration = Duration::from_secs(20);
/// Bytes of an answer's head.
const HEAD: usize = 32 << 10;
/// Bytes of an answer's body that are read; what comes after them is nobody's affair.
const BODY: usize = 64 << 10;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// Addresses at which clouds tell secrets, beside the link-local ones: they are public by their number.
const METADATA: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16))];

/// Finds the addresses of a name.
type Resolve = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// A client for one destination.
#[derive(Clone)]
pub(crate) struct Egress {
    /// Missing where everything is asked over plain HTTP.
    tls: Option<Arc<ClientConfig>>,
    resolve: Resolve,
    /// Destinations, as `host:port`, that may be where otherwise nothing may be asked.
    allowed: Vec<String>,
    /// Which addresses may be asked without that.
    may: fn(IpAddr) -> bool,
    time: Duration,
}

/// Why nothing came of a request, in words that name nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

impl Egress {
    /// A client that trusts the authorities in `ca`, or the system's when none is named. `allowed` are destinations
    /// (`host:port`) of the configuration that may be on private addresses.
    ///
    /// # Errors
    /// When a file of authorities cannot be read, or there are none.
    pub(crate) fn new(ca: Option<&Path>, allowed: &[String]) -> anyhow::Result<Egress> {
        let mut tls = trusting(ca)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Egress { tls: Some(Arc::new(tls)), ..Egress::without_tls(allowed) })
    }

    /// A client for a destination that is asked over plain HTTP. `allowed` as above.
    pub(crate) fn without_tls(allowed: &[String]) -> Egress {
        let resolve: Resolve = Arc::new(|host, port| Ok(std::net::ToSocketAddrs::to_socket_addrs(&(host, port))?.collect()));
        let may = |address| is_public(address) && !is_own(address);
        Egress { tls: None, resolve, allowed: allowed.to_vec(), may, time: TIME }
    }

    /// Waits for a shorter time than others do.
    #[cfg(test)]
    pub(crate) fn hurried(self, time: Duration) -> Egress {
        Egress { time, ..self }
    }

    /// Sends a body of JSON. Well is what a status of 200 to 299 says. Blocks, for [`TIME`] at most.
    ///
    /// # Errors
    /// Why not: the destination may not be asked, cannot be reached, or says no.
    pub(crate) fn post(&self, url: &str, headers: &[(&'static str, String)], body: Vec<u8>) -> Result<(), Failed> {
        let destination = Destination::parse(url).map_err(|error| Failed(error.to_owned()))?;
        let question = Question { method: Method::POST, content_type: Some("application/json"), headers, body };
        // Read so that its sender is not cut off in the midst of a word; what it says is not used, nor whether it ends.
        self.exchange(&destination, question, BODY)?.well().map(drop)
    }

    /// Sends a body and gives back the answer's, which has `most` bytes at most. Plain HTTP will do: it is for questions
    /// that are no secret and answers that prove themselves. Blocks, for [`TIME`] at most.
    ///
    /// # Errors
    /// As [`post`](Self::post), and when the answer is too large or ends too early.
    pub(crate) fn ask(&self, url: &str, content_type: &'static str, body: Vec<u8>, most: usize) -> Result<Vec<u8>, Failed> {
        let destination = Destination::parse_plain_too(url).map_err(|error| Failed(error.to_owned()))?;
        let question = Question { method: Method::POST, content_type: Some(content_type), headers: &[], body };
        self.exchange(&destination, question, most)?.well()?.ok_or_else(|| too_large(most))
    }

    /// As [`ask`](Self::ask), for whom also the status and the media type of an answer say something.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), but for answers that say no.
    pub(crate) fn tell(&self, url: &str, content_type: &'static str, body: Vec<u8>, most: usize) -> Result<Answer, Failed> {
        let destination = Destination::parse_plain_too(url).map_err(|error| Failed(error.to_owned()))?;
        let question = Question { method: Method::POST, content_type: Some(content_type), headers: &[], body };
        self.exchange(&destination, question, most)
    }

    /// Fetches what is at an address, `most` bytes at most; nothing when there is nothing there. Plain HTTP will do, as in
    /// [`ask`](Self::ask).
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) fn fetch(&self, url: &str, most: usize) -> Result<Option<Vec<u8>>, Failed> {
        let destination = Destination::parse_plain_too(url).map_err(|error| Failed(error.to_owned()))?;
        let question = Question { method: Method::GET, content_type: None, headers: &[], body: Vec::new() };
        let answer = self.exchange(&destination, question, most)?;
        if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        answer.well()?.ok_or_else(|| too_large(most)).map(Some)
    }

    /// An answer, whatever its status.
    fn exchange(&self, destination: &Destination, question: Question<'_>, most: usize) -> Result<Answer, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failed("no thread could be started".to_owned()))?;
        let result = runtime.block_on(async {
            let late = |_| Err(Failed(format!("it took longer than {} s", self.time.as_secs())));
            tokio::time::timeout(self.time, self.send(destination, question, most)).await.unwrap_or_else(late)
        });
        // A resolver that hangs is not waited for.
        runtime.shutdown_background();
        result
    }

    async fn send(&self, destination: &Destination, question: Question<'_>, most: usize) -> Result<Answer, Failed> {
        let (answer, connection) = self.begin(destination, question).await?;
        let status = answer.status();
        let content_type = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let body = Limited::new(answer.into_body(), most).collect().await.ok().map(|body| body.to_bytes().to_vec());
        connection.abort();
        Ok(Answer { status, content_type, body })
    }

    /// Sends a question, and gives back the answer's head.
    async fn begin(
        &self,
        destination: &Destination,
        question: Question<'_>,
    ) -> Result<(Response<Incoming>, JoinHandle<()>), Failed> {
        let mut stream = None;
        for address in self.addresses(destination).await? {
            if let Ok(connected) = TcpStream::connect(address).await {
                stream = Some(connected);
                break;
            }
        }
        let stream = stream.ok_or_else(|| Failed("nobody answers there".to_owned()))?;
        if destination.plain {
            return speak(stream, destination, question).await;
        }
        let name = ServerName::try_from(destination.host.clone()).map_err(|_| Failed("the host is no name".to_owned()))?;
        let tls = self.tls.as_ref().ok_or_else(|| Failed("it is to be asked without TLS only".to_owned()))?;
        let tls = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        let tls = tls.map_err(|_| Failed("no trusted TLS connection could be made: look at its certificate".to_owned()))?;
        speak(tls, destination, question).await
    }

    /// The addresses of a destination: all of them fit to be asked.
    async fn addresses(&self, destination: &Destination) -> Result<Vec<SocketAddr>, Failed> {
        let (resolve, host, port) = (Arc::clone(&self.resolve), destination.host.clone(), destination.port);
        let found = tokio::task::spawn_blocking(move || resolve(&host, port)).await;
        let found = found.ok().and_then(Result::ok).filter(|found| !found.is_empty());
        let mut found = found.ok_or_else(|| Failed("its name has no address".to_owned()))?;
        let allowed = self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&destination.authority()));
        if !allowed && !found.iter().all(|address| (self.may)(address.ip())) {
            return Err(Failed(format!(
                "it is on an address of this machine or of a private network: allow = [\"{}\"] permits it",
                destination.authority()
            )));
        }
        found.truncate(ADDRESSES);
        Ok(found)
    }
}

/// TLS that trusts the authorities in `ca`, or the system's when none is named.
///
/// # Errors
/// When a file of authorities cannot be read, or there are none.
pub(crate) fn trusting(ca: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        Some(path) => {
            let unreadable = || format!("{}: certificates in PEM are wanted here", path.display());
            for certificate in CertificateDer::pem_file_iter(path).with_context(unreadable)? {
                roots.add(certificate.with_context(unreadable)?).with_context(unreadable)?;
            }
            anyhow::ensure!(!roots.is_empty(), "{}: holds no certificate", path.display());
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            anyhow::ensure!(
                !roots.is_empty(),
                "this system trusts no certificate authority: install ca-certificates, or name a ca_file"
            );
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// What is sent.
struct Question<'a> {
    method: Method,
    content_type: Option<&'static str>,
    headers: &'a [(&'a str, String)],
    body: Vec<u8>,
}

/// What comes back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Its media type, if it has one.
    pub(crate) content_type: Option<String>,
    /// Its body; `None` if it is longer than was asked for or breaks off.
    pub(crate) body: Option<Vec<u8>>,
}

impl Answer {
    /// The body of an answer with a status of 200 to 299.
    fn well(self) -> Result<Option<Vec<u8>>, Failed> {
        match self.status {
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Ok(Some(Vec::new())),
            status if status.is_success() => Ok(self.body),
            status if status.is_redirection() => {
                Err(Failed(format!("it answered {}: redirects are not followed, name the right address", status.as_u16())))
            }
            status => Err(Failed(format!("it answered {}", status.as_u16()))),
        }
    }
}

fn too_large(most: usize) -> Failed {
    Failed(format!("its answer has more than {most} bytes, or breaks off"))
}

/// Speaks HTTP/1.1, one request and one answer. The connection lives as long as its task.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    destination: &Destination,
    question: Question<'_>,
) -> Result<(Response<Incoming>, JoinHandle<()>), Failed> {
    let broken = |_| Failed("it broke off, or does not speak HTTP".to_owned());
    let (mut sender, connection) =
        hyper::client::conn::http1::Builder::new().max_buf_size(HEAD).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // What breaks is said by the answer that breaks off.
    let connection = tokio::spawn(async move { drop(connection.await) });
    let mut request = Request::builder()
        .method(question.method)
        .uri(destination.path.as_str())
        .header(HOST, destination.authority())
        .header(USER_AGENT, concat!("sluis/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    if let Some(content_type) = question.content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    for (name, value) in question.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(question.body)));
    let request = request.map_err(|_| Failed("the request cannot be written".to_owned()))?;
    Ok((sender.send_request(request).await.map_err(broken)?, connection))
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// Name or address, without brackets.
    host: String,
    port: u16,
    path: String,
    /// Without TLS.
    plain: bool,
}

impl Destination {
    /// Reads an address of the web.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Destination, &'static str> {
        let destination = Destination::parse_plain_too(url)?;
        if destination.plain { Err("only https:// is possible") } else { Ok(destination) }
    }

    /// Reads an address of the web that may be of plain HTTP.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse_plain_too(url: &str) -> Result<Destination, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "this is no address of the web")?;
        let plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            _ => return Err("only https:// is possible"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("name and password do not belong into an address: use secret_file");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err("it names no host");
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let port = authority.port_u16().unwrap_or(if plain { 80 } else { 443 });
        Ok(Destination { host, port, path, plain })
    }

    /// Whether it is asked without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// `host:port`, as one writes it.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Whether an address is of the Internet at large: none that is private, local, reserved or special (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    if METADATA.contains(&address) {
        return false;
    }
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(matches!(a, 0 | 10 | 127 | 224..=255)
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [first, second, ..] = address.segments();
    // Of 2000::/3 not the documentation, and not what carries another address in it: Teredo and 6to4.
    first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0x0db8 || second < 0x200))
}

/// Whether an address is this machine's: it can be bound.
fn is_own(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
