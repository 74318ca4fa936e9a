//! The lifecycle workspace: each step of the guide by the test that proves it, where the step is pure
//! (`lifecycle-workspace.md` section 5), and the rules of section 8.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::{Date, date};
use parhelion::lifecycle::age::{self, Age, AgeBucket, DateFault, Warranty, WarrantyBucket};
use parhelion::lifecycle::assess::Judge;
use parhelion::lifecycle::budget::{FiscalYear, replacement};
use parhelion::lifecycle::class::{self, Budget, Class, TypePolicy, parse_amount};
use parhelion::lifecycle::column::{Column, Headed};
use parhelion::lifecycle::company::{self, Company, Filter, HaloCompany, Step};
use parhelion::lifecycle::configuration::{Configuration, DateField, DateSource, Dates, Local, LocalDate};
use parhelion::lifecycle::export::{Format, export};
use parhelion::lifecycle::grade::{self, GradeRule, Tone};
use parhelion::lifecycle::report::{self, Head, Opens, Report, ReportId, State};
use parhelion::lifecycle::rule::Tests;
use parhelion::lifecycle::setup::{self, Facts, Progress, Right};
use parhelion::lifecycle::summary::Gap;
use parhelion::lifecycle::template::{self, Mode, Template};
use parhelion::lifecycle::term::{self, HaloTerm, Sync, Term, TermChange};
use parhelion::lifecycle::warranty::{self, BackVerdict, Policies, Policy, SerialIndex, Verdict, WriteBack};
use parhelion::lifecycle::workspace::Workspace;
use parhelion::lifecycle::{AREAS, NOTICE, Offered};
use parhelion::model::{Currency, Moment};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 21);

fn company() -> Company {
    Company {
        id: 1,
        name: "Alder & Finch Ltd".into(),
        halo: Some(101),
        kind: None,
        status: None,
        active: true,
        managed: true,
        notes: String::new(),
        first_month: None,
    }
}

/// A laptop bought that many months before today.
fn laptop(id: i64, months_old: Option<u32>, expires: Option<Date>) -> Configuration {
    Configuration {
        id,
        name: format!("LT-{id:04}"),
        kind: "Laptop".into(),
        status: "Active".into(),
        serial: format!("5CG{id:07}"),
        dates: Dates {
            purchase: months_old.map(|months| months_before(TODAY, months)),
            expiration: expires,
            ..Dates::default()
        },
        ..Configuration::default()
    }
}

fn months_before(day: Date, months: u32) -> Date {
    use jiff::ToSpan as _;
    day.checked_sub(i64::from(months).months()).unwrap()
}

fn head() -> Head {
    Head {
        id: ReportId(1),
        company: 1,
        halo: Some(101),
        name: "Alder & Finch Ltd".into(),
        state: State::Draft,
        created: Moment::UNIX_EPOCH,
        completed: None,
    }
}

fn amount(text: &str) -> parhelion::model::Amount {
    parse_amount(text, None).unwrap()
}

fn class(name: &str, hardware: &str, rule: &str) -> Class {
    Class {
        kind: "Laptop".into(),
        name: name.into(),
        budget: Budget {
            hardware: amount(hardware),
            setup: amount("150"),
            onsite: amount("75.50"),
            recurring: amount("10"),
        },
        life_months: 48,
        rule: rule.parse().unwrap(),
    }
}

fn workspace() -> Workspace {
    Workspace {
        classes: vec![class("Premium", "1800", "model~pro"), class("Basic", "900", "always")],
        currency: Currency::new("GBP"),
        ..Workspace::default()
    }
}

fn report_of(workspace: &Workspace, configurations: &[(Configuration, Option<Local>)], mode: Mode) -> Report {
    report::draft(&Judge::new(workspace, TODAY), head(), &company(), configurations, mode)
}

fn plain(configurations: impl IntoIterator<Item = Configuration>) -> Vec<(Configuration, Option<Local>)> {
    configurations.into_iter().map(|c| (c, None)).collect()
}

fn grade_of(configuration: &Configuration) -> String {
    let workspace = Workspace::default();
    Judge::new(&workspace, TODAY).assess(&company(), configuration, None).grade.name.to_owned()
}

// Step 1

#[test]
fn step_1_the_area_list_matches_the_guide_and_nothing_greyed_out_claims_to_work() {
    let working: Vec<_> = AREAS.iter().filter(|a| a.offered == Offered::Works).map(|a| a.name).collect();
    assert_eq!(
        working,
        [
            "Companies",
            "Company types",
            "Company statuses",
            "Configuration types",
            "Configuration statuses",
            "Configurations"
        ]
    );
    for not in ["Tickets", "Projects", "Agreements", "Opportunities"] {
        assert!(AREAS.iter().any(|area| area.name == not && area.offered == Offered::Not), "{not}");
    }
    assert!(NOTICE.contains("local") && NOTICE.contains("nothing here is written to strategyoverview.com"));
}

// Steps 6 and 7

fn halo(id: &str, name: &str) -> HaloTerm {
    HaloTerm { id: id.into(), name: name.into() }
}

fn local(id: u32, name: &str, halo: Option<HaloTerm>) -> Term {
    Term { id, name: name.into(), halo, gone: false }
}

#[test]
fn step_6_a_rename_in_halo_is_followed_and_undo_restores() {
    let before = vec![local(1, "Client", Some(halo("7", "Client")))];
    let changes = term::follow(&before, &[halo("7", "Customer")], Sync::MappedOnly);
    assert_eq!(changes[0].sentence(), "'Client' becomes 'Customer', as Halo calls it now");
    let (after, _) = term::apply(&before, &changes);
    assert_eq!((after[0].id, after[0].name.as_str()), (1, "Customer"));
    assert_eq!(term::follow(&after, &[halo("7", "Customer")], Sync::Full), []);
    // The trail keeps the list whole, before and after: taking the old one again is the undo.
    let mut workspace = Workspace { types: after, ..Workspace::default() };
    workspace.take(parhelion::lifecycle::workspace::Edit::Types(before.clone()));
    assert_eq!(workspace.types, before);
}

#[test]
fn mapping_by_hand_shows_the_rename_and_two_to_one_needs_a_word() {
    let before = vec![local(1, "Client", None), local(2, "Customer", Some(halo("7", "Customer")))];
    let refused = term::map(&before, 1, halo("7", "Customer"), false).unwrap_err();
    assert!(refused.contains("mapped to 'Customer' already"), "{refused}");
    let changes = term::map(&before, 1, halo("7", "Customer"), true).unwrap();
    assert_eq!(changes[0].sentence(), "'Client' becomes 'Customer', as Halo calls it");
    let (after, merged) = term::apply(&before, &changes);
    assert_eq!((after.len(), after[0].name.as_str(), merged), (1, "Customer", vec![(2, 1)]));
}

#[test]
fn create_unmapped_maps_an_exact_name_and_creates_the_rest_once() {
    let before = vec![local(1, "Client", None), local(2, "Prospect", None)];
    let from_halo = [halo("7", "Client"), halo("8", "Supplier")];
    let changes = term::create_unmapped(&before, &from_halo);
    assert!(matches!(&changes[0], TermChange::Map { id: 1, .. }), "{changes:?}");
    assert!(matches!(&changes[1], TermChange::Create { halo } if halo.name == "Supplier"));
    let (after, _) = term::apply(&before, &changes);
    assert_eq!(after.len(), 3);
    assert_eq!(term::create_unmapped(&after, &from_halo), [], "twice: nothing new");
}

#[test]
fn a_type_that_halo_lost_is_kept_flagged_and_comes_back() {
    let before = vec![local(1, "Client", Some(halo("7", "Client")))];
    let (gone, _) = term::apply(&before, &term::follow(&before, &[], Sync::Full));
    assert!(gone[0].gone && gone.len() == 1);
    let (back, _) = term::apply(&gone, &term::follow(&gone, &[halo("7", "Client")], Sync::Full));
    assert!(!back[0].gone);
}

#[test]
fn only_mapped_types_follow_when_full_sync_is_off() {
    assert_eq!(term::follow(&[], &[halo("7", "Client")], Sync::MappedOnly), []);
    assert_eq!(term::follow(&[], &[halo("7", "Client")], Sync::Full).len(), 1);
}

#[test]
fn step_7_an_inactive_client_flips_its_local_status_at_the_next_sync() {
    let (statuses, _) = term::apply(&[], &term::create_unmapped(&[], &company::halo_statuses()));
    let mapped = company::as_halo(company(), &customer(101, "Alder & Finch Ltd", None, true), &[], &statuses);
    let steps = company::load(
        &[mapped],
        &[customer(101, "Alder & Finch Ltd", None, false)],
        (&[], &statuses),
        &Filter::default(),
        None,
        true,
    );
    let [Step::Follow { after, changed }] = &steps[..] else { panic!("{steps:?}") };
    assert!(!after.active && after.status == Some(2));
    assert_eq!(
        (changed[0].field, changed[0].before.as_str(), changed[0].after.as_str()),
        ("status", "active", "inactive")
    );
}

// Step 8

fn customer(id: i64, name: &str, kind: Option<&str>, active: bool) -> HaloCompany {
    HaloCompany { id, name: name.into(), kind: kind.map(|kind| halo(kind, kind)), active }
}

fn default_filter() -> Filter {
    Filter { not_types: vec!["Lead".into(), "Vendor".into()], ..Filter::default() }
}

fn load(local: &[Company], from: &[HaloCompany], cap: Option<usize>) -> Vec<Step> {
    company::load(local, from, (&[], &[]), &default_filter(), cap, true)
}

#[test]
fn step_8_leads_and_vendors_stay_out_by_default_and_a_second_load_does_not_duplicate() {
    let from = [
        customer(101, "Alder & Finch Ltd", Some("Customer"), true),
        customer(102, "Cold Lead", Some("lead"), true),
        customer(103, "Parts Ltd", Some("Vendor"), true),
        customer(104, "Gone Ltd", Some("Customer"), false),
    ];
    let steps = load(&[], &from, None);
    assert!(matches!(&steps[0], Step::Create { halo } if halo.id == 101));
    for (step, why) in
        steps[1..].iter().zip(["type 'lead' stays out", "type 'Vendor' stays out", "inactive in Halo"])
    {
        assert!(matches!(step, Step::Skip { why: own, .. } if own == why), "{step:?}");
    }
    let again = load(&[company()], &from, None);
    assert!(matches!(&again[0], Step::Follow { changed, .. } if changed.is_empty()), "{again:?}");
}

/// S16: each filter leaves out what it names, and says why.
#[test]
fn step_8_each_filter_leaves_out_what_it_says() {
    use company::{MappingFilter, StatusFilter};
    let client = customer(1, "Alder", Some("Customer"), true);
    let lead = customer(2, "Beech", Some("Lead"), true);
    let gone = customer(3, "Cedar", Some("Customer"), false);
    let plain = customer(4, "Damson", None, true);
    let why = |filter: &Filter, halo: &HaloCompany, mapped| filter.excludes(halo, mapped);
    let chosen = Filter { types: vec![" lead ".into()], ..default_filter() };
    assert_eq!(why(&chosen, &lead, false), None, "chosen by name, whatever the case");
    assert_eq!(why(&chosen, &client, false).as_deref(), Some("type 'Customer' is not among the chosen ones"));
    assert_eq!(why(&chosen, &plain, false).as_deref(), Some("has no type, and only chosen types are taken"));
    assert_eq!(why(&default_filter(), &lead, false).as_deref(), Some("type 'Lead' stays out"));
    assert_eq!(why(&default_filter(), &plain, false), None);
    let status = |status| Filter { status, ..default_filter() };
    assert_eq!(why(&status(StatusFilter::Active), &gone, false).as_deref(), Some("inactive in Halo"));
    assert_eq!(why(&status(StatusFilter::Inactive), &client, false).as_deref(), Some("active in Halo"));
    assert_eq!(why(&status(StatusFilter::All), &gone, false), None);
    let mapping = |mapping| Filter { mapping, ..default_filter() };
    assert_eq!(why(&mapping(MappingFilter::Mapped), &client, false).as_deref(), Some("not mapped"));
    assert_eq!(why(&mapping(MappingFilter::Unmapped), &client, true).as_deref(), Some("mapped already"));
    assert_eq!(why(&mapping(MappingFilter::All), &client, true), None);
}

#[test]
fn an_exact_name_maps_by_itself_two_of_them_wait() {
    let unmapped = Company { halo: None, ..company() };
    let from = [customer(101, "Alder & Finch Ltd", None, true)];
    assert!(matches!(load(std::slice::from_ref(&unmapped), &from, None)[0], Step::Map { id: 1, .. }));
    let twin = Company { id: 2, ..unmapped.clone() };
    assert!(matches!(load(&[unmapped, twin], &from, None)[0], Step::Held { .. }));
}

#[test]
fn the_cap_on_managed_clients_holds_what_goes_over_it() {
    let from = [customer(201, "Birch", None, true), customer(202, "Cedar", None, true)];
    let steps = load(&[company()], &from, Some(2));
    assert!(matches!(steps[0], Step::Create { .. }));
    assert!(matches!(&steps[1], Step::Held { why, .. } if why.contains("the cap is 2")), "{steps:?}");
}

#[test]
fn a_company_is_missing_only_from_a_complete_list() {
    let missing = |complete| company::load(&[company()], &[], (&[], &[]), &Filter::default(), None, complete);
    assert_eq!(missing(true), [Step::Missing { id: 1 }]);
    assert_eq!(missing(false), []);
}

// Ages (S19d)

#[test]
fn age_is_counted_from_purchase_else_install_else_unknown() {
    let both =
        Dates { purchase: Some(date(2024, 11, 21)), install: Some(date(2025, 1, 1)), ..Dates::default() };
    assert_eq!(age::age(&both, &[], TODAY).months(), Some(24));
    let install = Dates { install: Some(date(2025, 11, 22)), ..Dates::default() };
    assert!(matches!(
        age::age(&install, &[], TODAY),
        Age::Known { months: 11, by: DateField::InstallDate, .. }
    ));
    assert_eq!(age::age(&Dates::default(), &[], TODAY), Age::Unknown);
    assert_eq!(age::months_between(date(2026, 1, 31), date(2026, 2, 28)), 1);
}

#[test]
fn dates_in_the_future_and_absurd_ones_are_put_aside_and_the_age_is_unknown() {
    for (purchase, is_future) in [(date(2027, 1, 1), true), (date(1980, 1, 1), false)] {
        let configuration = Configuration {
            dates: Dates { purchase: Some(purchase), install: Some(date(2025, 1, 1)), ..Dates::default() },
            ..laptop(1, None, None)
        };
        let workspace = Workspace::default();
        let assessment = Judge::new(&workspace, TODAY).assess(&company(), &configuration, None);
        assert_eq!(assessment.age, Age::Unknown, "{purchase}");
        assert_eq!(assessment.dates.purchase, None);
        assert_eq!(matches!(assessment.faults[0], DateFault::Future { .. }), is_future);
    }
    let (usable, faults) = age::sift(Dates { expiration: Some(date(2099, 1, 1)), ..Dates::default() }, TODAY);
    assert!(usable.is_empty() && matches!(faults[0], DateFault::Absurd { .. }));
    let (usable, faults) =
        age::sift(Dates { warranty_start: Some(TODAY), expiration: Some(TODAY), ..Dates::default() }, TODAY);
    assert!(usable.is_empty() && matches!(faults[0], DateFault::Order { .. }));
}

#[test]
fn unknown_is_a_bucket_of_its_own_and_counts_against_the_score() {
    let report = report_of(
        &workspace(),
        &plain([laptop(1, None, None), laptop(2, Some(3), Some(date(2028, 1, 1)))]),
        Mode::Display,
    );
    assert_eq!((report.summary.age(AgeBucket::Unknown), report.summary.age(AgeBucket::Under1)), (1, 1));
    assert_eq!(report.summary.warranty(WarrantyBucket::Unknown), 1);
    assert_eq!(report.summary.quality.score(), Some(75), "6 of 8 facts");
    assert_eq!(
        report.rows.iter().find(|row| row.id == 1).unwrap().gaps,
        [Gap::PurchaseDate, Gap::ExpirationDate]
    );
    assert_eq!(report.summary.undated.count, 1, "in no budget year");
}

// Step 10: grades and templates

#[test]
fn step_10_default_grades_are_ours_and_the_first_rule_that_fits_counts() {
    let late = Some(date(2029, 1, 1));
    for (age, expires, grade) in [
        (Some(12), late, "Healthy"),
        (Some(35), Some(date(2027, 6, 1)), "Healthy"),
        (Some(36), late, "Watch"),
        (Some(12), Some(date(2027, 3, 1)), "Watch"),
        (Some(48), late, "Plan"),
        (Some(12), Some(date(2026, 11, 20)), "Plan"),
        (Some(60), late, "Replace"),
        (Some(90), Some(date(2020, 1, 1)), "Replace"),
        (None, None, "Unknown"),
        (None, late, "Unknown"),
        (Some(12), None, "Unknown"),
        // Known to be old, whatever else is missing.
        (Some(60), None, "Replace"),
    ] {
        assert_eq!(grade_of(&laptop(1, age, expires)), grade, "{age:?} {expires:?}");
    }
    let old_os = Configuration { os: "Windows 10 Pro".into(), ..laptop(1, Some(6), late) };
    assert_eq!(grade_of(&old_os), "Replace");
    assert!(Workspace::default().grades_are_ours);
    assert!(grade::DEFAULT_LABEL.contains("Parhelion"));
}

#[test]
fn grade_rules_are_ordered_and_checked() {
    let rule =
        |grade: &str, tone, when: &str| GradeRule { grade: grade.into(), tone, when: when.parse().unwrap() };
    let rules = vec![
        rule("Keep", Tone::Healthy, "model~ThinkPad, age<72"),
        rule("Renew", Tone::Replace, "age>=48"),
        rule("Renew", Tone::Replace, "ram<8192"),
    ];
    assert_eq!(grade::check(&rules), Ok(()));
    let workspace = Workspace { grades: rules.clone(), ..Workspace::default() };
    let judge = Judge::new(&workspace, TODAY);
    let graded = |c: &Configuration| judge.assess(&company(), c, None).grade.name.to_owned();
    let thinkpad = Configuration { model: "Lenovo thinkpad T14".into(), ..laptop(1, Some(50), None) };
    assert_eq!(graded(&thinkpad), "Keep");
    assert_eq!(graded(&laptop(2, Some(50), None)), "Renew");
    assert_eq!(graded(&Configuration { ram: "4 GB".into(), ..laptop(3, Some(5), None) }), "Renew");
    assert_eq!(graded(&laptop(4, Some(5), None)), "Unknown");
    assert!(grade::check(&[]).is_err());
    assert!(
        grade::check(&[rule("All", Tone::Plan, "always"), rules[0].clone()])
            .unwrap_err()
            .contains("fits everything")
    );
    assert!(grade::check(&[rule("A", Tone::Plan, "age<1"), rule("A", Tone::Watch, "age>=1")]).is_err());
    assert!("age>60".parse::<Tests>().unwrap_err().contains("age>=60"), "says what a test looks like");
}

/// Rules that contradict themselves or an earlier one would never count: each is refused by its number and grade.
#[test]
fn grade_rules_that_can_never_count_are_refused_with_the_reason() {
    let rules = |whens: &[&str]| -> Vec<GradeRule> {
        let rule = |(at, when): (usize, &&str)| GradeRule {
            grade: format!("G{}", at + 1),
            tone: Tone::Plan,
            when: when.parse().unwrap(),
        };
        whens.iter().enumerate().map(rule).collect()
    };
    for never in [
        "age>=60, age<36",
        "age<0",
        "age=unknown, age>=1",
        "warranty=over, warranty>=1",
        "warranty<6, warranty>=6",
        "warranty=unknown, warranty<6",
        "ram<0",
    ] {
        let why = grade::check(&rules(&[never])).unwrap_err();
        assert!(why.starts_with("rule 1 ('G1') can never fit"), "{never}: {why}");
    }
    for (first, second) in [
        ("age>=36", "age>=60"),
        ("age>=36", "age>=36"),
        ("warranty<12", "warranty=over"),
        ("warranty<12", "warranty<6, age>=10"),
        ("model~pro", "model~MacBook Pro"),
        ("ram<8192", "ram<4096, always"),
    ] {
        let why = grade::check(&rules(&[first, second])).unwrap_err();
        assert!(why.contains("rule 2 ('G2') would never count: rule 1 ('G1')"), "{second}: {why}");
        assert_eq!(
            grade::check(&rules(&[second, first])).is_ok(),
            first != second,
            "{second} first is an order"
        );
    }
    for (first, second) in
        [("age>=60", "warranty=over"), ("age>=60, model~pro", "age>=60"), ("name~pro", "model~pro")]
    {
        assert_eq!(grade::check(&rules(&[first, second])), Ok(()), "{first}; {second}");
    }
    assert_eq!(grade::check(&grade::default_rules()), Ok(()));
    assert_eq!(grade::check(&grade::default_rules_that_warn()), Ok(()));
    let mut hostile = rules(&["always"]);
    hostile[0].grade = "Red\u{1b}[31m".into();
    assert!(grade::check(&hostile).unwrap_err().contains("the grade of rule 1"));
}

/// P70: so many months before the end of the life or of the warranty the test `warning` holds; without a policy never.
#[test]
fn the_warning_period_of_a_type_warns_before_its_life_or_its_warranty_ends() {
    let of = |policy: TypePolicy| {
        let mut workspace = Workspace::default();
        workspace.take(parhelion::lifecycle::workspace::Edit::Policies(vec![policy]));
        workspace
    };
    let with =
        |months, company| of(TypePolicy { warning_months: months, ..TypePolicy::of("Laptop", company) });
    let graded = |workspace: &Workspace, configuration: &Configuration| {
        let judge = Judge::new(workspace, TODAY);
        let assessment = judge.assess(&company(), configuration, None);
        (assessment.grade.name.to_owned(), judge.reason(configuration, &assessment))
    };
    let none = Workspace::default();
    // Bought 30 months ago, under warranty for 20 more: healthy, and to be replaced in 30 months.
    let fresh = laptop(1, Some(30), Some(date(2028, 8, 1)));
    assert_eq!(graded(&none, &fresh).0, "Healthy");
    assert_eq!(graded(&with(20, None), &fresh).0, "Healthy");
    assert_eq!(graded(&with(21, None), &fresh), ("Watch".into(), "warranty until 2028-08-01".into()));
    assert_eq!(graded(&with(31, None), &fresh), ("Watch".into(), "to be replaced on 2029-05-21".into()));
    assert_eq!(graded(&with(31, Some(1)), &fresh).0, "Watch", "for this company");
    assert_eq!(graded(&with(31, Some(2)), &fresh).0, "Healthy", "and for no other");
    let shorter = TypePolicy { life_months: 31, warning_months: 2, ..TypePolicy::of("Laptop", Some(1)) };
    let shorter = of(shorter);
    assert_eq!(graded(&shorter, &fresh).0, "Watch", "its life ends next month");
    assert_eq!(graded(&with(31, None), &laptop(2, None, None)).0, "Unknown", "no date, no warning");
    assert_eq!(
        (none.grades.len() + 1, with(1, None).grades.len()),
        (9, 9),
        "only then there is a rule for it"
    );
    assert!(TypePolicy { warning_months: 121, ..TypePolicy::of("Laptop", None) }.check().is_err());
    assert!(TypePolicy { life_months: 0, ..TypePolicy::of("Laptop", None) }.check().is_err());
    // A class says how long a thing lives, so its rule cannot ask.
    assert!(
        class::check(&[class("Basic", "900", "warning")])
            .unwrap_err()
            .contains("asks for the warning period")
    );
}

#[test]
fn a_template_in_use_cannot_be_deleted_without_a_replacement() {
    let servers = Template { kinds: ["Server".into()].into(), ..Template::named("Servers") };
    let network = Template { kinds: ["Firewall".into()].into(), ..Template::named("Network") };
    let templates = vec![Template::named(template::DEFAULT), servers, network];
    let refused = template::delete(&templates, "Servers", 3, None).unwrap_err();
    assert_eq!(refused, "'Servers' is in use by 3 configurations; name the template that takes them over");
    let left = template::delete(&templates, "Servers", 3, Some("Network")).unwrap();
    assert_eq!(template::template_for(&left, None, "Server").unwrap().name, "Network");
    assert_eq!(
        template::template_for(&left, Some("Servers"), "Laptop").unwrap().name,
        "Default",
        "a gone one falls back"
    );
    assert!(template::delete(&templates, "Default", 0, Some("Network")).is_err());
    assert!(template::delete(&templates, "Servers", 3, Some("Nowhere")).is_err());
    assert_eq!(template::delete(&templates, "Servers", 0, None).unwrap().len(), 2);
}

// Step 11

#[test]
fn step_11_budget_totals_add_up_per_company_and_year() {
    let report = report_of(
        &workspace(),
        &plain([
            // Due 2024: overdue, so in the current year.
            laptop(1, Some(72), None),
            Configuration { model: "MacBook Pro".into(), ..laptop(2, Some(24), None) },
            laptop(3, Some(24), None),
            laptop(4, None, None),
        ]),
        Mode::Display,
    );
    let year = |year: i16| *report.summary.years.get(&year).expect("a year");
    assert_eq!(year(2026).total(), amount("1125.50").get());
    assert_eq!((year(2028).count, year(2028).total()), (2, amount("3151").get()));
    let rows: rust_decimal::Decimal = report.rows.iter().map(|row| row.budget.once().get()).sum();
    assert_eq!(report.summary.total(), rows, "the total is the sum of the rows");
    assert_eq!(report.summary.unclassed, 0);
}

#[test]
fn unclassed_configurations_are_listed_and_priced_at_0_with_a_warning() {
    let server = Configuration { kind: "Server".into(), ..laptop(1, Some(50), None) };
    let report = report_of(&workspace(), &plain([server]), Mode::Display);
    assert_eq!(
        (report.rows[0].class.clone(), report.rows[0].budget.once().to_string()),
        (None, "0.00".into())
    );
    assert!(report.warnings[0].contains("no class and is priced at 0"), "{:?}", report.warnings);
}

/// An amount that cannot be meant is refused by name, and nothing that older trails may hold can overflow a sum.
#[test]
fn absurd_amounts_are_refused_and_no_sum_overflows() {
    let gbp = Currency::new("GBP");
    for (typed, why) in [
        ("79228162514264337593543950335", "more than 1,000,000,000"),
        ("1e28", "more than 1,000,000,000"),
        ("1000000000.01", "more than 1,000,000,000"),
        ("-0.01", "below 0"),
        ("1.23456", "finer than any money"),
        ("1.200,50", "not an amount such as 1200.00"),
        ("GBP 12", "not an amount"),
    ] {
        let refused = parse_amount(typed, gbp).unwrap_err();
        assert!(refused.contains(typed) && refused.contains(why), "{typed}: {refused}");
    }
    assert_eq!(parse_amount("1000000000", gbp).unwrap().to_string(), "1000000000.00");
    let most = parhelion::model::Amount::new(rust_decimal::Decimal::MAX);
    let budget = Budget { hardware: most, setup: most, onsite: most, recurring: most };
    let absurd = Class { budget, ..class("Basic", "900", "always") };
    assert!(
        class::check(std::slice::from_ref(&absurd))
            .unwrap_err()
            .contains("hardware of class 'Basic' of Laptop")
    );
    let workspace = Workspace { classes: vec![absurd], ..Workspace::default() };
    let report =
        report_of(&workspace, &plain([laptop(1, Some(24), None), laptop(2, None, None)]), Mode::Display);
    for format in Format::ALL {
        assert!(
            !export(&report, format, &Headed::list(&[]).unwrap()).unwrap().is_empty(),
            "{}",
            format.key()
        );
    }
}

/// A life of fifty years does not make fifty bars, and nothing of the total is lost by it.
#[test]
fn the_last_bar_of_the_years_has_everything_after_it() {
    let long = Class { life_months: 600, ..class("Rack", "500", "model~rack") };
    let workspace = Workspace { classes: vec![long, class("Basic", "900", "always")], ..workspace() };
    let rack = Configuration { model: "Rack 42U".into(), ..laptop(2, Some(1), None) };
    let report = report_of(&workspace, &plain([laptop(1, Some(24), None), rack]), Mode::Display);
    let years = report.years();
    assert_eq!((years.len(), years[9].0.as_str(), years[9].1.count), (10, "2035+", 1));
    let sum: rust_decimal::Decimal = years.iter().map(|(_, cost)| cost.total()).sum();
    assert_eq!(sum, report.summary.total());
    let json: serde_json::Value =
        serde_json::from_slice(&export(&report, Format::Json, &[]).unwrap()).unwrap();
    assert_eq!(json["years"][9]["year"], "2035+");
}

#[test]
fn a_class_that_another_one_hides_is_told_and_one_that_fits_nothing_is_refused() {
    let classes =
        [class("Basic", "900", "always"), class("Premium", "1800", "model~pro"), class("Own", "1", "")];
    assert_eq!(class::shadowed_by(&classes, "Laptop", "Premium").map(|own| own.name.as_str()), Some("Basic"));
    for counts in ["Basic", "Own", "Nowhere"] {
        assert_eq!(class::shadowed_by(&classes, "Laptop", counts), None, "{counts}");
    }
    assert_eq!(class::check(&classes), Ok(()));
    let never = class::check(&[class("Basic", "900", "age>=12, age<12")]).unwrap_err();
    assert!(never.contains("class 'Basic' of Laptop can never fit"), "{never}");
}

#[test]
fn a_class_by_hand_goes_before_every_rule() {
    let by_hand = Local { class: Some("Premium".into()), ..Local::default() };
    let report = report_of(&workspace(), &[(laptop(1, Some(2), None), Some(by_hand))], Mode::Display);
    assert_eq!(report.rows[0].class.as_deref(), Some("Premium"));
}

#[test]
fn the_fiscal_year_places_a_replacement() {
    assert_eq!(FiscalYear::of(date(2027, 3, 31), 4).to_string(), "2026/27");
    assert_eq!(FiscalYear::of(date(2027, 4, 1), 4).to_string(), "2027/28");
    assert_eq!(FiscalYear::of(date(2027, 4, 1), 1).to_string(), "2027");
    assert_eq!(FiscalYear::of(date(2099, 12, 1), 4).to_string(), "2099/00");
    assert_eq!(replacement(date(2024, 2, 29), 12), date(2025, 2, 28));
    let own = Company { first_month: Some(4), ..company() };
    let workspace = workspace();
    let assessed = Judge::new(&workspace, TODAY).assess(&own, &laptop(1, Some(45), None), None);
    assert_eq!(assessed.year.unwrap().to_string(), "2026/27", "due in February 2027");
}

#[test]
fn two_currencies_are_never_added_together() {
    let gbp = Currency::new("GBP");
    assert!(parse_amount("1,200 GBP", gbp).is_err(), "a comma is no digit");
    assert_eq!(parse_amount("1200 gbp", gbp).unwrap().to_string(), "1200.00");
    let refused = parse_amount("1200 USD", gbp).unwrap_err();
    assert!(refused.contains("never added together"), "{refused}");
    assert!(parse_amount("-1", gbp).is_err() && parse_amount("", gbp).is_err());
}

#[test]
fn policies_of_a_type_exempt_it_make_it_virtual_and_differ_for_one_company() {
    let policy = |company, life_months, exempt, is_virtual| TypePolicy {
        kind: "Laptop".into(),
        life_months,
        exempt,
        is_virtual,
        warning_months: 0,
        company,
    };
    let with = |policies: Vec<TypePolicy>| Workspace { policies, ..workspace() };
    let of = |workspace: &Workspace| report_of(workspace, &plain([laptop(1, Some(24), None)]), Mode::Display);
    let exempt = of(&with(vec![policy(None, 60, true, false)]));
    assert_eq!((exempt.summary.counted, exempt.summary.configurations), (0, 1));
    assert_eq!(exempt.summary.quality.score(), None);
    let machine = of(&with(vec![policy(None, 60, false, true)]));
    assert_eq!(machine.rows[0].warranty, Warranty::NotApplicable);
    assert_eq!((machine.summary.quality.score(), machine.rows[0].is_budgeted), (Some(100), false));
    let own = of(&with(vec![policy(None, 60, false, false), policy(Some(1), 36, false, false)]));
    assert_eq!(own.rows[0].year.unwrap().year, 2027, "36 months at this company, 48 by its class elsewhere");
    assert_eq!(class::policy_for(&[policy(Some(2), 36, false, false)], "Laptop", 1), None);
}

// Step 12

#[test]
fn step_12_toggling_a_column_changes_screen_and_export_alike() {
    let mut workspace = workspace();
    let rows = plain([laptop(1, Some(24), None)]);
    let before = report_of(&workspace, &rows, Mode::Display);
    assert!(!before.columns.iter().any(Column::is_recurring), "recurring is hidden until turned on");
    workspace.templates[0].columns.push(Column::Recurring);
    let after = report_of(&workspace, &rows, Mode::Display);
    assert_eq!(after.columns.last(), Some(&Column::Recurring));
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let text = |report: &Report| String::from_utf8(export(report, format, &[]).unwrap()).unwrap();
        assert!(
            !text(&before).contains("Recurring a month") && text(&after).contains("Recurring a month"),
            "{format:?}"
        );
    }
}

#[test]
fn types_and_statuses_are_hidden_in_each_view_by_itself_and_totals_stay() {
    let mut workspace = workspace();
    workspace.templates[0].display.hidden_types.insert("Server".into());
    workspace.templates[0].build.hidden_statuses.insert("Retired".into());
    let rows = plain([
        laptop(1, Some(24), None),
        Configuration { kind: "Server".into(), ..laptop(2, Some(24), None) },
        Configuration { status: "Retired".into(), ..laptop(3, Some(24), None) },
    ]);
    let ids = |mode| {
        let mut ids: Vec<i64> = report_of(&workspace, &rows, mode).rows.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!((ids(Mode::Display), ids(Mode::Build)), (vec![1, 3], vec![1, 2]));
    assert_eq!(report_of(&workspace, &rows, Mode::Display).summary.counted, 3);
}

// Step 13

#[test]
fn step_13_a_draft_opens_if_there_is_one_else_a_new_report_begins() {
    let completed = Head { state: State::Completed, ..head() };
    let draft = Head { id: ReportId(2), ..head() };
    assert_eq!(report::opens(&[completed.clone(), draft], 1), Opens::Draft(ReportId(2)));
    assert_eq!(report::opens(&[completed], 1), Opens::New);
    assert_eq!(report::opens(&[head()], 9), Opens::New);
}

#[test]
fn step_13_completing_a_report_freezes_values_even_after_a_later_sync() {
    let workspace = workspace();
    let frozen = report_of(&workspace, &plain([laptop(1, Some(24), None)]), Mode::Display)
        .complete(Moment::UNIX_EPOCH)
        .unwrap();
    let kept = serde_json::to_string(&frozen).unwrap();
    // A later sync and other rules change a new draft, and never what was completed.
    let later = report_of(&Workspace::default(), &plain([laptop(1, Some(70), None)]), Mode::Display);
    let read: Report = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, frozen);
    assert_ne!((&later.rows[0].grade, later.summary.total()), (&read.rows[0].grade, read.summary.total()));
    assert!(read.complete(Moment::UNIX_EPOCH).unwrap_err().contains("never changes"));
}

#[test]
fn the_worst_assets_come_first_and_doubtful_serials_say_so() {
    let twin = |id, months| Configuration {
        serial: "SAME1234".into(),
        ..laptop(id, Some(months), Some(date(2029, 1, 1)))
    };
    let placeholder = Configuration { serial: "To be filled by O.E.M.".into(), ..laptop(4, Some(40), None) };
    let report = report_of(
        &workspace(),
        &plain([twin(1, 10), laptop(2, Some(80), None), twin(3, 70), placeholder]),
        Mode::Display,
    );
    assert_eq!(report.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 3, 4, 1]);
    assert!(report.rows[1].faults[0].contains("2 configurations have the serial"));
    assert!(report.rows[2].faults[0].contains("placeholder") && report.rows[2].gaps.contains(&Gap::Serial));
}

#[test]
fn what_is_out_of_scope_is_shown_and_in_no_total() {
    let out = Configuration { out_of_scope: true, ..laptop(1, Some(80), None) };
    let report = report_of(&workspace(), &plain([out]), Mode::Display);
    assert_eq!((report.rows.len(), report.summary.counted, report.summary.total().is_zero()), (1, 0, true));
    assert!(report.warnings.iter().any(|warning| warning.contains("out of scope")));
}

// Exports

#[test]
fn the_csv_has_the_columns_and_headings_that_were_set_and_runs_no_formula() {
    let evil = Configuration { name: "=cmd|' /C calc'!A0".into(), ..laptop(1, Some(24), None) };
    let report = report_of(&workspace(), &plain([evil]), Mode::Display);
    let columns = Headed::list(&["serial=Serial No".into(), "name".into(), "total=Cost".into()]).unwrap();
    let csv = String::from_utf8(export(&report, Format::Csv, &columns).unwrap()).unwrap();
    assert_eq!(csv, "Serial No,Name,Cost\r\n5CG0000001,'=cmd|' /C calc'!A0,1125.50\r\n");
    assert!(Headed::list(&["colour".into()]).unwrap_err().contains("not a column"));
}

/// Whatever a name begins with, no spreadsheet runs it and no terminal obeys it.
#[test]
fn no_name_acts_in_a_file() {
    for start in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\u{1b}[31m=1", "\u{feff}=1"] {
        let evil =
            Configuration { name: start.into(), notes: "two\nlines".into(), ..laptop(1, Some(24), None) };
        let report = report_of(&workspace(), &plain([evil]), Mode::Display);
        let columns = Headed::list(&["name".into(), "notes==Notes".into()]).unwrap();
        let csv = String::from_utf8(export(&report, Format::Csv, &columns).unwrap()).unwrap();
        assert!(!csv.chars().any(|c| c.is_control() && c != '\r' && c != '\n'), "{csv:?}");
        let lines: Vec<&str> = csv.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), 2, "one row a configuration: {csv:?}");
        assert!(lines[0].ends_with(",'=Notes"), "{csv:?}");
        let cell = lines[1].trim_start_matches('"').trim_start();
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{csv:?}");
        let text = String::from_utf8(export(&report, Format::Text, &[]).unwrap()).unwrap();
        let markdown = String::from_utf8(export(&report, Format::Markdown, &[]).unwrap()).unwrap();
        let page = String::from_utf8(export(&report, Format::Html, &[]).unwrap()).unwrap();
        for form in [text, markdown, page] {
            assert!(!form.chars().any(|c| c.is_control() && c != '\n'), "{form:?}");
        }
    }
}

#[test]
fn a_page_needs_no_network_and_nothing_in_it_acts() {
    let evil = Configuration { name: "<script>alert(1)</script>".into(), ..laptop(1, Some(24), None) };
    let report = report_of(&workspace(), &plain([evil]), Mode::Display);
    let html = String::from_utf8(export(&report, Format::Html, &[]).unwrap()).unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;") && html.contains("<svg"));
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn the_document_has_money_as_text_and_the_spreadsheet_is_one() {
    let report = report_of(&workspace(), &plain([laptop(1, Some(24), None)]), Mode::Display);
    let json: serde_json::Value =
        serde_json::from_slice(&export(&report, Format::Json, &[]).unwrap()).unwrap();
    assert_eq!(
        (&json["schema"], &json["report"], &json["totals"]["budget"]),
        (&1.into(), &"R1".into(), &"1125.50".into())
    );
    assert_eq!(json["years"][2]["year"], "2028");
    assert_eq!(json["configurations"][0]["hardware"], "900.00");
    let sheet = export(&report, Format::Xlsx, &Headed::list(&[]).unwrap()).unwrap();
    assert_eq!(&sheet[..2], b"PK");
}

// Section 8: the write-back

fn manual(field: DateField, day: Date) -> Local {
    let date = LocalDate { date: day, source: DateSource::Manual, estimated: false, at: Moment::UNIX_EPOCH };
    Local { dates: [(field, date)].into(), ..Local::default() }
}

fn all_on(policy: Policy) -> WriteBack {
    let policies = Policies { expiration: policy, start: policy, purchase: policy };
    WriteBack { expiration: true, start: true, purchase: true, estimated: false, policies }
}

#[test]
fn write_back_is_off_by_default_and_on_field_by_field() {
    assert!(!WriteBack::default().is_on());
    let ours = manual(DateField::ExpirationDate, date(2028, 1, 1));
    assert_eq!(warranty::write_back(&laptop(1, None, None), &ours, &WriteBack::default(), TODAY), []);
    let only_purchase = WriteBack { purchase: true, ..WriteBack::default() };
    assert_eq!(warranty::write_back(&laptop(1, None, None), &ours, &only_purchase, TODAY), []);
}

#[test]
fn the_three_policies() {
    let (early, late) = (date(2027, 1, 1), date(2028, 1, 1));
    let cases = [
        (DateField::ExpirationDate, Policy::FillBlanks, None, late, true),
        (DateField::ExpirationDate, Policy::FillBlanks, Some(early), late, false),
        (DateField::ExpirationDate, Policy::LaterWins, Some(early), late, true),
        (DateField::ExpirationDate, Policy::LaterWins, Some(late), early, false),
        (DateField::ExpirationDate, Policy::Always, Some(late), early, true),
        (DateField::ExpirationDate, Policy::Always, Some(late), late, false),
        (DateField::PurchaseDate, Policy::LaterWins, Some(late), early, true),
        (DateField::PurchaseDate, Policy::LaterWins, Some(early), late, false),
        (DateField::WarrantyStart, Policy::LaterWins, Some(late), early, true),
    ];
    for (field, policy, halo, ours, wins) in cases {
        assert_eq!(
            warranty::settle(field, policy, halo, ours).is_some(),
            wins,
            "{field:?} {policy:?} {halo:?} {ours}"
        );
    }
}

#[test]
fn a_row_of_the_write_back_says_before_after_and_why() {
    let ours = manual(DateField::ExpirationDate, date(2028, 1, 1));
    let rows = warranty::write_back(
        &laptop(1, None, Some(date(2027, 1, 1))),
        &ours,
        &all_on(Policy::LaterWins),
        TODAY,
    );
    assert_eq!((rows[0].before, rows[0].after), (Some(date(2027, 1, 1)), date(2028, 1, 1)));
    assert_eq!(rows[0].verdict, BackVerdict::Write { why: "from a person".into() });
    let rows = warranty::write_back(
        &laptop(1, None, Some(date(2027, 1, 1))),
        &ours,
        &all_on(Policy::FillBlanks),
        TODAY,
    );
    assert!(matches!(&rows[0].verdict, BackVerdict::Stays { why } if why.contains("only blanks")));
}

#[test]
fn estimates_and_impossible_dates_are_held() {
    let mut ours = manual(DateField::ExpirationDate, date(2028, 1, 1));
    ours.dates.get_mut(&DateField::ExpirationDate).unwrap().estimated = true;
    let held = |local: &Local, how: &WriteBack, configuration: &Configuration| {
        matches!(warranty::write_back(configuration, local, how, TODAY)[0].verdict, BackVerdict::Held { .. })
    };
    let blank = laptop(1, None, None);
    assert!(held(&ours, &all_on(Policy::Always), &blank));
    assert!(!held(&ours, &WriteBack { estimated: true, ..all_on(Policy::Always) }, &blank));
    let starts = Configuration {
        dates: Dates { warranty_start: Some(date(2028, 1, 1)), ..Dates::default() },
        ..blank.clone()
    };
    let equal = manual(DateField::ExpirationDate, date(2028, 1, 1));
    assert!(held(&equal, &all_on(Policy::Always), &starts), "start equal to end");
    assert!(held(&manual(DateField::PurchaseDate, date(2030, 1, 1)), &all_on(Policy::Always), &blank));
}

#[test]
fn a_date_of_ours_counts_in_the_plan_as_it_would_in_halo() {
    let ours = manual(DateField::PurchaseDate, date(2020, 1, 1));
    let report = report_of(&workspace(), &[(laptop(1, None, None), Some(ours.clone()))], Mode::Display);
    assert_eq!(report.rows[0].grade, "Replace");
    let known = laptop(1, Some(12), None);
    let report = report_of(&workspace(), &[(known, Some(ours))], Mode::Display);
    assert_eq!(report.rows[0].age.months(), Some(12), "Halo's stays under 'fill blanks'");
}

fn resolved(csv: &str, configurations: &[Configuration]) -> Vec<(u64, Verdict)> {
    let entries = warranty::parse(csv).unwrap();
    let ids: HashSet<i64> = entries.iter().filter_map(|entry| entry.id).collect();
    let mut index = SerialIndex::wanted_by(&entries);
    for configuration in configurations {
        index.see(&ids, configuration);
    }
    warranty::resolve(&entries, &index, &BTreeMap::new(), TODAY)
}

#[test]
fn a_file_of_dates_is_matched_by_id_else_serial_and_never_guessed() {
    let twin = |id| Configuration { serial: "SAME1234".into(), ..laptop(id, None, None) };
    let configurations = [laptop(1, None, None), laptop(2, None, None), twin(3), twin(4)];
    let csv = "Serial;Warranty End;id\n5cg-0000001;31/12/2027;\nSAME1234;2027-12-31;\nDefault string;2027-12-31;\n\
               NOSUCH99;2027-12-31;\n;2027-12-31;2\n;2027-12-31;99\n5CG0000001;2026-01-01;\n";
    let verdicts = resolved(csv, &configurations);
    let words: Vec<String> = verdicts
        .iter()
        .map(|(line, verdict)| match verdict {
            Verdict::Take { asset, dates } => format!("{line}: {asset} {}", dates.expiration.unwrap()),
            Verdict::Known { asset } => format!("{line}: {asset} known"),
            Verdict::Refused(why) => format!("{line}: {why}"),
        })
        .collect();
    assert_eq!(
        words,
        [
            "2: 1 2027-12-31",
            "3: 2 configurations have the serial 'SAME1234' (Halo ids 3, 4); use their ids",
            "4: 'Default string' is a placeholder and no serial of anything",
            "5: no configuration has the serial 'NOSUCH99'",
            "6: 2 2027-12-31",
            "7: no configuration has the Halo id 99",
            "8: line 2 has dates for the same configuration",
        ]
    );
}

#[test]
fn a_file_with_a_bad_line_is_not_taken_at_all() {
    let errors = warranty::parse("serial,expiration_date\nA1B2C3,31/02/2027\n,2027-01-01\n").unwrap_err();
    assert_eq!(errors.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    assert!(warranty::parse("name,colour\n").unwrap_err()[0].1.contains("neither 'serial' nor 'id'"));
    assert!(warranty::parse("serial\nA1B2C3\n").unwrap_err()[0].1.contains("names no date"));
    let verdicts =
        resolved("id,warranty_start,expiration_date\n1,2027-01-01,2027-01-01\n", &[laptop(1, None, None)]);
    assert!(matches!(&verdicts[0].1, Verdict::Refused(why) if why.contains("one of the two is wrong")));
}

#[test]
fn the_same_file_twice_changes_nothing_the_second_time() {
    let entries = warranty::parse("id,expiration_date\n1,2027-12-31\n").unwrap();
    let mut index = SerialIndex::wanted_by(&entries);
    index.see(&[1].into(), &laptop(1, None, None));
    let first = warranty::resolve(&entries, &index, &BTreeMap::new(), TODAY);
    let Verdict::Take { asset, dates } = &first[0].1 else { panic!("{first:?}") };
    let taken = warranty::take(Local::default(), *dates, DateSource::Csv, false, Moment::UNIX_EPOCH);
    let again = warranty::resolve(&entries, &index, &[(*asset, taken)].into(), TODAY);
    assert_eq!(again[0].1, Verdict::Known { asset: 1 });
}

/// The one date of a file with one line.
fn read(cell: &str) -> Result<Option<Date>, String> {
    let entries = warranty::parse(&format!("serial\texpires\nA1B2C3\t{cell}\n"));
    entries.map(|entries| entries[0].dates.expiration).map_err(|errors| errors[0].1.clone())
}

#[test]
fn a_file_may_write_its_dates_in_every_usual_form() {
    for text in [
        "2027-12-31",
        "2027-12-31T23:59:59",
        "2027-12-31T00:00:00Z",
        "2027-12-31 00:00:00",
        "31/12/2027",
        "31.12.2027",
        "31-12-2027",
        "12/31/2027",
        "2027/12/31",
        "20271231",
        "31-Dec-2027",
        "31 December 2027",
        "Dec 31, 2027",
        " 2027-12-31 ",
    ] {
        assert_eq!(read(text), Ok(Some(date(2027, 12, 31))), "{text}");
    }
    for none in ["", "-", "N/A", "unknown", "0001-01-01T00:00:00", "1900-01-01"] {
        assert_eq!(read(none), Ok(None), "{none}");
    }
    for bad in [
        "31/12/27",
        "46752",
        "31/02/2027",
        "2027-13-01",
        "32/12/2027",
        "soon",
        "31 Smarch 2027",
        "\u{202E}2027",
    ] {
        let why = read(bad).expect_err(bad);
        assert!(why.contains("is not a date such as 2027-12-31"), "{bad}: {why}");
        assert!(!why.contains('\u{202E}'), "{why}");
    }
}

/// `03/04/2027` alone is the third of April; in a file where another date can only have the month first it is March.
#[test]
fn one_clear_date_says_how_the_others_of_the_file_are_read_and_two_orders_are_refused() {
    let parsed = |csv: &str| {
        warranty::parse(csv).map(|all| all.iter().map(|e| e.dates.expiration).collect::<Vec<_>>())
    };
    assert_eq!(parsed("serial,end\nA1B2C3,03/04/2027\n"), Ok(vec![Some(date(2027, 4, 3))]));
    assert_eq!(
        parsed("serial,end\nA1B2C3,03/04/2027\nA1B2C4,12/31/2027\n"),
        Ok(vec![Some(date(2027, 3, 4)), Some(date(2027, 12, 31))])
    );
    let errors = parsed("serial,end\nA1B2C3,31/12/2027\nA1B2C4,12/31/2027\n").unwrap_err();
    assert_eq!(errors[0].0, 3);
    assert!(errors[0].1.contains("the other way round than line 2"), "{errors:?}");
}

#[test]
fn a_file_may_come_in_every_usual_encoding_and_with_every_usual_separator() {
    let text = "Kunde;Serial;Expires\nMüller & Söhne;5CG0000001;31.12.2027\n";
    let wide = |to: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(to)).collect()
    };
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let marked = format!("\u{FEFF}{text}").into_bytes();
    let all = [
        text.as_bytes().to_vec(),
        marked,
        latin,
        wide(u16::to_le_bytes, [0xFF, 0xFE]),
        wide(u16::to_be_bytes, [0xFE, 0xFF]),
    ];
    for bytes in all {
        let entries = warranty::parse(&warranty::decode(&bytes)).unwrap();
        assert_eq!(
            (entries[0].serial.as_str(), entries[0].dates.expiration),
            ("5CG0000001", Some(date(2027, 12, 31)))
        );
    }
    for separator in [",", ";", "\t", "|"] {
        let csv = ["Serial No", "Warranty End Date"].join(separator)
            + "\r\n"
            + &["\"5CG0000001\"", "2027-12-31"].join(separator)
            + "\r\n";
        assert_eq!(warranty::parse(&csv).unwrap()[0].serial, "5CG0000001", "{csv:?}");
    }
    let told = warranty::parse("sep=;\nserial;end\nA1B2C3;2027-12-31\n;2027-12-31\n").unwrap_err();
    assert_eq!(
        told,
        [(4, "neither a serial nor an id".to_owned())],
        "lines are counted with what Excel put first"
    );
}

#[test]
fn a_file_that_says_two_things_or_is_torn_is_refused_with_its_line() {
    let refused = |csv: &str| warranty::parse(csv).unwrap_err().remove(0);
    assert!(refused("").1.contains("is empty"));
    assert!(refused("\n\nserial,end\n").1.contains("is empty"));
    let (line, why) = refused("serial,Warranty End,Expires\nA1B2C3,2027-12-31,2028-12-31\n");
    assert!(line == 1 && why.contains("'Warranty End' and 'Expires' say the same thing"), "{why}");
    let (line, why) = refused("serial,end\n\"A1B2C3,2027-12-31\nA1B2C4,2027-12-31\n");
    assert!(line == 2 && why.contains("a quote is opened here"), "{line}: {why}");
    let errors = warranty::parse("id,serial,end\nx,,31/13/2027\n-4,A1B2C3,2027-01-01\n").unwrap_err();
    assert_eq!(
        errors.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [2, 2, 3],
        "every fault of every line"
    );
    assert!(
        warranty::parse("serial,end\nA1B2C3\n,,,\n\nA1B2C4,2027-01-01,more\n").is_ok(),
        "short, empty and long lines"
    );
}

#[test]
fn a_list_of_types_or_classes_is_changed_by_its_rules() {
    let terms = [local(1, "Customer", Some(halo("1", "Customer"))), local(2, "Club", None)];
    assert!(term::rename(&terms, 1, "Client").unwrap_err().contains("Halo's own name"));
    assert!(term::rename(&terms, 2, "Customer").unwrap_err().contains("is there already"));
    assert_eq!(term::rename(&terms, 2, "Society").unwrap()[1].name, "Society");
    assert!(term::remove(&terms, 2, 3).unwrap_err().contains("3 companies have 'Club'"));
    assert!(term::remove(&terms, 1, 0).unwrap_err().contains("would come again"));
    assert_eq!(term::remove(&terms, 2, 0).unwrap().0.len(), 1);
    let of = |kind: &str, name: &str| Class { kind: kind.into(), ..class(name, "1", "always") };
    let classes = [of("Laptop", "A"), of("Server", "S"), of("Laptop", "B"), of("Laptop", "C")];
    let order = |position| {
        let moved = class::moved(&classes, "Laptop", "C", position).unwrap();
        moved.iter().map(|class| class.name.clone()).collect::<String>()
    };
    assert_eq!(
        (order(1), order(2), order(99), order(0)),
        ("CSAB".into(), "ASCB".into(), "ASBC".into(), "CSAB".into())
    );
    assert!(class::moved(&classes, "Server", "A", 1).is_err());
}

/// S4-S8: what the guide has a person set in Halo is all there, with a least-privilege list beside the guide's own.
#[test]
fn steps_2_and_4_the_checklists_have_the_guides_values() {
    let steps = setup::steps(&Facts::default());
    let help = |name: &str| steps.iter().find(|step| step.name == name).unwrap().help.clone();
    let has = |name: &str, words: &[&str]| {
        let help = help(name);
        for word in words {
            assert!(help.contains(word), "{name}: {word} is not in '{help}'");
        }
    };
    has(
        "Agent in Halo",
        &[
            "user name",
            "e-mail address that no other agent has",
            "Active",
            "API-only",
            "default team",
            "working hours",
            "customers read",
            "CRM read",
            "assets read",
            "users read",
            "products read",
        ],
    );
    has(
        "Application in Halo",
        &[
            "client id and secret",
            "log-in type agent",
            "agent log-ins allowed",
            "read:customers read:assets",
            "edit:assets only if dates go back",
            "all:standard",
            "admin:webhooks",
            "customers, CRM, software and assets",
            "shown once",
        ],
    );
    has(
        "Addresses",
        &["proxy", "403", "seven addresses", "only if you also run the vendor's own integration"],
    );
}

#[test]
fn the_set_up_counts_a_step_as_done_only_when_it_is() {
    let right = |name: &str, works| Right { name: name.into(), works, says: "refused".into() };
    let of = |facts: &Facts<'_>, name: &str| {
        let step = setup::steps(facts).into_iter().find(|step| step.name == name).unwrap();
        (step.progress, step.says)
    };
    let blank = Facts::default();
    for name in [
        "Agent in Halo",
        "Company types",
        "Companies",
        "Configurations",
        "Classes and budgets",
        "First report",
        "Fields",
    ] {
        assert_eq!(of(&blank, name).0, Progress::ToDo, "{name}");
    }
    assert_eq!(of(&blank, "Dates back into Halo").0, Progress::Optional);
    let bad = Facts {
        rights: vec![right("assets", Some(false)), right("customers", Some(true))],
        ..Facts::default()
    };
    assert_eq!(of(&bad, "Agent in Halo"), (Progress::Failed, "assets: refused".into()));
    let open = [local(2, "Club", None)];
    assert_eq!(
        of(&Facts { types: &open, ..Facts::default() }, "Company types"),
        (Progress::ToDo, "1 unmapped".into())
    );
    let kinds = [("Laptop".to_owned(), 3), ("Server".to_owned(), 1)];
    let classes = [class("Basic", "900", "always")];
    let facts = Facts { kinds: &kinds, classes: &classes, ..Facts::default() };
    assert_eq!(of(&facts, "Classes and budgets"), (Progress::ToDo, "none for Server".into()));
    let missing = ["Shelf".to_owned()];
    let facts = Facts {
        has_age_field: true,
        has_expiration_field: true,
        missing_fields: &missing,
        ..Facts::default()
    };
    assert_eq!(of(&facts, "Fields"), (Progress::Failed, "not in Halo: Shelf".into()));
    let facts =
        Facts { writes_back: true, rights: vec![right("asset edit", Some(false))], ..Facts::default() };
    assert_eq!(of(&facts, "Dates back into Halo").0, Progress::Failed);
}

// Properties

fn any_date() -> impl Strategy<Value = Option<Date>> {
    proptest::option::of((1900i16..2110, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| date(y, m, d)))
}

fn any_configuration() -> impl Strategy<Value = Configuration> {
    (
        1i64..1_000_000,
        any_date(),
        any_date(),
        any_date(),
        any_date(),
        0usize..4,
        any::<bool>(),
        "[A-Z0-9]{0,8}",
    )
        .prop_map(|(id, purchase, install, warranty_start, expiration, kind, out_of_scope, serial)| {
            Configuration {
                id,
                kind: ["Laptop", "Server", "Firewall", ""][kind].into(),
                dates: Dates { purchase, install, warranty_start, expiration },
                out_of_scope,
                serial,
                ..Configuration::default()
            }
        })
}

proptest! {
    /// Every configuration is in exactly one bar of each chart, and the money of the years is the money of the rows.
    #[test]
    fn a_report_adds_up(configurations in proptest::collection::vec(any_configuration(), 0..60)) {
        let report = report_of(&workspace(), &plain(configurations), Mode::Display);
        let s = &report.summary;
        prop_assert_eq!(s.ages.values().sum::<u32>(), s.counted);
        prop_assert_eq!(s.warranties.values().sum::<u32>(), s.counted);
        prop_assert_eq!(s.grades.values().sum::<u32>(), s.counted);
        let rows: rust_decimal::Decimal = report.rows.iter().map(|row| row.budget.once().get()).sum();
        prop_assert_eq!(s.total(), rows);
        prop_assert!(s.years.keys().all(|year| *year >= report.this_year.year), "nothing is budgeted in the past");
        prop_assert!(s.quality.present <= s.quality.wanted);
        prop_assert!(report.rows.iter().all(|row| row.dates.purchase.is_none_or(|day| day <= TODAY)));
    }

    /// A configuration reads back from the index as it was written.
    #[test]
    fn a_configuration_survives_the_index(configuration in any_configuration()) {
        let text = serde_json::to_string(&configuration).unwrap();
        prop_assert_eq!(serde_json::from_str::<Configuration>(&text).unwrap(), configuration);
    }

    /// A rule reads what it writes.
    #[test]
    fn tests_read_what_they_write(months in 0u32..999, word in "[a-zA-Z0-9 ]{1,12}") {
        prop_assume!(!word.trim().is_empty());
        let text = format!("age>={months}, warranty<{months}, model~{}, ram<{months}", word.trim());
        let tests: Tests = text.parse().unwrap();
        prop_assert_eq!(tests.to_string().parse::<Tests>().unwrap(), tests);
    }

    /// After a write-back, a second one writes nothing.
    #[test]
    fn a_write_back_settles(configuration in any_configuration(), day in any_date(), which in 0usize..3, policy in 0usize..3) {
        let Some(day) = day else { return Ok(()) };
        let field = [DateField::ExpirationDate, DateField::WarrantyStart, DateField::PurchaseDate][which];
        let how = all_on([Policy::FillBlanks, Policy::LaterWins, Policy::Always][policy]);
        let ours = manual(field, day);
        let mut after = configuration.clone();
        for row in warranty::write_back(&configuration, &ours, &how, TODAY) {
            if matches!(row.verdict, BackVerdict::Write { .. }) {
                after.dates.set(row.field, Some(row.after));
                prop_assert!(age::sift(after.dates, TODAY).1.iter().all(|f| f.field() != Some(row.field)));
            }
        }
        for row in warranty::write_back(&after, &ours, &how, TODAY) {
            prop_assert!(!matches!(row.verdict, BackVerdict::Write { .. }), "{:?}", row);
        }
    }
}
