//! Lists and feeds of one sender each.

pub mod abusech;
pub mod alienvault;
pub mod bambenek;
pub mod blocklistde_lists;
pub mod blueliv;
pub mod cert_eu;
pub mod cins;
pub mod cleanmx_lists;
pub mod cymru;
pub mod cznic;
pub mod dataplane;
pub mod dshield;
pub mod dyn_ponmocup;
pub mod html_table;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[
    &abusech::FORMAT,
    &alienvault::FORMAT,
    &bambenek::FORMAT,
    &blocklistde_lists::FORMAT,
    &blueliv::FORMAT,
    &cert_eu::FORMAT,
    &cins::FORMAT,
    &cleanmx_lists::FORMAT,
    &cymru::FORMAT,
    &cznic::FORMAT,
    &dataplane::FORMAT,
    &dshield::FORMAT,
    &dyn_ponmocup::FORMAT,
    &html_table::FORMAT,
];
