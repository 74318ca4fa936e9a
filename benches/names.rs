//! Suggestions for a large tenant: 10,000 names against 10,000, with the mistakes that people make in names.
//!
//! `cargo bench --bench names [-- SEED]` prints the time, the memory, and how many are right.

mod companies;

use std::time::Instant;

use companies::memory;
use parhelion::matching::suggest::{Facts, Index, Scratch, Weights};

const NAMES: usize = 10_000;

fn main() {
    let seed = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1);
    let facts = |name: String| Facts { name, ..Facts::default() };
    let (sources, targets): (Vec<_>, Vec<_>) =
        companies::pairs(seed, NAMES).into_iter().map(|(here, there)| (facts(here), facts(there))).unzip();
    let before = memory();
    let start = Instant::now();
    let index = Index::new(&targets, Weights::default());
    let built = start.elapsed();
    let mut scratch = Scratch::default();
    let found: Vec<_> =
        sources.iter().map(|facts| index.suggest_with(facts, |_| false, &mut scratch)).collect();
    let all = start.elapsed();
    let start = Instant::now();
    let again = index.suggest_with(&sources[0], |_| false, &mut scratch);
    let one = start.elapsed();
    assert_eq!(again, found[0]);

    let (mut first, mut three, mut sure, mut wrong, mut ambiguous) = (0, 0, 0, 0, 0);
    for (at, suggestion) in found.iter().enumerate() {
        let best = suggestion.candidates.first();
        first += usize::from(best.is_some_and(|c| c.at == at));
        three += usize::from(suggestion.candidates.iter().any(|c| c.at == at));
        ambiguous += usize::from(suggestion.is_ambiguous());
        if let Some(best) = best.filter(|c| c.score >= 95 && !suggestion.is_ambiguous()) {
            sure += 1;
            if best.at != at {
                wrong += 1;
                if wrong <= 5 {
                    println!(
                        "wrong at {}: '{}' -> '{}'",
                        best.score, sources[at].name, targets[best.at].name
                    );
                }
            }
        }
    }
    let share = |n: usize| n as f64 * 100.0 / NAMES as f64;
    println!(
        "seed {seed}: {NAMES} x {NAMES} names in {:.2} s (index {:.0} ms, one {:.2} ms)",
        all.as_secs_f64(),
        built.as_secs_f64() * 1e3,
        one.as_secs_f64() * 1e3
    );
    println!("memory: {:.0} MiB more", memory() - before);
    println!(
        "right first {:.1} %, in the first three {:.1} %; at 95 or more {sure}, of these wrong {wrong}; ambiguous {ambiguous}",
        share(first),
        share(three)
    );
}
