//! `sluis advance`: looks at the cases whose moment has come, for those who run no service.

use anyhow::Result;
use serde_json::{Value, json};

use super::Globals;
use crate::acts::{self, Act};
use crate::output::Screen;
use crate::output::words::{counted, moment};

/// Keep the clocks: look at every case whose moment has come
#[derive(clap::Args)]
#[command(after_help = "'sluis serve' does this by itself, and 'sluis receive' at its end. Without a service, let cron do it:

  */5 * * * *  sluis advance

What came due while nothing ran happens at the next run, in its order, and once.")]
pub(crate) struct Args {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let outcome = acts::ask(globals, &Act::Advance)?;
    let mut screen = Screen::new();
    if args.json {
        screen.line(&outcome)?;
        return super::done(screen, 0);
    }
    let number = |name: &str| outcome.get(name).and_then(Value::as_u64).unwrap_or(0);
    let next = outcome.get("next").and_then(Value::as_i64).map(|next| moment(model::time::Time(next)));
    let next = next.map_or_else(|| "no clock runs".to_owned(), |next| format!("the next one is due {next}"));
    screen.line(format_args!(
        "{} looked at, {} changed, {} closed; {next}",
        counted(number("looked"), "case"),
        number("changed"),
        number("closed")
    ))?;
    super::done(screen, 0)
}

/// Has the desk do it.
///
/// # Errors
/// [`desk::Error`].
pub(crate) fn perform(desk: &desk::Desk) -> Result<Value, desk::Error> {
    let advanced = desk.advance()?;
    Ok(json!({
        "looked": advanced.looked,
        "changed": advanced.changed,
        "closed": advanced.closed,
        "outbox": advanced.errands,
        "next": advanced.next.map(|next| next.0),
    }))
}
