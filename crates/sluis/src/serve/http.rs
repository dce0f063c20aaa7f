//! The three pages of a node for those who watch over it: `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::serve::{Node, metrics};

/// Connections served at the same time; those beyond wait in the operating system's queue.
const CONNECTIONS: usize = 64;
/// Questions put to the desk at the same time, each in a thread that may block.
const QUESTIONS: usize = 4;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a request and its answer may take together.
const REQUEST: Duration = Duration::from_secs(20);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;

/// Everything here is text for machines: nothing is to be guessed, framed, kept or passed on.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The node, and how many questions it may be asked at once.
#[derive(Clone)]
struct Asked {
    node: Arc<Node>,
    questions: Arc<Semaphore>,
}

/// Every page.
fn routes(node: Arc<Node>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .with_state(Asked { node, questions: Arc::new(Semaphore::new(QUESTIONS)) })
        .layer(axum::middleware::map_response(with_headers))
}

/// Serves the listener, as long as its future is polled. Each connection is for one request.
pub(crate) async fn serve(listener: TcpListener, node: Arc<Node>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let routes = routes(node);
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
            http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES).keep_alive(false);
            // A peer that went away, or speaks something else, is not our trouble.
            let _ = tokio::time::timeout(REQUEST, http.serve_connection(TokioIo::new(stream), service)).await;
            drop(permit);
        });
    }
}

/// The process is alive.
async fn healthz() -> Response {
    json(StatusCode::OK, r#"{"alive":true}"#.to_owned())
}

/// The node can do its work, or why not.
async fn readyz(State(asked): State<Asked>) -> Response {
    let Some(reasons) = ask(&asked, |node| node.not_ready()).await else { return crashed() };
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons }).to_string())
}

/// Numbers for Prometheus.
async fn metrics(State(asked): State<Asked>) -> Response {
    match ask(&asked, metrics::text).await {
        Some(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        None => crashed(),
    }
}

async fn nothing(_: Request) -> Result<Response, Infallible> {
    let pages = r#"{"error":"there is no such page","pages":["/healthz","/readyz","/metrics"]}"#;
    Ok(json(StatusCode::NOT_FOUND, pages.to_owned()))
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Puts a question that blocks to the node; `None` when it crashed.
async fn ask<T: Send + 'static>(asked: &Asked, question: impl FnOnce(&Node) -> T + Send + 'static) -> Option<T> {
    let permit = Arc::clone(&asked.questions).acquire_owned().await.ok()?;
    let node = Arc::clone(&asked.node);
    // The permit goes with the thread: a caller that gives up does not make room for another question.
    tokio::task::spawn_blocking(move || {
        let answer = question(&node);
        drop(permit);
        answer
    })
    .await
    .ok()
}

fn crashed() -> Response {
    json(StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"the program made a mistake; its log says where"}"#.to_owned())
}

fn json(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}
