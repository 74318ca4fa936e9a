//! Who a customer may be on the other side: up to three candidates, scored, with the reasons (P11-P13).
//!
//! A proposal, never a decision. Trigrams find who is near, words and spelling rank them, and keys of their own (VAT
//! or registration number, mail domain, postcode) outrank names. Same data, same list.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::keys::{is_own_domain, vat_form};
use super::legal::LegalForms;
use super::name::{Parts, exact_form};
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
/// Words and letters of a name that are looked at closely: more has no company, and somebody may send a book.
const WORDS: usize = 24;
const SPELT: usize = 240;
/// The most that a name with the help of a domain and a postcode can reach: what is sure says a number, or the name.
const HELPED: u8 = 97;
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

/// One possible partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the list the index was made of.
    pub at: usize,
    pub score: u8,
    /// In words, most telling first. Never empty.
    pub why: Vec<String>,
    /// The keys that say that it is this one, one bit each: [`BY_NUMBER`], [`BY_DOMAIN`], [`BY_NAME`].
    pub by: u8,
}

/// The same VAT or registration number.
pub const BY_NUMBER: u8 = 1;
/// The same mail domain of their own.
pub const BY_DOMAIN: u8 = 2;
/// Names that differ in nothing but the legal form, accents and case.
pub const BY_NAME: u8 = 4;

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

/// The score of two customers alone, and what speaks for it; `None` where nothing does.
pub fn likeness(here: &Facts, there: &Facts, weights: &Weights) -> Option<(u8, Vec<String>)> {
    let legal = LegalForms::of(&weights.legal_forms);
    let index = Index {
        weights: weights.clone(),
        known: vec![Known::of(there, weights, &legal)],
        legal: legal.clone(),
        grams: Vec::new(),
        rarity: HashMap::new(),
        vats: HashMap::new(),
        domains: HashMap::new(),
    };
    let here = Known::of(here, weights, &legal);
    index.known.first().and_then(|there| index.compare(&here, there, 0)).map(|one| (one.score, one.why))
}

/// One side's customers, ready to be searched.
pub struct Index {
    weights: Weights,
    legal: Arc<LegalForms>,
    known: Vec<Known>,
    /// The names that hold each trigram.
    grams: Vec<Vec<u32>>,
    /// How rare each word of a name is.
    rarity: HashMap<String, f32>,
    vats: HashMap<String, Vec<u32>>,
    domains: HashMap<String, Vec<u32>>,
}

/// A customer with its name taken apart.
struct Known {
    exact: String,
    parts: Parts,
    joined: String,
    /// The same words, sorted.
    sorted: String,
    numbers: BTreeSet<String>,
    grams: u32,
    vat: Option<String>,
    domains: Vec<String>,
    postcode: Option<String>,
}

impl Known {
    fn of(facts: &Facts, weights: &Weights, legal: &LegalForms) -> Self {
        let real = |text: &&str| !weights.is_placeholder(text);
        let parts = if weights.is_placeholder(&facts.name) {
            Parts::default()
        } else {
            Parts::of(&facts.name, legal)
        };
        let joined = parts.core.join(" ");
        let mut words = parts.core.clone();
        words.sort();
        let numbers = parts.core.iter().filter(|word| word.bytes().any(|b| b.is_ascii_digit())).cloned();
        let mut domains: Vec<String> =
            facts.domains.iter().map(|d| d.trim().to_lowercase()).filter(|d| is_own_domain(d)).collect();
        domains.sort();
        domains.dedup();
        Self {
            exact: exact_form(&facts.name),
            numbers: numbers.collect(),
            sorted: words.join(" "),
            grams: 0,
            vat: facts.vat.as_deref().filter(real).and_then(vat_form),
            domains,
            postcode: facts.postcode.as_deref().filter(real).and_then(postcode_form),
            joined,
            parts,
        }
    }

    fn is_nameless(&self) -> bool {
        self.joined.is_empty()
    }
}

impl Index {
    pub fn new<'f>(facts: impl IntoIterator<Item = &'f Facts>, weights: Weights) -> Self {
        let legal = LegalForms::of(&weights.legal_forms);
        let mut index = Self {
            known: facts.into_iter().map(|facts| Known::of(facts, &weights, &legal)).collect(),
            legal,
            grams: vec![Vec::new(); LETTERS * LETTERS * LETTERS],
            rarity: HashMap::new(),
            vats: HashMap::new(),
            domains: HashMap::new(),
            weights,
        };
        let mut holders: HashMap<String, u32> = HashMap::new();
        for (at, known) in (0_u32..).zip(&mut index.known) {
            let mut grams = trigrams(&known.joined);
            grams.sort_unstable();
            grams.dedup();
            known.grams = grams.len() as u32;
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
                *holders.entry(word.clone()).or_default() += 1;
            }
        }
        let all = index.known.len().max(1) as f32;
        index.rarity =
            holders.into_iter().map(|(word, held)| (word, (1.0 + all / held as f32).ln())).collect();
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
        let here = Known::of(facts, &self.weights, &self.legal);
        let mut near: BTreeSet<u32> = BTreeSet::new();
        near.extend(here.vat.as_ref().and_then(|vat| self.vats.get(vat)).into_iter().flatten());
        near.extend(here.domains.iter().filter_map(|domain| self.domains.get(domain)).flatten());
        self.nearest(&here.joined, scratch, &mut near);
        let mut candidates: Vec<Candidate> = near
            .into_iter()
            .map(|at| at as usize)
            .filter_map(|at| self.compare(&here, self.known.get(at)?, at))
            .filter(|candidate| candidate.score >= self.weights.floor)
            .collect();
        candidates.sort_by_key(|candidate| (Reverse(candidate.score), candidate.at));
        candidates.truncate(KEPT);
        candidates
    }

    /// The names that share most trigrams with this one, for their length.
    fn nearest(&self, joined: &str, scratch: &mut Scratch, near: &mut BTreeSet<u32>) {
        let mut grams = trigrams(joined);
        grams.sort_unstable();
        grams.dedup();
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
                let both = own + self.known[at as usize].grams;
                (Reverse(shared * 20_000 / both.max(1)), at)
            })
            .collect();
        if ranked.len() > NEAREST {
            ranked.select_nth_unstable(NEAREST);
            ranked.truncate(NEAREST);
        }
        near.extend(ranked.into_iter().map(|(_, at)| at));
    }

    /// How alike two customers are; `None` where nothing at all speaks for it.
    fn compare(&self, here: &Known, there: &Known, at: usize) -> Option<Candidate> {
        let w = &self.weights;
        let mut why: Vec<String> = Vec::new();
        let by_name = self.names(here, there, &mut why);
        let mut score = by_name;
        // Companies of one group share a domain and a house, and are two all the same.
        let is_another = here.numbers != there.numbers || forms_differ(here, there);
        let most = if is_another { score.max(w.near) } else { score.max(HELPED) };
        let same_domain = here.domains.iter().find(|domain| there.domains.contains(domain));
        if let Some(domain) = same_domain {
            score = score.saturating_add(w.domain_adds).max(w.same_domain).min(most);
            why.push(format!("same domain {domain}"));
        }
        if here.postcode.is_some() && here.postcode == there.postcode && score > 0 {
            score = score.saturating_add(w.postcode_adds).min(most);
            why.push("same postcode".into());
        }
        match (&here.vat, &there.vat) {
            (Some(a), Some(b)) if a == b => {
                score = score.max(w.same_vat);
                why.insert(0, format!("same VAT number {a}"));
            }
            (Some(_), Some(_)) => {
                score = score.min(w.other_vat);
                why.push("VAT numbers differ".into());
            }
            _ => {}
        }
        // Exactly the same name is certain as far as names go; everything else leaves a doubt.
        let most = if here.exact == there.exact && !here.exact.is_empty() { 100 } else { 99 };
        let bit = |holds: bool, key: u8| if holds { key } else { 0 };
        let by = bit(here.vat.is_some() && here.vat == there.vat, BY_NUMBER)
            | bit(same_domain.is_some(), BY_DOMAIN)
            | bit(by_name >= w.same_words, BY_NAME);
        (score > 0 && !why.is_empty()).then(|| Candidate { at, score: score.min(most), why, by })
    }

    /// The likeness of two names alone.
    fn names(&self, here: &Known, there: &Known, why: &mut Vec<String>) -> u8 {
        let w = &self.weights;
        if here.is_nameless() || there.is_nameless() {
            return 0;
        }
        if here.exact == there.exact {
            why.push("same name".into());
            return 100;
        }
        if here.joined == there.joined || here.sorted == there.sorted {
            let mut score = w.same_words;
            if is_other_script(&here.exact, &there.exact) {
                // The same sounds in other letters: near, and no more than that.
                why.push("same when transliterated".into());
                return w.other_form;
            }
            if forms_differ(here, there) {
                score = w.other_form;
                why.push("other legal form".into());
            } else if here.parts.forms != there.parts.forms {
                why.push("legal suffix".into());
            }
            if here.joined != there.joined {
                score = score.min(w.other_order);
                why.push("word order".into());
            }
            if why.is_empty() {
                why.push("case, accents or signs".into());
            }
            return score;
        }
        // In one order, whichever is asked about: two names are as near as they are.
        let (alike, said) =
            if here.joined <= there.joined { self.alike(here, there) } else { self.alike(there, here) };
        let mut score = (f32::from(w.near) * alike) as u8;
        why.extend(said);
        if here.numbers != there.numbers {
            score = score.min(w.other_numbers);
            why.push("numbers differ".into());
        }
        if forms_differ(here, there) {
            score = score.saturating_sub(4);
            why.push("other legal form".into());
        }
        score
    }

    /// From 0 to 1 for names of different words, and what differs.
    fn alike<'k>(&self, here: &'k Known, there: &'k Known) -> (f32, Vec<String>) {
        let weigh = |word: &str| {
            let rare = (1.0 + self.known.len().max(1) as f32).ln();
            self.rarity.get(word).copied().unwrap_or(rare) + 0.5
        };
        let first = |known: &'k Known| &known.parts.core[..known.parts.core.len().min(WORDS)];
        let (our, their) = (first(here), first(there));
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (i, a) in our.iter().enumerate() {
            for (j, b) in their.iter().enumerate() {
                let same = word_likeness(a, b);
                if same > 0.0 {
                    pairs.push((same, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let (mut mine, mut yours) = (vec![false; our.len()], vec![false; their.len()]);
        let (mut common, mut all, mut misspelt, mut moved, mut last) = (0.0, 0.0, false, false, None);
        let mut met: Vec<(usize, usize)> = Vec::new();
        for (same, i, j) in pairs {
            if mine[i] || yours[j] {
                continue;
            }
            (mine[i], yours[j]) = (true, true);
            let weight = f32::midpoint(weigh(&our[i]), weigh(&their[j]));
            common += weight * same;
            all += weight;
            misspelt |= same < 1.0;
            met.push((i, j));
        }
        met.sort_unstable();
        for (_, j) in met {
            moved |= last.is_some_and(|last| last > j);
            last = Some(j);
        }
        let left = |words: &[String], met: &[bool]| -> f32 {
            words.iter().zip(met).filter(|(_, met)| !**met).map(|(word, _)| weigh(word)).sum()
        };
        let (only_here, only_there) = (left(our, &mine), left(their, &yours));
        // Words that one side has and the other lacks count half: names are cut short more often than they are wrong.
        // Where both sides have words of their own, these stand against each other.
        let against = only_here.min(only_there);
        let words = common / (all + 0.5 * (only_here + only_there) + 0.5 * against).max(f32::EPSILON);
        let spelling = spelt_alike(&here.joined, &there.joined).max(spelt_alike(&here.sorted, &there.sorted));
        let whole = if here.joined.replace(' ', "") == there.joined.replace(' ', "") {
            0.99
        } else {
            0.7 * words + 0.3 * spelling
        };
        let mut said = Vec::new();
        if whole > 0.98 {
            said.push("spacing".to_owned());
        } else if misspelt || all == 0.0 {
            said.push("spelling".into());
        }
        if moved {
            said.push("word order".into());
        }
        if only_here > 0.0 || only_there > 0.0 {
            said.push("extra words".into());
        }
        if said.is_empty() {
            said.push("spelling".into());
        }
        (whole.clamp(0.0, 1.0), said)
    }
}

/// Whether both names tell a legal form, and not the same one.
fn forms_differ(here: &Known, there: &Known) -> bool {
    let (a, b) = (&here.parts.forms, &there.parts.forms);
    a != b && !a.is_empty() && !b.is_empty()
}

/// From 0 to 1, by as much of either as is looked at.
fn spelt_alike(a: &str, b: &str) -> f32 {
    fn cut(text: &str) -> &str {
        text.get(..SPELT).unwrap_or(text)
    }
    strsim::jaro_winkler(cut(a), cut(b)) as f32
}

/// Room for searching, used again from one search to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    counts: Vec<u16>,
    touched: Vec<u32>,
}

/// From 0 (another word) to 1 (the same): letters that were swapped, left out, doubled or mistyped.
fn word_likeness(a: &str, b: &str) -> f32 {
    if a == b {
        return 1.0;
    }
    // Numbers are never misspelt into another number.
    let digits = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if digits(a) || digits(b) || short.len() < 3 {
        return 0.0;
    }
    if long.starts_with(short) {
        // 'Tech' for 'Technologies'; one letter more is a plural or a typing error.
        return if long.len() - short.len() <= 2 { 0.92 } else { 0.8 };
    }
    if long.len() - short.len() > 2 {
        return 0.0;
    }
    let wrong = strsim::osa_distance(a, b);
    let allowed = if short.len() < 5 { 1 } else { 2 };
    if wrong > allowed { 0.0 } else { 1.0 - 0.75 * wrong as f32 / long.len() as f32 }
}

/// Whether letters that are the same only when transliterated make up either name.
fn is_other_script(a: &str, b: &str) -> bool {
    let foreign = |name: &str| -> BTreeSet<char> {
        // Full-width Latin is Latin; what is left above is a script of its own.
        let letters = name
            .nfkc()
            .filter(|c| c.is_alphabetic() && (0x370..0x1e00).contains(&(*c as u32)) || *c as u32 >= 0x2e80);
        letters.flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (foreign(a), foreign(b));
    // A legal form in that script is no other script.
    a.is_empty() != b.is_empty() || !(a.is_subset(&b) || b.is_subset(&a))
}

/// The trigrams of a transliterated name, words kept apart by a space on either side.
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
    let letters: Vec<usize> = std::iter::once(b' ').chain(joined.bytes()).chain([b' ']).map(letter).collect();
    letters.windows(3).map(|three| (three[0] * LETTERS + three[1]) * LETTERS + three[2]).collect()
}

/// A postcode as it is compared; `None` for what is too short to be one.
fn postcode_form(text: &str) -> Option<String> {
    let form: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    (form.len() >= 4 && form.bytes().any(|byte| byte.is_ascii_digit())).then_some(form)
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
        found.candidates.first().map(|c| (targets[c.at].to_owned(), c.score, c.why.join(", ")))
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
        assert_eq!(found.why, ["spelling", "same domain eastgate.example", "same postcode"]);
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
            proptest::prop_assert!(one.candidates.iter().all(|c| (60..=100).contains(&c.score) && !c.why.is_empty()));
            proptest::prop_assert!(one.candidates.windows(2).all(|two| two[0].score >= two[1].score));
        }
    }
}
