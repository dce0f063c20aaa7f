//! Tests of the interface.
use super::*;

fn context() -> Context {
    Context { list: [7; 16], epoch: 3, group: 1, share: 0, provider: [9; 32], batch_seq: 42 }
}

#[test]
fn a_provider_gets_what_the_holder_computes() {
    let key = SecretKey::derive(&[1; 32], b"test").unwrap();
    let inputs: Vec<Vec<u8>> = (0..50u32).map(|n| n.to_be_bytes().to_vec()).collect();
    let blinded = blind(&inputs, 64, &[2; 32]).unwrap();
    let (evaluated, proof) = evaluate(&key, &blinded, &context(), &[3; 32]).unwrap();
    let outputs = finalize(&inputs, 64, &[2; 32], &key.public(), &blinded, &evaluated, &proof, &context()).unwrap();
    let own: Vec<Output> = inputs.iter().map(|input| key.evaluate(input).unwrap()).collect();
    assert_eq!(outputs, own);
}
