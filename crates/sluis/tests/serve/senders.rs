//! Who mails are from, asked of a name server by a running node, and seen at the command line.

use serde_json::Value;

use crate::support::{Folder, Node, sluis, until};

#[path = "../../src/mail/tests/server.rs"]
mod server;

#[test]
fn a_running_node_asks_who_a_mail_is_from() {
    let folder = Folder::new("senders");
    let key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let server = server::start(&[("brisbane._domainkey.football.example.com", key)]);
    let node = Node::start(&folder, &format!("[mail]\ndns = [\"{server}\"]\nown = [\"suzie@shopping.example.net\"]\n"));
    folder.spool("mail", include_bytes!("../../src/mail/tests/rfc8463.eml"));
    let shown = |arguments: &[&str]| {
        let (code, out, _) = sluis(&folder.data(), &[&["submission", "show", "1"], arguments].concat());
        (code == 0 && !out.contains("not read to its end")).then_some(out)
    };
    let text = until("the mail is worked off", || shown(&[]));
    assert!(text.contains("joe@football.example.com"), "{text}");
    assert!(text.contains("proven by a signature (DKIM): football.example.com"), "{text}");
    let whole: Value = serde_json::from_str(&shown(&["--json"]).unwrap()).unwrap();
    assert_eq!(whole["sender"]["proof"], "dkim");
    assert_eq!(whole["sender"]["domain"], "football.example.com");
    assert!(whole["sender"]["detail"].as_str().unwrap().contains("s=brisbane"), "{whole}");
    assert!(node.stop().0.success());
}
