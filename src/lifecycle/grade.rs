//! Grades: ordered rules, the first that fits counts (S23).

use serde::{Deserialize, Serialize};

use super::rule::{Facts, Test, Tests};

/// What a grade says to do, from worst to best; also the order of a report's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Replace,
    Plan,
    Watch,
    Unknown,
    Healthy,
}

impl Tone {
    pub const ALL: [Self; 5] = [Self::Replace, Self::Plan, Self::Watch, Self::Unknown, Self::Healthy];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Plan => "plan",
            Self::Watch => "watch",
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
        }
    }

    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tone| tone.key().eq_ignore_ascii_case(text.trim()))
    }
}

/// One rule of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradeRule {
    /// The grade's name; several rules may give the same one.
    pub grade: String,
    pub tone: Tone,
    pub when: Tests,
}

/// Where the rules come from: Strategy Overview does not say what its own defaults are, so these are ours.
pub const DEFAULT_LABEL: &str = "Parhelion's default rules";

/// The longest name of a grade, in characters.
const LONGEST: usize = 60;

/// The grade of what no rule fits.
pub const UNGRADED: &str = "Unknown";

/// Our default set: Replace from 5 years or out of support, Plan from 4 years or without warranty, Watch from 3 years
/// or with under 6 months of warranty, Healthy under 3 years and in warranty, Unknown where dates are missing.
pub fn default_rules() -> Vec<GradeRule> {
    let rule = |grade: &str, tone, tests: &[Test]| GradeRule {
        grade: grade.into(),
        tone,
        when: Tests(tests.into()),
    };
    vec![
        rule("Replace", Tone::Replace, &[Test::AgeAtLeast(60)]),
        rule("Replace", Tone::Replace, &[Test::OsUnsupported]),
        rule("Plan", Tone::Plan, &[Test::AgeAtLeast(48)]),
        rule("Plan", Tone::Plan, &[Test::WarrantyOver]),
        rule("Watch", Tone::Watch, &[Test::AgeAtLeast(36)]),
        rule("Watch", Tone::Watch, &[Test::WarrantyUnder(6)]),
        rule("Healthy", Tone::Healthy, &[Test::AgeUnder(36), Test::WarrantyAtLeast(6)]),
        rule(UNGRADED, Tone::Unknown, &[Test::Always]),
    ]
}

/// Our default set where types have a warning period (P70): then what is in it is watched, too.
pub fn default_rules_that_warn() -> Vec<GradeRule> {
    let mut rules = default_rules();
    let place = rules.iter().position(|rule| rule.tone == Tone::Healthy).unwrap_or(rules.len());
    let warning = GradeRule { grade: "Watch".into(), tone: Tone::Watch, when: Tests(vec![Test::Warning]) };
    rules.insert(place, warning);
    rules
}

/// The grade of a configuration, and which rule gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graded<'a> {
    pub name: &'a str,
    pub tone: Tone,
    /// Its place in the list; `None` where no rule fitted.
    pub rule: Option<usize>,
}

pub fn grade<'a>(rules: &'a [GradeRule], facts: &Facts<'_>) -> Graded<'a> {
    let found = rules.iter().enumerate().find(|(_, rule)| rule.when.hold(facts));
    found.map_or(Graded { name: UNGRADED, tone: Tone::Unknown, rule: None }, |(at, rule)| Graded {
        name: &rule.grade,
        tone: rule.tone,
        rule: Some(at),
    })
}

/// Why a grade was given, in words.
pub fn reason(rules: &[GradeRule], graded: &Graded<'_>, facts: &Facts<'_>) -> String {
    let Some(rule) = graded.rule.and_then(|at| rules.get(at)) else { return "no rule fits".into() };
    let reasons: Vec<String> = rule.when.0.iter().map(|test| test.reason(facts)).collect();
    reasons.join(", ")
}

/// The grades in the order of their first rule, each once.
pub fn names(rules: &[GradeRule]) -> Vec<(String, Tone)> {
    let mut names: Vec<(String, Tone)> = Vec::new();
    for rule in rules {
        if !names.iter().any(|(name, _)| *name == rule.grade) {
            names.push((rule.grade.clone(), rule.tone));
        }
    }
    if !names.iter().any(|(name, _)| name == UNGRADED) {
        names.push((UNGRADED.into(), Tone::Unknown));
    }
    names
}

/// Whether a list of rules can be used.
///
/// # Errors
/// A sentence that names the rule.
pub fn check(rules: &[GradeRule]) -> Result<(), String> {
    if rules.is_empty() {
        return Err("there must be at least one grade rule".into());
    }
    for (at, rule) in rules.iter().enumerate() {
        let number = at + 1;
        if rule.grade.trim().is_empty() {
            return Err(format!("rule {number} has no grade"));
        }
        if rule.grade.chars().count() > LONGEST || rule.grade.chars().any(char::is_control) {
            return Err(format!("the grade of rule {number} has 1 to {LONGEST} characters on one line"));
        }
        if rule.when.0.is_empty() {
            return Err(format!("rule {number} ('{}') has no test; 'always' fits everything", rule.grade));
        }
        if let Some(other) = rules.iter().find(|other| other.grade == rule.grade && other.tone != rule.tone) {
            return Err(format!(
                "'{}' is called {} in one rule and {} in another",
                rule.grade,
                rule.tone.key(),
                other.tone.key()
            ));
        }
        if let Some((one, other)) = rule.when.contradiction() {
            return Err(format!(
                "rule {number} ('{}') can never fit: nothing has both {one} and {other}",
                rule.grade
            ));
        }
        if rule.when.0 == [Test::Always] && number < rules.len() {
            return Err(format!("rule {number} fits everything, so the rules after it would never count"));
        }
        let before = rules[..at].iter().position(|before| rule.when.imply(&before.when));
        if let Some(before) = before {
            return Err(format!(
                "rule {number} ('{}') would never count: rule {} ('{}') before it fits everything that it fits",
                rule.grade,
                before + 1,
                rules[before].grade
            ));
        }
    }
    Ok(())
}
