//! Logs: one line for one thing that happened, with names and numbers, and never with personal data.
//!
//! Fields, each with one name: `submission` (public identifier), `submissions`, `reports`, `opened`, `joined`,
//! `set_aside`, `rejects`, `unreadable`, `files`, `begun`, `ended`, `parties`, `remarks`, `holders_found`, `bytes`, `seconds`, `part` (of the intake), `reason` (of [`cause`]'s words),
//! `hint`, `signal`, `listen`. What reports and files say, what files are called, and whom anything is about stays in
//! the database.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::serve::config::{Level, LogFormat, Logs};

/// Starts logging to standard error.
///
/// # Errors
/// When logging was started before.
pub(crate) fn begin(config: &Logs) -> anyhow::Result<()> {
    let level = match config.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    // Only our own lines: what libraries would write is not under the promise above.
    let filter = Targets::new().with_target("sluis", level);
    let format = config.format.unwrap_or(match std::io::stderr().is_terminal() {
        true => LogFormat::Text,
        false => LogFormat::Json,
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_filter(filter)).try_init()?,
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            registry.with(lines.with_ansi(colours).with_filter(filter)).try_init()?;
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        // What a panic says may quote the bytes it was about: only its place is logged.
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        tracing::error!(place, hint = "this is a mistake in Sluis: please report it with this line", "crashed");
    }));
    Ok(())
}

/// What is behind an error, in words that name nobody, and what its reader can do.
///
/// Messages of errors name files, and files are named after people. So of a message only the number of the operating
/// system's error is used, or the words of the database, which never quote what rows hold. The whole message is told
/// to the owner of the data, over the socket: `sluis serve --status`.
pub(crate) fn cause(message: &str) -> (String, &'static str) {
    const FULL: &str = "make room on the disk of the data directory; nothing was lost, and work goes on by itself";
    const RIGHTS: &str = "let the user that runs sluis read and write there; 'sluis serve --status' says which file";
    const LOOK: &str = "'sluis serve --status' says more; it is tried again by itself";
    if let Some(text) = message.find("the database refused: ").and_then(|at| message.get(at..)) {
        // "... in SELECT ... at offset 7": statements are long and help nobody here.
        let text = text.split(" in -- ").next().and_then(|text| text.split(';').next()).unwrap_or(text);
        let text: String = text.chars().take(160).collect();
        let hint = match () {
            () if text.contains("is full") => FULL,
            () if text.contains("readonly") || text.contains("unable to open") => RIGHTS,
            () => LOOK,
        };
        return (text, hint);
    }
    if message.contains("the log cannot sign") {
        return ("the log cannot sign".to_owned(), "'sluis log show' says why, and what to do");
    }
    if message.contains("this node cannot cosign") || message.contains("the key of the witness") {
        return ("this node cannot cosign".to_owned(), "'sluis log witness' says why, and docs/manual/log.md what to do");
    }
    if message.contains("not a maildir") {
        return ("not a maildir".to_owned(), "name a folder that has 'new' and 'cur' under [intake] maildirs");
    }
    if message.contains("stopped by a file that could not be taken") {
        return (
            "a file of its folder could not be taken, and those behind it wait".to_owned(),
            "its .reason says why: correct the file and rename it, or delete it; 'sluis serve --status' says which",
        );
    }
    let number = message.rfind("(os error ").and_then(|at| message.get(at + 10..)).and_then(|rest| rest.split(')').next());
    let Some(error) = number.and_then(|number| number.parse().ok()).map(std::io::Error::from_raw_os_error) else {
        return ("it could not be done".to_owned(), LOOK);
    };
    let hint = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FULL,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => RIGHTS,
        _ => LOOK,
    };
    (error.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn causes_name_nobody_and_say_what_to_do() {
        let cases = [
            (
                "/home/jan/Maildir/new/jan.jansen.eml: Permission denied (os error 13)",
                "Permission denied (os error 13)",
                "let the user",
            ),
            (
                "/srv/a (os error 2)/jan: No space left on device (os error 28)",
                "No space left on device (os error 28)",
                "make room",
            ),
            (
                "the database refused: database or disk is full; make room",
                "the database refused: database or disk is full",
                "make room",
            ),
            ("/home/jan/Mail: not a maildir: it has no folders 'new' and 'cur'", "not a maildir", "[intake] maildirs"),
            ("byte index 3 of `jan@customer.example`", "it could not be done", "--status"),
            ("jan (os error jan)", "it could not be done", "--status"),
            ("", "it could not be done", "--status"),
        ];
        for (message, reason, hint) in cases {
            let found = cause(message);
            assert_eq!(found.0, reason);
            assert!(found.1.contains(hint), "{message}: {}", found.1);
        }
    }
}
