//! How likely partners are found: the section `[matching]`.

use serde::{Deserialize, Serialize};

/// The legal forms that are known, by language (ISO 639; `xx`: in several), as [`Matching::legal_forms`] writes them.
pub const LEGAL_FORMS: [&str; 24] = [
    "xx: eeig se*",
    "en: ltd=limited plc llp llc inc=incorporated corp=corporation company pty pte pvt bhd sdn cic co* lp* sb*",
    "de: gmbh=gesmbh=mbh ggmbh kgaa ohg gbr stiftung ag* kg* ug* ev*",
    "fr: sarl sas sasu eurl sci snc sa*",
    "nl: bvba vof vzw comm scrl sprl bv* nv* cv*",
    "it: srl srls spa",
    "es: ltda=limitada eirl sl*",
    "sv: asa ab*",
    "da: aps as*",
    "fi: oyj oy*",
    "is: ehf",
    "et: ou*",
    "cs: sro",
    "hu: kft nyrt zrt",
    "hr: doo",
    "bg: ood eood",
    "lv: sia",
    "lt: uab",
    "pl: spj sp_zoo*",
    "ru: ооо зао оао",
    "he: בעמ*",
    "ja: kk* 株式会社 有限会社",
    "zh: 股份有限公司 有限公司",
    "ko: 주식회사",
];

/// How much each likeness of two customers counts (P11). Scores go from 0 to 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Matching {
    /// Scores below are not shown.
    pub floor: u8,
    /// Enter takes a suggestion from this score up (decision 17); below, it opens the picker.
    pub accept_from: u8,
    /// N5: nothing is created while an undecided partner of this score is there.
    pub look_alike_from: u8,
    /// Names that differ in nothing but the legal form, accents and case.
    pub same_words: u8,
    /// The same words in another order.
    pub other_order: u8,
    /// Both sides name a legal form, and not the same one.
    pub other_form: u8,
    /// The most that names with different words or spelling can reach.
    pub near: u8,
    /// The most where the numbers in the names differ: 'Area 51' is not 'Area 52'.
    pub other_numbers: u8,
    /// The same VAT or registration number, whatever the names.
    pub same_vat: u8,
    /// The most where both have such a number, and not the same.
    pub other_vat: u8,
    /// The least for a mail domain of their own that they share; added to the name's score it counts `domain_adds`.
    pub same_domain: u8,
    pub domain_adds: u8,
    pub postcode_adds: u8,
    /// A mapping through which nothing has come for so many days is pointed out (N4); 0: never.
    pub unused_after_days: u16,
    /// `LANGUAGE: FORM FORM=SAME FORM*` says which legal forms a language has: `=` joins forms of one meaning, `*` marks
    /// one that counts only at the end of a name. A language that is not named keeps the known ones, and a bare word
    /// is one form more.
    pub legal_forms: Vec<String>,
    /// Texts that stand for nothing, in names and in keys: never compared.
    pub placeholders: Vec<String>,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            floor: 60,
            accept_from: 60,
            look_alike_from: 90,
            same_words: 96,
            other_order: 94,
            other_form: 86,
            near: 94,
            other_numbers: 65,
            same_vat: 98,
            other_vat: 70,
            same_domain: 80,
            domain_adds: 6,
            postcode_adds: 3,
            unused_after_days: 30,
            legal_forms: LEGAL_FORMS.map(str::to_owned).to_vec(),
            placeholders: ["n/a", "none", "tbc", "tbd", "unknown"].map(str::to_owned).to_vec(),
        }
    }
}

impl Matching {
    /// Whether a text stands for nothing.
    pub fn is_placeholder(&self, text: &str) -> bool {
        let text = text.trim();
        self.placeholders.iter().any(|none| none.trim().to_lowercase() == text.to_lowercase())
    }
}
