//! Feeds of the settings, downloaded by a running node from a server of the test: one that works beside one that does not, and a process
//! that is killed while they come.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Folder, Node, report, sluis, until};

/// A server without TLS: `/good` has a report that never changes, and everything else fails.
fn server(rows: u32) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU32::new(0)));
    let (counted, body) = (Arc::clone(&asked), report(rows, rows));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let known = lines.by_ref().take_while(|line| !line.is_empty()).any(|line| line == "if-none-match: \"1\"");
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = match (first.starts_with("GET /good"), known) {
                (true, false) => stream
                    .write_all(format!("HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())
                    .and_then(|()| stream.write_all(&body)),
                (true, true) => stream.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n"),
                _ => stream.write_all(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
            };
        }
    });
    (port, asked)
}

fn settings(port: u16) -> String {
    let feed = |name: &str| {
        format!(
            "[[feed]]\nonly_ours = false\nname = \"{name}\"\nurl = \"http://localhost:{port}/{name}\"\nplain_http = true\nallow = [\"localhost:{port}\"]\n\
             file_name = \"2026-06-01-scan_rsync-{name}.csv\"\n"
        )
    };
    feed("bad") + &feed("good")
}

fn show(folder: &Folder, feed: &str) -> Value {
    let config = folder.0.join("sluis.toml");
    let (code, out, error) = sluis(&folder.data(), &["feed", "show", feed, "--json", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_feed_that_fails_does_not_hold_up_one_that_works() {
    let folder = Folder::new("feeds");
    let (port, asked) = server(40);
    let node = Node::start(&folder, &settings(port));
    until("one is read", || (show(&folder, "good")["reports"] == 40).then_some(()));
    until("the other is tried", || (show(&folder, "bad")["state"] == "failing").then_some(()));
    let bad = show(&folder, "bad");
    assert_eq!(
        (bad["trouble"].as_str().unwrap(), bad["location"].as_str().unwrap()),
        ("it answered 503", &*format!("http://localhost:{port}/bad"))
    );
    let good = show(&folder, "good");
    assert_eq!((good["state"].as_str().unwrap(), good["downloads"].as_array().unwrap().len()), ("well", 1));
    until("it is said", || node.said("a feed cannot be downloaded"));
    assert_eq!(node.metric("sluis_feed_failures{feed=\"good\"}"), Some(0.0));
    assert!(node.metric("sluis_feed_failures{feed=\"bad\"}") >= Some(1.0));

    // A person does not wait for the hour.
    let config = folder.0.join("sluis.toml");
    let config = config.to_str().unwrap();
    let before = asked.load(Ordering::SeqCst);
    let (code, out, error) = sluis(&folder.data(), &["feed", "fetch", "good", "--config", config]);
    assert!(code == 0 && out.contains("nothing new"), "{out}{error}");
    assert!(asked.load(Ordering::SeqCst) > before);
    let (code, _, error) = sluis(&folder.data(), &["feed", "fetch", "bad", "--config", config]);
    assert!(code == 1 && error.contains("503"), "{error}");
    let (code, _, error) = sluis(&folder.data(), &["feed", "fetch", "god", "--config", config]);
    assert!(code == 1 && error.contains("bad, good"), "{error}");
    let (_, out, _) = sluis(&folder.data(), &["feed", "list", "--config", config]);
    assert!(out.contains("good") && out.contains("failing") && out.contains("503"), "{out}");
    assert!(!node.log().contains("http://"), "addresses of feeds may hold what is secret");
    let (status, _) = node.stop();
    assert_eq!(status.code(), Some(0));

    // When nobody serves, the command does it itself, and takes in nothing twice.
    let (code, out, error) = sluis(&folder.data(), &["feed", "fetch", "good", "--config", config]);
    assert!(code == 0 && out.contains("nothing new"), "{out}{error}");
    assert_eq!(show(&folder, "good")["downloads"].as_array().unwrap().len(), 1);
}

#[test]
fn a_process_that_is_killed_while_a_feed_comes_takes_it_in_once() {
    for pause in [0, 30, 60, 120, 250] {
        let folder = Folder::new("feed-kill");
        let (port, asked) = server(2_000);
        let mut node = Node::start(&folder, &settings(port));
        until("it is asked", || (asked.load(Ordering::SeqCst) > 0).then_some(()));
        std::thread::sleep(std::time::Duration::from_millis(pause));
        node.signal(Signal::KILL);
        node.wait();
        let _node = Node::start(&folder, &settings(port));
        until("it is read", || (show(&folder, "good")["reports"] == 2_000).then_some(()));
        until("it is looked at", || show(&folder, "good")["checked"].as_str().map(|_| ()));
        assert_eq!(show(&folder, "good")["downloads"].as_array().unwrap().len(), 1, "killed after {pause} ms");
    }
}
