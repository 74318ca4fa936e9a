//! The two forms of a name: one that makes a pair certain, one that makes it worth a look.

use unicode_normalization::UnicodeNormalization;

use super::legal::{self, LegalForms};

/// What must be equal for two names to be *exactly* the same (K4): outer spaces and the Unicode form do not count,
/// upper and lower case do.
pub fn exact_form(name: &str) -> String {
    name.trim().nfc().collect()
}

/// What look-alikes share: transliterated, lower case, words of letters and digits, without legal forms and filler
/// words. Digits count. Empty only for a name without any letter or digit.
pub fn normal_form(name: &str) -> String {
    Parts::of(name, &LegalForms::known()).core.join(" ")
}

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// The words that tell the company from others, in order; all words where nothing else is left.
    pub core: Vec<String>,
    /// Its legal forms, by the numbers of [`LegalForms`]; none where the name is nothing but these.
    pub forms: Vec<usize>,
}

impl Parts {
    pub fn of(name: &str, legal: &LegalForms) -> Self {
        let words = words(name);
        let mut forms = Vec::new();
        let mut kept: Vec<&str> = Vec::with_capacity(words.len());
        let mut at = 0;
        while let Some(word) = words.get(at) {
            if let Some((form, length)) = legal.anywhere(&words[at..]) {
                forms.push(form);
                at += length;
            } else {
                if !legal::is_filler(word) {
                    kept.push(word);
                }
                at += 1;
            }
        }
        // What is nothing but a form is a name.
        while let Some((form, length)) = legal.at_the_end(&kept).filter(|(_, length)| *length < kept.len()) {
            forms.push(form);
            kept.truncate(kept.len() - length);
        }
        if kept.is_empty() {
            return Self { core: words, forms: Vec::new() };
        }
        forms.sort_unstable();
        forms.dedup();
        Self { core: kept.into_iter().map(str::to_owned).collect(), forms }
    }
}

/// Lower-case words of letters and digits. Single letters in a row are one word, so that S.A.R.L. is SARL.
pub(super) fn words(name: &str) -> Vec<String> {
    let plain: String = name.nfkc().filter(|c| !is_apostrophe(*c)).collect();
    let plain = deunicode::deunicode(&without_look_alikes(&plain)).to_lowercase();
    let mut words: Vec<String> = Vec::new();
    let mut spelled = false;
    for word in plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let letter = word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic();
        match words.last_mut() {
            Some(last) if letter && spelled => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        spelled = letter;
    }
    words
}

/// Cyrillic and Greek letters that look Latin, as the Latin ones, in words that have a Latin letter too: nobody mixes
/// the scripts of one word on purpose.
fn without_look_alikes(name: &str) -> String {
    let foreign = |c: char| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}');
    if !name.chars().any(foreign) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for word in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
        if word.chars().any(|c| c.is_ascii_alphabetic()) {
            out.extend(word.chars().map(latin));
        } else {
            out.push_str(word);
        }
    }
    out
}

fn latin(c: char) -> char {
    match c {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        'а' | 'α' => 'a',
        'с' => 'c',
        'е' | 'ε' => 'e',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'х' | 'χ' => 'x',
        'у' => 'y',
        'ν' => 'v',
        other => other,
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{02BC}' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_makes_a_name_another_one_spaces_outside_and_the_unicode_form_do_not() {
        assert_eq!(exact_form("  Café Ltd\u{a0}"), exact_form("Cafe\u{301} Ltd"));
        assert_ne!(exact_form("Alder Ltd"), exact_form("ALDER Ltd"));
        assert_ne!(exact_form("Alder  Ltd"), exact_form("Alder Ltd"));
    }

    #[test]
    fn look_alikes_share_their_normal_form() {
        for (one, other) in [
            ("Alder & Finch Ltd", "ALDER AND FINCH LIMITED"),
            ("Müller GmbH & Co. KG", "Muller"),
            ("Boulangerie Dupont S.A.R.L.", "Boulangerie Dupont SARL"),
            ("O'Brien plc", "OBrien"),
            ("A.B. Smith", "AB Smith"),
            ("The Crown", "Crown"),
            ("Kowalski Sp. z o.o.", "Kowalski"),
            ("Łódź Trans", "Lodz Trans"),
        ] {
            assert_eq!(normal_form(one), normal_form(other), "{one} / {other}");
        }
    }

    #[test]
    fn what_tells_customers_apart_stays() {
        assert_ne!(normal_form("Alder 1 Ltd"), normal_form("Alder 2 Ltd"));
        assert_ne!(normal_form("London Zoo"), normal_form("London"));
        assert_ne!(normal_form("AB Smith"), normal_form("Smith"));
        assert_eq!(normal_form("The Limited"), "the limited");
        assert_eq!(normal_form("\u{202e}\u{0}\u{1b}[31m"), "31m");
        assert_eq!(normal_form("🙂".repeat(3).as_str()).is_empty(), normal_form("🙂").is_empty());
        assert_eq!(normal_form("  --- "), "");
    }
}
