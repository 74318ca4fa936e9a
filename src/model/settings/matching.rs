//! How likely partners are found: the section `[matching]`.

use serde::{Deserialize, Serialize};

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
    /// Legal forms beside the known ones, in lower case.
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
            legal_forms: Vec::new(),
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
