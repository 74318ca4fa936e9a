//! Terminal events to keys: joins sequences that a slow link has split (U30), and tells pastes from typing (U31).

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use ratatui::layout::Size;

use super::key::Key;
use super::message::Mouse;

/// How long a lone Esc waits for the rest of a sequence.
pub const ESC_WAIT: Duration = Duration::from_millis(50);
/// This many printable keys in one read may be a paste without brackets.
pub const BURST: usize = 8;
/// A paste beyond this is cut: no field holds as much.
const PASTE_LIMIT: usize = 64 * 1024;

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Key(Key),
    Paste(String),
    Mouse(Mouse),
    Resize(Size),
}

/// Joins what belongs together. Feed it every event with its time; ask it for what is due.
#[derive(Debug, Default)]
pub struct Guard {
    state: State,
    since: Duration,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    /// Esc came, nothing since.
    Esc,
    /// Esc and `[` or `O` came, then these.
    Sequence { opener: char, rest: String },
    /// Inside a paste whose opening bracket was split.
    Paste { text: String, tail: Tail },
}

/// How much of the closing bracket of a split paste has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tail(usize);

const PASTE_END: [Key; 6] =
    [Key::Esc, Key::Char('['), Key::Char('2'), Key::Char('0'), Key::Char('1'), Key::Char('~')];

impl Guard {
    pub fn feed(&mut self, event: Event, now: Duration) -> Vec<Heard> {
        let mut heard = Vec::new();
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if let Some(key) = translate(key) {
                    self.key(key, now, &mut heard);
                }
            }
            Event::Paste(text) => {
                self.give_up(&mut heard);
                heard.push(Heard::Paste(cut(text)));
            }
            Event::Resize(width, height) => heard.push(Heard::Resize(Size::new(width, height))),
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::ScrollUp => heard.push(Heard::Mouse(Mouse::Up)),
                MouseEventKind::ScrollDown => heard.push(Heard::Mouse(Mouse::Down)),
                MouseEventKind::Down(MouseButton::Left) => {
                    heard.push(Heard::Mouse(Mouse::Click { x: mouse.column, y: mouse.row }));
                }
                _ => {}
            },
            _ => {}
        }
        heard
    }

    /// When what is held back must be let go.
    pub fn deadline(&self) -> Option<Duration> {
        (!matches!(self.state, State::Plain)).then_some(self.since + ESC_WAIT)
    }

    /// Lets go of what has waited long enough.
    pub fn due(&mut self, now: Duration) -> Vec<Heard> {
        let mut heard = Vec::new();
        if self.deadline().is_some_and(|at| at <= now) {
            self.give_up(&mut heard);
        }
        heard
    }

    fn key(&mut self, key: Key, now: Duration, heard: &mut Vec<Heard>) {
        self.since = now;
        match std::mem::take(&mut self.state) {
            State::Plain if key == Key::Esc => self.state = State::Esc,
            State::Plain => heard.push(Heard::Key(key)),
            State::Esc => match key {
                Key::Char(opener @ ('[' | 'O')) => {
                    self.state = State::Sequence { opener, rest: String::new() }
                }
                Key::Esc => {
                    heard.push(Heard::Key(Key::Esc));
                    self.state = State::Esc;
                }
                key => heard.extend([Heard::Key(Key::Esc), Heard::Key(key)]),
            },
            State::Sequence { opener, mut rest } => match key {
                Key::Char(c) if c.is_ascii() && rest.len() < 16 => {
                    rest.push(c);
                    let ends = opener == 'O' || ('@'..='~').contains(&c);
                    if !ends {
                        self.state = State::Sequence { opener, rest };
                    } else if rest == "200~" {
                        self.state = State::Paste { text: String::new(), tail: Tail::default() };
                    } else if let Some(key) = meaning(&rest) {
                        heard.push(Heard::Key(key));
                    }
                }
                // Not a sequence after all: what looked like one is gone, the Esc and this key count.
                key => {
                    heard.push(Heard::Key(Key::Esc));
                    self.key(key, now, heard);
                }
            },
            State::Paste { mut text, tail } => {
                let tail = if key == PASTE_END[tail.0] {
                    Tail(tail.0 + 1)
                } else {
                    Tail(usize::from(key == Key::Esc))
                };
                if tail.0 == PASTE_END.len() {
                    // What came of the closing bracket as text goes again.
                    text.truncate(text.len().saturating_sub(PASTE_END.len() - 2));
                    heard.push(Heard::Paste(text));
                    return;
                }
                match key {
                    Key::Char(c) if text.len() < PASTE_LIMIT => text.push(c),
                    Key::Enter | Key::Tab => text.push(' '),
                    _ => {}
                }
                self.state = State::Paste { text, tail };
            }
        }
    }

    fn give_up(&mut self, heard: &mut Vec<Heard>) {
        match std::mem::take(&mut self.state) {
            State::Plain => {}
            // The letters of a broken sequence must not run commands.
            State::Esc | State::Sequence { .. } => heard.push(Heard::Key(Key::Esc)),
            State::Paste { text, .. } => heard.push(Heard::Paste(text)),
        }
    }
}

/// The key that the end of a sequence stands for; modifiers are left out, unknown ones mean nothing.
fn meaning(rest: &str) -> Option<Key> {
    let last = rest.chars().last()?;
    Some(match last {
        'A' => Key::Up,
        'B' => Key::Down,
        'C' => Key::Right,
        'D' => Key::Left,
        'H' => Key::Home,
        'F' => Key::End,
        'Z' => Key::BackTab,
        '~' => match rest.trim_end_matches('~').split(';').next()? {
            "1" | "7" => Key::Home,
            "4" | "8" => Key::End,
            "3" => Key::Delete,
            "5" => Key::PageUp,
            "6" => Key::PageDown,
            _ => return None,
        },
        _ => return None,
    })
}

fn translate(event: KeyEvent) -> Option<Key> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    Some(match event.code {
        KeyCode::Char(' ') if ctrl => return None,
        KeyCode::Char(c) if ctrl && alt => return Some(Key::Alt(c)),
        KeyCode::Char(c) if ctrl => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) if alt => Key::Alt(c),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(n) => Key::Function(n),
        _ => return None,
    })
}

fn cut(mut text: String) -> String {
    if text.len() > PASTE_LIMIT {
        let end = (0..=PASTE_LIMIT).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// A paste as one line of text: line breaks become spaces, control characters go.
pub fn one_line(text: &str) -> String {
    text.replace("\r\n", " ")
        .chars()
        .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}

/// A paste as several lines: only control characters go.
pub fn many_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// What a key would do just now, as far as telling a paste from typing needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Goes into a text field, or opens one: what follows is text.
    Text,
    Does,
    /// The next key belongs to it.
    TakesLetter,
    Nothing,
}

/// How many keys at the front of `waiting`, which came in one read, are a paste without brackets and must be dropped:
/// eight or more printable ones with at least one that means nothing. 0: none.
pub fn burst(waiting: &[Heard], mut meaning: impl FnMut(Key) -> Meaning) -> usize {
    let run = waiting.iter().take_while(|h| matches!(h, Heard::Key(key) if key.is_printable())).count();
    if run < BURST {
        return 0;
    }
    let mut keys = waiting[..run].iter();
    while let Some(Heard::Key(key)) = keys.next() {
        match meaning(*key) {
            Meaning::Text => return 0,
            Meaning::Does => {}
            Meaning::TakesLetter => {
                keys.next();
            }
            Meaning::Nothing => return run,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_millis(100);

    fn press(code: KeyCode) -> Event {
        Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn typed(guard: &mut Guard, text: &str) -> Vec<Heard> {
        text.chars()
            .flat_map(|c| guard.feed(press(if c == '\u{1b}' { KeyCode::Esc } else { KeyCode::Char(c) }), AT))
            .collect()
    }

    #[test]
    fn a_split_arrow_is_an_arrow_and_no_command() {
        for (text, key) in [
            ("\u{1b}[A", Key::Up),
            ("\u{1b}OB", Key::Down),
            ("\u{1b}[6~", Key::PageDown),
            ("\u{1b}[1;2D", Key::Left),
        ] {
            let mut guard = Guard::default();
            assert_eq!(typed(&mut guard, text), [Heard::Key(key)], "{text:?}");
            assert_eq!(guard.deadline(), None);
        }
    }

    #[test]
    fn an_unknown_sequence_does_nothing() {
        assert_eq!(typed(&mut Guard::default(), "\u{1b}[99~q"), [Heard::Key(Key::Char('q'))]);
    }

    #[test]
    fn a_lone_esc_waits_and_then_counts() {
        let mut guard = Guard::default();
        assert_eq!(typed(&mut guard, "\u{1b}"), []);
        assert_eq!(guard.due(AT), []);
        assert_eq!(guard.due(AT + ESC_WAIT), [Heard::Key(Key::Esc)]);
        assert_eq!(typed(&mut guard, "\u{1b}x"), [Heard::Key(Key::Esc), Heard::Key(Key::Char('x'))]);
    }

    #[test]
    fn the_letters_of_a_broken_sequence_run_nothing() {
        let mut guard = Guard::default();
        assert_eq!(typed(&mut guard, "\u{1b}[1"), []);
        assert_eq!(guard.due(AT + ESC_WAIT), [Heard::Key(Key::Esc)]);
    }

    #[test]
    fn a_split_paste_is_a_paste() {
        let mut guard = Guard::default();
        assert_eq!(typed(&mut guard, "\u{1b}[200~quit"), []);
        assert_eq!(
            typed(&mut guard, "\u{1b}[201~x"),
            [Heard::Paste("quit".into()), Heard::Key(Key::Char('x'))]
        );
        assert_eq!(typed(&mut guard, "\u{1b}[200~abc"), []);
        assert_eq!(guard.due(AT + ESC_WAIT), [Heard::Paste("abc".into())]);
    }

    #[test]
    fn a_burst_with_a_key_that_means_nothing_is_dropped_whole() {
        let keys = |text: &str| text.chars().map(|c| Heard::Key(Key::Char(c))).collect::<Vec<_>>();
        let meaning = |key: Key| match key {
            Key::Char('j' | 'k') => Meaning::Does,
            Key::Char('/') => Meaning::Text,
            Key::Char('f') => Meaning::TakesLetter,
            _ => Meaning::Nothing,
        };
        assert_eq!(burst(&keys("jjjjjjjjjjjj"), meaning), 0, "a held key");
        assert_eq!(burst(&keys("jjkjxjjj"), meaning), 8);
        assert_eq!(burst(&keys("jjkjxjj"), meaning), 0, "seven");
        assert_eq!(burst(&keys("jj/whatever"), meaning), 0, "type-ahead into a filter");
        assert_eq!(burst(&keys("fxjjjjjj"), meaning), 0, "a letter that belongs to f");
        let mut mixed = keys("jjjjx");
        mixed.push(Heard::Key(Key::Enter));
        mixed.extend(keys("jjjjj"));
        assert_eq!(burst(&mixed, meaning), 0);
    }
}
