//! How alike two customers are, from 0 to 100, and what speaks for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::keys::{is_own_domain, vat_form};
use super::legal::LegalForms;
use super::name::{Parts, exact_form};
use super::suggest::{Facts, Weights};

/// Words and letters of a name that are looked at closely: more has no company, and somebody may send a book.
const WORDS: usize = 24;
const SPELT: usize = 240;
/// The most that a name with the help of a domain and a postcode can reach: what is sure says a number, or the name.
const HELPED: u8 = 97;

/// The same VAT or registration number.
pub const BY_NUMBER: u8 = 1;
/// The same mail domain of their own.
pub const BY_DOMAIN: u8 = 2;
/// Names that differ in nothing but the legal form, accents and case.
pub const BY_NAME: u8 = 4;

/// One possible partner. Tens of thousands are kept, so what speaks for it is put into words when it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the list the index was made of.
    pub at: usize,
    pub score: u8,
    /// The keys that say that it is this one, one bit each: [`BY_NUMBER`], [`BY_DOMAIN`], [`BY_NAME`].
    pub by: u8,
    reasons: Reasons,
    /// The number and the domain that they share.
    vat: Option<Arc<str>>,
    domain: Option<Arc<str>>,
}

impl Candidate {
    /// What speaks for and against it in words, most telling first. Never empty.
    pub fn why(&self) -> Vec<String> {
        let mut why: Vec<String> = self.vat.iter().map(|vat| format!("same VAT number {vat}")).collect();
        let said = |reason: &&(u16, &str)| self.reasons.0 & reason.0 != 0;
        let (names, others) = IN_WORDS.split_at(NAMES);
        why.extend(names.iter().filter(said).map(|(_, words)| (*words).to_owned()));
        why.extend(self.domain.iter().map(|domain| format!("same domain {domain}")));
        why.extend(others.iter().filter(said).map(|(_, words)| (*words).to_owned()));
        why
    }
}

/// What two customers have in common or differ in, a bit each of [`IN_WORDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Reasons(u16);

impl Reasons {
    fn say(&mut self, reason: u16) {
        self.0 |= reason;
    }

    const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const SAME_NAME: u16 = 1;
const TRANSLITERATED: u16 = 1 << 1;
/// Of names that are equal but for it.
const OTHER_FORM: u16 = 1 << 2;
const LEGAL_SUFFIX: u16 = 1 << 3;
const SPACING: u16 = 1 << 4;
const SPELLING: u16 = 1 << 5;
const WORD_ORDER: u16 = 1 << 6;
const EXTRA_WORDS: u16 = 1 << 7;
const CASE: u16 = 1 << 8;
const NUMBERS: u16 = 1 << 9;
/// Of names that differ in more.
const OTHER_FORM_TOO: u16 = 1 << 10;
const POSTCODE: u16 = 1 << 11;
const OTHER_VAT: u16 = 1 << 12;

/// In the order in which they are said.
const IN_WORDS: [(u16, &str); 13] = [
    (SAME_NAME, "same name"),
    (TRANSLITERATED, "same when transliterated"),
    (OTHER_FORM, "other legal form"),
    (LEGAL_SUFFIX, "legal suffix"),
    (SPACING, "spacing"),
    (SPELLING, "spelling"),
    (WORD_ORDER, "word order"),
    (EXTRA_WORDS, "extra words"),
    (CASE, "case, accents or signs"),
    (NUMBERS, "numbers differ"),
    (OTHER_FORM_TOO, "other legal form"),
    (POSTCODE, "same postcode"),
    (OTHER_VAT, "VAT numbers differ"),
];
/// So many of them are about the names.
const NAMES: usize = 11;

/// The score of two customers alone, and what speaks for it; `None` where nothing does.
pub fn likeness(here: &Facts, there: &Facts, weights: &Weights) -> Option<(u8, Vec<String>)> {
    let legal = LegalForms::of(&weights.legal_forms);
    let known = |facts: &Facts| {
        let mut known = Known::of(facts, weights, &legal);
        known.weigh(&HashMap::new(), 2.0_f32.ln());
        known
    };
    let one = compare(&known(here), &known(there), 0, weights, 0)?;
    Some((one.score, one.why()))
}

/// A customer with its name taken apart.
pub(super) struct Known {
    exact: String,
    pub parts: Parts,
    pub joined: String,
    /// The same words, sorted.
    sorted: String,
    numbers: BTreeSet<String>,
    /// Of each word that is looked at.
    words: Vec<Word>,
    pub vat: Option<Arc<str>>,
    pub domains: Vec<Arc<str>>,
    postcode: Option<String>,
}

/// What tells two words apart without reading them.
#[derive(Clone, Copy)]
struct Word {
    weight: f32,
    /// A bit for each letter in it, from a to z, and one for whatever else there is.
    letters: u32,
    /// Numbers are never misspelt into another number.
    has_digit: bool,
}

impl Known {
    pub fn of(facts: &Facts, weights: &Weights, legal: &LegalForms) -> Self {
        let real = |text: &&str| !weights.is_placeholder(text);
        let parts = if weights.is_placeholder(&facts.name) {
            Parts::default()
        } else {
            Parts::of(&facts.name, legal)
        };
        let joined = parts.core.join(" ");
        let mut words = parts.core.clone();
        words.sort();
        let numbers = parts.core.iter().filter(|word| has_digit(word)).cloned();
        let mut domains: Vec<Arc<str>> = facts
            .domains
            .iter()
            .map(|domain| domain.trim().to_lowercase())
            .filter(|domain| is_own_domain(domain))
            .map(Arc::from)
            .collect();
        domains.sort();
        domains.dedup();
        Self {
            exact: exact_form(&facts.name),
            numbers: numbers.collect(),
            sorted: words.join(" "),
            words: Vec::new(),
            vat: facts.vat.as_deref().filter(real).and_then(vat_form).map(Arc::from),
            domains,
            postcode: facts.postcode.as_deref().filter(real).and_then(postcode_form),
            joined,
            parts,
        }
    }

    /// Notes how much each word counts: the rarer, the more. Before it is compared.
    pub fn weigh(&mut self, rarity: &HashMap<String, f32>, rarest: f32) {
        let word = |word: &String| Word {
            weight: rarity.get(word).copied().unwrap_or(rarest) + 0.5,
            letters: letters(word),
            has_digit: has_digit(word),
        };
        self.words = self.parts.core.iter().take(WORDS).map(word).collect();
    }

    fn is_nameless(&self) -> bool {
        self.joined.is_empty()
    }

    fn looked_at(&self) -> impl Iterator<Item = (&str, Word)> {
        self.parts.core.iter().map(String::as_str).zip(self.words.iter().copied())
    }
}

/// How alike two customers are; `None` where nothing at all speaks for it, or where it is clear from afar that they
/// stay below `least`.
pub(super) fn compare(here: &Known, there: &Known, at: usize, w: &Weights, least: u8) -> Option<Candidate> {
    let mut reasons = Reasons::default();
    let same_vat = here.vat.as_ref().filter(|vat| there.vat.as_ref() == Some(vat));
    let same_domain = here.domains.iter().find(|domain| there.domains.contains(domain));
    let same_postcode = here.postcode.is_some() && here.postcode == there.postcode;
    let is_helped = same_vat.is_some() || same_domain.is_some() || same_postcode;
    let by_name = names(here, there, w, if is_helped { 0 } else { least }, &mut reasons);
    let mut score = by_name;
    // Companies of one group share a domain and a house, and are two all the same.
    let is_another = here.numbers != there.numbers || forms_differ(here, there);
    let most = if is_another { score.max(w.near) } else { score.max(HELPED) };
    if same_domain.is_some() {
        score = score.saturating_add(w.domain_adds).max(w.same_domain).min(most);
    }
    if same_postcode && score > 0 {
        score = score.saturating_add(w.postcode_adds).min(most);
        reasons.say(POSTCODE);
    }
    if same_vat.is_some() {
        score = score.max(w.same_vat);
    } else if here.vat.is_some() && there.vat.is_some() {
        score = score.min(w.other_vat);
        reasons.say(OTHER_VAT);
    }
    // Exactly the same name is certain as far as names go; everything else leaves a doubt.
    let most = if here.exact == there.exact && !here.exact.is_empty() { 100 } else { 99 };
    let bit = |holds: bool, key: u8| if holds { key } else { 0 };
    let by = bit(same_vat.is_some(), BY_NUMBER)
        | bit(same_domain.is_some(), BY_DOMAIN)
        | bit(by_name >= w.same_words, BY_NAME);
    let is_anything = !reasons.is_empty() || same_vat.is_some() || same_domain.is_some();
    (score > 0 && is_anything).then(|| Candidate {
        at,
        score: score.min(most),
        by,
        reasons,
        vat: same_vat.cloned(),
        domain: same_domain.cloned(),
    })
}

/// The likeness of two names alone; 0 where it stays below `least`.
fn names(here: &Known, there: &Known, w: &Weights, least: u8, why: &mut Reasons) -> u8 {
    if here.is_nameless() || there.is_nameless() {
        return 0;
    }
    if here.exact == there.exact {
        why.say(SAME_NAME);
        return 100;
    }
    if here.joined == there.joined || here.sorted == there.sorted {
        let mut score = w.same_words;
        if is_other_script(&here.exact, &there.exact) {
            // The same sounds in other letters: near, and no more than that.
            why.say(TRANSLITERATED);
            return w.other_form;
        }
        if forms_differ(here, there) {
            score = w.other_form;
            why.say(OTHER_FORM);
        } else if here.parts.forms != there.parts.forms {
            why.say(LEGAL_SUFFIX);
        }
        if here.joined != there.joined {
            score = score.min(w.other_order);
            why.say(WORD_ORDER);
        }
        if why.is_empty() {
            why.say(CASE);
        }
        return score;
    }
    // In one order, whichever is asked about: two names are as near as they are.
    let (one, other) = if here.joined <= there.joined { (here, there) } else { (there, here) };
    let alike = alike(one, other, |most| (f32::from(w.near) * most) as u8 >= least, why);
    let mut score = (f32::from(w.near) * alike) as u8;
    if here.numbers != there.numbers {
        score = score.min(w.other_numbers);
        why.say(NUMBERS);
    }
    if forms_differ(here, there) {
        score = score.saturating_sub(4);
        why.say(OTHER_FORM_TOO);
    }
    score
}

/// From 0 to 1 for names of different words, and what differs. 0 where the most that their spelling could still make
/// of it is not `enough`.
fn alike(here: &Known, there: &Known, enough: impl Fn(f32) -> bool, why: &mut Reasons) -> f32 {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (i, a) in here.looked_at().enumerate() {
        for (j, b) in there.looked_at().enumerate() {
            let same = word_likeness(a, b);
            if same > 0.0 {
                pairs.push((same, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    // A bit a word: there are no more than that.
    let (mut mine, mut yours) = (0_u32, 0_u32);
    let (mut common, mut all, mut misspelt, mut moved) = (0.0, 0.0, false, false);
    let mut met: [Option<usize>; WORDS] = [None; WORDS];
    for (same, i, j) in pairs {
        if mine & 1 << i != 0 || yours & 1 << j != 0 {
            continue;
        }
        (mine, yours) = (mine | 1 << i, yours | 1 << j);
        let weight = f32::midpoint(here.words[i].weight, there.words[j].weight);
        common += weight * same;
        all += weight;
        misspelt |= same < 1.0;
        met[i] = Some(j);
    }
    let mut last = None;
    for j in met.into_iter().flatten() {
        moved |= last.is_some_and(|last| last > j);
        last = Some(j);
    }
    let left = |known: &Known, met: u32| -> f32 {
        let others = known.words.iter().enumerate().filter(|(at, _)| met & 1 << at == 0);
        others.map(|(_, word)| word.weight).sum()
    };
    let (only_here, only_there) = (left(here, mine), left(there, yours));
    // Words that one side has and the other lacks count half: names are cut short more often than they are wrong.
    // Where both sides have words of their own, these stand against each other.
    let against = only_here.min(only_there);
    let words = common / (all + 0.5 * (only_here + only_there) + 0.5 * against).max(f32::EPSILON);
    let whole = if tight(&here.joined).eq(tight(&there.joined)) {
        0.99
    } else if enough(0.7 * words + 0.3) {
        let joined = spelt_alike(&here.joined, &there.joined);
        0.7 * words + 0.3 * joined.max(spelt_alike(&here.sorted, &there.sorted))
    } else {
        return 0.0;
    };
    if whole > 0.98 {
        why.say(SPACING);
    } else if misspelt || all == 0.0 {
        why.say(SPELLING);
    }
    if moved {
        why.say(WORD_ORDER);
    }
    if only_here > 0.0 || only_there > 0.0 {
        why.say(EXTRA_WORDS);
    }
    if why.is_empty() {
        why.say(SPELLING);
    }
    whole.clamp(0.0, 1.0)
}

fn tight(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|byte| *byte != b' ')
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

/// From 0 (another word) to 1 (the same): letters that were swapped, left out, doubled or mistyped.
fn word_likeness((a, a_is): (&str, Word), (b, b_is): (&str, Word)) -> f32 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if a_is.has_digit || b_is.has_digit || short.len() < 3 {
        return 0.0;
    }
    if long.starts_with(short) {
        // 'Tech' for 'Technologies'; one letter more is a plural or a typing error.
        return if long.len() - short.len() <= 2 { 0.92 } else { 0.8 };
    }
    let allowed = if short.len() < 5 { 1 } else { 2 };
    // One mistake changes two letters at most.
    let others = (a_is.letters ^ b_is.letters).count_ones();
    if long.len() - short.len() > 2 || others > 2 * allowed {
        return 0.0;
    }
    let wrong = strsim::osa_distance(a, b);
    if wrong > allowed as usize { 0.0 } else { 1.0 - 0.75 * wrong as f32 / long.len() as f32 }
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

fn letters(word: &str) -> u32 {
    let bit = |letter: char| match letter {
        'a'..='z' => u32::from(letter) - u32::from('a'),
        _ => 26,
    };
    word.chars().fold(0, |all, letter| all | 1 << bit(letter))
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

/// A postcode as it is compared; `None` for what is too short to be one.
fn postcode_form(text: &str) -> Option<String> {
    let form: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    (form.len() >= 4 && form.bytes().any(|byte| byte.is_ascii_digit())).then_some(form)
}
