//! The page as HTML: one file without scripts, pictures or links. Every text is escaped; the browser is told to load nothing.

use super::page::Block;
use crate::said::Language;
use crate::verdict::Outcome;

/// The page as an HTML document.
#[must_use]
pub fn html(blocks: &[Block], language: Language) -> String {
    let code = match language {
        Language::English => "en",
        Language::Dutch => "nl",
    };
    let title = blocks.iter().find_map(|block| match block {
        Block::Title(title) => Some(escape(title)),
        _ => None,
    });
    let body: String = blocks.iter().map(|one| block(one, language)).collect();
    format!(
        "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        title.unwrap_or_default(),
        include_str!("page.css")
    )
}

fn block(block: &Block, language: Language) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>\n", escape(text)),
        Block::Verdict(outcome, word, meaning) => {
            format!(
                "<section class=\"verdict {}\"><strong>{}</strong><p>{}</p></section>\n",
                class(*outcome),
                escape(word),
                escape(meaning)
            )
        }
        Block::Heading(text) => format!("<h2>{}</h2>\n", escape(text)),
        Block::Paragraph(text) => format!("<p>{}</p>\n", escape(text)),
        Block::Facts(list) => facts(list),
        Block::Card(heading, list) => format!("<article>\n<h3>{}</h3>\n{}</article>\n", escape(heading), facts(list)),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Block::Check(outcome, number, title, lines) => {
            let line = |(fault, line): &(bool, String)| {
                format!("<p{}>{}</p>\n", if *fault { " class=\"fault\"" } else { "" }, escape(line))
            };
            let lines: String = lines.iter().map(line).collect();
            format!(
                "<section class=\"check {}\"><h3><span>{number}</span> {}{} <em>{}</em></h3>\n{lines}</section>\n",
                class(*outcome),
                escape(title),
                if word(*outcome, language).is_empty() { "" } else { ":" },
                word(*outcome, language)
            )
        }
    }
}

fn facts(facts: &[(String, String)]) -> String {
    let fact = |(name, value): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value));
    format!("<dl>\n{}</dl>\n", facts.iter().map(fact).collect::<String>())
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Said => "said",
        Outcome::Ok => "good",
        Outcome::Incomplete => "lacking",
        Outcome::Invalid | Outcome::Unreadable => "bad",
    }
}

fn word(outcome: Outcome, language: Language) -> &'static str {
    let dutch = language == Language::Dutch;
    match outcome {
        Outcome::Said => "",
        Outcome::Ok if dutch => "in orde",
        Outcome::Ok => "in order",
        Outcome::Incomplete if dutch => "onvolledig",
        Outcome::Incomplete => "incomplete",
        Outcome::Invalid if dutch => "ongeldig",
        Outcome::Invalid => "invalid",
        Outcome::Unreadable if dutch => "onleesbaar",
        Outcome::Unreadable => "unreadable",
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}
