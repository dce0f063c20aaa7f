//! The page as a person has it: files are chosen or dropped, words are read, the keyboard is enough, nothing can be sent.

use std::path::{Path, PathBuf};

use seal::testing::stories;
use serde_json::json;

use crate::browser::Browser;

/// A folder with a good bundle, a bad one and trust files; removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("sluis-page-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let set = stories::all(50);
        for example in &set.examples {
            if matches!(example.name.as_str(), "good-whole" | "salts-swapped") {
                std::fs::write(folder.join(format!("{}.sluis-evidence", example.name)), &example.bytes).expect("a file");
            }
        }
        std::fs::write(folder.join("policy.txt"), &set.policy).expect("a file");
        for (name, pem) in &set.roots {
            std::fs::write(folder.join(format!("{name}.pem")), pem).expect("a file");
        }
        Folder(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn wait_for(browser: &mut Browser, condition: &str) {
    for _ in 0..200 {
        if browser.evaluate(condition) == json!(true) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("it does not come to this: {condition}; the page says {}", browser.evaluate("document.body.innerText"));
}

#[test]
fn a_person_chooses_files_and_reads_the_verdict_in_two_languages() {
    let folder = Folder::new("chooses");
    let Some(mut browser) = Browser::open(&crate::page()) else { return };
    browser.evaluate("document.querySelector('[data-language=nl]').click()");
    browser.choose("#file-bundle", &[&folder.file("good-whole.sluis-evidence")]);
    wait_for(&mut browser, "sluisVerdict?.verdict === 'incomplete'");
    browser.choose("#file-policy", &[&folder.file("policy.txt")]);
    let roots = [folder.file("north.pem"), folder.file("south.pem")];
    browser.choose("#file-roots", &roots.iter().map(PathBuf::as_path).collect::<Vec<&Path>>());
    wait_for(&mut browser, "sluisVerdict?.verdict === 'proven'");
    let text = |browser: &mut Browser| browser.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned();
    let dutch = text(&mut browser);
    for word in ["Bewezen", "uiterlijk vastgelegd", "brief aan de partij klaargezet", "wat NIET bewezen is"] {
        assert!(dutch.contains(word), "{word} in {dutch}");
    }
    assert_eq!(browser.evaluate("document.documentElement.lang"), json!("nl"));
    browser.evaluate("document.querySelector('[data-language=en]').click()");
    let english = text(&mut browser);
    for word in ["Proven", "recorded at the latest", "letter to the party prepared", "what is NOT proven"] {
        assert!(english.contains(word), "{word} in {english}");
    }
    assert!(!english.contains("uiterlijk"));
    browser.choose("#file-bundle", &[&folder.file("salts-swapped.sluis-evidence")]);
    wait_for(&mut browser, "sluisVerdict?.verdict === 'invalid'");
    let invalid = text(&mut browser);
    assert!(!invalid.contains("192.0.2."), "nothing of an invalid bundle is told: {invalid}");
    browser.evaluate("document.querySelector('#held-bundle button').click()");
    wait_for(&mut browser, "document.getElementById('verdict').childElementCount === 0 && sluisVerdict === null");
}

#[test]
fn files_that_are_dropped_find_their_places() {
    let folder = Folder::new("drops");
    let Some(mut browser) = Browser::open(&crate::page()) else { return };
    let files = ["south.pem", "good-whole.sluis-evidence", "policy.txt", "north.pem"].map(|name| {
        use base64::Engine;
        json!([name, base64::engine::general_purpose::STANDARD.encode(std::fs::read(folder.file(name)).expect("a file"))])
    });
    browser.evaluate(&format!(
        "(() => {{ const carried = new DataTransfer();
           for (const [name, text] of {}) carried.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
           document.body.dispatchEvent(new DragEvent('drop', {{ dataTransfer: carried, bubbles: true, cancelable: true }})); }})()",
        json!(files)
    ));
    wait_for(&mut browser, "sluisVerdict?.verdict === 'proven'");
}

#[test]
fn the_page_cannot_send_or_be_given_other_code() {
    let Some(mut browser) = Browser::open(&crate::page()) else { return };
    let refused = browser.evaluate(
        "(async () => {
           const refused = [];
           document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
           await fetch('http://127.0.0.1:9/').catch(() => null);
           document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x.png' }));
           const script = document.createElement('script');
           script.textContent = 'globalThis.strange = true';
           document.body.append(script);
           const button = document.createElement('button');
           button.setAttribute('onclick', 'globalThis.strange = true');
           document.body.append(button);
           button.click();
           await new Promise((resume) => setTimeout(resume, 200));
           return { refused: [...new Set(refused)].sort(), strange: globalThis.strange === true };
         })()",
    );
    assert_eq!(refused["strange"], json!(false));
    for directive in ["connect-src", "img-src", "script-src-elem", "script-src-attr"] {
        assert!(refused["refused"].as_array().expect("a list").contains(&json!(directive)), "{directive}: {refused}");
    }
}

#[test]
fn everything_that_can_be_pressed_has_a_name_and_a_place_in_the_order() {
    let folder = Folder::new("names");
    let Some(mut browser) = Browser::open(&crate::page()) else { return };
    browser.choose("#file-bundle", &[&folder.file("good-whole.sluis-evidence")]);
    wait_for(&mut browser, "sluisVerdict !== null");
    browser.call("Accessibility.enable", json!({}));
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let mut pressed = 0;
    for node in tree["nodes"].as_array().expect("a list") {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        if node["ignored"] == json!(true)
            || !matches!(role, "button" | "textbox" | "heading" | "DisclosureTriangle" | "Date" | "InputTime")
        {
            continue;
        }
        pressed += 1;
        let name = node["name"]["value"].as_str().unwrap_or_default();
        assert!(!name.trim().is_empty(), "a {role} without a name: {node}");
    }
    assert!(pressed > 20, "{pressed}");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"]):not([tabindex=\"-1\"])').length"),
        json!(0)
    );
    assert_eq!(browser.evaluate("document.querySelectorAll('main h1').length"), json!(1));
}
