//! Mail servers that hand mail over: LMTP (RFC 2033) for our own, SMTP (RFC 5321) for those of others. Nothing is ever passed on or sent back.
//!
//! Each connection has a thread, and its mails stream from the socket into the encrypted store. Mails that have come to their end meanwhile are made
//! durable together, by one thread a door: that is what waits for the disk. 250 is said after that and not before, so whatever ends in
//! between, the mail server still has the mail, and sends it again: the same submission.
//!
//! - [`command`], [`session`], [`data`]: the protocol, without bytes that move; a fuzz target drives them.
//! - [`wire`]: bytes and time.
//! - [`connection`]: one connection.

mod command;
mod connection;
mod data;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use desk::Desk;
use desk::receive::Arrived;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use store::submissions::Receipt;
use tokio::net::{TcpListener, UnixListener};

use crate::mail::relays::Relays;
use crate::serve::intake::{Intake, Trouble};
use crate::serve::logs;
use session::{Fate, Rules};
use wire::Stream;

/// Mails that become durable together.
const TOGETHER: usize = 500;
/// How often it is looked whether we stop.
const TICK: Duration = Duration::from_millis(200);

/// Where a door is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system, and who may use it.
    Unix(PathBuf, u32),
}

/// A door that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether it is LMTP.
    pub(crate) lmtp: bool,
    pub(crate) listen: Listen,
    pub(crate) hostname: String,
    /// Who may be written to, in SMTP.
    pub(crate) recipients: Vec<String>,
    /// Bytes of a mail.
    pub(crate) most: u64,
    /// Who may come; everybody when it is `None`.
    pub(crate) allow: Option<Relays>,
    /// Connections at a time, in total and of one peer.
    pub(crate) connections: (usize, usize),
    /// How long the next line, or more of a mail, is waited for.
    pub(crate) timeout: Duration,
    /// The files of a certificate and its key, in PEM.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Bytes that must stay free on the disk.
    pub(crate) min_free: u64,
}

/// A door that is open, and waits for nobody yet.
pub(crate) struct Opened {
    settings: Settings,
    listener: Listener,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Settings {
    fn part(&self) -> &'static str {
        if self.lmtp { "lmtp" } else { "smtp" }
    }

    /// Reads the files that are named.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some((certificate, key)) = &self.tls {
            tls(certificate, key).with_context(|| format!("[{}]", self.part()))?;
        }
        Ok(())
    }

    /// Takes the address.
    ///
    /// # Errors
    /// When it cannot be had, or the certificate cannot be used.
    pub(crate) async fn open(self) -> Result<Opened> {
        let part = self.part();
        self.check()?;
        let listener = match &self.listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await.with_context(|| {
                    format!("{address}: cannot listen there; choose another address for [{part}] listen, or end who has it")
                })?;
                tracing::info!(part, listen = %listener.local_addr()?, "open");
                Listener::Tcp(listener)
            }
            Listen::Unix(path, mode) => {
                let listener = socket(path, *mode).await.with_context(|| format!("[{part}] listen: {}", path.display()))?;
                tracing::info!(part, listen = "unix", "open");
                Listener::Unix(listener, path.clone())
            }
        };
        Ok(Opened { settings: self, listener })
    }
}

async fn socket(path: &Path, mode: u32) -> Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            if tokio::net::UnixStream::connect(path).await.is_ok() {
                bail!("another process listens there; end it, or choose another path");
            }
            std::fs::remove_file(path).context("the socket of an earlier process cannot be removed")?;
        }
        Ok(_) => bail!("this is no socket; move it away, or choose another path"),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).context("cannot be opened; its folder must be there, and ours to write in")?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(listener)
}

/// What the connections of a door share.
struct Shared {
    desk: Arc<Desk>,
    intake: Arc<Intake>,
    /// The number of the part in the intake, and its name.
    number: usize,
    part: &'static str,
    rules: Rules,
    timeout: Duration,
    tls: Option<(PathBuf, PathBuf)>,
    min_free: u64,
    allow: Option<Relays>,
    connections: (usize, usize),
    /// Connections, by peer; `None` is this machine by its file system.
    places: Mutex<HashMap<Option<IpAddr>, usize>>,
    /// Whether it was said that the disk is short.
    short: AtomicBool,
    keeper: Sender<Waiting>,
}

/// A mail that is written and waits for its row.
struct Waiting {
    arrived: Arrived,
    kept: SyncSender<Result<(), String>>,
}

/// Lets mail servers in from now on. The threads end soon after the desk is asked to stop, once what is under way has been answered.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(desk: &Arc<Desk>, intake: &Arc<Intake>, doors: Vec<Opened>) -> io::Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    for Opened { settings, listener } in doors {
        let part = settings.part();
        let (keeper, waiting) = channel();
        let shared = Arc::new(Shared {
            desk: Arc::clone(desk),
            intake: Arc::clone(intake),
            number: intake.enlist(part),
            part,
            timeout: settings.timeout,
            min_free: settings.min_free,
            allow: settings.allow,
            connections: settings.connections,
            places: Mutex::default(),
            short: AtomicBool::new(false),
            keeper,
            rules: Rules {
                lmtp: settings.lmtp,
                hostname: settings.hostname,
                recipients: settings.recipients,
                most: settings.most,
                tls: settings.tls.is_some(),
            },
            tls: settings.tls,
        });
        let (desk, intake) = (Arc::clone(desk), Arc::clone(intake));
        threads.push(std::thread::Builder::new().name(part.to_owned()).spawn(move || keep(&desk, &intake, part, &waiting))?);
        tokio::spawn(accept(shared, listener));
    }
    Ok(threads)
}

/// Makes mails durable, as many together as have come meanwhile, until there is no connection left.
fn keep(desk: &Desk, intake: &Intake, part: &'static str, waiting: &Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let (mut arrived, mut told) = (vec![first.arrived], vec![first.kept]);
        while let Ok(next) = waiting.try_recv() {
            arrived.push(next.arrived);
            told.push(next.kept);
            if told.len() >= TOGETHER {
                break;
            }
        }
        let result = desk.acknowledge(arrived).map_err(|error| error.to_string());
        if let Ok(receipts) = &result {
            let copies = receipts.iter().filter(|receipt| matches!(receipt, Receipt::Known(_))).count();
            tracing::info!(part, submissions = receipts.len() - copies, copies, "taken in");
            intake.wake();
        }
        let result = result.map(|_| ());
        for kept in told {
            // Whose connection has gone meanwhile sends it again.
            let _ = kept.send(result.clone());
        }
    }
}

/// Gives each connection a thread, until the desk is asked to stop.
async fn accept(shared: Arc<Shared>, listener: Listener) {
    while !shared.desk.is_stopping() {
        let coming = tokio::time::timeout(TICK, async {
            Ok::<_, io::Error>(match &listener {
                Listener::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    (Stream::Tcp(stream.into_std()?), Some(peer.ip().to_canonical()))
                }
                Listener::Unix(listener, _) => (Stream::Unix(listener.accept().await?.0.into_std()?), None),
            })
        });
        match coming.await {
            Err(_) => {}
            // Too many files are open, most likely.
            Ok(Err(_)) => tokio::time::sleep(TICK).await,
            Ok(Ok((stream, peer))) => enter(&shared, stream, peer),
        }
    }
    if let Listener::Unix(_, path) = &listener {
        let _ = std::fs::remove_file(path);
    }
}

fn enter(shared: &Arc<Shared>, mut stream: Stream, peer: Option<IpAddr>) {
    if let (Some(allowed), Some(peer)) = (&shared.allow, peer)
        && !allowed.holds(peer)
    {
        stream.dismiss(session::STRANGER);
        return;
    }
    let Some(place) = Place::take(shared, peer) else {
        stream.dismiss(session::BUSY);
        return;
    };
    let thread = std::thread::Builder::new().name(shared.part.to_owned());
    // Where there can be no thread the connection is closed, and its mail server tries again.
    let _ = thread.spawn(move || connection::serve(&place.shared, stream, peer));
}

/// A place that a connection takes.
struct Place {
    shared: Arc<Shared>,
    of: Option<IpAddr>,
}

impl Place {
    /// A place, if there is one left.
    fn take(shared: &Arc<Shared>, peer: Option<IpAddr>) -> Option<Place> {
        let of = peer.map(network);
        let mut places = shared.places();
        let (most, of_one) = shared.connections;
        let taken = places.get(&of).copied().unwrap_or(0);
        if places.values().sum::<usize>() >= most || taken >= of_one {
            return None;
        }
        places.insert(of, taken + 1);
        Some(Place { shared: Arc::clone(shared), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.shared.places();
        if let Some(taken) = places.get_mut(&self.of) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.of);
            }
        }
    }
}

/// Whose connections are counted together: an address, or with IPv6 a network of 64 bits, of which one customer has all.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

impl Shared {
    fn places(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether most places are taken.
    fn is_crowded(&self) -> bool {
        self.places().values().sum::<usize>() > self.connections.0 * 3 / 4
    }

    /// Whether there is room on the disk for so many bytes.
    fn has_room(&self, bytes: u64) -> bool {
        // A disk that does not say has to show it when it is written to.
        let Ok(disk) = rustix::fs::statvfs(self.desk.store().directory()) else { return true };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let has_room = free >= self.min_free.saturating_add(bytes);
        if has_room {
            if self.short.swap(false, Ordering::Relaxed) {
                self.intake.tell(self.number, Ok(()));
            }
        } else {
            self.short.store(true, Ordering::Relaxed);
            let reason = "there is not enough room on the disk, so mail is refused for now".to_owned();
            let hint = "make room on the disk of the data directory, or lower [intake] min_free_mib; mail servers try again";
            self.intake.tell(self.number, Err(Trouble { message: reason.clone(), reason, hint: hint.to_owned() }));
        }
        has_room
    }

    /// Makes a mail durable, together with those of others.
    fn keep(&self, arrived: Arrived) -> Fate {
        let (kept, told) = sync_channel(1);
        if self.keeper.send(Waiting { arrived, kept }).is_err() {
            return Fate::Failed;
        }
        match told.recv() {
            Ok(Ok(())) => {
                self.intake.tell(self.number, Ok(()));
                Fate::Kept
            }
            Ok(Err(message)) => self.failed(&message),
            Err(_) => self.failed("it crashed"),
        }
    }

    /// Tells that a mail could not be kept, and why.
    fn failed(&self, message: &str) -> Fate {
        let (reason, hint) = logs::cause(message);
        let is_full = ["No space left", "is full", "uota exceeded"].iter().any(|words| reason.contains(words));
        self.intake.tell(self.number, Err(Trouble { reason, hint: hint.to_owned(), message: message.to_owned() }));
        if is_full { Fate::NoRoom } else { Fate::Failed }
    }

    /// What TLS is begun with. It is read anew each time, so that a certificate can be renewed while we run.
    fn tls(&self) -> Option<Arc<ServerConfig>> {
        let (certificate, key) = self.tls.as_ref()?;
        match tls(certificate, key) {
            Ok(config) => Some(config),
            Err(error) => {
                let trouble = Trouble {
                    reason: "the certificate for TLS cannot be used".to_owned(),
                    hint: "look at cert_file and key_file of [smtp]; 'sluis serve --status' says more".to_owned(),
                    message: format!("{error:#}"),
                };
                self.intake.tell(self.number, Err(trouble));
                None
            }
        }
    }
}

/// What TLS is begun with, from a chain of certificates and the key of the first, in PEM.
fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cert_file: {}: no certificate in PEM can be read from it", certificate.display()))?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("key_file: {}: no key in PEM can be read from it", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("{} and {} do not fit together", certificate.display(), key.display()))?;
    Ok(Arc::new(config))
}
