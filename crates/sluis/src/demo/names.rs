//! Names that sound right and belong to nobody.

use std::collections::HashSet;

use super::dice::Dice;

const TRADES: [&str; 32] = [
    "Bakkerij",
    "Fietsenmaker",
    "Slagerij",
    "Bloemist",
    "Tandarts",
    "Notaris",
    "Drukkerij",
    "Kapsalon",
    "Garage",
    "Makelaar",
    "Hoveniers",
    "Schilders",
    "Boekhandel",
    "Kaashandel",
    "Rijschool",
    "Dierenarts",
    "Fysio",
    "Loodgieter",
    "Timmerbedrijf",
    "Autoschade",
    "Wijnkoperij",
    "Koffiebar",
    "Zeilschool",
    "Camping",
    "Textiel",
    "Meubels",
    "Lampenhuis",
    "Speelgoed",
    "Advies",
    "Studio",
    "Muziekschool",
    "Architect",
];
const FAMILIES: [&str; 30] = [
    "Van Dam",
    "De Boer",
    "Jansen",
    "Visser",
    "Dekker",
    "Van Leeuwen",
    "Bos",
    "Mulder",
    "Kuipers",
    "Hoekstra",
    "Postma",
    "Van Vliet",
    "Smit",
    "Brouwer",
    "Dijkstra",
    "Schouten",
    "Willems",
    "Van den Berg",
    "Maas",
    "Verhoeven",
    "Koster",
    "Prins",
    "Bosman",
    "Wolters",
    "Zijlstra",
    "Kramer",
    "Veenstra",
    "Blom",
    "Peeters",
    "Molenaar",
];
const MOODS: [&str; 10] = ["Rapid", "Lucky", "Night", "Turbo", "Silent", "Blue", "Prime", "Hidden", "Fast", "Global"];
const WARES: [&str; 8] = ["Proxy", "Mailer", "Promo", "Stream", "Nodes", "Media", "Panel", "Traffic"];

/// Gives names, none of them twice.
#[derive(Debug, Default)]
pub(crate) struct Names {
    given: HashSet<String>,
}

impl Names {
    /// The name of an honest business.
    pub(crate) fn honest(&mut self, dice: &mut Dice) -> String {
        self.new_name(dice, |dice| format!("{} {}", dice.pick(&TRADES), dice.pick(&FAMILIES)))
    }

    /// A name behind which there may be anybody.
    pub(crate) fn odd(&mut self, dice: &mut Dice) -> String {
        self.new_name(dice, |dice| format!("{} {} {}", dice.pick(&MOODS), dice.pick(&WARES), 10 + dice.below(90)))
    }

    fn new_name(&mut self, dice: &mut Dice, make: impl Fn(&mut Dice) -> String) -> String {
        loop {
            let name = make(dice);
            // The numbers behind the names of a world are far fewer than there are names.
            if self.given.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A name as a label of a domain name.
pub(crate) fn slug(name: &str) -> String {
    name.chars()
        .filter_map(|c| if c == ' ' { Some('-') } else { c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()) })
        .collect()
}
