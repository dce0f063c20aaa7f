//! The service: takes reports in as they come, answers those who watch over it, and stops when it is asked to.
//!
//! - [`config`]: what can be configured.
//! - [`intake`]: the thread that takes in and works off.
//! - [`administrations`]: the folders in which sources of administration lay what they have to say.
//! - [`socket`], [`remote`] and [`wire`]: where other commands reach this process, which owns the desk.
//! - [`http`] and [`metrics`]: health, readiness and numbers.
//! - [`sealer`]: the thread that seals.
//! - [`shelf`]: the log, for those who watch over it.
//! - [`night`]: the thread that erases what is too old.
//! - [`witness`]: this node as a witness of others' logs; [`peers`]: the threads that ask witnesses, and look at logs.
//! - [`stamper`]: the thread that has the log stamped with the time.
//! - [`logs`]: what is logged, without personal data.

pub(crate) mod administrations;
pub(crate) mod config;
pub(crate) mod config_feed;
pub(crate) mod config_imap;
pub(crate) mod config_log;
pub(crate) mod config_mail;
pub(crate) mod config_smtp;
pub(crate) mod config_witness;
pub(crate) mod http;
pub(crate) mod intake;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod night;
mod peers;
pub(crate) mod remote;
pub(crate) mod sealer;
pub(crate) mod shelf;
pub(crate) mod socket;
mod stamper;
pub(crate) mod wire;
mod witness;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use desk::policy::Looked;
use desk::{Clock, Desk};
use model::time::Time;
use peers::Peers;
use sd_notify::NotifyState;
use store::administration::KeptSource;
use store::alerts::{Channel, Open};
use store::queues::Waiting;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::alert::Sender;
use crate::data::Data;
use crate::doors::fetch::Fetcher;
use crate::doors::{imap, smtp};
use crate::log::tsa::Tsa;
use config::Config;
use intake::Intake;

/// How long the intake may give no sign of life before the node is not ready.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may give none before the service manager is to start the process anew, if it watches.
const LONG_SILENCE: Duration = Duration::from_secs(300);
/// How long what was read from the database is good enough for pages: asking often does not cost more.
const FRESH: Duration = Duration::from_secs(2);
/// How often the policy file is looked at.
const POLICY: Duration = Duration::from_secs(5);
/// How long doors may take to end.
const DOORS: Duration = Duration::from_secs(5);
/// Files in the spool that are counted.
const SPOOL_COUNTED: usize = 100_000;

/// A node that serves.
pub(crate) struct Node {
    /// The desk, which this process owns.
    pub(crate) desk: Arc<Desk>,
    /// The intake.
    pub(crate) intake: Arc<Intake>,
    /// When the process began.
    pub(crate) started: Time,
    /// Where it answers HTTP.
    pub(crate) listen: SocketAddr,
    pub(crate) min_free: u64,
    /// Names of the receivers of alerts.
    receivers: Vec<String>,
    poll: Duration,
    figures: Mutex<Option<(Instant, Figures)>>,
    /// Commands that came through the socket and are under way: they may hold the intake up.
    commands: AtomicU32,
}

/// What pages show of the database.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// What waits.
    pub(crate) waiting: Waiting,
    /// Files in the spool.
    pub(crate) spool: i64,
    /// Sources of administration.
    pub(crate) sources: Vec<KeptSource>,
    /// Alerts that are open, by kind.
    pub(crate) alerts: Vec<Open>,
    /// How it goes with the receivers of alerts that are configured.
    pub(crate) channels: Vec<Channel>,
    /// How it goes with the feeds that are configured.
    pub(crate) fetches: Vec<store::fetches::Fetch>,
}

impl Node {
    /// What pages show of the database, at most [`FRESH`] old. Blocks.
    ///
    /// # Errors
    /// When the database cannot be read; what is wrong, in words that name nobody.
    pub(crate) fn figures(&self) -> Result<Figures, String> {
        // Held while reading: who asks meanwhile waits for the same answer.
        let mut kept = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, figures)) = kept.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(figures.clone());
        }
        *kept = None;
        let spool = self.desk.store().directory().join("spool").join("new");
        let spool = std::fs::read_dir(spool).map_or(0, |entries| entries.take(SPOOL_COUNTED).count());
        let read = || -> Result<Figures, store::Error> {
            self.desk.store().reader()?.read(|transaction| {
                let configured = |channel: &Channel| self.receivers.contains(&channel.name);
                Ok(Figures {
                    waiting: transaction.waiting()?,
                    spool: spool as i64,
                    sources: transaction.sources()?,
                    alerts: transaction.count_alerts()?,
                    channels: transaction.channels()?.into_iter().filter(configured).collect(),
                    fetches: Vec::new(),
                })
            })
        };
        let cause = |message: String| logs::cause(&message).0;
        let mut figures = read().map_err(|error| cause(error.to_string()))?;
        figures.fetches = self.desk.fetches_in_use().map_err(|error| cause(error.to_string()))?;
        *kept = Some((Instant::now(), figures.clone()));
        Ok(figures)
    }

    /// Bytes free on the disk of the data directory; `None` when it does not say.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(self.desk.store().directory()).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Why the node cannot do its work now, in words that name nobody; empty when it can. Blocks.
    pub(crate) fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.desk.is_stopping() {
            reasons.push("it is stopping".to_owned());
        }
        match self.figures() {
            Err(reason) => reasons.push(format!("the database cannot be read: {reason}")),
            Ok(figures) => {
                let failing = figures.channels.iter().filter(|channel| channel.failing > 0);
                reasons.extend(failing.map(|channel| format!("alerts do not reach '{}': {}", channel.name, channel.trouble)));
            }
        }
        let state = self.intake.state();
        let is_needed = |name: &str| name == "spool" || name == "work" || name.starts_with("administration");
        for part in state.parts.iter().filter(|part| is_needed(&part.name)) {
            if let Some(trouble) = &part.trouble {
                reasons.push(format!("intake ({}): {}; {}", part.name, trouble.reason, trouble.hint));
            }
        }
        let silence = state.last_sign.elapsed();
        if silence > SILENCE + self.poll && !self.is_commanded() {
            reasons.push(format!("the intake has given no sign of life for {} s", silence.as_secs()));
        }
        if let Some(free) = self.free_bytes().filter(|free| *free < self.min_free) {
            reasons.push(format!("{} MiB are free on the disk, {} are asked for", free >> 20, self.min_free >> 20));
        }
        reasons
    }

    fn is_commanded(&self) -> bool {
        self.commands.load(Ordering::Relaxed) > 0
    }

    /// Whether the process may call itself alive to the service manager.
    fn is_alive(&self) -> bool {
        self.intake.state().last_sign.elapsed() < LONG_SILENCE + self.poll || self.is_commanded()
    }
}

/// Serves a data directory until a signal says to stop.
///
/// # Errors
/// When it cannot begin: another process owns the data, an address is taken, a path is too long.
pub(crate) fn run(data: &Data, config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let senders = config.alert.iter().map(|receiver| receiver.sender()).collect::<anyhow::Result<Vec<_>>>()?;
    let authorities = config.log.tsa.iter().map(Tsa::open).collect::<anyhow::Result<Vec<_>>>()?;
    let peers = Peers::open(config)?;
    let feeds = config.feed.iter().map(Fetcher::open).collect::<anyhow::Result<Vec<_>>>()?;
    let mailboxes = config.imap.iter().map(|account| account.open()).collect::<anyhow::Result<Vec<_>>>()?;
    let mut desk = data.desk(clock, config.readers()?)?;
    config.mail.set(&mut desk, true)?;
    if !config.mail.asks() && desk.policy().policy.trust.iter().any(|trust| trust.proven.is_some()) {
        tracing::warn!(
            hint = "[mail] dns or authentication_results in sluis.toml",
            "the policy asks for proofs of senders, and nobody looks for any"
        );
    }
    let desk = Arc::new(desk);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(32)
        .enable_all()
        .build()
        .context("no threads could be started")?;
    let result = runtime.block_on(serve(desk, config, senders, authorities, peers, feeds, mailboxes));
    // Questions that are still being answered are not waited for: they only read.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(
    desk: Arc<Desk>,
    config: &Config,
    senders: Vec<Sender>,
    authorities: Vec<Tsa>,
    peers: Peers,
    feeds: Vec<Fetcher>,
    mailboxes: Vec<imap::Account>,
) -> anyhow::Result<()> {
    // First of all: from here on a signal stops in good order.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let socket = socket::listen(desk.store().directory())?;
    let listen = config.http.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen}: cannot listen there; choose another address for [http] listen, or end who has it"))?;
    let listen = listener.local_addr()?;
    if !listen.ip().is_loopback() {
        tracing::warn!(%listen, hint = "numbers are shown without a password: let only those who may see them reach it", "open to the network");
    }
    let shelf_listener = shelf::bind(config.log.listen).await?;
    let mut servers = Vec::new();
    for server in &config.servers {
        servers.push(server.clone().open().await?);
    }
    let poll = Duration::from_secs(config.intake.poll_seconds.into());
    let intake = Arc::new(Intake::new(Arc::clone(&desk), &config.intake.maildirs, config.administrations()?, poll));
    let node = Arc::new(Node {
        started: desk.now(),
        desk,
        intake,
        listen,
        min_free: u64::from(config.intake.min_free_mib) << 20,
        receivers: config.alert.iter().map(|receiver| receiver.name.clone()).collect(),
        poll,
        figures: Mutex::new(None),
        commands: AtomicU32::new(0),
    });

    let (ended, mut intake_ended) = tokio::sync::oneshot::channel();
    let worker = Arc::clone(&node);
    std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
        recover(&worker);
        worker.intake.run();
        let _ = ended.send(());
    })?;
    let mut doors = imap::start(&node.desk, &node.intake, mailboxes)?;
    doors.extend(smtp::start(&node.desk, &node.intake, servers)?);
    crate::alert::run::start(&node, senders)?;
    let (worker, retention) = (Arc::clone(&node.desk), config.retention.clone());
    std::thread::Builder::new()
        .name("night".to_owned())
        .spawn(move || night::run(&worker, &retention.periods(), retention.hour))?;
    let (worker, publish_every) = (Arc::clone(&node.desk), Duration::from_secs(config.log.publish_seconds.into()));
    let sealer = std::thread::Builder::new().name("sealer".to_owned()).spawn(move || sealer::run(&worker, publish_every))?;
    stamper::start(&node.desk, authorities)?;
    peers.start(&node.desk)?;
    crate::doors::fetch::run::start(&node, feeds)?;
    let mut routes = shelf::routes(node.desk.store().directory().to_owned());
    if config.witness.settings().is_some() {
        if shelf_listener.is_none() {
            tracing::warn!(hint = "[log] listen says where", "this node is a witness, and nobody can ask it");
        }
        routes = routes.merge(witness::start(&node.desk)?);
    }
    let shelf = tokio::spawn(shelf::serve(shelf_listener, routes));
    let pages = tokio::spawn(http::serve(listener, Arc::clone(&node)));
    let commands = tokio::spawn(socket::serve(socket, Arc::clone(&node) as Arc<dyn socket::Remote>));
    let watch = tokio::spawn(watch(Arc::clone(&node)));
    let policy = tokio::spawn(watch_policy(Arc::clone(&node.desk)));
    // Not here: a connection to PostgreSQL blocks, which this thread must not.
    let asked = Arc::clone(&node.desk);
    for warning in tokio::task::spawn_blocking(move || asked.condition()).await??.warnings() {
        tracing::error!(warning, "a person has to look");
    }
    tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "ready");
    notify(&[NotifyState::Ready]);

    let first = tokio::select! {
        first = either(&mut terminate, &mut interrupt) => first,
        _ = &mut intake_ended => anyhow::bail!("the intake ended by itself; please report this"),
    };
    tracing::info!(signal = first, "stopping; what is under way is finished first, a second signal does not wait");
    notify(&[NotifyState::Stopping]);
    node.desk.stop();
    node.intake.wake();
    // Nobody new is let in, and the socket's file goes.
    commands.abort();
    let stopped = tokio::select! {
        _ = seal_last(&node.desk, intake_ended, doors, sealer) => true,
        second = either(&mut terminate, &mut interrupt) => {
            tracing::warn!(signal = second, "stopped at once; the next start takes up what was under way");
            false
        }
    };
    pages.abort();
    shelf.abort();
    watch.abort();
    policy.abort();
    let _ = (commands.await, pages.await, shelf.await, watch.await, policy.await);
    if !stopped {
        // As a shell sees a program that a signal ended. What is in the database is whole at any moment.
        std::process::exit(130);
    }
    tracing::info!("stopped");
    Ok(())
}

/// Counts the beginning of work on what is unread. Until that has been done no work begins: it is what sets aside a
/// submission that processes die of. Cases that an import was about to look at when the process ended are looked at.
fn recover(node: &Node) {
    let mut said = false;
    while let Err(error) = node.desk.recover().and_then(|()| node.desk.find_changed()) {
        if !said {
            let (reason, hint) = logs::cause(&error.to_string());
            tracing::error!(reason, hint, "work cannot begin, and is tried again");
            said = true;
        }
        for _ in 0..50 {
            if node.desk.is_stopping() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// When the intake and the doors have ended, what was done last is sealed.
async fn seal_last(
    desk: &Arc<Desk>,
    intake: tokio::sync::oneshot::Receiver<()>,
    doors: Vec<JoinHandle<()>>,
    sealer: JoinHandle<()>,
) {
    let _ = intake.await;
    let desk = Arc::clone(desk);
    let _ = tokio::task::spawn_blocking(move || {
        // A server that does not answer is not waited for: what it has not been told, it is told by the next process.
        let begun = Instant::now();
        while begun.elapsed() < DOORS && doors.iter().any(|door| !door.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = sealer.join();
        // Whatever cannot be sealed now waits for the next process.
        let _ = desk.seal();
    })
    .await;
}

/// The name of the signal that comes first.
async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Takes the intake's pulse each second, and tells the service manager that all is well as often as it wants to know.
async fn watch(node: Arc<Node>) {
    let asked = sd_notify::watchdog_enabled().map(|interval| interval / 3);
    let mut ticks = tokio::time::interval(asked.map_or(Duration::from_secs(1), |asked| asked.min(Duration::from_secs(1))));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if node.is_alive() && asked.is_some() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Looks every few seconds whether the policy file has changed. A file that is wrong is said once; so is one that is right.
async fn watch_policy(desk: Arc<Desk>) {
    let mut ticks = tokio::time::interval(POLICY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut was_wrong = false;
    loop {
        ticks.tick().await;
        let looking = Arc::clone(&desk);
        match tokio::task::spawn_blocking(move || looking.look_at_policy()).await {
            Ok(Ok(Looked::Changed(new))) => tracing::info!(version = new.version, "another policy is in force"),
            Ok(Ok(Looked::Wrong(_))) => {
                if !was_wrong {
                    tracing::error!(
                        hint = "'sluis policy check' says why",
                        "the policy file cannot be used; the last good one holds"
                    );
                }
                was_wrong = true;
                continue;
            }
            Ok(Ok(Looked::Same)) if was_wrong => tracing::info!("the policy file can be used again"),
            Ok(Ok(Looked::Same)) => {}
            Ok(Err(error)) => {
                let (reason, hint) = logs::cause(&error.to_string());
                tracing::warn!(reason, hint, "the policy file was not looked at, and is the next time");
                continue;
            }
            // It is being stopped.
            Err(_) => return,
        }
        was_wrong = false;
    }
}

/// Tells systemd, if it started us. That it could not be told is no reason to stop.
fn notify(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
