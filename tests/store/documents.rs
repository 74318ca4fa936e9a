//! Settings in and out of files.

use std::collections::BTreeMap;

use parhelion::model::settings::{
    EndDateSource, Kind, Overlap, Repeat, Safety, Scope, SecretSource, Settings, StatusMeaning,
};
use parhelion::model::{Entity, Integration, Problem};
use parhelion::settings::{self, Format, Import, all, enter, export, get, import, reset, set};
use proptest::prelude::*;

const PLANTED: &str = "planted-hunter2";

fn toml(text: &str) -> Result<Import, Vec<Problem>> {
    import(text, Format::Toml, &Settings::default())
}

fn refusals(text: &str) -> String {
    let problems = toml(text).map(|import| import.settings).expect_err(text);
    let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(!text.contains(PLANTED), "{text}");
    text
}

const EXAMPLE: &str = r#"
[profile]
kind = "sandbox"

[halo]
resource_server = "http://127.0.0.1:4000/api/"
authorisation_server = "http://127.0.0.1:4000/auth"
tenant = "acme"
client_id = "id"
client_secret = { env = "HALO_SECRET" }
pace = { requests = 300, per_seconds = 300, at_once = 4, spacing_ms = 0, share = 0.9 }
settle_seconds = 2

[also]
enabled = true
pace = { at_once = 2 }
marketplace_url = " cloud.also.com/ "
username = "api@msp.example"
password = "planted-hunter2"
customer_subscriptions_to_import = { customers = [310101], products = [], statuses = ["Active"] }
schedule = { enabled = true, entities = ["customers"], at = "2:30" }

[also.safety]
max_removals = 10

[safety]
max_removals_percent = 7
"#;

#[test]
fn an_import_sets_what_it_names_and_leaves_the_rest() {
    let mut before = Settings::default();
    before.also.rename_in_halo = true;
    before.westcoast.username = "kept".into();
    let import = import(EXAMPLE, Format::Toml, &before).unwrap();
    let after = &import.settings;
    assert_eq!(after.profile.kind, Kind::Sandbox);
    assert_eq!(after.halo.resource_server, "http://127.0.0.1:4000/api");
    assert_eq!(after.halo.client_secret, SecretSource::Env("HALO_SECRET".into()));
    assert_eq!(after.also.marketplace_url, "https://cloud.also.com");
    assert_eq!(after.also.pace.at_once, 2);
    assert_eq!(after.also.pace.spacing_ms, 1000, "the other parts of a group stay");
    assert_eq!(after.also.password, SecretSource::Sealed);
    assert_eq!(after.also.customer_subscriptions_to_import.customers, ["310101"]);
    assert_eq!(after.also.schedule.at, "02:30");
    assert!(after.also.rename_in_halo);
    assert_eq!(after.westcoast.username, "kept");
    let limits = after.safety(Integration::Also);
    assert_eq!((limits.max_removals, limits.max_removals_percent), (10, 7.0), "the rest is the profile's");
    assert_eq!(after.westcoast.safety, None);
    assert_eq!(import.secrets.len(), 1);
    assert_eq!((&*import.secrets[0].0, import.secrets[0].1.expose()), ("also.password", PLANTED));
    assert!(
        import.notes.iter().any(|note| note.starts_with("also.marketplace_url: https://")),
        "{:?}",
        import.notes
    );
    assert!(!format!("{import:?}").contains(PLANTED));
    assert!(
        import.changes.iter().any(|change| change.key == "also.safety.max_removals" && change.after == "10")
    );
    assert!(!export(after).unwrap().contains(PLANTED));
}

#[test]
fn faults_name_line_and_nearest_key_and_nothing_is_changed() {
    let text = refusals(
        "[also]\nusernme = \"x\"\nenabled = \"yes\"\n\n[alsoo]\nx = 1\n[also.schedule]\nat = \"25:00\"\nentities = [\"customers\", \"assets\"]\n",
    );
    for part in [
        "line 2: 'also.usernme' is not a setting. The nearest known key is 'also.username'",
        "line 3: also.enabled must be true or false, not text",
        "line 5: 'alsoo' is not a setting. The nearest known key is 'also'",
        "line 8: also.schedule.at must be a time of day",
        "line 9: also.schedule.entities must be one of customers, subscriptions, not 'assets'",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn every_rule_of_a_value_is_kept() {
    for (line, part) in [
        ("[also]\npace = { at_once = 0 }", "line 2: also.pace.at_once"),
        ("[halo.pace]\nshare = 0", "above 0"),
        ("[halo.pace]\nshare = 1.5", "up to 1"),
        ("[halo.pace]\nshare = nan", "line 2: halo.pace.share"),
        ("[halo]\npace = 4", "must be a table"),
        ("[also]\nend_date_order = [\"contract\", \"contract\"]", "twice"),
        ("[also]\nstatus_words = { Active = \"maybe\" }", "active, inactive"),
        ("[also]\nmarketplace_url = \"http://cloud.also.com\"", "http://"),
        ("[also]\nmarketplace_url = \"https://me:planted-hunter2@cloud.also.com\"", "user name"),
        ("[safety]\nmax_removals_percent = -1", "from 0 to 100"),
        ("[safety]\nmax_removals = 99999999999999999999", "line 2"),
        ("[safety]\nmax_money_change = \"-5\"", "from 0"),
        ("[halo]\ncurrency = \"pounds\"", "currency code"),
        ("[also]\npassword = { envv = \"planted-hunter2\" }", "line 2: also.password"),
        ("[also]\npassword = { env = \"planted-hunter2!\" }", "environment variable"),
        ("[also]\npassword = [\"planted-hunter2\"]", "line 2: also.password"),
        ("[also]\npassword = \"planted-hunter2", "line 2: "),
        ("[also]\npassword = planted-hunter2", "line 2: "),
        ("also = 3", "line 1: also must be a table"),
        (
            "[halo]\nclient_id = \"0b3c4d5e-1111-2222-3333-444455556666-0b3c4d5e-1111-2222-3333-444455556666\"",
            "swapped",
        ),
        ("schema = 2", "schema must be 1"),
        ("[also]\nenabled = true\nenabled = false", "line 3"),
    ] {
        let text = refusals(line);
        assert!(text.contains(part), "{line}\n{text}");
    }
    assert!(toml("[also]\nmarketplace_url = \"http://test.example\"\nallow_http = true").is_ok());
    assert!(toml("[also]\npassword = \" spaced\"").unwrap().notes[0].contains("begins with a space"));
}

#[test]
fn json_is_taken_alike_with_its_lines() {
    let text = "{\"schema\": 1,\n \"also\": {\n  \"username\": \"a\\u0142\",\n  \"pace\": {\"at_once\": 3, \"share\": 0.5},\n  \"enabled\": true}}";
    assert_eq!(Format::guess(text), Format::Json);
    let import = import(text, Format::Json, &Settings::default()).unwrap();
    assert_eq!(import.settings.also.username, "ał");
    assert_eq!(import.settings.also.pace.at_once, 3);
    for (text, part) in [
        ("{\n\"also\": {\n\"nme\": 1}}", "line 3: 'also.nme'"),
        ("{\"also\": {\"password\": \"planted-hunter2\"", "line 1: EOF"),
        ("{\"also\": {\n\"enabled\": null}}", "line 2: also.enabled must be true or false, not null"),
        ("{\"also\": {\"enabled\": true,\n\"enabled\": false}}", "line 2: also.enabled is given twice"),
        ("[1]", "not a table"),
    ] {
        let problems = settings::import(text, Format::Json, &Settings::default()).unwrap_err();
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(part) && !text.contains(PLANTED), "{text}");
    }
}

#[test]
fn config_set_takes_toml_and_bare_words() {
    let mut s = Settings::default();
    for (key, value, shown) in [
        ("also.username", "12345", "12345"),
        ("also.username", "\"quoted name\"", "quoted name"),
        ("also.username", "bare name", "bare name"),
        ("also.enabled", "true", "true"),
        ("also.enabled", "no", "false"),
        ("also.pace.requests", "50", "50"),
        ("also.schedule.entities", "subscriptions", "subscriptions"),
        ("also.schedule.entities", "[\"customers\", \"subscriptions\"]", "customers, subscriptions"),
        ("also.customer_subscriptions_to_import.products", "[\"a, b\", \"c\"]", "[\"a, b\", \"c\"]"),
        ("also.customer_subscriptions_to_import.customers", "310101", "310101"),
        ("also.customer_subscriptions_to_import.customers", "310101, 310102", "310101, 310102"),
        ("also.safety.max_removals_percent", "5%", "5"),
        ("also.status_words", "Active = active, Ended = inactive", "Active = active, Ended = inactive"),
        ("also.password", "{ env = \"X\" }", "{ env = \"X\" }"),
        ("safety.max_money_change", "250.50", "250.5"),
        ("safety.max_money_change", "", ""),
        ("also.safety.max_removals", "7", "7"),
        ("halo.client_id", "true", "true"),
        ("also.schedule.at", "7:05", "07:05"),
    ] {
        s = set(&s, key, value).unwrap_or_else(|p| panic!("{key}: {p}")).0;
        assert_eq!(get(&s, key).unwrap(), shown, "{key}");
    }
    s = set(&s, "also.pace", "{ at_once = 9 }").unwrap().0;
    assert_eq!((s.also.pace.at_once, s.also.pace.requests), (9, 50));
    assert!(get(&s, "also.pace").unwrap().contains("at_once = 9"));
    assert!(get(&s, "also").unwrap().starts_with("[also]\n"));
    let problem = set(&s, "also.password", PLANTED).unwrap_err();
    assert!(
        problem.to_string().contains("secret set also.password") && !problem.to_string().contains(PLANTED)
    );
    assert!(set(&s, "also.nope", "1").unwrap_err().to_string().contains("nearest known key"));
    assert!(get(&s, "nope").is_err());
    assert_eq!(reset(&s, "also.safety").unwrap().also.safety, None);
    assert_eq!(enter(&s, "also.safety.max_removals", "").unwrap().0.also.safety, None);
    assert_eq!(reset(&s, "also").unwrap().also, Settings::default().also);
    assert_eq!(reset(&s, "safety").unwrap().safety, Safety::default());
    assert_eq!(reset(&s, "also.pace").unwrap().also.pace, Settings::default().also.pace);
    assert_eq!(reset(&s, "also.password").unwrap().also.password, SecretSource::Unset);
}

fn walk(prefix: &str, value: &serde_json::Value, leaves: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map)
            if !["status_words", ".conflicts", ".asset_layouts", "field_types"]
                .iter()
                .any(|map| prefix.ends_with(map)) =>
        {
            for (key, value) in map {
                walk(&format!("{prefix}.{key}"), value, leaves);
            }
        }
        _ => leaves.push(prefix.trim_start_matches('.').to_owned()),
    }
}

#[test]
fn the_table_names_every_setting_and_no_brand_but_its_own() {
    // Every leaf of the typed settings is in the table, and every row of the table is a leaf.
    let mut full = Settings::default();
    full.safety.max_money_change = Some(1.into());
    full.safety.canaries = vec!["x".into()];
    full.safety.trusted_products = vec!["x".into()];
    full.safety.freeze = vec!["1".into()];
    full.profile.theme = "x".into();
    full.profile.notify.template = "x".into();
    full.halo.secret_expires = "2027-01-31".into();
    full.hudu.secret_expires = "2027-01-31".into();
    for i in Integration::ALL {
        *full.safety_mut(i) = Some(full.safety.clone());
    }
    for market in [&mut full.also, &mut full.westcoast] {
        market.notes = "x".into();
        market.secret_expires = "2027-01-31".into();
    }
    full.hudu.notes = "x".into();
    full.liongard.notes = "x".into();
    full.liongard.ignored_fields = vec!["x".into()];
    full.lifecycle.field_types.insert("x".into(), parhelion::model::asset::FieldKind::Text);
    let mut leaves = Vec::new();
    walk("", &serde_json::to_value(&full).unwrap(), &mut leaves);
    let mut rows: Vec<_> = all().iter().map(|setting| setting.key.clone()).collect();
    leaves.sort();
    rows.sort();
    assert_eq!(leaves, rows);

    for setting in all() {
        assert!(!setting.label.is_empty() && setting.help.ends_with('.'), "{}", setting.key);
        let text = format!("{} {} {}", setting.label, setting.help, setting.suggestion);
        assert!(!setting.key.starts_with("also.") || !text.to_lowercase().contains("westcoast"), "{text}");
        assert!(!setting.key.starts_with("westcoast.") || !text.contains("ALSO"), "{text}");
        assert!(!text.contains('{'), "{text}");
    }
    let help = |key: &str| settings::find(key).unwrap().help.clone();
    assert!(help("westcoast.set_price_and_cost").contains("Not in the vendor guide"));
    assert!(!help("also.set_price_and_cost").contains("Not in the vendor guide"));
    assert!(help("also.username").contains("'Reseller Admin'"));
}

#[test]
fn an_export_of_the_defaults() {
    insta::with_settings!({ snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("settings_export", export(&Settings::default()).unwrap());
    });
}

fn word() -> impl Strategy<Value = String> {
    // Anything a person may type into one line, without spaces at the ends.
    "[^\\p{C}\\s]([^\\p{C}]{0,20}[^\\p{C}\\s])?"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("blank", |text| !text.is_empty())
}

fn secret() -> impl Strategy<Value = SecretSource> {
    prop_oneof![
        Just(SecretSource::Unset),
        "[A-Z_][A-Z0-9_]{0,10}".prop_map(SecretSource::Env),
        word().prop_map(|path| SecretSource::File(path.into())),
        word().prop_map(SecretSource::Command),
    ]
}

fn limits() -> impl Strategy<Value = Safety> {
    (
        0.0..=100.0_f64,
        0..1000_u64,
        0..1000_u64,
        0..100_u32,
        proptest::option::of((0..1_000_000_000_i64, 0..5_u32)),
        proptest::collection::vec(word(), 0..3),
        1..8760_u32,
    )
        .prop_map(
            |(
                max_removals_percent,
                max_removals_floor,
                max_removals,
                removal_grace_runs,
                money,
                canaries,
                plan_hours,
            )| Safety {
                max_removals_percent,
                max_removals_floor,
                max_removals,
                removal_grace_runs,
                max_money_change: money.map(|(digits, scale)| rust_decimal::Decimal::new(digits, scale)),
                canaries,
                plan_hours,
                suspicious_factor: removal_grace_runs,
                suspicious_seats: plan_hours,
                suspicious_price_percent: max_removals_percent,
                trusted_products: vec!["Backup, per TB".into()],
                freeze: vec!["1-3".into(), "2026-12-24..2027-01-02".into(), "31 18:00-24:00".into()],
            },
        )
}

prop_compose! {
    fn any_settings()(
        words in proptest::collection::vec(word(), 8),
        secrets in proptest::collection::vec(secret(), 3),
        flags in proptest::collection::vec(any::<bool>(), 8),
        status in proptest::collection::btree_map(word(), prop_oneof![Just(StatusMeaning::Active), Just(StatusMeaning::Inactive)], 0..4),
        order in Just(EndDateSource::DEFAULT.to_vec()).prop_shuffle(),
        taken in 0..=4_usize,
        profile in limits(),
        own in proptest::option::of(limits()),
        notes in "[^\\p{C}]{0,20}(\n[^\\p{C}]{0,20}){0,3}",
        minutes in 0..1440_u32,
        share in 0.001..=1.0_f64,
        lists in proptest::collection::vec(proptest::collection::vec(word(), 0..3), 3),
    ) -> Settings {
        let mut s = Settings::default();
        s.profile.theme.clone_from(&words[0]);
        s.halo.tenant.clone_from(&words[1]);
        s.halo.client_id.clone_from(&words[2]);
        s.halo.client_secret = secrets[0].clone();
        s.halo.resource_server = "https://acme.example/api".into();
        s.halo.pace.share = share;
        s.halo.currency = if flags[0] { "GBP".into() } else { String::new() };
        s.safety = profile;
        for (i, m) in [&mut s.also, &mut s.westcoast].into_iter().enumerate() {
            m.enabled = flags[i];
            m.username.clone_from(&words[3 + i]);
            m.password = secrets[1 + i].clone();
            m.status_words.clone_from(&status);
            m.end_date_order = order[..taken].to_vec();
            m.schedule.at = format!("{:02}:{:02}", minutes / 60, minutes % 60);
            m.schedule.zone = if flags[4] { "Europe/Berlin".into() } else { String::new() };
            m.schedule.window = if flags[5] { "22:00-06:00".into() } else { String::new() };
            m.schedule.repeat = if flags[6] { Repeat::Hours } else { Repeat::Weekdays };
            m.schedule.overlap = if flags[7] { Overlap::Wait } else { Overlap::Skip };
            m.schedule.jitter_minutes = minutes / 12;
            m.schedule.entities = if flags[2] { vec![Entity::Subscriptions] } else { vec![] };
            m.customer_subscriptions_to_import = Scope { customers: lists[0].clone(), products: lists[1].clone(), statuses: lists[2].clone() };
            m.rename_in_halo = flags[3 + i];
        }
        s.also.notes = notes;
        s.westcoast.safety = own;
        s
    }
}

proptest! {
    #[test]
    fn what_is_exported_is_imported_the_same(s in any_settings()) {
        let text = export(&s).unwrap();
        let import = toml(&text).map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{text}")))?;
        prop_assert!(import.notes.is_empty(), "{:?}", import.notes);
        prop_assert_eq!(&import.settings, &s);
        prop_assert_eq!(export(&import.settings).unwrap(), text);
    }

    #[test]
    fn what_a_form_shows_can_be_entered_again(s in any_settings()) {
        for setting in all().iter().filter(|setting| setting.kind != settings::Kind::Secret) {
            let shown = get(&s, &setting.key).unwrap();
            if shown.is_empty() && setting.key.contains(".safety.") {
                continue;
            }
            let (after, _) = enter(&s, &setting.key, &shown).map_err(|p| TestCaseError::fail(format!("{p}: {shown}")))?;
            prop_assert_eq!(&after, &s, "{}", setting.key);
        }
    }

    #[test]
    fn nothing_that_is_imported_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..EXAMPLE.len()) {
        let text = String::from_utf8_lossy(&bytes);
        let mixed = match EXAMPLE.get(..at) { Some(start) => format!("{start}{text}{}", &EXAMPLE[at..]), None => text.to_string() };
        for text in [&*text, &*mixed] {
            for format in [Format::Toml, Format::Json] {
                if let Err(problems) = import(text, format, &Settings::default()) {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        prop_assert!(!problem.to_string().contains(PLANTED), "{}", problem);
                    }
                }
            }
        }
    }

    #[test]
    fn no_argument_panics(text in ".{0,40}") {
        for setting in all() {
            let _ = set(&Settings::default(), &setting.key, &text);
            let _ = enter(&Settings::default(), &setting.key, &text);
        }
    }
}

#[test]
fn status_words_are_replaced_as_a_whole() {
    let after = toml("[also]\nstatus_words = { Live = \"active\" }").unwrap().settings;
    assert_eq!(after.also.status_words, BTreeMap::from([("Live".to_owned(), StatusMeaning::Active)]));
}
