//! The threads that ask witnesses for their cosignatures, and that look at logs of others: one each, so that none waits for another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use desk::Desk;
use desk::seal::asking::Wanted;
use desk::seal::watch::Looked;
use seal::note::VerifierKey;
use seal::witness::{MAX_ANSWER, SIZE_TYPE, size_of};

use crate::log::peer::Peer;
use crate::serve::config::Config;
use crate::serve::config_witness::PeerConfig;
use crate::serve::logs;

/// Between two looks at what is to be done.
const LOOK: Duration = Duration::from_secs(1);
/// After the first failure; doubles with each.
const PAUSE: Duration = Duration::from_secs(5);
/// After many.
const LONGEST: Duration = Duration::from_secs(600);
/// Requests to one witness about one checkpoint, each from the size that the answer before named.
const TRIES: u32 = 3;

/// Whom the settings name.
pub(crate) struct Peers {
    witnesses: Vec<Peer>,
    watched: Vec<Peer>,
    every: Duration,
}

impl Peers {
    /// Reads the files that are named. Asks nothing yet.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Peers> {
        let open = |some: &[PeerConfig], section: &str| {
            some.iter().map(Peer::open).collect::<anyhow::Result<Vec<_>>>().with_context(|| format!("[[{section}]]"))
        };
        Ok(Peers {
            witnesses: open(&config.log.witness, "log.witness")?,
            watched: open(&config.witness.watch, "witness.watch")?,
            every: Duration::from_secs(config.witness.watch_seconds.into()),
        })
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(crate) fn start(self, desk: &Arc<Desk>) -> std::io::Result<()> {
        let expected: Vec<(String, VerifierKey)> =
            self.witnesses.iter().map(|peer| (peer.name.clone(), peer.key.clone())).collect();
        desk.expect_witnesses(&expected);
        let keys: Arc<Vec<VerifierKey>> = Arc::new(expected.into_iter().map(|(_, key)| key).collect());
        // Nobody waits for them at the end: a peer may take its time, and what is cut short is asked again by the next process.
        for peer in self.witnesses {
            let (desk, keys) = (Arc::clone(desk), Arc::clone(&keys));
            std::thread::Builder::new().name("asker".to_owned()).spawn(move || ask(&desk, &peer, &keys))?;
        }
        for peer in self.watched {
            let (desk, every) = (Arc::clone(desk), self.every);
            std::thread::Builder::new().name("watcher".to_owned()).spawn(move || watch(&desk, &peer, every))?;
        }
        Ok(())
    }
}

fn ask(desk: &Desk, peer: &Peer, keys: &[VerifierKey]) {
    let (mut known, mut failures, mut said) = (BTreeMap::new(), 0u32, String::new());
    while !desk.is_stopping() {
        let pause = match cosigned(desk, peer, keys, &mut known) {
            // There may be another shard that waits.
            Ok(Some(size)) => {
                if !said.is_empty() {
                    tracing::info!(witness = peer.name, "cosigns again");
                }
                tracing::debug!(witness = peer.name, size, "cosigned");
                desk.witness_claims(&peer.name, None);
                (failures, said) = (0, String::new());
                continue;
            }
            Ok(None) => LOOK,
            Err(reason) => {
                if said != reason {
                    tracing::warn!(witness = peer.name, reason, "does not cosign; it is asked again, ever more seldom");
                    said = reason;
                }
                failures = failures.saturating_add(1);
                PAUSE.saturating_mul(1 << (failures - 1).min(7)).min(LONGEST)
            }
        };
        wait(desk, pause);
    }
}

/// Has the newest checkpoint cosigned; its size, or nothing when there is nothing to be cosigned. `known` is what the witness knows
/// of each shard, as far as it said.
fn cosigned(desk: &Desk, peer: &Peer, keys: &[VerifierKey], known: &mut BTreeMap<i64, u64>) -> Result<Option<u64>, String> {
    let failed = |error: desk::Error| logs::cause(&error.to_string()).0;
    let Some(wanted) = desk.wanted_of(&peer.key).map_err(failed)? else { return Ok(None) };
    let size = wanted.published.size;
    let mut old = known.get(&wanted.shard.id).copied().unwrap_or(wanted.cosigned).min(size);
    for _ in 0..TRIES {
        let request = desk.request_for(&wanted, old).map_err(failed)?;
        let url = format!("{}/add-checkpoint", peer.url);
        let answer = peer.egress.tell(&url, "text/plain", request.to_string().into_bytes(), MAX_ANSWER);
        let answer = answer.map_err(|failed| failed.0)?;
        let body = answer.body.unwrap_or_default();
        match answer.status.as_u16() {
            200 => {
                desk.keep_cosignatures(&wanted, &body, keys).map_err(failed)?;
                known.insert(wanted.shard.id, size);
                return match is_cosigned(desk, peer, &wanted).map_err(failed)? {
                    true => Ok(Some(size)),
                    false => Err("its answer holds no cosignature of its key".to_owned()),
                };
            }
            409 => {
                let says_size = answer.content_type.as_deref().is_some_and(|kind| kind.starts_with(SIZE_TYPE));
                let knows = if says_size { size_of(&body) } else { None };
                match knows {
                    Some(knows) if knows <= size && knows != old => old = knows,
                    // It was asked about a newer one meanwhile, under another of its keys.
                    Some(knows) if is_published(desk, peer, knows).map_err(failed)? => return Ok(None),
                    // Nobody signed what it says: a person is told, and nothing stops.
                    knows => {
                        desk.witness_claims(&peer.name, Some(knows.unwrap_or(size)));
                        return Err("it says that it knows another log of ours, or a larger one".to_owned());
                    }
                }
            }
            403 => return Err("it does not know the log's key: give its operator what 'sluis log key' prints".to_owned()),
            404 => return Err("it does not know the log: give its operator what 'sluis log key' prints".to_owned()),
            422 => return Err("it refuses the proof: 'sluis log fsck' says whether the tiles here are sound".to_owned()),
            status => return Err(format!("it answered {status}")),
        }
        known.insert(wanted.shard.id, old);
    }
    Err("it names another size each time".to_owned())
}

fn is_cosigned(desk: &Desk, peer: &Peer, wanted: &Wanted) -> Result<bool, desk::Error> {
    let still = desk.wanted_of(&peer.key)?;
    Ok(still.is_none_or(|still| still.shard.id != wanted.shard.id || still.cosigned >= wanted.published.size))
}

/// Whether a log of so many entries was published by now.
fn is_published(desk: &Desk, peer: &Peer, size: u64) -> Result<bool, desk::Error> {
    Ok(desk.wanted_of(&peer.key)?.is_some_and(|wanted| wanted.published.size >= size))
}

fn watch(desk: &Desk, peer: &Peer, every: Duration) {
    let mut said = String::new();
    while !desk.is_stopping() {
        let reason = match look(desk, peer) {
            Ok(Looked::Sound { .. }) => String::new(),
            Ok(Looked::Behind { .. }) => "it shows fewer entries than it did before".to_owned(),
            Ok(Looked::Forked) => "it has two histories, and that is proven: see log/forks".to_owned(),
            Ok(Looked::Unproven) => {
                "it does not fit what was seen, and nothing proves whose fault that is: see log/forks".to_owned()
            }
            Err(reason) => {
                desk.could_not_look(&peer.name, &reason);
                reason
            }
        };
        if said != reason {
            match reason.as_str() {
                "" => tracing::info!(log = peer.name, "it continues what was seen again"),
                reason => tracing::warn!(log = peer.name, reason, "a log of somebody else is not as it should be"),
            }
            said = reason;
        }
        wait(desk, every);
    }
}

/// Looks at a log.
fn look(desk: &Desk, peer: &Peer) -> Result<Looked, String> {
    for address in peer.addresses(desk.now().date().0) {
        let Some(checkpoint) = peer.checkpoint(&address).map_err(|failed| failed.0)? else { continue };
        let looked = desk.look_at_log(&peer.name, &peer.key, &checkpoint, |tile| peer.tile(&address, tile));
        return looked.map_err(|error| match error {
            desk::Error::Invalid(_) => "what it shows is no checkpoint that its key signed".to_owned(),
            error => logs::cause(&error.to_string()).0,
        });
    }
    Err("it shows no checkpoint".to_owned())
}

fn wait(desk: &Desk, pause: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < pause && !desk.is_stopping() {
        std::thread::sleep(Duration::from_millis(100));
    }
}
