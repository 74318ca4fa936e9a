//! A canned engine: answers calls from a small world, the same every time.

use std::cell::RefCell;
use std::rc::Rc;

use parhelion::host::words::*;
use parhelion::host::{Call, Handle};
use parhelion::model::settings::{Kind, SecretSource, Settings};
use parhelion::model::{Class, Entity, Integration, JobId, Moment, OccurrenceId, Place, PlanId, Problem};
use parhelion::plan::Totals;
use tokio::sync::{broadcast, mpsc};

use super::data::Market;
use super::workspace::Desk;

pub fn at(text: &str) -> Moment {
    format!("2026-11-{text}:00Z").parse().expect("a moment")
}

/// What the engine knows, and what it was told.
pub struct World {
    pub overview: Overview,
    pub settings: SettingsView,
    /// Answers to `Test`.
    pub report: TestReport,
    /// Commands in the order they came.
    pub told: Vec<Command>,
    /// Changes of the field mappings that can be taken back, and those that were.
    pub steps: Vec<Vec<SavedChange>>,
    pub undone: Vec<Vec<SavedChange>>,
    /// Customers of Halo that are not in Liongard.
    pub push: Vec<PushRow>,
    /// Records behind the field mappings.
    pub sample: Option<parhelion::integrations::field_sample::Sample>,
    /// Customers, a plan, jobs.
    pub market: Market,
    /// The planning workspace.
    pub desk: Desk,
    /// Everything is refused with this.
    pub trouble: Option<Problem>,
    /// Nothing is answered yet.
    pub is_away: bool,
}

impl World {
    pub fn new() -> Self {
        let mut settings = Settings::default();
        settings.profile.kind = Kind::Production;
        settings.also.enabled = true;
        settings.also.marketplace_url = "https://cloud.also.com".into();
        settings.also.username = "parhelion-api".into();
        settings.also.password = SecretSource::Sealed;
        settings.also.schedule.enabled = true;
        settings.also.schedule.at = "06:00".into();
        settings.halo.resource_server = "https://acme.halopsa.com/api".into();
        settings.halo.client_secret = SecretSource::Env("HALO_SECRET".into());
        Self {
            overview: Overview {
                profile: "acme-msp".into(),
                kind: Kind::Production,
                theme: String::new(),
                places: vec![halo(), also(), westcoast()],
                running: None,
                interrupted: Vec::new(),
                last: Some(job(41, JobState::Partial)),
            },
            settings: SettingsView {
                settings,
                sealed: vec!["also.password".into()],
                top_levels: vec!["Customers".into(), "Managed Clients".into()],
            },
            report: report(Place::Of(Integration::Also), false),
            told: Vec::new(),
            steps: Vec::new(),
            undone: Vec::new(),
            push: Vec::new(),
            sample: None,
            market: Market::new(),
            desk: Desk::new(),
            trouble: None,
            is_away: false,
        }
    }

    fn ask(&mut self, query: &Query) -> Result<Answer, Problem> {
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone());
        }
        match query {
            Query::Overview => Ok(Answer::Overview(Box::new(self.overview.clone()))),
            Query::Settings => Ok(Answer::Settings(Box::new(self.settings.clone()))),
            Query::Lifecycle(query) => Ok(Answer::Lifecycle(Box::new(self.desk.ask(query)?))),
            Query::Schedules { .. } => Ok(Answer::Schedules(
                self.overview
                    .places
                    .iter()
                    .filter_map(|view| Some((**view.schedule.as_ref()?).clone()))
                    .collect(),
            )),
            Query::PushRows { text } => {
                let has = |row: &&PushRow| row.name.to_lowercase().contains(&text.to_lowercase());
                Ok(Answer::PushRows(self.push.iter().filter(has).cloned().collect()))
            }
            Query::FieldTable { .. } => {
                let answer = super::fields::answer(&self.settings.settings, self.sample.as_ref(), query);
                let Some(Answer::FieldTable(mut table)) = answer else { panic!("a table") };
                table.undo = self.steps.last().map(|_| "a step".into());
                table.redo = self.undone.last().map(|_| "a step".into());
                Ok(Answer::FieldTable(table))
            }
            query => super::fields::answer(&self.settings.settings, self.sample.as_ref(), query)
                .or_else(|| self.market.ask(query))
                .ok_or_else(|| Problem::new(Class::Input, "This world does not know that.")),
        }
    }

    fn tell(&mut self, command: Command) -> (Result<Reply, Problem>, Vec<Event>) {
        self.told.push(command.clone());
        if let Some(trouble) = &self.trouble {
            return (Err(trouble.clone()), Vec::new());
        }
        match command {
            Command::Test { .. } => (Ok(Reply::Tested(self.report.clone())), vec![Event::Settings]),
            Command::TryFields { .. } => (Ok(Reply::Fields(Box::new(super::fields::test()))), Vec::new()),
            Command::Set { changes } if changes.iter().all(|one| one.key.starts_with("liongard.")) => {
                let mut changed = Vec::new();
                for change in changes {
                    let own = &mut self.settings.settings;
                    let shown = |settings: &Settings| {
                        parhelion::settings::get(settings, &change.key).expect("a setting")
                    };
                    let before = shown(own);
                    let value = change.value.clone().unwrap_or_default();
                    match parhelion::settings::set(own, &change.key, &value) {
                        Ok((next, _)) => *own = next,
                        Err(problem) => return (Err(problem), Vec::new()),
                    }
                    changed.push(SavedChange { after: shown(own), before, key: change.key });
                }
                self.undone.clear();
                self.steps.push(changed.clone());
                (Ok(Reply::Saved { changed, notes: Vec::new() }), vec![Event::Settings])
            }
            Command::UndoFields { redo, .. } => {
                let (from, to) = if redo {
                    (&mut self.undone, &mut self.steps)
                } else {
                    (&mut self.steps, &mut self.undone)
                };
                let Some(step) = from.pop() else {
                    return (Err(Problem::new(Class::Input, "Nothing to take back.")), Vec::new());
                };
                for change in &step {
                    let value = if redo { &change.after } else { &change.before };
                    let next = parhelion::settings::set(&self.settings.settings, &change.key, value);
                    self.settings.settings = next.expect("it was so").0;
                }
                to.push(step);
                (Ok(Reply::Done("Taken back.".into())), vec![Event::Settings])
            }
            Command::FlagPush { customer, on } => {
                let row = self.push.iter_mut().find(|row| row.customer == customer).expect("a customer");
                row.wish = on;
                let said = format!("The next plan of the push sets the flag of '{}'.", row.name);
                (Ok(Reply::Done(said)), vec![Event::Map(Integration::Liongard)])
            }
            Command::Set { changes } => {
                let changed = changes
                    .into_iter()
                    .map(|change| SavedChange {
                        key: change.key,
                        before: String::new(),
                        after: change.value.unwrap_or_default(),
                    })
                    .collect();
                (Ok(Reply::Saved { changed, notes: Vec::new() }), vec![Event::Settings])
            }
            Command::Lifecycle(order) => self.desk.tell(&order),
            command => self.market.tell(&command).unwrap_or((Ok(Reply::Done("Done.".into())), Vec::new())),
        }
    }
}

pub fn halo() -> PlaceView {
    PlaceView {
        place: Place::Halo,
        state: PlaceState::Ok,
        address: "https://acme.halopsa.com/api".into(),
        account: "acme".into(),
        test: Some(report(Place::Halo, true)),
        test_is_stale: false,
        last_job: None,
        map: MapCounts::default(),
        secret_days: Some(120),
        read_at: None,
        options: Vec::new(),
        schedule: None,
        to_do: vec![ToDo {
            sentence: "nothing was tested since yesterday (t)".into(),
            leads_to: Leads::Test,
        }],
    }
}

pub fn also() -> PlaceView {
    PlaceView {
        place: Place::Of(Integration::Also),
        state: PlaceState::Ok,
        address: "https://cloud.also.com".into(),
        account: "parhelion-api".into(),
        test: Some(report(Place::Of(Integration::Also), true)),
        test_is_stale: false,
        last_job: Some(job(41, JobState::Ok)),
        map: MapCounts {
            all: 312,
            mapped: 256,
            unmapped: 53,
            new: 0,
            excluded: 3,
            exact: 41,
            ambiguous: 3,
            ..MapCounts::default()
        },
        secret_days: Some(12),
        read_at: Some(at("21T06:00")),
        options: vec![
            "top level Managed Clients; main site address on; price and cost off".into(),
            "deactivate licences off (acts in scheduled jobs only)".into(),
        ],
        schedule: Some(Box::new(schedule(Integration::Also))),
        to_do: vec![
            ToDo { sentence: "53 customers unmapped".into(), leads_to: Leads::Customers },
            ToDo { sentence: "3 look-alikes held until you decide".into(), leads_to: Leads::Plan },
        ],
    }
}

pub fn westcoast() -> PlaceView {
    PlaceView {
        place: Place::Of(Integration::Westcoast),
        state: PlaceState::NotConfigured,
        address: String::new(),
        account: String::new(),
        test: None,
        test_is_stale: false,
        last_job: None,
        map: MapCounts::default(),
        secret_days: None,
        read_at: None,
        options: Vec::new(),
        schedule: Some(Box::new(schedule(Integration::Westcoast))),
        to_do: vec![ToDo {
            sentence: "address, user name and password are missing".into(),
            leads_to: Leads::Settings,
        }],
    }
}

/// ALSO's runs every night, Westcoast's is off.
pub fn schedule(integration: Integration) -> ScheduleView {
    let is_on = integration == Integration::Also;
    let past = |day: &str, fate, state| PastRun {
        past: Past {
            integration,
            id: OccurrenceId {
                date: format!("2026-11-{day}").parse().expect("a date"),
                time: jiff::civil::time(6, 0, 0, 0),
                ordinal: 1,
            },
            due: at(&format!("{day}T06:00")),
            at: at(&format!("{day}T06:00")),
            fate,
        },
        state,
    };
    ScheduleView {
        integration,
        enabled: is_on,
        entities: vec![Entity::Customers, Entity::Subscriptions],
        at: "06:00".into(),
        zone: "Europe/London".into(),
        times: "daily 06:00 Europe/London".into(),
        next: is_on.then(|| at("22T06:00")),
        obstacle: (!is_on).then(|| "Westcoast Cloud is switched off".into()),
        is_paused: false,
        is_watched: true,
        warning: None,
        past: if is_on {
            vec![
                past("21", Fate::Started { job: JobId(41) }, Some(JobState::Ok)),
                past("20", Fate::Skipped { why: "J40 was still running".into() }, None),
                past("19", Fate::Missed, None),
            ]
        } else {
            Vec::new()
        },
    }
}

pub fn report(place: Place, ok: bool) -> TestReport {
    let check =
        |name: &str, state, message: &str| Check { name: name.into(), state, message: message.into() };
    let last = if ok {
        check("subscriptions", CheckState::Ok, "1,904 rows")
    } else {
        check(
            "subscriptions",
            CheckState::Failed,
            "signed in, but not allowed: ask ALSO support for the 'Reseller Admin' role, or check the read-only right",
        )
    };
    TestReport {
        place,
        ok,
        checks: vec![
            check("address", CheckState::Ok, "certificate until 2027-02-11"),
            check("sign-in", CheckState::Ok, "token for 60 min"),
            check("customers", CheckState::Ok, "312 rows"),
            last,
        ],
        at: at("21T05:58"),
    }
}

pub fn job(number: u64, state: JobState) -> JobReport {
    let totals = JobTotals {
        rows: Totals { create: 3, update: 890, held: 1, ..Totals::default() },
        failed: 9,
        not_done: 0,
    };
    JobReport {
        job: JobId(number),
        plan: Some(PlanId(6)),
        integration: Integration::Also,
        entities: vec![Entity::Customers, Entity::Subscriptions],
        scheduled: true,
        purpose: parhelion::plan::Purpose::Whole,
        state,
        totals,
        requests: [(Place::Halo, 212)].into(),
        started: at("21T06:00"),
        finished: (state != JobState::Interrupted).then(|| at("21T06:10")),
        by: "anna@jump01".into(),
        stages: vec![
            StageProgress { entity: Entity::Customers, done: 214, total: 214, totals },
            StageProgress { entity: Entity::Subscriptions, done: 187, total: 312, totals },
        ],
        problems: Vec::new(),
        trouble: None,
        is_paused: false,
    }
}

pub fn progress(done: u64) -> JobProgress {
    let report = job(42, JobState::Running);
    let mut stages = report.stages;
    stages[1].done = done;
    JobProgress {
        job: JobId(42),
        integration: Integration::Also,
        entities: report.entities,
        plan: report.plan,
        phase: Phase::Applying,
        stages,
        rate: 2.1,
        seconds_left: Some(212),
        budget: BudgetView { used: 212, limit: 300, window_seconds: 300 },
        held: 3,
        failed: 0,
        is_paused: false,
        waiting: None,
    }
}

/// Starts the engine on the local set; it ends with the calls.
pub fn start(world: &Rc<RefCell<World>>) -> (Handle, broadcast::Sender<Event>) {
    let (calls, mut waiting) = mpsc::unbounded_channel();
    let (events, _) = broadcast::channel(64);
    let world = Rc::clone(world);
    let news = events.clone();
    tokio::task::spawn_local(async move {
        while let Some(call) = waiting.recv().await {
            while world.borrow().is_away {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            match call {
                Call::Ask(query, answer) => {
                    let _ = answer.send(world.borrow_mut().ask(&query));
                }
                Call::Do(command, answer) | Call::DoFor(_, command, answer) => {
                    let (reply, events) = world.borrow_mut().tell(command);
                    let _ = answer.send(reply);
                    for event in events {
                        let _ = news.send(event);
                    }
                }
            }
        }
    });
    (Handle::new(calls, events.clone()), events)
}
