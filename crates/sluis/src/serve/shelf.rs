//! The log as others see it, over HTTP: checkpoint, tiles and bundles, each as the file it is (C2SP `tlog-tiles`).
//!
//! Nothing beyond the published checkpoint is shown, though it may be on disk already: when a tile fills up would say when
//! something happened.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use seal::checkpoint::Checkpoint;
use seal::tile::{Level, Tile, WIDTH};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections served at the same time; those beyond wait in the operating system's queue.
const CONNECTIONS: usize = 64;
/// How long the head of a request may take, and a connection be silent.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection lasts at the most.
const LONGEST: Duration = Duration::from_secs(300);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// What never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What may change any moment.
const BRIEFLY: HeaderValue = HeaderValue::from_static("no-cache");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const STAMP: HeaderValue = HeaderValue::from_static("application/timestamp-reply");

/// Everything that is shown of the logs in a data directory.
pub(crate) fn routes(directory: PathBuf) -> Router {
    Router::new().fallback(axum::routing::get(file)).with_state(Arc::new(directory.join("log")))
}

/// Binds the listener, when there is one.
///
/// # Errors
/// When the address is taken, in words that say what to do.
pub(crate) async fn bind(listen: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    use anyhow::Context;
    let Some(listen) = listen else { return Ok(None) };
    let failed = || format!("{listen}: cannot listen there; choose another address for [log] listen, or end who has it");
    let listener = TcpListener::bind(listen).await.with_context(failed)?;
    tracing::info!(listen = %listener.local_addr()?, "the log is shown to others");
    Ok(Some(listener))
}

/// Serves the listener, as long as its future is polled.
pub(crate) async fn serve(listener: Option<TcpListener>, routes: Router) {
    let Some(listener) = listener else { return };
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open, most likely.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(routes.clone());
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
            // A peer that went away, or speaks something else, is not our trouble.
            let _ = tokio::time::timeout(LONGEST, http.serve_connection(TokioIo::new(stream), service)).await;
            drop(permit);
        });
    }
}

async fn file(State(folder): State<Arc<PathBuf>>, uri: Uri) -> Response {
    let path = uri.path().to_owned();
    let found = tokio::task::spawn_blocking(move || shown(&folder, &path)).await;
    match found {
        Ok(Ok(Some(shown))) => {
            let headers = [
                (header::CONTENT_TYPE, shown.kind),
                (header::CACHE_CONTROL, shown.keep),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            ];
            (headers, shown.bytes).into_response()
        }
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, BRIEFLY)], "there is no such file\n").into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, [(header::CACHE_CONTROL, BRIEFLY)], "it cannot be read\n").into_response(),
    }
}

/// A file and how it is shown.
#[derive(Debug)]
struct Shown {
    bytes: Vec<u8>,
    kind: HeaderValue,
    keep: HeaderValue,
}

/// What stands under a path: `/2026/checkpoint`, `/2026/tile/0/000`. There is one path for each file, and no other is looked at.
fn shown(folder: &Path, path: &str) -> io::Result<Option<Shown>> {
    let Some((label, name)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else { return Ok(None) };
    if !is_label(label) {
        return Ok(None);
    }
    let folder = folder.join(label);
    let Some(checkpoint) = read(&folder.join("checkpoint"))? else { return Ok(None) };
    if name == "checkpoint" {
        return Ok(Some(Shown { bytes: checkpoint, kind: TEXT, keep: BRIEFLY }));
    }
    let is_number = |text: &str| text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    // The size, and for further authorities their number: `128.tsr`, `128.2.tsr`.
    let is_stamp = |folder: &str| {
        let rest = name.strip_prefix(folder).and_then(|rest| rest.strip_suffix(".tsr"));
        rest.is_some_and(|rest| rest.split_once('.').map_or(is_number(rest), |(size, at)| is_number(size) && is_number(at)))
    };
    let (kind, keep) = if let Ok(tile) = name.parse::<Tile>() {
        if !is_covered(&tile, &checkpoint) {
            return Ok(None);
        }
        (BYTES, FOREVER)
    } else if is_stamp("anchor/") || is_stamp("archive/") {
        (STAMP, BRIEFLY)
    } else if name.strip_prefix("cosigned/").is_some_and(is_number) {
        // Witnesses are added to it.
        (TEXT, BRIEFLY)
    } else {
        return Ok(None);
    };
    Ok(read(&folder.join(name))?.map(|bytes| Shown { bytes, kind, keep }))
}

/// A year, or a year and a number: the only names that folders of logs have.
fn is_label(label: &str) -> bool {
    let is_number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    match label.split_once('.') {
        Some((year, number)) => is_number(year) && is_number(number),
        None => is_number(label),
    }
}

/// Whether a tile is one of the log up to its published checkpoint.
fn is_covered(tile: &Tile, checkpoint: &[u8]) -> bool {
    let text = std::str::from_utf8(checkpoint).ok().and_then(|note| note.split_once("\n\n"));
    let Some(checkpoint) = text.and_then(|(text, _)| Checkpoint::parse(&format!("{text}\n")).ok()) else { return false };
    let there = Tile::at(tile.level, tile.index, checkpoint.size);
    debug_assert!(u64::from(tile.width) <= WIDTH && !matches!(tile.level, Level::Hashes(8..)));
    there.is_some_and(|there| there.width >= tile.width)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause)
            if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_published_is_shown() {
        let folder = std::env::temp_dir().join(format!("sluis-shelf-{}", std::process::id()));
        let log = folder.join("2026");
        for path in ["tile/0/000.p", "tile/entries", "anchor", "cosigned"] {
            std::fs::create_dir_all(log.join(path)).unwrap();
        }
        let text = Checkpoint::new("log.sluis.example/2026", 320, [1; 32]).unwrap().to_string();
        std::fs::write(log.join("checkpoint"), format!("{text}\n\u{2014} x AAAA\n")).unwrap();
        for path in [
            "tile/0/000",
            "tile/0/001",
            "tile/entries/001",
            "tile/0/000.p/64",
            "anchor/320.tsr",
            "anchor/320.2.tsr",
            "cosigned/320",
            "keys",
        ] {
            std::fs::write(log.join(path), path).unwrap();
        }
        std::fs::write(folder.join("keys"), "secret").unwrap();
        for (path, there) in [
            ("/2026/checkpoint", true),
            ("/2026/tile/0/000", true),
            ("/2026/tile/0/000.p/64", true),
            ("/2026/anchor/320.tsr", true),
            ("/2026/cosigned/320", true),
            ("/2026/anchor/320.2.tsr", true),
            // On disk, and full after the checkpoint.
            ("/2026/tile/0/001", false),
            ("/2026/tile/entries/001", false),
            ("/2026/tile/0/002", false),
            ("/2026/tile/0/000.p", false),
            ("/2026/keys", false),
            ("/keys", false),
            ("/2026/../keys", false),
            ("/2026/anchor/0320.tsr", false),
            ("/2026/tile/0/../../keys", false),
            ("/../2026/checkpoint", false),
            ("/2026/%63heckpoint", false),
            ("/2025/checkpoint", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(shown(&folder, path).unwrap().is_some(), there, "{path}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
