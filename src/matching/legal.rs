//! Legal forms of companies by language, and words that say nothing: what two names may differ in and still be one.

/// Legal forms of one meaning. The first is the short one; `ltd` and `limited` are one form.
pub struct Form {
    /// Where it is at home, as ISO 639 (`xx`: in several).
    pub language: &'static str,
    pub words: &'static [&'static str],
    /// So short that it may be a word of the name: counts at the end only.
    pub at_the_end: bool,
}

const fn form(language: &'static str, words: &'static [&'static str]) -> Form {
    Form { language, words, at_the_end: false }
}

const fn short(language: &'static str, words: &'static [&'static str]) -> Form {
    Form { language, words, at_the_end: true }
}

/// Every legal form that is known without a setting.
pub const FORMS: &[Form] = &[
    form("en", &["ltd", "limited"]),
    form("en", &["plc"]),
    form("en", &["llp"]),
    form("en", &["llc"]),
    form("en", &["inc", "incorporated"]),
    form("en", &["corp", "corporation"]),
    form("en", &["company"]),
    form("en", &["pty"]),
    form("en", &["pte"]),
    form("en", &["pvt"]),
    form("en", &["bhd"]),
    form("en", &["sdn"]),
    form("en", &["cic"]),
    form("xx", &["eeig"]),
    short("en", &["co"]),
    short("en", &["lp"]),
    short("en", &["sb"]),
    form("de", &["gmbh", "gesmbh", "mbh"]),
    form("de", &["ggmbh"]),
    form("de", &["kgaa"]),
    form("de", &["ohg"]),
    form("de", &["gbr"]),
    form("de", &["stiftung"]),
    short("de", &["ag"]),
    short("de", &["kg"]),
    short("de", &["ug"]),
    short("de", &["ev"]),
    form("fr", &["sarl"]),
    form("fr", &["sas"]),
    form("fr", &["sasu"]),
    form("fr", &["eurl"]),
    form("fr", &["sci"]),
    form("fr", &["snc"]),
    short("fr", &["sa"]),
    form("nl", &["bvba"]),
    form("nl", &["vof"]),
    form("nl", &["vzw"]),
    form("nl", &["comm"]),
    form("nl", &["scrl"]),
    form("nl", &["sprl"]),
    short("nl", &["bv"]),
    short("nl", &["nv"]),
    short("nl", &["cv"]),
    form("it", &["srl"]),
    form("it", &["srls"]),
    form("it", &["spa"]),
    form("es", &["ltda", "limitada"]),
    form("es", &["eirl"]),
    short("es", &["sl"]),
    form("sv", &["aps"]),
    form("sv", &["asa"]),
    form("fi", &["oyj"]),
    form("is", &["ehf"]),
    short("sv", &["ab"]),
    short("da", &["as"]),
    short("fi", &["oy"]),
    short("et", &["ou"]),
    form("cs", &["sro"]),
    form("hu", &["kft"]),
    form("hu", &["nyrt"]),
    form("hu", &["zrt"]),
    form("hr", &["doo"]),
    form("bg", &["ood"]),
    form("bg", &["eood"]),
    form("lv", &["sia"]),
    form("lt", &["uab"]),
    form("pl", &["spj"]),
    short("pl", &["zoo"]),
    short("xx", &["se"]),
    short("ja", &["kk"]),
];

/// Words that tell nobody from anybody.
const FILLERS: &[&str] =
    &["and", "das", "der", "des", "die", "een", "het", "les", "los", "och", "the", "und"];

/// The place of the form that this word (lower case, transliterated) is, wherever it stands.
pub fn anywhere(word: &str) -> Option<usize> {
    FORMS.iter().position(|form| !form.at_the_end && form.words.contains(&word))
}

/// The same for a word at the end of a name.
pub fn at_the_end(word: &str) -> Option<usize> {
    FORMS.iter().position(|form| form.words.contains(&word))
}

pub fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}
