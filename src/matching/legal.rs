//! Legal forms of companies by language, and words that say nothing: what two names may differ in and still be one.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::name::words;
use crate::model::settings::LEGAL_FORMS;

/// The legal forms that names are freed of. A form may be several words, as those of scripts without word boundaries
/// are once they are transliterated.
#[derive(Debug, Default)]
pub struct LegalForms {
    by_first: HashMap<String, Vec<Spelling>>,
}

#[derive(Debug)]
struct Spelling {
    /// After the first.
    more: Vec<String>,
    /// Of the same number are forms of one meaning: `ltd` and `limited`.
    form: usize,
    /// So short that it may be a word of the name: counts at the end only.
    at_the_end: bool,
}

static KNOWN: LazyLock<Arc<LegalForms>> =
    LazyLock::new(|| Arc::new(LegalForms::parse(LEGAL_FORMS.into_iter())));

impl LegalForms {
    /// What is known without a setting.
    pub fn known() -> Arc<Self> {
        KNOWN.clone()
    }

    /// As the setting `matching.legal_forms` has them.
    pub fn of(lines: &[String]) -> Arc<Self> {
        if lines == LEGAL_FORMS {
            return Self::known();
        }
        let named: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
        let missing = LEGAL_FORMS.into_iter().filter(|line| {
            let language = line.split(':').next().unwrap_or_default();
            !named.contains(&language)
        });
        Arc::new(Self::parse(missing.chain(lines.iter().map(String::as_str))))
    }

    fn parse<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let mut forms = Self::default();
        let meanings =
            lines.flat_map(|line| line.split_once(':').map_or(line, |(_, forms)| forms).split_whitespace());
        for (form, spellings) in meanings.enumerate() {
            for spelling in spellings.split('=') {
                let at_the_end = spelling.ends_with('*');
                let mut words = words(&spelling.replace(['_', '*'], " ")).into_iter();
                if let Some(first) = words.next() {
                    let spelling = Spelling { more: words.collect(), form, at_the_end };
                    forms.by_first.entry(first).or_default().push(spelling);
                }
            }
        }
        for spellings in forms.by_first.values_mut() {
            // The longest first: a form that begins another one must not hide it.
            spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.more.len()));
        }
        forms
    }

    /// The form that begins at the first of these words, and how many words it is.
    fn first<W: AsRef<str>>(&self, words: &[W], is_end_too: bool) -> Option<(usize, usize)> {
        let (first, rest) = words.split_first()?;
        let spelling = self.by_first.get(first.as_ref())?.iter().find(|spelling| {
            (is_end_too || !spelling.at_the_end)
                && rest.len() >= spelling.more.len()
                && spelling.more.iter().zip(rest).all(|(a, b)| a == b.as_ref())
        })?;
        Some((spelling.form, spelling.more.len() + 1))
    }

    /// A form that counts wherever it stands and begins here.
    pub fn anywhere<W: AsRef<str>>(&self, words: &[W]) -> Option<(usize, usize)> {
        self.first(words, false)
    }

    /// A form that the words end with.
    pub fn at_the_end<W: AsRef<str>>(&self, words: &[W]) -> Option<(usize, usize)> {
        (0..words.len()).find_map(|from| {
            self.first(&words[from..], true).filter(|(_, length)| from + length == words.len())
        })
    }
}

/// Words that tell nobody from anybody.
const FILLERS: &[&str] =
    &["and", "das", "der", "des", "die", "een", "het", "les", "los", "och", "the", "und"];

pub fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_replaced_or_switched_off_by_its_line_and_a_bare_word_is_one_more() {
        let lines =
            |lines: &[&str]| LegalForms::of(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        let own = lines(&["fr:", "en: ltd", "kooperative"]);
        for (word, is_form) in
            [("sarl", false), ("ltd", true), ("limited", false), ("kooperative", true), ("gmbh", true)]
        {
            assert_eq!(own.anywhere(&[word]).is_some(), is_form, "{word}");
        }
        let known = lines(&[]);
        assert_eq!(known.anywhere(&["ltd"]), known.anywhere(&["limited"]), "of one meaning");
        assert_eq!(known.anywhere(&["co"]), None);
        assert!(known.at_the_end(&["alder", "co"]).is_some());
    }

    #[test]
    fn forms_of_several_words_are_found_as_a_whole() {
        let known = LegalForms::known();
        assert_eq!(known.at_the_end(&["kowalski", "sp", "zoo"]).map(|(_, words)| words), Some(2));
        assert_eq!(known.at_the_end(&["london", "zoo"]), None);
        let words = words("株式会社東京");
        assert_eq!(known.anywhere(&words).map(|(_, length)| length), Some(words.len() - 2));
    }
}
