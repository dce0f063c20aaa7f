//! How alike a customer and an entry are, once the entry is open: for the person who decides. Nothing here decides.
//!
//! A token opens an entry because two names share it; whether they are alike is measured here, on this machine, by the indel ratio of the
//! words that are compared (rapidfuzz), and told as data: which words agree, which differ, what else is known of both.

use rapidfuzz::fuzz;

use crate::token::name::{Name, Place};

/// From this score on a likeness is likely.
pub const LIKELY: u8 = 92;
/// From this score on a likeness is possible.
pub const POSSIBLE: u8 = 85;
/// A name of fewer letters is likely only when all of them agree: one other letter makes it another abbreviation.
const FEW: usize = 5;

/// What the comparison of names comes to. It is advice on where to look first, never a ground to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The names are not alike: below [`POSSIBLE`], or there is nothing to compare.
    No,
    /// They may be the same: from [`POSSIBLE`], or more with a doubt that [`Part`] names.
    Possible,
    /// They are as good as equal: from [`LIKELY`].
    Likely,
}

/// One part of the explanation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Both have the same words, perhaps in another order.
    SameWords,
    /// Both have the same letters in the same order; blanks or hyphens differ.
    SameLetters,
    /// The words differ by habits of spelling alone: y for i, kh for h, one letter for two. At least possible.
    Spelling,
    /// Some words differ: see [`Likeness::customer_only`] and [`Likeness::listed_only`].
    WordsDiffer,
    /// Words with digits, or Roman numbers, differ: often another company of one series. Never more than possible.
    NumbersDiffer,
    /// The names have so few letters that one other letter makes another name. Never more than possible.
    FewLetters,
    /// The legal forms differ: those of the customer, those of the listed name.
    FormsDiffer(Vec<&'static str>, Vec<&'static str>),
    /// The customer's name has nothing that can be compared.
    CustomerUnread,
    /// None of the listed names has.
    ListedUnread,
}

/// How alike a customer's name and the nearest of an entry's names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 100: the indel ratio of the sorted words or of the joined ones, whichever is higher, rounded down.
    pub score: u8,
    /// What that comes to.
    pub verdict: Verdict,
    /// Which of the listed names is meant, counted from 0; none when there was nothing to compare.
    pub listed: Option<usize>,
    /// Words that both have, sorted.
    pub common: Vec<String>,
    /// Words that only the customer has, sorted.
    pub customer_only: Vec<String>,
    /// Words that only the listed name has, sorted.
    pub listed_only: Vec<String>,
    /// Why, as data.
    pub parts: Vec<Part>,
}

/// Compares a customer's name with all names of one entry: the nearest counts, the first of equals.
#[must_use]
pub fn compare(customer: &str, listed: &[&str]) -> Likeness {
    let Some(customer) = Name::of(customer) else { return nothing(Part::CustomerUnread) };
    let mut best: Option<Likeness> = None;
    for (at, name) in listed.iter().enumerate() {
        let Some(name) = Name::of(name) else { continue };
        let one = alike(&customer, &name, at);
        if best.as_ref().is_none_or(|best| (one.verdict, one.score) > (best.verdict, best.score)) {
            best = Some(one);
        }
    }
    best.unwrap_or_else(|| nothing(Part::ListedUnread))
}

/// The indel ratio of two names, 0 to 100, rounded down: of their sorted words or of their joined ones, whichever is higher.
#[must_use]
pub fn score(a: &Name, b: &Name) -> u8 {
    let ratio = |a: &str, b: &str| fuzz::ratio(a.bytes(), b.bytes());
    let ratio = ratio(&a.sorted(), &b.sorted()).max(ratio(&a.joined(), &b.joined()));
    // A ratio that is not quite one is not quite a hundred; the small addition only mends what binary fractions lose.
    (ratio * 100.0 + 1e-9).clamp(0.0, 100.0) as u8
}

fn nothing(part: Part) -> Likeness {
    Likeness {
        score: 0,
        verdict: Verdict::No,
        listed: None,
        common: Vec::new(),
        customer_only: Vec::new(),
        listed_only: Vec::new(),
        parts: vec![part],
    }
}

fn alike(customer: &Name, listed: &Name, at: usize) -> Likeness {
    let score = score(customer, listed);
    let (common, customer_only, listed_only) = words(customer, listed);
    let mut parts = Vec::new();
    let same_words = customer_only.is_empty() && listed_only.is_empty();
    let same_letters = customer.joined() == listed.joined();
    if same_words {
        parts.push(Part::SameWords);
    } else if same_letters {
        parts.push(Part::SameLetters);
    } else {
        parts.push(Part::WordsDiffer);
    }
    let same = same_words || same_letters;
    let mut doubt = false;
    if !same && numbers(&customer_only) != numbers(&listed_only) {
        parts.push(Part::NumbersDiffer);
        doubt = true;
    }
    if !same && customer.joined().len().min(listed.joined().len()) < FEW {
        parts.push(Part::FewLetters);
        doubt = true;
    }
    let (ours, theirs) = (customer.forms(), listed.forms());
    if !ours.is_empty() && !theirs.is_empty() && !ours.iter().any(|form| theirs.contains(form)) {
        parts.push(Part::FormsDiffer(ours, theirs));
    }
    let spelling = !same && customer.spelt().is_some() && customer.spelt() == listed.spelt();
    if spelling {
        parts.push(Part::Spelling);
    }
    let verdict = match score {
        LIKELY.. if !doubt => Verdict::Likely,
        POSSIBLE.. => Verdict::Possible,
        _ if spelling => Verdict::Possible,
        _ => Verdict::No,
    };
    Likeness { score, verdict, listed: Some(at), common, customer_only, listed_only, parts }
}

/// Words of both, of the customer alone, of the listed name alone; each as often as it is there.
fn words(customer: &Name, listed: &Name) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut left: Vec<String> = listed.words().to_vec();
    left.sort_unstable();
    let (mut common, mut only) = (Vec::new(), Vec::new());
    for word in customer.words() {
        match left.binary_search(word) {
            Ok(at) => common.push(left.remove(at)),
            Err(_) => only.push(word.clone()),
        }
    }
    common.sort_unstable();
    only.sort_unstable();
    (common, only, left)
}

/// The words that count something: with a digit, or a Roman number of a series ("Trust II", "Fund IX").
fn numbers(words: &[String]) -> Vec<&str> {
    const ROMAN: [&str; 17] =
        ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xx"];
    let counts = |word: &&str| word.bytes().any(|byte| byte.is_ascii_digit()) || ROMAN.contains(word);
    words.iter().map(String::as_str).filter(counts).collect()
}

/// Something that may be known of a customer and of an entry beside their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The country.
    Country,
    /// The city.
    City,
    /// The postal code with its country.
    PostalCode,
    /// Domain names.
    DomainName,
    /// Phone numbers.
    Phone,
}

/// What a fact says of whether both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// It is the same of both.
    Agrees,
    /// It is known of both, and differs.
    Differs,
    /// It is not known of both.
    Unknown,
}

/// One fact and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Which fact.
    pub fact: Fact,
    /// What it says.
    pub says: Says,
}

/// What is known of a customer or of an entry beside its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Where it is, as far as known.
    pub place: Option<&'a Place>,
    /// Its domain names, in canonical form.
    pub domains: &'a [&'a str],
    /// Its phone numbers, in canonical form (E.164 digits).
    pub phones: &'a [&'a str],
}

/// What else speaks for or against a likeness, in the order of [`Fact`]. One domain name or phone number in common agrees.
#[must_use]
pub fn evidence(customer: &Facts<'_>, listed: &Facts<'_>) -> Vec<Evidence> {
    let of_place = |read: fn(&Place) -> Option<String>| {
        says(customer.place.and_then(read).as_slice(), listed.place.and_then(read).as_slice(), |a, b| a == b)
    };
    let same = |a: &&str, b: &&str| a.eq_ignore_ascii_case(b);
    [
        (Fact::Country, of_place(country)),
        (Fact::City, of_place(Place::city_core)),
        (Fact::PostalCode, of_place(Place::postal_core)),
        (Fact::DomainName, says(customer.domains, listed.domains, same)),
        (Fact::Phone, says(customer.phones, listed.phones, same)),
    ]
    .into_iter()
    .map(|(fact, says)| Evidence { fact, says })
    .collect()
}

fn country(place: &Place) -> Option<String> {
    let code = place.country.iter().all(u8::is_ascii_alphabetic).then_some(place.country)?;
    Some(code.iter().map(|byte| char::from(byte.to_ascii_uppercase())).collect())
}

fn says<T>(customer: &[T], listed: &[T], same: impl Fn(&T, &T) -> bool) -> Says {
    if customer.is_empty() || listed.is_empty() {
        Says::Unknown
    } else if customer.iter().any(|a| listed.iter().any(|b| same(a, b))) {
        Says::Agrees
    } else {
        Says::Differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_a_person_would() {
        use Verdict::{Likely, No, Possible};
        for (customer, listed, verdict, why) in [
            ("Waterhoen Hosting B.V.", &["Hosting Waterhoen BV"][..], Likely, "another order"),
            ("Water-hoen Hosting", &["Waterhoen Hosting N.V."], Likely, "a hyphen and a legal form"),
            ("Waterhoen Hosting", &["Tulp", "Waterhoen Hostng"], Likely, "a letter less in the second name"),
            ("Waterhoen Fonds II", &["Waterhoen Fonds III"], Possible, "another number of a series"),
            ("Waterhoen 2024", &["Waterhoen 2025"], Possible, "another year"),
            ("Waterhoen Hosting", &["Zilvermeeuw Hosting"], No, "one word in common"),
            ("Cryogentehnik", &["Kriogentekhnik"], Possible, "habits of spelling"),
            ("ABC", &["ABD"], No, "few letters"),
            ("---", &["Tulp"], No, "nothing to compare"),
            ("Tulp", &["", "🌷"], No, "nothing to compare with"),
            ("Tulp", &[], No, "no names"),
        ] {
            let found = compare(customer, listed);
            assert_eq!(found.verdict, verdict, "{why}: {found:?}");
        }
    }

    #[test]
    fn the_explanation_names_words_and_forms() {
        let found = compare("Stichting Waterhoen Noord", &["Tulp", "Waterhoen Zuid B.V."]);
        assert_eq!(found.listed, Some(1));
        assert_eq!((found.common.join(" "), found.customer_only.join(" ")), ("waterhoen".into(), "noord".into()));
        assert_eq!(found.listed_only, ["zuid"]);
        assert_eq!(found.parts, [Part::WordsDiffer, Part::FormsDiffer(vec!["Stichting"], vec!["B.V."])]);
        assert_eq!(compare("", &["x"]).parts, [Part::CustomerUnread]);
        assert_eq!(compare("x", &[""]).parts, [Part::ListedUnread]);
    }

    #[test]
    fn facts_agree_differ_or_are_unknown() {
        let place = |city: &str, postal: Option<&str>| Place {
            country: *b"nl",
            city: Some(city.to_owned()),
            postal: postal.map(str::to_owned),
        };
        let (hague, delft) = (place("'s-Gravenhage", Some("2511 AB")), place("Den Haag", None));
        let customer = Facts { place: Some(&hague), domains: &["tulp.example"], phones: &["31201234567"] };
        let listed = Facts { place: Some(&delft), domains: &["a.example", "TULP.example"], phones: &["31207654321"] };
        let says: Vec<Says> = evidence(&customer, &listed).iter().map(|one| one.says).collect();
        assert_eq!(says, [Says::Agrees, Says::Agrees, Says::Unknown, Says::Agrees, Says::Differs]);
    }
}
