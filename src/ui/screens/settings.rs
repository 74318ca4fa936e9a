//! The settings of Halo or of one integration: fields in tabs, tested before they are saved (ux.md 3.9).

use std::collections::BTreeMap;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use crate::host::words::{CheckState, Command, Query, Reply, SettingChange, TestReport};
use crate::model::settings::Settings as Profile;
use crate::model::{Place, Problem, Secret};
use crate::settings::{self, Kind, Section, Setting, Values};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit;
use crate::ui::key::Input;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::form::{Did, FieldKind, Form, FormField, Typed};

#[derive(Debug, Clone)]
pub struct Settings {
    place: Place,
    form: Form,
    /// Values typed and not saved, by key, as they are shown.
    edits: BTreeMap<String, String>,
    /// Secrets typed and not saved; never shown, never kept.
    secrets: BTreeMap<String, Secret>,
    /// Before each unsaved change, newest last.
    steps: Vec<Before>,
    report: Option<TestReport>,
    is_testing: bool,
    is_saving: bool,
    /// The field to go to once the fields are here.
    opens_at: Option<String>,
}

/// What a field was before a change.
#[derive(Debug, Clone)]
struct Before {
    key: String,
    edit: Option<String>,
    secret: Option<Secret>,
}

impl Settings {
    pub fn new(place: Place) -> Self {
        Self {
            place,
            form: Form::default(),
            edits: BTreeMap::new(),
            secrets: BTreeMap::new(),
            steps: Vec::new(),
            report: None,
            is_testing: false,
            is_saving: false,
            opens_at: None,
        }
    }

    /// With the cursor on one of its fields.
    pub fn at(place: Place, key: String) -> Self {
        Self { opens_at: Some(key), ..Self::new(place) }
    }

    fn unsaved(&self) -> usize {
        self.edits.len() + self.secrets.len()
    }

    /// The settings as they would be saved.
    fn draft(&self, saved: &Profile) -> Profile {
        let mut draft = saved.clone();
        for (key, text) in &self.edits {
            if let Ok((next, _)) = settings::enter(&draft, key, text) {
                draft = next;
            }
        }
        draft
    }

    fn table(&self) -> impl Iterator<Item = &'static Setting> {
        let section = Section::Of(self.place);
        let is_halo = self.place == Place::Halo;
        // The profile's own settings are shared by all: they have their place in Halo's form.
        settings::all().iter().filter(move |setting| {
            setting.section == section
                || (is_halo
                    && matches!(setting.section, Section::Profile | Section::Safety | Section::Matching))
        })
    }

    /// Makes the fields anew from what is saved and what is typed.
    fn fill(&mut self, mirror: &Mirror) {
        let Some(view) = &mirror.settings else { return };
        let (Ok(saved), Ok(now)) = (Values::of(&view.settings), Values::of(&self.draft(&view.settings)))
        else {
            return;
        };
        self.edits
            .retain(|key, text| settings::find(key).is_some_and(|setting| saved.text(setting) != *text));
        let fields = self.table().map(|setting| {
            let text = now.text(setting);
            let is_secret = setting.kind == Kind::Secret;
            let value = if self.secrets.contains_key(&setting.key) {
                "********".into()
            } else if is_secret {
                secret_words(&text, view.sealed.contains(&setting.key))
            } else {
                text.clone()
            };
            let mut help = setting.help.clone();
            if setting.leaf() == "top_level_for_new_customers" && !view.top_levels.is_empty() {
                help = format!("{help} Halo has: {}.", view.top_levels.join(", "));
            }
            let is_changed = text != saved.text(setting) || self.secrets.contains_key(&setting.key);
            let tab = match setting.section {
                Section::Profile => "Profile",
                _ => setting.tab.label(),
            };
            FormField {
                key: setting.key.clone(),
                tab: tab.to_owned(),
                label: setting.label.clone(),
                help,
                kind: field_kind(setting.kind),
                value,
                suggestion: setting.suggestion.to_owned(),
                is_changed,
            }
        });
        let mut fields: Vec<FormField> = fields.collect();
        // The connection comes first, whatever section the table begins with.
        fields.sort_by_key(|field| field.tab == "Profile");
        self.form.fill(fields);
        if let Some(key) = self.opens_at.take() {
            self.form.select(&key);
        }
    }

    /// Judges what was typed, by the same rules as a file or `config set`.
    fn take(&mut self, typed: Typed, turn: &mut Turn<'_>) {
        let Some(view) = &turn.mirror.settings else { return };
        let Some(setting) = settings::find(&typed.key) else { return };
        let is_reference = typed.text.trim_start().starts_with('{');
        if setting.kind == Kind::Secret && !is_reference {
            return self.take_secret(typed, turn);
        }
        let draft = self.draft(&view.settings);
        match settings::enter(&draft, &typed.key, &typed.text) {
            Ok((next, notes)) => {
                let text = Values::of(&next).map(|values| values.text(setting)).unwrap_or_default();
                if !notes.is_empty() {
                    let notes: Vec<_> = notes.iter().map(|note| without_key(note, &typed.key)).collect();
                    self.form.note(&typed.key, notes.join("; "), Role::Notice);
                }
                self.set(&typed.key, text, turn.mirror);
            }
            Err(problem) => self.form.refuse(&typed, without_key(&problem.to_string(), &typed.key)),
        }
    }

    fn take_secret(&mut self, typed: Typed, turn: &mut Turn<'_>) {
        if typed.text.is_empty() {
            return turn.say("Nothing was typed; the secret stays as it is.");
        }
        if typed.text.trim() != typed.text {
            // Reported, not guessed: a space may belong to it, though it hardly ever does.
            self.form.note(
                &typed.key,
                "a space at an end was typed or pasted; it was left out",
                Role::Notice,
            );
        }
        let secret = Secret::new(typed.text.trim());
        let before = self.secrets.insert(typed.key.clone(), secret);
        self.steps.push(Before { edit: self.edits.get(&typed.key).cloned(), key: typed.key, secret: before });
        self.fill(turn.mirror);
    }

    fn set(&mut self, key: &str, text: String, mirror: &Mirror) {
        let before = self.edits.insert(key.to_owned(), text);
        let secret = self.secrets.remove(key);
        self.steps.push(Before { key: key.to_owned(), edit: before, secret });
        self.fill(mirror);
    }

    fn test(&mut self, turn: &mut Turn<'_>) {
        if self.is_testing {
            return turn.say("The test is still under way.");
        }
        if self.form.selected().is_some_and(|field| is_of_notices(&field.key)) {
            return self.test_notice(turn);
        }
        self.is_testing = true;
        self.form.open_tab("Details");
        turn.say(format!(
            "Testing {} with the values as they stand here; nothing is written.",
            self.place.label()
        ));
        turn.send(Command::Test {
            place: self.place,
            draft: self.changes(turn.mirror),
            secrets: self.secrets.clone().into_iter().collect(),
        });
    }

    /// On a field of the notices the test is one: it goes out with what is saved (P40).
    fn test_notice(&mut self, turn: &mut Turn<'_>) {
        let unsaved = self.edits.keys().chain(self.secrets.keys()).any(|key| is_of_notices(key));
        if unsaved {
            return turn.say("A notice goes out with what is saved: save first, then test.");
        }
        self.is_testing = true;
        turn.say("Sending a notice now ...");
        turn.send(Command::TestNotice);
    }

    fn save(&mut self, turn: &mut Turn<'_>) {
        if self.unsaved() == 0 {
            return turn.say("Nothing has been changed, so there is nothing to save.");
        }
        if self.is_saving {
            return turn.say("Saving is still under way.");
        }
        let changes = self.changes(turn.mirror);
        self.is_saving = true;
        if changes.is_empty() {
            self.seal(turn);
        } else {
            turn.send(Command::Set { changes });
        }
    }

    /// Secrets follow once the rest is accepted, so that a refused form changes nothing.
    fn seal(&mut self, turn: &mut Turn<'_>) {
        for (key, secret) in &self.secrets {
            turn.send(Command::SealSecret { key: key.clone(), secret: secret.clone() });
        }
    }

    fn reset(&mut self, turn: &mut Turn<'_>) {
        let Some((field, view)) = self.form.selected().zip(turn.mirror.settings.as_ref()) else { return };
        let (key, label) = (field.key.clone(), field.label.clone());
        let Some(setting) = settings::find(&key).filter(|setting| setting.kind != Kind::Secret) else {
            return turn.say("A secret has no default. Enter replaces it.");
        };
        match settings::reset(&self.draft(&view.settings), &key) {
            Ok(next) => {
                let text = Values::of(&next).map(|values| values.text(setting)).unwrap_or_default();
                self.set(&key, text, turn.mirror);
                turn.say(format!("{label} has its default again. u takes it back."));
            }
            Err(problem) => turn.complain(problem.to_string()),
        }
    }

    fn take_back(&mut self, before: Before, turn: &mut Turn<'_>) {
        let Before { key, edit, secret } = before;
        match edit {
            Some(text) => self.edits.insert(key.clone(), text),
            None => self.edits.remove(&key),
        };
        match secret {
            Some(secret) => self.secrets.insert(key.clone(), secret),
            None => self.secrets.remove(&key),
        };
        self.form.clear_notes();
        self.form.select(&key);
        self.fill(turn.mirror);
        let label = settings::find(&key).map_or("It", |setting| setting.label.as_str());
        turn.say(format!("{label} is as it was before."));
    }

    /// Unsaved values as TOML.
    fn changes(&self, mirror: &Mirror) -> Vec<SettingChange> {
        let Some(view) = &mirror.settings else { return Vec::new() };
        let draft = self.draft(&view.settings);
        let tree = toml::Table::try_from(&draft).unwrap_or_default();
        let changed = self.edits.keys().filter_map(|key| settings::find(key));
        changed
            .map(|setting| {
                let value = match setting.kind {
                    // As a binary fraction an amount would no longer be what was typed.
                    Kind::Money => self.edits.get(&setting.key).map(|text| toml::Value::String(text.clone())),
                    _ => lookup(&tree, &setting.key).cloned(),
                };
                SettingChange { key: setting.key.clone(), value: value.map(|value| value.to_string()) }
            })
            .collect()
    }

    fn answered(&mut self, command: &Command, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
        match (command, result) {
            (Command::Test { place, .. }, result) if *place == self.place => {
                self.is_testing = false;
                match result {
                    Ok(Reply::Tested(report)) => {
                        self.report = Some(report.clone());
                        turn.say(verdict(report));
                    }
                    Ok(_) => {}
                    Err(problem) => turn.complain(problem.to_string()),
                }
            }
            (Command::TestNotice, result) if self.is_testing => {
                self.is_testing = false;
                match result {
                    Ok(Reply::Done(said)) => turn.say(said.clone()),
                    Ok(_) => {}
                    Err(problem) => turn.complain(problem.to_string()),
                }
            }
            (Command::Set { changes }, result) if self.is_saving => match result {
                Ok(reply) => {
                    let keys: Vec<_> = changes.iter().map(|change| change.key.as_str()).collect();
                    self.edits.retain(|key, _| !keys.contains(&key.as_str()));
                    self.steps.clear();
                    self.form.clear_notes();
                    if let Reply::Saved { notes, .. } = reply {
                        for note in notes {
                            if let Some(key) = keys.iter().find(|key| note.starts_with(**key)) {
                                self.form.note(key, without_key(note, key), Role::Notice);
                            }
                        }
                    }
                    self.is_saving = !self.secrets.is_empty();
                    self.seal(turn);
                    turn.say(format!("Saved {}.", plural(keys.len() + self.secrets.len(), "change")));
                    turn.ask(Query::Settings);
                }
                Err(problem) => {
                    self.is_saving = false;
                    turn.complain(format!("Nothing was saved. {problem}"));
                }
            },
            (Command::SealSecret { key, .. }, result) if self.is_saving => match result {
                Ok(_) => {
                    self.secrets.remove(key);
                    self.is_saving = !self.secrets.is_empty();
                    self.steps.clear();
                    turn.say("Saved; the secret is sealed.");
                    turn.ask(Query::Settings);
                }
                Err(problem) => {
                    self.is_saving = false;
                    turn.complain(format!("The secret was not saved. {problem}"));
                }
            },
            _ => {}
        }
    }

    /// The test, each check on a line of its own.
    fn report_lines(&self, canvas: &Canvas<'_>, width: usize) -> Vec<(String, Role)> {
        if self.is_testing {
            return vec![("Test            under way; nothing is written".into(), Role::Accent)];
        }
        let Some(report) = &self.report else { return Vec::new() };
        let head = format!("Test            {}", canvas.when(report.at));
        let mut lines = vec![(head, Role::Text)];
        let names = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0).clamp(13, 20);
        for check in &report.checks {
            let (word, role) = match check.state {
                CheckState::Ok => ("ok", Role::Good),
                CheckState::Failed => ("failed", Role::Bad),
                CheckState::Unproven => ("unproven", Role::Notice),
                CheckState::Skipped => ("skipped", Role::Dim),
            };
            let room = width.saturating_sub(names + 13).max(12);
            for (i, text) in fit::wrap(&check.message, room).into_iter().enumerate() {
                let (name, word) = if i == 0 { (check.name.as_str(), word) } else { ("", "") };
                lines.push((format!("  {name:names$} {word:8} {text}"), role));
            }
        }
        lines
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        let mut screen = Self::new(saved["settings"].as_str()?.parse().ok()?);
        screen.restore(saved);
        Some(screen)
    }
}

impl View for Settings {
    fn scope(&self) -> Scope {
        Scope::Settings
    }

    fn name(&self) -> Option<String> {
        Some(self.place.label().to_owned())
    }

    /// A form that is only read is nobody's business.
    fn edits(&self) -> Option<String> {
        (self.is_typing() || self.unsaved() > 0).then(|| format!("the settings of {}", self.place.label()))
    }

    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        let here = self.form.tab();
        let tabs =
            self.form.tabs().iter().map(|tab| if tab == here { format!("[{tab}]") } else { tab.clone() });
        let unsaved = match self.unsaved() {
            0 => String::new(),
            count => format!("{} not saved", plural(count, "change")),
        };
        Some((tabs.collect::<Vec<_>>().join(" "), unsaved))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        if turn.mirror.settings.is_none() {
            turn.ask(Query::Settings);
        }
        if self.report.is_none() {
            self.report = turn.mirror.place(self.place).and_then(|view| view.test.clone());
        }
        self.fill(turn.mirror);
    }

    fn is_typing(&self) -> bool {
        self.form.is_editing()
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        if let Some(typed) = self.form.input(input) {
            self.take(typed, turn);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        match self.form.act(action) {
            Did::Moved => return true,
            Did::Typed(typed) => {
                self.take(typed, turn);
                return true;
            }
            Did::Nothing => {}
        }
        match action {
            Action::Refresh => turn.ask(Query::Settings),
            Action::Test => self.test(turn),
            Action::Save => self.save(turn),
            Action::Reset => self.reset(turn),
            Action::Undo => {
                if let Some(before) = self.steps.pop() {
                    self.take_back(before, turn);
                }
            }
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        match action {
            Action::Save if self.unsaved() == 0 => not("nothing has been changed."),
            Action::Undo if self.steps.is_empty() => {
                not("nothing has been changed here since the last save.")
            }
            Action::Edit | Action::Test | Action::Reset if mirror.settings.is_none() => {
                not("the settings are still being read.")
            }
            _ => Availability::Ready,
        }
    }

    fn may_leave(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.unsaved() == 0 {
            return true;
        }
        let label = self.place.label();
        let lines = [format!("{} of {label} not saved.", plural(self.unsaved(), "change"))];
        let confirm = Confirm::new("Leave without saving?", lines, "stay here; s saves").choice(
            'y',
            "leave, the changes are lost",
            vec![Step::Close],
        );
        turn.dialog(confirm);
        false
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Settings, Ok(_)) => self.fill(turn.mirror),
            News::Reply(command, result) => self.answered(command, result, turn),
            _ => {}
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        if canvas.mirror.settings.is_none() {
            canvas.put(area.x + 1, area.y, area.width, "Reading ...", Role::Dim);
            return;
        }
        let help = if area.height >= 12 { 4 } else { 0 };
        let mut fields = Rect { height: area.height - help, ..area };
        let help = Rect { y: fields.bottom(), height: help, ..area };
        let mut lines = self.report_lines(canvas, usize::from(fields.width));
        if self.form.tab() == "Details" && !lines.is_empty() {
            // An empty line above it; a few fields stay in sight.
            let height = (lines.len() as u16 + 1).min(fields.height.saturating_sub(4).max(fields.height / 2));
            if lines.len() > usize::from(height) - 1 {
                // What has failed must be seen, then what is not proven, whatever else is not.
                lines[1..].sort_by_key(|(_, role)| match role {
                    Role::Bad => 0,
                    Role::Notice => 1,
                    _ => 2,
                });
            }
            let y = fields.bottom() - height;
            for ((text, role), y) in lines.iter().zip(y + 1..fields.bottom()) {
                canvas.put(fields.x + 1, y, fields.width.saturating_sub(1), text, *role);
            }
            fields.height -= height;
        }
        self.form.draw(canvas, fields);
        let Some(field) = self.form.selected() else { return };
        self.form.explain(canvas, help, fields, &format!("{} ({})", field.label, field.key));
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if !self.form.is_editing() {
            return false;
        }
        let lines = self.form.selected().is_some_and(|field| field.kind == FieldKind::Lines);
        let text = if lines {
            "Enter new line  Tab keep and leave the field  Esc as it was"
        } else {
            "Enter accept  Esc as it was"
        };
        canvas.put(area.x, area.y, area.width, text, Role::HintText);
        true
    }

    fn click(&mut self, line: u16, _turn: &mut Turn<'_>) {
        self.form.select_at(line.into());
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Edit,
            Action::Test,
            Action::Save,
            Action::Undo,
            Action::NextTab,
            Action::Reset,
            Action::Back,
        ]
    }

    fn about(&self) -> About {
        About {
            what: "The settings of one connection. Nothing is in force before s saves it.",
            signs: &[],
            rules: &[
                "The test uses the values as they stand here, saved or not, and never writes. On a field of the \
                 notices it sends one, with what is saved.",
                "A secret is typed unseen and kept sealed; { env = \"VAR\" }, { file = \"PATH\" } or \
                 { command = \"...\" } typed in its place is read at each use instead.",
                "What the program has cleaned of a value is said under the field.",
                "A limit that is not set for an integration is the profile's.",
            ],
        }
    }

    /// Unsaved values come back after a dropped link; secrets never do.
    fn saved(&self) -> Value {
        json!({ "settings": self.place.key(), "tab": self.form.tab(), "edits": self.edits })
    }

    fn restore(&mut self, saved: &Value) {
        let edits = saved["edits"].as_object().into_iter().flatten();
        self.edits = edits
            .filter(|(key, _)| settings::find(key).is_some_and(|setting| setting.kind != Kind::Secret))
            .filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())))
            .collect();
    }
}

fn is_of_notices(key: &str) -> bool {
    key.starts_with("profile.notify.")
}

fn verdict(report: &TestReport) -> String {
    let label = report.place.label();
    let failed = report.checks.iter().filter(|check| check.state == CheckState::Failed).count();
    if report.ok {
        format!("{label} answers, and every right is there.")
    } else if failed == 0 {
        format!("{label} answers, but not all could be proven; the list says what.")
    } else {
        format!("{label}: {} failed; the list says what to do.", plural(failed, "check"))
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Sentences about a setting begin with its key, which the field says already.
fn without_key(sentence: &str, key: &str) -> String {
    let rest = sentence.strip_prefix(key).unwrap_or(sentence);
    rest.trim_start_matches(':').trim_start().to_owned()
}

fn secret_words(text: &str, is_sealed: bool) -> String {
    match text {
        "(sealed)" => "********  kept sealed here; Enter to replace".into(),
        "" if is_sealed => "********  kept sealed here; Enter to replace".into(),
        "" => String::new(),
        reference => format!("read at each use: {reference}"),
    }
}

fn field_kind(kind: Kind) -> FieldKind {
    match kind {
        Kind::Flag => FieldKind::Switch,
        Kind::Choice(choices) => FieldKind::Choice(choices.iter().map(|c| (*c).to_owned()).collect()),
        Kind::Lines => FieldKind::Lines,
        Kind::Secret => FieldKind::Secret,
        _ => FieldKind::Text,
    }
}

fn lookup<'a>(tree: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    let mut parts = key.split('.');
    let first = tree.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}
