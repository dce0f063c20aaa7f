//! Who verifies a bundle types one line: the exit status is the verdict, and no data of a node is needed or made.

#![allow(clippy::unwrap_used)]

mod common;

use common::{User, lines};
use seal::testing::stories;

#[test]
fn a_bundle_is_judged_by_the_files_of_who_verifies() {
    let user = User::new();
    let set = stories::all(20);
    user.file("sector.policy", &set.policy);
    for (name, pem) in &set.roots {
        user.file(&format!("roots/{name}.pem"), pem);
    }
    for example in &set.examples {
        user.file(&example.name, &example.bytes);
        for (file, bytes) in example.log.iter().flatten() {
            user.file(&format!("{}.log/{file}", example.name), bytes);
        }
    }
    let run =
        |arguments: &[&str]| user.run(&[&["verify"], arguments, &["--policy", "sector.policy", "--tsa-roots", "roots"]].concat());
    assert!(run(&["good-whole"]).good().starts_with("PROVEN\n"));
    assert!(run(&["good-whole", "--print", "--lang", "nl"]).good().contains("*** BEWEZEN ***"));
    assert!(run(&["good-whole", "--print=html"]).good().starts_with("<!doctype html>"));
    assert_eq!(lines(&run(&["good-row", "--json"]).good())[0]["verdict"], "proven");
    assert_eq!(run(&["salts-swapped"]).code, Some(1));
    assert_eq!(run(&["step-dropped"]).code, Some(2));
    assert_eq!(run(&["tail-kept-back", "--log", "tail-kept-back.log"]).code, Some(2));
    assert_eq!(run(&["good-whole", "--at", "2020-01-01"]).code, Some(2));
    assert_eq!(run(&["sector.policy"]).code, Some(3));
    // What is no verdict has a status of its own, so that a mistyped line never reads as one.
    for wrong in [
        &["good-whole", "--nonsense"][..],
        &["nowhere"],
        &["good-whole", "--policy-key", "x"],
        &["good-whole", "--json", "--print"],
    ] {
        assert_eq!(run(wrong).code, Some(4), "{wrong:?}");
    }
    assert_eq!(user.run(&["verify", "good-whole"]).code, Some(4));
    assert_eq!(user.run(&["verify", "good-whole", "--policy", "nowhere"]).code, Some(4));
    assert!(!common::exists(&user.data()), "verifying opens no data");
}
