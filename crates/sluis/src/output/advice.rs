//! Advice about weak points, as it is shown and as it stands in letters.

use std::io;

use model::advisory::{Cve, cves_of};
use model::label::Tlp;
use serde::Serialize;
use store::Transaction;
use store::advisories::Kept;

use super::words::moment;
use super::{Screen, Style, clean};

/// Pieces of advice about one weak point that a letter bears.
const PIECES: u32 = 3;
/// Weak points that one letter gives advice about.
const POINTS: usize = 20;

/// A piece of advice, for machines.
#[derive(Serialize)]
pub(crate) struct View {
    number: i64,
    publisher: String,
    document: String,
    cve: Option<String>,
    title: String,
    products: Vec<String>,
    affects: bool,
    severity: String,
    score: Option<f64>,
    remedy: String,
    reference: String,
    exploited: bool,
    ransomware: bool,
    due: Option<String>,
    tlp: &'static str,
    released: Option<String>,
    received: String,
    accepted: bool,
    withdrawn: Option<String>,
    person: String,
}

impl View {
    /// Of what is kept.
    pub(crate) fn of(kept: &Kept) -> View {
        let Kept { id, advisory, accepted, received, withdrawn, person, .. } = kept;
        let text = |text: &str| clean(text).into_owned();
        View {
            number: *id,
            publisher: text(&advisory.publisher),
            document: text(&advisory.id),
            cve: advisory.cve.map(|cve| cve.to_string()),
            title: text(&advisory.title),
            products: advisory.products.iter().map(|name| text(name)).collect(),
            affects: advisory.affects,
            severity: text(&advisory.severity),
            score: advisory.score.map(|score| f64::from(score) / 10.0),
            remedy: text(&advisory.remedy),
            reference: text(&advisory.reference),
            exploited: advisory.exploited,
            ransomware: advisory.ransomware,
            due: advisory.due.map(|due| due.to_string()),
            tlp: advisory.tlp.word(),
            released: advisory.released.map(|time| time.to_string()),
            received: received.to_string(),
            accepted: *accepted,
            withdrawn: withdrawn.map(|time| time.to_string()),
            person: text(person),
        }
    }
}

/// How bad its publisher says it is: `critical, CVSS 9.8`.
pub(crate) fn severity(kept: &Kept) -> String {
    let advisory = &kept.advisory;
    let score = advisory.score.map(|score| format!("CVSS {}.{}", score / 10, score % 10));
    let words = [Some(clean(&advisory.severity).into_owned()).filter(|word| !word.is_empty()), score];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether advice may stand in a letter to somebody who rents from us: what is labelled for our own house may not (TLP 2.0,
/// FIRST). What bears no label counts as TLP:AMBER, which reaches clients.
fn may_be_told(kept: &Kept) -> bool {
    !matches!(kept.advisory.tlp, Tlp::AmberStrict | Tlp::Red)
}

/// What a letter says about the weak points that traits of its cases name: what is exploited and newest first.
///
/// # Errors
/// [`store::Error`].
pub(crate) fn about<'a>(
    transaction: &Transaction<'_>,
    traits: impl Iterator<Item = &'a str>,
    in_letter: bool,
) -> Result<Vec<Kept>, store::Error> {
    let mut points: Vec<Cve> = traits.flat_map(cves_of).collect();
    points.sort_unstable();
    points.dedup();
    let mut advice = Vec::new();
    for cve in points.into_iter().take(POINTS) {
        advice.extend(transaction.advice(cve, PIECES)?.into_iter().filter(|kept| !in_letter || may_be_told(kept)));
    }
    Ok(advice)
}

/// Draws advice: what it is about, what to do, and where there is more.
///
/// # Errors
/// Those of the screen.
pub(crate) fn draw(screen: &mut Screen, advice: &[Kept]) -> io::Result<()> {
    for kept in advice {
        let View { cve, title, remedy, reference, publisher, due, .. } = View::of(kept);
        let mut head = [cve.unwrap_or_default(), title].join(" ").trim().to_owned();
        let bad = severity(kept);
        if !bad.is_empty() {
            head.push_str(&format!(" ({bad})"));
        }
        if kept.advisory.exploited {
            head.push_str(if kept.advisory.ransomware { ": exploited, by ransomware too" } else { ": exploited" });
        }
        let head = screen.paint(Style::Strong, &head);
        screen.line(head)?;
        if !remedy.is_empty() {
            screen.line(format_args!("  {remedy}"))?;
        }
        let due = kept.advisory.due.filter(|_| due.is_some()).map(|due| format!(", to be mended by {}", moment(due)));
        let more = [publisher, reference].join("  ").trim().to_owned() + &due.unwrap_or_default();
        let more = screen.paint(Style::Dim, &format!("  {more}"));
        screen.line(more)?;
    }
    Ok(())
}
