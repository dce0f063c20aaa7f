//! Tables of customers, CSV or XLSX, from any bytes: rows in order and within bounds, every customer heard or told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use matching::token::name::EditSide;
use watchlist::customers::{Customers, Map};
use watchlist::sheet::{MOST_COLUMNS, Sheet};

fuzz_target!(
    // The reader of workbooks may panic, which the room turns into an error; without this the fuzzer would stop at each. A panic that gets
    // out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        let Ok(mut sheet) = Sheet::open(bytes.to_vec(), "customers") else { return };
        let mut before = 0;
        for row in sheet.rows().into_iter().flatten() {
            let Ok(row) = row else { break };
            assert!(row.number() > before && row.len() <= MOST_COLUMNS);
            before = row.number();
        }
        let map = Map::read("country = \"NL\"").ok();
        let Ok(mut customers) = Customers::read(&mut sheet, map.as_ref()) else { return };
        let mut silent = 0;
        for customer in customers.by_ref() {
            let Ok(customer) = customer else { break };
            silent += u64::from(customer.tokens(EditSide::List, 26).is_empty());
        }
        assert_eq!(silent, customers.outcome().silenced);
    }
);
