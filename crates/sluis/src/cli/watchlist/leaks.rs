//! `sluis watchlist leaks`: what each party learns, and what leaks, in plain words. The manual has the same text.

use std::io::Write;

use anyhow::Result;

use super::provider::Lang;
use crate::cli::done;
use crate::output::Screen;

/// Show what each party learns, and what leaks
#[derive(clap::Args)]
pub(crate) struct Leaks {
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

const NL: &str = include_str!("leaks/nl.md");
const EN: &str = include_str!("leaks/en.md");

pub(super) fn run(args: &Leaks) -> Result<u8> {
    let mut screen = Screen::new();
    write!(screen, "{}", if args.lang == Lang::Nl { NL } else { EN })?;
    done(screen, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program says and what the manual says is one text.
    #[test]
    fn the_manual_has_the_same_text() {
        let page = include_str!("../../../../../docs/manual/watchlist-leaks.md");
        for text in [NL, EN] {
            assert!(page.contains(text.trim()), "docs/manual/watchlist-leaks.md has another text than the program");
        }
    }

    /// Both languages say as much.
    #[test]
    fn both_languages_have_the_same_points() {
        let points = |text: &str| text.lines().filter(|line| line.starts_with("- ")).count();
        let headings = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
        assert_eq!((points(NL), headings(NL)), (points(EN), headings(EN)));
    }
}
