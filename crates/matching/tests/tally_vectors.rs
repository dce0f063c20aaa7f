//! The test vectors of draft-irtf-cfrg-vdaf-18: good ones pass, bad ones are refused where they must be. The files are in `vectors/vdaf-18` of
//! the folder that `SLUIS_SHARED` names.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, panic, path::PathBuf};

use prio::{
    codec::{Decode, Encode, ParameterizedDecode},
    field::Field64,
    flp::{
        Flp, FlpError, Gadget, Type,
        gadgets::{Mul, ParallelSum, PolyEval},
        types::SumVec,
    },
    vdaf::{
        Aggregator, Collector, VerifyTransition,
        prio3::{Prio3, Prio3Count, Prio3Histogram, Prio3MultihotCountVec, Prio3Sum, Prio3SumVec},
        test_utils::{TestVector, TestVectorClient, check_test_vector, check_test_vector_custom_constructor},
        xof::{Seed, Xof, XofTurboShake128},
    },
};
use serde_json::Value;

fn files() -> Vec<(String, Value)> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED names no folder with vectors/vdaf-18");
        return Vec::new();
    };
    let folder = PathBuf::from(shared).join("vectors/vdaf-18");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), value)
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    files
}

fn check(name: &str, value: &Value) {
    let Ok(vector) = serde_json::from_value::<TestVector>(value.clone()) else { panic!("{name} is no vector of a VDAF") };
    match name.split('_').next().unwrap() {
        "Prio3Count" => check_test_vector::<Prio3Count, 32, 16>(&vector),
        "Prio3Sum" => check_test_vector::<Prio3Sum, 32, 16>(&vector),
        "Prio3SumVec" => check_test_vector::<Prio3SumVec, 32, 16>(&vector),
        "Prio3Histogram" => check_test_vector::<Prio3Histogram, 32, 16>(&vector),
        "Prio3MultihotCountVec" => check_test_vector::<Prio3MultihotCountVec, 32, 16>(&vector),
        "Prio3HigherDegree" => check_cubic(value),
        "Prio3SumVecWithMultiproof" => {
            type Multiproof = Prio3<SumVec<Field64, ParallelSum<Field64, Mul>>, XofTurboShake128, 32>;
            check_test_vector_custom_constructor::<Multiproof, 32, 16>(&vector, |shares, parameters| {
                let number = |name: &str| parameters[name].as_u64().unwrap();
                let [length, chunk] = ["length", "chunk_length"].map(|name| usize::try_from(number(name)).unwrap());
                let sums = SumVec::new(number("max_measurement"), length, chunk).unwrap();
                Prio3::new(shares, 3, 0xFFFF_FFFF, sums).unwrap()
            });
        }
        other => panic!("{other}: no machine for these vectors; add it here"),
    }
}

/// The draft's circuit of degree three, x(x-1)(x-2): `prio` keeps its own to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cubic;

impl Flp for Cubic {
    type Field = Field64;

    fn gadget(&self) -> Vec<Box<dyn Gadget<Field64>>> {
        let coefficients = vec![Field64::from(0), Field64::from(2), -Field64::from(3), Field64::from(1)];
        vec![Box::new(PolyEval::new(coefficients, 1))]
    }

    fn num_gadgets(&self) -> usize {
        1
    }

    fn valid(
        &self,
        gadgets: &mut Vec<Box<dyn Gadget<Field64>>>,
        input: &[Field64],
        _: &[Field64],
        _: usize,
    ) -> Result<Vec<Field64>, FlpError> {
        Ok(vec![gadgets[0].eval(input)?])
    }

    fn input_len(&self) -> usize {
        1
    }

    // Arity 1, degree 3, one call: 1 + 3 * (2 - 1) + 1.
    fn proof_len(&self) -> usize {
        5
    }

    fn verifier_len(&self) -> usize {
        3
    }

    fn joint_rand_len(&self) -> usize {
        0
    }

    fn eval_output_len(&self) -> usize {
        1
    }

    fn prove_rand_len(&self) -> usize {
        1
    }
}

impl Type for Cubic {
    type Measurement = u64;
    type AggregateResult = u64;

    fn encode_measurement(&self, measurement: &u64) -> Result<Vec<Field64>, FlpError> {
        Ok(vec![Field64::from(*measurement)])
    }

    fn truncate(&self, input: Vec<Field64>) -> Result<Vec<Field64>, FlpError> {
        Ok(input)
    }

    fn decode_result(&self, data: &[Field64], _: usize) -> Result<u64, FlpError> {
        Ok(u64::from(data[0]))
    }

    fn output_len(&self) -> usize {
        1
    }
}

/// Each step of a vector of [`Cubic`], beside what the vector has.
fn check_cubic(value: &Value) {
    type Machine = Prio3<Cubic, XofTurboShake128, 32>;
    let shares = u8::try_from(value["shares"].as_u64().unwrap()).unwrap();
    let machine: Machine = Prio3::new(shares, 1, 0xFFFF_FFFF, Cubic).unwrap();
    let (context, key) = (hex(&value["ctx"]), hex(&value["verify_key"]).try_into().unwrap());
    let mut outputs = vec![Vec::new(); shares.into()];
    for report in value["reports"].as_array().unwrap() {
        let nonce: [u8; 16] = hex(&report["nonce"]).try_into().unwrap();
        let measurement = report["measurement"].as_u64().unwrap();
        let (public, inputs) = machine.shard_with_random(&context, &measurement, &nonce, &hex(&report["rand"])).unwrap();
        assert_eq!(public.get_encoded().unwrap(), hex(&report["public_share"]));
        let (mut states, mut verifiers) = (Vec::new(), Vec::new());
        for (place, input) in inputs.iter().enumerate() {
            assert_eq!(input.get_encoded().unwrap(), hex(&report["input_shares"][place]));
            let (state, verifier) = machine.verify_init(&key, &context, place, &(), &nonce, &public, input).unwrap();
            assert_eq!(verifier.get_encoded().unwrap(), hex(&report["verifier_shares"][0][place]));
            states.push(state);
            verifiers.push(verifier);
        }
        let message = machine.verifier_shares_to_message(&context, &(), verifiers).unwrap();
        assert_eq!(message.get_encoded().unwrap(), hex(&report["verifier_messages"][0]));
        for (place, state) in states.into_iter().enumerate() {
            let next = machine.verify_next(&context, state, message.clone()).unwrap();
            let VerifyTransition::Finish(output) = next else { panic!("one round") };
            assert_eq!(output.get_encoded().unwrap(), hex(&report["out_shares"][place]));
            outputs[place].push(output);
        }
    }
    let shares: Vec<_> = outputs.into_iter().map(|outputs| machine.aggregate(&(), outputs).unwrap()).collect();
    for (place, share) in shares.iter().enumerate() {
        assert_eq!(share.get_encoded().unwrap(), hex(&value["agg_shares"][place]));
        assert!(
            prio::vdaf::AggregateShare::<Field64>::get_decoded_with_param(&(&machine, &()), &hex(&value["agg_shares"][place]))
                .is_ok()
        );
    }
    let reports = value["reports"].as_array().unwrap().len();
    assert_eq!(Some(machine.unshard(&(), shares, reports).unwrap()), value["agg_result"].as_u64());
}

fn hex(value: &Value) -> Vec<u8> {
    // Numbers of the field stand in lists of one for each element.
    if let Some(list) = value.as_array() {
        return list.iter().flat_map(hex).collect();
    }
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_vector_of_the_draft_passes_and_bad_ones_are_refused_where_they_must_be() {
    for (name, value) in files() {
        if name.starts_with("Xof") {
            continue;
        }
        check(&name, &value);
        let refused = value["operations"].as_array().unwrap().iter().filter(|operation| operation["success"] == false).count();
        assert_eq!(refused > 0, name.contains("_bad_"), "{name}");
        if refused == 0 {
            continue;
        }
        // What is refused is not refused by a checker that refuses nothing: the same file with "success" turned round must fail it.
        let mut turned = value;
        for operation in turned["operations"].as_array_mut().unwrap() {
            operation["success"] = Value::Bool(true);
        }
        let outcome = panic::catch_unwind(|| check(&name, &turned));
        assert!(outcome.is_err(), "{name} was not refused");
    }
}

#[test]
fn the_extendable_hash_is_that_of_the_draft() {
    for (name, value) in files().into_iter().filter(|(name, _)| name == "XofTurboShake128") {
        let seed: [u8; 32] = hex(&value["seed"]).try_into().unwrap();
        let (dst, binder) = (hex(&value["dst"]), hex(&value["binder"]));
        let mut xof = XofTurboShake128::init(&seed, &[&dst]);
        xof.update(&binder);
        assert_eq!(xof.clone().into_seed().as_ref(), &hex(&value["derived_seed"])[..], "{name}");
        let expanded = hex(&value["expanded_vec_field128"]);
        let mut stream = vec![0; expanded.len()];
        rand_core::Rng::fill_bytes(&mut xof.into_seed_stream(), &mut stream);
        assert_eq!(stream, expanded, "{name}: this seed meets no element that is rejected");
        assert!(Seed::<32>::get_decoded(&seed).is_ok());
    }
}
