//! Rules about the vocabulary, the decisions, the changelog and the licence.

use super::Tree;

/// What every decision page says, in this order.
const HEADINGS: [&str; 3] = ["## Context", "## Choice", "## Consequence"];

/// House rule: one name for one thing, so no English word stands twice in the table of `docs/words.md`.
pub fn words_are_unique(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text("docs/words.md") else { return vec!["docs/words.md is missing".to_owned()] };
    doubled_words(&text).into_iter().map(|word| format!("docs/words.md: '{word}' has two rows; make them one")).collect()
}

fn doubled_words(text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut doubled = Vec::new();
    let rows = text.lines().skip_while(|line| !line.starts_with("| English")).skip(2);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let word = row.split('|').nth(1).unwrap_or_default().trim().replace('`', "").to_lowercase();
        if seen.contains(&word) {
            doubled.push(word);
        } else {
            seen.push(word);
        }
    }
    if seen.is_empty() {
        doubled.push("(no table that begins with '| English')".to_owned());
    }
    doubled
}

/// House rule: a decision is `docs/decisions/NNNN-title.md`, counted without gaps, with its three headings.
pub fn decisions_are_whole(tree: &Tree) -> Vec<String> {
    let pages: Vec<&str> = tree.files.iter().filter_map(|file| file.strip_prefix("docs/decisions/")).collect();
    let mut findings = Vec::new();
    if pages.is_empty() {
        findings.push("docs/decisions holds no page".to_owned());
    }
    for (page, number) in pages.iter().zip(1..) {
        let text = tree.text(&format!("docs/decisions/{page}")).unwrap_or_default();
        findings.extend(decision(page, number, &text).into_iter().map(|finding| format!("docs/decisions/{page}: {finding}")));
    }
    findings
}

fn decision(page: &str, number: usize, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !page.starts_with(&format!("{number:04}-")) || !page.ends_with(".md") {
        findings.push(format!("the next page in order is named {number:04}-title.md"));
    }
    if !text.starts_with("# ") {
        findings.push("begin with a title".to_owned());
    }
    let found: Vec<&str> = text.lines().filter(|line| HEADINGS.contains(&line.trim_end())).collect();
    if found != HEADINGS {
        findings.push(format!("wants the headings {}, once each and in this order", HEADINGS.join(", ")));
    }
    findings
}

/// House rule: what a user notices gets a line under "Unreleased".
pub fn changelog_is_open(tree: &Tree) -> Vec<String> {
    let text = tree.text("CHANGELOG.md").unwrap_or_default();
    if text.lines().any(|line| line.starts_with("## [Unreleased]")) {
        Vec::new()
    } else {
        vec!["CHANGELOG.md has no '## [Unreleased]'".to_owned()]
    }
}

/// The licence's first words and the last article and appendix are there.
pub fn licence_is_whole(tree: &Tree) -> Vec<String> {
    let text = tree.text("LICENSE").unwrap_or_default();
    let whole = text.starts_with("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
        && text.contains("15.Applicable Law")
        && text.trim_end().ends_with("require the production of a new EUPL version.");
    if whole { Vec::new() } else { vec!["LICENSE is not the whole text of EUPL-1.2".to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_words_are_found_in_the_table_only() {
        let table = "# Words\n\n| English | Dutch |\n|---|---|\n| Case | dossier |\n| `case` | zaak |\n\n| Case | elsewhere |\n";
        assert_eq!(doubled_words(table), ["case"]);
        assert_eq!(doubled_words("nothing").len(), 1);
    }

    #[test]
    fn decisions_want_number_title_and_headings() {
        let good = "# Title\n\n## Context\n\n## Choice\n\n## Consequence\n";
        assert!(decision("0002-x.md", 2, good).is_empty());
        assert_eq!(decision("0003-x.md", 2, good).len(), 1);
        assert_eq!(decision("0002-x.md", 2, "Title\n").len(), 2);
        assert_eq!(decision("0002-x.md", 2, &good.replace("Choice", "Consequence")).len(), 1);
    }
}
