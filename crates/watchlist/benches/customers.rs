//! How long it takes to read a provider's customers and make the tokens that are asked of them: rows of eight columns, one core.

use divan::{Bencher, counter::ItemsCount};
use matching::token::{identifier, name::EditSide};
use watchlist::{customers::Customers, sheet::Sheet};

fn main() {
    divan::main();
}

/// A table of customers of a Dutch hoster, invented by counting.
fn table(rows: u32) -> Vec<u8> {
    const FIRST: [&str; 12] =
        ["Bakkerij", "Snel", "Web", "Cloud", "Garage", "Praktijk", "Studio", "Noord", "Groen", "Data", "Bouw", "Fiets"];
    const LAST: [&str; 10] =
        ["Jansen", "de Vries", "Hosting", "Media", "van den Berg", "Advies", "Techniek", "Bakker", "Servers", "Design"];
    const CITY: [&str; 8] = ["Amsterdam", "Zwolle", "Utrecht", "'s-Gravenhage", "Eindhoven", "Groningen", "Breda", "Leeuwarden"];
    let of = |list: &[&'static str], at: u32| list.get(at as usize % list.len()).copied().unwrap_or_default();
    let mut text = String::from("klantnummer;bedrijfsnaam;kvk;e-mail;telefoon;website;plaats;land\n");
    for row in 0..rows {
        let (first, last) = (of(&FIRST, row), of(&LAST, row / 12));
        text += &format!(
            "{row};{first} {last} {} B.V.;{};info{row}@klant{row}.example;0{} {:07};https://www.klant{row}.example/;{};NL\n",
            row / 120,
            10_000_000 + row * 7 % 80_000_000,
            20 + row % 2 * 10,
            2_000_000 + row % 7_000_000,
            of(&CITY, row / 7),
        );
    }
    text.into_bytes()
}

/// All of it: the table's bytes to tokens.
#[divan::bench(args = [10_000, 1_000_000], sample_count = 1, sample_size = 1)]
fn table_to_tokens(bencher: Bencher<'_, '_>, rows: u32) {
    bencher.counter(ItemsCount::new(rows)).with_inputs(|| table(rows)).bench_values(|bytes| {
        let mut sheet = Sheet::open(bytes, "customers.csv").ok()?;
        let customers = Customers::read(&mut sheet, None).ok()?;
        Some(customers.filter_map(Result::ok).map(|customer| customer.tokens(EditSide::List, 30).len()).sum::<usize>())
    });
}

/// Without the tokens of names.
#[divan::bench(args = [100_000], sample_count = 3, sample_size = 1)]
fn table_to_customers(bencher: Bencher<'_, '_>, rows: u32) {
    bencher.counter(ItemsCount::new(rows)).with_inputs(|| table(rows)).bench_values(|bytes| {
        let mut sheet = Sheet::open(bytes, "customers.csv").ok()?;
        Some(Customers::read(&mut sheet, None).ok()?.filter_map(Result::ok).count())
    });
}

/// The rows alone.
#[divan::bench(args = [100_000], sample_count = 3, sample_size = 1)]
fn table_to_rows(bencher: Bencher<'_, '_>, rows: u32) {
    bencher.counter(ItemsCount::new(rows)).with_inputs(|| table(rows)).bench_values(|bytes| {
        let mut sheet = Sheet::open(bytes, "customers.csv").ok()?;
        Some(sheet.rows().ok()?.filter_map(Result::ok).count())
    });
}

/// One identifier of each class.
#[divan::bench(args = [
    ("kvk", "KvK 12 34 56 78"), ("vat", "NL004495445B01"), ("iban", "NL91 ABNA 0417 1643 00"), ("domain", "https://www.shop.example/x"),
    ("email", "info@shop.example"), ("phone", "020 123 4567"), ("crypto", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"), ("ipv4", "192.0.2.0/24"),
])]
fn one(bencher: Bencher<'_, '_>, (name, text): (&str, &str)) {
    let class = matching::token::Class::ALL.into_iter().find(|class| class.name() == name);
    bencher.bench(|| class.map(|class| identifier::of(class, divan::black_box(text))));
}
