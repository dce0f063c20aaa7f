//! Tables of every make, and what is refused of them.

use std::io::Write as _;

use super::*;

/// Rows as their places and texts, cells joined by `|`.
fn told(bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
    let mut sheet = Sheet::open(bytes.to_vec(), "customers.csv")?;
    sheet.rows()?.map(|row| row.map(|row| format!("{}: {}", row.number(), row.cells().collect::<Vec<_>>().join("|")))).collect()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn a_csv_is_read_whatever_its_make() {
    let cases: [(&str, &[u8], &[&str]); 14] = [
        ("comma", b"id,naam\r\n1,Aap BV\r\n", &["1: id|naam", "2: 1|Aap BV"]),
        ("semicolon, commas within", b"id;naam\n1;Aap, Noot\n", &["1: id|naam", "2: 1|Aap, Noot"]),
        ("tab", b"id\tnaam\n1\tAap\n", &["1: id|naam", "2: 1|Aap"]),
        ("named delimiter", b"sep=;\r\nid;naam, adres\r\n1;Aap\r\n", &["2: id|naam, adres", "3: 1|Aap"]),
        ("one column", b"naam\nAap\n", &["1: naam", "2: Aap"]),
        ("byte order mark", b"\xef\xbb\xbfid,naam\n1,Jos\xc3\xa9\n", &["1: id|naam", "2: 1|Jos\u{e9}"]),
        ("Windows-1252", b"id,naam\n1,Jos\xe9 \x80\n", &["1: id|naam", "2: 1|Jos\u{e9} \u{20ac}"]),
        ("old Macintosh line ends", b"id,naam\r1,Aap\r", &["1: id|naam", "2: 1|Aap"]),
        (
            "quotes, doubled and with line breaks",
            b"id,naam\n1,\"Aap \"\"de\"\"\nNoot\"\n2,Mies\n",
            &["1: id|naam", "2: 1|Aap \"de\"\nNoot", "3: 2|Mies"],
        ),
        ("empty lines are counted", b"id,naam\n\n , \n3,Mies\n", &["1: id|naam", "4: 3|Mies"]),
        ("no line end at the end", b"id,naam\n1,Aap", &["1: id|naam", "2: 1|Aap"]),
        ("an empty last cell", b"id,naam,kvk\n1,Aap,\n", &["1: id|naam|kvk", "2: 1|Aap|"]),
        ("a quote within", b"id,naam\n1,6\" Buis\n", &["1: id|naam", "2: 1|6\" Buis"]),
        ("damaged UTF-8", b"id,naam\n1,Jos\xc3\xa9 \xc3\xa9n \xff\n", &["1: id|naam", "2: 1|Jos\u{e9} \u{e9}n \u{fffd}"]),
    ];
    for (name, bytes, rows) in cases {
        assert_eq!(told(bytes).unwrap(), rows, "{name}");
    }
    for bytes in [
        utf16("\u{feff}id;naam\n1;José\n", u16::to_le_bytes),
        utf16("\u{feff}id;naam\n1;José\n", u16::to_be_bytes),
        utf16("id;naam\n1;José\n", u16::to_le_bytes),
    ] {
        assert_eq!(told(&bytes).unwrap(), ["1: id|naam", "2: 1|José"]);
    }
}

#[test]
fn what_is_no_table_is_refused_with_what_to_do() {
    let mut wide = b"x,".repeat(MOST_COLUMNS);
    wide.push(b'x');
    let long = format!("id,naam\n1,\"{}\"\n", "Aap,Noot\n".repeat(20_000));
    let cases: [(&str, &[u8], Unreadable); 9] = [
        ("empty", b" \r\n", Unreadable::Empty),
        ("only a mark", b"\xef\xbb\xbf", Unreadable::Empty),
        ("bytes", b"a,b\n\0\x01\x02", Unreadable::NotATable),
        ("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unreadable::OldExcel),
        ("open quote", b"id,naam\n1,\"Aap\n2,Noot\n", Unreadable::OpenQuote("B2".to_owned())),
        ("a quote that swallows rows", long.as_bytes(), Unreadable::LongCell("B2".to_owned())),
        ("columns", &wide, Unreadable::TooManyColumns("IW1".to_owned())),
        ("no archive", b"PK\x03\x04 and nothing", Unreadable::Damaged(String::new())),
        ("an archive that is no workbook", &zipped(&[("readme.txt", b"x")]), Unreadable::NotATable),
    ];
    for (name, bytes, expected) in cases {
        let found = told(bytes).unwrap_err();
        assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&expected), "{name}: {found}");
        if !matches!(expected, Unreadable::Damaged(_)) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn a_quote_out_of_place_is_a_fault_of_its_cell() {
    let mut sheet = Sheet::open(b"id,naam\n1,\"Aap BV,x\n2,\"Noot\",y\n3,Mies\n".to_vec(), "").unwrap();
    let rows: Vec<Row> = sheet.rows().unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[1].faults(), [(1, Fault::Quote)]);
    assert_eq!((rows[1].cell(1), rows[1].place(1)), ("", "B2".to_owned()));
    assert_eq!(rows[2].cell(1), "Mies");
}

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook whose one sheet has these rows.
fn workbook(rows: &str) -> Vec<u8> {
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );
    zipped(&[
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#),
        ("_rels/.rels", br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Klanten" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

#[test]
fn a_workbook_keeps_its_numbers_dates_and_places() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let zeros = rust_xlsxwriter::Format::new().set_num_format("00000000");
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    let empty = book.add_worksheet();
    empty.set_name("Leeg").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("Klanten").unwrap();
    for (column, header) in ["id", "kvk", "tekst", "datum", "getal"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), header).unwrap();
    }
    sheet.write(1, 0, 12345678.0).unwrap();
    sheet.write_with_format(1, 1, 1234567.0, &zeros).unwrap();
    sheet.write(1, 2, "01234567").unwrap();
    sheet.write_with_format(1, 3, rust_xlsxwriter::ExcelDateTime::parse_from_str("2026-11-22").unwrap(), &date).unwrap();
    sheet.write(1, 4, 1.5).unwrap();
    sheet.write(3, 1, 1_234_567_890_123_456.0).unwrap();
    sheet.write(3, 3, true).unwrap();
    let other = book.add_worksheet();
    other.set_name("Oud").unwrap().write(0, 0, "x").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(
        told(&bytes).unwrap(),
        ["1: id|kvk|tekst|datum|getal", "2: 12345678|01234567|01234567|2026-11-22|1.5", "4: |||true"]
    );
    let mut sheet = Sheet::open(bytes.clone(), "klanten.xlsx").unwrap();
    assert_eq!(sheet.remarks(), [Remark::OtherWorksheets(vec!["Leeg".to_owned(), "Oud".to_owned()])]);
    let last = sheet.rows().unwrap().last().unwrap().unwrap();
    assert_eq!((last.faults(), last.place(1)), ([(1, Fault::Digits)].as_slice(), "B4".to_owned()));
    let mut old = Sheet::open_worksheet(bytes.clone(), "klanten.xlsx", "Oud").unwrap();
    assert_eq!(old.rows().unwrap().next().unwrap().unwrap().cell(0), "x");
    assert_eq!(Sheet::open_worksheet(bytes, "klanten.xlsx", "Nieuw").unwrap_err(), Unreadable::NoWorksheet("Nieuw".to_owned()));
}

#[test]
fn a_workbook_that_lies_is_refused() {
    let text = |text: &str| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#);
    let row = |number: &str, cells: &str| format!(r#"<row r="{number}">{cells}</row>"#);
    assert_eq!(told(&workbook(&row("1", &text("id")))).unwrap(), ["1: id"]);
    let refused = |rows: &str| told(&workbook(rows)).unwrap_err();
    assert_eq!(refused(&(row("5", &text("a")) + &row("2", &text("b")))), Unreadable::Order("A2".to_owned()));
    assert_eq!(refused(&row("1", r#"<c r="IW1"><v>1</v></c>"#)), Unreadable::TooManyColumns("IW1".to_owned()));
    assert!(matches!(
        refused(&row("1", r#"<c r="B99999999999"><v>1</v></c>"#)),
        Unreadable::Damaged(_) | Unreadable::TooManyRows(_)
    ));
    assert!(matches!(refused(&row("1", &text(&"x".repeat(2 << 20)))), Unreadable::Bomb(_)), "a text of two megabytes");
    assert!(matches!(refused("<![CDATA[<<<]]>"), Unreadable::Bomb(_)));
    assert_eq!(refused(&row("1", &text(&"x".repeat(40_000)))), Unreadable::LongCell("A1".to_owned()));
    assert_eq!(refused(""), Unreadable::Empty);
    // A megabyte of blanks packs to a kilobyte, so that a small file could unpack to more than any machine has.
    let bomb = workbook(&format!("{}<a/>", " ".repeat(1 << 19)).repeat(8));
    assert!(bomb.len() < 20_000);
    assert!(matches!(xlsx::weigh(&bomb, 2 << 20), Err(Unreadable::Bomb(part)) if part == "xl/worksheets/sheet1.xml"));
    // A part that is no XML may be long, but not without end, since it may be named as a worksheet.
    let picture = |size: usize| zipped(&[("[Content_Types].xml", b"<Types/>"), ("xl/media/image1.png", &vec![7; size])]);
    assert_eq!(xlsx::weigh(&picture(2 << 20), 1 << 30), Ok(()));
    assert!(matches!(xlsx::weigh(&picture(33 << 20), 1 << 30), Err(Unreadable::Bomb(_))));
    // A dimension that runs backwards made the library's arithmetic panic.
    let _ = told(&workbook(r#"</sheetData><dimension ref="B2:A1"/><sheetData>"#));
}

#[test]
fn places_are_those_of_a_spreadsheet() {
    assert_eq!([place(0, 1), place(25, 2), place(26, 3), place(701, 4), place(702, 5)], ["A1", "Z2", "AA3", "ZZ4", "AAA5"]);
}

#[test]
fn customers_are_not_in_what_is_debugged() {
    let mut sheet = Sheet::open(b"naam\nGeheim BV\n".to_vec(), "").unwrap();
    assert!(!format!("{sheet:?}").contains("Geheim"));
    for row in sheet.rows().unwrap() {
        assert!(!format!("{row:?}").contains("Geheim"));
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_table_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        if let Ok(rows) = told(&bytes) {
            proptest::prop_assert!(rows.len() <= bytes.len());
        }
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was(cells in proptest::collection::vec("[a-z\",;\n é]{0,12}", 1..6)) {
        let line: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let text = format!("x{}\n{}\n", ",x".repeat(cells.len() - 1), line.join(","));
        let mut sheet = Sheet::open(text.into_bytes(), "").unwrap();
        let row = sheet.rows().unwrap().nth(1).map(Result::unwrap);
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            let row = row.unwrap();
            proptest::prop_assert_eq!(row.cells().collect::<Vec<_>>(), cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>());
        }
    }
}
