//! `cargo xtask page`: joins the sources of the verifier's page into the one file that people open.
//!
//! The page allows exactly the style and the script that stand in it, by their hashes, and nothing else: no network, no
//! other script. The joined file is committed, since it is what is given to people; a test compares it with its sources.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The sources of the script, in the order in which they are joined.
pub const SCRIPTS: &[&str] = &[
    "bytes",
    "hash",
    "ed25519",
    "tree",
    "note",
    "der",
    "x509",
    "timestamp",
    "container",
    "records",
    "policy",
    "trust",
    "checks",
    "verify",
    "words",
    "dom",
    "story",
    "page",
];

/// Where the page and its sources are.
pub fn folder(root: &Path) -> PathBuf {
    root.join("crates/sluis-verify/page")
}

/// The page, of its sources.
///
/// # Errors
/// When a source cannot be read.
pub fn joined(root: &Path) -> anyhow::Result<String> {
    let sources = folder(root).join("src");
    let read = |name: &str| {
        let path = sources.join(name);
        std::fs::read_to_string(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
    };
    let style = format!("\n{}", read("style.css")?);
    let mut script = String::from("\n\"use strict\";\n(() => {\n");
    for name in SCRIPTS {
        script.push_str(&format!("\n// ---- {name} ----\n\n{}", read(&format!("{name}.js"))?));
    }
    script.push_str("})();\n");
    let page = read("frame.html")?;
    Ok(page
        .replace("{{style-hash}}", &hash(&style))
        .replace("{{script-hash}}", &hash(&script))
        .replace("{{style}}", &style)
        .replace("{{script}}", &script))
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Writes the page; always well.
///
/// # Errors
/// When a source cannot be read, or the page not written.
pub fn run(root: &Path) -> anyhow::Result<bool> {
    std::fs::write(folder(root).join("verify.html"), joined(root)?)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_its_sources_join_to() {
        let root = crate::root();
        let committed = std::fs::read_to_string(folder(&root).join("verify.html")).expect("the page is there");
        let joined = joined(&root).expect("its sources are there");
        assert!(committed == joined, "crates/sluis-verify/page/verify.html is not of its sources: run cargo xtask page");
    }

    #[test]
    fn the_page_can_ask_nothing_of_a_network_and_make_no_code() {
        let page = joined(&crate::root()).expect("its sources are there");
        assert!(page.contains("default-src 'none'"));
        for word in [
            "fetch(",
            "XMLHttpRequest",
            "WebSocket",
            "import(",
            "eval(",
            "new Function",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "localStorage",
            "src=\"http",
            "href=\"http",
        ] {
            assert!(!page.contains(word), "the page has {word}");
        }
        assert_eq!(page.matches("<script").count(), 1, "one script, and no way to write another");
    }

    #[test]
    fn every_source_is_joined() {
        let sources = std::fs::read_dir(folder(&crate::root()).join("src")).expect("the folder is there");
        for source in sources.flatten() {
            let name = source.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".js") else { continue };
            assert!(SCRIPTS.contains(&stem), "{name} is not in the list of xtask::page");
        }
    }
}
