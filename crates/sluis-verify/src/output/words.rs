//! Words for a lay reader: what an event, a kind of attribution and a verdict mean.

use seal::bundle::ShownRecord;

use crate::said::{Language, Text, both, quote};
use crate::story::Story;
use crate::verdict::Verdict;

/// Events of letters.
const LETTERS: &[&str] = &["told", "reminded", "warned", "restriction proposed"];

/// What happened, in words; an event that is not known here is quoted.
pub(super) fn event(word: &str) -> Text {
    let known = [
        ("opened", "a report opened the case", "een melding opende het dossier"),
        ("holder found", "the party that held it was found", "de partij die het had, werd gevonden"),
        ("clocks set", "the deadlines were set", "de termijnen werden gezet"),
        ("clock shortened", "a deadline was shortened", "een termijn werd verkort"),
        ("severity raised", "it turned out worse than known", "het bleek ernstiger dan bekend"),
        ("watched", "it was watched, without telling anybody", "het werd gevolgd, zonder iemand te berichten"),
        ("told", "a letter to the party was prepared", "een brief aan de partij werd klaargezet"),
        ("reminded", "a reminder was prepared", "een herinnering werd klaargezet"),
        ("warned", "a last warning was prepared", "een laatste waarschuwing werd klaargezet"),
        ("overdue", "the time to mend it had passed", "de termijn om het te verhelpen was verstreken"),
        ("restriction proposed", "a restriction was proposed", "een beperking werd voorgesteld"),
        ("closed", "the case was closed", "het dossier werd gesloten"),
        ("reopened", "the case was opened again", "het dossier werd heropend"),
        ("noted", "somebody wrote something down", "iemand schreef iets op"),
        ("handled", "somebody took the case", "iemand nam het dossier op zich"),
        ("merged", "another case became part of it", "een ander dossier ging erin op"),
        ("split", "reports went to a case of their own", "meldingen kregen een eigen dossier"),
        ("snoozed", "it was put off", "het werd uitgesteld"),
        ("disputed", "the party disputed it", "de partij betwistte het"),
        ("dispute decided", "the dispute was decided", "over de betwisting werd besloten"),
        ("holder changed", "the administration was corrected", "de administratie werd verbeterd"),
        ("holder corrected", "the case went to the right party", "het dossier ging naar de juiste partij"),
        ("confirmed", "somebody confirmed that it was so", "iemand bevestigde dat het zo was"),
        ("undone", "something that a person did was undone", "iets wat iemand deed, werd ongedaan gemaakt"),
        ("withdrawn", "a letter was withdrawn", "een brief werd ingetrokken"),
        ("received", "a batch of reports came in", "een pakket meldingen kwam binnen"),
        ("evidence", "evidence was attached", "een bewijsstuk werd bijgevoegd"),
        ("evidence attached", "somebody attached evidence", "iemand voegde een bewijsstuk bij"),
        ("erased", "something was erased", "er werd iets gewist"),
        ("issued", "a bundle was given to somebody", "iemand kreeg een bundel"),
    ];
    let found = known.iter().find(|(known, ..)| *known == word);
    found.map_or_else(|| both(quote(word), quote(word)), |(_, en, nl)| both(*en, *nl))
}

/// What a record says that happened. A letter that was held back did not leave by this record, and that is said: nobody is to
/// be held to have been told by a letter that only lay there.
pub(super) fn happened(record: &ShownRecord) -> Text {
    let word = Story::text(record, "event").unwrap_or_default();
    let what = event(word);
    let is_held = LETTERS.contains(&word) && Story::text(record, "text").is_some_and(|text| text.starts_with("held: "));
    if is_held { both(format!("{}, and held back", what.en), format!("{}, en tegengehouden", what.nl)) } else { what }
}

/// A field of a record, in words; one that is not known here by its name.
pub(super) fn field(name: &str) -> Text {
    let known = [
        ("actor", "done by", "gedaan door"),
        ("rule", "rule", "regel van het beleid"),
        ("text", "in the sender's words", "in woorden van de afzender"),
        ("due", "deadline", "termijn"),
        ("party", "party (identifier)", "partij (kenmerk)"),
        ("party_name", "party", "partij"),
        ("party_seq", "letters to it before", "eerdere berichten aan haar"),
        ("severity", "severity", "ernst"),
        ("resource", "reported", "gemeld"),
        ("category", "for", "wegens"),
        ("first_seen", "first seen", "eerst gezien"),
        ("reporter", "reporter", "melder"),
        ("submission", "submission (SHA-256)", "inzending (SHA-256)"),
        ("batch", "from batch", "uit pakket"),
        ("batch_index", "report of the batch", "melding van het pakket"),
        ("chain", "chain of parties", "keten van partijen"),
        ("attribution", "attribution rests on", "herleiding rust op"),
        ("attribution_source", "source", "herkomst"),
        ("attribution_checked", "last read", "laatst gelezen"),
        ("completeness", "the report has", "de melding heeft"),
        ("root", "root of the batch", "wortel van het pakket"),
        ("count", "reports", "meldingen"),
        ("format", "format", "formaat"),
        ("received", "received", "ontvangen"),
        ("what", "what", "wat"),
        ("media", "kind of file", "soort bestand"),
        ("content", "content", "inhoud"),
        ("about", "belongs to", "hoort bij"),
        ("recipient", "recipient", "ontvanger"),
        ("message_id", "message identifier", "kenmerk van het bericht"),
        ("stage", "stage", "stadium"),
        ("records", "records", "regels"),
        ("ground", "ground", "grond"),
        ("authority", "decided by", "besloten door"),
        ("keys_until", "backups of keys end", "reservekopieën van sleutels eindigen"),
        ("bundle", "bundle (SHA-256)", "bundel (SHA-256)"),
    ];
    let found = known.iter().find(|(known, ..)| *known == name);
    found.map_or_else(|| both(name, name), |(_, en, nl)| both(*en, *nl))
}

/// What an attribution rests on.
pub(super) fn attribution(word: &str) -> Text {
    match word {
        "own contract record" => both("the sender's own contract record", "de eigen contractadministratie van de afzender"),
        "address registry" => both("the public register of addresses", "het openbare adresregister"),
        "statement of a reseller" => both("the statement of a reseller", "de verklaring van een wederverkoper"),
        "unknown" => both("nothing that was recorded", "niets wat vastgelegd is"),
        other => both(quote(other), quote(other)),
    }
}

/// The verdict: a word, and a sentence that says what it means.
pub(super) fn verdict(verdict: &Verdict) -> (Text, Text) {
    match verdict.exit_code() {
        0 => (
            both("PROVEN", "BEWEZEN"),
            both(
                "Everything that is checked holds. What that means, and what it does not, stands below.",
                "Alles wat gecontroleerd is, klopt. Wat dat betekent, en wat niet, staat hieronder.",
            ),
        ),
        1 => (
            both("INVALID", "ONGELDIG"),
            both(
                "Something in this file cannot be true. Rely on nothing in it.",
                "Iets in dit bestand kan niet waar zijn. Vertrouw op niets wat erin staat.",
            ),
        ),
        2 => (
            both("INCOMPLETE", "ONVOLLEDIG"),
            both(
                "Nothing contradicts itself, but something that a proof needs is missing. It is not proven.",
                "Niets spreekt zichzelf tegen, maar iets wat voor bewijs nodig is, ontbreekt. Het is niet bewezen.",
            ),
        ),
        _ => (
            both("UNREADABLE", "ONLEESBAAR"),
            both(
                "This is not a bundle, or it was damaged or packed again. Ask for it once more.",
                "Dit is geen bundel, of het bestand is beschadigd of opnieuw ingepakt. Vraag het opnieuw op.",
            ),
        ),
    }
}

/// One of two words.
pub(super) fn say<'a>(language: Language, en: &'a str, nl: &'a str) -> &'a str {
    match language {
        Language::English => en,
        Language::Dutch => nl,
    }
}
