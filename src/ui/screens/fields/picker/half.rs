//! One side of the chooser: what is typed, and what fits it.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::ui::list::List;
use crate::ui::widgets::text_field::{Kind, TextField};

#[derive(Debug, Clone)]
pub struct Half {
    pub field: TextField,
    /// Numbers of the fields that fit, best first; one more than there are stands for a new one.
    pub list: List<usize>,
}

impl Default for Half {
    fn default() -> Self {
        Self { field: TextField::new("", Kind::Line), list: List::default() }
    }
}

impl Half {
    /// Finds what was typed among these lines; `extra`: with an entry behind the last.
    pub fn find(&mut self, lines: &[String], extra: bool) {
        let text = self.field.text();
        let mut found: Vec<usize> = if text.trim().is_empty() {
            (0..lines.len()).collect()
        } else {
            let mut matcher = Matcher::new(Config::DEFAULT);
            let pattern = Pattern::parse(text.trim(), CaseMatching::Ignore, Normalization::Smart);
            let mut buffer = Vec::new();
            let mut scored: Vec<(u32, usize)> = lines
                .iter()
                .enumerate()
                .filter_map(|(at, line)| {
                    Some((pattern.score(Utf32Str::new(line, &mut buffer), &mut matcher)?, at))
                })
                .collect();
            scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
            scored.into_iter().map(|(_, at)| at).collect()
        };
        if extra {
            found.push(lines.len());
        }
        let selected = self.list.selected().copied().filter(|_| text.trim().is_empty());
        self.list = List::default();
        self.list.replace(found);
        if let Some(selected) = selected {
            self.list.select(&selected);
        }
    }
}
