//! What is measured, and the floors that must hold.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use matching::compare::{self, POSSIBLE};
use matching::token::Token;
use matching::token::name::{EditSide, Name, asked, listed, rarity_bits};

use super::data::{Chance, Data};

/// Two names of one organisation are variants of each other from this score of their words on; below it they are other words (a
/// translation, an abbreviation), which a list must name as aliases.
const VARIANT: u8 = 80;
/// How many names are changed by chance.
const CHANGED: usize = 3_000;
/// How many customers, against how many listed names.
const CUSTOMERS: usize = 12_000;
const LISTED: usize = 1_000;
/// The seed of all choices.
const SEED: u64 = 7;
/// Legal forms that a name is given instead of its own.
const FORMS: [&str; 20] = [
    "B.V.",
    "BV",
    "N.V.",
    "V.O.F.",
    "Ltd.",
    "Limited",
    "LLC",
    "L.L.C.",
    "Inc.",
    "GmbH",
    "GmbH & Co. KG",
    "AG",
    "S.A.",
    "S.r.l.",
    "Sp. z o.o.",
    "OOO",
    "s.r.o.",
    "UAB",
    "A/S",
    "Co., Ltd.",
];

/// Shares of what was found or opened, in percent.
struct Figures {
    tokens: f64,
    records: f64,
    all: f64,
    variant: f64,
    typo: f64,
    form: f64,
    opens: f64,
    other_name: f64,
    dissimilar: usize,
    labelled: (f64, f64),
}

pub(super) fn run(data: &Data, out: &mut dyn Write) -> anyhow::Result<bool> {
    let bits = rarity_bits(CUSTOMERS as u64, LISTED as u64);
    writeln!(
        out,
        "Names: one name of each pair is listed, the other is the customer. At least {bits} bits for the words but one."
    )?;
    writeln!(
        out,
        "{} pairs, {} of them variants (score of the words at least {VARIANT}); {} customers against {} listed names.\n",
        data.pairs.len(),
        data.pairs.iter().filter(|pair| is_variant(&pair.name, &pair.alias)).count(),
        data.customers.len().min(CUSTOMERS),
        data.names().len().min(LISTED),
    )?;
    writeln!(
        out,
        "| edits | asked a name | published a name | all | variant | typo | legal form | open at least one | of these another name | dissimilar | labelled: found, wrongly |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    let mut held = true;
    for edit in [EditSide::List, EditSide::Both] {
        let f = measure(data, edit, bits);
        writeln!(
            out,
            "| {} | {:.1} | {:.0} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.3} % | {:.3} % | {} | {:.1} %, {:.1} % |",
            edit.name(),
            f.tokens,
            f.records,
            f.all,
            f.variant,
            f.typo,
            f.form,
            f.opens,
            f.other_name,
            f.dissimilar,
            f.labelled.0,
            f.labelled.1,
        )?;
        held &= f.variant >= 78.0 && f.typo >= 93.0 && f.form >= 99.0 && f.opens <= 0.1 && f.dissimilar == 0;
    }
    let held_text = if held { "held" } else { "NOT held" };
    writeln!(out, "\nFloors (variant 78, typo 93, legal form 99, open 0.1 at most, dissimilar 0): {held_text}.")?;
    writeln!(out, "0 of {CUSTOMERS} is less than 0.025 % with 95 % confidence.")?;
    Ok(held)
}

fn share(of: usize, all: usize) -> f64 {
    100.0 * of as f64 / all.max(1) as f64
}

fn measure(data: &Data, edit: EditSide, bits: u32) -> Figures {
    let tokens = data.names().into_iter().map(|name| (name, tokens(name, edit, bits))).collect::<HashMap<_, _>>();
    let found = |customer: &str, name: &str| tokens.get(name).is_some_and(|tokens| opens(customer, tokens, edit, bits));
    let records = share(tokens.values().map(HashSet::len).sum(), tokens.len()) / 100.0;
    let all = data.pairs.iter().filter(|pair| found(&pair.alias, &pair.name)).count();
    let variants: Vec<_> = data.pairs.iter().filter(|pair| is_variant(&pair.name, &pair.alias)).collect();
    let variant = variants.iter().filter(|pair| found(&pair.alias, &pair.name)).count();
    let names = data.names();
    let mut chance = Chance(SEED);
    let changed: Vec<&str> = (0..CHANGED).filter_map(|_| names.get(chance.below(names.len())).copied()).collect();
    let typo = changed.iter().filter(|name| found(&chance.typo(name), name)).count();
    let form = changed.iter().filter(|name| found(&other_form(name, &mut chance), name)).count();
    let same: Vec<_> = data.labelled.iter().filter(|(_, same)| *same).collect();
    let other: Vec<_> = data.labelled.iter().filter(|(_, same)| !*same).collect();
    let labelled = |pairs: &[&(super::data::Pair, bool)]| {
        let opened = pairs.iter().filter(|(pair, _)| opens(&pair.name, &self::tokens(&pair.alias, edit, bits), edit, bits));
        share(opened.count(), pairs.len())
    };

    let mut list: HashMap<&Token, Vec<&str>> = HashMap::new();
    for name in chance.some(&names, LISTED) {
        for token in tokens.get(name).into_iter().flatten() {
            list.entry(token).or_default().push(name);
        }
    }
    let customers: Vec<&str> = data.customers.iter().map(String::as_str).collect();
    let (mut sent, mut opened, mut other_name, mut dissimilar) = (0, 0, 0, 0);
    let customers = chance.some(&customers, CUSTOMERS);
    for customer in &customers {
        let Some(name) = Name::of(customer) else { continue };
        let asked = asked(&name, None, edit, bits);
        sent += asked.len();
        let entries: HashSet<&str> = asked.iter().filter_map(|token| list.get(token)).flatten().copied().collect();
        let scores: Vec<(u8, &str)> = entries.iter().map(|entry| (compare::compare(customer, &[entry]).score, *entry)).collect();
        opened += usize::from(!scores.is_empty());
        other_name += usize::from(scores.iter().any(|(score, _)| *score < 100));
        dissimilar += usize::from(scores.iter().any(|(score, _)| *score < POSSIBLE));
    }
    Figures {
        records,
        tokens: sent as f64 / customers.len().max(1) as f64,
        all: share(all, data.pairs.len()),
        variant: share(variant, variants.len()),
        typo: share(typo, changed.len()),
        form: share(form, changed.len()),
        opens: share(opened, customers.len()),
        other_name: share(other_name, customers.len()),
        dissimilar,
        labelled: (labelled(&same), labelled(&other)),
    }
}

/// What is published of a name.
fn tokens(name: &str, edit: EditSide, bits: u32) -> HashSet<Token> {
    Name::of(name).iter().flat_map(|name| listed(name, None, edit, bits)).map(|(token, _)| token).collect()
}

/// Whether a customer of this name opens an entry of those tokens.
fn opens(customer: &str, tokens: &HashSet<Token>, edit: EditSide, bits: u32) -> bool {
    Name::of(customer).is_some_and(|customer| asked(&customer, None, edit, bits).iter().any(|token| tokens.contains(token)))
}

fn is_variant(a: &str, b: &str) -> bool {
    matches!((Name::of(a), Name::of(b)), (Some(a), Some(b)) if compare::score(&a, &b) >= VARIANT)
}

/// The name with another legal form at its end: instead of its own, when that is its last part, else behind it.
fn other_form(name: &str, chance: &mut Chance) -> String {
    let whole = Name::of(name).map(|name| name.joined());
    let words: Vec<&str> = name.split_whitespace().collect();
    // The fewest words that say the same name: what is left off the end, one word or several, was the legal form.
    let says = |count: &usize| Name::of(&words[..*count].join(" ")).map(|name| name.joined()) == whole;
    let count = (1..words.len()).find(says).unwrap_or(words.len());
    let form = FORMS.get(chance.below(FORMS.len())).copied().unwrap_or_default();
    format!("{} {form}", words[..count].join(" ").trim_end_matches([',', ' ']))
}

#[cfg(test)]
mod tests {
    use matching::token::name::LEAST_RARITY;

    use super::*;

    #[test]
    fn a_legal_form_is_exchanged_not_added() {
        let changed = other_form("TULP HANDEL, LIMITED LIABILITY COMPANY", &mut Chance(1));
        assert!(changed.starts_with("TULP HANDEL ") && !changed.contains("LIABILITY"), "{changed}");
        assert!(opens("Tulp Handle", &tokens("Tulp Handel", EditSide::List, LEAST_RARITY), EditSide::List, LEAST_RARITY));
    }
}
