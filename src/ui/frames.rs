//! A whole frame, as a function of [`App`]; and screens drawn without any terminal, for pictures and tests.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use super::app::{App, update};
use super::canvas::Canvas;
use super::dialogs::Dialog;
use super::key::Key;
use super::layout::{self, Class};
use super::message::{Effect, Message, News, Now};
use super::others::also_here;
use super::screens::{Pane, Screen};
use super::terminal::Frame;
use super::theme::{Role, Theme};
use super::widgets::{hints, strip};
use super::{Environment, Options};
use crate::host::Handle;
use crate::model::Moment;
use crate::model::settings::Kind;

/// Draws everything.
pub fn draw(app: &App) -> Frame {
    let area = Rect::from((Position::ORIGIN, app.size));
    let mut buffer = Buffer::empty(area);
    let mut canvas = Canvas {
        buffer: &mut buffer,
        look: &app.look,
        mirror: &app.mirror,
        now: app.now,
        focused: true,
        cursor: None,
    };
    if app.class() == Class::TooSmall {
        too_small(app, &mut canvas, area);
    } else {
        whole(app, &mut canvas);
    }
    let cursor = canvas.cursor;
    Frame { buffer, cursor, title: app.title() }
}

/// Ux.md 3.11: the job goes on, whatever the size.
fn too_small(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut lines = vec![format!("Parhelion needs 40x10, this is {}x{}.", app.size.width, app.size.height)];
    if let Some(progress) = &app.mirror.progress {
        let what = strip::stage(progress).map_or("", |stage| stage.entity.key());
        let counters = strip::counters(progress);
        lines.push(format!("{} {} {what} {counters}", progress.job, progress.integration.label()));
        lines.push("The job goes on.".into());
    }
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        canvas.put(0, y, area.width, line, Role::Text);
    }
}

fn whole(app: &App, canvas: &mut Canvas<'_>) {
    let screen = app.screen();
    let crumb = if app.is_overview() { None } else { screen.crumb(&app.mirror) };
    let regions = layout::regions(app.size, crumb.is_some());
    header(app, canvas, regions.header);
    if let Some((left, right)) = crumb {
        let used = canvas.put(0, regions.crumb.y, regions.crumb.width, &left, Role::Strong);
        let room = regions.crumb.width.saturating_sub(used + 2);
        // A word or two of it say nothing.
        if room >= 12 || super::fit::width(&right) <= room.into() {
            let right = super::fit::cut(&right, room.into());
            canvas.put_right(used + 2, regions.crumb.y, room, &right, Role::Text);
        }
    }
    // While a dialog or a text field is open, it has the cursor.
    canvas.focused = app.dialog.is_none();
    if app.is_overview() {
        let frames = layout::overview(regions.body, Pane::IN_OVERVIEW);
        let mut cursor = None;
        for (index, (stack, area)) in app.panes.iter().zip(frames).enumerate() {
            let focused = index == app.focus;
            canvas.focused = focused && app.dialog.is_none();
            let summary = stack.top().summary(&app.mirror);
            let title = format!("{} {}  {summary}", stack.pane.digit(), stack.pane.title());
            let inside = canvas.boxed(area, &title, focused);
            stack.top().draw(canvas, inside, true);
            if focused {
                cursor = canvas.cursor;
            }
        }
        canvas.cursor = cursor;
    } else {
        screen.draw(canvas, regions.body, false);
    }
    strip::draw(canvas, regions.strip);
    if let Some(dialog) = &app.dialog {
        canvas.cursor = None;
        let body = Rect {
            y: 1,
            height: app.size.height.saturating_sub(3),
            ..Rect::from((Position::ORIGIN, app.size))
        };
        if app.look.plain {
            canvas.clear(body);
        }
        dialog.draw(canvas, body);
    }
    last_line(app, screen, canvas, regions.hints);
}

/// Profile and kind are on every screen (U1).
fn header(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let kind = app.mirror.overview.as_ref().map(|overview| overview.kind);
    let role = if kind == Some(Kind::Production) { Role::Production } else { Role::Sandbox };
    let mut x = canvas.put(0, area.y, area.width / 3, &app.profile, Role::Strong) + 1;
    if !app.mark().is_empty() {
        x += canvas.put(x, area.y, area.width.saturating_sub(x), app.mark(), role) + 1;
    }
    let stack = &app.panes[app.focus];
    if stack.is_deep() {
        let names = stack.screens.iter().filter_map(|screen| screen.name());
        let path = std::iter::once(format!("{} {}", stack.pane.digit(), stack.pane.title())).chain(names);
        let path = path.collect::<Vec<_>>().join(" > ");
        x += canvas.put(x + 1, area.y, area.width.saturating_sub(x + 1), &path, Role::Text) + 1;
    } else {
        for (text, role) in tabs(app, area.width.saturating_sub(x).into()) {
            x += canvas.put(x + 1, area.y, area.width.saturating_sub(x + 1), &text, role) + 1;
        }
    }
    let room = area.width.saturating_sub(x + 3);
    if let Some(here) = also_here(&app.mirror.presence, room.into()) {
        canvas.put_right(x + 3, area.y, room, &here, Role::Dim);
    }
}

/// The panes with their digits. Where there is no room for all titles, the others are digits, and where there is none for
/// those either, the current pane stands alone: which one it is, is always said.
fn tabs(app: &App, room: usize) -> Vec<(String, Role)> {
    let current = if app.is_overview() { None } else { Some(app.focus) };
    let panes = || app.panes.iter().map(|stack| stack.pane).enumerate();
    let here = |pane: Pane| (format!("[{} {}]", pane.digit(), pane.title()), Role::Accent);
    let with = |other: &dyn Fn(Pane) -> String| -> Vec<_> {
        panes()
            .map(|(at, pane)| if current == Some(at) { here(pane) } else { (other(pane), Role::Text) })
            .collect()
    };
    let alone = || panes().filter(|(at, _)| current == Some(*at)).map(|(_, pane)| here(pane)).collect();
    let all = with(&|pane| format!("{} {}", pane.digit(), pane.title()));
    let digits = with(&|pane| pane.digit().to_string());
    let width =
        |tabs: &[(String, Role)]| tabs.iter().map(|(text, _)| super::fit::width(text) + 1).sum::<usize>();
    [all, digits].into_iter().find(|tabs| width(tabs) <= room).unwrap_or_else(alone)
}

fn last_line(app: &App, screen: &Screen, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some(note) = &app.said {
        canvas.put(0, area.y, area.width, &note.text, note.role);
    } else if let Some(action) = app.waits_for_letter {
        hints::letters(canvas, area, action.entry().title, &screen.letters(action, &app.mirror));
    } else if let Some(dialog) = &app.dialog {
        let text = match dialog {
            Dialog::Confirm(_) => "Enter does nothing here",
            Dialog::Limit(_) => "Enter does nothing here without the number",
            Dialog::Palette(_) => "type to find  Up/Down choose  Enter do it  Esc back",
            Dialog::Help(_) => "type to find  Up/Down scroll  Esc back",
            Dialog::Messages(_) => "Up/Down scroll  Esc back",
        };
        canvas.put(0, area.y, area.width, text, Role::HintText);
    } else if !screen.draws_last_line(canvas, area) {
        let hints: Vec<_> = screen.hints().iter().map(|action| (*action, app.can(*action))).collect();
        hints::draw(canvas, area, &app.keymap, &hints);
    }
}

/// A viewer without a terminal: keys in, frames out. Everything it asks is answered before the next key.
#[derive(Debug)]
pub struct Stage {
    app: App,
    handle: Handle,
    now: Now,
}

impl Stage {
    /// A viewer of this engine at this moment, as large as asked.
    pub async fn new(
        handle: Handle,
        options: &Options,
        environment: &Environment,
        size: Size,
        at: Moment,
    ) -> Self {
        let now = Now { tick: std::time::Duration::ZERO, moment: at };
        let (app, first) = super::start(options, environment, size, now);
        let mut stage = Self { app, handle, now };
        stage.carry_out(first).await;
        stage
    }

    pub fn theme(&self) -> &Theme {
        &self.app.look.theme
    }

    /// Presses keys written as `2 f u <Enter> g`: words in angle brackets are named keys, everything else letters.
    pub async fn keys(&mut self, keys: &str) -> Result<(), String> {
        for key in parse_keys(keys)? {
            // A person's pace: a question is read before it is answered.
            self.app.was_drawn(self.now.tick);
            self.now.tick += std::time::Duration::from_secs(1);
            let effects = update(&mut self.app, Message { now: self.now, news: News::Key(key) });
            self.carry_out(effects).await;
        }
        Ok(())
    }

    pub fn buffer(&self) -> Buffer {
        draw(&self.app).buffer
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut waiting: std::collections::VecDeque<_> = effects.into();
        while let Some(effect) = waiting.pop_front() {
            let news = match effect {
                Effect::Ask(query) | Effect::AskAhead(query) => {
                    let answer = self.handle.ask(query.clone()).await;
                    News::Answer(query, answer)
                }
                Effect::Send(command) => {
                    let reply = self.handle.send(command.clone()).await;
                    News::Reply(Box::new(command), reply)
                }
                _ => continue,
            };
            waiting.extend(update(&mut self.app, Message { now: self.now, news }));
        }
    }
}

/// Reads `j j <Enter> <Ctrl-P> abc`: blanks part keys and are none themselves; `<Space>` is the key.
pub fn parse_keys(text: &str) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        match named {
            Some((name, after)) if name.chars().count() > 1 => {
                keys.push(name.parse()?);
                rest = after;
            }
            _ => {
                if !c.is_whitespace() {
                    keys.push(Key::Char(c));
                }
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Ok(keys)
}
