//! The index of who held what, against a search through everything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::address::{Address, Range};
use model::assignment::{Level, Period};
use model::category::Kind;
use model::chain::{Builder, Chains, Held, Source};
use model::report::{Batch, Core};
use model::resource::Resource;
use model::time::Time;

/// Six corners of the address space, its two ends among them, where small numbers are laid out.
fn corner(which: u8, offset: u8) -> Address {
    let offset = u128::from(offset);
    match which % 6 {
        0 => Address::from_v4(offset as u32),
        1 => Address::from_v4(u32::MAX - 255 + offset as u32),
        2 => Address::from_v4(0xc000_0200 + offset as u32),
        3 => Address((0x2001_0db8_u128 << 96) + offset),
        4 => Address(u128::MAX - 255 + offset),
        _ => Address(offset),
    }
}

/// Eight bytes are an assignment: where, first, last, from, to, level, recorded, party.
fn assignment(row: &[u8; 8]) -> (Range, Period, Level, Time) {
    let [which, a, b, from, to, level, recorded, _] = *row;
    let range = Range { first: corner(which, a.min(b)), last: corner(which, a.max(b)) };
    let time = |byte: u8| (byte != 255).then(|| Time(i64::from(byte)));
    let period = Period { from: time(from), to: time(to) };
    (range, period, Level::ALL[usize::from(level) % Level::ALL.len()], Time(i64::from(recorded) * 1000))
}

fuzz_target!(|bytes: &[u8]| {
    // The last third are questions.
    let (rows, questions) = bytes.split_at(bytes.len() / 3 * 2);
    let rows: Vec<_> = rows.as_chunks::<8>().0.iter().take(200).map(assignment).collect();
    let mut builder = Builder::new();
    builder.source(Source { name: "fuzz".into(), checked: Time(0) });
    for (at, (range, period, level, recorded)) in rows.iter().enumerate() {
        let number = at as i64 + 1;
        let held = Held { assignment: number, party: number, period: *period, level: *level, source: 0, recorded: *recorded };
        if let Err(error) = builder.assignment(&Resource::Addresses(*range), held) {
            panic!("{error}");
        }
    }
    let Ok(index) = builder.build() else { return };
    let mut batch = Batch::new();
    let mut all = Vec::new();
    for (ordinal, [which, offset, at]) in questions.as_chunks::<3>().0.iter().enumerate() {
        let (address, at) = (corner(*which, *offset), Time(i64::from(*at)));
        let mut expected: Vec<i64> = (1..)
            .zip(&rows)
            .filter(|(_, (range, period, ..))| range.contains(address) && period.contains(at))
            .filter(|(_, (range, ..))| range.first.v4().is_some() == address.v4().is_some())
            .map(|(number, _)| number)
            .collect();
        let chain = index.trace_address(address, at);
        let mut found: Vec<i64> = chain.links.iter().filter_map(|link| link.assignment).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{address} at {at:?}");
        let mut core = Core::new(Kind::PortScan, ordinal as u32);
        core.address = address;
        core.set_observed(Some(at));
        batch.finish(core);
        all.push((chain, address, at));
    }
    let mut chains = Chains::default();
    index.trace_batch(&batch, &mut chains);
    for (report, (chain, address, at)) in all.iter().enumerate() {
        // A report without an address is traced by its other resources, and has none here.
        if *address != Address::NONE {
            assert_eq!(&chains.chain(report, *at, &index), chain, "{address} at {at:?} in a batch");
        }
    }
});
