//! What is true in the demo of the watchlist: whom the police list, who the customers of each provider are, and which of them are the same.

use std::fmt::Write as _;

use crate::demo::dice::Dice;

/// Names of resellers that nobody bears, with what they also call themselves.
const BRANDS: [(&str, &str); 38] = [
    ("Quornhaven", "Zwartsluik"),
    ("Obsidiaan", "Nachtbolder"),
    ("Vreemdwal", "Kelpmere"),
    ("Brackwind", "Drostveld"),
    ("Ravnsgaard", "Mirkvoort"),
    ("Tolvaris", "Sintelkade"),
    ("Wolkenbrek", "Ashpoort"),
    ("Holtarius", "Grimvaart"),
    ("Zilverdok", "Pekstroom"),
    ("Kobaltus", "Duinschim"),
    ("Mistralon", "Veenkroon"),
    ("Stormhulk", "Basaltia"),
    ("Krakelund", "Roethaven"),
    ("Donkermeer", "Lithoria"),
    ("Fjordexa", "Tarnwold"),
    ("Grauwhaven", "Ivoorden"),
    ("Harpuin", "Galgwater"),
    ("Ijzerlund", "Morsdijk"),
    ("Jadewijk", "Schervia"),
    ("Kwelzand", "Noordvos"),
    ("Lavendor", "Ondergrim"),
    ("Magnetiek", "Zeeduvel"),
    ("Nevelhorst", "Quartsio"),
    ("Oesterbank", "Turfgoot"),
    ("Palissade", "Wierhelm"),
    ("Rookpluim", "Draaikolk"),
    ("Saffraank", "Klipgeit"),
    ("Teerkuil", "Zoutnar"),
    ("Uilenspel", "Gruisberg"),
    ("Valkenoog", "Hekelaar"),
    ("Waanrijk", "Knoestig"),
    ("Yrsagard", "Vlamgras"),
    ("Zonderland", "Peilloos"),
    ("Aardmantel", "Schorwind"),
    ("Bliksemia", "Trosanker"),
    ("Cirkelgang", "Duimstok"),
    ("Drijfhout", "Eikvaren"),
    ("Eendracht Noord", "Fluitkruid"),
];
const TRADES: [&str; 24] = [
    "Bakkerij",
    "Garage",
    "Notaris",
    "Drukkerij",
    "Makelaardij",
    "Slagerij",
    "Bloemist",
    "Hoveniers",
    "Schildersbedrijf",
    "Rijschool",
    "Dierenarts",
    "Fysiotherapie",
    "Loodgieter",
    "Timmerbedrijf",
    "Autoschade",
    "Koffiebar",
    "Zeilschool",
    "Camping",
    "Meubelmakerij",
    "Lampenhuis",
    "Adviesbureau",
    "Webstudio",
    "Muziekschool",
    "Fietsenmaker",
];
const FAMILIES: [&str; 40] = [
    "van Dam",
    "de Boer",
    "Jansen",
    "Visser",
    "Dekker",
    "van Leeuwen",
    "Bos",
    "Mulder",
    "Kuipers",
    "Hoekstra",
    "Postma",
    "van Vliet",
    "Smit",
    "Brouwer",
    "Dijkstra",
    "Schouten",
    "Willems",
    "van den Berg",
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
    "Huisman",
    "Timmer",
    "Scholten",
    "Veldman",
    "Hendriks",
    "Kok",
    "Groen",
    "Vos",
    "Sanders",
    "Evers",
];
const TOWNS: [&str; 30] = [
    "Zwolle",
    "Almelo",
    "Breda",
    "Delft",
    "Ede",
    "Gouda",
    "Hoorn",
    "Kampen",
    "Leiden",
    "Meppel",
    "Nijmegen",
    "Oss",
    "Purmerend",
    "Roermond",
    "Sneek",
    "Tiel",
    "Utrecht",
    "Venlo",
    "Weert",
    "Zeist",
    "Assen",
    "Boxtel",
    "Culemborg",
    "Doetinchem",
    "Emmen",
    "Franeker",
    "Goes",
    "Haarlem",
    "Joure",
    "Lochem",
];
const FORMS: [&str; 5] = [" B.V.", " V.O.F.", "", " B.V.", " Holding B.V."];

/// The entry whose name an honest business has too.
pub(crate) const NAMESAKE: usize = 8;

/// Sizes of the providers: a few are large, most are small.
const SIZES: [usize; 24] = [
    32_000, 32_000, 16_000, 16_000, 16_000, 16_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000, 4_000, 4_000, 4_000, 4_000, 2_000,
    2_000, 1_000, 1_000, 1_000, 500, 250, 250,
];

/// One whom the police list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// What it calls itself first.
    pub(crate) name: String,
    pub(crate) aliases: [String; 2],
    pub(crate) site: String,
    pub(crate) mail: String,
}

/// How a customer is like an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Like {
    /// By its very name.
    Name,
    /// With one letter wrong.
    Typo,
    /// Under another legal form.
    Form,
    /// Under another name, with the domain name of the entry.
    Domain,
    /// An honest business that happens to be called the same.
    Namesake,
}

/// A customer who is, or seems, on the list.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) provider: usize,
    pub(crate) customer: String,
    pub(crate) entry: usize,
    pub(crate) like: Like,
}

/// The whole of it.
pub(crate) struct World {
    pub(crate) listed: Vec<Listed>,
    /// For each provider its name and how many customers it has.
    pub(crate) providers: Vec<(String, usize)>,
    pub(crate) planted: Vec<Planted>,
    seed: u64,
}

impl World {
    /// A world of this seed, with so many providers and about so many customers.
    pub(crate) fn new(seed: u64, providers: usize, customers: usize) -> World {
        let listed: Vec<Listed> = BRANDS
            .iter()
            .map(|(brand, other)| {
                let label = brand.replace(' ', "-").to_ascii_lowercase();
                Listed {
                    name: format!("{brand} Ltd"),
                    aliases: [(*other).to_owned(), format!("{brand} VPS")],
                    site: format!("{label}.example"),
                    mail: format!("sales@{label}.example"),
                }
            })
            .collect();
        let all: usize = SIZES.iter().take(providers).sum();
        let sizes = SIZES.iter().take(providers).map(|size| (size * customers / all.max(1)).max(50));
        let providers: Vec<(String, usize)> =
            sizes.enumerate().map(|(at, size)| (format!("Hoster {}", char::from(b'A' + at as u8 % 26)), size)).collect();
        let mut dice = Dice::new(seed ^ 0x51);
        let mut planted = Vec::new();
        // About every third provider has somebody who is listed; some have several.
        for (provider, (_, size)) in providers.iter().enumerate() {
            if provider % 3 != 0 {
                continue;
            }
            for (at, like) in [Like::Name, Like::Typo, Like::Form, Like::Domain].into_iter().enumerate() {
                if at == provider / 3 % 4 || at == (provider / 3 + 1) % 4 && *size > 2_000 {
                    planted.push(Planted { provider, customer: String::new(), entry: (provider * 5 + at * 11) % 38, like });
                }
            }
        }
        planted.push(Planted { provider: 1 % providers.len(), customer: String::new(), entry: NAMESAKE, like: Like::Namesake });
        for planted in &mut planted {
            let size = providers[planted.provider].1 as u64;
            planted.customer = number(planted.provider, dice.below(size) as usize);
        }
        World { listed, providers, planted, seed }
    }

    /// All customers together.
    pub(crate) fn customers(&self) -> usize {
        self.providers.iter().map(|(_, size)| size).sum()
    }

    /// The table of a provider's customers, as an export of its administration.
    pub(crate) fn table(&self, provider: usize) -> String {
        let mut dice = Dice::new(self.seed.wrapping_mul(1_000_003) ^ provider as u64);
        let mut text = String::from("klantnummer,bedrijfsnaam,kvk,domeinen,land\n");
        for at in 0..self.providers[provider].1 {
            let id = number(provider, at);
            let town = dice.pick(&TOWNS);
            let name = match dice.below(4) {
                0 => format!("{} {} {town}", dice.pick(&TRADES), dice.pick(&FAMILIES)),
                1 => format!("{} {} & {}", dice.pick(&TRADES), dice.pick(&FAMILIES), dice.pick(&FAMILIES)),
                2 => format!("{} {} {}", dice.pick(&FAMILIES), dice.pick(&TRADES), 1 + dice.below(99)),
                _ => format!("{} {}", dice.pick(&TRADES), dice.pick(&FAMILIES)),
            };
            let name = format!("{name}{}", dice.pick(&FORMS));
            let kvk = 10_000_000 + dice.below(80_000_000);
            let domain = format!("{}-{provider}-{at}.example", slug(&name));
            let (name, domain, land) = match self.planted.iter().find(|planted| planted.customer == id) {
                Some(planted) => self.planted_row(planted, domain),
                None => (name, domain, "NL"),
            };
            // Writing to a string cannot fail.
            let _ =
                writeln!(text, "{id},\"{name}\",{},{domain},{land}", if at % 2 == 0 { kvk.to_string() } else { String::new() });
        }
        text
    }

    fn planted_row(&self, planted: &Planted, domain: String) -> (String, String, &'static str) {
        let listed = &self.listed[planted.entry];
        let brand = BRANDS[planted.entry].0;
        match planted.like {
            Like::Name => (listed.name.clone(), domain, "SC"),
            Like::Typo => {
                let mut letters: Vec<char> = brand.chars().collect();
                letters.swap(2, 3);
                (format!("{} VPS", letters.into_iter().collect::<String>()), domain, "SC")
            }
            Like::Form => (format!("{brand} LLC"), domain, "SC"),
            Like::Domain => ("Kantoor aan de Kade B.V.".to_owned(), format!("shop.{}", listed.site), "NL"),
            Like::Namesake => (format!("{brand} B.V."), domain, "NL"),
        }
    }
}

fn number(provider: usize, at: usize) -> String {
    format!("{}-{:05}", char::from(b'A' + provider as u8 % 26), at + 1)
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}
