//! The page as plain text.

use super::page::Block;
use super::wrap;
use crate::verdict::Outcome;

/// The page as plain text, at most 78 characters wide.
#[must_use]
pub fn plain(blocks: &[Block]) -> String {
    blocks.iter().map(block).collect()
}

fn block(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("{text}\n{}\n\n", "=".repeat(text.chars().count())),
        Block::Verdict(_, word, meaning) => format!("*** {word} ***\n{}", wrap(2, meaning)),
        Block::Heading(text) => format!("\n{text}\n{}\n", "-".repeat(text.chars().count())),
        Block::Paragraph(text) => wrap(2, text),
        Block::Facts(facts) => facts.iter().map(|(name, value)| fact(2, name, value)).collect(),
        Block::Card(heading, facts) => {
            let facts: String = facts.iter().map(|(name, value)| fact(6, name, value)).collect();
            format!("{}{facts}", wrap(2, heading))
        }
        Block::List(items) => items.iter().map(|item| wrap(4, item).replacen("    ", "  - ", 1)).collect(),
        Block::Check(outcome, number, title, lines) => {
            let mark = match outcome {
                Outcome::Said | Outcome::Ok => "  ",
                _ => "! ",
            };
            let lines: String =
                lines.iter().map(|(fault, line)| wrap(8, &format!("{}{line}", if *fault { "! " } else { "" }))).collect();
            format!("{mark}{number:>2}. {title}: {}\n{lines}", outcome.word())
        }
    }
}

fn fact(indent: usize, name: &str, value: &str) -> String {
    wrap(indent + 4, &format!("{name}: {value}")).replacen("    ", "", 1)
}
