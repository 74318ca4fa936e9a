//! The safety valves (sync-engine section 10, decisions 3, 4, 15 and 32): what is too much waits for a person.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::customers::Customers;
use super::lines::Tally;
use super::{Action, Cause, Last, Limit, Policy, Removal, Row, Rows, Snapshot, Valve};
use crate::model::{Currency, Entity, FieldName, SourceId};

/// V4, V5 and V7 mean nothing among fewer linked records (decision 32).
const ENOUGH: u64 = 50;

/// Evaluates every valve, and turns what a tripped one concerns into rows that wait.
///
/// V2, V9, V10 and V12 bind in every run. V1, V3, V11 and N16 hold removals. V4 to V8 hold in scheduled plans; for a person
/// they only stand in the list.
pub(super) fn apply(
    rows: &mut Rows,
    customers: &Customers,
    tallies: &BTreeMap<Entity, Tally>,
    snapshot: &Snapshot,
    policy: &Policy,
    alerts: &mut Vec<String>,
) -> Vec<Limit> {
    let root = policy.integration.root();
    let mut valves = Valves { policy, label: policy.source(root).label(), limits: Vec::new() };
    let linked = |entity: Entity| tallies.get(&entity).map_or(customers.linked, |tally| tally.linked);
    // How much the plan wants is measured before anything is held. An absence that could not be proven this time counts
    // too: otherwise look-ups that fail would let through in two runs what is too much for one.
    let removing = policy.rules(root).removal != Removal::Never && policy.entities.contains(&root);
    let wanted: BTreeMap<Entity, u64> = tallies
        .keys()
        .chain(removing.then_some(&root))
        .map(|entity| (*entity, rows.iter().filter(|row| would_remove(row, *entity)).count() as u64))
        .collect();

    if let Some(sentence) = valves.account(alerts) {
        hold(rows, |row| row.action.acts(), Valve::V10, false, &sentence);
    }
    if let Some(sentence) = valves.canaries(snapshot, alerts) {
        hold(rows, |row| row.action.acts(), Valve::V9, false, &sentence);
    }
    for entity in policy.entities.clone() {
        if let Some(sentence) = valves.emptied(entity, seen(entity, snapshot, policy), alerts) {
            hold(rows, |row| removes(row, entity), Valve::V2, false, &sentence);
        }
    }
    // Of what goes the other way nothing is ever removed.
    let lists = wanted.iter().filter(|(entity, _)| policy.scheduled && !entity.is_kept());
    for (entity, removals) in lists {
        let (entity, removals) = (*entity, *removals);
        if removals > 0 && !policy.approved_once.contains(&entity) {
            let why = format!(
                "no complete plan of {} {entity} has been applied by a person yet: nothing is zeroed or made inactive until then (N16)",
                valves.label
            );
            if rows.iter().any(|row| removes(row, entity)) {
                rows.hold(|row| removes(row, entity), &Cause::SafeMode, &why);
                alerts.push(why);
            }
        }
        if let Some(sentence) = valves.rules_changed(entity, removals, linked(entity)) {
            hold(rows, |row| removes(row, entity), Valve::V11, true, &sentence);
        }
        let losing = tallies.get(&entity).map(|tally| valves.losing_all(entity, tally));
        if let Some((losing, Some(sentence))) = losing {
            let is_losing = |row: &Row| rows.open(row).customer.is_some_and(|c| losing.contains(&c.id));
            let places = rows.iter().enumerate().filter(|(_, row)| removes(row, entity) && is_losing(row));
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            let cause = Cause::Limit { valve: Valve::V3, overridable: true };
            for at in places {
                rows.edit(at, |change| change.hold(cause.clone(), &sentence));
            }
        }
        if let Some(sentence) = valves.removals(entity, removals, linked(entity)) {
            hold(rows, |row| removes(row, entity), Valve::V1, true, &sentence);
        }
    }

    let seats = |entity: Entity| tallies.get(&entity).map(|tally| tally.seats);
    valves.gates(rows, linked, seats, alerts);
    valves.limits
}

/// The valves that an undo passes beside its own of removals: V4 to V8, which for a person only stand in the list, and
/// V12. `seats` are those of all linked records of an entity.
pub(super) fn of_undo(
    rows: &mut Rows,
    linked: &BTreeMap<Entity, u64>,
    seats: &BTreeMap<Entity, u64>,
    policy: &Policy,
    alerts: &mut Vec<String>,
) -> Vec<Limit> {
    let label = policy.source(policy.integration.root()).label();
    let mut valves = Valves { policy, label, limits: Vec::new() };
    let linked = |entity: Entity| linked.get(&entity).copied().unwrap_or(0);
    valves.gates(rows, linked, |entity| seats.get(&entity).copied(), alerts);
    valves.limits
}

impl Valves<'_> {
    /// V4 to V8, then V12.
    fn gates(
        &mut self,
        rows: &mut Rows,
        linked: impl Fn(Entity) -> u64,
        seats_of: impl Fn(Entity) -> Option<u64>,
        alerts: &mut Vec<String>,
    ) {
        for entity in self.policy.entities.clone() {
            let of = move |row: &Row, action: Action| row.entity == entity && row.action == action;
            let count = |rows: &Rows, action| rows.iter().filter(|row| of(row, action)).count() as u64;
            let (creates, updates) = (count(rows, Action::Create), count(rows, Action::Update));
            if let Some(sentence) = self.creates(entity, creates, linked(entity)) {
                hold(rows, |row| of(row, Action::Create), Valve::V6, true, &sentence);
            }
            if linked(entity) < ENOUGH {
                continue;
            }
            if let Some(population) = seats_of(entity).filter(|_| entity.is_billed()) {
                if let Some(sentence) = self.seats(entity, rows, population) {
                    let concerned = |row: &Row| of(row, Action::Update) && row.seats() != 0;
                    hold(rows, concerned, Valve::V4, true, &sentence);
                }
                for field in [FieldName::Quantity, FieldName::Price, FieldName::Cost] {
                    let blanks = |row: &Row| of(row, Action::Update) && row.goes_to_zero(field);
                    let number = rows.iter().filter(|row| blanks(row)).count() as u64;
                    if let Some(sentence) = self.blanks(entity, field, number, linked(entity)) {
                        hold(rows, blanks, Valve::V5, true, &sentence);
                    }
                }
            }
            if let Some(sentence) = self.updates(entity, updates, linked(entity)) {
                hold(rows, |row| of(row, Action::Update), Valve::V7, true, &sentence);
            }
        }
        for (currency, sentence) in self.money(rows) {
            let concerned = move |row: &Row| {
                let (of, money) = row.money();
                row.action.acts() && of == currency && money.is_some_and(|money| !money.is_zero())
            };
            hold(rows, concerned, Valve::V8, true, &sentence);
        }
        let billable = |row: &Row| row.action.acts() && row.is_billable();
        let number = rows.iter().filter(|row| billable(row)).count() as u64;
        if let Some(sentence) = self.frozen(number, alerts) {
            hold(rows, billable, Valve::V12, true, &sentence);
        }
    }
}

/// What the next plan compares itself with.
pub(super) fn remember(
    snapshot: &Snapshot,
    policy: &Policy,
    tallies: &BTreeMap<Entity, Tally>,
    customers: u64,
) -> Last {
    let mut last = policy.last.clone();
    for entity in &policy.entities {
        let now = seen(*entity, snapshot, policy);
        let (linked, complete) = match (tallies.get(entity), snapshot.lines.get(entity)) {
            (Some(tally), Some(lines)) => (tally.linked, lines.read.is_complete()),
            _ => (customers, snapshot.customers_complete.is_complete()),
        };
        // An emptied source stays suspicious until it is filled again or nothing hangs on it.
        let suspicious = now == 0 && linked > 0;
        if complete && !suspicious {
            last.seen.insert(*entity, now);
        }
    }
    if policy.lines().next().is_some() || policy.rules(policy.integration.root()).removal != Removal::Never {
        last.scope = Some(scope(policy));
    }
    last.answered = super::shape::remember(snapshot, policy);
    // Another account is never got used to: its plan was held, and so is the next.
    for (place, is) in std::mem::take(&mut last.fingerprints_now) {
        let was = last.fingerprints.entry(place).or_default();
        if !is_other_account(was, &is) && is.len() > was.len() {
            *was = is;
        }
    }
    last
}

/// Whether two fingerprints are of two accounts. A part that the host did not tell, as for want of a right, proves
/// nothing.
pub fn is_other_account(was: &str, is: &str) -> bool {
    let told = |(was, is): &(&str, &str)| !was.is_empty() && !is.is_empty();
    was.split('/').zip(is.split('/')).filter(told).any(|(was, is)| was != is)
}

/// The fingerprint of everything that decides which records are in scope (P9).
pub fn scope(policy: &Policy) -> String {
    let told: Vec<&str> = policy.rules.values().map(|rules| rules.scope.told.as_str()).collect();
    let rules = serde_json::json!([policy.integration, policy.account, told]);
    super::hash::hexadecimal(&Sha256::digest(rules.to_string())[..16])
}

fn seen(entity: Entity, snapshot: &Snapshot, policy: &Policy) -> u64 {
    if entity == policy.integration.root() {
        snapshot.customers.len() as u64
    } else if entity == Entity::Push {
        // Of these customers only the chosen ones are listed.
        snapshot.partners.len() as u64
    } else {
        snapshot.lines.get(&entity).map_or(0, |lines| lines.wanted.len() as u64)
    }
}

/// V3: so many customers of these may lose all their records of an entity.
pub(super) fn losing_limit(customers: u64) -> u64 {
    (customers * 2 / 100).max(3)
}

fn removes(row: &Row, entity: Entity) -> bool {
    row.entity == entity && row.action.is_removal()
}

fn would_remove(row: &Row, entity: Entity) -> bool {
    row.entity == entity && row.would_be.is_removal()
}

fn hold(rows: &mut Rows, concerned: impl Fn(&Row) -> bool, valve: Valve, overridable: bool, sentence: &str) {
    rows.hold(concerned, &Cause::Limit { valve, overridable }, sentence);
}

struct Valves<'a> {
    policy: &'a Policy,
    label: &'static str,
    limits: Vec<Limit>,
}

impl Valves<'_> {
    /// Records a finding; answers with the sentence if its rows are to be held.
    fn found(&mut self, limit: Limit, holds: bool) -> Option<String> {
        let sentence = (limit.tripped && holds).then(|| limit.sentence.clone());
        self.limits.push(limit);
        sentence
    }

    fn account(&mut self, alerts: &mut Vec<String>) -> Option<String> {
        let last = &self.policy.last;
        let (place, was, is) = last.fingerprints.iter().find_map(|(place, was)| {
            last.fingerprints_now.get(place).filter(|is| is_other_account(was, is)).map(|is| (place, was, is))
        })?;
        let sentence = format!(
            "V10: {place} is another account than at the last run ('{is}', was '{was}'): nothing is written; correct the connection, or use a profile of its own"
        );
        alerts.push(sentence.clone());
        self.found(
            Limit {
                valve: Valve::V10,
                entity: None,
                tripped: true,
                number: 1,
                limit: 0,
                population: last.fingerprints.len() as u64,
                binds_people: true,
                sentence,
            },
            true,
        )
    }

    fn canaries(&mut self, snapshot: &Snapshot, alerts: &mut Vec<String>) -> Option<String> {
        let canaries = &self.policy.safety.canaries;
        if canaries.is_empty() {
            return None;
        }
        let listed: BTreeSet<&SourceId> = snapshot.customers.iter().map(|wanted| &wanted.id).collect();
        let missing: Vec<&str> =
            canaries.iter().filter(|id| !listed.contains(&SourceId::new(id))).map(String::as_str).collect();
        let tripped = !missing.is_empty();
        let sentence = if tripped {
            format!(
                "V9: the list of {} lacks customers that must be in it ({}): nothing is written; check the account's rights, or correct safety.canaries",
                self.label,
                missing.join(", ")
            )
        } else {
            format!("V9: all {} customers that must be listed are", canaries.len())
        };
        if tripped {
            alerts.push(sentence.clone());
        }
        self.found(
            Limit {
                valve: Valve::V9,
                entity: None,
                tripped,
                number: missing.len() as u64,
                limit: 0,
                population: canaries.len() as u64,
                binds_people: true,
                sentence,
            },
            true,
        )
    }

    fn emptied(&mut self, entity: Entity, now: u64, alerts: &mut Vec<String>) -> Option<String> {
        let before = self.policy.last.seen.get(&entity).copied().unwrap_or(0);
        if now > 0 || before == 0 {
            return None;
        }
        let sentence = format!(
            "V2: {} lists no {entity} at all, {before} at the last run: nothing is removed; check the account's rights there",
            self.label
        );
        alerts.push(sentence.clone());
        self.found(
            Limit {
                valve: Valve::V2,
                entity: Some(entity),
                tripped: true,
                number: 0,
                limit: 0,
                population: before,
                binds_people: true,
                sentence,
            },
            true,
        )
    }

    fn rules_changed(&mut self, entity: Entity, removals: u64, population: u64) -> Option<String> {
        if removals == 0 {
            return None;
        }
        let why = match &self.policy.last.scope {
            None => "this is the first run",
            Some(last) if *last != scope(self.policy) => "what is in scope has changed since the last run",
            Some(_) => return None,
        };
        let sentence = format!("V11: {why}, so {removals} removals of {entity} wait for a person (P9)");
        self.found(
            Limit {
                valve: Valve::V11,
                entity: Some(entity),
                tripped: true,
                number: removals,
                limit: 0,
                population,
                binds_people: false,
                sentence,
            },
            true,
        )
    }

    fn losing_all(&mut self, entity: Entity, tally: &Tally) -> (BTreeSet<SourceId>, Option<String>) {
        let losing: BTreeSet<SourceId> = tally
            .lines
            .iter()
            .filter(|(_, (stay, go))| *go > 0 && *stay == 0)
            .map(|(id, _)| id.clone())
            .collect();
        let (number, population) = (losing.len() as u64, tally.lines.len() as u64);
        let limit = losing_limit(population);
        let tripped = number > limit;
        let sentence = format!(
            "V3: {number} of {population} customers would lose all their {entity}, limit {limit} (2 %, at least 3){}",
            if tripped { ": their removals wait; apply them by hand and type the number" } else { "" }
        );
        let sentence = self.found(
            Limit {
                valve: Valve::V3,
                entity: Some(entity),
                tripped,
                number,
                limit,
                population,
                binds_people: false,
                sentence,
            },
            true,
        );
        (losing, sentence)
    }

    fn removals(&mut self, entity: Entity, number: u64, population: u64) -> Option<String> {
        let safety = &self.policy.safety;
        let limit = safety.removal_limit(population);
        let lifted = self.policy.allow_removals && self.policy.scheduled;
        let over = number > limit;
        let rule = format!(
            "V1: {number} removals of {entity}, limit {limit} ({} % of {population} linked, at least {}, at most {})",
            safety.max_removals_percent, safety.max_removals_floor, safety.max_removals
        );
        let sentence = match (over, lifted) {
            (true, true) => format!("{rule}: lifted for this run by --allow-removals"),
            (true, false) => {
                format!(
                    "{rule}: they wait; apply them by hand and type the number, or run once with --allow-removals"
                )
            }
            (false, _) => rule,
        };
        self.found(
            Limit {
                valve: Valve::V1,
                entity: Some(entity),
                tripped: over && !lifted,
                number,
                limit,
                population,
                binds_people: false,
                sentence,
            },
            true,
        )
    }

    /// A valve that gates what policy approves: held in a scheduled plan, a warning for a person.
    fn gate(
        &mut self,
        valve: Valve,
        entity: Option<Entity>,
        (number, limit, population): (u64, u64, u64),
        text: &str,
    ) -> Option<String> {
        let tripped = number > limit;
        let end = match (tripped, self.policy.scheduled) {
            (false, _) => "",
            (true, true) => ": they wait; build the plan by hand to apply them",
            (true, false) => ": check them before you apply",
        };
        let sentence = format!("{valve:?}: {text}{end}");
        let limit =
            Limit { valve, entity, tripped, number, limit, population, binds_people: false, sentence };
        self.found(limit, self.policy.scheduled)
    }

    /// Binds in every run; a person may overrule it for one plan, which the trail then says (N10).
    fn frozen(&mut self, number: u64, alerts: &mut Vec<String>) -> Option<String> {
        let freeze = self.policy.frozen.filter(|_| number > 0)?;
        let sentence = format!(
            "V12: nothing billable is written in the freeze ({freeze}): {number} rows wait; plan again after it, or apply them by hand and type the number, or with --urgent"
        );
        alerts.push(sentence.clone());
        self.found(
            Limit {
                valve: Valve::V12,
                entity: None,
                tripped: true,
                number,
                limit: 0,
                population: 0,
                binds_people: false,
                sentence,
            },
            true,
        )
    }

    fn creates(&mut self, entity: Entity, number: u64, population: u64) -> Option<String> {
        self.policy.last.seen.get(&entity)?;
        let limit = (population / 5).max(50);
        let text = format!("{number} new {entity}, limit {limit} (20 % of {population} linked, at least 50)");
        self.gate(Valve::V6, Some(entity), (number, limit, population), &text)
    }

    fn updates(&mut self, entity: Entity, number: u64, population: u64) -> Option<String> {
        let limit = population * 30 / 100;
        let text = format!("{number} updates of {entity}, limit {limit} (30 % of {population} linked)");
        self.gate(Valve::V7, Some(entity), (number, limit, population), &text)
    }

    fn seats(&mut self, entity: Entity, rows: &Rows, population: u64) -> Option<String> {
        let number = rows.iter().filter(|row| row.action == Action::Update).map(Row::seats).sum::<i64>();
        let limit = population / 10;
        let text = format!("updates change the seats by {number:+}, limit {limit} (10 % of {population})");
        self.gate(Valve::V4, Some(entity), (number.unsigned_abs(), limit, population), &text)
    }

    fn blanks(&mut self, entity: Entity, field: FieldName, number: u64, population: u64) -> Option<String> {
        let limit = population * 5 / 100;
        let text =
            format!("{field} goes to 0 in {number} {entity}, limit {limit} (5 % of {population} linked)");
        self.gate(Valve::V5, Some(entity), (number, limit, population), &text)
    }

    fn money(&mut self, rows: &Rows) -> Vec<(Option<Currency>, String)> {
        let Some(limit) = self.policy.safety.max_money_change else { return Vec::new() };
        let mut sums: BTreeMap<Option<Currency>, Decimal> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.action.acts()) {
            if let (currency, Some(money)) = row.money() {
                let sum = sums.entry(currency).or_default();
                *sum = sum.saturating_add(money);
            }
        }
        let whole = |amount: Decimal| u64::try_from(amount.abs().ceil()).unwrap_or(u64::MAX);
        let billed = self.policy.entities.iter().copied().find(|entity| entity.is_billed());
        let mut tripped = Vec::new();
        for (currency, sum) in sums {
            let shown = currency.map_or_else(String::new, |currency| format!(" {currency}"));
            let over = sum.abs() > limit;
            let text = format!("money a month changes by {sum:+}{shown}, limit {limit}");
            // Compared as decimals; the whole numbers are for show.
            let (number, most) = if over {
                (whole(sum).max(whole(limit) + 1), whole(limit))
            } else {
                (whole(sum).min(whole(limit)), whole(limit))
            };
            if let Some(sentence) = self.gate(Valve::V8, billed, (number, most, 0), &text) {
                tripped.push((currency, sentence));
            }
        }
        tripped
    }
}
