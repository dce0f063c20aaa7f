//! Alerts as the operator's people meet them: told once, told again to nobody after a restart, and over when somebody cares.

use std::path::Path;
use std::time::Duration;

use desk::{Clock, SystemClock};

use crate::support::{Folder, Node, sluis, until};

/// Somebody who is told by a command that writes down what it reads.
fn clerk(name: &str, folder: &Folder) -> (String, std::path::PathBuf) {
    let file = folder.0.join(format!("{name}.jsonl"));
    let script = format!("cat >> {0}; echo >> {0}", file.display());
    let settings =
        format!("[[alert]]\nname = \"{name}\"\n[alert.command]\nprogram = \"/bin/sh\"\narguments = [\"-c\", \"{script}\"]\n");
    (settings, file)
}

/// What somebody was told, one message a line.
fn told(file: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A mail that is perhaps an order, of a moment ago.
fn order() -> Vec<u8> {
    let now = SystemClock.now().to_string();
    let mail = format!(
        "From: J. Jansen <j.jansen@justice.example>\nDate: {now}\nMessage-ID: <1@justice.example>\nSubject: Bevel ex artikel 125p Sv\n\n\
         Maak http://site.example/pagina ontoegankelijk op 192.0.2.7.\n"
    );
    mail.into_bytes()
}

#[test]
fn an_order_is_put_before_a_person_and_is_told_again_to_nobody_after_a_restart() {
    let folder = Folder::new("order");
    let (settings, file) = clerk("desk", &folder);
    let node = Node::start(&folder, &settings);
    folder.spool("order.eml", &order());
    let message = until("the order is told", || told(&file).pop());
    assert_eq!((message["urgent"].clone(), message["alerts"][0]["kind"].clone()), (true.into(), "order".into()));
    assert!(message["subject"].as_str().unwrap().contains("P0 order, before "), "{message}");
    let text = message.to_string() + &node.log();
    for private in ["ansen", "justice", "site.example", "192.0.2.7"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    node.until_metric("sluis_alerts_open{kind=\"order\"}", 1.0);
    node.until_metric("sluis_queue_length{queue=\"orders\"}", 1.0);
    node.until_metric("sluis_alert_messages_total{receiver=\"desk\"}", 1.0);
    assert!(node.said("alert").is_some());
    assert!(node.stop().0.success());

    let node = Node::start(&folder, &settings);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(told(&file).len(), 1, "a restart is no news");

    let (code, out, error) = sluis(&folder.data(), &["queue", "orders", "--json"]);
    assert_eq!(code, 0, "{error}");
    let waiting: serde_json::Value = serde_json::from_str(&out).unwrap();
    let submission = waiting["submission"].as_str().unwrap().to_owned();
    let decide = |more: &[&str]| {
        let own = ["submission", "order", &submission, "--by", "anna", "--reason", "called back"];
        sluis(&folder.data(), &[&own[..], more].concat())
    };
    let (code, _, error) = decide(&["--is", "order", "--term", "soon"]);
    assert!(code == 2 && error.contains("24 hours"), "{error}");
    let (code, _, error) = decide(&["--is", "order", "--term", "24 hours"]);
    assert_eq!(code, 0, "{error}");
    until("the alert is over", || node.metric("sluis_alerts_open{kind=\"order\"}").is_none().then_some(()));
    node.until_metric("sluis_queue_length{queue=\"orders\"}", 0.0);
}

#[test]
fn who_cannot_be_reached_is_said_and_holds_up_nobody_else() {
    let folder = Folder::new("unreachable");
    std::fs::write(folder.0.join("secret"), "0123456789abcdef").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.0.join("secret"), mode).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertificateParams::new(vec!["ca.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.0.join("ca.pem"), ca.pem()).unwrap();
    let (clerk, file) = clerk("clerk", &folder);
    let hook = "[[alert]]\nname = \"hook\"\n[alert.webhook]\nurl = \"https://127.0.0.1:9/\"\nsecret_file = \"secret\"\nca_file = \"ca.pem\"\n";
    let node = Node::start(&folder, &format!("{hook}{clerk}"));
    folder.spool("order.eml", &order());
    until("the other is told", || told(&file).pop());
    node.until_metric("sluis_alert_failing{receiver=\"hook\"}", 1.0);
    node.until_metric("sluis_alert_failing{receiver=\"clerk\"}", 0.0);
    let (status, _, body) = node.get("/readyz");
    assert!(status == 503 && body.contains("alerts do not reach 'hook'") && body.contains("private network"), "{body}");
    let said = node.said("alerts not told").unwrap();
    assert_eq!(said["receiver"], "hook");

    let (code, out, _) = sluis(&folder.data(), &["alert", "list"]);
    assert!(code == 0 && out.contains("order") && out.contains("'hook' cannot be reached"), "{out}");
    let (code, out, error) = sluis(&folder.data(), &["alert", "acknowledge", "1", "--by", "anna"]);
    assert!(code == 0 && out.contains("cared for by anna"), "{out}{error}");
    let (code, _, error) = sluis(&folder.data(), &["alert", "acknowledge", "1", "--by", "bob"]);
    assert!(code == 1 && error.contains("acknowledged by anna"), "{error}");
    let (_, out, _) = sluis(&folder.data(), &["alert", "list"]);
    assert!(out.contains("no alert is open"), "{out}");
}

#[test]
fn a_test_message_is_really_sent() {
    let folder = Folder::new("alert-test");
    let (clerk, file) = clerk("clerk", &folder);
    let config = folder.0.join("sluis.toml");
    std::fs::write(&config, clerk).unwrap();
    let test = |more: &[&str]| {
        let own = ["--config", config.to_str().unwrap(), "alert", "test"];
        sluis(&folder.data(), &[&own[..], more].concat())
    };
    let (code, out, error) = test(&[]);
    assert_eq!((code, out.as_str()), (0, "clerk: told by command\n"), "{error}");
    assert!(told(&file)[0]["alerts"][0]["text"].as_str().unwrap().contains("This is a test"));
    let (code, _, error) = test(&["nobody"]);
    assert!(code == 1 && error.contains("'nobody'") && error.contains("clerk"), "{error}");
}
