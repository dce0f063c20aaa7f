//! The report as one HTML file without scripts, pictures or links that load anything. Every text is escaped.

use super::words::{self, Language};
use super::{List, Report, rank};
use crate::provider::hits::{Hit, Reason, Says, Status, Sureness};

/// The report as an HTML document.
#[must_use]
pub fn html(report: &Report, language: Language) -> String {
    let title = language.say("Kandidaten van de lijst", "Candidates from the list");
    let body = [
        head(report, language, title),
        next(report, language),
        candidates(report, language),
        looked_at(report, language),
        about(&report.list, language),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} · {}</title>\n<style>\n{}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        language.code(),
        escape(title),
        escape(&report.list.name),
        include_str!("report.css")
    )
}

fn head(report: &Report, language: Language, title: &str) -> String {
    let labels = format!(
        "<p class=\"labels\"><strong class=\"label\">{}</strong> <strong class=\"label\">{}</strong> {}</p>\n",
        escape(&report.tlp),
        escape(&report.pap),
        tlp_means(language, &report.tlp)
    );
    format!(
        "<header>\n{labels}<h1>{}</h1>\n<p class=\"no-measure\">{}</p>\n<p class=\"soft\">{} {}</p>\n</header>\n<main>\n",
        escape(title),
        words::line_no_measure(language),
        language.say("Gemaakt op", "Made on"),
        words::day(language, report.made),
    )
}

fn tlp_means(language: Language, tlp: &str) -> &'static str {
    match tlp {
        "TLP:RED" => language.say("Alleen voor u persoonlijk.", "For you personally, nobody else."),
        "TLP:AMBER+STRICT" => language.say(
            "Alleen voor wie dit binnen uw organisatie nodig heeft. Niet aan klanten of anderen geven.",
            "Only for those in your organisation who need it. Not for customers or anybody else.",
        ),
        "TLP:AMBER" => language.say(
            "Voor uw organisatie, en voor klanten voor zover zij het nodig hebben.",
            "For your organisation, and for customers as far as they need it.",
        ),
        "TLP:GREEN" => language.say("Voor de sector, niet openbaar.", "For the sector, not public."),
        _ => language.say("Mag openbaar.", "May be public."),
    }
}

fn next(report: &Report, language: Language) -> String {
    let steps: String = report.next.iter().map(|next| format!("<li>{}</li>\n", escape(&words::next(language, next)))).collect();
    let problems: String = report.problems.iter().map(|problem| format!("<li>{}</li>\n", escape(problem))).collect();
    let problems = if problems.is_empty() {
        problems
    } else {
        let title = language.say("Let op", "Mind");
        format!("<section aria-labelledby=\"mind\">\n<h2 id=\"mind\">{title}</h2>\n<ul>\n{problems}</ul>\n</section>\n")
    };
    format!(
        "{problems}<section aria-labelledby=\"next\">\n<h2 id=\"next\">{}</h2>\n<ol>\n{steps}</ol>\n</section>\n",
        language.say("Wat nu te doen", "What to do now")
    )
}

fn candidates(report: &Report, language: Language) -> String {
    let parts = [
        language.say("Heroverwegen", "To reconsider"),
        language.say("Te bekijken", "To look at"),
        language.say("Opgeschort", "Suspended"),
        language.say("Besloten", "Decided"),
        language.say("Geldt niet meer", "No longer a hit"),
    ];
    let mut out = String::new();
    if report.hits.is_empty() {
        out.push_str(&format!(
            "<section>\n<h2>{}</h2>\n<p>{}</p>\n</section>\n",
            language.say("Geen kandidaten", "No candidates"),
            if report.customers.unanswered > 0 {
                language.say(
                    "Van wat beantwoord is komt niets overeen met de lijst. Een deel is nog niet beantwoord.",
                    "Of what was answered nothing agrees with the list. A part was not answered yet.",
                )
            } else {
                language.say("Geen klant komt overeen met de lijst.", "No customer agrees with the list.")
            }
        ));
    }
    for (number, title) in parts.iter().enumerate() {
        let hits: Vec<&Hit> = report.hits.iter().filter(|hit| usize::from(rank(hit)) == number).collect();
        if hits.is_empty() {
            continue;
        }
        let cards: String = hits.iter().map(|hit| card(hit, report.made, language)).collect();
        out.push_str(&format!("<section>\n<h2>{title} ({})</h2>\n{cards}</section>\n", hits.len()));
    }
    out
}

fn card(hit: &Hit, now: i64, language: Language) -> String {
    let customer = hit.customer.names.first().map_or(hit.customer.id.as_str(), String::as_str);
    let listed = hit.names.as_ref().map(|names| names.listed.as_str()).or(hit.entry.names.first().map(String::as_str));
    let (status_class, sure_class) = (
        if hit.entry.status == Status::Live { "" } else { " off" },
        if hit.sureness == Sureness::Likely { "likely" } else { "possible" },
    );
    let status = if hit.entry.status == Status::Live {
        format!("<span class=\"badge {sure_class}\">{}</span>", words::sureness(language, hit.sureness))
    } else {
        let since = if hit.entry.since > 0 { format!(", {}", words::day(language, hit.entry.since)) } else { String::new() };
        format!("<span class=\"badge stopped\">{}{since}</span>", words::status(language, hit.entry.status))
    };
    let steps: String = words::advice(language, hit, now).iter().map(|step| format!("<li>{}</li>\n", escape(step))).collect();
    let mut why = words::why(language, hit);
    if let Some(names) = &hit.names {
        why.push(words::likeness(language, names));
    }
    let why: String = why.iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    let gone = hit.gone.map_or(String::new(), |at| {
        let words = language.say("Niet meer in uw klantenbestand sinds", "Not among your customers any more since");
        format!("<p class=\"soft\">{words} {}.</p>\n", words::day(language, at))
    });
    format!(
        "<article class=\"hit{status_class}\" aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{} <span class=\"soft\">{} {}</span></h3>\n\
         <p>{status} <span class=\"soft\">{} {}, {} {}, {} {}</span></p>\n{gone}\
         <h4>{}</h4>\n<ul>\n{steps}</ul>\n<h4>{}</h4>\n<ul>\n{why}</ul>\n{}{}{}</article>\n",
        escape(customer),
        language.say("lijkt op", "resembles"),
        escape(listed.unwrap_or("?")),
        language.say("treffer", "hit"),
        escape(&hit.id),
        language.say("klant", "customer"),
        escape(&hit.customer.id),
        language.say("rij", "row"),
        hit.customer.row,
        language.say("Wat te doen", "What to do"),
        language.say("Waarom dit een kandidaat is", "Why this is a candidate"),
        beside(hit, language),
        hit.entry.reason.as_ref().map_or_else(String::new, |reason| because(hit, reason, language)),
        decisions(hit, language),
        id = escape(&hit.id),
    )
}

/// Both sides in one table.
fn beside(hit: &Hit, language: Language) -> String {
    let row = |what: &str, customer: &str, listed: &str, says: Option<Says>| {
        let (class, word) = match says {
            Some(says) => (
                match says {
                    Says::Agrees => "agrees",
                    Says::Differs => "differs",
                    Says::Unknown => "unknown",
                },
                words::says(language, says),
            ),
            None => ("", ""),
        };
        let dash = |text: &str| if text.is_empty() { "–".to_owned() } else { escape(text) };
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>\n",
            escape(what),
            dash(customer),
            dash(listed)
        )
    };
    let mut rows = row(&words::what(language, "name"), &hit.customer.names.join(" / "), &hit.entry.names.join(" / "), None);
    for fact in &hit.facts {
        rows.push_str(&row(&words::what(language, &fact.what), &fact.customer, &fact.listed, Some(fact.says)));
    }
    format!(
        "<table>\n<caption>{}</caption>\n<thead><tr><td></td><th scope=\"col\">{}</th><th scope=\"col\">{}</th>\
         <th scope=\"col\">{}</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        language.say("Naast elkaar", "Side by side"),
        language.say("Uw klant", "Your customer"),
        language.say("Op de lijst", "On the list"),
        language.say("Vergelijking", "Comparison"),
    )
}

fn because(hit: &Hit, reason: &Reason, language: Language) -> String {
    let day = |millis| words::day(language, millis);
    let text = match language {
        Language::Nl if !reason.nl.is_empty() => &reason.nl,
        Language::En if reason.en.is_empty() => &reason.nl,
        _ => &reason.en,
    };
    let facts = [
        (language.say("Soort", "Category"), reason.category.clone()),
        (language.say("Bron", "Source"), format!("{} ({})", reason.source, reason.source_kind)),
        (language.say("Wettelijke grondslag", "Legal basis"), reason.legal_basis.clone()),
        (language.say("Criterium", "Criterion"), format!("{} ({})", reason.criterion, reason.protocol)),
        (language.say("Op de lijst sinds", "Listed since"), day(reason.listed_at)),
        (language.say("Herzien vóór", "To be reviewed by"), day(reason.review_by)),
        (language.say("Gesteld door", "Listed by"), reason.officer_role.clone()),
        (language.say("Vragen aan", "Questions to"), reason.contact.clone()),
        (language.say("Bestrijden bij", "Contest at"), format!("{} {}", reason.contest_desk, reason.contest_url)),
        (language.say("Delen", "Sharing"), format!("{}, {}", reason.tlp, reason.pap)),
        (
            language.say("Bewijs", "Proof"),
            language.say(
                format!(
                    "vermelding {} versie {}, blad {} van {} in het log",
                    short(&hit.entry.id),
                    hit.entry.version,
                    hit.entry.leaf,
                    hit.entry.log_size
                ),
                format!(
                    "entry {} version {}, leaf {} of {} in the log",
                    short(&hit.entry.id),
                    hit.entry.version,
                    hit.entry.leaf,
                    hit.entry.log_size
                ),
            ),
        ),
    ];
    let facts: String = facts
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    let namesake = if reason.not_to_be_confused_with.is_empty() {
        String::new()
    } else {
        format!(
            "<p class=\"namesake\"><strong>{}:</strong> {}</p>\n",
            language.say("Niet verwarren met", "Not to be confused with"),
            escape(&reason.not_to_be_confused_with)
        )
    };
    format!(
        "<h4>{} <span class=\"soft\">({})</span></h4>\n<blockquote>{}</blockquote>\n{namesake}<dl>\n{facts}</dl>\n",
        language.say("Reden", "Reason"),
        words::told_by(language, hit.entry.told_by),
        escape(text)
    )
}

fn decisions(hit: &Hit, language: Language) -> String {
    if hit.decisions.is_empty() {
        return String::new();
    }
    let lines: String =
        hit.decisions.iter().map(|one| format!("<li>{}</li>\n", escape(&words::decided(language, one)))).collect();
    format!("<h4>{}</h4>\n<ol>\n{lines}</ol>\n", language.say("Wat besloten is", "What was decided"))
}

fn looked_at(report: &Report, language: Language) -> String {
    let customers = &report.customers;
    let rows = [
        (customers.all, language.say("klanten in het bestand", "customers in the file")),
        (customers.looked_up, language.say("kenmerken opgezocht", "tokens looked up")),
        (
            customers.unanswered,
            language.say(
                "kenmerken nog niet beantwoord: daarvan is niets bekend",
                "tokens not answered yet: of them nothing is known",
            ),
        ),
        (
            customers.without_tokens,
            language.say("klanten van wie niets te vergelijken was", "customers of whom nothing could be compared"),
        ),
        (customers.cells_refused, language.say("cellen die niet te gebruiken waren", "cells that could not be used")),
        (
            customers.unlike,
            language.say(
                "vermeldingen die opengingen maar niet lijken: niet getoond, niet bewaard",
                "entries that opened but are not alike: not shown, not kept",
            ),
        ),
        (
            customers.invalid,
            language.say(
                "vermeldingen die niet geldig in het log staan: niet gebruikt",
                "entries that do not stand in the log: not used",
            ),
        ),
    ];
    let rows: String = rows
        .iter()
        .map(|(count, what)| format!("<tr><td class=\"number\">{count}</td><th scope=\"row\">{what}</th></tr>\n"))
        .collect();
    let which = if customers.without_tokens_first.is_empty() {
        String::new()
    } else {
        format!(
            "<p>{}: {}.</p>\n",
            language.say("Niets te vergelijken bij", "Nothing to compare at"),
            escape(&customers.without_tokens_first.join(", "))
        )
    };
    format!(
        "<section aria-labelledby=\"seen\">\n<h2 id=\"seen\">{}</h2>\n<table class=\"counts\">\n<caption>{}</caption>\n<tbody>\n{rows}</tbody>\n</table>\n{which}</section>\n",
        language.say("Wat er is bekeken", "What was looked at"),
        language.say("Aantallen", "Numbers")
    )
}

fn about(list: &List, language: Language) -> String {
    let witnessed = if list.witnessed {
        language.say("door getuigen ondertekend", "signed by witnesses")
    } else {
        language.say(
            "nog zonder getuigen: dat iedereen hetzelfde log ziet berust op het vergelijken van vingerafdrukken",
            "no witnesses yet: that everybody sees the same log rests on comparing fingerprints",
        )
    };
    format!(
        "<section aria-labelledby=\"list\">\n<h2 id=\"list\">{}</h2>\n<dl>\n<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}</dd>\n\
         <dt>{}</dt><dd>{} ({witnessed})</dd>\n<dt>{}</dt><dd>{}</dd>\n</dl>\n<p>{}</p>\n</section>\n</main>\n",
        language.say("De lijst", "The list"),
        language.say("Naam", "Name"),
        escape(&list.name),
        language.say("Lijsthouder", "List holder"),
        escape(&list.holder),
        language.say("Stand", "State"),
        language.say(
            format!("tijdvak {}, wijziging {} van {}", list.epoch, list.delta, words::day(language, list.delta_at)),
            format!("epoch {}, change {} of {}", list.epoch, list.delta, words::day(language, list.delta_at)),
        ),
        language.say("Log", "Log"),
        escape(&list.log),
        language.say("Bestrijden", "Contest"),
        escape(&list.contest),
        language.say(
            "Dit is op deze machine opgezocht, zonder verbinding. De lijsthouder weet niet dat er kandidaten zijn, en niet welke. Wat wel lekt staat in: sluis watchlist leaks.",
            "This was looked up on this machine, without a connection. The list holder does not know that there are candidates, nor which. What does leak stands in: sluis watchlist leaks --lang en.",
        )
    )
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Text made safe for elements and quoted attributes; characters that turn the direction of writing are shown as a mark.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if matching::bytes::is_plain(letter) => out.push(letter),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}
