//! The seeded data: what an MSP's marketplaces and Halo look like after some years of use.
//!
//! Three quarters of the marketplace customers have a partner of exactly the same name in Halo. The rest is the mess
//! that a first import meets: other legal forms, other capitals, two partners, inactive ones, none at all.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::catalogue::{
    Counts, PRODUCTS, Product, SEATS_FIRST, Subscription, TENANT, field, prices, service_name,
};
use super::halo::Halo;
use super::marketplace::Market;
use super::names::{Name, Names, street, vat};
use super::rng::Rng;
use super::schema::Entity;
use super::{Brand, Quirks, Size, liongard_world};

/// The servers' data.
#[derive(Debug)]
pub(super) struct Worlds {
    pub(super) halo: Halo,
    pub(super) also: Market,
    pub(super) westcoast: Market,
    pub(super) liongard: liongard_world::World,
}

impl Worlds {
    pub(super) fn empty() -> Self {
        Self {
            halo: Halo::empty(),
            also: Market::empty(Brand::Also),
            westcoast: Market::empty(Brand::Westcoast),
            liongard: liongard_world::World::empty(),
        }
    }

    pub(super) fn seeded(size: Size, seed: u64, quirks: &Quirks) -> Self {
        let mut worlds = Self::empty();
        worlds.halo.installation = seed;
        let mut names = Names::new(seed);
        let mut clients = Vec::new();
        let customers = size.customers();
        let shared = build(&mut worlds.also, Brand::Also, customers, seed, &mut names, &[], &mut clients);
        build(
            &mut worlds.westcoast,
            Brand::Westcoast,
            customers / 4,
            seed,
            &mut names,
            &shared,
            &mut clients,
        );
        for (brand, market, wanted) in [
            (Brand::Also, &mut worlds.also, quirks.also.sub_resellers),
            (Brand::Westcoast, &mut worlds.westcoast, quirks.westcoast.sub_resellers),
        ] {
            if wanted {
                below(market, brand, seed, &mut names);
            }
        }
        fill_halo(&mut worlds.halo, clients, customers, seed, &mut names);
        let in_halo = client_names(&worlds.halo);
        worlds.liongard =
            liongard_world::World::seeded(customers, customers * 20, seed, &in_halo, &mut names);
        known_assets(&mut worlds.halo, &worlds.liongard);
        worlds
    }
}

/// How a marketplace customer is known in Halo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partner {
    Exact,
    OtherForm,
    OtherCase,
    Twice,
    Inactive,
    /// Has the same name as another customer of the marketplace.
    Namesake,
    /// Another name, but the same VAT number and domain.
    SameVat,
    None,
    /// Terminated at the marketplace, with a partner.
    TerminatedExact,
    /// Terminated at the marketplace, unknown to Halo.
    TerminatedNew,
}

/// The share of each kind of partner in a thousand; the rest is new.
const SHARES: [(Partner, usize); 9] = [
    (Partner::Exact, 750),
    (Partner::OtherForm, 40),
    (Partner::OtherCase, 20),
    (Partner::Twice, 20),
    (Partner::Inactive, 20),
    (Partner::SameVat, 20),
    (Partner::Namesake, 5),
    (Partner::TerminatedExact, 15),
    (Partner::TerminatedNew, 10),
];

fn partners(count: usize, rng: &mut Rng) -> Vec<Partner> {
    let mut all: Vec<Partner> = SHARES
        .into_iter()
        .flat_map(|(partner, share)| std::iter::repeat_n(partner, (count * share / 1000).max(1)))
        .take(count)
        .collect();
    all.resize(count, Partner::None);
    rng.shuffle(&mut all);
    all
}

/// A customer that both marketplaces know.
struct Shared {
    name: String,
    domain: String,
    vat: String,
}

/// Fills one marketplace; adds the Halo clients that its customers need; returns some customers that can be shared.
fn build(
    market: &mut Market,
    brand: Brand,
    count: usize,
    seed: u64,
    names: &mut Names,
    shared: &[Shared],
    clients: &mut Vec<Value>,
) -> Vec<Shared> {
    let mut rng = Rng::of(seed, brand.name());
    let partners = partners(count, &mut rng);
    let sizes = subscription_counts(count, &mut rng);
    let mut subscriptions = Subscriptions::new(brand, market.own + 90_000, count * 8, &mut rng);
    let odd_every = (count / 6).max(4);
    let mut to_share = Vec::new();
    let mut last_exact = None;
    let mut shared = shared.iter();
    let first = market.own + 100;
    for (n, partner) in partners.into_iter().enumerate() {
        let id = first + n as i64;
        let may_be_odd = matches!(partner, Partner::Exact | Partner::None);
        let name = (may_be_odd && n % odd_every == 1).then(|| names.odd()).flatten();
        let name = name.unwrap_or_else(|| names.next(brand == Brand::Westcoast));
        let both = if partner == Partner::Exact && n % 10 == 0 { shared.next() } else { None };
        let (full, domain, vat) = match both {
            Some(both) => (both.name.clone(), both.domain.clone(), both.vat.clone()),
            None if partner == Partner::Namesake => (
                last_exact.clone().unwrap_or_else(|| name.full()),
                name.domain(),
                vat(&mut rng, name.seat.code),
            ),
            None => (name.full(), name.domain(), vat(&mut rng, name.seat.code)),
        };
        if partner == Partner::Exact {
            last_exact = Some(full.clone());
        }
        let terminated = matches!(partner, Partner::TerminatedExact | Partner::TerminatedNew);
        let address = street(&mut rng);
        let company = company(market.own, id, &full, &domain, &vat, &name, &address, terminated, &mut rng);
        market.insert_company(id, market.own, false, company.to_string());
        subscriptions.fill(market, id, sizes[n], terminated, name.seat.currency, &mut rng);
        if both.is_none() {
            add_partner(partner, &full, &domain, &vat, &name, &address, clients, &mut rng);
            if partner == Partner::Exact && name.seat.code == "GB" && to_share.len() < count / 4 {
                to_share.push(Shared { name: full, domain, vat });
            }
        }
    }
    market.shuffle_listing(&mut rng);
    to_share
}

#[expect(clippy::too_many_arguments, reason = "the facts of one invented company")]
fn company(
    own: i64,
    id: i64,
    name: &str,
    domain: &str,
    vat: &str,
    seat: &Name,
    address: &str,
    terminated: bool,
    rng: &mut Rng,
) -> Value {
    let sparse = rng.chance(0.1);
    let text = |value: &str| if sparse { Value::Null } else { Value::from(value) };
    json!({
        "ParentAccountId": own, "AccountId": id, "AccountState": if terminated { "Terminated" } else { "Active" },
        "AccountType": "Company", "CompanyName": name, "VATID": if rng.chance(0.15) { "" } else { vat },
        "Domain": if sparse { json!([]) } else { json!([domain]) },
        "BillingStartDate": date(rng, 2021, 4), "ContractId": "", "PurchaseOrderNumber": text("PO-7781"),
        "CustomerId": "", "NumericId": format!("{}", 1_000_000 + id), "Currency": seat.seat.currency,
        "Address": text(address), "City": text(seat.seat.town), "Country": seat.seat.country,
        "Zip": text(&seat.seat.postcode), "Email": text(&format!("accounts@{domain}")),
        "TechnicalEmail": text(&format!("it@{domain}")), "TechnicalContact": "", "ContactPerson": "",
        "Salesman": "sales@fernhill.example", "Marketplace": 501, "Marketplaces": [501], "CrefoNumber": "",
        "CompanyContractEndDate": null, "MPNId": "", "ReferenceNumber": "", "OnlineBillSplitByEndCustomer": false,
        "Language": "en", "Industry": "",
    })
}

#[expect(clippy::too_many_arguments, reason = "the facts of one invented company")]
fn add_partner(
    partner: Partner,
    full: &str,
    domain: &str,
    vat: &str,
    name: &Name,
    address: &str,
    clients: &mut Vec<Value>,
    rng: &mut Rng,
) {
    let client = |name_in_halo: String| {
        json!({
            "name": name_in_halo, "domain": domain, "tax_number": vat, "toplevel_id": 1,
            "default_currency_code": if name.seat.currency == "EUR" { 2 } else { 1 },
            "newclient_delivery_address": {
                "line1": address, "line3": name.seat.town, "postcode": name.seat.postcode,
            },
        })
    };
    match partner {
        Partner::Exact | Partner::TerminatedExact => {
            let mut one = client(full.to_owned());
            if rng.chance(0.3) {
                one["ref"] = format!("C-{:04}", clients.len() + 1).into();
            }
            clients.push(one);
        }
        Partner::OtherForm => clients.push(client(name.other_form())),
        Partner::OtherCase => clients.push(client(full.to_uppercase())),
        Partner::Twice => {
            clients.push(client(full.to_owned()));
            let mut second = client(full.to_owned());
            second["toplevel_id"] = 2.into();
            clients.push(second);
        }
        Partner::Inactive => {
            let mut one = client(full.to_owned());
            one["inactive"] = true.into();
            clients.push(one);
        }
        Partner::SameVat => {
            clients.push(client(format!("{} Group", name.seat.town.to_owned() + " " + &name.stem)));
        }
        Partner::None | Partner::Namesake | Partner::TerminatedNew => {}
    }
}

/// Exactly eight a customer on average, from none to some thirty.
fn subscription_counts(count: usize, rng: &mut Rng) -> Vec<usize> {
    let mut sizes: Vec<usize> = (0..count)
        .map(|n| match n % 20 {
            0 => 20 + rng.below(12),
            7 => 0,
            _ => 1 + rng.below(13),
        })
        .collect();
    let mut total: usize = sizes.iter().sum();
    while count > 0 && total != count * 8 {
        let at = rng.below(count);
        if total < count * 8 {
            sizes[at] += 1;
            total += 1;
        } else if sizes[at] > 1 {
            sizes[at] -= 1;
            total -= 1;
        }
    }
    sizes
}

/// What is out of the ordinary with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mess {
    Zero,
    Fraction,
    Absurd,
    NullQuantity,
    Pending,
    Failed,
    UnknownState,
    Terminated,
    Scheduled,
    Ending,
    ContractEndOnly,
    OtherCurrency,
    PriceUnknown,
}

impl Mess {
    fn needs_seats(self) -> bool {
        matches!(
            self,
            Self::Zero
                | Self::Fraction
                | Self::Absurd
                | Self::NullQuantity
                | Self::OtherCurrency
                | Self::PriceUnknown
        )
    }
}

/// Each with its share in a thousand; at least one of each where there is room.
const MESS: [(Mess, usize); 13] = [
    (Mess::Zero, 12),
    (Mess::Fraction, 1),
    (Mess::Absurd, 1),
    (Mess::NullQuantity, 2),
    (Mess::Pending, 8),
    (Mess::Failed, 3),
    (Mess::UnknownState, 3),
    (Mess::Terminated, 45),
    (Mess::Scheduled, 20),
    (Mess::Ending, 50),
    (Mess::ContractEndOnly, 30),
    (Mess::OtherCurrency, 5),
    (Mess::PriceUnknown, 5),
];

/// Writes the subscriptions of one marketplace, with the mess spread over them.
struct Subscriptions {
    brand: Brand,
    next: i64,
    mess: Vec<Option<Mess>>,
}

impl Subscriptions {
    fn new(brand: Brand, first: i64, count: usize, rng: &mut Rng) -> Self {
        let mut mess: Vec<Option<Mess>> = MESS
            .into_iter()
            .flat_map(|(mess, share)| std::iter::repeat_n(Some(mess), (count * share / 1000).max(1)))
            .take(count)
            .collect();
        // Tenants and the rows of terminated companies take none, so there are fewer places than rows.
        mess.resize(count * 3 / 4, None);
        rng.shuffle(&mut mess);
        Self { brand, next: first, mess }
    }

    fn fill(
        &mut self,
        market: &mut Market,
        company: i64,
        count: usize,
        terminated: bool,
        currency: &str,
        rng: &mut Rng,
    ) {
        let mut tenant = None;
        for n in 0..count {
            let id = self.next;
            self.next += 1;
            if n == 0 && count > 2 {
                tenant = Some(id);
                let mess = if terminated { Some(Mess::Terminated) } else { None };
                self.write(
                    market,
                    &TENANT,
                    id,
                    company,
                    (company, "Company", false),
                    None,
                    mess,
                    currency,
                    rng,
                );
                continue;
            }
            let mess = if terminated { Some(Mess::Terminated) } else { self.mess.pop().flatten() };
            // What is wrong with a count or a price shows only where there is one.
            let product = if mess.is_some_and(Mess::needs_seats) {
                rng.pick(&PRODUCTS[..SEATS_FIRST])
            } else {
                rng.pick(PRODUCTS)
            };
            let tenant = tenant.filter(|_| product.vendor == "Microsoft");
            let tenant_name = service_name(self.brand, &TENANT);
            let parent = match (tenant, rng.below(40)) {
                // Department and user ids are no companies of the list.
                (_, 0) => (company + 400_000, "Department", false),
                (_, 1) => (company + 500_000, "User", true),
                (Some(tenant), _) => (tenant, tenant_name.as_str(), false),
                (None, _) => (company, "Company", false),
            };
            self.write(market, product, id, company, parent, tenant, mess, currency, rng);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one invented subscription")]
    fn write(
        &self,
        market: &mut Market,
        product: &Product,
        id: i64,
        company: i64,
        (parent, parent_type, under_user): (i64, &str, bool),
        tenant: Option<i64>,
        mess: Option<Mess>,
        currency: &str,
        rng: &mut Rng,
    ) {
        let service = service_name(self.brand, product);
        let tenant_service = service_name(self.brand, &TENANT);
        let term = product.commitment >= 12;
        let currency = if mess == Some(Mess::OtherCurrency) { "USD" } else { currency };
        let fields = quantity_fields(product, mess, rng);
        let end = term.then(|| date(rng, 2026, 1));
        let row = Subscription {
            parent_account_id: parent,
            company_account_id: company,
            parent_type,
            account_id: id,
            account_state: match mess {
                Some(Mess::Terminated) => "Terminated",
                Some(Mess::UnknownState) => "Suspended",
                _ => "Active",
            },
            service_name: &service,
            service_display_name: product.display,
            vendor_display_name: product.vendor,
            contract_id: if term { "CT-2025-018" } else { "" },
            purchase_order_number: "",
            provisioning_status: match mess {
                Some(Mess::Pending) => "Pending",
                Some(Mess::Failed) => "Failed",
                _ => "Completed",
            },
            error_details: (mess == Some(Mess::Failed)).then_some("The domain could not be verified."),
            vendor_reference_id: Some(rng.guid()),
            second_vendor_reference_id: (!product.sku.is_empty()).then_some(product.sku),
            billing_start_date: date(rng, 2022, 4),
            contract_end_date: end
                .clone()
                .or_else(|| (mess == Some(Mess::ContractEndOnly)).then(|| date(rng, 2026, 2))),
            price_protection_end_date: end.clone(),
            advance_period_end_date: match mess {
                Some(Mess::ContractEndOnly) => None,
                Some(Mess::Ending) => Some(end.clone().unwrap_or_else(|| date(rng, 2026, 1))),
                _ => end.clone(),
            },
            advance_period_end_action: match mess {
                Some(Mess::ContractEndOnly) => None,
                Some(Mess::Ending) => Some("Terminate"),
                _ => term.then_some("Renew"),
            },
            scheduled_termination_date: (mess == Some(Mess::Scheduled)).then(|| date(rng, 2026, 1)),
            has_renew_action_values_configured: false,
            remaining_credit_limit: None,
            dependency_account_id: tenant,
            dependency_service_name: tenant.map(|_| tenant_service.as_str()),
            fields,
            renew_fields: Vec::new(),
            priceable_items: if mess == Some(Mess::PriceUnknown) {
                Vec::new()
            } else {
                prices(product, currency, 900_000 + id * 3)
            },
        };
        // A plain structure of texts and numbers always serialises.
        let text = serde_json::to_string(&row).unwrap_or_default();
        market.insert_subscription(id, company, parent, under_user, text);
    }
}

fn quantity_fields(product: &Product, mess: Option<Mess>, rng: &mut Rng) -> Vec<Value> {
    let quantity = match mess {
        Some(Mess::Zero) => json!(0),
        Some(Mess::Fraction) => json!(2.5),
        Some(Mess::Absurd) => json!(999_999_999_999_i64),
        Some(Mess::NullQuantity) => Value::Null,
        _ if rng.chance(0.03) => json!(100 + rng.below(900)),
        _ => json!(1 + rng.below(45)),
    };
    let as_text = |value: &Value| if value.is_null() { Value::Null } else { value.to_string().into() };
    let mut fields = match product.counts {
        Counts::Tenant => {
            return vec![field("Primarydomainname", "sandbox".into()), field("TenantID", rng.guid().into())];
        }
        Counts::Seats(unit) => vec![field(unit, quantity)],
        Counts::SeatsAsText(unit) => vec![field(unit, as_text(&quantity))],
        Counts::Two(first, second) => vec![field(first, quantity), field(second, json!(rng.below(500)))],
        Counts::Flat => vec![],
        Counts::Usage => vec![field("OfferId", product.sku.into())],
    };
    if product.commitment >= 12 && product.vendor == "Microsoft" {
        fields.push(field("BillingType", "Prepaid (with 1-year commitment) - P1Y".into()));
        fields.push(field("Subscriptionstatus", "active".into()));
    }
    fields
}

/// Two resellers below the own one, with three customers each.
fn below(market: &mut Market, brand: Brand, seed: u64, names: &mut Names) {
    let mut rng = Rng::of(seed, "below");
    for n in 0..2 {
        let reseller = market.own + 700_000 + n * 1000;
        market.reseller(reseller, market.own, &names.next(true).full());
        let mut subscriptions = Subscriptions { brand, next: reseller + 500, mess: Vec::new() };
        for c in 1..=3 {
            let name = names.next(true);
            let (id, domain, vat) = (reseller + c, name.domain(), vat(&mut rng, "GB"));
            let address = street(&mut rng);
            let row = company(reseller, id, &name.full(), &domain, &vat, &name, &address, false, &mut rng);
            market.insert_company(id, reseller, false, row.to_string());
            subscriptions.fill(market, id, 4, false, "GBP", &mut rng);
        }
    }
}

/// Halo: the partners of both marketplaces, a tenth of its own, and a few licences that people typed in.
fn fill_halo(halo: &mut Halo, mut clients: Vec<Value>, customers: usize, seed: u64, names: &mut Names) {
    let mut rng = Rng::of(seed, "halo");
    for n in 0..(customers / 10).max(2) {
        let name = names.next(true);
        clients.push(json!({
            "name": name.full(), "domain": name.domain(), "toplevel_id": if n % 7 == 3 { 2 } else { 1 },
            "customertype": *[1, 2, 1, 3].get(n % 4).unwrap_or(&1),
            "inactive": n % 9 == 4, "newclient_delivery_address": {"line1": street(&mut rng), "line3": name.seat.town},
        }));
    }
    rng.shuffle(&mut clients);
    let mut ids = Vec::new();
    for client in &clients {
        if let Some(id) = put(halo, Entity::Client, client) {
            ids.push((id, client["inactive"] == true));
        }
    }
    for (id, _) in ids.iter().filter(|(id, _)| id % 12 == 0) {
        put(
            halo,
            Entity::Site,
            &json!({
                "name": "Warehouse", "client_id": id,
                "delivery_address": {"line1": street(&mut rng), "line3": "Leeds", "postcode": "LS2 2BB"},
            }),
        );
    }
    let active: Vec<i64> = ids.iter().filter(|(_, inactive)| !inactive).map(|(id, _)| *id).collect();
    for asset in super::fleet::assets(&active, seed) {
        put(halo, Entity::Asset, &asset);
    }
    let mut had = HashSet::new();
    for n in 0..(customers / 12).max(3) {
        let client = *rng.pick(&active);
        if !had.insert(client) {
            continue;
        }
        // The second has the name of a marketplace product, yet is nobody's but the person's who typed it.
        let (name, vendor) = *[
            ("Sage 50 Accounts Professional", "Sage"),
            ("Microsoft 365 Business Premium (NCE)", "Microsoft"),
            ("Line of business support", ""),
        ]
        .get(n % 3)
        .unwrap_or(&("", ""));
        put(
            halo,
            Entity::Licence,
            &json!({
                "name": name, "client_id": client, "site_id": -1, "count": 1 + rng.below(20), "type": n % 2,
                "price": 24.5, "purchase_price": 19.0, "vendor": vendor, "notes": "Entered by hand",
                "start_date": "2024-04-01T00:00:00",
            }),
        );
    }
}

fn client_names(halo: &Halo) -> Vec<String> {
    let clients = halo.table(Entity::Client);
    clients.live.iter().map(|id| clients.rows[id].text(Entity::Client, "name").to_owned()).collect()
}

/// Some machines that Liongard finds were typed into Halo years ago: the serial is right, the rest is old.
fn known_assets(halo: &mut Halo, liongard: &liongard_world::World) {
    let clients = halo.table(Entity::Client);
    let by_name: HashMap<String, i64> = clients
        .live
        .iter()
        .map(|id| (clients.rows[id].text(Entity::Client, "name").to_owned(), *id))
        .collect();
    let mut made = 0;
    for (environment, known) in &liongard.environments {
        let Some(client) = by_name.get(&known.name) else { continue };
        for (at, id) in liongard.systems_of(*environment).enumerate() {
            let Some(machine) = liongard.machine(id).filter(|_| at % 3 == 0 && made < 3000) else { continue };
            let kind = match machine.inspector {
                Some(90) => 130,
                Some(25) => 131,
                _ => continue,
            };
            made += 1;
            put(
                halo,
                Entity::Asset,
                &json!({
                    "client_id": client, "assettype_id": kind, "inventory_number": format!("IT-{made:05}"),
                    "inactive": made % 50 == 9, "fields": [
                        {"id": 101, "value": machine.name}, {"id": 117, "value": machine.fact("serial")},
                        {"id": 119, "value": "Windows 10"}, {"id": 126, "value": 1 + made % 2},
                    ],
                }),
            );
        }
    }
}

fn put(halo: &mut Halo, entity: Entity, value: &Value) -> Option<i64> {
    let value: &Map<String, Value> = value.as_object()?;
    halo.save(entity, value, 0, Duration::ZERO, true).ok().map(|(id, _)| id)
}

/// A date in one of some years from `first`, with the fractions that .NET leaves.
fn date(rng: &mut Rng, first: usize, years: usize) -> String {
    let (year, month, day) = (first + rng.below(years), 1 + rng.below(12), 1 + rng.below(28));
    let clock = *rng.pick(&["T00:00:00", "T10:41:55.313", "T09:20:11.03", "T23:00:00"]);
    format!("{year:04}-{month:02}-{day:02}{clock}")
}
