//! Help for one screen, made from the table of actions: keys, signs, rules, the command that does the same.

use ratatui::layout::Rect;

use super::Then;
use crate::ui::action::{Availability, Scope, TABLE};
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::keymap::Keymap;
use crate::ui::layout;
use crate::ui::mirror::Mirror;
use crate::ui::screens::Screen;
use crate::ui::theme::Role;
use crate::ui::widgets::text_field::{Kind, TextField};

/// What a screen says about itself beyond its keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// One sentence: what the screen is for.
    pub what: &'static str,
    /// `(sign, meaning)`.
    pub signs: &'static [(&'static str, &'static str)],
    pub rules: &'static [&'static str],
}

#[derive(Debug, Clone)]
enum Line {
    Heading(String),
    /// Key, what it does, the command without the screen, and why not now.
    Key {
        key: String,
        text: String,
        not: Option<String>,
    },
    Text(String),
}

impl Line {
    fn has(&self, words: &[String]) -> bool {
        let text = match self {
            Self::Heading(_) => return false,
            Self::Key { key, text, .. } => format!("{key} {text}").to_lowercase(),
            Self::Text(text) => text.to_lowercase(),
        };
        words.iter().all(|word| text.contains(word))
    }
}

#[derive(Debug, Clone)]
pub struct Help {
    title: String,
    lines: Vec<Line>,
    search: TextField,
    scroll: usize,
}

impl Help {
    pub fn of(screen: &Screen, keymap: &Keymap, mirror: &Mirror) -> Self {
        let about = screen.about();
        let mut lines = vec![Line::Text(about.what.to_owned())];
        let scope = screen.scope();
        let mut section = |title: &str, wanted: &dyn Fn(Scope) -> bool| {
            let mut heading = Some(title.to_owned());
            for entry in
                TABLE.iter().filter(|e| e.scopes.iter().any(|s| s.reaches(scope)) && wanted(e.scopes[0]))
            {
                let keys: Vec<_> = keymap.keys(entry.action).iter().map(ToString::to_string).collect();
                let key = if keys.is_empty() { format!(":{}", entry.name) } else { keys.join(" ") };
                let mut text = entry.title.to_owned();
                if !entry.help.is_empty() {
                    text = format!("{text}. {}", entry.help);
                }
                if !entry.shell.is_empty() {
                    text = format!("{text} [{}]", entry.shell);
                }
                let not = match screen.can(entry.action, mirror) {
                    Availability::Ready => None,
                    Availability::Not(reason) => Some(reason),
                };
                lines.extend(heading.take().map(Line::Heading));
                lines.push(Line::Key { key, text, not });
            }
        };
        section("Here", &|first| first != Scope::Everywhere && first != Scope::Lists);
        section("In lists", &|first| first == Scope::Lists);
        section("Everywhere", &|first| first == Scope::Everywhere);
        if !about.signs.is_empty() {
            lines.push(Line::Heading("Signs".into()));
            lines.extend(about.signs.iter().map(|(sign, text)| Line::Key {
                key: (*sign).to_owned(),
                text: (*text).to_owned(),
                not: None,
            }));
        }
        if !about.rules.is_empty() {
            lines.push(Line::Heading("Rules".into()));
            lines.extend(about.rules.iter().map(|rule| Line::Text((*rule).to_owned())));
        }
        Self {
            title: format!("Help: {}", scope.title()),
            lines,
            search: TextField::new("", Kind::Line),
            scroll: 0,
        }
    }

    pub fn key(&mut self, key: Key) -> Then {
        match key {
            Key::Esc | Key::Ctrl('c') if self.search.text().is_empty() => return Then::Closes,
            Key::Esc | Key::Ctrl('c') => self.search = TextField::new("", Kind::Line),
            Key::Char('?') | Key::Enter => return Then::Closes,
            Key::Down => self.scroll += 1,
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::PageDown => self.scroll += 10,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(10),
            key => {
                if self.search.key(key) {
                    self.scroll = 0;
                }
            }
        }
        self.scroll = self.scroll.min(self.found().len().saturating_sub(1));
        Then::Stays
    }

    pub fn paste(&mut self, text: &str) -> Then {
        self.search.paste(text);
        self.scroll = 0;
        Then::Stays
    }

    fn found(&self) -> Vec<&Line> {
        let text = self.search.text().to_lowercase();
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        self.lines.iter().filter(|line| words.is_empty() || line.has(&words)).collect()
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let area = layout::centred(area, area.width.saturating_sub(4).max(38), area.height);
        canvas.clear(area);
        let inside = canvas.boxed(area, &self.title, true);
        let found = self.found();
        let mut y = inside.y + 2;
        for line in found.iter().skip(self.scroll) {
            if y >= inside.bottom() {
                break;
            }
            let room = Rect::new(inside.x + 1, y, inside.width.saturating_sub(2), inside.bottom() - y);
            y += match line {
                Line::Heading(text) => {
                    canvas.put(room.x, y, room.width, text, Role::Strong);
                    1
                }
                Line::Text(text) => canvas.paragraph(room, text, Role::Text),
                Line::Key { key, text, not } => {
                    let column = 13.min(room.width / 3);
                    let long = fit::width(key) as u16 > column.saturating_sub(1);
                    canvas.put(room.x + 1, y, room.width.saturating_sub(1), key, Role::HintKey);
                    let down = u16::from(long);
                    let text =
                        not.as_ref().map_or_else(|| text.clone(), |not| format!("{text} Not now: {not}"));
                    let role = if not.is_some() { Role::Disabled } else { Role::Text };
                    let beside = Rect {
                        x: room.x + column,
                        y: y + down,
                        width: room.width.saturating_sub(column),
                        height: room.height.saturating_sub(down),
                    };
                    down + canvas.paragraph(beside, &text, role)
                }
            };
        }
        if found.is_empty() {
            canvas.put(inside.x + 1, y, inside.width, "Nothing here by that word. Esc shows all.", Role::Dim);
        }
        let label = canvas.put(inside.x + 1, inside.y, inside.width, "find > ", Role::Dim);
        let field = Rect::new(inside.x + 1 + label, inside.y, inside.width.saturating_sub(label + 2), 1);
        self.search.draw(canvas, field);
    }
}
