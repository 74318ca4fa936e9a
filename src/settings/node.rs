//! A parsed document with the line of every value: TOML and JSON alike, before any meaning.
//!
//! No `Debug` here: a document may hold secrets.

use toml::de::{DeTable, DeValue};

/// A value and the line it stands on; line 0 where there is no document.
pub struct Node {
    pub line: usize,
    pub value: Raw,
}

pub enum Raw {
    Text(String),
    Whole(i64),
    /// The value and its digits as written: money is read from the digits.
    Decimal(f64, String),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<(String, usize, Node)>),
    /// Something no setting takes, by the name people know it under.
    Other(&'static str),
}

impl Node {
    pub fn new(value: Raw) -> Self {
        Self { line: 0, value }
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Raw::Text(text.into()))
    }

    /// What it is, in a sentence.
    pub fn what(&self) -> &'static str {
        match self.value {
            Raw::Text(_) => "text",
            Raw::Whole(_) | Raw::Decimal(..) => "a number",
            Raw::Flag(_) => "true or false",
            Raw::List(_) => "a list",
            Raw::Table(_) => "a table",
            Raw::Other(name) => name,
        }
    }
}

/// Why a document could not be read: line and message, never the line's text (it may hold a secret).
pub struct Unreadable {
    pub line: usize,
    pub message: String,
}

pub fn from_toml(text: &str) -> Result<Node, Unreadable> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| Unreadable {
        line: error.span().map_or(1, |span| lines.at(span.start)),
        message: error.message().to_owned(),
    })?;
    Ok(Node { line: 1, value: toml_table(table.get_ref(), &lines) })
}

/// One TOML value, as `config set` takes it.
pub fn from_toml_value(text: &str) -> Option<Node> {
    let spanned = DeValue::parse(text).ok()?;
    let mut node = toml_value(spanned.get_ref(), 0, &Lines(Vec::new()));
    forget_lines(&mut node);
    Some(node)
}

fn forget_lines(node: &mut Node) {
    node.line = 0;
    match &mut node.value {
        Raw::List(items) => items.iter_mut().for_each(forget_lines),
        Raw::Table(entries) => {
            for (_, line, value) in entries {
                *line = 0;
                forget_lines(value);
            }
        }
        _ => {}
    }
}

fn toml_table(table: &DeTable<'_>, lines: &Lines) -> Raw {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let line = lines.at(key.span().start);
            (
                key.get_ref().to_string(),
                line,
                toml_value(value.get_ref(), lines.at(value.span().start), lines),
            )
        })
        .collect();
    entries.sort_by_key(|(_, line, _)| *line);
    Raw::Table(entries)
}

fn toml_value(value: &DeValue<'_>, line: usize, lines: &Lines) -> Node {
    let value = match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number beyond every limit"), Raw::Whole),
        DeValue::Float(number) => decimal(&number.as_str().replace('_', "")),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date or time without quotes"),
        DeValue::Array(items) => Raw::List(
            items.iter().map(|item| toml_value(item.get_ref(), lines.at(item.span().start), lines)).collect(),
        ),
        DeValue::Table(table) => toml_table(table, lines),
    };
    Node { line, value }
}

fn decimal(digits: &str) -> Raw {
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Raw::Decimal(number, digits.to_owned()),
        _ => Raw::Other("not a finite number"),
    }
}

pub fn from_json(text: &str) -> Result<Node, Unreadable> {
    // serde_json judges the document; the walk below only has to find its way in text that is known to be right.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        // The message ends in "at line 3 column 5": the line is named once, by the caller.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        return Err(Unreadable { line: error.line().max(1), message });
    }
    let mut walk = JsonWalk { text, at: 0, line: 1, depth: 0 };
    walk.value().ok_or(Unreadable { line: walk.line, message: "this is nested too deeply".into() })
}

struct JsonWalk<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    depth: u8,
}

impl JsonWalk<'_> {
    /// The next byte that is not white space, not taken.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return Some(byte),
            }
            self.at += 1;
        }
        None
    }

    fn value(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let line = self.line;
        self.depth += 1;
        if self.depth > 16 {
            return None;
        }
        let value = match first {
            b'{' => {
                self.at += 1;
                let mut entries: Vec<(String, usize, Node)> = Vec::new();
                while self.peek()? != b'}' {
                    let line = self.line;
                    let key = self.string()?;
                    self.take(b':')?;
                    entries.push((key, line, self.value()?));
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Raw::Table(entries)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.peek()? != b']' {
                    items.push(self.value()?);
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Raw::List(items)
            }
            b'"' => Raw::Text(self.string()?),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
                    .unwrap_or(rest.len());
                self.at += end;
                match &rest[..end] {
                    "true" => Raw::Flag(true),
                    "false" => Raw::Flag(false),
                    "null" => Raw::Other("null"),
                    digits => digits.parse().map_or_else(|_| decimal(digits), Raw::Whole),
                }
            }
        };
        self.depth -= 1;
        Some(Node { line, value })
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn string(&mut self) -> Option<String> {
        self.peek()?;
        let start = self.at;
        let mut escaped = false;
        for (offset, byte) in self.text.as_bytes()[start + 1..].iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at = start + offset + 2;
                    return serde_json::from_str(&self.text[start..self.at]).ok();
                }
                _ => {}
            }
        }
        None
    }
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }
}
