//! The settings of the program itself: in force at once, kept in a file of the configuration folder.

use ratatui::layout::Rect;

use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::prefs::Prefs;
use crate::ui::screens::View;
use crate::ui::theme::{Role, SHIPPED, Signs};
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::form::{Did, FieldKind, Form, FormField, Typed};

#[derive(Debug, Clone, Default)]
pub struct Program {
    form: Form,
    /// What `u` takes back.
    before: Vec<Prefs>,
}

impl Program {
    fn fill(&mut self, prefs: &Prefs) {
        let field = |key: &str, label: &str, kind, value: String, help: &str| FormField {
            key: key.to_owned(),
            tab: String::new(),
            label: label.to_owned(),
            help: help.to_owned(),
            kind,
            value,
            suggestion: String::new(),
            is_changed: false,
        };
        let themes = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
        let signs =
            std::iter::once("auto").chain(Signs::ALL.iter().map(|s| s.name())).map(str::to_owned).collect();
        self.form.fill(vec![
            field("theme", "Theme", FieldKind::Choice(themes), prefs.theme.clone(), "Your own ones, too: :theme NAME. Files lie in the folder themes/ of the configuration."),
            field("signs", "Signs", FieldKind::Choice(signs), prefs.signs.clone(), "What lines are drawn with. auto: box lines where the locale is UTF-8, else ASCII."),
            field("mouse", "Mouse", FieldKind::Switch, prefs.mouse.to_string(), "The wheel scrolls, a click selects. While it is on, your terminal's own selecting needs Shift, and a dropped link may leave it on."),
            field("frames", "Frames a second", FieldKind::Text, prefs.frames.to_string(), "For news of a running job, 1 to 30. 0: 4 over SSH, else 10. Keys are always answered at once."),
            field("title", "Window title", FieldKind::Switch, prefs.title.to_string(), "Shows profile and percent in the title of the terminal's window."),
            field("deaf_ms", "Deaf time", FieldKind::Text, prefs.deaf_ms.to_string(), "How long a question that writes ignores its key after it is drawn, in milliseconds."),
        ]);
    }

    fn take(&mut self, typed: &Typed, turn: &mut Turn<'_>) {
        let mut prefs = turn.prefs.clone();
        let text = typed.text.trim();
        let number = |most: u64| {
            text.parse()
                .ok()
                .filter(|n| *n <= most)
                .ok_or_else(|| format!("must be a whole number from 0 to {most}"))
        };
        let mut result = Ok(());
        match typed.key.as_str() {
            "theme" => text.clone_into(&mut prefs.theme),
            "signs" => text.clone_into(&mut prefs.signs),
            "mouse" => prefs.mouse = text == "true",
            "title" => prefs.title = text == "true",
            "frames" => result = number(30).map(|n| prefs.frames = n as u32),
            _ => result = number(5_000).map(|n| prefs.deaf_ms = n),
        }
        match result {
            Ok(()) => self.change(prefs, turn),
            Err(why) => self.form.refuse(typed, why),
        }
    }

    fn change(&mut self, prefs: Prefs, turn: &mut Turn<'_>) {
        self.before.push(turn.prefs.clone());
        self.fill(&prefs);
        turn.steps.push(Step::Prefs(prefs));
    }
}

impl View for Program {
    fn scope(&self) -> Scope {
        Scope::Program
    }

    fn name(&self) -> Option<String> {
        Some("Settings of the program".into())
    }

    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        Some(("Settings of the program".into(), "in force at once".into()))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.fill(turn.prefs);
    }

    fn is_typing(&self) -> bool {
        self.form.is_editing()
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        if let Some(typed) = self.form.input(input) {
            self.take(&typed, turn);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        match self.form.act(action) {
            Did::Moved => return true,
            Did::Typed(typed) => {
                self.take(&typed, turn);
                return true;
            }
            Did::Nothing => {}
        }
        match action {
            Action::Reset => {
                let default = Prefs::default();
                let mut prefs = turn.prefs.clone();
                match self.form.selected().map(|field| field.key.as_str()) {
                    Some("theme") => prefs.theme = default.theme,
                    Some("signs") => prefs.signs = default.signs,
                    Some("mouse") => prefs.mouse = default.mouse,
                    Some("title") => prefs.title = default.title,
                    Some("frames") => prefs.frames = default.frames,
                    _ => prefs.deaf_ms = default.deaf_ms,
                }
                self.change(prefs, turn);
            }
            Action::Undo => {
                if let Some(before) = self.before.pop() {
                    self.fill(&before);
                    turn.steps.push(Step::Prefs(before));
                }
            }
            Action::Refresh => {}
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        match action {
            Action::Undo if self.before.is_empty() => {
                Availability::Not("nothing has been changed here since it was opened.".into())
            }
            _ => Availability::Ready,
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        if let News::Written(path, Err(error)) = news
            && path.ends_with(crate::ui::prefs::FILE)
        {
            let path = path.display();
            turn.complain(format!(
                "In force, but not kept for next time: {path} cannot be written: {error}."
            ));
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        self.form.draw_explained(canvas, area, in_overview);
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if self.form.is_editing() {
            canvas.put(area.x, area.y, area.width, "Enter accept  Esc as it was", Role::HintText);
        }
        self.form.is_editing()
    }

    fn click(&mut self, line: u16, _turn: &mut Turn<'_>) {
        self.form.select_at(line.into());
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Edit, Action::Undo, Action::Reset, Action::Back]
    }

    fn about(&self) -> About {
        About {
            what: "Settings of the program, for all profiles.",
            signs: &[],
            rules: &[
                "Keys are changed in keys.toml of the configuration folder, by the names this help shows.",
            ],
        }
    }
}
