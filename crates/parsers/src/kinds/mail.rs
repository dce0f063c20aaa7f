//! (being written)
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
pub fn detect(_: &Prefix<'_>) -> bool {
    false
}
pub fn open(_: &mut Reading<'_>, _: &mut Source<'_>) -> Result<bool, Stop> {
    Ok(false)
}
