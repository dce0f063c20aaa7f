//! Holds that what we tell people to type can be typed: every command line of the README, the manual, the units and our
//! own help is understood, and every piece of settings the manual shows can be read.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::Cli;
use crate::serve::config::Config;

/// What stands for something of the reader's own: `CASE`, `DIR`.
const STANDS_FOR: [&str; 6] = ["17", "2026-11-22", "192.0.2.7", "P1", "7d", "user@hosting.example"];

#[test]
fn every_command_line_in_the_manual_is_understood() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        for block in blocks(&text) {
            for (line, words) in block.lines().flat_map(commands) {
                count += 1;
                if let Err(error) = understood(&words) {
                    wrong.push(told(&page, block.number, &line, &error));
                }
            }
        }
    }
    assert!(count > 20, "only {count} command lines were found: has the form of the manual changed?");
    assert!(wrong.is_empty(), "{} command lines cannot be typed as they stand:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// In running text a command may be named without what it needs, but it has to exist.
#[test]
fn every_command_in_running_text_exists() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for (number, span) in spans(&text) {
            let Some((_, words)) = commands(span).into_iter().next() else { continue };
            let Err(error) = understood(&words) else { continue };
            if matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand) {
                wrong.push(told(&page, number, span, &error));
            }
        }
    }
    assert!(wrong.is_empty(), "{} commands do not exist:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_examples_of_our_own_help_are_understood() {
    let mut wrong = Vec::new();
    let mut todo = vec![Cli::command()];
    while let Some(command) = todo.pop() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        // What a line does stands behind it, after a gap.
        let examples = help.lines().map(|line| line.trim_start().split("  ").next().unwrap_or_default());
        for (line, words) in examples.flat_map(commands) {
            if let Err(error) = understood(&words) {
                wrong.push(told(Path::new(command.get_name()), 0, &line, &error));
            }
        }
        todo.extend(command.get_subcommands().cloned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A block says in its first line which file it is for (`# sluis.toml`), or begins with a section of the settings. One that a
/// shell writes names the file.
#[test]
fn every_piece_of_settings_in_the_manual_can_be_read() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for block in blocks(&text) {
            let first = block.text.lines().next().unwrap_or_default();
            let toml = (block.language == "toml").then(|| (first.to_owned(), block.text.clone()));
            for (first, text) in toml.into_iter().chain(block.written()) {
                if let Err(error) = readable(&first, &text) {
                    wrong.push(format!("{}:{}: {error}", page.display(), block.number));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether settings can be read by whatever reads the file that `first` names.
fn readable(first: &str, text: &str) -> Result<(), String> {
    let is_for = |name: &str| first.split_whitespace().any(|word| word.rsplit('/').next() == Some(name));
    let example = include_str!("../../../../deploy/sluis.example.toml");
    let is_section = first.starts_with('[') && example.lines().any(|line| line.trim_start_matches(['#', ' ']) == first);
    if is_for("sluis.toml") || is_section {
        // What goes with another section is shown without it.
        let rest = if text.contains("[database]") { "" } else { "\n[database]\npostgres = \"host=/run/postgresql\"\n" };
        Config::parse(&format!("{text}{rest}"), Path::new("/etc/sluis/sluis.toml"))
            .map(|_| ())
            .map_err(|error| format!("{error:#}"))
    } else if is_for("policy.toml") {
        desk::policy::read(text, "policy.toml").map(|_| ()).map_err(|wrong| wrong.to_string())
    } else {
        Ok(())
    }
}

/// The README, the manual, and what the system runs.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    for (folder, ending) in [("docs", "md"), ("docs/manual", "md"), ("deploy", "service")] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let names = entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name()));
        paths.extend(names.filter(|path| path.extension().is_some_and(|found| found == ending)));
    }
    paths.sort();
    let text = |path: &Path| std::fs::read_to_string(root.join(path)).unwrap();
    paths
        .into_iter()
        .map(|path| {
            let text = text(&path);
            (path, text)
        })
        .collect()
}

fn told(page: &Path, number: usize, line: &str, error: &clap::Error) -> String {
    let error = error.to_string();
    let why = error.lines().filter(|line| !line.trim().is_empty()).take(3).collect::<Vec<_>>().join(" ");
    format!("{}:{number}: {line}\n    {why}", page.display())
}

/// A fenced block; a file that is no Markdown is one block.
struct Block {
    /// The line it begins at.
    number: usize,
    language: String,
    text: String,
}

impl Block {
    /// What is typed in it. Where some lines begin with a prompt, the others are what came out.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let text = if self.language == "toml" { "" } else { self.text.as_str() };
        let prompted = text.lines().any(|line| line.starts_with("$ "));
        text.lines().filter(move |line| !prompted || line.starts_with("$ ")).map(|line| line.trim_start_matches("$ "))
    }
}

impl Block {
    /// What a shell would write to files (`cat >> FILE <<'END'`): the line that says so, and the text.
    fn written(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if line.ends_with("<<'END'") {
                let text = lines.by_ref().take_while(|line| *line != "END").map(|line| format!("{line}\n")).collect();
                found.push((line.to_owned(), text));
            }
        }
        found
    }
}

fn blocks(text: &str) -> Vec<Block> {
    // Lines that go on are one line; their number is that of the first.
    let text = text.replace("\\\n", " ");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fenced = true;
            open = match open.take() {
                Some(block) => {
                    blocks.push(block);
                    None
                }
                None => Some(Block { number: number + 1, language: language.to_owned(), text: String::new() }),
            };
        } else if let Some(block) = &mut open {
            // Blocks in a list are set in.
            block.text.push_str(line.strip_prefix("   ").unwrap_or(line));
            block.text.push('\n');
        }
    }
    if !fenced {
        blocks.push(Block { number: 1, language: String::new(), text });
    }
    blocks
}

/// Pieces of code in running text, with their lines.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (number + 1, span)));
        }
    }
    spans
}

/// The commands of ours in a line of a shell, a unit, or a mail server's settings: each as it stands and in words.
fn commands(line: &str) -> Vec<(String, Vec<String>)> {
    let line = ["ExecStart=", "argv=", "command = ", "abuse: \"|", "$ "]
        .iter()
        .fold(line.trim(), |line, start| line.split_once(start).map_or(line, |(_, rest)| rest.trim_end_matches('"')));
    let mut found = Vec::new();
    for words in simple_commands(line) {
        let ours = |word: &String| word == "sluis" || word == "/usr/bin/sluis";
        let before = ["sudo", "runuser", "-u", "sluis", "--", "env", "time", "nice", "exec"];
        // 'runuser -u sluis -- sluis': the last one before anything that is not of the way there.
        let way = words.iter().take_while(|word| before.contains(&word.as_str()) || ours(word) || word.contains('=')).count();
        // The name behind '-u' is a user's.
        let is_user = |at: usize| at > 0 && words[at - 1] == "-u";
        let Some(at) = (0..way).rev().find(|at| ours(&words[*at]) && !is_user(*at)) else { continue };
        // 'sluis' alone, or a line about the user or the transport of that name, is none.
        if at + 1 < words.len() && !words[at + 1].starts_with(['(', '@', ':']) && words[at + 1] != "unix" {
            found.push((words.join(" "), words[at..].to_vec()));
        }
    }
    found
}

/// A line of a shell, cut at pipes and the like and into words. Redirections and comments are left out.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut to_file = false;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '|' | '&' | ';' | '<' | '>' | '(' | ')') => {
                let done = word.take().filter(|word| !matches!(word.as_str(), "…" | "..."));
                // The name of a file that is read from or written to is no word of the command.
                if let (Some(done), Some(command)) = (done, commands.last_mut())
                    && !std::mem::take(&mut to_file)
                {
                    command.push(done);
                }
                match c {
                    '<' | '>' => to_file = true,
                    '|' | '&' | ';' | '(' | ')' => commands.push(Vec::new()),
                    _ => {}
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    // A quote that was cut off in front is not closed.
    if let (Some(word), Some(command)) = (word, commands.last_mut()) {
        command.push(word.trim_end().to_owned());
    }
    commands
}

/// Whether the command line can be understood, when what stands for the reader's own is put in.
fn understood(words: &[String]) -> Result<(), clap::Error> {
    let mut result = parsed(words.iter().cloned());
    for own in STANDS_FOR {
        if !matches!(&result, Err(error) if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)) {
            break;
        }
        let put_in = |word: &String| if stands_for_something(word) { own.to_owned() } else { word.clone() };
        result = parsed(words.iter().map(put_in));
    }
    result
}

fn parsed(words: impl Iterator<Item = String>) -> Result<(), clap::Error> {
    match Cli::try_parse_from(words) {
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn stands_for_something(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_')
}

#[test]
fn commands_are_found_where_people_type_them() {
    let cases: [(&str, &[&str]); 12] = [
        ("sluis queue", &["sluis queue"]),
        ("runuser -u sluis -- sluis case list --open   # the desk", &["sluis case list --open"]),
        ("sudo -u sluis sluis queue > out.txt", &["sluis queue"]),
        ("sluis read report.eml | jq .", &["sluis read report.eml"]),
        ("flags=Rq user=sluis argv=/usr/bin/sluis receive", &["/usr/bin/sluis receive"]),
        ("ExecStart=/usr/bin/sluis --data /var/lib/sluis serve", &["/usr/bin/sluis --data /var/lib/sluis serve"]),
        ("abuse: \"|/usr/bin/sluis receive\"", &["/usr/bin/sluis receive"]),
        ("cases opened   4  sluis case list --open", &[]),
        ("postconf -M 'a/unix=a unix - - argv=/usr/bin/sluis receive'", &["/usr/bin/sluis receive"]),
        ("sudo -u sluis sed -i s/a/b/ policy.toml", &[]),
        ("install -d -o sluis -g sluis /var/lib/sluis", &[]),
        (
            "sluis trace --at '2026-05-19 10:00' 192.0.2.7 && sluis queue",
            &["sluis trace --at 2026-05-19 10:00 192.0.2.7", "sluis queue"],
        ),
    ];
    for (line, expected) in cases {
        let found: Vec<String> = commands(line).into_iter().map(|(_, words)| words.join(" ")).collect();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn what_cannot_be_typed_is_found_out() {
    let understood = |line: &str| understood(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).is_ok();
    for line in ["sluis case show CASE", "sluis trace --at TIME ADDRESS", "sluis --version", "sluis receive --help"] {
        assert!(understood(line), "{line}");
    }
    for line in ["sluis case shwo CASE", "sluis case show", "sluis queue --lots", "sluis receive --again sometimes"] {
        assert!(!understood(line), "{line}");
    }
}
