//! Writes bundles, true and false, into a folder: `cargo run -p seal --features testing --example bundles -- DIR [ROWS]`.
//!
//! `expected.json` lists them: for each its file, why it is there, the exit status a verifier has to end with, and the policy and
//! the copy of the log it is verified with. `roots/` has the trust files of the time-stamping authorities.

use std::fs;
use std::path::Path;

use seal::testing::stories;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder to write to?")?;
    let rows = arguments.next().map_or(Ok(10_000), |rows| rows.parse())?;
    let folder = Path::new(&folder);
    let set = stories::all(rows);
    fs::create_dir_all(folder.join("roots"))?;
    fs::write(folder.join("policy.txt"), &set.policy)?;
    for (name, pem) in &set.roots {
        fs::write(folder.join("roots").join(format!("{name}.pem")), pem)?;
    }
    let mut expected = Vec::new();
    for example in &set.examples {
        let file = format!("{}.sluis-{}", example.name, if example.name.contains("receipt") { "receipt" } else { "evidence" });
        fs::write(folder.join(&file), &example.bytes)?;
        let mut policy = "policy.txt".to_owned();
        if let Some(text) = &example.policy {
            policy = format!("{}.policy.txt", example.name);
            fs::write(folder.join(&policy), text)?;
        }
        let log = example.log.as_ref().map(|_| format!("{}.log", example.name));
        for (path, content) in example.log.iter().flatten() {
            let path = folder.join(format!("{}.log", example.name)).join(path);
            fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
            fs::write(path, content)?;
        }
        expected.push(serde_json::json!({
            "file": file,
            "why": example.why,
            "exit": example.exit,
            "policy": policy,
            "roots": "roots",
            "log": log,
        }));
    }
    fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected)? + "\n")?;
    Ok(())
}
