//! How fast reports are read: rows of a common Shadowserver report, on one core, reading alone.

#![allow(clippy::unwrap_used)]
//!
//! `cargo bench -p parsers --bench read`; the figure is rows per second.

use std::io::Write;
use std::ops::ControlFlow;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use model::report::Batch;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::{Hint, Limits};

fn main() {
    divan::main();
}

const ROWS: usize = 200_000;

/// Counts, and throws away.
#[derive(Default)]
struct Counting {
    reports: usize,
    rejects: usize,
}

impl Sink for Counting {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.reports += batch.len();
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Reject) {
        self.rejects += 1;
    }

    fn note(&mut self, _: Note) {}
}

/// The 36 columns of `event4_sinkhole_http`, 100,000 addresses of which few have most rows, values as they occur.
fn sinkhole() -> Vec<u8> {
    let mut out = Vec::new();
    let columns = "timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_region,src_city,src_hostname,src_naics,src_sector,\
        device_vendor,device_type,device_model,dst_ip,dst_port,dst_asn,dst_geo,dst_region,dst_city,dst_hostname,dst_naics,\
        dst_sector,public_source,infection,family,tag,application,version,event_id,http_url,http_host,http_agent,\
        forwarded_by,ssl_cipher,http_referer";
    let quoted: Vec<String> = columns.split(',').map(|column| format!("\"{column}\"")).collect();
    assert_eq!(quoted.len(), 36);
    writeln!(out, "{}", quoted.join(",")).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % below
    };
    let families = [("avalanche-andromeda", "andromeda"), ("ranbyus", "ranbyus"), ("mozi", "mozi"), ("necurs", "necurs")];
    for row in 0..ROWS {
        // The square of a uniform number: a few addresses have most rows.
        let skewed = random(316) * random(316);
        let (b, c, d) = (skewed >> 16 & 3, skewed >> 8 & 255, skewed & 255);
        let (infection, family) = families[random(4) as usize];
        let second = row / 3;
        let named = random(3) != 0;
        let host = if named { format!("host-{c}-{d}.customer.example") } else { String::new() };
        writeln!(
            out,
            "\"2026-03-04 {:02}:{:02}:{:02}\",\"tcp\",\"198.{}.{c}.{d}\",{},{},\"NL\",\"NOORD-HOLLAND\",\"AMSTERDAM\",\"{host}\",518210,\
             \"Communications, Service Provider, and Hosting Service\",,,,\"203.0.113.{}\",80,64511,\"DE\",\"HESSEN\",\
             \"FRANKFURT AM MAIN\",,518210,\"Communications, Service Provider, and Hosting Service\",,\"{infection}\",\"{family}\",\
             \"{infection}\",\"http\",,,\"GET /search?q={} HTTP/1.1\",\"c2-{}.bad.example\",\
             \"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko\",,,",
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
            18 + b,
            1024 + random(60_000),
            64496 + random(15),
            random(250),
            random(1_000),
            random(50),
        )
        .unwrap();
    }
    out
}

fn hint(name: &str) -> Hint<'_> {
    Hint {
        name,
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(0),
        maps: Maps::builtin(),
        declared: None,
        limits: Limits::default(),
    }
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn event4_sinkhole_http(bencher: Bencher) {
    let bytes = sinkhole();
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes.len())).bench_local(|| {
        let mut sink = Counting::default();
        parsers::read::read(&mut &bytes[..], &hint("2026-03-04-event4_sinkhole_http-netherlands-asn.csv"), &mut sink).unwrap();
        assert_eq!((sink.reports, sink.rejects), (ROWS, 0));
    });
}

/// Cutting into records alone.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn records(bencher: Bencher) {
    let bytes = sinkhole();
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes.len())).bench_local(|| {
        let mut reader = &bytes[..];
        let mut records = parsers::kinds::csv::Records::new(&mut reader, b',', 1 << 20);
        let mut fields = 0;
        while let Some(parsers::kinds::csv::Item::Record(record)) = records.next_item().unwrap() {
            fields += record.len();
        }
        assert_eq!(fields, (ROWS + 1) * 36);
    });
}
