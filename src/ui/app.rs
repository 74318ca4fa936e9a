//! All the viewer knows, and `update`: synchronous, pure but for the effects it returns.

use std::path::PathBuf;
use std::time::Duration;

use ratatui::layout::{Rect, Size};

use super::action::{Action, Availability};
use super::canvas::Look;
use super::dialogs::confirm::Confirm;
use super::dialogs::help::Help;
use super::dialogs::messages::{Messages, Note};
use super::dialogs::palette::{self, Palette};
use super::dialogs::{Dialog, Then};
use super::input::Meaning;
use super::key::{Input, Key};
use super::keymap::Keymap;
use super::layout::{self, Class};
use super::message::{Effect, Left, Message, Mouse, News, Now};
use super::mirror::Mirror;
use super::others::{self, Others};
use super::prefs::Prefs;
use super::screens::{Pane, Screen};
use super::theme::{Depth, Role, Theme, Themes};
use super::turn::{Step, Turn};
use super::widgets::strip;
use crate::host::words::{Command, Event, JobOrder, JobState, Query};
use crate::model::JobId;

/// A pane's own screen and the views over it.
#[derive(Debug, Clone)]
pub struct Stack {
    pub pane: Pane,
    pub screens: Vec<Screen>,
}

impl Stack {
    fn new(pane: Pane) -> Self {
        Self { pane, screens: vec![pane.screen()] }
    }

    pub fn top(&self) -> &Screen {
        &self.screens[self.screens.len() - 1]
    }

    fn top_mut(&mut self) -> &mut Screen {
        let last = self.screens.len() - 1;
        &mut self.screens[last]
    }

    pub fn is_deep(&self) -> bool {
        self.screens.len() > 1
    }
}

/// What the outside gives at the start.
#[derive(Debug, Clone)]
pub struct Setup {
    pub profile: String,
    /// Others to go to.
    pub profiles: Vec<String>,
    pub look: Look,
    pub depth: Depth,
    pub keymap: Keymap,
    pub prefs: Prefs,
    /// The locale, for signs that follow it.
    pub locale: String,
    pub config_dir: PathBuf,
    /// The theme named on the command line: stronger than profile and settings.
    pub theme: Option<String>,
    pub themes: Themes,
    pub size: Size,
    pub now: Now,
    /// What was wrong with keys, themes and settings, and other first messages.
    pub complaints: Vec<String>,
    /// The view of last time (U42).
    pub saved: Option<serde_json::Value>,
    /// The engine lives in a host process.
    pub is_shared: bool,
    /// It has not answered yet.
    pub is_starting: bool,
}

#[derive(Debug)]
pub struct App {
    pub mirror: Mirror,
    pub panes: Vec<Stack>,
    /// Index of the pane that has the focus.
    pub focus: usize,
    /// One pane on the whole screen, where there would be room for all.
    pub zoomed: bool,
    pub dialog: Option<Dialog>,
    /// What was just said; stands in place of the hints until the next key.
    pub said: Option<Note>,
    pub notes: Vec<Note>,
    /// `f`, `o` or `y` was pressed: the next letter belongs to it.
    pub waits_for_letter: Option<Action>,
    pub look: Look,
    pub prefs: Prefs,
    pub keymap: Keymap,
    pub profile: String,
    profiles: Vec<String>,
    pub size: Size,
    pub now: Now,
    depth: Depth,
    locale: String,
    config_dir: PathBuf,
    named_theme: Option<String>,
    themes: Themes,
    /// The theme to go back to when a trial ends.
    before_trial: Option<Theme>,
    /// The engine is stopping this job, then we leave.
    leaving: Option<JobId>,
    /// Interrupted jobs have been shown at the start.
    has_greeted: bool,
    /// The job and the tenth of its way that plain mode has told last.
    announced: Option<(JobId, u64)>,
    /// Who else is on this host, as far as it was told.
    pub(super) others: Others,
    effects: Vec<Effect>,
}

/// Notes kept for `:messages`.
const NOTES: usize = 500;

impl App {
    /// The state at the start, and what to ask first.
    pub fn new(setup: Setup) -> (Self, Vec<Effect>) {
        let mut app = Self {
            mirror: Mirror {
                is_shared: setup.is_shared,
                is_starting: setup.is_starting,
                ..Mirror::default()
            },
            panes: Pane::ALL.into_iter().map(Stack::new).collect(),
            focus: 0,
            zoomed: false,
            dialog: None,
            said: None,
            notes: Vec::new(),
            waits_for_letter: None,
            look: setup.look,
            prefs: setup.prefs,
            keymap: setup.keymap,
            profile: setup.profile,
            profiles: setup.profiles,
            size: setup.size,
            now: setup.now,
            depth: setup.depth,
            locale: setup.locale,
            config_dir: setup.config_dir,
            named_theme: setup.theme,
            themes: setup.themes,
            before_trial: None,
            leaving: None,
            has_greeted: false,
            announced: None,
            others: Others::default(),
            effects: vec![Effect::Ask(Query::Overview), Effect::Ask(Query::Settings)],
        };
        if app.mirror.is_shared {
            app.effects.push(Effect::Ask(Query::Presence));
        }
        if app.prefs.mouse {
            app.effects.push(Effect::Mouse(true));
        }
        if let Some(saved) = setup.saved {
            app.restore(&saved);
        }
        for complaint in setup.complaints {
            app.say(complaint, Role::Notice);
        }
        app.on_screen(|screen, turn| screen.enter(turn));
        app.settle();
        let effects = std::mem::take(&mut app.effects);
        (app, effects)
    }

    pub fn class(&self) -> Class {
        Class::of(self.size)
    }

    /// All panes are seen at once.
    pub fn is_overview(&self) -> bool {
        self.class() == Class::Xl
            && self.panes.len() > 1
            && !self.zoomed
            && !self.look.plain
            && self.focus < Pane::IN_OVERVIEW
            && !self.panes[self.focus].is_deep()
    }

    pub fn screen(&self) -> &Screen {
        self.panes[self.focus].top()
    }

    /// What is seen: index of the pane and where its screen is drawn.
    pub fn areas(&self) -> Vec<(usize, Rect)> {
        if self.is_overview() {
            let body = layout::regions(self.size, false).body;
            let frames = layout::overview(body, Pane::IN_OVERVIEW);
            return frames.into_iter().map(layout::inside).enumerate().collect();
        }
        let crumb = self.screen().crumb(&self.mirror).is_some();
        vec![(self.focus, layout::regions(self.size, crumb).body)]
    }

    fn area_of(&self, pane: usize) -> Rect {
        let areas = self.areas();
        areas
            .iter()
            .find(|(index, _)| *index == pane)
            .map_or_else(|| layout::regions(self.size, true).body, |(_, area)| *area)
    }

    /// What the title of the window says.
    pub fn title(&self) -> Option<String> {
        if !self.prefs.title {
            return None;
        }
        let percent = self.mirror.progress.as_ref().and_then(strip::percent);
        let percent = percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
        Some(format!("parhelion {}{percent}", self.profile))
    }

    /// What a key would do now, as far as telling a paste from typing needs it.
    pub fn meaning(&self, key: Key) -> Meaning {
        if self.dialog.as_ref().is_some_and(Dialog::takes_text) || self.screen().is_typing() {
            return Meaning::Text;
        }
        if self.dialog.is_some() {
            return Meaning::Does;
        }
        match self.keymap.action(key, self.screen().scope()) {
            Some(action) if action.opens_text() => Meaning::Text,
            Some(action) if action.takes_letter() => Meaning::TakesLetter,
            Some(_) => Meaning::Does,
            None => Meaning::Nothing,
        }
    }

    /// A frame has been drawn: a question that writes counts its deaf time from here.
    pub fn was_drawn(&mut self, tick: Duration) {
        match &mut self.dialog {
            Some(Dialog::Confirm(confirm)) => {
                confirm.drawn_at.get_or_insert(tick);
            }
            Some(Dialog::Limit(limit)) => {
                limit.confirm.drawn_at.get_or_insert(tick);
            }
            _ => {}
        }
    }

    pub fn say(&mut self, text: impl Into<String>, role: Role) {
        let note = Note { at: self.now.moment, text: text.into(), role };
        if self.notes.len() >= NOTES {
            self.notes.remove(0);
        }
        self.notes.push(note.clone());
        self.said = Some(note);
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn on_screen(&mut self, act: impl FnOnce(&mut Screen, &mut Turn<'_>)) {
        self.on_pane(self.focus, act);
    }

    fn on_pane(&mut self, pane: usize, act: impl FnOnce(&mut Screen, &mut Turn<'_>)) {
        let area = self.area_of(pane);
        let in_overview = self.is_overview();
        let Self { mirror, look, prefs, panes, now, .. } = self;
        let mut turn = Turn { mirror, now: *now, look, prefs, area, in_overview, steps: Vec::new() };
        act(panes[pane].top_mut(), &mut turn);
        let steps = turn.steps;
        self.carry_out(steps);
    }

    fn on_dialog(&mut self, act: impl FnOnce(&mut Dialog, &mut Turn<'_>) -> Then) {
        let Some(mut dialog) = self.dialog.take() else { return };
        let area = self.area_of(self.focus);
        let Self { mirror, look, prefs, now, .. } = self;
        let mut turn = Turn { mirror, now: *now, look, prefs, area, in_overview: false, steps: Vec::new() };
        let then = act(&mut dialog, &mut turn);
        let steps = turn.steps;
        if then == Then::Stays {
            self.dialog = Some(dialog);
        }
        self.carry_out(steps);
    }

    fn carry_out(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Do(Effect::Copy(text)) => self.copy(text),
                Step::Do(effect) => self.effects.push(effect),
                Step::Say(text, role) => self.say(text, role),
                Step::Open(screen) => self.open(screen),
                Step::Close => self.close(),
                Step::Go(pane) => self.go(pane),
                Step::Customers(integration) => {
                    self.uncover(Pane::Customers);
                    self.go(Pane::Customers);
                    self.on_screen(|screen, turn| {
                        if let Screen::Customers(customers) = screen {
                            customers.show(integration, turn);
                        }
                    });
                }
                Step::GoOpen(pane, screen) => {
                    // Jobs are looked at one at a time, not one over the other.
                    if pane == Pane::Jobs {
                        self.uncover(pane);
                    }
                    self.go(pane);
                    self.open(screen);
                }
                Step::Dialog(dialog) => self.dialog = Some(*dialog),
                Step::Act(action) => self.act(action),
                Step::Prefs(prefs) => self.take_prefs(prefs),
                Step::TryTheme(Some(name)) => {
                    let theme = self.theme(&name);
                    let before = std::mem::replace(&mut self.look.theme, theme);
                    self.before_trial.get_or_insert(before);
                }
                Step::TryTheme(None) => {
                    if let Some(before) = self.before_trial.take() {
                        self.look.theme = before;
                    }
                }
                Step::Switch(profile) => self.effects.push(Effect::Leave(Left::Switch(profile))),
                Step::LeaveNow => match self.mirror.progress.as_ref().map(|progress| progress.job) {
                    Some(job) if !self.mirror.is_shared => {
                        self.leaving = Some(job);
                        self.effects.push(Effect::Send(Command::Stop));
                        self.say(format!("{job} stops after the record in hand ..."), Role::Notice);
                    }
                    _ => self.effects.push(Effect::Leave(Left::Quit)),
                },
            }
        }
    }

    fn copy(&mut self, text: String) {
        if text.is_empty() {
            self.say("There is nothing to copy.", Role::Text);
        } else if text.len() > super::terminal::COPY_LIMIT {
            self.say("That is too long for a terminal's clipboard; e exports it to a file.", Role::Notice);
        } else {
            let shown = if text.len() <= 60 { format!(": {text}") } else { String::new() };
            self.say(format!("Sent to the terminal's clipboard{shown}"), Role::Text);
            self.effects.push(Effect::Copy(text));
        }
    }

    fn open(&mut self, screen: Screen) {
        self.panes[self.focus].screens.push(screen);
        self.on_screen(|screen, turn| screen.enter(turn));
    }

    fn close(&mut self) {
        let stack = &mut self.panes[self.focus];
        if stack.is_deep() {
            stack.screens.pop();
            self.on_screen(|screen, turn| screen.enter(turn));
        }
    }

    /// Leaves the views over a pane's own screen.
    fn uncover(&mut self, pane: Pane) {
        if let Some(stack) = self.panes.iter_mut().find(|stack| stack.pane == pane) {
            stack.screens.truncate(1);
        }
    }

    fn go(&mut self, pane: Pane) {
        if let Some(index) = self.panes.iter().position(|stack| stack.pane == pane) {
            self.focus = index;
            self.on_screen(|screen, turn| screen.enter(turn));
        }
    }

    fn theme(&mut self, name: &str) -> Theme {
        let (theme, complaints) = self.themes.load(name, self.depth);
        for complaint in complaints {
            self.say(complaint, Role::Notice);
        }
        theme
    }

    fn take_prefs(&mut self, prefs: Prefs) {
        self.before_trial = None;
        if prefs.theme != self.look.theme.name {
            self.look.theme = self.theme(&prefs.theme);
        }
        if prefs.theme != self.prefs.theme {
            self.named_theme = Some(prefs.theme.clone());
        }
        if prefs.mouse != self.prefs.mouse {
            self.effects.push(Effect::Mouse(prefs.mouse));
        }
        self.look.signs = prefs.signs(&self.locale);
        self.prefs = prefs;
        self.effects.push(Effect::Write {
            path: self.config_dir.join(super::prefs::FILE),
            bytes: self.prefs.write().into(),
        });
    }

    fn key(&mut self, key: Key) {
        self.said = None;
        if key == Key::Ctrl('z') {
            return self.act(Action::Suspend);
        }
        if self.dialog.is_some() {
            return self.on_dialog(|dialog, turn| dialog.key(key, turn));
        }
        let key = if key == Key::Ctrl('c') {
            if !self.screen().is_typing() && self.waits_for_letter.is_none() && self.is_at_the_top() {
                return self.act(Action::Leave);
            }
            Key::Esc
        } else {
            key
        };
        if self.screen().is_typing() {
            return self.on_screen(|screen, turn| screen.input(Input::Key(key), turn));
        }
        if let Some(action) = self.waits_for_letter.take() {
            return self.letter(action, key);
        }
        match self.keymap.action(key, self.screen().scope()) {
            Some(action) => self.act(action),
            None if key.is_printable() => {
                let help = self.keymap.label(Action::Help);
                self.say(format!("{key} does nothing here. {help} shows what does."), Role::Text);
            }
            None => {}
        }
    }

    fn letter(&mut self, action: Action, key: Key) {
        let Key::Char(letter) = key else { return };
        let known = self.screen().letters(action, &self.mirror);
        if known.iter().any(|(other, _)| *other == letter) {
            self.on_screen(|screen, turn| screen.choose(action, letter, turn));
        } else {
            let all: Vec<_> = known.iter().map(|(letter, word)| format!("{letter} {word}")).collect();
            self.say(
                format!("{}: {letter} is none of {}.", action.entry().title, all.join(", ")),
                Role::Text,
            );
        }
    }

    /// Nothing is left for Esc to take off.
    fn is_at_the_top(&self) -> bool {
        !self.panes[self.focus].is_deep()
    }

    /// Does an action, if it is possible now; else says why not (U36).
    pub fn act(&mut self, action: Action) {
        if let Availability::Not(reason) = self.can(action) {
            return self.say(format!("{}: {reason}", action.entry().title), Role::Text);
        }
        if action.takes_letter() {
            if self.screen().letters(action, &self.mirror).is_empty() {
                return self.say(format!("{}: nothing to choose here.", action.entry().title), Role::Text);
            }
            self.waits_for_letter = Some(action);
            return;
        }
        if let Some(pane) = Pane::ALL.into_iter().find(|pane| pane.action() == action) {
            return self.go(pane);
        }
        match action {
            Action::Help => self.dialog = Some(Help::of(self.screen(), &self.keymap, &self.mirror).into()),
            Action::Palette => self.dialog = Some(self.palette().into()),
            Action::ProgramSettings => {
                if !matches!(self.screen(), Screen::Program(_)) {
                    self.open(Screen::Program(Box::default()));
                }
            }
            Action::Messages => {
                self.dialog = Some(Messages { notes: self.notes.clone(), scroll: 0 }.into());
            }
            Action::Overview => {
                self.zoomed = false;
                if self.focus >= Pane::IN_OVERVIEW {
                    self.focus = 0;
                }
            }
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::NextPane => self.turn_pane(1),
            Action::PreviousPane => self.turn_pane(self.panes.len() - 1),
            Action::Back => self.back(),
            Action::Leave => self.leave(),
            Action::Repaint => self.effects.push(Effect::Repaint),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Refresh => {
                self.effects.extend([Effect::Ask(Query::Overview), Effect::Ask(Query::Settings)]);
                self.on_screen(|screen, turn| {
                    screen.act(Action::Refresh, turn);
                });
            }
            other => {
                let mut known = true;
                self.on_screen(|screen, turn| known = screen.act(other, turn));
                if !known {
                    self.say(format!("{}: not on this screen.", other.entry().title), Role::Text);
                }
            }
        }
    }

    /// Whether an action is possible now, wherever it is done.
    pub fn can(&self, action: Action) -> Availability {
        match (action, &self.mirror.progress) {
            (Action::Overview | Action::Zoom, _) if self.class() != Class::Xl => {
                Availability::Not("it needs a terminal of 120x32; the panes have their digits.".into())
            }
            (Action::Suspend, Some(progress)) if !self.mirror.is_shared => Availability::Not(format!(
                "{} runs in this program and would stand still too. tmux or screen keep both going.",
                progress.job
            )),
            _ => self.screen().can(action, &self.mirror),
        }
    }

    fn turn_pane(&mut self, by: usize) {
        self.focus = (self.focus + by) % self.panes.len();
        self.on_screen(|screen, turn| screen.enter(turn));
    }

    fn back(&mut self) {
        let mut peeled = false;
        self.on_screen(|screen, turn| peeled = screen.peel(turn));
        if peeled {
            return;
        }
        if self.is_at_the_top() {
            let key = self.keymap.label(Action::Leave);
            self.say(format!("Nothing more to take off. {key} leaves the program."), Role::Text);
        } else {
            self.close_if_free();
        }
    }

    fn close_if_free(&mut self) {
        let mut free = true;
        self.on_screen(|screen, turn| free = screen.may_leave(turn));
        if free {
            self.close();
        }
    }

    fn leave(&mut self) {
        if !self.is_at_the_top() {
            return self.close_if_free();
        }
        let Some(progress) = self.mirror.progress.as_ref().filter(|_| !self.mirror.is_shared) else {
            return self.carry_out(vec![Step::LeaveNow]);
        };
        let at = strip::stage(progress).map(|stage| format!("{} of {}", stage.done, stage.total));
        let confirm = Confirm::new(
            "Leave with a job running?",
            [
                format!("{} is at {}.", progress.job, at.unwrap_or_else(|| strip::counters(progress))),
                "It stops after the record in hand; the next start offers to go on. Inside tmux or screen you can \
                 detach instead, and it goes on by itself."
                    .to_owned(),
            ],
            "stay",
        )
        .choice('y', "stop it and leave", vec![Step::LeaveNow]);
        self.dialog = Some(confirm.into());
    }

    fn palette(&self) -> Palette {
        let mut entries: Vec<palette::Entry> = Vec::new();
        let scope = self.screen().scope();
        for entry in super::action::TABLE {
            if !entry.scopes.iter().any(|s| s.reaches(scope)) || entry.action == Action::Palette {
                continue;
            }
            let not = match self.can(entry.action) {
                Availability::Ready => None,
                Availability::Not(reason) => Some(reason),
            };
            entries.push(palette::Entry {
                title: entry.title.to_owned(),
                key: self
                    .keymap
                    .keys(entry.action)
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" "),
                word: if entry.action == Action::Leave { "q".into() } else { entry.name.replace('_', " ") },
                not,
                steps: vec![Step::Act(entry.action)],
                tries: None,
            });
        }
        entries.extend(super::screens::places());
        for name in self.themes.names() {
            entries.push(palette::Entry {
                title: format!("Theme: {name}"),
                key: String::new(),
                word: format!("theme {name}"),
                not: None,
                steps: vec![Step::Prefs(Prefs { theme: name.clone(), ..self.prefs.clone() })],
                tries: Some(name),
            });
        }
        for (viewer, told) in others::told(&self.mirror.presence) {
            entries.push(palette::Entry {
                title: format!("Also here: {told}"),
                key: String::new(),
                word: format!("here {}", viewer.user),
                not: None,
                steps: vec![Step::Say(told, Role::Text)],
                tries: None,
            });
        }
        for profile in &self.profiles {
            entries.push(palette::Entry {
                title: format!("Profile: {profile}"),
                key: String::new(),
                word: format!("profile {profile}"),
                not: None,
                steps: vec![Step::Switch(profile.clone())],
                tries: None,
            });
        }
        Palette::new(entries, super::screens::WORDS.to_vec())
    }

    fn mouse(&mut self, mouse: Mouse) {
        if self.dialog.is_some() || self.screen().is_typing() {
            return;
        }
        match mouse {
            Mouse::Up | Mouse::Down => {
                let action = if mouse == Mouse::Up { Action::Up } else { Action::Down };
                for _ in 0..3 {
                    self.act(action);
                }
            }
            Mouse::Click { x, y } => {
                let hit = self.areas().into_iter().find(|(_, area)| area.contains((x, y).into()));
                if let Some((pane, area)) = hit {
                    self.focus = pane;
                    self.on_screen(|screen, turn| screen.click(y - area.y, turn));
                }
            }
        }
    }

    /// Every screen hears the news, seen or not.
    fn spread(&mut self, news: &News) {
        if let News::Answer(Query::Overview, Err(problem)) = news
            && self.mirror.is_starting
        {
            // No engine has come: there is nothing to look at.
            return self.effects.push(Effect::Leave(Left::Failed(Box::new(problem.clone()))));
        }
        let said_before = self.notes.last().cloned();
        for query in self.mirror.hear(news) {
            self.effects.push(Effect::Ask(query));
        }
        for pane in 0..self.panes.len() {
            let area = self.area_of(pane);
            let in_overview = self.is_overview();
            let Self { mirror, look, prefs, panes, now, .. } = self;
            let mut turn = Turn { mirror, now: *now, look, prefs, area, in_overview, steps: Vec::new() };
            for screen in &mut panes[pane].screens {
                screen.hear(news, &mut turn);
            }
            let steps = turn.steps;
            self.carry_out(steps);
        }
        self.follow_profile_theme();
        self.announce(news);
        self.hear_warning();
        self.greet();
        match news {
            News::Reply(command, result) => {
                if matches!(**command, Command::Stop) {
                    self.stopped(result.is_ok());
                }
                // Nothing fails in silence: what no screen has spoken about is said here.
                if let Err(problem) = result
                    && self.notes.last() == said_before.as_ref()
                {
                    self.say(problem.to_string(), Role::Bad);
                }
            }
            News::Written(path, Err(error)) if self.notes.last() == said_before.as_ref() => {
                self.say(format!("{} could not be written: {error}.", path.display()), Role::Bad);
            }
            _ => {}
        }
    }

    fn stopped(&mut self, is_done: bool) {
        if let Some(job) = self.leaving.take()
            && is_done
        {
            self.effects.push(Effect::Leave(Left::Stopped(job)));
        }
    }

    /// A profile may name its own theme, so that production looks different (ux.md 10).
    fn follow_profile_theme(&mut self) {
        let wanted = self.mirror.overview.as_ref().map(|overview| overview.theme.clone()).unwrap_or_default();
        if self.named_theme.is_none() && !wanted.is_empty() && wanted != self.look.theme.name {
            self.look.theme = self.theme(&wanted);
        }
    }

    /// In plain mode a running job is told as lines: its start, every tenth of the way, its end (U63).
    fn announce(&mut self, news: &News) {
        let News::Engine(event) = news else { return };
        if !self.look.plain {
            return;
        }
        match event {
            Event::Progress(progress) => {
                let tenth = strip::percent(progress).map(|percent| (progress.job, percent / 10));
                if tenth.is_some() && tenth != self.announced {
                    self.announced = tenth;
                    self.say(format!("{}, {}", progress.job, strip::counters(progress)), Role::Text);
                }
            }
            Event::Job(job) => {
                let text = format!("{} {}, {}", job.job, strip::title(job), job.state.word());
                self.say(text, strip::state_role(job.state));
            }
            _ => {}
        }
    }

    /// At the start: a job that was cut off is offered to go on (U41).
    fn greet(&mut self) {
        let Some(overview) = self.mirror.overview.as_ref().filter(|_| !self.has_greeted) else { return };
        let cut_off = overview.interrupted.iter().find(|job| job.state == JobState::Interrupted).cloned();
        self.has_greeted = true;
        let Some(job) = cut_off.filter(|_| self.dialog.is_none()) else { return };
        let stage = job.stages.iter().find(|stage| stage.done < stage.total).or(job.stages.last());
        let at = stage.map(|stage| format!(" at {} of {}", stage.done, stage.total)).unwrap_or_default();
        let resume = Command::Order { job: job.job, order: JobOrder::Resume };
        let confirm = Confirm::new(
            format!("{} {}: go on?", self.mark(), self.profile),
            [
                format!("{} ({}) was interrupted{at}.", job.job, strip::title(&job)),
                "Going on writes what is left of its plan; nothing is written twice.".to_owned(),
            ],
            "later",
        )
        .choice('y', "go on", vec![Step::Do(Effect::Send(resume))]);
        self.dialog = Some(confirm.into());
    }

    /// PRODUCTION or SANDBOX.
    pub fn mark(&self) -> &'static str {
        match self.mirror.overview.as_ref().map(|overview| overview.kind) {
            Some(crate::model::settings::Kind::Production) => "PRODUCTION",
            Some(crate::model::settings::Kind::Sandbox) => "SANDBOX",
            None => "",
        }
    }

    /// Screens that are seen scroll to their cursor and ask for what they miss.
    fn settle(&mut self) {
        for (pane, _) in self.areas() {
            self.on_pane(pane, |screen, turn| screen.settle(turn));
        }
    }

    /// What coming back restores (U42): pane, filters, selected rows, drafts without secrets.
    pub fn saved(&self) -> serde_json::Value {
        let panes: serde_json::Map<_, _> = self
            .panes
            .iter()
            .map(|stack| {
                let screens = stack.screens.iter().map(|screen| screen.saved()).collect();
                (stack.pane.title().to_owned(), serde_json::Value::Array(screens))
            })
            .collect();
        serde_json::json!({
            "pane": self.panes[self.focus].pane.title(),
            "zoomed": self.zoomed,
            "panes": panes,
        })
    }

    fn restore(&mut self, saved: &serde_json::Value) {
        self.zoomed = saved["zoomed"].as_bool().unwrap_or(false);
        for (index, stack) in self.panes.iter_mut().enumerate() {
            let title = stack.pane.title();
            if saved["pane"] == title {
                self.focus = index;
            }
            let Some(screens) = saved["panes"][title].as_array() else { continue };
            for (depth, value) in screens.iter().enumerate() {
                match stack.screens.get_mut(depth) {
                    Some(screen) => screen.restore(value),
                    None => match Screen::from_saved(value) {
                        Some(screen) => stack.screens.push(screen),
                        None => break,
                    },
                }
            }
        }
    }
}

/// One step of the viewer. Reads no clock and no file, never waits.
pub fn update(app: &mut App, message: Message) -> Vec<Effect> {
    app.now = message.now;
    let is_told = others::is_told(&message.news);
    match message.news {
        News::Key(key) => app.key(key),
        News::Paste(text) => {
            app.said = None;
            if app.dialog.is_some() {
                app.on_dialog(|dialog, turn| dialog.paste(&text, turn));
            } else if app.screen().is_typing() {
                app.on_screen(|screen, turn| screen.input(Input::Paste(&text), turn));
            } else {
                app.say("A paste goes into text fields only; here it does nothing.", Role::Text);
            }
        }
        News::Dropped(keys) => app.say(
            format!("{keys} keys came at once, as a paste does, and were dropped. Paste into a text field."),
            Role::Notice,
        ),
        News::Mouse(mouse) => app.mouse(mouse),
        News::Resize(size) => app.size = size,
        News::Resumed => app.effects.extend([Effect::Repaint, Effect::Ask(Query::Overview)]),
        News::Terminate => app.effects.push(Effect::Leave(Left::Signal(15))),
        News::Due => {}
        news => app.spread(&news),
    }
    app.settle();
    app.mind_others(is_told);
    std::mem::take(&mut app.effects)
}
