//! How near two customers are, whatever their names (P11-P13): what must hold for every pair.

use parhelion::matching::suggest::{Facts, Index, Weights, likeness};
use proptest::prelude::*;

fn named(name: &str) -> Facts {
    Facts { name: name.into(), ..Facts::default() }
}

fn score(a: &Facts, b: &Facts) -> u8 {
    likeness(a, b, &Weights::default()).map_or(0, |(score, _)| score)
}

fn names(a: &str, b: &str) -> u8 {
    score(&named(a), &named(b))
}

/// Words that every second company has.
const SHARED: [&str; 8] =
    ["Solutions", "Services", "Group", "Consulting", "Holdings", "International", "Systems", "Partners"];
const FORMS: [&str; 7] = ["", "Ltd", "Limited", "GmbH", "SARL", "plc", "Inc."];
/// Words that tell one company from others: no two are spelt alike.
const OWN: [&str; 10] = [
    "Alder",
    "Birchwood",
    "Cobalt",
    "Denholm",
    "Quayside",
    "Kestrel",
    "Lomond",
    "Meridian",
    "Zephyr",
    "Østby",
];

/// A name of any script, or of hostile characters.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[\u{590}-\u{6ff}\u{200e}\u{200f}\u{202a}-\u{202e} ]{0,20}",
        "[\u{1f300}-\u{1faff}\u{200d}\u{fe0f}]{0,12}",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}a-c ]{0,20}",
        "[\u{4e00}-\u{4fff}\u{ac00}-\u{acff}ァ-ヶ株式会社]{0,12}",
        "[А-яЁёΑ-Ωα-ωA-Za-z ]{0,20}",
    ]
}

proptest! {
    #[test]
    fn two_names_are_as_near_as_they_are_whichever_is_asked_about(
        a in "[A-Za-zéü0-9&.' ]{0,30}", b in "[A-Za-zéü0-9&.' ]{0,30}"
    ) {
        prop_assert_eq!(names(&a, &b), names(&b, &a), "{} / {}", a, b);
    }

    #[test]
    fn any_script_is_scored_in_range_the_same_way_twice_and_both_ways(a in anything(), b in anything()) {
        let one = likeness(&named(&a), &named(&b), &Weights::default());
        prop_assert_eq!(&one, &likeness(&named(&a), &named(&b), &Weights::default()));
        prop_assert_eq!(one.as_ref().map(|(score, _)| *score), likeness(&named(&b), &named(&a), &Weights::default()).map(|(score, _)| score));
        if let Some((score, why)) = one {
            prop_assert!(score <= 100 && !why.is_empty());
            prop_assert!(score < 100 || a.trim() == b.trim() || why == ["same name"]);
        }
        let facts = [named(&a), named(&b), named("Alder Ltd")];
        let found = Index::new(&facts, Weights::default()).suggest(&named(&a), |_| false);
        prop_assert!(found.candidates.len() <= 3);
    }

    #[test]
    fn companies_that_share_only_what_everybody_has_are_never_the_same(
        (one, other) in (0..OWN.len(), 0..OWN.len()).prop_filter("two companies", |(a, b)| a != b),
        shared in proptest::collection::vec(proptest::sample::select(SHARED.as_slice()), 1..4),
        form in proptest::sample::select(FORMS.as_slice()),
        other_form in proptest::sample::select(FORMS.as_slice()),
        same_house in any::<bool>(),
    ) {
        let of = |own: &str, form: &str| {
            let mut facts = named(&format!("{own} {} {form}", shared.join(" ")));
            if same_house {
                facts.postcode = Some("YO1 7AA".into());
            }
            facts
        };
        let score = score(&of(OWN[one], form), &of(OWN[other], other_form));
        prop_assert!(score < 90, "{} and {} {:?}: {score}", OWN[one], OWN[other], shared);
    }

    #[test]
    fn two_legal_forms_or_two_numbers_are_two_companies_even_in_one_house(
        own in proptest::sample::select(OWN.as_slice()),
        word in proptest::sample::select(SHARED.as_slice()),
        (a, b) in (1..99_u8, 1..99_u8).prop_filter("two numbers", |(a, b)| a != b),
    ) {
        let housed = |name: String| Facts {
            domains: vec!["group.example".into()],
            postcode: Some("YO1 7AA".into()),
            ..named(&name)
        };
        let forms = score(&housed(format!("{own} {word} Ltd")), &housed(format!("{own} {word} GmbH")));
        let numbers = score(&housed(format!("{own} {word} {a}")), &housed(format!("{own} {word} {b}")));
        prop_assert!(forms < 95 && numbers < 95, "{forms} {numbers}");
    }

    #[test]
    fn case_accents_and_spaces_change_nothing(
        a in "[a-z]{2,8}( [a-z]{2,8}){0,3}", b in "[a-z]{2,8}( [a-z]{2,8}){0,3}"
    ) {
        let shouted = a.to_uppercase();
        let spaced = format!("\u{a0} {}\t", a.replace(' ', " \u{2003} "));
        let accented: String = a.chars().map(|c| match c {
            'a' => 'à', 'e' => 'é', 'o' => 'ö', 'u' => 'û', 'n' => 'ñ', 'c' => 'ç', 's' => 'š', other => other,
        }).collect();
        let apart: String = accented.chars().flat_map(|c| match c {
            'é' => vec!['e', '\u{301}'], 'ö' => vec!['o', '\u{308}'], other => vec![other],
        }).collect();
        let wide: String =
            a.chars().map(|c| char::from_u32(c as u32 - 0x20 + 0xff00).filter(|_| c.is_ascii_lowercase()).unwrap_or(c)).collect();
        // What is exactly the same is certain; all else is as near as before.
        let plain = names(&a, &b);
        for other in [shouted, spaced, accented, apart, wide] {
            let now = names(&other, &b);
            prop_assert_eq!(now.min(96), plain.min(96), "{} as {:?} / {}", a, other, b);
        }
    }

    #[test]
    fn a_number_of_its_own_outranks_every_name(name in "[A-Z][a-z]{3,9}", other in "[A-Z][a-z]{3,9}") {
        let with = |name: &str, vat: &str| Facts { vat: Some(vat.into()), ..named(name) };
        let facts = [with(&name, "GB 987 6543 21"), with(&other, "GB 123 4567 89")];
        let found = Index::new(&facts, Weights::default()).suggest(&with(&name, "GB123456789"), |_| false);
        prop_assert_eq!(found.candidates[0].at, 1);
        prop_assert!(found.candidates[0].score >= 98);
    }
}

#[test]
fn a_book_instead_of_a_name_is_a_name_and_takes_no_time() {
    let long = (0..2_000).map(|n| format!("w{n:04}")).collect::<Vec<_>>().join(" ");
    let other = format!("{long}more");
    assert!(long.len() >= 10_000);
    assert!(names(&long, &other) < 95);
    assert!(names(&"é".repeat(10_000), &"e".repeat(10_000)) >= 95, "they differ in accents only");
    let letters = "ab".repeat(5_000);
    let facts: Vec<Facts> = (0..50).map(|n| named(&format!("{letters}{n}"))).collect();
    let found = Index::new(&facts, Weights::default()).suggest(&named(&letters), |_| false);
    assert!(found.candidates.len() <= 3);
}

/// P12: what a domain says and what the name says are two partners: both are shown, first, and nobody is taken.
#[test]
fn keys_that_disagree_are_shown_and_nobody_is_taken() {
    let at = |name: &str, domain: &str| Facts { domains: vec![domain.into()], ..named(name) };
    let facts = [
        named("Alder Finch Group"),
        named("Alder Finch"),
        at("Birch Trading", "alderfinch.example"),
        named("Alder Finch Two"),
    ];
    let index = Index::new(&facts, Weights::default());
    let found = index.suggest(&at("Alder Finch", "alderfinch.example"), |_| false);
    let rivals: Vec<_> = found.rivals.iter().map(|one| one.at).collect();
    assert_eq!(rivals, [1, 2], "{found:?}");
    assert_eq!(found.candidates.iter().map(|one| one.at).take(2).collect::<Vec<_>>(), [1, 2]);
    // One that is meant by both is no question.
    let facts = [at("Alder Finch", "alderfinch.example"), at("Birch Trading", "alderfinch.example")];
    let found =
        Index::new(&facts, Weights::default()).suggest(&at("Alder Finch", "alderfinch.example"), |_| false);
    assert!(!found.is_ambiguous() && found.candidates[0].at == 0, "{found:?}");
}

#[test]
fn all_of_equal_strength_are_rivals_also_those_that_are_not_shown() {
    let facts: Vec<Facts> =
        ["Kestrel Ltd", "Kestrel GmbH", "Kestrel SARL", "Kestrel plc", "Kestrel Inc"].map(named).into();
    let found = Index::new(&facts, Weights::default()).suggest(&named("Kestrel"), |_| false);
    assert_eq!((found.rivals.len(), found.candidates.len()), (5, 3));
}

#[test]
fn forms_of_any_script_are_forms() {
    for (a, b) in [
        ("株式会社東京商事", "東京商事"),
        ("東京商事株式会社", "東京商事"),
        ("北京百度网讯科技有限公司", "北京百度网讯科技"),
        ("ООО Ромашка", "Ромашка"),
        ("삼성전자 주식회사", "삼성전자"),
        ("שלום בע\"מ", "שלום"),
        ("Kowalski Sp. z o.o.", "Kowalski"),
    ] {
        assert_eq!(names(a, b), 96, "{a} / {b}");
    }
    assert!(names("Area 51", "Area 52") <= 65);
    assert_eq!(names("X", "X Ltd"), 96);
    assert_eq!(names("Limited", "LIMITED"), 96);
    assert_eq!(names("Ltd", "GmbH"), 0, "names that are nothing but a form are two names");
}

#[test]
fn what_is_a_legal_form_is_a_setting() {
    let with = |lines: &[&str]| Weights {
        legal_forms: lines.iter().map(|line| (*line).to_owned()).collect(),
        ..Weights::default()
    };
    let score = |weights: &Weights| {
        likeness(&named("Alder Kooperative"), &named("Alder"), weights).map_or(0, |one| one.0)
    };
    assert!(score(&Weights::default()) < 96);
    assert_eq!(score(&with(&["kooperative"])), 96);
    let french =
        |weights: &Weights| likeness(&named("Alder SARL"), &named("Alder"), weights).map_or(0, |one| one.0);
    assert_eq!(french(&with(&[])), 96);
    assert!(french(&with(&["fr:"])) < 96);
}
