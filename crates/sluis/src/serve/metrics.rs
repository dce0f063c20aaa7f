//! Numbers for Prometheus: counts, sizes and times, and nothing that says whom they are about.
//!
//! They are gathered when they are asked for; `docs/manual/serve.md` tells what each one means.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use parsers::administration::systems;

use crate::serve::Node;

/// What the text is, in HTTP's words.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;

/// The numbers of a node, in OpenMetrics' text form.
pub(crate) fn text(node: &Node) -> String {
    let mut registry = Registry::with_prefix("sluis");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("build", "The program", Info::new(version));
    let mut gauge = |name: &str, help: &str, value: f64| registry.register(name, help, ConstGauge::new(value));
    gauge("start_time_seconds", "When the process began, in seconds since 1970", seconds(node.started.0));
    gauge("disk_free_bytes", "Bytes free on the disk of the data directory", node.free_bytes().unwrap_or(0) as f64);

    let intake = node.intake.state();
    let last_success = intake.last_success.map_or(0.0, |time| seconds(time.0));
    gauge(
        "intake_last_success_timestamp_seconds",
        "When every part of the intake last went well, in seconds since 1970",
        last_success,
    );
    gauge(
        "intake_silence_seconds",
        "Seconds since the intake last gave a sign of life",
        intake.last_sign.elapsed().as_secs_f64(),
    );
    gauge("intake_working", "1 while a pass of the intake is under way", f64::from(u8::from(node.intake.is_working())));

    let figures = node.figures();
    gauge("database_up", "1 when the database could be read just now", f64::from(u8::from(figures.is_ok())));
    let mut family = |name: &str, help: &str, rows: Vec<(Labels, f64)>| {
        let family = Family::<Labels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (labels, value) in rows {
            family.get_or_create(&labels).set(value);
        }
        registry.register(name, help, family);
    };
    let part = |part: &crate::serve::intake::Part| vec![("part", part.name.clone())];
    let failing = intake.parts.iter().map(|of| (part(of), f64::from(u8::from(of.trouble.is_some())))).collect();
    family("intake_failing", "1 while a part of the intake does not work", failing);
    if let Ok(figures) = &figures {
        let waiting = figures.waiting;
        let queues = [
            ("no-holder", waiting.no_holder),
            ("holder-changed", waiting.holder_changed),
            ("unreadable", waiting.unreadable),
            ("rejects", waiting.rejects),
            ("undated", waiting.undated),
            ("orders", waiting.orders),
            ("unread", waiting.unread),
            ("spool", figures.spool),
        ];
        let rows = queues.into_iter().map(|(queue, length)| (vec![("queue", queue.to_owned())], length as f64)).collect();
        family("queue_length", "What waits: for a person, or (unread, spool) for the intake", rows);
        let now = node.desk.now();
        let ages = figures.sources.iter().map(|source| {
            // The name of a source is its operator's; its number is nobody's.
            let known =
                |kind: &&str| ["csv", "rpsl", "map", "changes", "abuseio"].contains(kind) || systems::by_name(kind).is_some();
            let kind = Some(source.kind.as_str()).filter(known).unwrap_or("other");
            (vec![("source", source.id.to_string()), ("kind", kind.to_owned())], seconds(now.0.saturating_sub(source.checked.0)))
        });
        family("administration_age_seconds", "Seconds since a source of administration was last imported", ages.collect());
        let by_kind = |open: &store::alerts::Open| vec![("kind", open.kind.word().replace(' ', "-"))];
        let open = figures.alerts.iter().map(|open| (by_kind(open), open.open as f64));
        family("alerts_open", "Alerts that are not over", open.collect());
        let unacknowledged = figures.alerts.iter().map(|open| (by_kind(open), open.unacknowledged as f64));
        family("alerts_unacknowledged", "Those that nobody has acknowledged", unacknowledged.collect());
        let failing = figures.channels.iter().map(|channel| (receiver(channel), f64::from(u8::from(channel.failing > 0))));
        family("alert_failing", "1 while a receiver of alerts cannot be reached", failing.collect());
        let feed = |fetch: &store::fetches::Fetch| vec![("feed", fetch.feed.clone())];
        let failing = figures.fetches.iter().map(|fetch| (feed(fetch), fetch.failures as f64));
        family("feed_failures", "How often in succession a feed could not be downloaded, up to now", failing.collect());
        let checked = figures.fetches.iter().map(|fetch| (feed(fetch), fetch.checked.map_or(0.0, |time| seconds(time.0))));
        family(
            "feed_last_success_timestamp_seconds",
            "When a feed was last looked at without trouble, in seconds since 1970",
            checked.collect(),
        );
        let (sent, failed) = (Family::<Labels, Total<u64>>::default(), Family::<Labels, Total<u64>>::default());
        for channel in &figures.channels {
            sent.get_or_create(&receiver(channel)).inc_by(channel.messages.unsigned_abs());
            failed.get_or_create(&receiver(channel)).inc_by(channel.failures.unsigned_abs());
        }
        registry.register("alert_messages", "Messages about alerts that went out, since the node began", sent);
        registry.register("alert_failures", "Messages about alerts that did not go out, since the node began", failed);
    }

    let totals = node.desk.totals();
    let (worked, applied) = (totals.worked, totals.worked.applied);
    let counters = [
        ("submissions_received", "Submissions taken in since the process began, copies included", totals.received),
        ("submissions_copies", "Submissions that were copies of what was here already", totals.copies),
        ("received_bytes", "Bytes of submissions taken in", totals.bytes),
        ("submissions_worked", "Submissions worked off", worked.submissions),
        ("submissions_unreadable", "Submissions that nothing understood", worked.unreadable),
        ("reports", "Reports added", applied.reports),
        ("cases_opened", "Cases opened", applied.opened),
        ("cases_joined", "Times that reports joined a case which was open already", applied.joined),
        ("rejects", "Statements that could not be read", applied.rejects),
        ("set_aside", "Statements set aside for a person: rejects, and reports without a credible time", applied.set_aside),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
    let stages = [("receive", totals.receiving), ("read", totals.reading), ("trace", totals.tracing), ("apply", totals.applying)];
    let family = Family::<Labels, Total<f64>>::default();
    for (stage, time) in stages {
        family.get_or_create(&vec![("stage", stage.to_owned())]).inc_by(time.as_secs_f64());
    }
    registry.register("stage_seconds", "Seconds spent in each stage of the work", family);
    let family = Family::<Labels, Total<u64>>::default();
    for of in &intake.parts {
        family.get_or_create(&part(of)).inc_by(of.failures);
    }
    registry.register("intake_failures", "How often a part of the intake did not work", family);

    let mut text = String::new();
    // Writing into a string does not fail; and half a page would be seen to have no end.
    let _ = encode(&mut text, &registry);
    text
}

type Total<N> = prometheus_client::metrics::counter::Counter<N, std::sync::atomic::AtomicU64>;

fn receiver(channel: &store::alerts::Channel) -> Labels {
    vec![("receiver", channel.name.clone())]
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
