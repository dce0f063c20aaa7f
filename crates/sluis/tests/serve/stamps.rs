//! Time-stamps as a node gets them: from OpenSSL's `ts` behind a server of the test's own, and judged by OpenSSL in the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Folder, Node, until};

fn shell(folder: &Path, script: &str) -> bool {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

/// An authority in a folder: certificates, and the settings of `openssl ts`.
fn authority(folder: &Path) {
    let made = shell(
        folder,
        "printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n' > extensions
         openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/O=Clocks of Example/CN=Root' \
            -addext keyUsage=critical,keyCertSign
         openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj '/O=Clocks of Example/CN=Unit'
         openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out tsa.pem
         echo 01 > serial
         printf '[tsa]\ndefault_tsa = one\n[one]\nserial = ./serial\nsigner_cert = ./tsa.pem\nsigner_key = ./tsa.key\n\
signer_digest = sha256\ndefault_policy = 1.3.6.1.4.1.64496.1\ndigests = sha256\ness_cert_id_alg = sha256\n' > tsa.cnf",
    );
    assert!(made, "certificates could not be made");
}

fn serve(listener: &TcpListener, folder: &Path) {
    let answer = |mut stream: TcpStream| -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut query = vec![0; length];
        reader.read_exact(&mut query)?;
        std::fs::write(folder.join("query.tsq"), query)?;
        assert!(shell(folder, "openssl ts -reply -config tsa.cnf -queryfile query.tsq -out answer.tsr"));
        let body = std::fs::read(folder.join("answer.tsr"))?;
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())?;
        stream.write_all(&body)
    };
    for stream in listener.incoming().flatten() {
        let _ = answer(stream);
    }
}

/// The files of the log with this ending.
fn files(data: &Path, part: &str) -> Vec<PathBuf> {
    let shards = std::fs::read_dir(data.join("log")).into_iter().flatten().flatten();
    let folders = shards.map(|shard| shard.path().join(part)).filter(|path| path.is_dir());
    folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path()).collect()
}

#[test]
fn the_first_checkpoint_is_stamped_and_openssl_believes_it() {
    if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: openssl is not installed");
        return;
    }
    let folder = Folder::new("stamps");
    authority(&folder.0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = folder.0.clone();
    std::thread::spawn(move || serve(&listener, &own));
    let section = |name: &str, port: u16| {
        format!(
            "[[log.tsa]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/\"\nroots = \"ca.pem\"\nallow = [\"127.0.0.1:{port}\"]\n"
        )
    };
    // Nobody is at port 1.
    let node = Node::start(&folder, &(section("clocks", port) + &section("nobody", 1)));
    let file = until("the checkpoint is stamped", || {
        files(&folder.data(), "anchor").into_iter().find(|path| path.extension().is_some_and(|ending| ending == "tsr"))
    });
    until("it is said that one gives nothing", || node.said("gives no time-stamp; it is asked again, ever more seldom"));
    assert!(node.log().contains("nobody answers there") && !node.log().contains("\"clocks\""), "{}", node.log());

    let checkpoint = std::fs::read_to_string(file.parent().unwrap().with_file_name("checkpoint")).unwrap();
    let (text, _) = checkpoint.rsplit_once("\n\n").unwrap();
    std::fs::write(folder.0.join("text"), format!("{text}\n")).unwrap();
    assert_eq!(file.file_stem().unwrap().to_str(), text.lines().nth(1), "named for the size of the tree");
    let verified = format!("openssl ts -verify -data text -in '{}' -CAfile ca.pem", file.display());
    assert!(shell(&folder.0, &verified));
    assert!(node.stop().0.success());
}

#[test]
fn a_node_does_not_begin_with_a_trust_file_that_is_none() {
    let folder = Folder::new("no-trust");
    std::fs::write(folder.0.join("ca.pem"), "nothing").unwrap();
    let settings = "[[log.tsa]]\nname = \"clocks\"\nurl = \"http://tsa.example/\"\nroots = \"ca.pem\"\n";
    let config = folder.0.join("sluis.toml");
    std::fs::write(&config, settings).unwrap();
    let (code, _, error) = crate::support::sluis(&folder.data(), &["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("[[log.tsa]] 'clocks'") && error.contains("ca.pem"), "{error}");
}
