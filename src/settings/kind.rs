//! What a setting may hold: how it is read from a document, typed into a form, shown and written.

use std::fmt::Write as _;
use std::str::FromStr;

use rust_decimal::Decimal;
use toml::Value;

use super::clean;
use super::node::{self, Node, Raw};
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;
use crate::model::{Currency, Date, Freeze, schedule, text::shown};

/// The kinds of settings; a form field looks and behaves by its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// One line.
    Text,
    /// Several lines.
    Lines,
    MarketplaceUrl,
    HaloUrl,
    /// Liongard's instance: an address, a host or a bare word.
    InstanceUrl,
    /// A date, or empty.
    Day,
    /// Rows of source and target field ([`crate::model::settings::FieldMapping`]).
    Mappings,
    /// Never shown; held as where it comes from ([`crate::model::settings::SecretSource`]).
    Secret,
    /// True or false.
    Flag,
    /// A whole number with both ends included.
    Number {
        min: u64,
        max: u64,
        unit: &'static str,
    },
    /// A number from 0 (`zero` says whether 0 itself is allowed) up to and including `up_to`.
    Fraction {
        zero: bool,
        up_to: f64,
        unit: &'static str,
    },
    /// An amount, or empty.
    Money,
    /// A currency code, or empty.
    Currency,
    /// Any words, in order.
    Words,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these, in order, each once.
    Choices(&'static [&'static str]),
    /// Any word, each standing for one of these; for any text where there are none.
    WordMap(&'static [&'static str]),
    /// A local time of day, `HH:MM`.
    Time,
    /// A day, `2027-01-31`, or empty.
    Date,
    /// Hours of the day, `HH:MM-HH:MM`, or empty.
    Hours,
    /// The IANA name of a time zone, or empty.
    Zone,
    /// An address and port of this machine's own, or empty.
    Loopback,
    /// Periods in which nothing billable is written ([`crate::model::Freeze`]).
    Periods,
}

/// A value as the settings keep it, with what was cleaned on the way.
pub struct Taken {
    pub value: Value,
    pub notes: Vec<String>,
}

impl Kind {
    /// Takes a value from a document. Not for [`Kind::Secret`], which is the importer's own affair.
    ///
    /// # Errors
    /// The rest of a sentence that begins with the setting's name.
    pub(super) fn take(self, node: &Node) -> Result<Taken, String> {
        let mut notes = Vec::new();
        let value = match (self, &node.value) {
            (Self::Text, Raw::Text(text)) => Value::String(one_line(text, &mut notes)?),
            (Self::Lines, Raw::Text(text)) => Value::String(lines(text)?),
            (Self::Day, Raw::Text(text)) if text.trim().is_empty() => Value::String(String::new()),
            (Self::Day, Raw::Text(text)) => {
                let day: Result<crate::model::Date, _> = text.trim().parse();
                let refuse = || format!("must be {}, not '{}'", self.expects(), brief(text));
                Value::String(day.map_err(|_| refuse())?.to_string())
            }
            (Self::Mappings, Raw::List(items)) => {
                let rows: Result<Vec<_>, _> = items.iter().map(mapping).collect();
                let rows = rows?;
                if let Some(twice) = twice(&rows) {
                    return Err(format!("feeds the field '{}' from two sources", brief(&twice)));
                }
                Value::Array(rows)
            }
            (Self::MarketplaceUrl | Self::HaloUrl | Self::InstanceUrl, Raw::Text(text)) => {
                // Whether http:// may be used depends on a neighbour: judged when every key is known.
                let cleaned = match self {
                    Self::HaloUrl => clean::halo_url(text, true)?,
                    Self::InstanceUrl => clean::instance_url(text, true)?,
                    _ => clean::marketplace_url(text, true)?,
                };
                notes = cleaned.notes;
                Value::String(cleaned.text)
            }
            (Self::Flag, Raw::Flag(flag)) => Value::Boolean(*flag),
            (Self::Number { min, max, unit }, Raw::Whole(number)) => {
                if !u64::try_from(*number).is_ok_and(|n| (min..=max).contains(&n)) {
                    return Err(format!(
                        "must be a whole number{} from {min} to {max}, not {number}",
                        of(unit)
                    ));
                }
                Value::Integer(*number)
            }
            (Self::Fraction { .. }, Raw::Whole(number)) => self.fraction(*number as f64)?,
            (Self::Fraction { .. }, Raw::Decimal(number, _)) => self.fraction(*number)?,
            (Self::Money, Raw::Whole(number)) => money(&number.to_string())?,
            (Self::Money, Raw::Decimal(_, digits) | Raw::Text(digits)) => money(digits)?,
            (Self::Currency, Raw::Text(text)) if text.trim().is_empty() => Value::String(String::new()),
            (Self::Currency, Raw::Text(text)) => Currency::new(text)
                .map(|code| Value::String(code.to_string()))
                .ok_or_else(|| format!("must be a currency code such as GBP, not '{}'", brief(text)))?,
            (Self::Words, Raw::List(items)) => {
                let words: Result<Vec<_>, _> = items.iter().map(|item| word(item, &mut notes)).collect();
                Value::Array(words?.into_iter().map(Value::String).collect())
            }
            (Self::Choice(known), Raw::Text(text)) => Value::String(one_of(text, known)?),
            (Self::Choices(known), Raw::List(items)) => {
                let mut chosen: Vec<String> = Vec::new();
                for item in items {
                    let Raw::Text(text) = &item.value else {
                        return Err(format!("must be a list of {}", known.join(", ")));
                    };
                    let choice = one_of(text, known)?;
                    if chosen.contains(&choice) {
                        return Err(format!("names '{choice}' twice"));
                    }
                    chosen.push(choice);
                }
                Value::Array(chosen.into_iter().map(Value::String).collect())
            }
            (Self::WordMap(known), Raw::Table(entries)) => {
                let mut map = toml::Table::new();
                for (word, _, meaning) in entries {
                    let Raw::Text(text) = &meaning.value else {
                        return Err(format!("must be pairs written as word = {}", meanings(known)));
                    };
                    let word = one_line(word, &mut notes)?;
                    if word.is_empty() {
                        return Err("has an empty word".into());
                    }
                    let meaning =
                        if known.is_empty() { one_line(text, &mut notes)? } else { one_of(text, known)? };
                    if map.insert(word.clone(), Value::String(meaning)).is_some() {
                        return Err(format!("has the word '{}' twice", brief(&word)));
                    }
                }
                Value::Table(map)
            }
            (Self::Time, Raw::Text(text)) => {
                let time = time_of_day(text)
                    .ok_or_else(|| format!("must be a time of day such as 02:30, not '{}'", brief(text)))?;
                if time != *text {
                    notes.push(format!("written as {time}"));
                }
                Value::String(time)
            }
            (Self::Date | Self::Hours | Self::Zone | Self::Loopback, Raw::Text(text))
                if text.trim().is_empty() =>
            {
                Value::String(String::new())
            }
            (Self::Loopback, Raw::Text(text)) => text
                .trim()
                .parse::<std::net::SocketAddr>()
                .ok()
                .filter(|address| address.ip().is_loopback())
                .map(|address| Value::String(address.to_string()))
                .ok_or_else(|| {
                    format!(
                        "must be an address of this machine's own such as 127.0.0.1:9477, not '{}'",
                        brief(text)
                    )
                })?,
            (Self::Date, Raw::Text(text)) => text
                .trim()
                .parse::<Date>()
                .map(|day| Value::String(day.to_string()))
                .map_err(|_| format!("must be {}, not '{}'", self.expects(), brief(text)))?,
            (Self::Hours, Raw::Text(text)) => schedule::Hours::parse(text)
                .map(|hours| Value::String(hours.to_string()))
                .ok_or_else(|| format!("must be {}, not '{}'", self.expects(), brief(text)))?,
            (Self::Zone, Raw::Text(text)) => schedule::zone(text)
                .and_then(|zone| Some(Value::String(zone.iana_name()?.to_owned())))
                .ok_or_else(|| format!("must be {}, not '{}'", self.expects(), brief(text)))?,
            (Self::Periods, Raw::List(items)) => {
                let mut periods = Vec::new();
                for item in items {
                    let text = word(item, &mut notes)?;
                    if Freeze::parse(&text).is_none() {
                        return Err(format!("must be {}, not '{}'", self.expects(), brief(&text)));
                    }
                    periods.push(Value::String(text));
                }
                Value::Array(periods)
            }
            _ => return Err(format!("must be {}, not {}", self.expects(), node.what())),
        };
        Ok(Taken { value, notes })
    }

    /// What it takes, in a sentence.
    pub fn expects(self) -> String {
        match self {
            Self::Text | Self::Lines => "text in quotes".into(),
            Self::InstanceUrl => "an address such as \"https://us1.app.liongard.com\", or us1".into(),
            Self::Day => "a date such as \"2027-01-31\", or empty".into(),
            Self::Mappings => "a list such as [{ source = \"RAM\", target = \"RAM\", create = true }]".into(),
            Self::MarketplaceUrl | Self::HaloUrl => "an address such as \"https://host.example\"".into(),
            Self::Secret => "{ env = \"VAR\" }, { file = \"PATH\" } or { command = \"...\" }".into(),
            Self::Flag => "true or false".into(),
            Self::Number { min, max, unit } => format!("a whole number{} from {min} to {max}", of(unit)),
            Self::Fraction { zero: true, up_to, unit } => format!("a number{} from 0 to {up_to}", of(unit)),
            Self::Fraction { zero: false, up_to, unit } => {
                format!("a number{} above 0 and up to {up_to}", of(unit))
            }
            Self::Money => "an amount such as 250.00, or empty".into(),
            Self::Currency => "a currency code such as \"GBP\", or empty".into(),
            Self::Words => "a list such as [\"one\", \"two\"]".into(),
            Self::Choice(known) => format!("one of {}", known.join(", ")),
            Self::Choices(known) => format!("a list of {}", known.join(", ")),
            Self::WordMap(known) => format!("pairs written as word = {}", meanings(known)),
            Self::Time => "a time of day such as \"02:30\"".into(),
            Self::Loopback => "an address of this machine's own such as \"127.0.0.1:9477\", or empty".into(),
            Self::Date => "a day such as \"2027-01-31\", or empty".into(),
            Self::Hours => "hours of the day such as \"22:00-06:00\", or empty".into(),
            Self::Zone => "a time zone such as \"Europe/London\", or empty".into(),
            Self::Periods => {
                "a list of days of the month or dates such as [\"1-3\", \"2026-12-24..2027-01-02\", \"31 18:00-24:00\"]"
                    .into()
            }
        }
    }

    /// Reads what a person typed into a form, where nothing needs quotes.
    pub(super) fn typed(self, text: &str) -> Result<Node, String> {
        let trimmed = text.trim();
        let refuse = || format!("must be {}, not '{}'", self.expects(), brief(trimmed));
        let value = match self {
            Self::Flag => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Raw::Flag(true),
                "false" | "no" | "off" => Raw::Flag(false),
                _ => return Err(refuse()),
            },
            Self::Number { .. } => Raw::Whole(trimmed.parse().map_err(|_| refuse())?),
            Self::Fraction { .. } => {
                let number: f64 = trimmed.trim_end_matches('%').trim_end().parse().map_err(|_| refuse())?;
                Raw::Decimal(number, trimmed.to_owned())
            }
            Self::Words | Self::Choices(_) | Self::Periods if trimmed.starts_with('[') => {
                return node::from_toml_value(trimmed).ok_or_else(refuse);
            }
            Self::Words | Self::Choices(_) | Self::Periods => {
                Raw::List(items(trimmed).map(Node::text).collect())
            }
            Self::Mappings => {
                let text = if trimmed.is_empty() { "[]" } else { trimmed };
                return node::from_toml_value(text).ok_or_else(refuse);
            }
            Self::WordMap(_) if trimmed.starts_with('{') => {
                return node::from_toml_value(trimmed).ok_or_else(refuse);
            }
            Self::WordMap(_) => {
                let mut entries = Vec::new();
                for item in items(trimmed) {
                    let (word, meaning) = item.rsplit_once('=').ok_or_else(refuse)?;
                    entries.push((word.trim().to_owned(), 0, Node::text(meaning.trim())));
                }
                Raw::Table(entries)
            }
            _ => Raw::Text(text.to_owned()),
        };
        Ok(Node::new(value))
    }

    /// Reads the argument of `config set`: TOML where it is TOML of this kind, else a bare word.
    pub(super) fn argument(self, text: &str) -> Result<Node, String> {
        let Some(node) = node::from_toml_value(text) else { return self.typed(text) };
        match (self, &node.value) {
            (_, Raw::Text(inner)) => self.typed(inner),
            (Self::Words | Self::Choices(_) | Self::Periods | Self::Mappings, Raw::List(_))
            | (Self::WordMap(_), Raw::Table(_))
            | (Self::Flag, Raw::Flag(_))
            | (Self::Number { .. } | Self::Fraction { .. }, Raw::Whole(_) | Raw::Decimal(..)) => Ok(node),
            // `config set also.username 12345`: the text it is.
            _ => self.typed(text),
        }
    }

    /// For people and `config get`: what [`Kind::typed`] reads back.
    pub(super) fn show(self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Float(number) => number.to_string(),
            Value::Array(_) if self == Self::Mappings => self.write(value),
            Value::Array(items) => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                if words.iter().any(|word| word.contains([',', '\n']) || word.starts_with('[')) {
                    self.write(value)
                } else {
                    words.join(", ")
                }
            }
            Value::Table(map) => {
                if map.keys().any(|word| word.contains([',', '\n']) || word.starts_with('{')) {
                    return self.write(value);
                }
                let entries: Vec<String> = map
                    .iter()
                    .map(|(word, meaning)| format!("{word} = {}", meaning.as_str().unwrap_or_default()))
                    .collect();
                entries.join(", ")
            }
            other => other.to_string(),
        }
    }

    /// As TOML, on one line but for text that has several.
    pub(super) fn write(self, value: &Value) -> String {
        match value {
            Value::String(text) if self == Self::Lines && text.contains('\n') => {
                Value::String(text.clone()).to_string()
            }
            other => inline(other),
        }
    }

    fn fraction(self, number: f64) -> Result<Value, String> {
        match self {
            Self::Fraction { zero, up_to, .. }
                if (number > 0.0 || zero && number == 0.0) && number <= up_to =>
            {
                // `+ 0.0` makes -0 plain 0.
                Ok(Value::Float(number + 0.0))
            }
            _ => Err(format!("must be {}, not {number}", self.expects())),
        }
    }
}

/// One row of the field mappings.
fn mapping(item: &Node) -> Result<Value, String> {
    let Raw::Table(entries) = &item.value else {
        return Err("must be a list of tables with source and target".into());
    };
    let mut row = toml::Table::new();
    for (name, _, value) in entries {
        let kept = match (name.as_str(), &value.value) {
            ("source" | "target", Raw::Text(text)) => Value::String(one_line(text, &mut Vec::new())?),
            ("create" | "fill_blank", Raw::Flag(flag)) => Value::Boolean(*flag),
            ("kind", Raw::Text(text)) => {
                let known: Vec<&str> = FieldKind::ALL.iter().map(|kind| kind.key()).collect();
                Value::String(one_of(text, &known)?)
            }
            ("source" | "target" | "create" | "fill_blank" | "kind", _) => {
                return Err(format!("has a row whose {name} is {}", value.what()));
            }
            (other, _) => {
                return Err(format!(
                    "has a row with '{}', which is none of source, target, create, kind and fill_blank",
                    brief(other)
                ));
            }
        };
        if kept != Value::Boolean(false) {
            row.insert(name.clone(), kept);
        }
    }
    for needed in ["source", "target"] {
        if row.get(needed).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            return Err(format!("has a row without {needed}"));
        }
    }
    Ok(Value::Table(row))
}

/// The target that two rows feed, if any (L15).
fn twice(rows: &[Value]) -> Option<String> {
    let target = |row: &Value| Some(row.get("target")?.as_str()?.trim().to_lowercase());
    let all: Vec<String> = rows.iter().filter_map(target).collect();
    all.iter().enumerate().find(|(at, one)| all[..*at].contains(one)).map(|(_, one)| one.clone())
}

/// The rows of field mappings as the value of their setting; `None` for rows that no setting can hold.
pub fn mappings(rows: &[FieldMapping]) -> Option<String> {
    let rows: Result<Vec<Value>, _> = rows.iter().map(Value::try_from).collect();
    Some(inline(&Value::Array(rows.ok()?)))
}

/// A list of words as the value of its setting.
pub fn words(words: &[String]) -> String {
    inline(&Value::Array(words.iter().cloned().map(Value::String).collect()))
}

/// A value as TOML on one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Float(number) => number.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(map) if map.is_empty() => "{}".into(),
        Value::Table(map) => {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{} = {}", key_text(key), inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { quoted(key) }
}

pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// At most forty characters of what somebody typed, safe to show.
pub fn brief(text: &str) -> String {
    let clean = shown(text);
    match clean.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean.into_owned(),
    }
}

fn of(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" of {unit}") }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty())
}

fn one_line(text: &str, notes: &mut Vec<String>) -> Result<String, String> {
    const LONGEST: usize = 1000;
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        notes.push("spaces around it were removed".into());
    }
    if trimmed.chars().any(char::is_control) {
        return Err("has a line break or control character inside".into());
    }
    if trimmed.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    Ok(trimmed.to_owned())
}

fn lines(text: &str) -> Result<String, String> {
    const LONGEST: usize = 16_000;
    if text.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    let text = text.replace("\r\n", "\n");
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("has a control character inside".into());
    }
    Ok(text)
}

/// One word of a list. Ids are often written as bare numbers.
fn word(item: &Node, notes: &mut Vec<String>) -> Result<String, String> {
    let word = match &item.value {
        Raw::Text(text) => one_line(text, notes)?,
        Raw::Whole(number) => number.to_string(),
        _ => return Err(format!("must be {}; one of its items is {}", Kind::Words.expects(), item.what())),
    };
    if word.is_empty() { Err("has an empty word".into()) } else { Ok(word) }
}

/// What the words of a table stand for.
fn meanings(known: &[&str]) -> String {
    if known.is_empty() { "name".into() } else { known.join(" or ") }
}

fn one_of(text: &str, known: &[&str]) -> Result<String, String> {
    let wanted = text.trim().to_lowercase();
    known
        .iter()
        .find(|word| **word == wanted)
        .map(|word| (*word).to_owned())
        .ok_or_else(|| format!("must be one of {}, not '{}'", known.join(", "), brief(text)))
}

/// Amounts stay text: no binary fraction comes between the file and the money.
fn money(digits: &str) -> Result<Value, String> {
    let digits = digits.trim();
    if digits.is_empty() {
        return Ok(Value::String(String::new()));
    }
    let amount = Decimal::from_str(digits).map_err(|_| format!("must be {}", Kind::Money.expects()))?;
    if amount.is_sign_negative() || amount > Decimal::from(1_000_000_000) || amount.normalize().scale() > 4 {
        return Err("must be from 0 to 1,000,000,000 with at most four decimals".into());
    }
    Ok(Value::String(amount.normalize().to_string()))
}

/// `2:30` and `02:30` become `02:30`.
fn time_of_day(text: &str) -> Option<String> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !(1..=2).contains(&hours.len()) || minutes.len() != 2 || !digits(hours) || !digits(minutes) {
        return None;
    }
    let (h, m): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (h < 24 && m < 60).then(|| format!("{h:02}:{m:02}"))
}
