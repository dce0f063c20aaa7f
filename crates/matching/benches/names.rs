//! How fast names become tokens, on one core: at a provider, and at a list holder.
//!
//! `cargo bench -p matching --bench names`; the figure is names per second.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use matching::compare::compare;
use matching::token::name::{EditSide, LEAST_RARITY, Name, asked, listed};

fn main() {
    divan::main();
}

/// Names of our own, as customers write them: one in eight with letters beyond ASCII.
fn names(n: usize) -> Vec<String> {
    const FIRST: [&str; 16] = [
        "Waterhoen",
        "Zilvermeeuw",
        "Van den Berg",
        "Grutto",
        "J. Jansen",
        "De Blauwe Reiger",
        "Kluut",
        "Müller",
        "Lepelaar",
        "A&B",
        "Wulp",
        "Scholekster",
        "Ćma",
        "Tureluur",
        "Kievit & Zonen",
        "Kemphaan",
    ];
    const SECOND: [&str; 9] =
        ["Hosting", "Media", "Bouw", "Advies", "Webdesign", "", "Telecom Services", "Makelaars", "Internet"];
    const THIRD: [&str; 7] = ["B.V.", "BV", "V.O.F.", "", "(Nederland) B.V.", "GmbH & Co. KG", "Ltd"];
    let pick = |from: &[&'static str], n: usize| from.get(n % from.len()).copied().unwrap_or_default();
    (0..n)
        .map(|at| {
            format!(
                "{} {} {} {}",
                pick(&FIRST, at),
                pick(&SECOND, at / 3),
                if at % 5 == 0 { "Noord" } else { "" },
                pick(&THIRD, at / 2)
            )
        })
        .collect()
}

#[divan::bench]
fn normalised(bencher: Bencher) {
    let names = names(10_000);
    bencher.counter(ItemsCount::new(names.len())).bench(|| names.iter().filter_map(|name| Name::of(black_box(name))).count());
}

#[divan::bench(args = [EditSide::List, EditSide::Both])]
fn asked_of_a_provider(bencher: Bencher, edit: EditSide) {
    let names = names(10_000);
    bencher.counter(ItemsCount::new(names.len())).bench(|| {
        let tokens = |name: &String| Name::of(black_box(name)).map_or(0, |name| asked(&name, None, edit, LEAST_RARITY).len());
        names.iter().map(tokens).sum::<usize>()
    });
}

#[divan::bench(args = [EditSide::List, EditSide::Both])]
fn listed_by_the_holder(bencher: Bencher, edit: EditSide) {
    let names = names(100);
    bencher.counter(ItemsCount::new(names.len())).bench(|| {
        let tokens = |name: &String| Name::of(black_box(name)).map_or(0, |name| listed(&name, None, edit, LEAST_RARITY).len());
        names.iter().map(tokens).sum::<usize>()
    });
}

#[divan::bench]
fn compared(bencher: Bencher) {
    let names = names(1_000);
    bencher.counter(ItemsCount::new(names.len())).bench(|| {
        names.iter().map(|name| u64::from(compare(black_box(name), &["Waterhoen Hosting Noord B.V."]).score)).sum::<u64>()
    });
}
