//! The index of chains against a search through everything, and the chains people expect.

#![allow(clippy::unwrap_used)]

use model::address::{Address, Range};
use model::assignment::{Level, Period};
use model::category::Kind;
use model::chain::{Builder, Chain, Chains, Held, Index, Source};
use model::report::{Batch, Core, Word};
use model::resource::Resource;
use model::time::Time;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Row {
    range: Range,
    period: Period,
    party: i64,
    level: Level,
    recorded: Time,
}

fn index(rows: &[Row]) -> Index {
    let mut builder = Builder::new();
    builder.source(Source { name: "test".into(), checked: Time(0) });
    for (at, row) in rows.iter().enumerate() {
        let held = Held {
            assignment: at as i64 + 1,
            party: row.party,
            period: row.period,
            level: row.level,
            source: 0,
            recorded: row.recorded,
        };
        builder.assignment(&Resource::Addresses(row.range), held).unwrap();
    }
    builder.build().unwrap()
}

/// Numbers of the assignments that hold `address` at `at`, outermost first, by looking at every one.
fn searched(rows: &[Row], address: Address, at: Time) -> Vec<i64> {
    let mut found: Vec<(u128, _, i64)> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.range.contains(address) && row.period.contains(at))
        .filter(|(_, row)| row.range.first.v4().is_some() == address.v4().is_some())
        .map(|(at, row)| {
            let number = at as i64 + 1;
            (row.range.span(), std::cmp::Reverse((row.level, row.recorded.0 / 1000, number)), number)
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, _, number)| number).collect()
}

fn assignments(chain: &Chain) -> Vec<i64> {
    chain.links.iter().filter_map(|link| link.assignment).collect()
}

/// The corners of the address space at which small numbers are laid out.
fn corner(which: u8, offset: u128) -> Address {
    match which {
        0 => Address::from_v4(offset as u32),
        1 => Address::from_v4(u32::MAX - 47 + offset as u32),
        2 => Address::from_v4(0xc000_0200 + offset as u32),
        3 => Address((0x2001_0db8_u128 << 96) + offset),
        4 => Address(u128::MAX - 47 + offset),
        _ => Address(offset),
    }
}

fn time() -> impl Strategy<Value = Option<Time>> {
    prop_oneof![1 => Just(None), 4 => (0i64..20).prop_map(|time| Some(Time(time)))]
}

fn row() -> impl Strategy<Value = Row> {
    (0u8..6, 0u128..48, 0u128..48, time(), time(), 1i64..1000, 0usize..3, 0i64..5).prop_map(
        |(which, a, b, from, to, party, level, recorded)| Row {
            range: Range { first: corner(which, a.min(b)), last: corner(which, a.max(b)) },
            period: Period { from, to },
            party,
            level: Level::ALL[level],
            recorded: Time(recorded * 1000),
        },
    )
}

/// Rows whose ranges nest or are apart, as an administration without mistakes has them: aligned blocks.
fn nested_row() -> impl Strategy<Value = Row> {
    (row(), 0u32..6, 0u128..48).prop_map(|(row, bits, offset)| {
        let which = (row.party % 6) as u8;
        let first = offset >> bits << bits;
        let last = (first + (1 << bits) - 1).min(47);
        Row { range: Range { first: corner(which, first), last: corner(which, last) }, ..row }
    })
}

fn every_question(rows: &[Row], mut ask: impl FnMut(Address, Time)) {
    for which in 0..6 {
        for offset in 0..48 {
            for time in [-1, 0, 1, 7, 19, 20] {
                ask(corner(which, offset), Time(time));
            }
        }
    }
    for row in rows {
        for address in [row.range.first, row.range.last] {
            for time in [row.period.start(), row.period.end(), Time(row.period.end().0 - 1)] {
                ask(address, time);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nested_chains_equal_a_search_through_everything(rows in proptest::collection::vec(nested_row(), 0..40)) {
        // Parties are told apart, so no two links become one.
        let rows: Vec<Row> = rows.into_iter().enumerate().map(|(at, row)| Row { party: at as i64 + 1, ..row }).collect();
        let index = index(&rows);
        let mut wrong = None;
        every_question(&rows, |address, at| {
            let (found, expected) = (assignments(&index.trace_address(address, at)), searched(&rows, address, at));
            if found != expected && wrong.is_none() {
                wrong = Some((address, at, found, expected));
            }
        });
        prop_assert_eq!(wrong, None);
    }

    #[test]
    fn crossing_ranges_lose_and_invent_nothing(rows in proptest::collection::vec(row(), 0..40)) {
        let rows: Vec<Row> = rows.into_iter().enumerate().map(|(at, row)| Row { party: at as i64 + 1, ..row }).collect();
        let index = index(&rows);
        let mut wrong = None;
        every_question(&rows, |address, at| {
            let (mut found, mut expected) = (assignments(&index.trace_address(address, at)), searched(&rows, address, at));
            found.sort_unstable();
            expected.sort_unstable();
            if found != expected && wrong.is_none() {
                wrong = Some((address, at, found, expected));
            }
        });
        prop_assert_eq!(wrong, None);
    }

    #[test]
    fn a_batch_is_traced_like_its_reports(
        rows in proptest::collection::vec(nested_row(), 0..40),
        asked in proptest::collection::vec((0u8..6, 0u128..48, time()), 0..100),
    ) {
        let index = index(&rows);
        let mut batch = Batch::new();
        for (ordinal, (which, offset, at)) in asked.iter().enumerate() {
            let mut core = Core::new(Kind::PortScan, ordinal as u32);
            core.address = corner(*which, *offset);
            core.set_observed(*at);
            batch.finish(core);
        }
        let mut chains = Chains::default();
        index.trace_batch(&batch, &mut chains);
        prop_assert_eq!(chains.len(), asked.len());
        for (report, (which, offset, at)) in asked.iter().enumerate() {
            let expected = match at {
                Some(at) if corner(*which, *offset) != Address::NONE => index.trace_address(corner(*which, *offset), *at),
                _ => Chain::default(),
            };
            prop_assert_eq!(chains.holder(report), expected.holder().map(|link| link.party));
            prop_assert_eq!(chains.chain(report, at.unwrap_or(Time(0)), &index), expected);
        }
    }

    #[test]
    fn a_range_is_held_by_what_holds_all_of_it(rows in proptest::collection::vec(nested_row(), 0..40), a in 0u128..48, b in 0u128..48) {
        let index = index(&rows);
        let range = Range { first: corner(2, a.min(b)), last: corner(2, a.max(b)) };
        let found = index.trace(&Resource::Addresses(range), Time(5));
        for link in &found.links {
            let row = &rows[link.assignment.unwrap() as usize - 1];
            prop_assert!(row.range.encloses(&range) && row.period.contains(Time(5)));
        }
    }
}

fn held(assignment: i64, party: i64, level: Level) -> Held {
    Held { assignment, party, period: Period::ALWAYS, level, source: 0, recorded: Time(0) }
}

fn parties(chain: &Chain) -> Vec<i64> {
    chain.links.iter().map(|link| link.party).collect()
}

const PROVIDER: i64 = 1;
const RESELLER: i64 = 2;
const SUB_RESELLER: i64 = 3;
const CUSTOMER: i64 = 4;

#[test]
fn those_one_rents_from_are_filled_in() {
    let mut builder = Builder::new();
    let resource = |text| Resource::parse(text).unwrap();
    builder.assignment(&resource("192.0.2.0/24"), held(1, PROVIDER, Level::Allocated)).unwrap();
    builder.assignment(&resource("192.0.2.7"), held(2, CUSTOMER, Level::Assigned)).unwrap();
    builder.assignment(&resource("shop.example"), held(3, CUSTOMER, Level::Assigned)).unwrap();
    builder.assignment(&resource("AS64496"), held(4, PROVIDER, Level::Allocated)).unwrap();
    builder.membership(CUSTOMER, SUB_RESELLER, Period::ALWAYS).unwrap();
    builder.membership(SUB_RESELLER, RESELLER, Period { from: None, to: Some(Time(100)) }).unwrap();
    builder.membership(SUB_RESELLER, PROVIDER, Period { from: Some(Time(100)), to: None }).unwrap();
    builder.membership(RESELLER, PROVIDER, Period::ALWAYS).unwrap();
    let index = builder.build().unwrap();
    let trace = |text, at| parties(&index.trace(&resource(text), Time(at)));
    assert_eq!(trace("192.0.2.7", 50), [PROVIDER, RESELLER, SUB_RESELLER, CUSTOMER]);
    assert_eq!(trace("192.0.2.7", 100), [PROVIDER, SUB_RESELLER, CUSTOMER]);
    assert_eq!(trace("192.0.2.8", 50), [PROVIDER]);
    assert_eq!(trace("192.0.2.0/25", 50), [PROVIDER]);
    assert_eq!(trace("www.shop.example", 50), [PROVIDER, RESELLER, SUB_RESELLER, CUSTOMER]);
    assert_eq!(trace("https://www.shop.example/login", 50), [PROVIDER, RESELLER, SUB_RESELLER, CUSTOMER]);
    assert_eq!(trace("http://192.0.2.8/", 50), [PROVIDER]);
    assert_eq!(trace("as64496", 50), [PROVIDER]);
    assert_eq!(trace("example.net", 50), []);
}

#[test]
fn parties_that_rent_from_each_other_end_the_chain() {
    let mut builder = Builder::new();
    builder.assignment(&Resource::parse("192.0.2.7").unwrap(), held(1, 5, Level::Assigned)).unwrap();
    builder.membership(5, 6, Period::ALWAYS).unwrap();
    builder.membership(6, 7, Period::ALWAYS).unwrap();
    builder.membership(7, 5, Period::ALWAYS).unwrap();
    let index = builder.build().unwrap();
    assert_eq!(parties(&index.trace_address(Address::parse(b"192.0.2.7").unwrap(), Time(0))), [7, 6, 5]);
}

#[test]
fn a_report_without_an_address_is_traced_by_what_it_names() {
    let mut builder = Builder::new();
    builder.assignment(&Resource::parse("192.0.2.0/24").unwrap(), held(1, PROVIDER, Level::Allocated)).unwrap();
    builder.assignment(&Resource::parse("192.0.2.0/30").unwrap(), held(2, CUSTOMER, Level::Assigned)).unwrap();
    builder.assignment(&Resource::parse("AS64496").unwrap(), held(3, RESELLER, Level::Allocated)).unwrap();
    let index = builder.build().unwrap();
    let mut batch = Batch::new();
    for named in ["192.0.2.0/31", "192.0.2.0/29", "AS64496", "nothing we know"] {
        batch.text(Word::SOURCE_IDENTIFIER, named);
        let mut core = Core::new(Kind::Blocklist, 0);
        core.set_observed(Some(Time(0)));
        batch.finish(core);
    }
    let mut chains = Chains::default();
    index.trace_batch(&batch, &mut chains);
    let holders: Vec<_> = (0..chains.len()).map(|report| chains.holder(report)).collect();
    assert_eq!(holders, [Some(CUSTOMER), Some(PROVIDER), Some(RESELLER), None]);
}

#[test]
fn content_stands_in_the_network_of_its_address() {
    let mut builder = Builder::new();
    let resource = |text| Resource::parse(text).unwrap();
    builder.assignment(&resource("192.0.2.0/24"), held(1, PROVIDER, Level::Allocated)).unwrap();
    builder.assignment(&resource("192.0.2.7"), held(2, SUB_RESELLER, Level::Assigned)).unwrap();
    builder.assignment(&resource("shop.example"), held(3, CUSTOMER, Level::Assigned)).unwrap();
    builder.membership(CUSTOMER, RESELLER, Period::ALWAYS).unwrap();
    let index = builder.build().unwrap();
    let mut batch = Batch::new();
    for address in ["192.0.2.7", "198.51.100.7", "nowhere"] {
        batch.text(Word::URL, "http://www.shop.example/x");
        let mut core = Core::new(Kind::Phishing, 0);
        core.address = Address::parse(address.as_bytes()).unwrap_or(Address::NONE);
        core.set_observed(Some(Time(0)));
        batch.finish(core);
    }
    let mut chains = Chains::default();
    index.trace_batch(&batch, &mut chains);
    let found: Vec<Vec<i64>> = (0..3).map(|report| parties(&chains.chain(report, Time(0), &index))).collect();
    // Whoever else has the shared address is not in it.
    assert_eq!(found, [vec![PROVIDER, RESELLER, CUSTOMER], vec![RESELLER, CUSTOMER], vec![RESELLER, CUSTOMER]]);
}

#[test]
fn content_is_traced_by_its_site_and_machines_by_their_address() {
    let mut builder = Builder::new();
    let resource = |text| Resource::parse(text).unwrap();
    builder.assignment(&resource("192.0.2.7"), held(1, PROVIDER, Level::Assigned)).unwrap();
    builder.assignment(&resource("shop.example"), held(2, CUSTOMER, Level::Assigned)).unwrap();
    builder.assignment(&resource("account:da01.example/c1042"), held(3, RESELLER, Level::Assigned)).unwrap();
    let index = builder.build().unwrap();
    let mut batch = Batch::new();
    for (ordinal, kind) in [Kind::Phishing, Kind::LoginAttack, Kind::Phishing, Kind::Phishing].into_iter().enumerate() {
        match ordinal {
            2 => batch.text(Word::ACCOUNT, "DA01.example/c1042"),
            3 => batch.text(Word::DOMAIN, "elsewhere.example"),
            _ => batch.text(Word::URL, "http://www.shop.example/x"),
        }
        let mut core = Core::new(kind, ordinal as u32);
        core.address = Address::parse(b"192.0.2.7").unwrap();
        core.set_observed(Some(Time(0)));
        batch.finish(core);
    }
    let mut chains = Chains::default();
    index.trace_batch(&batch, &mut chains);
    let holders: Vec<_> = (0..chains.len()).map(|report| chains.holder(report)).collect();
    assert_eq!(holders, [Some(CUSTOMER), Some(PROVIDER), Some(RESELLER), Some(PROVIDER)]);
}
