//! Every action and place by fuzzy name, with its key and, if it is not possible now, the reason.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::layout::{Position, Rect};

use super::Then;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::layout;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::text_field::{Kind, TextField};

/// One thing to choose.
#[derive(Debug, Clone)]
pub struct Entry {
    pub title: String,
    /// Its key or keys, as hints show them.
    pub key: String,
    /// The word that means exactly this when typed: `q`, `theme light`.
    pub word: String,
    /// Why it is not possible now.
    pub not: Option<String>,
    pub steps: Vec<Step>,
    /// A theme to try while it is selected.
    pub tries: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Palette {
    entries: Vec<Entry>,
    /// What a typed word with an argument means: `job 42`, `import FILE`.
    words: Vec<Word>,
    field: TextField,
    /// Entries that match, best first.
    found: Vec<usize>,
    at: usize,
    tries: bool,
}

/// A word that takes an argument.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    pub word: &'static str,
    /// The argument's name and what happens: `job NUMBER`, "Go to a job".
    pub usage: &'static str,
    pub read: fn(&str) -> Result<Vec<Step>, String>,
}

impl Palette {
    pub fn new(entries: Vec<Entry>, words: Vec<Word>) -> Self {
        let mut palette = Self {
            entries,
            words,
            field: TextField::new("", Kind::Line),
            found: Vec::new(),
            at: 0,
            tries: false,
        };
        palette.search();
        palette
    }

    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) -> Then {
        match key {
            Key::Esc | Key::Ctrl('c') => {
                self.end_trial(turn);
                return Then::Closes;
            }
            Key::Enter => return self.choose(turn),
            Key::Down | Key::Tab => self.at = (self.at + 1).min(self.found.len().saturating_sub(1)),
            Key::Up | Key::BackTab => self.at = self.at.saturating_sub(1),
            Key::PageDown => self.at = (self.at + 8).min(self.found.len().saturating_sub(1)),
            Key::PageUp => self.at = self.at.saturating_sub(8),
            Key::Backspace if self.field.text().is_empty() => {
                self.end_trial(turn);
                return Then::Closes;
            }
            key => {
                if !self.field.key(key) {
                    return Then::Stays;
                }
                self.search();
            }
        }
        self.try_theme(turn);
        Then::Stays
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) -> Then {
        self.field.paste(text);
        self.search();
        self.try_theme(turn);
        Then::Stays
    }

    fn selected(&self) -> Option<&Entry> {
        self.found.get(self.at).and_then(|i| self.entries.get(*i))
    }

    fn choose(&mut self, turn: &mut Turn<'_>) -> Then {
        let text = self.field.text();
        let text = text.trim();
        let word = text.split_once(' ').and_then(|(word, argument)| {
            let known = self.words.iter().find(|known| known.word == word)?;
            Some((known.read)(argument.trim()))
        });
        if let Some(read) = word {
            match read {
                Ok(steps) => turn.steps.extend(steps),
                Err(what) => turn.complain(what),
            }
            return Then::Closes;
        }
        match self.selected() {
            None => {
                turn.say("Nothing of that name. Esc closes.");
                Then::Stays
            }
            Some(Entry { not: Some(reason), title, .. }) => {
                turn.say(format!("{title}: {reason}"));
                Then::Stays
            }
            Some(entry) => {
                turn.steps.extend(entry.steps.iter().cloned());
                Then::Closes
            }
        }
    }

    /// Themes show themselves while they are selected.
    fn try_theme(&mut self, turn: &mut Turn<'_>) {
        match self.selected().and_then(|entry| entry.tries.clone()) {
            Some(name) if !self.field.text().is_empty() => {
                self.tries = true;
                turn.steps.push(Step::TryTheme(Some(name)));
            }
            _ => self.end_trial(turn),
        }
    }

    fn end_trial(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.tries) {
            turn.steps.push(Step::TryTheme(None));
        }
    }

    fn search(&mut self) {
        self.at = 0;
        let text = self.field.text();
        let text = text.trim().trim_start_matches(':');
        if text.is_empty() {
            self.found = (0..self.entries.len()).collect();
            return;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let line = format!("{} {}", entry.title, entry.word);
            let exact = entry.word == text || (text.chars().count() == 1 && entry.key == text);
            let score = pattern.score(Utf32Str::new(&line, &mut buffer), &mut matcher);
            if let Some(score) = if exact { Some(u32::MAX) } else { score } {
                scored.push((score, index));
            }
        }
        scored.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        self.found = scored.into_iter().map(|(_, index)| index).collect();
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let height = (self.entries.len() as u16 + 3).min(area.height).min(18);
        let area = layout::centred(area, 70, height);
        canvas.clear(area);
        let inside = canvas.boxed(area, "Do or go to", true);
        let rows = usize::from(inside.height.saturating_sub(1));
        let top = (self.at + 1).saturating_sub(rows);
        let typed = self.field.text();
        let mut y = inside.y + 1;
        if let Some(word) =
            self.words.iter().find(|word| typed.trim_start_matches(':').starts_with(word.word))
        {
            canvas.put(inside.x + 1, y, inside.width.saturating_sub(2), word.usage, Role::Dim);
            y += 1;
        }
        for (row, index) in self.found.iter().enumerate().skip(top) {
            if y >= inside.bottom() {
                break;
            }
            let entry = &self.entries[*index];
            let key = fit::width(&entry.key) as u16;
            let room = inside.width.saturating_sub(key + 4);
            let role = if entry.not.is_some() { Role::Disabled } else { Role::Text };
            let text = entry
                .not
                .as_ref()
                .map_or_else(|| entry.title.clone(), |not| format!("{}   no: {not}", entry.title));
            canvas.put(inside.x + 1, y, room, &text, role);
            canvas.put_right(inside.x + 1, y, inside.width.saturating_sub(2), &entry.key, Role::HintKey);
            if row == self.at {
                canvas.tint(Rect::new(inside.x, y, inside.width, 1), Role::Selected);
            }
            y += 1;
        }
        if self.found.is_empty() {
            canvas.put(inside.x + 1, y, inside.width.saturating_sub(2), "Nothing of that name.", Role::Dim);
        }
        canvas.put(inside.x, inside.y, 2, ":", Role::Strong);
        self.field.draw(canvas, Rect::new(inside.x + 2, inside.y, inside.width.saturating_sub(3), 1));
        if canvas.cursor.is_none() {
            canvas.cursor = Some((Position::new(inside.x, inside.y), true));
        }
    }
}
