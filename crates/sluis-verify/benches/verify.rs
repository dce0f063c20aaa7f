//! How long one verdict takes: a case of twenty records, all shown, with seven checkpoints and fourteen time-stamps; and the case of
//! one row of a batch.

use seal::bundle;
use seal::testing::stories::{Set, Story, all};
use sluis_verify::output::{About, html, page};
use sluis_verify::said::Language;
use sluis_verify::{Trust, verify};

fn main() {
    divan::main();
}

fn trust(set: &Set) -> Trust {
    let roots = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes()));
    Trust::read(set.policy.as_bytes(), None, roots).expect("the policy of the examples can be read")
}

#[divan::bench(args = ["good-whole", "good-row", "good-receipt"])]
fn verdict(bencher: divan::Bencher, name: &str) {
    let set = all(10_000);
    let trust = trust(&set);
    let bytes = &set.examples.iter().find(|example| example.name == name).expect("the example is there").bytes;
    assert_eq!(verify(bytes, &trust, None).exit_code(), 0);
    bencher.bench(|| verify(divan::black_box(bytes), &trust, None));
}

#[divan::bench]
fn verdict_and_page(bencher: divan::Bencher) {
    let set = all(20);
    let trust = trust(&set);
    let bytes = bundle::write(&Story::new(20).whole()).expect("the bundle can be written");
    let about = About { bytes: &bytes, at: None, program: "bench" };
    bencher.bench(|| html(&page(&verify(&bytes, &trust, None), &about, Language::Dutch), Language::Dutch));
}
