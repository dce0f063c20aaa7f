//! The vectors of RFC 9497 through our code, the crate `voprf` beside it, and golden vectors of our own forms for whoever writes another.

use std::path::PathBuf;

use curve25519_dalek::{RistrettoPoint, Scalar};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rfc::{self, Form, Group as _, Ristretto};
use super::tests::context;
use super::{Context, Element, Output, SecretKey, blind, evaluate, finalize, group, verify};

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn scalar(text: &str) -> Scalar {
    Scalar::from_canonical_bytes(unhex(text).try_into().unwrap()).unwrap()
}

/// One vector of the RFC, of one or more inputs.
struct Vector<'a> {
    mode: u8,
    key: &'a str,
    info: Option<&'a str>,
    inputs: Vec<&'a str>,
    blinds: Vec<&'a str>,
    blinded: Vec<&'a str>,
    evaluated: Vec<&'a str>,
    proof: Option<(&'a str, &'a str)>,
    outputs: Vec<&'a str>,
}

impl Vector<'_> {
    /// Every value of the vector, as the RFC computes it and where mode VOPRF is ours as we do.
    fn check(&self) {
        let key = scalar(self.key);
        let info = self.info.map(unhex);
        // In mode POPRF the key is tweaked and inverted, and what is proven is the inverse statement.
        let tweaked = info.as_ref().map_or(key, |info| key + rfc::tweak(info));
        let factor = if self.mode == 2 { tweaked.invert() } else { key };
        let (mut sent, mut came) = (Vec::new(), Vec::new());
        for (i, input) in self.inputs.iter().enumerate() {
            let (input, blind) = (unhex(input), scalar(self.blinds[i]));
            let blinded = rfc::hash_to_group(self.mode, &input) * blind;
            let evaluated = blinded * factor;
            assert_eq!(hex(Ristretto::encode(blinded)), self.blinded[i]);
            assert_eq!(hex(Ristretto::encode(evaluated)), self.evaluated[i]);
            assert_eq!(hex(rfc::finalize(&input, info.as_deref(), blind, evaluated)), self.outputs[i]);
            if self.mode == 1 {
                // Our own path to the same: hash, holder's output, and the additive blind.
                let ours = SecretKey::from_bytes(&unhex(self.key).try_into().unwrap()).unwrap();
                assert_eq!(hex(Ristretto::encode(group::hash_to_group(&input).unwrap() * blind)), self.blinded[i]);
                assert_eq!(hex(ours.evaluate(&input).unwrap()), self.outputs[i]);
                assert_eq!(hex(ours.multiples(&[blinded])[0]), self.evaluated[i]);
                assert_eq!(hex(through_a_batch(&ours, &input)), self.outputs[i]);
            }
            sent.push(blinded);
            came.push(evaluated);
        }
        let Some((proof, r)) = self.proof else { return };
        let (c, d) = if self.mode == 2 { (came, sent) } else { (sent, came) };
        let made = Form::Rfc(self.mode).prove::<Ristretto>(tweaked, &c, &d, scalar(r));
        assert_eq!(hex([made.0.to_bytes(), made.1.to_bytes()].concat()), proof);
        let public = RistrettoPoint::mul_base(&tweaked);
        assert!(Form::Rfc(self.mode).verify::<Ristretto>(public, &c, &d, made));
        let other = (made.0 + Scalar::ONE, made.1);
        assert!(!Form::Rfc(self.mode).verify::<Ristretto>(public, &c, &d, other));
    }
}

/// The output of an input by our blind, evaluation, proof and finalization.
fn through_a_batch(key: &SecretKey, input: &[u8]) -> Output {
    let blinded = blind(&[input], 64, &[5; 32]).unwrap();
    let (evaluated, proof) = evaluate(key, &blinded, &context(), &[6; 32]).unwrap();
    finalize(&[input], 64, &[5; 32], &key.public(), &blinded, &evaluated, &proof, &context()).unwrap()[0]
}

#[test]
fn vectors_of_rfc_9497_pass() {
    let Ok(shared) = std::env::var("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is not set");
        return;
    };
    let file = std::fs::read_to_string(PathBuf::from(shared).join("vectors/rfc9497/single.json")).unwrap();
    let suites: Vec<Value> = serde_json::from_str(&file).unwrap();
    let mut checked = 0;
    for suite in &suites {
        let text = |value: &'static str| suite[value].as_str().unwrap();
        let mode = u8::try_from(suite["mode"].as_u64().unwrap()).unwrap();
        if text("identifier") != "ristretto255-SHA512" {
            println!("skipped: suite {} mode {mode} is none of ours", text("identifier"));
            continue;
        }
        let key = rfc::derive_key(mode, &unhex(text("seed")), &unhex(text("keyInfo")));
        assert_eq!(hex(key.to_bytes()), text("skSm"));
        assert_eq!(text("groupDST"), hex([b"HashToGroup-", &Ristretto::context(mode)[..]].concat()));
        if mode == 1 {
            let ours = SecretKey::derive(&unhex(text("seed")).try_into().unwrap(), &unhex(text("keyInfo"))).unwrap();
            assert_eq!((hex(*ours.to_bytes()), hex(ours.public().to_bytes())), (text("skSm").into(), text("pkSm").into()));
        }
        for vector in suite["vectors"].as_array().unwrap() {
            let one = |value: &str| vec![vector[value].as_str().unwrap()];
            Vector {
                mode,
                key: text("skSm"),
                info: vector["Info"].as_str(),
                inputs: one("Input"),
                blinds: one("Blind"),
                blinded: one("BlindedElement"),
                evaluated: one("EvaluationElement"),
                proof: vector["Proof"]["proof"].as_str().zip(vector["Proof"]["r"].as_str()),
                outputs: one("Output"),
            }
            .check();
            checked += 1;
        }
    }
    assert!(checked >= 1, "no vector of our suite in the file");
    println!("{checked} vectors of ristretto255-SHA512");
}

/// RFC 9497, appendix A.1.2.3.
#[test]
fn the_batch_of_two_of_rfc_9497_passes() {
    Vector {
        mode: 1,
        key: "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909",
        info: None,
        inputs: vec!["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"],
        blinds: vec![
            "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
            "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        ],
        blinded: vec![
            "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        ],
        evaluated: vec![
            "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        ],
        proof: Some((
            "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
            "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
        )),
        outputs: vec![
            "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
            "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
        ],
    }
    .check();
}

/// RFC 9497, appendix A.1.3.3: the batch of two in mode POPRF, whose statement is the other way round.
#[test]
fn the_batch_of_two_in_mode_poprf_passes() {
    Vector {
        mode: 2,
        key: "145c79c108538421ac164ecbe131942136d5570b16d8bf41a24d4337da981e07",
        info: Some("7465737420696e666f"),
        inputs: vec!["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"],
        blinds: vec![
            "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
            "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        ],
        blinded: vec![
            "c8713aa89241d6989ac142f22dba30596db635c772cbf25021fdd8f3d461f715",
            "423a01c072e06eb1cce96d23acce06e1ea64a609d7ec9e9023f3049f2d64e50c",
        ],
        evaluated: vec![
            "1a4b860d808ff19624731e67b5eff20ceb2df3c3c03b906f5693e2078450d874",
            "aa1f16e903841036e38075da8a46655c94fc92341887eb5819f46312adfc0504",
        ],
        proof: Some((
            "43fdb53be399cbd3561186ae480320caa2b9f36cca0e5b160c4a677b8bbf4301b28f12c36aa8e11e5a7ef551da0781e863a6dc8c0b2bf5a149c9e00621f02006",
            "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
        )),
        outputs: vec![
            "ca688351e88afb1d841fde4401c79efebb2eb75e7998fa9737bd5a82a152406d38bd29f680504e54fd4587eddcf2f37a2617ac2fbd2993f7bdf45442ace7d221",
            "7c6557b276a137922a0bcfc2aa2b35dd78322bd500235eb6d6b6f91bc5b56a52de2d65612d503236b321f5d0bebcbc52b64b92e426f29c9b8b69f52de98ae507",
        ],
    }
    .check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_ways_to_an_output_agree(seed: [u8; 32], info in proptest::collection::vec(any::<u8>(), 0..40), batch_seed: [u8; 32],
            inputs in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..80), 1..6), blind_bytes: [u8; 32]) {
        let key = SecretKey::derive(&seed, &info).unwrap();
        let oracle = voprf::VoprfServer::<voprf::Ristretto255>::new_from_seed(&seed, &info).unwrap();
        prop_assert_eq!(oracle.get_public_key().compress().to_bytes(), key.public().to_bytes());
        let blinded = blind(&inputs, 64, &batch_seed).unwrap();
        let (evaluated, proof) = evaluate(&key, &blinded, &context(), &[6; 32]).unwrap();
        let additive = finalize(&inputs, 64, &batch_seed, &key.public(), &blinded, &evaluated, &proof, &context()).unwrap();
        prop_assert_eq!(&additive, &key.evaluate_all(&inputs).unwrap());
        let r = Scalar::from_bytes_mod_order(blind_bytes) + Scalar::ONE;
        for (input, output) in inputs.iter().zip(&additive) {
            prop_assert_eq!(*output, key.evaluate(input).unwrap());
            prop_assert_eq!(&output[..], &oracle.evaluate(input).unwrap()[..]);
            let evaluated = rfc::hash_to_group(1, input) * r * key.scalar();
            prop_assert_eq!(*output, rfc::finalize(input, None, r, evaluated));
        }
    }

    #[test]
    fn the_fast_proof_is_the_one_that_is_written_out(seed: [u8; 32], nonce: [u8; 32], n in 1usize..9, batch_seq: u64) {
        let key = SecretKey::derive(&seed, b"").unwrap();
        let context = Context { batch_seq, ..context() };
        let blinded: Vec<Element> = blind(&[seed], 64, &nonce).unwrap()[..n].to_vec();
        let (evaluated, proof) = evaluate(&key, &blinded, &context, &nonce).unwrap();
        let points = |elements: &[Element]| elements.iter().map(|element| rfc::point(element)).collect::<Vec<_>>();
        let (c, d) = (points(&blinded), points(&evaluated));
        let read = (scalar(&hex(&proof[..32])), scalar(&hex(&proof[32..])));
        let form = Form::Bound(context.clone());
        prop_assert!(form.verify::<Ristretto>(rfc::point(&key.public().to_bytes()), &c, &d, read));
        let slow = form.prove::<Ristretto>(*key.scalar(), &c, &d, Scalar::from_bytes_mod_order(nonce));
        let slow = [slow.0.to_bytes(), slow.1.to_bytes()].concat().try_into().unwrap();
        prop_assert_eq!(verify(&key.public(), &blinded, &evaluated, &slow, &context), Ok(()));
    }
}

/// The inputs of the golden cases: canonical tokens in form, of nobody.
fn golden_inputs() -> Vec<Vec<u8>> {
    vec![b"SLUIS1\x02\x10\x01reseller.example".to_vec(), b"SLUIS1\x01\x01\x0112345678".to_vec(), vec![0]]
}

/// A case of the golden file: what goes in, and every value on the way, so that another implementation finds where it differs.
fn golden(name: &str, inputs: &[Vec<u8>], context: &Context) -> Value {
    let (key_seed, info, batch_seed, nonce) = ([0xa3; 32], b"sluis/v1/oprf\x00\x00\x00\x03\x01", [0x5a; 32], [0x3c; 32]);
    let key = SecretKey::derive(&key_seed, info).unwrap();
    let blinded = blind(inputs, 64, &batch_seed).unwrap();
    let (evaluated, proof) = evaluate(&key, &blinded, context, &nonce).unwrap();
    let outputs = finalize(inputs, 64, &batch_seed, &key.public(), &blinded, &evaluated, &proof, context).unwrap();
    let points = |elements: &[Element]| elements.iter().map(|element| rfc::point(element)).collect::<Vec<_>>();
    let (c, d) = (points(&blinded), points(&evaluated));
    let form = Form::Bound(context.clone());
    let blinds = super::Blinds::new(inputs, 64, &batch_seed);
    let seed = form.seed::<Ristretto>(rfc::point(&key.public().to_bytes()), &c, &d);
    let all = |elements: &[Element]| elements.iter().map(hex).collect::<Vec<_>>();
    json!({
        "name": name,
        "key_seed": hex(key_seed), "info": hex(info), "secret_key": hex(*key.to_bytes()), "public_key": hex(key.public().to_bytes()),
        "context": {
            "list": hex(context.list), "epoch": context.epoch, "group": context.group, "share": context.share,
            "provider": hex(context.provider), "batch_seq": context.batch_seq,
        },
        "size": 64, "batch_seed": hex(batch_seed), "batch_key": hex(*blinds.0), "inputs": inputs.iter().map(hex).collect::<Vec<_>>(),
        "blinds": inputs.iter().enumerate().map(|(i, input)| hex(blinds.of(i, input).to_bytes())).collect::<Vec<_>>(),
        "blinded": all(&blinded), "evaluated": all(&evaluated),
        "transcript_seed": hex(seed),
        "first_weight": hex(form.weight::<Ristretto>(&seed, 0, c[0], d[0]).to_bytes()),
        "nonce": hex(nonce), "proof": hex(proof),
        "outputs": outputs.iter().map(hex).collect::<Vec<_>>(),
    })
}

#[test]
fn golden_vectors_hold() {
    let other = Context { list: [0xff; 16], epoch: u32::MAX, group: 6, share: 1, provider: [0; 32], batch_seq: u64::MAX };
    let cases = json!([
        golden("three inputs and their padding", &golden_inputs(), &context()),
        golden("no input: all is padding", &[], &context()),
        golden("another context", &golden_inputs(), &other),
    ]);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/voprf.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(file, cases, "canonical bytes changed: that is a new version of the protocol, or a mistake");
}
