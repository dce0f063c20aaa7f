//! Tables of customers as programs and people write them, and everything that must not be left out in silence.

use super::*;

const NL: &[u8] = include_bytes!("../../fixtures/customers/invoicing-nl.csv");
const EN: &[u8] = include_bytes!("../../fixtures/customers/reseller-en.csv");
const PEOPLE: &[u8] = include_bytes!("../../fixtures/customers/people.csv");

fn read(bytes: &[u8], map: Option<&Map>) -> (Vec<Customer>, Outcome) {
    let mut sheet = Sheet::open(bytes.to_vec(), "customers.csv").unwrap();
    let mut customers = Customers::read(&mut sheet, map).unwrap();
    let all = customers.by_ref().map(Result::unwrap).collect();
    (all, customers.into_outcome())
}

/// The identifiers of a customer, for people.
fn told(customer: &Customer) -> Vec<String> {
    let text = |token: &Token| match std::str::from_utf8(token.bytes()) {
        Ok(text) if text.chars().all(|letter| !letter.is_control()) => text.to_owned(),
        _ => token.bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    customer.identifiers.iter().map(|(class, token)| format!("{} {}", class.name(), text(token))).collect()
}

fn rejects(outcome: &Outcome) -> Vec<String> {
    outcome.rejects.iter().map(|reject| format!("{} {} {}", reject.place, reject.meaning.name(), reject.why.code())).collect()
}

#[test]
fn an_export_of_an_invoicing_program() {
    let (customers, outcome) = read(NL, None);
    assert_eq!(outcome.above, 1);
    assert_eq!(outcome.unknown().map(|column| column.header.as_str()).collect::<Vec<_>>(), ["Accountmanager"]);
    let by_id = |id: &str| customers.iter().find(|customer| customer.id == id).unwrap();
    let aap = by_id("1001");
    assert_eq!((aap.row, aap.country, aap.city.as_deref()), (3, Some(*b"NL"), Some("Amsterdam")));
    assert_eq!(aap.names, ["Aap Hosting B.V."]);
    let expected = [
        "kvk 12345678",
        "vat NL004495445B01",
        "domain aap.example",
        "host www.aap.example",
        "email info@aap.example",
        "phone 31201234567",
    ];
    assert_eq!(told(aap), expected);
    assert_eq!(told(by_id("1002")), ["kvk 01234567", "domain noot.example", "domain noot.pages.dev", "email noot@gmail.com"]);
    // A Belgian number in the column of the Dutch register is a Belgian number, and Belgian phones have no country before them in Belgium.
    let mies =
        ["registry BE:0203201340", "vat BE0203201340", "domain mies.example", "email mies@mies.example", "phone 3225551212"];
    assert_eq!(told(by_id("1003")), mies);
    assert_eq!(customers[3].names, ["Wim", "Zus Servers"]);
    assert_eq!(told(by_id("1005")), ["vat DE136695976", "domain jet.example", "email jet@jet.example", "phone 4930123456"]);
    assert_eq!(
        rejects(&outcome),
        ["C6 kvk length", "B7 name no-name", "C8 kvk nobody", "I9 country country-name", "E9 email form"]
    );
    assert_eq!(outcome.duplicates, [(6, 5)]);
    assert_eq!((outcome.customers, outcome.silenced, &outcome.silent[..]), (7, 1, &[7][..]));
}

#[test]
fn a_table_of_resellers_with_networks() {
    let (customers, outcome) = read(EN, None);
    assert_eq!(customers[0].names, ["Example Networks Ltd", "Fast Hosting", "Faster Hosting"]);
    let told = told(&customers[0]);
    // The held /23 with the seven that cover it down to /16, the held /40 with eight down to /32, the address alone.
    assert_eq!(told.iter().filter(|line| line.starts_with("ipv4")).count(), 8 + 1);
    assert_eq!(told.iter().filter(|line| line.starts_with("ipv6")).count(), 9);
    assert!(told.contains(&"registry GB:01234567".to_owned()) && told.contains(&"telegram example_networks".to_owned()));
    assert_eq!(outcome.rejected.values().sum::<u64>(), 5);
    assert_eq!((customers[1].id.as_str(), outcome.without_id), ("row 3", 1));
    assert_eq!(outcome.rejects[0].place, "F3", "a row is counted as a spreadsheet counts it, whatever line breaks are within");
    assert_eq!(outcome.unknown().map(|column| column.header.as_str()).collect::<Vec<_>>(), ["notes"]);
}

#[test]
fn a_person_without_a_company_is_compared_by_name() {
    let (customers, outcome) = read(PEOPLE, None);
    assert_eq!(customers[0].names, ["Jan van der Berg"]);
    assert_eq!(customers[0].place().map(|place| place.country), Some(*b"NL"));
    assert_eq!(told(&customers[0]), ["iban NL91ABNA0417164300"]);
    // A last name alone is nobody's.
    assert_eq!(customers[1].names, [""; 0]);
    assert_eq!((rejects(&outcome), &outcome.silent[..]), (vec!["G3 iban checksum".to_owned()], &[3][..]));
}

#[test]
fn tokens_are_each_once_and_have_names_and_places() {
    let (customers, _) = read(NL, None);
    let tokens = customers[0].tokens(EditSide::List, 26);
    let classes = |class: Class| tokens.iter().filter(|token| token.class() == class).count();
    assert!(classes(Class::Kvk) == 1 && classes(Class::NameJoined) >= 1);
    assert!(tokens.len() > customers[0].identifiers.len());
    let mut sorted = tokens.clone();
    sorted.dedup();
    assert_eq!(sorted, tokens);
}

#[test]
fn a_map_says_what_nobody_else_knows() {
    let map =
        Map::read("country = \"België\"\n[columns]\n\"Deb.\" = \"id\"\n\"Wie\" = \"name\"\n\"KvK\" = \"ignore\"\n").unwrap();
    let (customers, outcome) = read(b"Deb.,Wie,KvK,Telefoon\nA1,Aap,12345678,02 555 12 12\n", Some(&map));
    assert_eq!((customers[0].id.as_str(), told(&customers[0])), ("A1", vec!["phone 3225551212".to_owned()]));
    assert_eq!(outcome.rejects, []);
    let mut sheet = Sheet::open(b"Deb.,Naam\n1,Aap\n".to_vec(), "").unwrap();
    assert_eq!(Customers::read(&mut sheet, Some(&map)).err(), Some(NoCustomers::NotThere("KvK".to_owned())));
    for (text, why) in [("[columns]\n\"a\" = \"nmae\"", "nmae"), ("country = \"Atlantis\"", "Atlantis"), ("colums = 1", "colums")]
    {
        assert!(Map::read(text).unwrap_err().to_string().contains(why), "{text}");
    }
}

#[test]
fn a_number_in_the_dutch_column_is_of_the_register_that_it_can_be_of() {
    let cases = [
        ("NL", "12345678", "kvk 12345678"),
        ("", "12345678", "kvk 12345678"),
        ("DK", "13585628", "registry DK:13585628"),
        ("DK", "12345678", "kvk 12345678"),
        ("GB", "12345678", "registry GB:12345678"),
        ("GB", "KvK 12345678", "kvk 12345678"),
        ("US", "12345678", "kvk 12345678"),
        ("US", "C1234567", "registry US:C1234567"),
        ("BE", "0203.201.340", "registry BE:0203201340"),
    ];
    for (country, number, expected) in cases {
        let (customers, outcome) = read(format!("naam,land,kvk\nAap,{country},{number}\n").as_bytes(), None);
        assert_eq!(told(&customers[0]), [expected], "{country} {number} {outcome:?}");
    }
}

#[test]
fn a_company_may_be_called_nothing() {
    let (customers, outcome) = read(b"id,naam,kvk\n1,Nil,nil\n2,n.v.t.,n.v.t.\n", None);
    assert_eq!(
        (customers[0].names.as_slice(), &outcome.silent[..], outcome.rejects.len()),
        (["Nil".to_owned()].as_slice(), &[3][..], 0)
    );
}

#[test]
fn a_table_without_known_columns_is_refused() {
    for bytes in [&b"1001;Aap;12345678\n"[..], b"foo,bar\n1,2\n", b"id,plaats,land\n1,Zwolle,NL\n"] {
        let mut sheet = Sheet::open(bytes.to_vec(), "").unwrap();
        assert!(matches!(Customers::read(&mut sheet, None).err(), Some(NoCustomers::NoColumns(_))));
    }
}

#[test]
fn an_xlsx_gives_what_its_csv_gives() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let mut csv = Sheet::open(NL.to_vec(), "").unwrap();
    for row in csv.rows().unwrap().map(Result::unwrap) {
        for (column, text) in row.cells().enumerate().filter(|(_, text)| !text.is_empty()) {
            sheet.write(row.number() - 1, u16::try_from(column).unwrap(), text).unwrap();
        }
    }
    // A number as a number, its leading zero gone.
    sheet.write(3, 2, 1234567.0).unwrap();
    let (from_xlsx, outcome) = read(&book.save_to_buffer().unwrap(), None);
    let (from_csv, other) = read(NL, None);
    assert_eq!(from_xlsx, from_csv);
    assert_eq!((outcome.rejects, outcome.silent), (other.rejects, other.silent));
}

#[test]
fn a_table_that_breaks_off_is_told_once() {
    let mut sheet = Sheet::open(b"id,naam\n1,Aap\n2,\"Noot\n3,Mies\n".to_vec(), "").unwrap();
    let read: Vec<bool> = Customers::read(&mut sheet, None).unwrap().map(|customer| customer.is_ok()).collect();
    assert_eq!(read, [true, false]);
}

#[test]
fn many_rejects_are_counted_and_the_first_told() {
    let mut text = "id,naam,kvk\n".to_owned();
    for row in 0..3000 {
        text += &format!("{row},,1\n");
    }
    let (_, outcome) = read(text.as_bytes(), None);
    assert_eq!((outcome.rejects.len(), outcome.silent.len(), outcome.silenced), (MOST_TOLD, MOST_TOLD, 3000));
    assert_eq!(outcome.rejected, BTreeMap::from([((Meaning::Kvk, "length"), 3000)]));
}

#[test]
fn countries_by_their_names() {
    let cases = [
        ("NL", "NL"),
        ("nld", "NL"),
        ("The Netherlands", "NL"),
        ("UK", "GB"),
        ("Oekraïne", "UA"),
        ("xx", ""),
        ("Atlantis", ""),
        ("", ""),
    ];
    for (text, expected) in cases {
        let found = country::of(text).map(|country| String::from_utf8_lossy(&country).into_owned());
        assert_eq!(found.unwrap_or_default(), expected, "{text}");
    }
}

#[test]
fn customers_are_not_in_what_is_debugged() {
    let (customers, _) = read(NL, None);
    assert!(!format!("{customers:?}").contains("Aap") && !format!("{customers:?}").contains("12345678"));
}

proptest::proptest! {
    #[test]
    fn every_row_is_a_customer_and_every_customer_is_heard_or_told(cells in proptest::collection::vec("[0-9A-Za-z@.;/ -]{0,16}", 1..40)) {
        let text = format!("id,naam,kvk,email,phone,domein,ip\n{}\n", cells.chunks(7).map(|row| row.join(",")).collect::<Vec<_>>().join("\n"));
        let (customers, outcome) = read(text.as_bytes(), None);
        proptest::prop_assert_eq!(customers.len() as u64, outcome.customers);
        let silent = customers.iter().filter(|customer| customer.tokens(EditSide::Both, 26).is_empty()).count() as u64;
        proptest::prop_assert_eq!(silent, outcome.silenced);
    }
}
