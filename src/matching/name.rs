//! The two forms of a name: one that makes a pair certain, one that makes it worth a look.

use unicode_normalization::UnicodeNormalization;

/// Dropped wherever they stand: legal forms of three letters and more, and words that say nothing.
const DROPPED: &[&str] = &[
    "aps",
    "asa",
    "bhd",
    "bvba",
    "comm",
    "company",
    "corp",
    "corporation",
    "doo",
    "eeig",
    "ehf",
    "eirl",
    "eood",
    "eurl",
    "gbr",
    "gesmbh",
    "ggmbh",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kgaa",
    "limited",
    "limitada",
    "llc",
    "llp",
    "ltd",
    "ltda",
    "mbh",
    "nyrt",
    "ohg",
    "ood",
    "oyj",
    "plc",
    "pte",
    "pty",
    "pvt",
    "sarl",
    "sas",
    "sasu",
    "sci",
    "scrl",
    "sia",
    "sdn",
    "snc",
    "spa",
    "spj",
    "sprl",
    "srl",
    "srls",
    "sro",
    "stiftung",
    "uab",
    "vof",
    "vzw",
    "zrt", //
    "and",
    "das",
    "der",
    "des",
    "die",
    "een",
    "het",
    "les",
    "los",
    "och",
    "the",
    "und",
];

/// Dropped at the end only: legal forms so short that they may be a word of the name elsewhere.
const DROPPED_AT_THE_END: &[&str] = &[
    "ab", "ag", "as", "bv", "co", "cv", "ev", "kg", "kk", "lp", "nv", "ou", "oy", "sa", "sb", "se", "sl",
    "ug", "zoo",
];

/// What must be equal for two names to be *exactly* the same (K4): outer spaces and the Unicode form do not count,
/// upper and lower case do.
pub fn exact_form(name: &str) -> String {
    name.trim().nfc().collect()
}

/// What look-alikes share: transliterated, lower case, words of letters and digits, without legal forms and filler
/// words. Digits count. Empty only for a name without any letter or digit.
pub fn normal_form(name: &str) -> String {
    let words = words(name);
    let mut kept: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !DROPPED.contains(word)).collect();
    while kept.len() > 1 && kept.last().is_some_and(|word| DROPPED_AT_THE_END.contains(word)) {
        // Polish 'sp. z o.o.' comes as two words; 'zoo' alone is one of the name's own.
        if kept.last() == Some(&"zoo") {
            if kept.len() < 3 || kept[kept.len() - 2] != "sp" {
                break;
            }
            kept.pop();
        }
        kept.pop();
    }
    if kept.is_empty() { words.join(" ") } else { kept.join(" ") }
}

/// Lower-case words of letters and digits. Single letters in a row are one word, so that S.A.R.L. is SARL.
fn words(name: &str) -> Vec<String> {
    let plain =
        deunicode::deunicode(&name.nfc().filter(|c| !is_apostrophe(*c)).collect::<String>()).to_lowercase();
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
