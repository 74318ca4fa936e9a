//! Customers, a plan, jobs and a log for the canned engine: the made-up data of ux.md 3.

use std::collections::BTreeMap;

use parhelion::host::words::*;
use parhelion::integrations::field_rules;
use parhelion::model::settings::Settings;
use parhelion::model::{
    Amount, Class, Count, Currency, Decision, Entity, FieldName, How, Integration, JobId, Place, PlanId,
    Problem, SourceId, TargetId, Value,
};
use parhelion::plan::{
    Action, Candidate, Cause, Change, Cost, FieldChange, Hold, Limit, MoneyDelta, Outline, Plan, Side,
    Totals, Valve,
};
use rust_decimal::Decimal;

use super::engine::{at, job};

pub struct Market {
    pub rows: Vec<MapRow>,
    pub halo: Vec<CandidateRow>,
    pub read_at: Option<parhelion::model::Moment>,
    /// Rows before each step, for undo.
    steps: Vec<Vec<MapRow>>,
    pub plan: Plan,
    pub changes: Vec<Change>,
    pub jobs: Vec<JobReport>,
    pub issues: IssuesView,
    pub log: Vec<LogLine>,
    /// Ids asked for in one `MapRows`, the most there were.
    pub most_asked: usize,
}

pub fn party(id: u64, name: &str, place: &str, domain: &str) -> Party<SourceId> {
    Party { id: SourceId::from(id as i64), name: name.into(), place: place.into(), domain: domain.into() }
}

pub fn halo(id: i64, name: &str, domain: &str) -> Party<TargetId> {
    Party { id: TargetId::from(id), name: name.into(), place: String::new(), domain: domain.into() }
}

pub fn unmapped(id: u64, name: &str) -> MapRow {
    MapRow {
        source: party(id, name, "York", "example.com"),
        target: None,
        state: MapState::Unmapped,
        aspect: None,
        candidates: Vec::new(),
        accept_from: 60,
        refused: Vec::new(),
        decided: None,
        site: None,
        how: None,
        since: None,
        note: String::new(),
        carries: Vec::new(),
        same_name: Vec::new(),
        remarks: Vec::new(),
    }
}

fn near(party: Party<TargetId>, score: u8, why: &str) -> Suggested {
    Suggested { party, score, why: vec![why.into()], is_free: true }
}

pub fn twin(id: u64, name: &str) -> MapRow {
    let namesake = halo(id as i64 + 1, name, "example.com");
    MapRow {
        aspect: Some(Aspect::Suggested),
        candidates: vec![near(namesake.clone(), 100, "same name")],
        same_name: vec![namesake],
        ..unmapped(id, name)
    }
}

/// One of ux.md 3.3: three candidates, none of exactly its name.
pub fn spelt_otherwise() -> MapRow {
    MapRow {
        aspect: Some(Aspect::Suggested),
        candidates: vec![
            near(halo(601, "Harbour View Hotels", "byfoods.example"), 93, "spelling"),
            near(halo(602, "Harbour Hotels", ""), 82, "same domain harbour.example"),
            near(halo(603, "View Hotel", ""), 74, "extra words"),
        ],
        carries: vec![Carried {
            records: 14,
            seats: 214,
            money: [(Currency::new("EUR").expect("a currency"), 1240.into())].into(),
            ..Carried::of(Entity::Subscriptions)
        }],
        ..unmapped(88_240, "Harbour View Hotel")
    }
}

/// A table as long and as mixed as in life: names, places and counts of many lengths, each third row mapped, undecided
/// between two, or near to one.
pub fn many(rows: u64) -> Vec<MapRow> {
    const FIRST: [&str; 7] =
        ["Aberdeen", "Barnsley", "Ashdown & Radcliffe", "Bath", "Glenmore", "Hale", "Inverness"];
    const WHAT: [&str; 5] = ["Precision", "Catering", "Components", "Legal", "Distribution"];
    const FORM: [&str; 4] = ["Ltd", "Limited", "plc", "LLP"];
    const PLACE: [&str; 6] = ["Cardiff", "York", "Shrewsbury", "Hereford", "", "Matlock"];
    let pick = |from: &[&str], at: u64| from[(at % from.len() as u64) as usize].to_owned();
    (0..rows)
        .map(|n| {
            let words = format!("{} {}", pick(&FIRST, n), pick(&WHAT, n / 2));
            let (name, place) = (format!("{words} {}", pick(&FORM, n)), pick(&PLACE, n));
            let domain = format!("{}.example", words.to_lowercase().replace([' ', '&'], ""));
            let id = 310_000 + n * 7;
            let source = party(id, &name, &place, if place.is_empty() { "" } else { &domain });
            let carries = Carried {
                records: (n * 5 % 29) as u32 + 1,
                seats: n * 53 % 1200 + 1,
                ..Carried::of(Entity::Subscriptions)
            };
            let row = match n % 3 {
                0 => mapped(id, &name, &name, How::Exact),
                1 => {
                    let two = [halo(n as i64 + 1653, &name, ""), halo(n as i64 + 3863, &name, "")];
                    MapRow {
                        aspect: Some(Aspect::Ambiguous),
                        candidates: two.iter().map(|one| near(one.clone(), 100, "same name")).collect(),
                        same_name: two.into(),
                        ..unmapped(id, &name)
                    }
                }
                _ => MapRow {
                    aspect: Some(Aspect::Suggested),
                    candidates: vec![near(halo(n as i64, &words, &domain), 93, "other legal form")],
                    ..unmapped(id, &name)
                },
            };
            MapRow { source, carries: vec![carries], ..row }
        })
        .collect()
}

fn mapped(id: u64, name: &str, target: &str, how: How) -> MapRow {
    MapRow {
        target: Some(halo(id as i64 + 1, target, "example.com")),
        state: MapState::Mapped,
        how: Some(how),
        since: Some(at("03T09:30")),
        ..unmapped(id, name)
    }
}

impl Market {
    pub fn new() -> Self {
        let mut fabrikam = unmapped(88_210, "Fabrikam");
        fabrikam.same_name =
            vec![halo(71, "Fabrikam", "fabrikam.de"), halo(72, "Fabrikam", "fabrikam.co.uk")];
        fabrikam.aspect = Some(Aspect::Ambiguous);
        fabrikam.candidates =
            fabrikam.same_name.iter().map(|party| near(party.clone(), 100, "same name")).collect();
        let mut gone = mapped(88_211, "Kestrel", "Kestrel IT", How::Exact);
        gone.state = MapState::Orphaned;
        gone.remarks = vec!["customer 88212 is no longer in Halo".into()];
        let mut renamed = mapped(88_219, "Northwind Traders", "Northwind Traders", How::Exact);
        renamed.state = MapState::Renamed;
        renamed.remarks = vec!["was 'Northwind' at ALSO, now 'Northwind Traders'".into()];
        let mut excluded = unmapped(88_230, "Test tenant do not bill");
        excluded.state = MapState::Excluded;
        excluded.note = "our own until 2027-03-31".into();
        let mut new = unmapped(88_225, "Woodgrove Bank");
        new.state = MapState::New;
        let rows = vec![
            fabrikam,
            gone,
            twin(88_213, "Blue Yonder Foods"),
            twin(88_214, "Contoso Retail"),
            twin(88_215, "Datum Legal LLP"),
            unmapped(88_216, "Glenmore Housing Association of the Western Isles and Argyll"),
            unmapped(90_417, "Jura Shipping"),
            unmapped(90_418, "東京電力株式会社"),
            renamed,
            new,
            mapped(88_220, "Adler Dental Group", "Adler Dental Group Ltd", How::Manual),
            mapped(88_221, "Eastgate Motors", "Eastgate Motors", How::Exact),
            mapped(88_222, "Harbour View Hotel", "Harbour View Hotels", How::Import),
            mapped(88_223, "Iona Joinery", "Iona Joinery & Sons", How::Created),
            mapped(88_224, "Lomond Estates", "Lomond Estates", How::NameAtImport),
            excluded,
        ];
        let candidate = |id, name: &str, domain: &str, is_active, mapped_to: &[&str]| CandidateRow {
            party: halo(id, name, domain),
            is_active,
            mapped_to: mapped_to.iter().map(|name| (*name).to_owned()).collect(),
        };
        Self {
            rows,
            halo: vec![
                candidate(501, "Jura Ferries", "juraferries.example", true, &[]),
                candidate(502, "Jurassic Feeds", "jfeeds.example", true, &["J Feed"]),
                candidate(503, "Ferrier & Jury", "fjury.example", true, &[]),
                candidate(504, "Fabrikam", "fabrikam.de", true, &[]),
                candidate(505, "Fabrikam", "fabrikam.co.uk", true, &[]),
                candidate(506, "Jura Ferries (old)", "", false, &[]),
            ],
            read_at: Some(at("21T06:00")),
            steps: Vec::new(),
            plan: plan(7),
            changes: changes(),
            issues: issues(),
            jobs: vec![
                job(42, JobState::Running),
                job(41, JobState::Partial),
                job(40, JobState::Failed),
                job(39, JobState::Ok),
            ],
            log: log(),
            most_asked: 0,
        }
    }

    fn counts(&self) -> MapCounts {
        let count = |state| self.rows.iter().filter(|row| row.state == state).count() as u64;
        let of = |aspect| self.rows.iter().filter(|row| row.aspect == Some(aspect)).count() as u64;
        MapCounts {
            all: self.rows.len() as u64,
            mapped: count(MapState::Mapped),
            unmapped: count(MapState::Unmapped),
            new: count(MapState::New),
            excluded: count(MapState::Excluded),
            orphaned: count(MapState::Orphaned),
            renamed: count(MapState::Renamed),
            exact: self
                .rows
                .iter()
                .filter(|r| r.state == MapState::Unmapped && r.same_name.len() == 1)
                .count() as u64,
            suggested: of(Aspect::Suggested),
            ambiguous: of(Aspect::Ambiguous),
            inactive: of(Aspect::Inactive),
            drifting: of(Aspect::Drifting),
            unused: of(Aspect::Unused),
        }
    }

    pub fn ask(&mut self, query: &Query) -> Option<Answer> {
        Some(match query {
            Query::MapOrder { integration: Integration::Also, filter, by_target } => {
                let (scores, words): (Vec<_>, Vec<_>) =
                    filter.text.split_whitespace().map(str::to_lowercase).partition(|w| w.starts_with('>'));
                let from: u8 = scores.iter().filter_map(|word| word[1..].parse().ok()).max().unwrap_or(0);
                let best = |row: &MapRow| row.candidates.first().map_or(0, |one| one.score);
                let mut rows: Vec<_> = self
                    .rows
                    .iter()
                    .filter(|row| filter.states.is_empty() || filter.states.contains(&row.state))
                    .filter(|row| filter.aspect.is_none_or(|aspect| row.aspect == Some(aspect)))
                    .filter(|row| scores.is_empty() || best(row) >= from.max(1))
                    .filter(|row| words.iter().all(|word| row.source.name.to_lowercase().contains(word)))
                    .collect();
                let mut groups = Vec::new();
                if *by_target {
                    let target = |row: &MapRow| row.target.as_ref().map(|target| target.name.clone());
                    rows.sort_by_key(|row| (row.target.is_none(), target(row)));
                    let mapped: Vec<_> = rows.iter().map_while(|row| target(row)).collect();
                    groups.extend(mapped.chunk_by(|a, b| a == b).map(|group| group.len() as u32));
                }
                Answer::MapOrder(Box::new(MapOrderView {
                    groups,
                    ids: if self.read_at.is_some() {
                        rows.iter().map(|row| row.source.id.clone()).collect()
                    } else {
                        Vec::new()
                    },
                    counts: self.counts(),
                    read_at: self.read_at,
                    trouble: None,
                    is_scored: true,
                }))
            }
            Query::MapOrder { .. } => Answer::MapOrder(Box::new(MapOrderView {
                ids: Vec::new(),
                counts: MapCounts::default(),
                read_at: None,
                trouble: None,
                is_scored: false,
                groups: Vec::new(),
            })),
            Query::MapRows { ids, .. } => {
                self.most_asked = self.most_asked.max(ids.len());
                let by_id: BTreeMap<_, _> = self.rows.iter().map(|row| (&row.source.id, row)).collect();
                Answer::MapRows(ids.iter().filter_map(|id| by_id.get(id).map(|row| (*row).clone())).collect())
            }
            Query::Candidates { rivals_of: Some(id), .. } => {
                let row = self.rows.iter().find(|row| row.source.id == *id)?;
                let rival = |one: &Suggested| CandidateRow {
                    party: one.party.clone(),
                    is_active: true,
                    mapped_to: Vec::new(),
                };
                let rows: Vec<_> = row.candidates.iter().map(rival).collect();
                Answer::Candidates(CandidatesView { total: rows.len() as u64, of: 1_208, rows })
            }
            Query::Candidates { text, limit, .. } => {
                let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
                let rows: Vec<_> = self
                    .halo
                    .iter()
                    .filter(|row| words.iter().all(|word| row.party.name.to_lowercase().contains(word)))
                    .cloned()
                    .collect();
                Answer::Candidates(CandidatesView {
                    total: rows.len() as u64,
                    of: 1_208,
                    rows: rows.into_iter().take(*limit).collect(),
                })
            }
            Query::Fields { integration } => Answer::Fields(field_rules(*integration, &Settings::default())),
            Query::Plan { plan } if *plan == self.plan.id => Answer::Plan(Box::new(self.plan.clone())),
            Query::PlanGroups { plan, filter } if *plan == self.plan.id => {
                Answer::PlanGroups(self.groups(filter))
            }
            Query::PlanRows { plan, rows } if *plan == self.plan.id => Answer::PlanRows(
                self.changes.iter().filter(|change| rows.contains(&change.row)).cloned().collect(),
            ),
            // A job's own plan is kept with it.
            Query::PlanRows { plan: PlanId(6), rows } => {
                Answer::PlanRows(changes().into_iter().filter(|change| rows.contains(&change.row)).collect())
            }
            Query::Jobs { last } => Answer::Jobs(self.jobs.iter().take(*last).cloned().collect()),
            Query::Job { job } => {
                Answer::Job(Box::new(self.jobs.iter().find(|report| report.job == *job)?.clone()))
            }
            Query::Issues { .. } => Answer::Issues(self.issues.clone()),
            Query::Log { filter, from, limit, .. } => {
                let lines: Vec<_> =
                    self.log.iter().filter(|l| filter.least.is_none_or(|least| l.level >= least)).collect();
                let shown =
                    lines.iter().skip(*from as usize).take(*limit).map(|line| (*line).clone()).collect();
                Answer::Log(LogView { total: lines.len() as u64, first: *from, lines: shown })
            }
            Query::Presence => Answer::Presence(Presence::default()),
            _ => return None,
        })
    }

    fn groups(&self, filter: &PlanFilter) -> Vec<PlanGroup> {
        let mut groups: Vec<PlanGroup> = Vec::new();
        for change in &self.changes {
            let customer = change.customer.as_ref().unwrap_or(&change.source);
            let text = format!("{} {}", customer.name, change.source.name).to_lowercase();
            if !filter.actions.is_empty() && !filter.actions.contains(&change.action)
                || !text.contains(&filter.text.to_lowercase())
                || (change.action == Action::Unchanged && !filter.actions.contains(&Action::Unchanged))
            {
                continue;
            }
            let hold = change.hold.as_deref();
            let entry = PlanEntry {
                row: change.row,
                entity: change.entity,
                source: change.source.id.clone(),
                action: change.action,
                beyond_limit: hold
                    .filter(|hold| matches!(hold.cause, Cause::Limit { overridable: true, .. }))
                    .map(|hold| hold.would_be),
                is_look_alike: hold.is_some_and(|hold| matches!(hold.cause, Cause::LookAlike { .. })),
                after_row: change.after_row,
                currency: change.currency,
                money: change.money,
            };
            match groups.iter_mut().find(|group| group.customer.id == customer.id) {
                Some(group) => group.rows.push(entry),
                None => groups.push(PlanGroup { customer: customer.clone(), rows: vec![entry] }),
            }
        }
        groups
    }

    pub fn tell(&mut self, command: &Command) -> Option<(Result<Reply, Problem>, Vec<Event>)> {
        let done = |text: &str, event| Some((Ok(Reply::Done(text.into())), vec![event]));
        let map = Event::Map(Integration::Also);
        match command {
            Command::Decide { decisions, .. } => {
                self.steps.push(self.rows.clone());
                for (id, decision) in decisions {
                    if let Some(row) = self.rows.iter_mut().find(|row| row.source.id == *id) {
                        decide(row, decision);
                    }
                }
                done(&format!("Decided {}.", decisions.len()), map)
            }
            Command::Undo { redo: false, .. } => {
                self.rows = self.steps.pop()?;
                done("Taken back: a decision", map)
            }
            Command::Generate { integration } => {
                self.steps.push(self.rows.clone());
                let mut added = 0;
                for row in self
                    .rows
                    .iter_mut()
                    .filter(|row| row.state == MapState::Unmapped && row.same_name.len() == 1)
                {
                    row.target = row.same_name.pop();
                    (row.state, row.how) = (MapState::Mapped, Some(How::Exact));
                    (row.aspect, row.candidates) = (None, Vec::new());
                    added += 1;
                }
                let report = GeneratedReport { integration: *integration, added, skipped: 0, ambiguous: 1 };
                Some((Ok(Reply::Generated(report)), vec![map]))
            }
            Command::Card { source, .. } => {
                let name = self.rows.iter().find(|row| row.source.id == *source)?.source.name.clone();
                let part = |place: &str, lines: &[&str], is_gap| CardPart {
                    place: place.into(),
                    lines: lines.iter().map(|line| (*line).to_owned()).collect(),
                    is_gap,
                };
                let parts = vec![
                    part("ALSO", &[&name, "14 subscriptions linked"], false),
                    part("Halo", &["Adler Dental Group Ltd (88221)"], false),
                    part("Westcoast Cloud", &["nobody is mapped to it"], true),
                ];
                Some((Ok(Reply::Card(CardView { name, parts })), Vec::new()))
            }
            Command::Sites { source, .. } => {
                let row = self.rows.iter().find(|row| row.source.id == *source)?;
                let site =
                    |id: i64, name: &str, place: &str| Party { place: place.into(), ..halo(id, name, "") };
                let view = SitesView {
                    source: source.clone(),
                    name: row.source.name.clone(),
                    partner: row.target.clone()?,
                    sites: vec![site(801, "Main", "1 High Street, York"), site(802, "Leeds", "")],
                    chosen: row.site.clone(),
                };
                Some((Ok(Reply::Sites(view)), Vec::new()))
            }
            Command::ReadCustomers { .. } => {
                self.read_at = Some(at("21T14:05"));
                done("Read 16 ALSO customers and 1,208 Halo customers.", map)
            }
            Command::ImportMappings { integration, dry_run, .. } => Some((
                Ok(Reply::Mappings(MappingImport {
                    integration: *integration,
                    dry_run: *dry_run,
                    added: 2,
                    changed: 1,
                    unchanged: 13,
                    diff: vec![
                        "line 4: 90417 'Jura Shipping': unmapped -> 501 'Jura Ferries'".into(),
                        "line 7: 88230 'Test tenant do not bill': excluded -> unmapped".into(),
                    ],
                    errors: Vec::new(),
                })),
                if *dry_run { Vec::new() } else { vec![map] },
            )),
            Command::BuildPlan { purpose, .. } | Command::BuildPlanOf { purpose, .. } => {
                let outline = self.plan.outline.clone();
                let scheduled = matches!(command, Command::BuildPlan { scheduled: true, .. });
                self.plan = Plan { scheduled, purpose: purpose.clone(), outline, ..plan(self.plan.id.0 + 1) };
                Some((Ok(Reply::Planned(Box::new(self.plan.clone()))), vec![Event::Plan(self.plan.id)]))
            }
            Command::Replan { plan } if *plan == self.plan.id => {
                self.plan.id = PlanId(plan.0 + 1);
                // The look-alike was decided: its row is one that acts now.
                if let Some(change) = self.changes.iter_mut().find(|change| change.hold.is_some()) {
                    change.hold = None;
                    change.action = Action::Link;
                    self.plan.outline.totals.held -= 1;
                    self.plan.outline.totals.link += 1;
                }
                // Rows are numbered anew.
                self.changes.iter_mut().for_each(|change| change.row += 100);
                Some((Ok(Reply::Planned(Box::new(self.plan.clone()))), vec![Event::Plan(self.plan.id)]))
            }
            Command::Apply { .. } => {
                Some((Ok(Reply::Started(JobId(42))), vec![Event::Job(Box::new(job(42, JobState::Running)))]))
            }
            Command::PutAside { which, .. } => {
                let count = match which {
                    Which::Of { sources, .. } => sources.len() as u64,
                    Which::Cause { .. } => self.issues.groups[0].count,
                };
                self.issues.total -= count;
                self.issues.aside += count;
                self.issues.groups[0].is_aside = true;
                done("Put aside.", Event::Plan(self.plan.id))
            }
            Command::Order { job, order } => done(&format!("{job} {order:?}."), Event::Plan(self.plan.id)),
            Command::Replan { .. } => {
                Some((Err(Problem::new(Class::Input, "There is no such plan.")), Vec::new()))
            }
            _ => None,
        }
    }
}

fn decide(row: &mut MapRow, decision: &Decision) {
    if let Decision::Reject { target, target_name } = decision {
        row.candidates.retain(|one| one.party.id != *target);
        row.refused.push(format!("anna said 'not {target_name}' on 2026-10-02"));
        if row.candidates.is_empty() {
            row.aspect = None;
        }
        return;
    }
    if let Decision::Site { site } = decision {
        row.site.clone_from(site);
        return;
    }
    row.target = None;
    row.aspect = None;
    match decision {
        Decision::Map { target, target_name, how } => {
            row.state = MapState::Mapped;
            row.how = Some(*how);
            row.target = Some(Party {
                id: target.clone(),
                name: target_name.to_string(),
                place: String::new(),
                domain: String::new(),
            });
        }
        Decision::New => row.state = MapState::New,
        Decision::Exclude { note, until } => {
            row.state = MapState::Excluded;
            row.note = match until {
                Some(day) => format!("{note} until {day}"),
                None => note.to_string(),
            };
        }
        Decision::Clear | Decision::Site { .. } | Decision::Reject { .. } => row.state = MapState::Unmapped,
    }
}

/// What waits over all jobs: two look-alikes of one cause, one failure.
pub fn issues() -> IssuesView {
    let issue = |id: &str, name: &str, failed: bool, message: &str| Issue {
        integration: Integration::Also,
        entity: if failed { Entity::Subscriptions } else { Entity::Customers },
        source: ProblemSource { id: SourceId::new(id), name: name.into() },
        customer: SourceId::new(if failed { "88210" } else { id }),
        customer_name: if failed { "Fabrikam GmbH".into() } else { name.into() },
        failed,
        message: message.into(),
        job: JobId(41),
        row: 3,
        since: at("21T06:05"),
        until: None,
    };
    let group = |kind: &str, cause: &str, issues: Vec<Issue>| IssueGroup {
        integration: Integration::Also,
        cause: cause.into(),
        kind: kind.into(),
        is_aside: false,
        count: issues.len() as u64,
        issues,
    };
    let groups = vec![
        group(
            "look-alike",
            "may be '…' (…), the same normal form (K3)",
            vec![
                issue("310101", "Fabrikam GmbH", false, "may be 'Fabrikam' (504), the same normal form (K3)"),
                issue(
                    "310102",
                    "Jura Shipping",
                    false,
                    "may be 'Jura Ferries' (501), the same normal form (K3)",
                ),
            ],
        ),
        group(
            "failed",
            "Halo refused the licence: its name is too long",
            vec![issue("88120", "Power BI Pro", true, "Halo refused the licence: its name is too long")],
        ),
    ];
    IssuesView { total: 3, aside: 0, groups }
}

pub fn plan(id: u64) -> Plan {
    let eur = Currency::new("EUR");
    Plan {
        id: PlanId(id),
        integration: Integration::Also,
        entities: vec![Entity::Customers, Entity::Subscriptions],
        scheduled: false,
        purpose: parhelion::plan::Purpose::Whole,
        built_at: at("21T14:00"),
        built_by: "anna".into(),
        expires_at: at("22T14:00"),
        rows: 12,
        seen_up_to: BTreeMap::new(),
        read_requests: BTreeMap::new(),
        last: parhelion::plan::Last::default(),
        missing: Vec::new(),
        hash: "0f".repeat(32),
        outline: Outline {
            totals: Totals {
                create: 1,
                update: 4,
                link: 1,
                zero: 1,
                unchanged: 271,
                skipped: 3,
                held: 2,
                ..Totals::default()
            },
            limits: vec![Limit {
                valve: Valve::V1,
                entity: Some(Entity::Subscriptions),
                tripped: false,
                number: 1,
                limit: 95,
                population: 1_904,
                binds_people: false,
                sentence: "1 removal of 95 allowed.".into(),
            }],
            money: vec![MoneyDelta { currency: eur, before: money("18204.00"), after: money("18377.50") }],
            rows_without_price: 2,
            cost: Cost { requests: BTreeMap::from([(Place::Halo, 61)]), seconds: 58 },
            ..Outline::default()
        },
    }
}

fn money(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn seats(number: u32) -> Value {
    Value::Count(Count::new(number).expect("a count"))
}

fn price(text: &str) -> Value {
    Value::Amount(Amount::new(money(text)))
}

fn field(name: FieldName, before: Option<Value>, after: Option<Value>) -> FieldChange {
    FieldChange { name, before, after, mark: None }
}

fn customer(row: u32, action: Action, name: &str, id: i64) -> Change {
    Change {
        row,
        entity: Entity::Customers,
        action,
        source: Side { id: SourceId::from(id), name: name.into() },
        target: None,
        customer: None,
        customer_target: None,
        after_row: None,
        site: None,
        top_level: None,
        fields: Vec::new(),
        reasons: vec![Box::from("mapped by hand on 2026-11-03")].into(),
        hold: None,
        owned: parhelion::model::Fields::new(),
        currency: None,
        money: None,
        mapping: None,
    }
}

fn subscription(row: u32, action: Action, of: (&str, i64), name: &str, sum: Option<&str>) -> Change {
    Change {
        entity: Entity::Subscriptions,
        customer: Some(Side { id: SourceId::from(of.1), name: of.0.into() }),
        currency: Currency::new("EUR"),
        money: sum.map(money),
        target: (action != Action::Create).then(|| Side {
            id: TargetId::from(i64::from(row) + 400),
            name: format!("{name} licence").into(),
        }),
        ..customer(row, action, name, i64::from(row) + 7_000)
    }
}

pub fn changes() -> Vec<Change> {
    let (fabrikam, contoso, adler) =
        (("Fabrikam GmbH", 88_210), ("Contoso Retail", 88_214), ("Adler Dental Group", 88_220));
    let mut look_alike = customer(1, Action::Held, "Jura Shipping", 90_417);
    look_alike.reasons =
        vec![Box::from("a Halo customer has nearly the same name; which one it is needs a decision")].into();
    look_alike.hold = Some(Box::new(Hold {
        cause: Cause::LookAlike {
            candidates: vec![
                Candidate {
                    target: TargetId::from(501),
                    name: "Jura Shipping Ltd".into(),
                    why: "the same name but for the legal form".into(),
                },
                Candidate {
                    target: TargetId::from(502),
                    name: "Jura Ferries".into(),
                    why: "the same mail domain".into(),
                },
            ],
        },
        would_be: Action::Held,
    }));
    let mut zero = subscription(5, Action::Zero, fabrikam, "Exchange Online P1", Some("-20"));
    zero.fields = vec![field(FieldName::Quantity, Some(seats(5)), Some(seats(0)))];
    zero.reasons = vec![
        Box::from("gone at ALSO; Deactivate Licences is off, so the seats go to 0 (B8)"),
        Box::from("the list is complete, 1,904 of 1,904; looked up by id: not found; inside the scope"),
        Box::from("made by Parhelion in job J12 on 2026-02-03"),
    ]
    .into();
    let mut held = subscription(6, Action::Held, fabrikam, "Power BI Pro", None);
    held.fields = vec![field(FieldName::Price, Some(price("9.40")), Some(price("10.10")))];
    held.reasons = vec![Box::from("the price is in USD, the Halo customer is billed in EUR (B5)")].into();
    held.hold = Some(Box::new(Hold { cause: Cause::Data, would_be: Action::Update }));
    let mut skipped = subscription(7, Action::Skipped, fabrikam, "Visio Plan 2", None);
    skipped.reasons = vec![Box::from("outside the chosen scope: product not chosen (B3)")].into();
    let mut other = subscription(14, Action::Skipped, adler, "Visio Plan 1", None);
    other.reasons.clone_from(&skipped.reasons);
    let mut another = subscription(15, Action::Skipped, adler, "Power Automate", None);
    another.reasons.clone_from(&skipped.reasons);
    let mut new = subscription(8, Action::Create, contoso, "Defender for Business", Some("75"));
    new.fields = vec![
        field(FieldName::Name, None, Some(Value::text("Defender for Business"))),
        field(FieldName::Status, None, Some(Value::Active(true))),
        field(FieldName::Quantity, None, Some(seats(25))),
        field(FieldName::EndDate, None, Some(Value::Date(jiff::civil::date(2027, 3, 31)))),
    ];
    new.reasons = vec![Box::from("not in Halo yet"), Box::from("end date from the contract (B6)")].into();
    let linked = subscription(9, Action::Link, contoso, "Teams Phone Standard", Some("0"));
    let mut cost = subscription(10, Action::Update, contoso, "Business Basic", Some("2.2"));
    cost.fields = vec![
        FieldChange {
            mark: Some(parhelion::plan::Mark::Price),
            ..field(FieldName::Price, Some(price("4.90")), Some(price("5.10")))
        },
        field(FieldName::Cost, Some(price("3.90")), Some(price("4.05"))),
    ];
    let mut more = subscription(11, Action::Update, contoso, "Business Standard", Some("21"));
    more.fields = vec![field(FieldName::Quantity, Some(seats(18)), Some(seats(20)))];
    let mut adlers = subscription(12, Action::Update, adler, "Business Standard", Some("1173.5"));
    adlers.fields = vec![field(FieldName::Quantity, Some(seats(12)), Some(seats(14)))];
    let mut inactive = subscription(13, Action::Update, adler, "Visio Plan 2", None);
    inactive.fields = vec![field(FieldName::Status, Some(Value::Active(true)), Some(Value::Active(false)))];
    vec![look_alike, zero, held, skipped, new, linked, cost, more, adlers, inactive, other, another]
}

/// As many removals as the limit does not allow.
pub fn beyond_limit(market: &mut Market) {
    for row in 20..24 {
        let mut held =
            subscription(row, Action::Held, ("Fabrikam GmbH", 88_210), "Exchange Online P1", Some("-20"));
        held.fields = vec![field(FieldName::Quantity, Some(seats(5)), Some(seats(0)))];
        held.reasons = vec![Box::from("64 removals are more than the limit of 9 (V1)")].into();
        held.hold = Some(Box::new(Hold {
            cause: Cause::Limit { valve: Valve::V1, overridable: true },
            would_be: Action::Zero,
        }));
        market.changes.push(held);
    }
    let limit = &mut market.plan.outline.limits[0];
    limit.tripped = true;
    limit.sentence =
        "It sets 4 subscriptions to zero. The limit is 2: 5 % of the 40 in scope. Most often this means \
                      a filter or an account has changed."
            .into();
    market.plan.outline.totals.held += 4;
}

pub fn log() -> Vec<LogLine> {
    let line = |second: u32, level, sign, customer: &str, subject: &str, text: &str, row| LogLine {
        at: format!("2026-11-21T14:05:{second:02}Z").parse().expect("a moment"),
        level,
        sign,
        customer: customer.into(),
        subject: subject.into(),
        text: text.into(),
        row,
    };
    vec![
        line(0, Level::Note, '.', "", "", "customers are done; subscriptions begin", None),
        line(1, Level::Change, '~', "Adler Dental Group", "Business Standard", "seats 12 -> 14", Some(12)),
        line(2, Level::Note, '=', "Blue Yonder Foods", "", "8 rows unchanged", None),
        line(
            3,
            Level::Change,
            '+',
            "Contoso Retail",
            "Defender for Business",
            "25 seats, to 2027-03-31",
            Some(8),
        ),
        line(
            4,
            Level::Held,
            '!',
            "Fabrikam GmbH",
            "Power BI Pro",
            "the price is in USD, the customer is billed in EUR",
            Some(6),
        ),
        line(5, Level::Change, '0', "Fabrikam GmbH", "Exchange Online P1", "seats 5 -> 0", Some(5)),
        line(
            6,
            Level::Note,
            '.',
            "",
            "",
            "Halo asked us to wait 3.2 s (429); going on at a lower rate",
            None,
        ),
        line(
            7,
            Level::Error,
            '!',
            "Contoso Retail",
            "Business Basic",
            "Halo refused the write: client_id is not allowed (403)",
            Some(10),
        ),
        line(
            8,
            Level::Change,
            '&',
            "Contoso Retail",
            "Teams Phone Standard",
            "linked with LIC-00412",
            Some(9),
        ),
    ]
}
