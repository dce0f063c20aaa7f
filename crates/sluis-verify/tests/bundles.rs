//! Bundles, honest and not: each ends with the exit status that it deserves, and none that lies with 0.

use std::collections::BTreeMap;
use std::io;

use seal::testing::stories::{self, Example, Set};
use sluis_verify::{Trust, Verdict, output, said::Language, verify_with};

fn trust(set: &Set, example: &Example) -> Trust {
    let policy = example.policy.as_deref().unwrap_or(&set.policy);
    let roots = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes()));
    Trust::read(policy.as_bytes(), None, roots).unwrap()
}

fn verdict(set: &Set, example: &Example) -> Verdict {
    let files: Option<BTreeMap<&str, &[u8]>> =
        example.log.as_ref().map(|files| files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect());
    let trust = trust(set, example);
    match files {
        Some(files) => {
            let mut read = |path: &str| -> io::Result<Option<Vec<u8>>> { Ok(files.get(path).map(|bytes| bytes.to_vec())) };
            verify_with(&example.bytes, &trust, None, Some(&mut read))
        }
        None => verify_with(&example.bytes, &trust, None, None),
    }
}

#[test]
fn each_bundle_gets_the_verdict_that_it_deserves() {
    let set = stories::all(300);
    let mut wrong = Vec::new();
    for example in &set.examples {
        let verdict = verdict(&set, example);
        if verdict.exit_code() != example.exit {
            let lines = output::terminal(&verdict, Language::English);
            wrong.push(format!(
                "{} ({}): {} instead of {}\n{lines}",
                example.name,
                example.why,
                verdict.exit_code(),
                example.exit
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), set.examples.len(), wrong.join("\n"));
}
