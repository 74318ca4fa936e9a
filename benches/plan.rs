//! Planning a large tenant in which nothing has changed: 10,000 customers, 80,000 subscriptions.

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::{AllocProfiler, Bencher};
use parhelion::integrations;
use parhelion::model::pile::Gathered;
use parhelion::model::settings::{Marketplace, Safety};
use parhelion::model::{
    Amount, Count, Entity, FieldName, Fields, Found, How, Installation, Integration, Link, MatchKeys, Moment,
    SourceId, TargetId, Value, Verdict, Wanted,
};
use parhelion::plan::snapshot::{Completeness, Lines, Mappings, Reading, Snapshot};
use parhelion::plan::{self, Last, Policy};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const CUSTOMERS: i64 = 10_000;
const EACH: i64 = 8;

struct Tenant {
    snapshot: Snapshot,
    mappings: Mappings,
    links: BTreeMap<SourceId, Link>,
    policy: Policy,
}

fn fields(name: &str) -> Fields {
    Fields::new()
        .with(FieldName::Name, Value::text(name))
        .with(FieldName::Status, Value::Active(true))
        .with(FieldName::Quantity, Value::Count(Count::new(12).unwrap_or(Count::ZERO)))
        .with(FieldName::Price, Value::Amount(Amount::new(rust_decimal::Decimal::new(1527, 2))))
}

fn wanted(id: SourceId, name: &str, parent: Option<SourceId>) -> Wanted {
    Wanted {
        id,
        name: Arc::from(name),
        fields: if parent.is_some() {
            fields(name)
        } else {
            Fields::new().with(FieldName::Name, Value::text(name))
        },
        parent,
        verdict: Verdict::Take,
        keys: MatchKeys::default(),
        currency: None,
        notes: vec!["end date from ContractEndDate".into()],
    }
}

fn found(id: TargetId, name: &str, parent: Option<TargetId>) -> Found {
    Found {
        id,
        name: Arc::from(name),
        fields: if parent.is_some() { fields(name) } else { Fields::new() },
        parent,
        is_active: true,
        marker: None,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

fn link(target: TargetId, parent: Option<SourceId>, name: &str) -> Link {
    Link {
        target,
        base: parent.is_some().then(|| fields(name)),
        parent,
        source_name: name.into(),
        target_name: name.into(),
        how: How::Exact,
        since: Moment::UNIX_EPOCH,
        removed: None,
        site: None,
    }
}

fn tenant(is_mapped: bool) -> Tenant {
    let mut tenant = Tenant {
        snapshot: Snapshot::default(),
        mappings: Mappings::default(),
        links: BTreeMap::new(),
        policy: Policy {
            integration: Integration::Also,
            account: "cloud.also.com".into(),
            installation: Installation::from_random([1; 8]),
            rules: integrations::marketplace::rules(&Marketplace::default()),
            safety: Safety::default(),
            entities: Integration::Also.entities().to_vec(),
            scheduled: true,
            allow_removals: false,
            now: Moment::UNIX_EPOCH,
            today: jiff::civil::date(2026, 1, 1),
            frozen: None,
            released: BTreeMap::new(),
            approved_once: Integration::Also.entities().iter().copied().collect(),
            last: Last::default(),
        },
    };
    let Tenant { snapshot, mappings, links, .. } = &mut tenant;
    let (mut here, mut there) = (Gathered::default(), Gathered::default());
    for n in 0..CUSTOMERS {
        let (id, target) = (SourceId::from(310_000 + n), TargetId::from(n + 1));
        let name = format!("Customer {n} Ltd");
        snapshot.customers.push(wanted(id.clone(), &name, None));
        if is_mapped {
            snapshot.partners.push(found(target.clone(), &name, None));
            mappings.customers.insert(id.clone(), link(target.clone(), None, &name));
        }
        for m in 0..EACH {
            let (sub, licence) = (SourceId::from(400_000 + n * EACH + m), TargetId::from(n * EACH + m + 1));
            let name = format!("Product {m}");
            here.push(&wanted(sub.clone(), &name, Some(id.clone())));
            if is_mapped {
                there.push(&found(licence.clone(), &name, Some(target.clone())));
                links.insert(sub, link(licence, Some(id.clone()), &name));
            }
        }
    }
    let read = Reading::Whole(Completeness::default());
    let lines = Lines { read, wanted: here.sorted(), found: there.sorted(), ..Lines::default() };
    snapshot.lines.insert(Entity::Subscriptions, lines);
    tenant
}

fn build(tenant: &Tenant) -> plan::Planned {
    let links = |_| tenant.links.iter().map(|(id, link)| (id.clone(), link.clone()));
    plan::build(&tenant.snapshot, &tenant.mappings, links, &tenant.policy)
}

#[divan::bench(sample_count = 5)]
fn unchanged(bencher: Bencher) {
    let tenant = tenant(true);
    bencher.bench_local(|| build(&tenant));
}

#[divan::bench(sample_count = 5)]
fn first_import(bencher: Bencher) {
    let tenant = tenant(false);
    bencher.bench_local(|| build(&tenant));
}

#[divan::bench(sample_count = 5)]
fn hash(bencher: Bencher) {
    let planned = build(&tenant(true));
    bencher.bench_local(|| plan::hash(&planned.outline, planned.rows.changes()));
}
