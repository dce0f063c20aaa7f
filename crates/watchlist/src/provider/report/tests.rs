//! The report says why, how sure and what differs, and nothing of others' text is more than text.

use super::*;
use crate::provider::hits::testing::hit;
use crate::provider::hits::{DAY, RECONSIDER};

fn list() -> List {
    List {
        name: "Proeflijst".into(),
        holder: "Politie (proef)".into(),
        epoch: 3,
        until: 1_790_000_000_000,
        delta: 2,
        delta_at: 1_780_000_000_000,
        log: "list.example/log".into(),
        log_size: 64,
        witnessed: false,
        contest: "https://desk.example/contest".into(),
    }
}

fn report(hits: &[Hit]) -> Report {
    let hits = Hits { version: 1, hits: hits.to_vec() };
    let customers =
        Customers { all: 2_000, tokens: 9_000, looked_up: 8_000, unanswered: 1_000, unlike: 3, ..Customers::default() };
    Report::new(list(), customers, &hits, Changes::default(), Vec::new(), 1_780_000_500_000)
}

#[test]
fn what_others_wrote_is_text_and_nothing_else() {
    let evil = "<script>alert(1)</script>\" onload='x' &amp; \u{202e}gnp.\u{1b}[31m";
    let mut one = hit("K-1", 1);
    one.customer.id = evil.into();
    one.customer.names = vec![evil.into()];
    one.entry.names = vec![evil.into()];
    one.facts[0].customer = evil.into();
    one.facts[0].what = evil.into();
    one.met[0].class = evil.into();
    if let Some(names) = &mut one.names {
        names.listed = evil.into();
        names.common = vec![evil.into()];
    }
    if let Some(reason) = &mut one.entry.reason {
        for text in
            [&mut reason.nl, &mut reason.en, &mut reason.source, &mut reason.contest_url, &mut reason.not_to_be_confused_with]
        {
            *text = evil.into();
        }
        reason.tlp = evil.into();
    }
    let mut report = report(&[one.clone()]);
    report.list.name = evil.into();
    report.next.push(Next::Send { file: evil.into(), to: evil.into() });
    report.customers.without_tokens_first = vec![evil.into()];
    report.problems = vec![evil.into()];
    for language in [Language::Nl, Language::En] {
        let page = html(&report, language);
        assert!(
            !page.contains("<script") && !page.contains("onload='") && !page.contains('\u{202e}') && !page.contains('\u{1b}')
        );
        assert_eq!(page.matches("<article").count(), 1);
        for text in [table(&report, language), hit_text(&one, language, report.made)] {
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        }
    }
    let again: Report = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(again, report, "JSON has the text as it was");
    assert_eq!(report.tlp, "TLP:RED", "a label that is not known is the strictest");
}

#[test]
fn the_page_loads_nothing_and_says_its_language_and_label() {
    for (language, code, word) in
        [(Language::Nl, "lang=\"nl\"", "Dit is geen maatregel"), (Language::En, "lang=\"en\"", "This is no measure")]
    {
        let page = html(&report(&[hit("K-1", 1)]), language);
        assert!(
            page.contains(code)
                && page.contains(word)
                && page.contains("TLP:AMBER+STRICT")
                && page.contains("default-src 'none'")
        );
        for loads in ["src=", "href=", "url(", "@import", "<script", "<img", "<link", "<iframe"] {
            assert!(!page.contains(loads), "{loads}");
        }
    }
}

#[test]
fn a_suspended_or_withdrawn_entry_never_asks_for_a_measure() {
    for (status, nl) in [
        (Status::Suspended, "opgeschort"),
        (Status::Withdrawn, "ingetrokken"),
        (Status::Expired, "verlopen"),
        (Status::Absent, "niet meer overeen"),
    ] {
        let mut one = hit("K-1", 1);
        one.entry.status = status;
        let page = html(&report(&[one.clone()]), Language::Nl);
        assert!(page.contains(nl), "{status:?}");
        assert!(!page.contains("Te bekijken") && !page.contains("Leg vast wat u besluit"), "{status:?}");
        let steps = report(&[one]).next;
        assert!(!steps.iter().any(|next| matches!(next, Next::Decide { .. })), "{status:?}");
    }
}

#[test]
fn a_name_alone_leads_to_the_desk_and_a_withdrawal_comes_first() {
    let (mut weak, mut withdrawn) = (hit("K-1", 1), hit("K-2", 2));
    (weak.entry.reason, weak.entry.told_by) = (None, None);
    withdrawn.entry.status = Status::Withdrawn;
    withdrawn.reconsider = Some(1_780_000_500_000 + RECONSIDER - DAY);
    let report = report(&[weak.clone(), withdrawn]);
    assert_eq!(report.next[0], Next::Reconsider { hits: 1, days: 13 });
    assert!(report.next.contains(&Next::Ask { hits: vec![weak.id.clone()] }));
    let text = table(&report, Language::Nl);
    assert!(text.contains("heroverwegen, 13 dagen") && text.contains(&format!("sluis watchlist ask {}", weak.id)), "{text}");
}

#[test]
fn labels_are_the_strictest_of_what_is_shown() {
    for (found, expected) in [
        (vec![], "TLP:AMBER+STRICT"),
        (vec!["TLP:GREEN"], "TLP:AMBER+STRICT"),
        (vec!["TLP:GREEN", "TLP:RED"], "TLP:RED"),
        (vec!["TLP:PINK"], "TLP:RED"),
    ] {
        assert_eq!(strictest(found.into_iter(), &TLP), expected);
    }
    assert_eq!(strictest([].into_iter(), &PAP), "PAP:AMBER");
}

/// The form that machines read, held still.
#[test]
fn the_json_has_its_form() {
    let json: serde_json::Value = serde_json::from_str(&report(&[hit("K-1", 1)]).json()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>().join(" "));
    assert_eq!(keys(&json).as_deref(), Some("changes customers hits list made next pap problems tlp version"));
    assert_eq!(
        keys(&json["hits"][0]).as_deref(),
        Some("asked customer decisions entry facts first gone id last met names reconsider sureness")
    );
    assert_eq!(json["hits"][0]["entry"]["status"], "live");
    assert_eq!(json["hits"][0]["sureness"], "likely");
    assert_eq!(json["hits"][0]["entry"]["reason"]["source"], "PL-2026-0042");
    assert_eq!(json["next"][0]["what"], "decide");
}
