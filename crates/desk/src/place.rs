//! Placing: which reports of a batch belong to one case. Pure: the same batch gives the same groups.

use model::case::{CaseKey, Credibility};
use model::chain::Chains;
use model::report::{Batch, Report, Word};
use model::time::Time;
use store::apply::{Group, Placed};
use store::queues::{Queue, SetAside};

/// Sorts a traced batch by case. Reports whose time cannot be believed are in no group: they come back as statements
/// for a person to look at, and are kept all the same. Those older than `history_age` milliseconds are history: when they came, or
/// at `now`, when they are read. A submission that nobody could read for a year and that a newer version reads is of last year.
pub fn place(batch: Batch, chains: Chains, (received, now): (Time, Time), history_age: i64) -> (Placed, Vec<SetAside>) {
    let mut keys = Vec::with_capacity(batch.len() * 28);
    let mut placed: Vec<(u32, u32, u32)> = Vec::with_capacity(batch.len());
    let mut history = vec![false; batch.len()];
    let mut undated = Vec::new();
    let mut set_aside = Vec::new();
    for (at, report) in batch.reports().enumerate() {
        match Credibility::within(report.core.observed(), received, history_age) {
            Credibility::NotCredible => {
                undated.push(at as u32);
                set_aside.push(without_time(&report));
                continue;
            }
            Credibility::History => history[at] = true,
            Credibility::Current => history[at] = report.core.observed().is_some_and(|seen| seen < now.plus(-history_age)),
        }
        let start = keys.len() as u32;
        CaseKey::write(&report, chains.holder(at), &mut keys);
        placed.push((start, keys.len() as u32, at as u32));
    }
    let key = |(start, end, _): &(u32, u32, u32)| &keys[*start as usize..*end as usize];
    placed.sort_unstable_by(|a, b| key(a).cmp(key(b)).then(a.2.cmp(&b.2)));

    let reporter_is_shared = batch.shared().any(|(word, value)| is_reporter(word) && !value.bytes.is_empty());
    let mut order: Vec<u32> = Vec::with_capacity(batch.len());
    let mut groups: Vec<Group> = Vec::new();
    let mut last_key: &[u8] = &[];
    for entry in &placed {
        let at = entry.2 as usize;
        let report = batch.report(at);
        let seen = report.core.observed().unwrap_or(received);
        let names_reporter =
            reporter_is_shared || report.own_fields().any(|(word, value)| is_reporter(word) && !value.bytes.is_empty());
        let notice = names_reporter.then_some(received);
        order.push(entry.2);
        match groups.last_mut() {
            Some(group) if last_key == key(entry) => {
                group.reports.end = order.len();
                group.first_seen = group.first_seen.min(seen);
                group.last_seen = group.last_seen.max(seen);
                group.first_notice = group.first_notice.or(notice);
                group.history &= history[at];
            }
            _ => {
                last_key = key(entry);
                groups.push(Group {
                    key: entry.0 as usize..entry.1 as usize,
                    reports: order.len() - 1..order.len(),
                    first_seen: seen,
                    last_seen: seen,
                    first_notice: notice,
                    history: history[at],
                    opening: 0,
                    direct: 0,
                    other: None,
                    receipt: 0,
                });
            }
        }
    }
    order.extend(undated);
    (Placed::new(batch, chains, keys, order, groups), set_aside)
}

fn is_reporter(word: Word) -> bool {
    word == Word::REPORTER_CONTACT || word == Word::REPORTER_ORG
}

fn without_time(report: &Report<'_>) -> SetAside {
    let core = report.core;
    let reason = match core.observed() {
        None => "it gives no time that can be read, so nobody can say who held the resource then".to_owned(),
        Some(time) => format!("it gives the time {time}, which cannot be: before 1990 or later than it was received"),
    };
    let mut text = core.kind.to_string();
    if core.address != model::address::Address::NONE {
        text.push_str(&format!(" {}", core.address));
    }
    if !core.kind.is_child_abuse()
        && let Some(url) = report.text(Word::URL).or_else(|| report.text(Word::DOMAIN))
    {
        text.push_str(&format!(" {url}"));
    }
    SetAside { ordinal: core.ordinal, queue: Queue::Undated, place: String::new(), text, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::address::Address;
    use model::category::Kind;
    use model::chain::Index;
    use model::report::Core;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_report_is_placed_once(reports in proptest::collection::vec((0usize..4, 0u32..5, 0u16..3, -2i64..200), 0..60)) {
            let received = Time::parse(b"2026-06-01").unwrap();
            let mut batch = Batch::new();
            for (ordinal, (kind, address, port, days)) in reports.iter().enumerate() {
                let kinds = [Kind::LoginAttack, Kind::OpenService, Kind::Phishing, Kind::Spam];
                let mut core = Core::new(kinds[*kind], ordinal as u32);
                core.address = Address::from_v4(0xc000_0200 + address);
                core.port = *port;
                core.set_observed(Some(received.plus(-days * model::time::DAY)));
                batch.finish(core);
            }
            let mut chains = Chains::default();
            Index::default().trace_batch(&batch, &mut chains);
            let (placed, set_aside) = place(batch, chains, (received, received), model::case::HISTORY_AGE);
            let mut seen = placed.order.clone();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..reports.len() as u32).collect::<Vec<_>>());
            let grouped: usize = placed.groups.iter().map(|group| group.reports.len()).sum();
            prop_assert_eq!(grouped + set_aside.len(), reports.len());
            for pair in placed.groups.windows(2) {
                prop_assert!(placed.key(&pair[0]) < placed.key(&pair[1]));
            }
            for group in &placed.groups {
                for at in &placed.order[group.reports.clone()] {
                    let report = placed.batch.report(*at as usize);
                    prop_assert_eq!(CaseKey::of(&report, None), placed.key(group));
                    let time = report.core.observed().unwrap();
                    prop_assert!(group.first_seen <= time && time <= group.last_seen);
                    prop_assert!(!group.history || time < received.plus(-model::case::HISTORY_AGE));
                }
            }
        }
    }
}
