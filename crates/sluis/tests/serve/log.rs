//! The log of a node that serves: sealed as it happens, published in blocks, and shown to others up to what is published.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Folder, Node, PATIENCE, report, sluis, until};

/// Asks for a file of the log: status, head, bytes.
fn ask(address: &str, path: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, head.to_ascii_lowercase(), answer[end + 4..].to_vec())
}

fn shown(folder: &Folder) -> serde_json::Value {
    let (code, out, err) = sluis(&folder.data(), &["log", "show", "--json"]);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn what_comes_is_sealed_at_once_and_shown_in_blocks() {
    let folder = Folder::new("log");
    let settings = "[log]\nname = \"log.hoster.example/abuse\"\nlisten = \"127.0.0.1:0\"\npublish_seconds = 10\n";
    let node = Node::start(&folder, settings);
    let address = node.said("the log is shown to others").unwrap()["listen"].as_str().unwrap().to_owned();
    let year = until("something is published", || shown(&folder)["logs"][0]["origin"].as_str().map(str::to_owned));
    let year = year.rsplit('/').next().unwrap().to_owned();
    let checkpoint = until("the checkpoint is shown", || {
        let (status, head, body) = ask(&address, &format!("/{year}/checkpoint"));
        (status == 200).then_some((head, String::from_utf8(body).unwrap()))
    });
    assert!(checkpoint.0.contains("cache-control: no-cache") && checkpoint.0.contains("text/plain"), "{}", checkpoint.0);
    assert_eq!(checkpoint.1.lines().take(2).collect::<Vec<_>>(), [format!("log.hoster.example/abuse/{year}").as_str(), "64"]);

    folder.spool("telnet.csv", &report(300, 300));
    until("everything is sealed", || {
        let shown = shown(&folder);
        let signed = shown["logs"][0]["signed"].as_u64().unwrap();
        (shown["waiting"] == 0 && signed > 364).then_some(())
    });
    // On disk, and not yet shown, unless it was published meanwhile: never a size between two publications.
    for _ in 0..3 {
        let (_, _, body) = ask(&address, &format!("/{year}/checkpoint"));
        let size: u64 = String::from_utf8(body).unwrap().lines().nth(1).unwrap().parse().unwrap();
        assert_eq!(size % 64, 0);
        assert_eq!(ask(&address, &format!("/{year}/tile/0/{:03}", size / 256 + 1)).0, 404);
    }
    let (status, head, tile) = until("a full tile is published", || {
        let answer = ask(&address, &format!("/{year}/tile/0/000"));
        (answer.0 == 200).then_some(answer)
    });
    assert_eq!((status, tile.len()), (200, 8_192));
    assert!(head.contains("immutable") && head.contains("application/octet-stream"), "{head}");
    for path in ["/", "/keys", "/log/keys", &format!("/{year}/../keys"), &format!("/{year}/keys")] {
        assert_eq!(ask(&address, path).0, 404, "{path}");
    }

    // What happens last is sealed before the process ends.
    folder.spool("more.csv", &report(310, 310));
    let (status, _) = node.stop();
    assert!(status.success());
    let (code, out, _) = sluis(&folder.data(), &["log", "fsck", "--json"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(shown(&folder)["waiting"], 0);
}
