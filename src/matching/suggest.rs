//! Who a customer may be on the other side: up to three candidates, scored, with the reasons (P11-P13).
//!
//! A proposal, never a decision. Trigrams find who is near, words and spelling rank them, and keys of their own (VAT
//! or registration number, mail domain, postcode) outrank names. Same data, same list.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::legal::LegalForms;
pub use super::likeness::{BY_DOMAIN, BY_NAME, BY_NUMBER, Candidate, likeness};
use super::likeness::{Known, compare};
/// How much each likeness counts. Every number is a setting.
pub use crate::model::settings::Matching as Weights;

/// Candidates that a row shows.
pub const SHOWN: usize = 3;
/// Candidates that are kept to choose from, since some may be ruled out or be taken already.
const KEPT: usize = 8;
/// As many of the nearest by trigrams are looked at closely.
const NEAREST: usize = 24;
/// Letters of a trigram: a to z, digits, the space between words, and one for whatever else there is.
const LETTERS: usize = 38;
/// A trigram that more names than this share tells nobody from anybody.
const COMMON: usize = 2_000;

/// What is known of a customer on either side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub name: String,
    /// VAT or registration number as given.
    pub vat: Option<String>,
    /// Mail and web domains.
    pub domains: Vec<String>,
    pub postcode: Option<String>,
}

/// What is found for one customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suggestion {
    /// Best first, at most [`SHOWN`].
    pub candidates: Vec<Candidate>,
    /// Where nobody but a person can tell (P12, P13): two of equal strength, or the ones that different keys point
    /// to. All of them, also those that are not shown. Empty or at least two.
    pub rivals: Vec<Candidate>,
}

impl Suggestion {
    /// Chooses from whoever is near. Whom a person has ruled out is left away (P14); those behind, such as customers
    /// that are mapped already, come last and make nothing ambiguous.
    pub fn of(
        near: &[Candidate],
        is_refused: impl Fn(usize) -> bool,
        is_behind: impl Fn(usize) -> bool,
    ) -> Self {
        let (behind, free): (Vec<&Candidate>, Vec<&Candidate>) =
            near.iter().filter(|one| !is_refused(one.at)).partition(|one| is_behind(one.at));
        let rivals = rivals(&free);
        // Those to choose from stand together.
        let (first, others): (Vec<&Candidate>, Vec<&Candidate>) =
            free.into_iter().partition(|one| rivals.iter().any(|rival| rival.at == one.at));
        let candidates = first.into_iter().chain(others).chain(behind).take(SHOWN).cloned().collect();
        Self { candidates, rivals: rivals.into_iter().cloned().collect() }
    }

    pub const fn is_ambiguous(&self) -> bool {
        !self.rivals.is_empty()
    }
}

/// Who stands against the best, best first: others of its score, and whoever another key points to where no one is
/// meant by both keys.
fn rivals<'c>(free: &[&'c Candidate]) -> Vec<&'c Candidate> {
    let Some(best) = free.first() else { return Vec::new() };
    let keys = [BY_NUMBER, BY_DOMAIN, BY_NAME];
    let meant = |key: u8| free.iter().filter(move |one| one.by & key != 0);
    let disagree = |a: u8, b: u8| {
        meant(a).next().is_some()
            && meant(b).next().is_some()
            && !free.iter().any(|one| one.by & (a | b) == a | b)
    };
    let at_odds = keys.into_iter().filter(|a| keys.into_iter().any(|b| *a != b && disagree(*a, b)));
    let at_odds = at_odds.fold(0, |all, key| all | key);
    let rivals: Vec<&Candidate> =
        free.iter().filter(|one| one.score == best.score || one.by & at_odds != 0).copied().collect();
    if rivals.len() > 1 { rivals } else { Vec::new() }
}

/// One side's customers, ready to be searched.
pub struct Index {
    weights: Weights,
    legal: Arc<LegalForms>,
    known: Vec<Known>,
    /// How many different trigrams each name has.
    sizes: Vec<u32>,
    /// The names that hold each trigram.
    grams: Vec<Vec<u32>>,
    /// How rare each word of a name is.
    rarity: HashMap<String, f32>,
    /// Of a word that no name has.
    rarest: f32,
    vats: HashMap<Arc<str>, Vec<u32>>,
    domains: HashMap<Arc<str>, Vec<u32>>,
}

impl Index {
    pub fn new<'f>(facts: impl IntoIterator<Item = &'f Facts>, weights: Weights) -> Self {
        let legal = LegalForms::of(&weights.legal_forms);
        let known: Vec<Known> = facts.into_iter().map(|facts| Known::of(facts, &weights, &legal)).collect();
        let mut index = Self {
            legal,
            sizes: Vec::with_capacity(known.len()),
            grams: vec![Vec::new(); LETTERS * LETTERS * LETTERS],
            rarity: HashMap::new(),
            rarest: (1.0 + known.len().max(1) as f32).ln(),
            vats: HashMap::new(),
            domains: HashMap::new(),
            weights,
            known,
        };
        let mut holders: HashMap<&str, u32> = HashMap::new();
        for (at, known) in (0_u32..).zip(&index.known) {
            let grams = trigrams(&known.joined);
            index.sizes.push(grams.len() as u32);
            for gram in grams {
                index.grams[gram].push(at);
            }
            if let Some(vat) = &known.vat {
                index.vats.entry(vat.clone()).or_default().push(at);
            }
            for domain in &known.domains {
                index.domains.entry(domain.clone()).or_default().push(at);
            }
            for word in known.parts.core.iter().collect::<BTreeSet<_>>() {
                *holders.entry(word).or_default() += 1;
            }
        }
        let all = index.known.len().max(1) as f32;
        index.rarity = holders
            .into_iter()
            .map(|(word, held)| (word.to_owned(), (1.0 + all / held as f32).ln()))
            .collect();
        for known in &mut index.known {
            known.weigh(&index.rarity, index.rarest);
        }
        index
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Who this customer may be. `is_refused` says which of the list a person has ruled out for it (P14).
    pub fn suggest(&self, facts: &Facts, is_refused: impl Fn(usize) -> bool) -> Suggestion {
        self.suggest_with(facts, is_refused, &mut Scratch::default())
    }

    /// The same for many in a row, with room that is used again.
    pub fn suggest_with(
        &self,
        facts: &Facts,
        is_refused: impl Fn(usize) -> bool,
        scratch: &mut Scratch,
    ) -> Suggestion {
        Suggestion::of(&self.near(facts, scratch), is_refused, |_| false)
    }

    /// Whoever comes near, best first: what [`Suggestion::of`] chooses from.
    pub fn near(&self, facts: &Facts, scratch: &mut Scratch) -> Vec<Candidate> {
        let mut here = Known::of(facts, &self.weights, &self.legal);
        here.weigh(&self.rarity, self.rarest);
        let mut near: Vec<u32> = self.nearest(&here.joined, scratch);
        near.extend(here.vat.as_ref().and_then(|vat| self.vats.get(vat)).into_iter().flatten());
        near.extend(here.domains.iter().filter_map(|domain| self.domains.get(domain)).flatten());
        near.sort_unstable();
        near.dedup();
        let floor = self.weights.floor;
        let mut candidates: Vec<Candidate> = near
            .into_iter()
            .map(|at| at as usize)
            .filter_map(|at| compare(&here, self.known.get(at)?, at, &self.weights, floor))
            .filter(|candidate| candidate.score >= floor)
            .collect();
        candidates.sort_by_key(|candidate| (Reverse(candidate.score), candidate.at));
        candidates.truncate(KEPT);
        candidates
    }

    /// The names that share most trigrams with this one, for their length.
    fn nearest(&self, joined: &str, scratch: &mut Scratch) -> Vec<u32> {
        let mut grams = trigrams(joined);
        let own = grams.len() as u32;
        scratch.counts.resize(self.known.len(), 0);
        // Rare trigrams first; the common ones only count where a rare one has found somebody.
        grams.sort_by_key(|gram| self.grams[*gram].len());
        for (nth, gram) in grams.into_iter().enumerate() {
            let holders = &self.grams[gram];
            let is_common = holders.len() > COMMON && nth > 2;
            for at in holders {
                let count = &mut scratch.counts[*at as usize];
                if *count == 0 {
                    if is_common {
                        continue;
                    }
                    scratch.touched.push(*at);
                }
                *count += 1;
            }
        }
        // Shared twice over both lengths, in whole numbers so that equal is equal.
        let mut ranked: Vec<(Reverse<u32>, u32)> = scratch
            .touched
            .drain(..)
            .map(|at| {
                let shared = u32::from(std::mem::take(&mut scratch.counts[at as usize]));
                let both = own + self.sizes[at as usize];
                (Reverse(shared * 20_000 / both.max(1)), at)
            })
            .collect();
        if ranked.len() > NEAREST {
            ranked.select_nth_unstable(NEAREST);
            ranked.truncate(NEAREST);
        }
        ranked.into_iter().map(|(_, at)| at).collect()
    }
}

/// Room for searching, used again from one search to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    counts: Vec<u16>,
    touched: Vec<u32>,
}

/// The trigrams of a transliterated name, each once, words kept apart by a space on either side.
fn trigrams(joined: &str) -> Vec<usize> {
    if joined.is_empty() {
        return Vec::new();
    }
    let letter = |byte: u8| match byte {
        b'a'..=b'z' => usize::from(byte - b'a') + 1,
        b'0'..=b'9' => usize::from(byte - b'0') + 27,
        b' ' => 0,
        _ => LETTERS - 1,
    };
    let mut last = (0, 0);
    let letters = joined.bytes().chain([b' ']).map(letter).map(|letter| {
        let gram = (last.0 * LETTERS + last.1) * LETTERS + letter;
        last = (last.1, letter);
        gram
    });
    // The first letter alone, after nothing, is no trigram.
    let mut grams: Vec<usize> = letters.skip(1).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Facts {
        Facts { name: name.into(), ..Facts::default() }
    }

    fn first(source: &str, targets: &[&str]) -> Option<(String, u8, String)> {
        let facts: Vec<Facts> = targets.iter().map(|name| named(name)).collect();
        let found = Index::new(&facts, Weights::default()).suggest(&named(source), |_| false);
        found.candidates.first().map(|c| (targets[c.at].to_owned(), c.score, c.why().join(", ")))
    }

    const AROUND: [&str; 6] = [
        "Harbour View Hotels",
        "Iona Joinery & Sons",
        "Kestrel IT",
        "Blue Yonder Food",
        "Eastgate Motor Co",
        "Lomond",
    ];

    #[test]
    fn reasons_are_in_words_and_scores_in_their_order() {
        let (to, suffix, why) = first("Lomond Ltd", &AROUND).unwrap();
        assert_eq!((to.as_str(), suffix, why.as_str()), ("Lomond", 96, "legal suffix"));
        let (to, spelling, why) = first("Blue Yonder Foods", &AROUND).unwrap();
        assert_eq!((to.as_str(), why.as_str()), ("Blue Yonder Food", "spelling"));
        let (to, extra, why) = first("Iona Joinery", &AROUND).unwrap();
        assert_eq!((to.as_str(), why.as_str()), ("Iona Joinery & Sons", "extra words"));
        assert!(suffix > spelling && spelling > 85 && extra > 70, "{suffix} {spelling} {extra}");
        let (_, order, why) = first("Food Yonder Blue", &AROUND).unwrap();
        assert_eq!((order, why.as_str()), (94, "word order"));
        assert_eq!(first("Glenmore Housing", &AROUND), None);
    }

    #[test]
    fn digits_count() {
        assert!(first("Area 51", &["Area 52"]).is_none_or(|(_, score, _)| score <= 65));
        assert_eq!(first("Area 51", &["Area 52", "Area 51 Ltd"]).unwrap().0, "Area 51 Ltd");
    }

    #[test]
    fn another_legal_form_is_another_company_until_somebody_says_otherwise() {
        let (_, score, why) = first("Fabrikam Ltd", &["Fabrikam GmbH"]).unwrap();
        assert_eq!((score, why.as_str()), (86, "other legal form"));
        assert_eq!(first("Fabrikam Ltd", &["Fabrikam Limited"]).unwrap().1, 96);
    }

    #[test]
    fn two_of_equal_strength_are_ambiguous() {
        let facts = [named("Kestrel GmbH"), named("Kestrel Ltd"), named("Kestrel Legal")];
        let found = Index::new(&facts, Weights::default()).suggest(&named("Kestrel"), |_| false);
        assert!(found.is_ambiguous());
        let found = Index::new(&facts, Weights::default()).suggest(&named("Kestrel"), |at| at == 0);
        assert!(!found.is_ambiguous() && found.candidates[0].at == 1);
    }

    #[test]
    fn a_number_of_its_own_outranks_the_name_and_a_different_one_speaks_against() {
        let with = |name: &str, vat: &str| Facts { vat: Some(vat.into()), ..named(name) };
        let facts = [with("Alder Holdings", "GB 123 4567 89"), with("Birch", "GB 987 6543 21")];
        let index = Index::new(&facts, Weights::default());
        let found = index.suggest(&with("Alder Holdings", "GB987654321"), |_| false);
        assert_eq!((found.candidates[0].at, found.candidates[0].score), (1, 98));
        let found = index.suggest(&with("Alder Holdings Ltd", "GB 111 2222 33"), |_| false);
        assert!(found.candidates[0].score <= 70, "{found:?}");
        // The number says one, the name another: both are shown, nobody is taken.
        let facts = [named("Alder Holdings"), with("Birch", "GB 987 6543 21")];
        let found =
            Index::new(&facts, Weights::default()).suggest(&with("Alder Holdings", "GB987654321"), |_| false);
        assert!(found.is_ambiguous() && found.candidates.len() == 2, "{found:?}");
    }

    #[test]
    fn any_script() {
        assert_eq!(first("Café Müller", &["Cafe Muller"]).unwrap().1, 96);
        assert_eq!(first("ＡＢＣ Trading", &["ABC Trading"]).unwrap().1, 96);
        // A Cyrillic А, С and Е among Latin letters.
        assert!(first("АСME Tools", &["ACME Tools"]).unwrap().1 >= 86);
        assert!(first("株式会社東京商事", &["東京商事"]).is_some());
        assert!(first("שלום", &["שלום בעמ"]).is_some());
        for odd in ["", "   ", "\u{202e}", "!!!", "X", "Ltd", "The Limited", &"very long ".repeat(500)] {
            let _ = first(odd, &AROUND);
            let _ = first("X", &[odd]);
        }
        assert_eq!(first("X", &["X Ltd", "Y"]).unwrap().0, "X Ltd");
        assert_eq!(first("Limited", &["Limited "]).unwrap().1, 100);
    }

    #[test]
    fn domains_and_postcodes_add_and_say_so() {
        let facts = [Facts {
            domains: vec!["eastgate.example".into()],
            postcode: Some("yo1 7aa".into()),
            ..named("Eastgate Motor Co")
        }];
        let index = Index::new(&facts, Weights::default());
        let plain = index.suggest(&named("Eastgate Motors"), |_| false).candidates[0].score;
        let both = Facts {
            domains: vec!["EASTGATE.example".into(), "gmail.com".into()],
            postcode: Some("YO1 7AA".into()),
            ..named("Eastgate Motors")
        };
        let found = &index.suggest(&both, |_| false).candidates[0];
        assert!(found.score > plain && found.score < 98);
        assert_eq!(found.why(), ["spelling", "same domain eastgate.example", "same postcode"]);
    }

    proptest::proptest! {
        #[test]
        fn the_same_data_gives_the_same_list_and_scores_stay_in_range(
            names in proptest::collection::vec("[a-zA-Zé0-9 &.]{0,20}", 0..30),
            source in "[a-zA-Zé0-9 &.]{0,20}",
        ) {
            let facts: Vec<Facts> = names.iter().map(|name| named(name)).collect();
            let index = Index::new(&facts, Weights::default());
            let one = index.suggest(&named(&source), |_| false);
            proptest::prop_assert_eq!(&one, &index.suggest(&named(&source), |_| false));
            proptest::prop_assert!(one.candidates.iter().all(|c| (60..=100).contains(&c.score) && !c.why().is_empty()));
            proptest::prop_assert!(one.candidates.windows(2).all(|two| two[0].score >= two[1].score));
        }
    }
}
