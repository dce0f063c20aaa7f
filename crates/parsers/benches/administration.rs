//! How fast administrations are read: bytes per second of CSV and of a registry's database.
#![allow(missing_docs)]

use std::fmt::Write;
use std::net::Ipv4Addr;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use parsers::administration::map::Mapping;
use parsers::administration::{Limits, csv, map, rpsl};

fn main() {
    divan::main();
}

const ROWS: u32 = 200_000;

fn table() -> String {
    let mut text = "resource;from;to;level;party;party_name;parent;service;product\n".to_owned();
    for at in 0..ROWS {
        let address = Ipv4Addr::from(0x0a00_0000 + at);
        let party = at % 5_000;
        let _ = writeln!(text, "{address};2025-03-01T12:00:00Z;;assigned;P{party};Party {party};R1;vps-{at};vps");
    }
    text
}

fn database() -> String {
    let mut text = String::new();
    for at in 0..ROWS {
        let first = 0x0a00_0000 + at * 16;
        let (first, last) = (Ipv4Addr::from(first), Ipv4Addr::from(first + 15));
        let customer = at % 5_000;
        let _ = write!(
            text,
            "inetnum:        {first} - {last}\nnetname:        CUST-{customer}\ndescr:          servers\ncountry:        NL\n\
             admin-c:        DUMY-RIPE\ntech-c:         DUMY-RIPE\norg:            ORG-C{customer}-TEST\nstatus:         ASSIGNED PA\n\
             mnt-by:         MNT-OAK\ncreated:        2020-01-01T00:00:00Z\nlast-modified:  2020-01-01T00:00:00Z\nsource:         TEST\n\n"
        );
    }
    text
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn csv_rows(bencher: Bencher) {
    let text = table();
    let counted = bencher.counter(BytesCount::new(text.len())).counter(ItemsCount::new(ROWS));
    counted.bench(|| csv::read(&mut text.as_bytes(), None, &Limits::default()));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn mapped_csv_rows(bencher: Bencher) {
    let text = table();
    let mapping = "format = \"csv\"\n[columns]\nresource = \"resource\"\nparty = \"party\"\nfrom = \"from\"\nproduct = \"{product}/{service}\"\n";
    let Ok(mapping) = Mapping::parse(mapping) else { return };
    let counted = bencher.counter(BytesCount::new(text.len())).counter(ItemsCount::new(ROWS));
    counted.bench(|| map::read(&mut text.as_bytes(), &mapping, &Limits::default()));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn rpsl_objects(bencher: Bencher) {
    let text = database();
    let counted = bencher.counter(BytesCount::new(text.len())).counter(ItemsCount::new(ROWS));
    counted.bench(|| rpsl::read(&mut text.as_bytes(), &rpsl::Options::default()));
}
