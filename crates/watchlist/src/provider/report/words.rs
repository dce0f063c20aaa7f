//! The words of a report, in Dutch and in English.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::provider::hits::{Decision, Hit, Likeness, Met, Says, Status, Sureness, ToldBy, What};
use crate::provider::report::Next;

/// The language of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

impl Language {
    /// Its code (BCP 47).
    #[must_use]
    pub fn code(self) -> &'static str {
        self.say("nl", "en")
    }

    /// The one of the two that is of this language.
    #[must_use]
    pub fn say<T>(self, nl: T, en: T) -> T {
        match self {
            Language::Nl => nl,
            Language::En => en,
        }
    }
}

/// A day, as people in the Netherlands count them.
#[must_use]
pub fn day(language: Language, millis: i64) -> String {
    const NL: [&str; 12] = [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ];
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let Ok(at) = Timestamp::from_millisecond(millis) else { return language.say("onbekend", "unknown").to_owned() };
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    let date = at.to_zoned(zone).date();
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1).min(11);
    format!("{} {} {}", date.day(), language.say(NL, EN)[month], date.year())
}

/// The line that stands in every form of every report.
#[must_use]
pub fn line_no_measure(language: Language) -> &'static str {
    language.say(
        "Dit is geen maatregel. Een mens beslist, na zelf te hebben gekeken.",
        "This is no measure. A person decides, after having looked.",
    )
}

pub(super) fn sureness(language: Language, sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::Likely => language.say("waarschijnlijk dezelfde", "likely the same"),
        Sureness::Possible => language.say("mogelijk dezelfde", "possibly the same"),
    }
}

pub(super) fn status(language: Language, status: Status) -> &'static str {
    match status {
        Status::Live => language.say("geldt", "holds"),
        Status::Suspended => language.say("opgeschort", "suspended"),
        Status::Withdrawn => language.say("ingetrokken", "withdrawn"),
        Status::Expired => language.say("verlopen", "expired"),
        Status::Absent => language.say("komt niet meer overeen", "agrees no more"),
    }
}

/// What a status means for the person who decides.
pub(super) fn status_means(language: Language, status: Status) -> &'static str {
    match status {
        Status::Live => "",
        Status::Suspended => language.say(
            "Iemand bestrijdt deze vermelding. Neem op grond hiervan geen nieuwe maatregel tot dat is beslist.",
            "Somebody contests this entry. Take no new measure on it until that is decided.",
        ),
        Status::Withdrawn => language.say(
            "Deze vermelding is ingetrokken. Er mag niets meer op rusten.",
            "This entry was withdrawn. Nothing may rest on it any more.",
        ),
        Status::Expired => language.say(
            "Deze vermelding is niet op tijd herzien. Zij geldt niet meer als treffer.",
            "This entry was not reviewed in time. It is no hit any more.",
        ),
        Status::Absent => language.say(
            "De vermelding komt niet meer overeen met deze klant: zij staat niet meer op de lijst, of de gegevens van de klant zijn veranderd. Er mag niets meer op rusten.",
            "The entry does not agree with this customer any more: it is not on the list, or what is known of the customer changed. Nothing may rest on it.",
        ),
    }
}

/// What a decision is called.
#[must_use]
pub fn decision(language: Language, what: What) -> &'static str {
    match what {
        What::Terminated => language.say("contract beëindigd", "contract ended"),
        What::Quarantined => language.say("diensten beperkt", "services limited"),
        What::Kept => language.say("bekeken, klant blijft", "reviewed, customer stays"),
        What::Pending => language.say("in onderzoek", "being looked at"),
        What::SomebodyElse => language.say("iemand anders, een naamgenoot", "somebody else, a namesake"),
        What::Contested => language.say("klant bestrijdt het", "customer contests it"),
    }
}

pub(super) fn decided(language: Language, decision_: &Decision) -> String {
    let mut text =
        format!("{}: {}, {} ({})", day(language, decision_.at), decision(language, decision_.what), decision_.by, decision_.why);
    if let Some(own) = &decision_.own_evidence {
        text.push_str(&format!("; {}: {own}", language.say("eigen bewijs", "own evidence")));
    }
    text
}

pub(super) fn says(language: Language, says: Says) -> &'static str {
    match says {
        Says::Agrees => language.say("gelijk", "agrees"),
        Says::Differs => language.say("verschilt", "differs"),
        Says::Unknown => language.say("niet te vergelijken", "cannot be compared"),
    }
}

/// What a fact is of.
pub(super) fn what(language: Language, what: &str) -> String {
    let known = match what {
        "country" => language.say("Land", "Country"),
        "city" => language.say("Plaats", "City"),
        "name" => language.say("Naam", "Name"),
        "kvk" => language.say("KvK-nummer", "Trade register number (KvK)"),
        "registry" => language.say("Nummer in buitenlands register", "Number in a foreign register"),
        "vat" => language.say("Btw-nummer", "VAT number"),
        "iban" => "IBAN",
        "domain" => language.say("Domeinnaam", "Domain name"),
        "host" => language.say("Hostnaam", "Host name"),
        "email" => language.say("E-mailadres", "E-mail address"),
        "phone" => language.say("Telefoonnummer", "Phone number"),
        "telegram" => "Telegram",
        "icq" => "ICQ",
        "xmpp" => "XMPP",
        "crypto" => language.say("Cryptoadres", "Cryptocurrency address"),
        "asn" => language.say("AS-nummer", "AS number"),
        "ipv4" | "ipv6" => language.say("Adresblok", "Address range"),
        "handle" => language.say("RIPE-code", "Registry handle"),
        other => return other.to_owned(),
    };
    known.to_owned()
}

/// By what two met, as a sentence.
fn met(language: Language, met: &Met) -> String {
    let name = match (met.class.as_str(), met.family.as_str()) {
        (_, "edited" | "deleted") => language
            .say("De naam scheelt één letter met een naam op de lijst.", "The name is one letter away from a name on the list."),
        (_, "less") => language.say(
            "De naam heeft dezelfde zeldzame woorden als een naam op de lijst, op één woord na.",
            "The name has the same rare words as a name on the list, but for one word.",
        ),
        (_, "spelt") => language.say(
            "Met vereenvoudigde spelling (c en k, y en i, dubbele letters) zijn de namen gelijk.",
            "With simplified spelling (c and k, y and i, double letters) the names are the same.",
        ),
        ("name-place", _) | (_, "place") => {
            language.say("Naam en plaats samen zijn gelijk.", "Name and place together are the same.")
        }
        ("name-sorted", _) => language.say(
            "De woorden van de naam zijn gelijk (zonder rechtsvorm, in welke volgorde ook).",
            "The words of the name are the same (without legal form, in whatever order).",
        ),
        ("name-joined" | "name-deleted", _) => language.say(
            "De letters van de naam zijn gelijk, aaneengeschreven.",
            "The letters of the name are the same, written together.",
        ),
        ("name-less", _) => language.say(
            "De naam heeft dezelfde zeldzame woorden, op één woord na.",
            "The name has the same rare words, but for one word.",
        ),
        (class, _) => {
            let what = what(language, class);
            return language.say(format!("{what} is gelijk."), format!("{what}: the same."));
        }
    };
    name.to_owned()
}

/// By what a hit's two sides met, each sentence once.
pub(super) fn why(language: Language, hit: &Hit) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for sentence in hit.met.iter().map(|one| met(language, one)) {
        if !all.contains(&sentence) {
            all.push(sentence);
        }
    }
    all
}

pub(super) fn likeness(language: Language, likeness: &Likeness) -> String {
    let mut text = language.say(
        format!("De namen lijken voor {} % op elkaar.", likeness.score),
        format!("The names are {} % alike.", likeness.score),
    );
    for (words, nl, en) in [
        (&likeness.common, "In beide", "In both"),
        (&likeness.only_customer, "Alleen bij de klant", "Only at the customer"),
        (&likeness.only_listed, "Alleen op de lijst", "Only on the list"),
    ] {
        if !words.is_empty() {
            text.push_str(&format!(" {}: {}.", language.say(nl, en), words.join(", ")));
        }
    }
    text
}

pub(super) fn told_by(language: Language, by: Option<ToldBy>) -> &'static str {
    match by {
        Some(ToldBy::Desk) => language.say("van het bezwaarloket", "from the contest desk"),
        _ => language.say("van de lijst zelf", "from the list itself"),
    }
}

/// What the person who decides should do with a hit.
pub(super) fn advice(language: Language, hit: &Hit, now: i64) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(days) = hit.days_left(now) {
        all.push(if days > 0 {
            language.say(
                format!("Heroverweeg wat u besloot: de vermelding geldt niet meer. Nog {days} dagen."),
                format!("Reconsider what you decided: the entry does not hold any more. {days} days left."),
            )
        } else {
            language.say(
                "Heroverweeg wat u besloot: de vermelding geldt niet meer, en de termijn van 14 dagen is voorbij.".to_owned(),
                "Reconsider what you decided: the entry does not hold any more, and the 14 days are over.".to_owned(),
            )
        });
    }
    let means = status_means(language, hit.entry.status);
    if !means.is_empty() {
        all.push(means.to_owned());
        return all;
    }
    match (&hit.entry.reason, hit.asked) {
        (None, None) => all.push(language.say(
            format!("Alleen een naam komt overeen. Vraag het loket naar de reden: sluis watchlist ask {}", hit.id),
            format!("Only a name agrees. Ask the desk for the reason: sluis watchlist ask {}", hit.id),
        )),
        (None, Some(at)) => all.push(language.say(
            format!("De reden is op {} aan het loket gevraagd; wacht het antwoord af.", day(language, at)),
            format!("The desk was asked for the reason on {}; wait for its answer.", day(language, at)),
        )),
        (Some(_), _) => all.push(
            language
                .say(
                    "Vergelijk wat u van deze klant weet met de reden, en hoor de klant als dat kan.",
                    "Compare what you know of this customer with the reason, and hear the customer where you can.",
                )
                .to_owned(),
        ),
    }
    if hit.facts.iter().any(|fact| fact.says == Says::Differs) {
        all.push(
            language
                .say(
                    "Er zijn verschillen. Een naamgenoot is een ander: kijk eerst of het dezelfde partij is.",
                    "There are differences. A namesake is somebody else: see first whether it is the same party.",
                )
                .to_owned(),
        );
    }
    if hit.decisions.is_empty() {
        all.push(language.say(
            format!("Leg vast wat u besluit: sluis watchlist decide {}", hit.id),
            format!("Write down what you decide: sluis watchlist decide {}", hit.id),
        ));
    }
    all
}

/// A step, as a sentence.
pub(super) fn next(language: Language, next: &Next) -> String {
    match next {
        Next::Reconsider { hits, days } => language.say(
            format!("Heroverweeg {hits} besluit(en): de vermelding geldt niet meer. De eerste termijn loopt over {days} dag(en) af."),
            format!("Reconsider {hits} decision(s): the entry does not hold any more. The first term ends in {days} day(s)."),
        ),
        Next::Send { file, to } => language.say(
            format!("Breng {file} naar {to}, en draai deze opdracht opnieuw met het antwoord (--answers)."),
            format!("Take {file} to {to}, and run this command again with the answer (--answers)."),
        ),
        Next::Ask { hits } => language.say(
            format!("Vraag het loket naar de reden van {}: sluis watchlist ask {}", hits.len(), hits.join(" ")),
            format!("Ask the desk for the reason of {}: sluis watchlist ask {}", hits.len(), hits.join(" ")),
        ),
        Next::Decide { hits } => language.say(
            format!("Bekijk {hits} mogelijke treffer(s) en leg vast wat u besluit: sluis watchlist decide"),
            format!("Look at {hits} candidate(s) and write down what you decide: sluis watchlist decide"),
        ),
        Next::Renew { why } => language.say(
            format!("Haal de nieuwste bestanden van de lijst op en geef ze mee (--list): {why}"),
            format!("Get the newest files of the list and give them (--list): {why}"),
        ),
        Next::Wait { tokens, until } => language.say(
            format!(
                "{tokens} kenmerken wachten op een volgende ronde, zodat het verkeer niets zegt: draai dit weer na {}.",
                day(language, *until)
            ),
            format!(
                "{tokens} tokens wait for a later round, so that traffic says nothing: run this again after {}.",
                day(language, *until)
            ),
        ),
        Next::Tell { entries } => language.say(
            format!("{entries} vermelding(en) gingen open maar staan niet geldig in het log. Doe er niets mee, en meld het de lijsthouder en de branchevereniging."),
            format!("{entries} entry or entries opened but do not stand in the log. Do nothing with them, and tell the list holder and the association."),
        ),
        Next::Nothing => language
            .say("Niets te doen tot de volgende wijziging van de lijst.", "Nothing to do until the list changes.")
            .to_owned(),
    }
}
