//! A name server of the test, and what lists that are gone, refuse or lose questions make of a look.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

/// A name server that gives a name these addresses; `None` is no answer at all, and one without any says that there is no such name.
pub(in crate::doors::fetch) fn server(
    says: impl Fn(&str) -> Option<Vec<Ipv4Addr>> + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut bytes) {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut answer = bytes[..count].to_vec();
            let (mut at, mut labels) = (12, Vec::new());
            while answer[at] != 0 {
                let length = usize::from(answer[at]);
                labels.push(String::from_utf8(answer[at + 1..=at + length].to_vec()).unwrap());
                at += length + 1;
            }
            let Some(addresses) = says(&labels.join(".")) else { continue };
            answer[2] = 0x81;
            answer[3] = if addresses.is_empty() { 0x83 } else { 0x80 };
            answer[7] = addresses.len() as u8;
            for address in addresses {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address.octets());
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    (address, asked)
}

fn list(server: SocketAddr) -> Dnsbl {
    Dnsbl {
        zone: "k3y.bl.lists.example".to_owned(),
        name: "bl.lists.example".to_owned(),
        server,
        ranges: vec![Range::parse("192.0.2.0/24").unwrap(), Range::parse("2001:db8::/124").unwrap()],
        gap: Duration::from_micros(100),
    }
}

fn all(list: &Dnsbl) -> Vec<IpAddr> {
    list.ranges.iter().flat_map(|range| (range.first.0..=range.last.0).map(|number| Address(number).ip())).collect()
}

fn listing(last: u8) -> Vec<Ipv4Addr> {
    vec![Ipv4Addr::new(127, 0, 0, last)]
}

#[test]
fn what_is_listed_is_found_in_order_though_questions_are_lost() {
    let lost = AtomicBool::new(false);
    let (address, asked) = server(move |name| match name {
        "7.2.0.192.k3y.bl.lists.example" if !lost.swap(true, Ordering::SeqCst) => None,
        "7.2.0.192.k3y.bl.lists.example" => Some(listing(4)),
        "200.2.0.192.k3y.bl.lists.example" => Some([listing(2), listing(9)].concat()),
        name if name.starts_with("3.0.0.0.") && name.ends_with(".8.b.d.0.1.0.0.2.k3y.bl.lists.example") => Some(listing(2)),
        _ => Some(Vec::new()),
    });
    let list = list(address);
    let found = list.ask(&mut all(&list).into_iter(), &|| false).unwrap();
    assert_eq!(
        list.text(&found, "2026-06-01T06:00:00Z"),
        "# address list answer when\n\
         192.0.2.7 bl.lists.example 127.0.0.4 2026-06-01T06:00:00Z\n\
         192.0.2.200 bl.lists.example 127.0.0.2 2026-06-01T06:00:00Z\n\
         192.0.2.200 bl.lists.example 127.0.0.9 2026-06-01T06:00:00Z\n\
         2001:db8::3 bl.lists.example 127.0.0.2 2026-06-01T06:00:00Z\n"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 256 + 16 + 1);
}

#[test]
fn nothing_is_concluded_from_a_list_that_does_not_work() {
    type Says = fn(&str) -> Option<Vec<Ipv4Addr>>;
    let stories: [(&str, Says, &str); 4] = [
        ("somebody sells its name now", |_| Some(vec![Ipv4Addr::new(203, 0, 113, 9)]), "no list any more"),
        ("it wants a key", |_| Some(vec![Ipv4Addr::new(127, 255, 255, 254)]), "refuses to be asked (127.255.255.254)"),
        ("nobody answers", |_| None, "were not answered"),
        ("one in ten is lost", |name| if name.as_bytes()[1] == b'7' { None } else { Some(Vec::new()) }, "were not answered"),
    ];
    for (name, says, expected) in stories {
        let (address, _) = server(says);
        let list = list(address);
        let why = list.ask(&mut all(&list).into_iter(), &|| false).unwrap_err();
        assert!(why.contains(expected), "{name}: {why}");
    }
    let (address, _) = server(|_| None);
    assert!(list(address).ask(&mut [IpAddr::V4(Ipv4Addr::LOCALHOST)].into_iter(), &|| true).is_err(), "it is being stopped");
}

#[test]
fn the_name_server_of_this_machine_is_in_its_settings() {
    for (text, expected) in [
        ("# x\nsearch a.example\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n", Some("192.0.2.53:53")),
        ("nameserver 2001:db8::53", Some("[2001:db8::53]:53")),
        ("nameserver nobody\n", None),
        ("", None),
    ] {
        assert_eq!(of_system(text), expected.map(|text| text.parse().unwrap()), "{text}");
    }
}
