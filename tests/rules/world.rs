//! Small worlds, tersely: both sides, the links between them, and what applying a plan makes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::integrations::marketplace;
use parhelion::model::link::Removed;
use parhelion::model::marker::marker;
use parhelion::model::settings::{Marketplace, Safety};
use parhelion::model::{
    Address, Amount, Count, Currency, Decision, Entity, FieldName, Fields, Found, How, Installation,
    Integration, Link, MatchKeys, Moment, Packed, SourceId, TargetId, Value, Verdict, Wanted,
};
use parhelion::plan::snapshot::{Completeness, Lines, Mappings, Reading, Snapshot, TopLevel};
use parhelion::plan::{self, Absence, Action, Cause, Change, Last, Outline, Policy};

/// Both sides, flat: a test says `w.snapshot.licences[0]`.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    pub customers: Vec<Wanted>,
    pub customers_complete: Completeness,
    pub halo_customers: Vec<Found>,
    pub halo_customers_complete: Completeness,
    pub subscriptions: Vec<Wanted>,
    pub read: BTreeMap<SourceId, Completeness>,
    pub licences: Vec<Found>,
    pub licences_complete: Completeness,
    pub absences: BTreeMap<SourceId, Absence>,
    pub top_level: TopLevel,
    pub halo_currency: Option<Currency>,
    pub sites: BTreeMap<TargetId, Address>,
}

/// What the link remembers of a row that is done: what the source said, and what was written.
fn base_of(change: &Change) -> Fields {
    let mut base = change.owned.clone();
    for (name, value) in change.values().iter() {
        base.set(name, value.clone());
    }
    base
}

impl Sides {
    pub fn snapshot(&self) -> Snapshot {
        let sides = self.clone();
        let lines = Lines {
            wanted: sides.subscriptions.iter().map(Packed::new).collect(),
            read: Reading::Each(sides.read),
            found: sides.licences.iter().map(Packed::new).collect(),
            found_complete: sides.licences_complete,
            absences: sides.absences,
            ..Lines::default()
        };
        Snapshot {
            sites: sides.sites,
            customers: sides.customers,
            customers_complete: sides.customers_complete,
            partners: sides.halo_customers,
            partners_complete: sides.halo_customers_complete,
            absences: BTreeMap::new(),
            lines: BTreeMap::from([(Entity::Subscriptions, lines)]),
            top_level: sides.top_level,
            currency: sides.halo_currency,
            only: None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct World {
    pub snapshot: Sides,
    pub settings: Marketplace,
    pub mappings: Mappings,
    pub links: BTreeMap<SourceId, Link>,
    pub policy: Policy,
    next: u32,
}

pub fn s(id: &str) -> SourceId {
    SourceId::new(id)
}

pub fn t(id: &str) -> TargetId {
    TargetId::new(id)
}

pub fn seats(count: u32) -> Value {
    Value::Count(Count::new(count).unwrap())
}

pub fn amount(text: &str) -> Value {
    Value::Amount(Amount::new(text.parse().unwrap()))
}

pub fn address(street: &str, city: &str, region: &str, postcode: &str) -> Value {
    Value::Address(Box::new(Address {
        street: street.into(),
        city: city.into(),
        region: region.into(),
        postcode: postcode.into(),
        country: "".into(),
    }))
}

pub fn licence_fields(name: &str, count: u32) -> Fields {
    Fields::new()
        .with(FieldName::Name, Value::text(name))
        .with(FieldName::Status, Value::Active(true))
        .with(FieldName::Quantity, seats(count))
}

impl World {
    /// An empty world whose earlier runs were applied by a person, planned by hand.
    pub fn new() -> Self {
        let policy = Policy {
            integration: Integration::Also,
            account: "cloud.also.com".into(),
            installation: Installation::from_random([7; 8]),
            rules: BTreeMap::new(),
            safety: Safety::default(),
            entities: Integration::Also.entities().to_vec(),
            scheduled: false,
            allow_removals: false,
            now: Moment::UNIX_EPOCH,
            today: "2026-06-15".parse().unwrap(),
            frozen: None,
            released: BTreeMap::new(),
            approved_once: Integration::Also.entities().iter().copied().collect(),
            last: Last::default(),
        };
        let mut world = Self {
            snapshot: Sides::default(),
            settings: Marketplace::default(),
            mappings: Mappings::default(),
            links: BTreeMap::new(),
            policy,
            next: 9000,
        };
        world.settle();
        world
    }

    /// Takes the present rules as those of the last run.
    pub fn settle(&mut self) -> &mut Self {
        self.policy.last.scope = Some(plan::scope(&self.policy()));
        self
    }

    /// The rules as the settings have them now.
    pub fn policy(&self) -> Policy {
        Policy { rules: marketplace::rules(&self.settings), ..self.policy.clone() }
    }

    pub fn scheduled(&mut self) -> &mut Self {
        self.policy.scheduled = true;
        self
    }

    pub fn company(&mut self, id: &str, name: &str) -> &mut Wanted {
        self.snapshot.read.insert(s(id), Completeness::default());
        self.snapshot.customers.push(Wanted {
            id: s(id),
            name: Arc::from(name),
            parent: None,
            verdict: Verdict::Take,
            fields: Fields::new().with(FieldName::Name, Value::text(name)),
            keys: MatchKeys::default(),
            currency: None,
            notes: Vec::new(),
        });
        self.snapshot.customers.sort_by(|a, b| a.id.cmp(&b.id));
        self.snapshot.customers.iter_mut().find(|c| c.id == s(id)).unwrap()
    }

    pub fn halo(&mut self, id: &str, name: &str) -> &mut Found {
        self.snapshot.halo_customers.push(Found {
            id: t(id),
            name: Arc::from(name),
            parent: None,
            is_active: true,
            marker: None,
            fields: Fields::new(),
            keys: MatchKeys::default(),
            currency: None,
            main_site: Some(t(&format!("site{id}"))),
        });
        self.snapshot.halo_customers.sort_by(|a, b| a.id.cmp(&b.id));
        self.snapshot.halo_customers.iter_mut().find(|c| c.id == t(id)).unwrap()
    }

    pub fn map(&mut self, source: &str, target: &str) -> &mut Link {
        let name = |names: Option<Arc<str>>| names.map_or_else(|| "".into(), |name| Box::from(&*name));
        let source_name =
            name(self.snapshot.customers.iter().find(|c| c.id == s(source)).map(|c| c.name.clone()));
        let target_name =
            name(self.snapshot.halo_customers.iter().find(|c| c.id == t(target)).map(|c| c.name.clone()));
        self.mappings.customers.insert(s(source), link(target, None, &source_name, &target_name));
        self.mappings.customers.get_mut(&s(source)).unwrap()
    }

    /// A mapped pair: source customer `a`, Halo customer `1`.
    pub fn pair(&mut self) -> &mut Self {
        self.company("a", "Alder Ltd");
        self.halo("1", "Alder Ltd");
        self.map("a", "1");
        self
    }

    pub fn sub(&mut self, id: &str, customer: &str, name: &str, count: u32) -> &mut Wanted {
        self.snapshot.subscriptions.push(Wanted {
            id: s(id),
            name: Arc::from(name),
            parent: Some(s(customer)),
            verdict: Verdict::Take,
            fields: licence_fields(name, count),
            keys: MatchKeys::default(),
            currency: None,
            notes: Vec::new(),
        });
        self.snapshot.subscriptions.sort_by(|a, b| a.id.cmp(&b.id));
        self.snapshot.subscriptions.iter_mut().find(|c| c.id == s(id)).unwrap()
    }

    pub fn licence(&mut self, id: &str, customer: &str, name: &str, count: u32) -> &mut Found {
        self.snapshot.licences.push(Found {
            id: t(id),
            name: Arc::from(name),
            parent: Some(t(customer)),
            is_active: true,
            marker: None,
            fields: licence_fields(name, count),
            keys: MatchKeys::default(),
            currency: None,
            main_site: None,
        });
        self.snapshot.licences.sort_by(|a, b| a.id.cmp(&b.id));
        self.snapshot.licences.iter_mut().find(|c| c.id == t(id)).unwrap()
    }

    /// Links a subscription to a licence, with what Halo holds now as the last written values.
    pub fn link(&mut self, sub: &str, licence: &str, customer: &str) -> &mut Link {
        let found = self.snapshot.licences.iter().find(|l| l.id == t(licence));
        let (name, base) =
            found.map_or(("gone".into(), None), |l| (Box::from(&*l.name), Some(l.fields.clone())));
        let mut new = link(licence, Some(s(customer)), &name, &name);
        new.base = base;
        self.links.insert(s(sub), new);
        self.links.get_mut(&s(sub)).unwrap()
    }

    /// Subscription `id` of customer `a` with its linked licence `L<id>`, both at `count`.
    pub fn linked(&mut self, id: &str, name: &str, count: u32) -> &mut Self {
        self.sub(id, "a", name, count);
        let licence = format!("L{id}");
        self.licence(&licence, "1", name, count);
        self.link(id, &licence, "a");
        self
    }

    /// The same, but gone at the source, which a look-up confirms.
    pub fn gone(&mut self, id: &str, name: &str, count: u32) -> &mut Self {
        let licence = format!("L{id}");
        self.licence(&licence, "1", name, count);
        self.link(id, &licence, "a");
        self.snapshot.absences.insert(s(id), Absence::Confirmed);
        self
    }

    pub fn removed(&mut self, id: &str, zeroed: bool, deactivated: bool) -> &mut Self {
        self.links.get_mut(&s(id)).unwrap().removed =
            Some(Removed { at: Moment::UNIX_EPOCH, zeroed, deactivated });
        self
    }

    pub fn halo_field(&mut self, licence: &str, name: FieldName, value: Value) -> &mut Self {
        let found = self.snapshot.licences.iter_mut().find(|l| l.id == t(licence)).unwrap();
        if let Value::Active(active) = value {
            found.is_active = active;
        }
        found.fields.set(name, value);
        self
    }

    pub fn source_field(&mut self, sub: &str, name: FieldName, value: Value) -> &mut Self {
        self.snapshot.subscriptions.iter_mut().find(|w| w.id == s(sub)).unwrap().fields.set(name, value);
        self
    }

    pub fn marker(&self, entity: Entity, id: &str, installation: &Installation) -> Box<str> {
        let Policy { integration, account, .. } = &self.policy;
        marker(installation, *integration, account, entity, &s(id)).into()
    }

    pub fn plan(&self) -> Planned {
        let snapshot = self.snapshot.snapshot();
        plan::build(&snapshot, &self.mappings, |_| self.links.clone(), &self.policy()).into()
    }

    pub fn absent(&self) -> Vec<(SourceId, SourceId)> {
        let (snapshot, links) = (self.snapshot.snapshot(), self.links.clone());
        plan::absent(Entity::Subscriptions, &snapshot, links, &self.mappings, &self.policy())
    }

    pub fn row(&self, id: &str) -> Change {
        self.plan().row(id)
    }

    /// Carries a plan out on this world, as the engine and Halo would.
    pub fn apply(&mut self, planned: &Planned) {
        let mut made: BTreeMap<u32, TargetId> = BTreeMap::new();
        for change in &planned.changes {
            match change.entity {
                Entity::Customers => self.apply_customer(change, &mut made),
                Entity::Subscriptions => self.apply_subscription(change, &made),
                other => panic!("no marketplace has {other}"),
            }
        }
        self.policy.last = planned.last.clone();
    }

    fn apply_customer(&mut self, change: &Change, made: &mut BTreeMap<u32, TargetId>) {
        if change.action == Action::Unchanged && !change.owned.is_empty() {
            self.mappings.customers.get_mut(&change.source.id).unwrap().base = Some(change.owned.clone());
        }
        if !change.action.acts() {
            return;
        }
        let target = match change.action {
            Action::Create => {
                self.next += 1;
                let id = self.next.to_string();
                self.halo(&id, &change.source.name);
                t(&id)
            }
            _ => change.target.as_ref().unwrap().id.clone(),
        };
        let found = self.snapshot.halo_customers.iter_mut().find(|c| c.id == target).unwrap();
        for (name, value) in change.values().iter() {
            if name == FieldName::Name {
                found.name = Arc::from(value.to_string());
            }
            found.fields.set(name, value.clone());
        }
        let name = found.name.to_string();
        let entry = self.mappings.customers.entry(change.source.id.clone());
        let link = entry.or_insert_with(|| link(target.as_str(), None, &change.source.name, &name));
        link.base = Some(base_of(change));
        made.insert(change.row, target);
    }

    fn apply_subscription(&mut self, change: &Change, made: &BTreeMap<u32, TargetId>) {
        if change.action == Action::Unchanged && !change.owned.is_empty() {
            let link = self.links.get_mut(&change.source.id).unwrap();
            link.base = Some(change.owned.clone());
            link.removed = None;
        }
        if !change.action.acts() {
            return;
        }
        let customer = change
            .customer_target
            .clone()
            .or_else(|| change.after_row.and_then(|row| made.get(&row).cloned()))
            .expect("a subscription's row knows its Halo customer or the row that makes it");
        let target = match change.action {
            Action::Create => {
                self.next += 1;
                let id = self.next.to_string();
                let found = self.licence(&id, customer.as_str(), &change.source.name, 0);
                found.fields = Fields::new();
                t(&id)
            }
            _ => change.target.as_ref().unwrap().id.clone(),
        };
        let found = self.snapshot.licences.iter_mut().find(|l| l.id == target).unwrap();
        for (name, value) in change.values().iter() {
            match value {
                Value::Active(active) => found.is_active = *active,
                Value::Text(text) if name == FieldName::Name => found.name = Arc::from(&**text),
                _ => {}
            }
            found.fields.set(name, value.clone());
        }
        let name = found.name.to_string();
        let parent = change.customer.as_ref().map(|c| c.id.clone());
        let entry = self.links.entry(change.source.id.clone());
        let link = entry.or_insert_with(|| link(target.as_str(), parent, &change.source.name, &name));
        link.base = Some(base_of(change));
        link.source_name = Box::from(&*change.source.name);
        link.removed = change.action.is_removal().then(|| Removed {
            at: Moment::UNIX_EPOCH,
            zeroed: change.fields.iter().any(|f| f.name == FieldName::Quantity),
            deactivated: change.fields.iter().any(|f| f.name == FieldName::Status),
        });
    }
}

fn link(target: &str, parent: Option<SourceId>, source_name: &str, target_name: &str) -> Link {
    Link {
        target: t(target),
        parent,
        source_name: source_name.into(),
        target_name: target_name.into(),
        how: How::Manual,
        since: Moment::UNIX_EPOCH,
        base: None,
        removed: None,
        site: None,
    }
}

pub fn exclude(until: Option<&str>) -> Decision {
    Decision::Exclude { note: "own contract".into(), until: until.map(|day| day.parse().unwrap()) }
}

pub fn gbp() -> Option<Currency> {
    Currency::new("GBP")
}

/// A plan with all its rows opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub changes: Vec<Change>,
    pub outline: Outline,
    pub last: Last,
}

impl From<plan::Planned> for Planned {
    fn from(planned: plan::Planned) -> Self {
        let plan::Planned { rows, outline, last } = planned;
        Self { changes: rows.into_changes().collect(), outline, last }
    }
}

pub trait Rows {
    fn row(&self, id: &str) -> Change;
}

impl Rows for Planned {
    fn row(&self, id: &str) -> Change {
        let mut found = self.changes.iter().filter(|change| change.source.id == s(id));
        let change = found.next().unwrap_or_else(|| panic!("no row of {id}")).clone();
        assert!(found.next().is_none(), "two rows of {id}");
        assert!(!change.reasons.is_empty() && change.reasons.iter().all(|r| !r.is_empty()), "{change:?}");
        change
    }
}

pub trait Look {
    fn after(&self, name: FieldName) -> Option<Value>;
    fn cause(&self) -> Cause;
    fn why(&self) -> String;
}

impl Look for Change {
    fn after(&self, name: FieldName) -> Option<Value> {
        self.fields.iter().find(|f| f.name == name).and_then(|f| f.after.clone())
    }

    fn cause(&self) -> Cause {
        assert_eq!(self.action, Action::Held, "{self:?}");
        self.hold.as_ref().unwrap().cause.clone()
    }

    fn why(&self) -> String {
        self.reasons.join("; ")
    }
}
