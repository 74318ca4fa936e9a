//! Halo and the integrations: what state each is in, and what stands between it and its next clean import (ux.md 3.2).

use ratatui::layout::Rect;
use serde_json::{Value, json};

use crate::host::words::{
    CheckState, Command, LayoutState, LayoutView, Leads, PlaceState, PlaceView, Query, Reply, ScheduleView,
    SettingChange,
};
use crate::model::{Integration, Place};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::screens::Pane;
use crate::ui::screens::View;
use crate::ui::screens::settings::Settings;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::strip;
use crate::ui::widgets::table::{self, Cell, Column, Row, cell};

#[derive(Debug, Clone, Default)]
pub struct Integrations {
    list: List<Place>,
    /// Tests under way.
    testing: Vec<Place>,
    /// First line shown of the details.
    scroll: u16,
    /// Switched on or off here: what `u` takes back.
    switched: Vec<(Place, bool)>,
}

/// From so many days before its end a secret is marked.
const SOON: i64 = 30;

const COLUMNS: [Column; 6] = [
    Column::fixed("state", 10),
    Column::growing("integration", 15),
    Column::growing("last run", 22).goes(4),
    Column::fixed("unmapped", 8).right().goes(3),
    Column::fixed("next run", 8).goes(2),
    Column::fixed("secret", 7).goes(1),
];

impl Integrations {
    fn place(&self) -> Option<Place> {
        self.list.selected().copied()
    }

    fn selected<'a>(&self, mirror: &'a Mirror) -> Option<&'a PlaceView> {
        mirror.place(self.place()?)
    }

    fn act_on(&mut self, place: Place, action: Action, turn: &mut Turn<'_>) -> bool {
        match action {
            Action::Test => {
                if !self.testing.contains(&place) {
                    self.testing.push(place);
                    turn.send(Command::Test { place, draft: Vec::new(), secrets: Vec::new() });
                }
                turn.say(format!("Testing {}; nothing is written.", place.label()));
            }
            Action::FixLayouts => {
                if place == Place::Of(Integration::Hudu) {
                    turn.send(Command::Layouts { fix: Vec::new() });
                    turn.say("Looking at Hudu's layouts; nothing is written.");
                }
            }
            Action::OnOff => {
                let is_on = turn.mirror.place(place).is_some_and(|view| view.state != PlaceState::Off);
                self.switched.push((place, is_on));
                switch(place, !is_on, turn);
            }
            Action::Undo => {
                if let Some((place, was_on)) = self.switched.pop() {
                    switch(place, was_on, turn);
                }
            }
            Action::SetUp => turn.open(Settings::new(place)),
            Action::PlanIt => {
                if let Place::Of(integration) = place {
                    turn.steps.push(Step::Customers(integration));
                    turn.steps.push(Step::Act(Action::PlanIt));
                }
            }
            Action::FollowToDo => {
                let leads =
                    turn.mirror.place(place).and_then(|view| view.to_do.first()).map(|to_do| to_do.leads_to);
                return leads.is_some_and(|leads| self.follow(place, leads, turn));
            }
            Action::Why => {
                let why = turn.mirror.place(place).map(why).unwrap_or_default();
                turn.say(why);
            }
            _ => return false,
        }
        true
    }

    /// Goes where a point is settled; `false` where there is no such place.
    fn follow(&mut self, place: Place, leads: Leads, turn: &mut Turn<'_>) -> bool {
        match leads {
            Leads::Settings => self.act_on(place, Action::SetUp, turn),
            Leads::Test => self.act_on(place, Action::Test, turn),
            Leads::Jobs => {
                turn.steps.push(Step::Go(Pane::Jobs));
                true
            }
            Leads::Plan => self.act_on(place, Action::PlanIt, turn),
            Leads::Customers => {
                if let Place::Of(integration) = place {
                    turn.steps.push(Step::Customers(integration));
                }
                true
            }
        }
    }

    /// Where there is no room for details: what waits, a line an integration.
    fn waiting(canvas: &mut Canvas<'_>, area: Rect) {
        let mirror = canvas.mirror;
        let views = mirror.overview.iter().flat_map(|overview| &overview.places);
        let lines =
            views.flat_map(|view| view.to_do.iter().take(2).map(move |to_do| (view.place, &to_do.sentence)));
        let mut y = area.y;
        for (place, sentence) in lines {
            if y >= area.bottom() {
                return;
            }
            let room = Rect { y, height: area.bottom() - y, ..area };
            y += canvas.paragraph(room, &format!("{}: {sentence}", place.label()), Role::Notice);
        }
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(view) = self.selected(canvas.mirror) else { return };
        if area.height < 2 {
            return;
        }
        canvas.rule(Rect { height: 1, ..area }, view.place.label());
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let mut facts: Vec<(&str, String, Role)> = Vec::new();
        // The most important line comes first: whatever has no room, this has.
        if view.to_do.is_empty() {
            facts.push(("to do", "nothing".into(), Role::Good));
        }
        for (i, to_do) in view.to_do.iter().enumerate() {
            facts.push((if i == 0 { "to do" } else { "" }, to_do.sentence.clone(), Role::Notice));
        }
        let address = if view.address.is_empty() { "not set".to_owned() } else { view.address.clone() };
        let account =
            if view.account.is_empty() { String::new() } else { format!(", account {}", view.account) };
        facts.push(("address", format!("{address}{account}"), Role::Text));
        facts.push(self.test_line(view, canvas));
        if let Some(schedule) = &view.schedule {
            facts.push(("runs", runs(schedule, |at| canvas.when(at)), Role::Text));
        }
        for (i, option) in view.options.iter().enumerate() {
            facts.push((if i == 0 { "options" } else { "" }, option.clone(), Role::Text));
        }
        let skip = usize::from(self.scroll).min(facts.len().saturating_sub(1));
        table::facts(canvas, body, &facts[skip..]);
    }

    fn test_line(&self, view: &PlaceView, canvas: &Canvas<'_>) -> (&'static str, String, Role) {
        if self.testing.contains(&view.place) {
            return ("test", "under way; nothing is written".into(), Role::Accent);
        }
        let Some(test) = &view.test else { return ("test", "never".into(), Role::Dim) };
        let checks: Vec<_> = test
            .checks
            .iter()
            .map(|check| match check.state {
                CheckState::Ok => format!("{} ok", check.name),
                CheckState::Failed => format!("{} failed: {}", check.name, check.message),
                CheckState::Unproven => format!("{} unproven: {}", check.name, check.message),
                CheckState::Skipped => format!("{} skipped", check.name),
            })
            .collect();
        let stale = if view.test_is_stale { " (over a day old)" } else { "" };
        let role = if test.ok { Role::Text } else { Role::Bad };
        ("test", format!("{}{stale}: {}", canvas.when(test.at), checks.join(", ")), role)
    }
}

impl View for Integrations {
    fn scope(&self) -> Scope {
        Scope::Integrations
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        Some(("Integrations".into(), self.summary(mirror)))
    }

    fn summary(&self, mirror: &Mirror) -> String {
        let Some(overview) = &mirror.overview else { return "reading".into() };
        let states: Vec<_> = overview.places.iter().map(|view| view.state).collect();
        let counts: Vec<_> = [
            PlaceState::Ok,
            PlaceState::Running,
            PlaceState::Failing,
            PlaceState::Untested,
            PlaceState::NotConfigured,
            PlaceState::Off,
        ]
        .into_iter()
        .filter_map(|state| {
            let count = states.iter().filter(|s| **s == state).count();
            (count > 0).then(|| format!("{count} {}", state.word()))
        })
        .collect();
        format!("{} in all: {}", states.len(), counts.join(", "))
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        let rows = list_and_details(turn.area, turn.in_overview).rows();
        if self.list.act(action, rows) {
            self.scroll = 0;
            return true;
        }
        match action {
            Action::DetailsDown => self.scroll += 1,
            Action::DetailsUp => self.scroll = self.scroll.saturating_sub(1),
            Action::Refresh => turn.ask(Query::Overview),
            Action::Copy => {}
            _ => {
                let Some(place) = self.place() else {
                    turn.say("The list is still being read.");
                    return true;
                };
                return self.act_on(place, action, turn);
            }
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let place = self.place();
        match action {
            Action::PlanIt if place == Some(Place::Halo) => {
                not("Halo is where everything goes; plan an integration into it.")
            }
            Action::FixLayouts if place != Some(Place::Of(Integration::Hudu)) => {
                not("Only Hudu has asset layouts.")
            }
            Action::OnOff if place == Some(Place::Halo) => {
                not("Halo is where everything goes; it is not switched on or off.")
            }
            Action::Filter | Action::FilterState | Action::Order => {
                not("This list is short enough to be seen whole.")
            }
            Action::Undo if self.switched.is_empty() => {
                not("Nothing has been switched here since the start.")
            }
            Action::FollowToDo if self.selected(mirror).is_some_and(|view| view.to_do.is_empty()) => {
                not("Nothing is to do here.")
            }
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => [('n', "name"), ('l', "address"), ('e', "error"), ('r', "row")]
                .map(|(letter, word)| (letter, word.to_owned()))
                .to_vec(),
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        let Some(view) = self.selected(turn.mirror) else { return };
        if action == Action::Copy {
            let text = match letter {
                'n' => view.place.label().to_owned(),
                'l' => view.address.clone(),
                'e' => errors(view),
                _ => {
                    format!("{} {} {} {}", view.place.label(), view.state.word(), view.address, view.account)
                }
            };
            turn.copy(text);
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        if let News::Reply(command, result) = news {
            match (&**command, result) {
                (Command::Test { place, .. }, result) if self.testing.contains(place) => {
                    self.testing.retain(|other| other != place);
                    match result {
                        Ok(_) => turn.ask(Query::Overview),
                        Err(problem) => turn.complain(problem.to_string()),
                    }
                }
                (Command::Layouts { fix }, Ok(Reply::Layouts(views))) => {
                    ask_about(views, fix.is_empty(), turn);
                }
                (Command::Layouts { .. }, Err(problem)) => turn.complain(problem.to_string()),
                _ => {}
            }
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        let places: Vec<_> = turn
            .mirror
            .overview
            .iter()
            .flat_map(|overview| overview.places.iter().map(|view| view.place))
            .collect();
        if places != self.list.ids() {
            let first = self.list.is_empty();
            self.list.replace(places);
            // Whoever comes for the first time stands where something waits.
            let waits = turn.mirror.overview.iter().flat_map(|o| &o.places).find(|v| !v.to_do.is_empty());
            if let (true, Some(view)) = (first, waits) {
                self.list.select(&view.place);
            }
        }
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        let mirror = canvas.mirror;
        let (look, now) = (canvas.look, canvas.now);
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &COLUMNS, visible, Some(self.list.position()), |index| {
            let view = mirror.place(*self.list.ids().get(index)?)?;
            let is_testing = self.testing.contains(&view.place);
            let state = if is_testing { "testing" } else { view.state.word() };
            let (last, last_role) = last_run(view, |at| look.when(at, now));
            let (next, next_role) = next_run(view, |at| look.when(at, now));
            let unmapped = match view.place {
                Place::Halo => "-".to_owned(),
                Place::Of(integration) if !integration.has_mapping_table() => "-".to_owned(),
                Place::Of(_) if view.read_at.is_none() => "?".to_owned(),
                Place::Of(_) => thousands(view.map.unmapped),
            };
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(state, state_role(view.state)),
                    cell(view.place.label(), Role::Text),
                    cell(last, last_role),
                    cell(unmapped, Role::Text),
                    cell(next, next_role),
                    secret(view.secret_days),
                ],
            })
        });
        if self.list.is_empty() {
            let text = mirror.broken.as_ref().map_or_else(|| "Reading ...".to_owned(), ToString::to_string);
            table::empty(canvas, regions.list, &text);
        }
        let is_new = mirror.overview.as_ref().is_some_and(|overview| {
            let mut places = overview.places.iter().filter(|view| view.place != Place::Halo);
            places.all(|view| matches!(view.state, PlaceState::NotConfigured | PlaceState::Off))
        });
        let below = regions.list.y + 2 + self.list.len() as u16;
        if is_new && below + 2 < regions.list.bottom() {
            let text = "No integration yet. Enter sets up the selected one; or leave (q) and start `parhelion demo` to \
                        try everything with made-up data.";
            let room = Rect::new(regions.list.x + 1, below, regions.list.width.saturating_sub(2), 3);
            canvas.paragraph(room, text, Role::Dim);
        }
        if in_overview && !is_new {
            let room = Rect::new(
                regions.list.x + 1,
                below,
                regions.list.width.saturating_sub(2),
                regions.list.bottom().saturating_sub(below),
            );
            Self::waiting(canvas, room);
        }
        self.details(canvas, regions.details);
    }

    fn click(&mut self, line: u16, _turn: &mut Turn<'_>) {
        if line > 0 {
            self.list.select_at(usize::from(line) - 1);
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::SetUp,
            Action::Test,
            Action::FixLayouts,
            Action::PlanIt,
            Action::FollowToDo,
            Action::OnOff,
            Action::Why,
            Action::Palette,
        ]
    }

    fn about(&self) -> About {
        About {
            what: "Every connection: Halo, where everything goes, and the integrations that bring records into it.",
            signs: &[],
            rules: &[
                "An integration that is off can never run.",
                "'to do' says what stands between an integration and its next clean import.",
                "A test signs in and reads; it never writes.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({ "place": self.place().map(Place::key) })
    }

    fn restore(&mut self, saved: &Value) {
        if let Some(place) = saved["place"].as_str().and_then(|key| key.parse().ok()) {
            self.list.replace(vec![place]);
        }
    }
}

fn switch(place: Place, on: bool, turn: &mut Turn<'_>) {
    let key = format!("{}.enabled", place.key());
    turn.send(Command::Set { changes: vec![SettingChange { key, value: Some(on.to_string()) }] });
    turn.say(format!("{} is {} now. u takes it back.", place.label(), if on { "on" } else { "off" }));
}

fn why(view: &PlaceView) -> String {
    let name = view.place.label();
    let errors = errors(view);
    match view.state {
        PlaceState::Off => format!("{name} is switched off: it can never run. Space switches it on."),
        PlaceState::NotConfigured => {
            format!("{name} has no address, account or secret yet. Enter sets it up.")
        }
        PlaceState::Untested => format!("{name} has not been tested since its settings changed. t tests it."),
        PlaceState::Ok => format!("{name} answered its last test, and its last job ended well."),
        PlaceState::Running => format!("A job of {name} is running."),
        PlaceState::Failing if errors.is_empty() => format!("The last job of {name} did not end well."),
        PlaceState::Failing => format!("{name}: {errors}"),
    }
}

fn errors(view: &PlaceView) -> String {
    let checks = view.test.iter().flat_map(|test| &test.checks);
    let failed: Vec<_> = checks
        .filter(|check| check.state == CheckState::Failed)
        .map(|check| format!("{}: {}", check.name, check.message))
        .collect();
    if !failed.is_empty() {
        return failed.join("; ");
    }
    let trouble = view.last_job.as_ref().and_then(|job| job.trouble.as_ref());
    trouble.map(ToString::to_string).unwrap_or_default()
}

/// "daily 06:00 Europe/London: customers, then subscriptions; next tomorrow 06:00".
fn runs(view: &ScheduleView, when: impl Fn(crate::model::Moment) -> String) -> String {
    let entities: Vec<_> = view.entities.iter().map(|entity| entity.key()).collect();
    let next = view.next.map_or_else(String::new, |next| format!("; next {}", when(next)));
    let last = view.past.first().map_or_else(String::new, |run| format!("; last {}", run.word()));
    match (view.enabled, entities.is_empty()) {
        (false, _) => "only by hand".into(),
        (true, true) => format!("{}: on, but nothing selected", view.times),
        (true, false) => format!("{}: {}{next}{last}", view.times, entities.join(", then ")),
    }
}

const fn state_role(state: PlaceState) -> Role {
    match state {
        PlaceState::Ok => Role::Good,
        PlaceState::Running => Role::Accent,
        PlaceState::Failing => Role::Bad,
        PlaceState::Untested | PlaceState::NotConfigured => Role::Notice,
        PlaceState::Off => Role::Dim,
    }
}

/// Days until the secret expires; a mark where it is time to see to it.
fn secret(days: Option<i64>) -> Cell<'static> {
    match days {
        None => cell("-", Role::Text),
        Some(..0) => cell("past !", Role::Bad),
        Some(days) if days <= SOON => cell(format!("{days} d !"), Role::Notice),
        Some(days) => cell(format!("{days} d"), Role::Text),
    }
}

fn last_run(view: &PlaceView, when: impl Fn(crate::model::Moment) -> String) -> (String, Role) {
    match (&view.last_job, &view.test) {
        (Some(job), _) => {
            let at = job.finished.unwrap_or(job.started);
            (format!("{} {}", when(at), job.state.word()), strip::state_role(job.state))
        }
        (None, Some(test)) if view.place == Place::Halo => (format!("tested {}", when(test.at)), Role::Text),
        (None, _) => ("never".into(), Role::Dim),
    }
}

fn next_run(view: &PlaceView, when: impl Fn(crate::model::Moment) -> String) -> (String, Role) {
    let Some(schedule) = view.schedule.as_deref().filter(|_| view.state != PlaceState::Off) else {
        return ("-".into(), Role::Dim);
    };
    match (schedule.next, &schedule.obstacle) {
        (None, _) => ("by hand".into(), Role::Dim),
        (Some(_), _) if schedule.is_paused => ("paused".into(), Role::Bad),
        (Some(_), Some(_)) => ("waits".into(), Role::Notice),
        (Some(next), None) => {
            // "06:00" within a day or so, else the date; the details have both.
            let whole = when(next);
            let (day, time) = whole.split_once(' ').unwrap_or(("", &whole));
            let is_near = matches!(day, "today" | "tomorrow");
            (if is_near { time.to_owned() } else { day.get(5..).unwrap_or(day).to_owned() }, Role::Text)
        }
    }
}

/// What is to be done about layouts, as a question; what was done, as a sentence.
fn ask_about(views: &[LayoutView], may_ask: bool, turn: &mut Turn<'_>) {
    let open: Vec<&LayoutView> = views.iter().filter(|view| !view.sentence.is_empty()).collect();
    if open.is_empty() {
        turn.say("Hudu's layouts can take everything.");
        return;
    }
    if !may_ask {
        turn.complain(open.iter().map(|view| view.sentence.as_str()).collect::<Vec<_>>().join(" "));
        return;
    }
    let lines = open.iter().map(|view| {
        let what = match view.state {
            LayoutState::Missing => "is created".to_owned(),
            LayoutState::Inactive => "is made active".to_owned(),
            LayoutState::Ambiguous => "is there more than once: rename all but one in Hudu".to_owned(),
            LayoutState::LacksKey => "gets the fields it lacks".to_owned(),
            LayoutState::Ready => format!("gets {}", view.missing.join(", ")),
        };
        format!("{}: '{}' {what}", view.entity, view.layout)
    });
    let fix =
        open.iter().filter(|view| view.state != LayoutState::Ambiguous).map(|view| view.entity).collect();
    let dialog = Confirm::new("Bring Hudu's layouts into shape?", lines, "not now").choice(
        'y',
        "do this in Hudu",
        vec![Step::Do(Effect::Send(Command::Layouts { fix }))],
    );
    turn.dialog(dialog);
}
