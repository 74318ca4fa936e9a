//! One entry of the workspace as a form: typed, looked at, saved as one step.

use ratatui::layout::Rect;

use super::entry::{Entry, Known};
use crate::host::words::{
    Answer, Command, CompanyView, FieldState, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query,
    WorkspaceView,
};
use crate::model::{Entity, Integration};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::screens::plan::PlanScreen;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::form::{Did, FieldKind, Form, Typed};

#[derive(Debug, Clone)]
pub struct Sheet {
    saved: Entry,
    entry: Entry,
    /// Before each change that is not saved, newest last.
    before: Vec<Entry>,
    known: Known,
    form: Form,
    /// What saves it, once sent or about to be.
    sent: Option<LifecycleOrder>,
    /// Sent and not answered yet.
    is_saving: bool,
}

impl Sheet {
    pub fn of(entry: Entry, view: Option<Box<WorkspaceView>>, companies: &[CompanyView]) -> Self {
        let known = Known { view, companies: companies.to_vec() };
        let mut sheet = Self {
            saved: entry.clone(),
            entry,
            before: Vec::new(),
            known,
            form: Form::default(),
            sent: None,
            is_saving: false,
        };
        sheet.fill();
        sheet
    }

    fn fill(&mut self) {
        let saved = self.saved.fields(&self.known);
        let mut fields = self.entry.fields(&self.known);
        for field in &mut fields {
            field.is_changed = !saved.iter().any(|old| old.key == field.key && old.value == field.value);
        }
        self.form.fill(fields);
    }

    fn is_changed(&self) -> bool {
        self.entry != self.saved
    }

    fn take(&mut self, typed: &Typed) {
        let before = self.entry.clone();
        match self.entry.take(&typed.key, &typed.text, &self.known) {
            Ok(()) => {
                if before != self.entry {
                    self.before.push(before);
                }
                self.fill();
            }
            Err(why) => {
                self.entry = before;
                self.form.refuse(typed, why);
            }
        }
    }

    fn shift(&mut self, up: bool, turn: &mut Turn<'_>) {
        let Some(key) = self.form.selected().map(|field| field.key.clone()) else { return };
        let before = self.entry.clone();
        if self.entry.shift(&key, up).is_some() {
            self.before.push(before);
            self.fill();
            self.form.select(&key);
        } else {
            turn.say("Only a column that is shown has a place in the order, and it is at its end already.");
        }
    }

    /// Whether Halo has such an asset field, as far as is known.
    fn is_there(&self, name: &str) -> bool {
        let fields = self.known.view.iter().flat_map(|view| &view.fields);
        fields.into_iter().any(|own| own.halo == name && own.state == FieldState::There)
    }

    fn save(&mut self, turn: &mut Turn<'_>) {
        if self.is_saving {
            return turn.say("Saving is still under way.");
        }
        match self.entry.order(&self.saved, &self.known) {
            Ok(Some(order)) => match (order, self.entry.merges_with(&self.known)) {
                (LifecycleOrder::MapTerm { list, id, halo, .. }, Some(other)) => {
                    let order = LifecycleOrder::MapTerm { list, id, halo, merge: true };
                    let lines = [format!(
                        "'{}' stands for it already. The two become one, and companies of either have the one that is left.",
                        other.name
                    )];
                    let steps = vec![Step::Do(Effect::Send(Command::Lifecycle(Box::new(order.clone()))))];
                    let title = format!("Merge '{}' and '{}'?", self.saved.title(), other.name);
                    turn.dialog(Confirm::new(title, lines, "not now").choice('y', "make them one", steps));
                    self.sent = Some(order);
                }
                (order, _) => {
                    turn.send(Command::Lifecycle(Box::new(order.clone())));
                    self.sent = Some(order);
                    self.is_saving = true;
                }
            },
            Ok(None) => turn.say("Nothing has been changed, so there is nothing to save."),
            Err(why) => turn.complain(sentence(&why)),
        }
    }

    fn title(&self) -> String {
        self.saved.title()
    }
}

impl View for Sheet {
    fn scope(&self) -> Scope {
        Scope::Sheet
    }

    fn name(&self) -> Option<String> {
        Some(self.title())
    }

    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        let here = self.form.tab();
        let tabs: Vec<String> = self
            .form
            .tabs()
            .iter()
            .filter(|tab| !tab.is_empty())
            .map(|tab| if tab == here { format!("[{tab}]") } else { tab.clone() })
            .collect();
        let left = if tabs.is_empty() { self.entry.title() } else { tabs.join(" ") };
        Some((left, if self.is_changed() { "not saved" } else { "" }.to_owned()))
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        self.entry.title()
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        turn.ask(Query::Lifecycle(LifecycleQuery::Overview));
        if self.known.companies.is_empty() {
            turn.ask(Query::Lifecycle(LifecycleQuery::Companies));
        }
    }

    fn is_typing(&self) -> bool {
        self.form.is_editing()
    }

    fn input(&mut self, input: Input<'_>, _turn: &mut Turn<'_>) {
        if let Some(typed) = self.form.input(input) {
            self.take(&typed);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        match self.form.act(action) {
            Did::Moved => return true,
            Did::Typed(typed) => {
                self.take(&typed);
                return true;
            }
            Did::Nothing => {}
        }
        match action {
            Action::Save => self.save(turn),
            Action::Undo => {
                if let Some(before) = self.before.pop() {
                    self.entry = before;
                    self.form.clear_notes();
                    self.fill();
                }
            }
            Action::MoveUp | Action::MoveDown => self.shift(action == Action::MoveUp, turn),
            Action::Refresh => self.enter(turn),
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        match action {
            Action::Undo if self.before.is_empty() => {
                Availability::Not("nothing has been changed here since it was opened.".into())
            }
            Action::NextTab | Action::PreviousTab if self.form.tabs().len() < 2 => {
                Availability::Not("there is one page only.".into())
            }
            Action::MoveUp | Action::MoveDown if !matches!(self.entry, Entry::Template { .. }) => {
                Availability::Not("nothing here has an order.".into())
            }
            _ => Availability::Ready,
        }
    }

    fn may_leave(&mut self, turn: &mut Turn<'_>) -> bool {
        if !self.is_changed() {
            return true;
        }
        let lines = [format!("The changes of {} are not saved.", self.title())];
        let leave = vec![Step::Close];
        let confirm = Confirm::new("Leave without saving?", lines, "stay here; s saves");
        turn.dialog(confirm.choice('y', "leave, the changes are lost", leave));
        false
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Lifecycle(_), Ok(Answer::Lifecycle(answer))) => {
                match &**answer {
                    LifecycleAnswer::Overview(view) => self.known.view = Some(view.clone()),
                    LifecycleAnswer::Companies(all) => self.known.companies.clone_from(all),
                    _ => return,
                }
                self.fill();
            }
            News::Reply(command, result) => {
                let Command::Lifecycle(order) = &**command else { return };
                if self.sent.as_ref() == Some(&**order) {
                    self.sent = None;
                    self.is_saving = false;
                    // What was refused stays typed, and says why where the cursor is.
                    if let (Err(problem), Some(field)) = (result, self.form.selected()) {
                        let key = field.key.clone();
                        self.form.note(&key, problem.to_string(), Role::Bad);
                    }
                    if result.is_ok() {
                        self.saved = self.entry.clone();
                        turn.close();
                        if matches!(&**order, LifecycleOrder::WantField { name, .. } if !self.is_there(name))
                        {
                            let what = vec![Entity::AssetFields];
                            turn.open(PlanScreen::build_of(Integration::Lifecycle, what));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        self.form.draw_explained(canvas, area, in_overview);
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if self.form.is_editing() {
            let lines = self.form.selected().is_some_and(|field| field.kind == FieldKind::Lines);
            let text = if lines {
                "Enter new line  Tab keep and leave the field  Esc as it was"
            } else {
                "Enter accept  Esc as it was"
            };
            canvas.put(area.x, area.y, area.width, text, Role::HintText);
        }
        self.form.is_editing()
    }

    fn click(&mut self, line: u16, _turn: &mut Turn<'_>) {
        self.form.select_at(line.into());
    }

    fn hints(&self) -> &'static [Action] {
        match self.saved {
            Entry::Template { .. } => {
                &[Action::Edit, Action::Save, Action::NextTab, Action::MoveUp, Action::MoveDown, Action::Undo]
            }
            _ => &[Action::Edit, Action::Save, Action::Undo, Action::Back],
        }
    }

    fn about(&self) -> About {
        About {
            what: "One entry of the planning workspace. s saves it as one step; in the list u takes the step back.",
            signs: &[],
            rules: &[
                "A draft report follows at once; a completed one never changes.",
                "The same rules hold as for the commands: what is refused says why and stays typed.",
            ],
        }
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
