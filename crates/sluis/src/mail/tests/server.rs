//! A name server of the test's own, on a port of its own: it answers what it was told, fails, or stays silent.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

const A: u16 = 1;
const TXT: u16 = 16;

/// Starts a server with these records, by name: texts, and addresses (`=192.0.2.1`). Names under `broken.example` fail,
/// those under `silent.example` are never answered, and all others do not exist.
pub(super) fn start(records: &[(&str, &str)]) -> SocketAddr {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in records {
        known.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut packet = [0; 1500];
        while let Ok((length, peer)) = socket.recv_from(&mut packet) {
            if let Some(answer) = answer(&packet[..length], &known) {
                let _ = socket.send_to(&answer, peer);
            }
        }
    });
    address
}

fn answer(question: &[u8], known: &HashMap<String, Vec<String>>) -> Option<Vec<u8>> {
    let mut name = String::new();
    let mut at = 12;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*question.get(at)?, *question.get(at + 1)?]);
    let asked = question.get(12..at + 4)?;
    if name.ends_with("silent.example") {
        return None;
    }
    let values = known.get(&name);
    let code: u8 = match values {
        _ if name.ends_with("broken.example") => 2,
        Some(_) => 0,
        None if known.keys().any(|one| one.ends_with(&format!(".{name}"))) => 0,
        None => 3,
    };
    let data: Vec<Vec<u8>> = values.into_iter().flatten().filter_map(|value| data(kind, value)).collect();
    let mut out = question.get(..2)?.to_vec();
    out.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(data.len()).ok()?, 0, 0, 0, 0]);
    out.extend(asked);
    for one in data {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(one.len()).ok()?.to_be_bytes());
        out.extend(one);
    }
    Some(out)
}

fn data(kind: u16, value: &str) -> Option<Vec<u8>> {
    match (kind, value.strip_prefix('=')) {
        (A, Some(address)) => Some(address.parse::<Ipv4Addr>().ok()?.octets().to_vec()),
        (TXT, None) => {
            let part = |part: &[u8]| [&[u8::try_from(part.len()).unwrap_or(255)], part].concat();
            Some(value.as_bytes().chunks(255).flat_map(part).collect())
        }
        _ => None,
    }
}
