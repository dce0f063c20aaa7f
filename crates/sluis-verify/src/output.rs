//! What people and programs get to see: lines for a terminal, JSON, and a page to print.
//!
//! No value of a bundle comes out as it stands: sentences quote it, JSON and HTML escape it besides.

mod html;
mod json;
mod page;
mod plain;
mod terminal;
mod words;

pub use html::html;
pub use json::json;
pub use page::{About, Block, page};
pub use plain::plain;
pub use terminal::terminal;

/// Widest line of plain text, in characters.
const WIDTH: usize = 78;

/// Breaks a sentence into lines that all begin with an indent: a value that is long never reaches the left edge.
fn wrap(indent: usize, text: &str) -> String {
    let room = WIDTH.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut long = 0;
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        if long > 0 && long + 1 + rest.len() > room {
            lines.push(std::mem::take(&mut line));
            long = 0;
        }
        if long > 0 {
            line.push(' ');
            long += 1;
        }
        while rest.len() > room {
            lines.push(rest.drain(..room).collect());
        }
        long += rest.len();
        line.extend(rest);
    }
    lines.push(line);
    let blank = " ".repeat(indent);
    lines.iter().map(|line| format!("{blank}{line}\n")).collect()
}
