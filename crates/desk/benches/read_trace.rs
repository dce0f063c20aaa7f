//! Read and trace: Shadowserver rows of 36 columns, each traced through 1,000,000 assignments, on one core, in flat memory.
//!
//! `cargo bench -p desk --bench read_trace [-- ROWS]`
//!
//! The rows are made while they are read, so that memory shows what reading needs and not what the file is.

use std::io::Read;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use model::address::{Address, Range};
use model::assignment::{Level, Period};
use model::chain::{Builder, Chains, Held, Index};
use model::report::Batch;
use model::resource::Resource;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::{Hint, Limits};

const HEADER: &str = "\"timestamp\",\"protocol\",\"src_ip\",\"src_port\",\"src_asn\",\"src_geo\",\"src_region\",\"src_city\",\"src_hostname\",\"src_naics\",\"src_sector\",\"device_vendor\",\"device_type\",\"device_model\",\"dst_ip\",\"dst_port\",\"dst_asn\",\"dst_geo\",\"dst_region\",\"dst_city\",\"dst_hostname\",\"dst_naics\",\"dst_sector\",\"public_source\",\"infection\",\"family\",\"tag\",\"application\",\"version\",\"event_id\",\"http_url\",\"http_host\",\"http_agent\",\"forwarded_by\",\"ssl_cipher\",\"http_referer\"\n";
const ADDRESSES: u64 = 100_000;
/// Distinct rows that are repeated: making text costs more than reading it.
const MADE: u64 = 100_000;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % bound
    }
}

/// A header, then the same rows over and over.
struct Feed {
    header: usize,
    rows: Vec<u8>,
    at: usize,
    rounds: u64,
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.header < HEADER.len() {
            let count = into.len().min(HEADER.len() - self.header);
            into[..count].copy_from_slice(&HEADER.as_bytes()[self.header..self.header + count]);
            self.header += count;
            return Ok(count);
        }
        if self.at == self.rows.len() {
            self.at = 0;
            self.rounds = self.rounds.saturating_sub(1);
        }
        if self.rounds == 0 {
            return Ok(0);
        }
        let count = into.len().min(self.rows.len() - self.at);
        into[..count].copy_from_slice(&self.rows[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn address(number: u64) -> Address {
    // Spread over 64 blocks of /16, as a provider's customers are.
    Address::from_v4(0x0a00_0000 + ((number * 41) % (64 << 16)) as u32)
}

fn rows() -> Vec<u8> {
    let mut random = Random(3);
    let mut out = String::new();
    for row in 0..MADE {
        let number = random.below(ADDRESSES) * random.below(ADDRESSES) / ADDRESSES;
        let (ip, port) = (address(number), 1_024 + random.below(60_000));
        let (hour, minute, second) = (row / 3_600 % 24, row / 60 % 60, row % 60);
        let families = ["andromeda", "mozi", "necurs", "qakbot"];
        let family = families[random.below(4) as usize];
        out.push_str(&format!(
            "\"2026-03-04 {hour:02}:{minute:02}:{second:02}\",\"tcp\",\"{ip}\",{port},64496,\"NL\",\"NOORD-HOLLAND\",\"AMSTERDAM\",\"host-{number}.customer.example\",518210,\"Communications, Service Provider, and Hosting Service\",,,,\"203.0.113.{}\",80,64511,\"DE\",\"HESSEN\",\"FRANKFURT AM MAIN\",,518210,\"Communications, Service Provider, and Hosting Service\",,\"{family}\",\"{family}\",\"{family}\",\"http\",,,\"GET /search?q={} HTTP/1.1\",\"c2-{}.bad.example\",\"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko\",,,\n",
            random.below(250),
            random.below(1_000),
            random.below(50),
        ));
    }
    out.into_bytes()
}

/// A provider, 64 resellers, 1,024 sub-resellers, and customers who hold the rest of a million assignments.
fn index() -> Index {
    let mut builder = Builder::new();
    let mut number = 0;
    let mut add = |first: u32, size: u32, party: i64, level: Level| {
        number += 1;
        let range = Range { first: Address::from_v4(first), last: Address::from_v4(first + size - 1) };
        let held = Held { assignment: number, party, period: Period::ALWAYS, level, source: 0, recorded: Time(0) };
        if let Err(error) = builder.assignment(&Resource::Addresses(range), held) {
            panic!("{error}");
        }
        number < 1_000_000
    };
    for block in 0..64u32 {
        let first = 0x0a00_0000 + (block << 16);
        add(first, 1 << 16, 1, Level::Allocated);
        for part in 0..16 {
            add(first + (part << 12), 1 << 12, 2 + i64::from(block), Level::SubAllocated);
        }
    }
    let mut at = 0u32;
    while add(0x0a00_0000 + at, 4, 1_000 + i64::from(at), Level::Assigned) {
        at += 4;
        if at >= 64 << 16 {
            break;
        }
    }
    match builder.build() {
        Ok(index) => index,
        Err(error) => panic!("{error}"),
    }
}

/// Traces what is read, and throws it away.
struct Tracing<'a> {
    index: &'a Index,
    chains: Chains,
    reports: u64,
    held: u64,
    rejects: u64,
    tracing: Duration,
}

impl Sink for Tracing<'_> {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let start = Instant::now();
        self.index.trace_batch(batch, &mut self.chains);
        self.reports += batch.len() as u64;
        self.held += (0..self.chains.len()).filter(|report| self.chains.holder(*report).is_some()).count() as u64;
        self.tracing += start.elapsed();
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Reject) {
        self.rejects += 1;
    }

    fn note(&mut self, _: Note) {}
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

#[allow(clippy::print_stdout)]
fn main() {
    let wanted: u64 = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(2_000_000);
    let rounds = wanted.div_ceil(MADE);
    let index = index();
    let rows = rows();
    let row_bytes = rows.len() as f64 / MADE as f64;
    println!(
        "36 columns, {row_bytes:.0} bytes a row; before reading {:.0} MiB (index {:.0} MiB)",
        resident(),
        index.heap() as f64 / 1048576.0
    );
    let mut rates = Vec::new();
    for _ in 0..5 {
        let mut feed = Feed { header: 0, rows: rows.clone(), at: 0, rounds };
        let mut sink =
            Tracing { index: &index, chains: Chains::default(), reports: 0, held: 0, rejects: 0, tracing: Duration::ZERO };
        let hint = Hint {
            name: "2026-03-04-event4_sinkhole_http-netherlands-asn.csv",
            content_type: "",
            location: "",
            kind: None,
            format: None,
            received: Time(0),
            maps: Maps::builtin(),
            declared: None,
            limits: Limits::default(),
        };
        let start = Instant::now();
        if let Err(error) = parsers::read::read(&mut feed, &hint, &mut sink) {
            panic!("{error:?}");
        }
        let seconds = start.elapsed().as_secs_f64();
        rates.push(sink.reports as f64 / seconds);
        println!(
            "{:.0} rows/s; {} reports, {} held, {} rejects; tracing took {:.1}%; most memory so far {:.0} MiB",
            sink.reports as f64 / seconds,
            sink.reports,
            sink.held,
            sink.rejects,
            sink.tracing.as_secs_f64() / seconds * 100.0,
            resident()
        );
    }
    rates.sort_by(f64::total_cmp);
    println!("median {:.0} rows/s", rates[rates.len() / 2]);
}
