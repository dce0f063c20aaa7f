//! This node as a witness over HTTP (C2SP `tlog-witness`): `POST /add-checkpoint`, beside the log's own files.
//!
//! Signatures are checked by several threads at once. What holds goes to one thread that takes all that came meanwhile and has it
//! cosigned together, since the disk is waited for once for all of it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use desk::Desk;
use desk::seal::witness::{Answer, Asked};
use seal::witness::{MAX_REQUEST, answer};
use tokio::sync::oneshot;

use crate::serve::logs;

/// How long the body of a request may take.
const BODY: Duration = Duration::from_secs(10);
/// Requests that are cosigned together.
const TOGETHER: usize = 64;
/// Between two looks whether the node is to stop.
const LOOK: Duration = Duration::from_millis(200);
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

type Waiting = (Asked, oneshot::Sender<Answer>);

#[derive(Clone)]
struct Door {
    desk: Arc<Desk>,
    waiting: SyncSender<Waiting>,
}

/// The route of the witness, and the thread behind it.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(desk: &Arc<Desk>) -> std::io::Result<Router> {
    let (waiting, asked) = sync_channel(4 * TOGETHER);
    let worker = Arc::clone(desk);
    // Nobody waits for it at the end: what it signed is durable before, and what it did not sign is asked again.
    std::thread::Builder::new().name("witness".to_owned()).spawn(move || run(&worker, &asked))?;
    let door = Door { desk: Arc::clone(desk), waiting };
    Ok(Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(door))
}

fn run(desk: &Desk, waiting: &Receiver<Waiting>) {
    // Made now if there is none: the owners of logs want to know it before they ask.
    let mut said = match desk.witness_key() {
        Ok(_) => false,
        Err(error) => {
            let (reason, hint) = logs::cause(&error.to_string());
            tracing::error!(reason, hint, "this node cannot cosign logs of others");
            true
        }
    };
    while !desk.is_stopping() {
        let first = match waiting.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let some: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter().take(TOGETHER - 1)).collect();
        let (asked, answers): (Vec<Asked>, Vec<oneshot::Sender<Answer>>) = some.into_iter().unzip();
        match desk.cosign(&asked) {
            Ok(done) => {
                said = false;
                for (answer, done) in answers.into_iter().zip(done) {
                    // Who asked may have gone.
                    let _ = answer.send(done);
                }
            }
            // Dropped, the answers say that it is to be tried again.
            Err(error) if !said => {
                said = true;
                let (reason, hint) = logs::cause(&error.to_string());
                tracing::error!(reason, hint, "this node cannot cosign logs of others");
            }
            Err(_) => {}
        }
    }
}

async fn add_checkpoint(State(door): State<Door>, body: Body) -> Response {
    let body = match tokio::time::timeout(BODY, axum::body::to_bytes(body, MAX_REQUEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "a request has 128 KiB at most\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the request took too long\n"),
    };
    let desk = Arc::clone(&door.desk);
    let read = tokio::task::spawn_blocking(move || desk.read_request(&body)).await;
    let done = match read {
        Err(_) => None,
        Ok(Err(refused)) => Some(Err(refused)),
        Ok(Ok(asked)) => {
            let (send, receive) = oneshot::channel();
            match door.waiting.try_send((asked, send)) {
                Ok(()) => receive.await.ok(),
                Err(_) => None,
            }
        }
    };
    match done {
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "it cannot be done now; ask again\n"),
        Some(Ok(line)) => plain(StatusCode::OK, answer(&[line])),
        Some(Err(refused)) => {
            let (kind, body) = refused.body();
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, HEADERS, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
    }
}

fn plain(status: StatusCode, body: impl Into<String>) -> Response {
    (status, HEADERS, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body.into()).into_response()
}
